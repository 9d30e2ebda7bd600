"""Results of task analyses: networks, inputs and addresses."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from rnnstudy.analyses import TaskAnalysis
from rnnstudy.analyses.base import Member, NetworkChoice
from rnnstudy.core.component import Address
from rnnstudy.study.plan.member_analyses import BoundAnalysis
from rnnstudy.study.plan.outcomes import exclusion
from rnnstudy.study.spec.imported_models import ImportedNetworkSpec
from rnnstudy.study.spec.networks import NetworkSpec
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task
from rnnstudy.training.train import WeightsOf


class NetworkIndex(Protocol):
    """Index of a study's networks and of their records, as far as a result needs it."""

    @property
    def positions(self) -> Mapping[str, tuple[int, ...]]:
        """Task -> positions of its networks."""

    def records(self, analysis: BoundAnalysis) -> Mapping[str, Address]:
        """Return the addresses of an analysis of single networks, by address of the network."""

    def exclusions(self, store: Store, task: str, choice: NetworkChoice) -> Mapping[Address, str]:
        """Return the addresses of the networks of a task that are not chosen, with the reasons."""

    def address_in(self, store: Store, address: Address) -> Address:
        """Return where a store holds a record: elsewhere if its batch lacks networks."""


def can_analyse(network: NetworkSpec, analyses: Iterable[BoundAnalysis]) -> bool:
    """Return whether analyses apply to a network: an imported one has no seed to start from."""
    return not isinstance(network, ImportedNetworkSpec) or not any(a.from_seeds for a in analyses)


