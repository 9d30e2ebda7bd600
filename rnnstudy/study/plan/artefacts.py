"""Index of a study's results: network, analysis and task to address."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rnnstudy.analyses import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import Member
from rnnstudy.analyses.conditions import Where, condition_text, has_values
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.core.component import Address
from rnnstudy.study.plan.member_analyses import (
    BoundAnalysis,
    control_distances,
    control_inputs,
    cross_task_input,
    inputs_of,
    listed_task_analyses,
    member_analyses,
)
from rnnstudy.study.plan.outcomes import network_outcome
from rnnstudy.study.plan.selection import SelectionGroup, population, selection_groups
from rnnstudy.study.spec.checks import applies
from rnnstudy.study.spec.imported_models import ImportedNetworkSpec
from rnnstudy.study.spec.networks import NetworkSpec
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import Study
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task
from rnnstudy.training.train import WeightsOf


class Artefacts:
    """Index of a study's results, built once: (analysis, network or task) to address.

    Parameters
    ----------
    study
        The study.
    networks
        Its networks with their names. A network that waits for a selection has no address, and no
        result that reads it has one.
    groups
        Groups of networks that wait for a selection.
    """

    def __init__(
        self,
        study: Study,
        networks: Iterable[tuple[Member, NetworkSpec]],
        groups: tuple[SelectionGroup, ...] = (),
    ) -> None:
        self.study, self.groups, self.pairs = study, groups, tuple(networks)
        self.members = tuple(member for member, _ in self.pairs)
        self.networks = tuple(network for _, network in self.pairs)
        self._tables: dict[str, _Records] = {}

    @classmethod
    def from_store(
        cls, study: Study, store: Store, groups: tuple[SelectionGroup, ...] | None = None
    ) -> "Artefacts":
        """Return the index of a study's networks, with the fields that a store's results select."""
        groups = selection_groups(study) if groups is None else groups
        return cls(study, population(study, store, groups), groups)

    @cached_property
    def selected(self) -> "Artefacts":
        """The index without networks that wait for a selection."""
        if not self.pending:
            return self
        pairs = ((m, n) for m, n in self.pairs if not isinstance(n, PendingNetwork))
        return Artefacts(self.study, pairs, self.groups)

    @cached_property
    def network(self) -> Mapping[str, NetworkSpec]:
        """Network by name."""
        return {member.name: network for member, network in self.pairs}

    @property
    def pending(self) -> bool:
        """Is true if a network waits for a selection."""
        return any(isinstance(network, PendingNetwork) for network in self.networks)

    @cached_property
    def member_analyses(self) -> tuple[BoundAnalysis, ...]:
        """Analyses of single networks, listed or read by others."""
        return member_analyses(self.study)

    @cached_property
    def listed(self) -> tuple[BoundAnalysis, ...]:
        """Member analyses that the spec lists, and the activity on the probe."""
        titles = {analysis.title for analysis in (*self.study.analyses, Representations())}
        return tuple(bound for title, bound in self.by_title.items() if title in titles)

    @cached_property
    def by_title(self) -> Mapping[str, BoundAnalysis]:
        """Member analysis by name. Of two of one name, the listed one."""
        return {bound.title: bound for bound in reversed(self.member_analyses)}

    def records(self, analysis: BoundAnalysis) -> Mapping[str, Address]:
        """Return the addresses of an analysis of single networks, by address of the network."""
        if analysis.address not in self._tables:
            needs = tuple(self.records(need) for need in analysis.needs)
            self._tables[analysis.address] = _Records(analysis.analysis, needs)
        return self._tables[analysis.address]

    def diverged_networks(self, store: Store, task: str) -> frozenset[str]:
        """Return the addresses of the networks of a task that diverged."""

        def compute() -> frozenset[str]:
            networks = (self.networks[i] for i in self.positions[task])
            return frozenset(n.key() for n in networks if _has_diverged(store, n))

        return store.memoise((self, "diverged", task), compute)

    @cached_property
    def positions(self) -> Mapping[str, tuple[int, ...]]:
        """Task -> positions of its networks."""
        positions: dict[str, list[int]] = {task.title: [] for task in self.study.tasks}
        for i, network in enumerate(self.networks):
            positions[network.task.title].append(i)
        return {task: tuple(at) for task, at in positions.items()}

    @cached_property
    def shared(self) -> Mapping[tuple[str, str], "TaskArtefact"]:
        """(Analysis or claim, task) -> result of the networks that the spec names."""
        listed = [result for result in self.results if not result.scopes]
        return {(result.analysis.step, result.task.title): result for result in listed}

    @cached_property
    def results(self) -> tuple["TaskArtefact", ...]:
        """Results of task analyses and claims, each after the results that it reads.

        An analysis that a claim about some networks reads has one more result, for these.
        """
        results: dict[tuple[str, ...], TaskArtefact] = {}
        by_title = {analysis.title: analysis for analysis in self.study.analyses}

        def add(analysis: Analysis, task: Task, readers: tuple[Where, ...]) -> TaskArtefact:
            assert isinstance(analysis, TaskAnalysis)
            conditions = {condition_text(where): where for where in readers if self._narrows(where)}
            conditions.pop(condition_text(analysis.where), None)
            at = (analysis.step, task.title, *conditions)
            if at not in results:
                needs = (by_title[name] for name in analysis.needs())
                scopes = (*conditions.values(), analysis.where)
                others = tuple(
                    add(one, task, scopes) for one in needs if isinstance(one, TaskAnalysis)
                )
                added = control_distances(analysis, self.study)
                controls = {name: add(one, task, scopes) for name, one in added.items()}
                results[at] = self._task_artefact(analysis, task, others, controls, conditions)
            return results[at]

        for task in self.study.tasks:
            for analysis in listed_task_analyses(self.study):
                if applies(analysis, task, self.study.analyses):
                    add(analysis, task, ())
        return tuple(results.values())

    def _narrows(self, where: Where) -> bool:
        """Return whether some network of the study does not meet a condition."""
        return not all(has_values(member.fields, where) for member in self.members)

    def _task_artefact(
        self,
        analysis: TaskAnalysis,
        task: Task,
        needs: tuple["TaskArtefact", ...],
        distances: Mapping[str, "TaskArtefact"],
        scopes: Mapping[str, Where],
    ) -> "TaskArtefact":
        inputs, cross = inputs_of(analysis, self.study), cross_task_input(analysis, task)
        conditions = (analysis.where, *scopes.values())
        analysable = self._analysable(inputs, self.positions[task.title], conditions)
        others: list[int] = []
        if cross:
            of_task = set(self.positions[task.title])
            at = [i for i in range(len(self.networks)) if i not in of_task]
            others = self._analysable((cross,), at, conditions)
        return TaskArtefact(
            index=self,
            analysis=analysis,
            task=task,
            members=tuple(self.members[i] for i in (*analysable, *others)),
            networks=tuple(self.networks[i] for i in (*analysable, *others)),
            inputs=inputs,
            cross_task=cross,
            n_task_networks=len(analysable),
            needs=needs,
            scopes=tuple(scopes),
            controls=control_inputs(analysis, self.study),
            control_distances=distances,
        )

    def _analysable(
        self, analyses: Sequence[BoundAnalysis], at: Sequence[int], conditions: Iterable[Where]
    ) -> list[int]:
        """Return the positions of networks that analyses apply to and that meet conditions."""
        return [
            i
            for i in at
            if can_analyse(self.networks[i], analyses)
            and all(has_values(self.members[i].fields, where) for where in conditions)
        ]


class _Records(dict[str, Address]):
    """Addresses of an analysis by address of the network, computed at the first look-up."""

    def __init__(self, analysis: MemberAnalysis, needs: tuple[Mapping[str, Address], ...]) -> None:
        self.analysis, self.needs = analysis, needs

    def __missing__(self, network: str) -> Address:
        self[network] = self.analysis.key(network, *(need[network] for need in self.needs))
        return self[network]


def can_analyse(network: NetworkSpec, analyses: Iterable[BoundAnalysis]) -> bool:
    """Return whether analyses apply to a network: an imported one has no seed to start from."""
    return not isinstance(network, ImportedNetworkSpec) or not any(a.from_seeds for a in analyses)


@dataclass(frozen=True, eq=False)
class TaskArtefact:
    """Result of a task analysis: its inputs, and its address for the networks that are usable."""

    index: Artefacts
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
    needs: tuple["TaskArtefact", ...]
    controls: Mapping[WeightsOf, Mapping[str, BoundAnalysis]]
    """Kind of weights -> name of an input -> the analysis of networks with these weights."""
    control_distances: Mapping[str, "TaskArtefact"]
    """Name of an input -> the same distances together with controls."""
    scopes: tuple[str, ...] = ()
    """Conditions of the claims that read it, as text; empty for the result of all networks."""

    @property
    def scope(self) -> str:
        """Conditions of the claims that read it, as text: `protocol=standard`."""
        return ", ".join(self.scopes)

    @cached_property
    def pending(self) -> bool:
        """Is true if a network waits for a selection, so that there is no address yet."""
        return any(isinstance(network, PendingNetwork) for network in self.networks)

    @cached_property
    def reads(self) -> tuple[tuple[Address, ...], ...]:
        """Addresses of the records that are read of each network."""
        tables = [self.index.records(bound) for bound in self.inputs]
        cross = [self.index.records(self.cross_task)] if self.cross_task else []
        return tuple(
            tuple(records[key] for records in (tables if i < self.n_task_networks else cross))
            for i, key in enumerate(self.keys)
        )

    @cached_property
    def control_reads(self) -> Mapping[tuple[WeightsOf, str], tuple[Address | None, ...]]:
        """(Kind of weights, input) -> address for each network; None for one without a seed."""
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
        return tuple(network.key() for network in self.networks)

    def expected_positions(
        self, store: Store, among: Sequence[int] | None = None
    ) -> tuple[int, ...]:
        """Return the positions of networks that did not diverge, of all or `among` some."""
        if among is None:
            everyone = range(len(self.networks))
            return store.memoise(
                (self, "expected"), lambda: self.expected_positions(store, everyone)
            )
        tasks = self.index.positions if self.cross_task else (self.task.title,)
        diverged = {key for task in tasks for key in self.index.diverged_networks(store, task)}
        return tuple(i for i in among if self.keys[i] not in diverged) if diverged else (*among,)

    def ready(self, store: Store, among: Sequence[int] | None = None) -> tuple[int, ...]:
        """Return the positions of networks whose records the store holds."""
        return tuple(
            i for i in self.expected_positions(store, among) if all(map(store.has, self.reads[i]))
        )

    def address(self, store: Store, *, complete: bool = False) -> Address:
        """Return the address for the networks that are ready, or for all that are expected."""
        return store.memoise((self, complete), lambda: self._address(store, complete))

    def _address(self, store: Store, complete: bool) -> Address:
        at = self.expected_positions(store) if complete else self.ready(store)
        of_task = [i for i in at if i < self.n_task_networks]
        reads = [self.reads[i][part] for part in range(len(self.inputs)) for i in of_task]
        reads += [address for i in at if i >= self.n_task_networks for address in self.reads[i]]
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
            yield from (address for address in reads if complete or store.has(address))
        for name, need in self.control_distances.items():
            if need.has_networks(store):
                yield f"control distances {name}"
                yield need.address(store, complete=complete)

    def has_networks(self, store: Store) -> bool:
        """Return whether a network of the task is usable."""
        return any(i < self.n_task_networks for i in self.expected_positions(store))


def _has_diverged(store: Store, network: NetworkSpec) -> bool:
    outcome = network_outcome(store, network)
    return outcome is not None and outcome.status == "diverged"
