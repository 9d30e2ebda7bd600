"""Jobs that analyse single networks."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.analyses.base import Cost, NetworkChoice
from rnnstudy.core.batches import BATCH_BYTES, pause_point
from rnnstudy.core.component import Address
from rnnstudy.core.record import Record
from rnnstudy.study.errors import error_sentence
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.plan.batches.batch import Batch, choice_of
from rnnstudy.study.plan.batches.costs import cost_of, record_memory
from rnnstudy.study.plan.batches.division import shape_of
from rnnstudy.study.plan.job import Context, Job, count_label, halves, range_label
from rnnstudy.study.plan.member_analyses import BoundAnalysis
from rnnstudy.study.plan.outcomes import exclusion, network_outcome
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.store import Store
from rnnstudy.training.train import TrainedNetworks

WORKING_MEMORY = 4 * BATCH_BYTES
"""Bytes of memory of an analysis beside its records."""

NETWORK_ERRORS = (ValueError, ArithmeticError, AssertionError, IndexError)
"""Errors that the numbers of a network cause."""


@dataclass(frozen=True, eq=False)
class AnalyseMembers(Job):
    """One analysis of single networks that share a task and a cell.

    A batch of networks is computed together, and the last digits of a result depend on the batch.
    So the plan fixes the batch. If results of some of its networks are missing, all of the batch
    is computed again, and the missing results are written. A network that could not be trained is
    left out, and the results of the others have addresses of their own (see `batches`).
    """

    index: Artefacts
    bound: BoundAnalysis
    networks: tuple[NetworkSpec, ...]
    """Networks whose results are written."""
    batch: tuple[NetworkSpec, ...]
    """Networks that are computed together; `networks` are among them."""
    batch_names: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def choice(self) -> NetworkChoice:
        """Networks that are analysed, by the outcomes of their training."""
        return choice_of(self.index, self.bound, self.batch[0])

    @property
    def _batch(self) -> Batch:
        """The batch of the plan, of which the job may be a part."""
        return self.index.batch_of[self._address(self.batch[0])][0]

    @property
    def analysis(self) -> MemberAnalysis:
        """The analysis without what it reads."""
        return self.bound.analysis

    @property
    def kind(self) -> str:
        return self.analysis.title

    @property
    def task(self) -> str:
        return self.networks[0].task.title

    @property
    def record_class(self) -> type[Record]:
        return self.bound.analysis.record_class

    @property
    def label(self) -> str:
        count = count_label(len(self.names), "network")
        return f"{self.analysis.title} {range_label(self.names)} ({count})"

    def results(self) -> list[Address]:
        return [self._address(network) for network in self.networks]

    def requires(self) -> list[Address]:
        read = [*self.bound.needs, *([self._beginning] if self._beginning else [])]
        needs = [self._need(need, n) for need in read for n in self.batch]
        return [*(network.key() for network in self.batch), *needs]

    @property
    def _beginning(self) -> BoundAnalysis | None:
        return self.index.beginning(self.bound, self.networks[0].task)

    def _present(self, store: Store) -> list[bool]:
        return [
            not isinstance(network, PendingNetwork) and self._is_present(store, network)
            for network in self.networks
        ]

    def _is_present(self, store: Store, network: NetworkSpec) -> bool:
        address = self._address(network)
        if store.has(address) or network_outcome(store, network) is None:
            return store.has(address)
        return store.has(self.index.address_in(store, address))

    def titles(self, store: Store) -> Mapping[str, str]:
        titles = super().titles(store)
        others = zip(self.results(), titles.values(), strict=True)
        return {**titles, **{self.index.address_in(store, a): title for a, title in others}}

    def missing(self, store: Store) -> Self | None:
        excluded = self.index.exclusions(store, self.task, self.choice)
        at = [
            i
            for i, network in enumerate(self.networks)
            if isinstance(network, PendingNetwork)
            or not (store.has(self._address(network)) or network.key() in excluded)
        ]
        networks, names = tuple(self.networks[i] for i in at), tuple(self.names[i] for i in at)
        return replace(self, networks=networks, names=names) if at else None

    @property
    def memory(self) -> int:
        return WORKING_MEMORY + len(self.batch) * self.least_memory

    @property
    def least_memory(self) -> int:
        return record_memory(self.analysis, self.batch[0])

    def cost(self) -> Cost:
        first = self.networks[0]
        if not isinstance(first, TrainedNetworkSpec):
            return Cost()
        return cost_of(self.analysis, first.cell, first.task).times(len(self.networks))

    def parts(self) -> list[Self]:
        """Return both halves of the batch.

        A batch that is divided yields results that may differ in their last digits.
        """
        missing = {network.key() for network in self.networks}
        at = [i for i, network in enumerate(self.batch) if network.key() in missing]
        return [
            replace(
                self,
                networks=tuple(self.batch[i] for i in inside),
                names=tuple(self.batch_names[i] for i in inside),
                batch=self.batch[side],
                batch_names=self.batch_names[side],
            )
            for side, inside in halves(len(self.batch), at)
        ]

    def run(self, context: Context) -> None:
        store, batch = context.store, self._batch
        lacking, left_out = batch.lacking(store), batch.left_out(store)
        members = [
            n for n in self.batch if n.key() not in lacking and not exclusion(store, n, self.choice)
        ]
        addresses = {n.key(): self._address(n) for n in members}
        missing = {
            key: batch.address_without(address, left_out)
            for key, address in addresses.items()
            if not store.has(address)
        }
        missing = {key: address for key, address in missing.items() if not store.has(address)}
        errors = dict[Address, Exception]()
        for network, record in self._records(store, members, missing, errors):
            store.write(missing[network.key()], record)
        self._raise_failures(lacking, errors)

    def _records(
        self,
        store: Store,
        members: Sequence[NetworkSpec],
        missing: Collection[Address],
        errors: dict[Address, Exception],
    ) -> Iterator[tuple[NetworkSpec, Record]]:
        """Yield the missing records of networks that are computed together.

        If the numbers of a network cause an error, halves are computed, down to single networks.
        So the error costs that network alone. It is noted.
        """
        if all(network.key() not in missing for network in members):
            return
        try:
            functions = self._compute(store, members)
        except Exception as error:
            reason = _error_of_a_network(error)
        else:
            for network, function in zip(members, functions, strict=True):
                if network.key() in missing:
                    yield from self._record(network, function, errors)
            return
        if len(members) == 1:
            errors[members[0].key()] = reason
            return
        middle = len(members) // 2
        for half in (members[:middle], members[middle:]):
            yield from self._records(store, half, missing, errors)

    def _record(
        self,
        network: NetworkSpec,
        function: Callable[[], Record],
        errors: dict[Address, Exception],
    ) -> Iterator[tuple[NetworkSpec, Record]]:
        """Yield the record of a network, or note its error."""
        pause_point()
        try:
            record = function()
        except Exception as error:
            errors[network.key()] = _error_of_a_network(error)
        else:
            yield network, record

    def _compute(
        self, store: Store, members: Sequence[NetworkSpec]
    ) -> Sequence[Callable[[], Record]]:
        """Compute what networks have in common; return a function per network for its record."""
        trained = TrainedNetworks.join(
            [store.read(n.key(), TrainedNetworks) for n in members], "member"
        )
        inputs = {
            name: [self._read(store, need, network) for network in members]
            for name, need in zip(self.analysis.needs(), self.bound.needs, strict=True)
        }
        beginning = self._beginning
        if beginning and all(store.has(self._need_in(store, beginning, n)) for n in members):
            kind = beginning.analysis.kind
            inputs[kind] = [self._read(store, beginning, network) for network in members]
        weighted = trained.with_weights(self.analysis.weights)
        population = self.analysis.population_of(weighted)
        return self.analysis.compute_each(population, members[0].task, inputs)

    def _read(self, store: Store, need: BoundAnalysis, network: NetworkSpec) -> Record:
        return store.read(self._need_in(store, need, network), need.analysis.record_class)

    def _need_in(self, store: Store, need: BoundAnalysis, network: NetworkSpec) -> Address:
        return self.index.address_in(store, self._need(need, network))

    def _address(self, network: NetworkSpec) -> Address:
        return self.index.records(self.bound)[network.key()]

    def _need(self, need: BoundAnalysis, network: NetworkSpec) -> Address:
        return self.index.records(need)[network.key()]

    def _raise_failures(
        self, lacking: Mapping[Address, str], errors: Mapping[Address, Exception]
    ) -> None:
        """Raise RuntimeError if results are missing: which, and why."""
        if not lacking and len(errors) == len(self.batch):
            raise next(iter(errors.values()))
        names: dict[str, list[str]] = {}
        for name, network in zip(self.batch_names, self.batch, strict=True):
            if network.key() in lacking:
                names.setdefault(lacking[network.key()], []).append(name)
            elif network.key() in errors:
                reason = f": {error_sentence(errors[network.key()])}"
                names.setdefault(reason, []).append(name)
        if names:
            reasons = (f"{', '.join(each)}{reason}" for reason, each in names.items())
            raise RuntimeError(f"not done for {'; '.join(reasons)}")


def _error_of_a_network(error: Exception) -> Exception:
    """Return an error that the numbers of a network can cause; raise another one again."""
    if isinstance(error, NETWORK_ERRORS) or type(error).__name__ == "InvalidArgumentError":
        return error
    raise error


def member_jobs(index: Artefacts) -> Iterator[AnalyseMembers]:
    """Yield the analyses of single networks of a study, in batches of one task and cell."""
    for batch in index.batches:
        networks, names = batch.networks, batch.names
        yield AnalyseMembers(index, batch.bound, networks, networks, names, names)


def without_open_batches(jobs: Iterable[Job], index: Artefacts) -> list[Job]:
    """Return jobs without analyses of a task and cell of which a network waits for a selection.

    The batches of these analyses are not known before.
    """
    shapes = {
        shape_of(network) for network in index.networks if isinstance(network, PendingNetwork)
    }
    return [
        job
        for job in jobs
        if not (isinstance(job, AnalyseMembers) and shape_of(job.batch[0]) in shapes)
    ]