@dataclass(frozen=True, eq=False)
class TaskArtefact:
    """Result of a task analysis: its inputs, and its address for the networks that are usable."""

    index: NetworkIndex
    analysis: TaskAnalysis
    task: Task
    members: tuple[Member, ...]
    """Networks of the task, then those of other tasks."""
    networks: tuple[NetworkSpec, ...]
    inputs: tuple[BoundAnalysis, ...]
    """Analyses of single networks of the task that it reads."""
    cross_task: BoundAnalysis | None
    """Analysis of networks of other tasks that it reads."""
    n_task_networks: int
    """Number of networks of the task."""
    controls: Mapping[WeightsOf, Mapping[str, BoundAnalysis]]
    """Kind of weights -> name of an input -> the analysis of networks with these weights."""
    needs: tuple["TaskArtefact", ...] = ()
    """Results of the same task that it reads."""
    control_distances: Mapping[str, "TaskArtefact"] = field(default_factory=dict)
    """Name of an input -> the same distances together with controls."""
    choice: NetworkChoice = "solved"
    """Networks that it is about, by the outcomes of their training."""
    scopes: tuple[str, ...] = ()
    """Conditions of the claims that read it, as text; empty for the result that the spec names."""
    solved: "TaskArtefact | None" = None
    """Same result over the solved networks alone, beside which this one over all trained networks
    stands; None without one."""

    @property
    def scope(self) -> str:
        """Conditions of the claims that read it, as text: `protocol=standard`."""
        return ", ".join(self.scopes)

    @cached_property
    def pending(self) -> bool:
        """Is true if a network waits for a selection, so that there is no address yet."""
        if self.solved is not None:
            return self.solved.pending
        return any(isinstance(network, PendingNetwork) for network in self.networks)

    @cached_property
    def reads(self) -> tuple[tuple[Address, ...], ...]:
        """Addresses of the records that are read of each network."""
        if self.solved is not None:
            return self.solved.reads
        tables = [self.index.records(bound) for bound in self.inputs]
        cross = [self.index.records(self.cross_task)] if self.cross_task else []
        return tuple(
            tuple(records[key] for records in (tables if i < self.n_task_networks else cross))
            for i, key in enumerate(self.keys)
        )

    def reads_in(self, store: Store) -> tuple[tuple[Address, ...], ...]:
        """Return the addresses of the records of each network as a store holds them."""
        if self.solved is not None:
            return self.solved.reads_in(store)
        return store.memoise((self, "reads"), lambda: self._addresses_in(store))

    def _addresses_in(self, store: Store) -> tuple[tuple[Address, ...], ...]:
        return tuple(self.reads_of(store, i) for i in range(len(self.reads)))

    def reads_of(self, store: Store, position: int) -> tuple[Address, ...]:
        """Return the addresses of the records of one network as a store holds them."""
        if self.solved is not None:
            return self.solved.reads_of(store, position)
        # Records of other networks are not looked up: a job may need a few of many thousand.
        return store.memoise(
            (self, "reads", position),
            lambda: tuple(self.index.address_in(store, each) for each in self.reads[position]),
        )

    @cached_property
    def control_reads(self) -> Mapping[tuple[WeightsOf, str], tuple[Address | None, ...]]:
        """(Kind of weights, input) -> address for each network; None for one without a seed."""
        if self.solved is not None:
            return self.solved.control_reads
        return {
            (weights, name): tuple(
                self.index.records(bound)[key] if can_analyse(network, (bound,)) else None
                for key, network in zip(self.keys, self.networks, strict=True)
            )
            for weights, inputs in self.controls.items()
            for name, bound in inputs.items()
        }

    @cached_property
    def keys(self) -> tuple[Address, ...]:
        """Addresses of the networks."""
        if self.solved is not None:
            return self.solved.keys
        return tuple(network.key() for network in self.networks)

    def expected_positions(
        self, store: Store, among: Sequence[int] | None = None
    ) -> tuple[int, ...]:
        """Return the positions of networks that it is about, of all or `among` some.

        A network whose outcome is not known yet is among them.
        """
        if among is not None:
            # Outcomes of other networks are not read: a job may need a few of many thousand.
            return tuple(i for i in among if not exclusion(store, self.networks[i], self.choice))
        return store.memoise((self, "expected"), lambda: self._expected_positions(store))

    def _expected_positions(self, store: Store) -> tuple[int, ...]:
        tasks = self.index.positions if self.cross_task else (self.task.title,)
        excluded = {key for t in tasks for key in self.index.exclusions(store, t, self.choice)}
        return tuple(i for i, key in enumerate(self.keys) if key not in excluded)

    def left_out(self, store: Store) -> tuple[tuple[Member, str], ...]:
        """Return the networks of the task that it is not about, each with the reason."""
        excluded = self.index.exclusions(store, self.task.title, self.choice)
        return tuple(
            (self.members[i], excluded[self.keys[i]])
            for i in range(self.n_task_networks)
            if self.keys[i] in excluded
        )

    def is_repetition(self, store: Store) -> bool:
        """Return whether the result over the solved networks is of the same networks."""
        return store.memoise((self, "repetition"), lambda: self._is_repetition(store))

    def _is_repetition(self, store: Store) -> bool:
        if self.solved is None:
            return False
        same = self.solved.expected_positions(store) == self.expected_positions(store)
        needs = (*self.needs, *self.control_distances.values())
        return same and all(need.is_repetition(store) for need in needs)

    def ready(self, store: Store, among: Sequence[int] | None = None) -> tuple[int, ...]:
        """Return the positions of networks whose records the store holds."""
        return tuple(
            i
            for i in self.expected_positions(store, among)
            if all(map(store.has, self.reads_of(store, i)))
        )

    def address(self, store: Store, *, complete: bool = False) -> Address:
        """Return the address for the networks that are ready, or for all that are expected."""
        if self.solved is not None and self.is_repetition(store):
            return self.solved.address(store, complete=complete)
        return store.memoise((self, complete), lambda: self._address(store, complete))

    def _address(self, store: Store, complete: bool) -> Address:
        at = self.expected_positions(store) if complete else self.ready(store)
        of_task = [i for i in at if i < self.n_task_networks]
        each = self.reads if complete else self.reads_in(store)
        reads = [each[i][part] for part in range(len(self.inputs)) for i in of_task]
        reads += [address for i in at if i >= self.n_task_networks for address in each[i]]
        needs = (need.address(store, complete=complete) for need in self.needs)
        controls = self._control_inputs(store, of_task, complete)
        return self.analysis.key(*reads, *needs, *controls)

    def _control_inputs(
        self, store: Store, at: Sequence[int], complete: bool
    ) -> Iterator[Address | str]:
        """Yield what the address owes to the controls, each list after its name."""
        for (weights, name), addresses in self.control_reads.items():
            yield f"control {weights} {name}"
            reads = (address for i in at if (address := addresses[i]) is not None)
            if not complete:
                present = (self.index.address_in(store, address) for address in reads)
                reads = (address for address in present if store.has(address))
            yield from reads
        for name, need in self.control_distances.items():
            if need.has_networks(store):
                yield f"control distances {name}"
                yield need.address(store, complete=complete)

    def has_networks(self, store: Store) -> bool:
        """Return whether a network of the task is usable."""
        return any(i < self.n_task_networks for i in self.expected_positions(store))
