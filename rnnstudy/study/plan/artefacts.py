"""Index of a study's results: network, analysis and task to address."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import get_args

from rnnstudy.analyses import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import Member, NetworkChoice
from rnnstudy.analyses.conditions import Where, condition_text, has_values
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.claims import Claim
from rnnstudy.core.component import Address
from rnnstudy.study.plan.batches.batch import Batch, address_in
from rnnstudy.study.plan.batches.division import divide_networks
from rnnstudy.study.plan.member_analyses import (
    BoundAnalysis,
    control_distances,
    control_inputs,
    cross_task_input,
    inputs_of,
    listed_task_analyses,
    member_analyses,
)
from rnnstudy.study.plan.outcomes import exclusion
from rnnstudy.study.plan.selection import SelectionGroup, population, selection_groups
from rnnstudy.study.plan.task_artefact import TaskArtefact, can_analyse
from rnnstudy.study.spec.checks import applies
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import Study
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task

CHOICES: tuple[NetworkChoice, ...] = get_args(NetworkChoice)

SCOPES: Mapping[NetworkChoice, str] = {
    "solved": "solved networks",
    "trained": "all trained networks",
    "all": "all networks",
}
"""Choice of networks -> scope of a result that an analysis with another choice reads."""


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
        self._beginnings: dict[tuple[Address, str], BoundAnalysis | None] = {}

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

    @cached_property
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
            sources = self.sources(analysis)
            self._tables[analysis.address] = _Records(analysis.analysis, needs, sources)
        return self._tables[analysis.address]

    def beginning(self, analysis: BoundAnalysis, task: Task) -> BoundAnalysis | None:
        """Return the analysis of the study whose records an analysis of a task begins with."""
        at = (analysis.address, task.title)
        if at not in self._beginnings:
            self._beginnings[at] = self._beginning(analysis, task)
        return self._beginnings[at]

    def _beginning(self, analysis: BoundAnalysis, task: Task) -> BoundAnalysis | None:
        choice = self.choices[analysis.address, task.title]
        for other in self.member_analyses:
            # An analysis may be needed for other tasks only.
            its_choice = self.choices.get((other.address, task.title))
            if (
                its_choice is not None
                and CHOICES.index(its_choice) >= CHOICES.index(choice)
                and analysis.analysis.begins_with(other.analysis)
                and applies(other.analysis, task, self.study.analyses)
            ):
                return other
        return None

    def sources(self, analysis: BoundAnalysis) -> Mapping[Address, Address]:
        """Return address of a network -> address of the weights that an analysis reads.

        Networks that are not listed are read with their trained weights.
        """
        return {} if analysis.analysis.weights == "trained" else self._initial

    @cached_property
    def _initial(self) -> Mapping[Address, Address]:
        """Address of a trained network -> address of the network before training."""
        trained = (
            network
            for network in self.networks
            if isinstance(network, TrainedNetworkSpec) and not isinstance(network, PendingNetwork)
        )
        return {network.key(): network.initial_key() for network in trained}

    @cached_property
    def batches(self) -> tuple[Batch, ...]:
        """Networks that each analysis computes together."""
        return tuple(divide_networks(self))

    @cached_property
    def batch_of(self) -> Mapping[Address, tuple[Batch, NetworkSpec]]:
        """Address of a record -> batch that it is computed in, and its network.

        A batch with a network that waits for a selection is not known yet.
        """
        return {
            self.records(batch.bound)[network.key()]: (batch, network)
            for batch in self.batches
            if not any(isinstance(network, PendingNetwork) for network in batch.networks)
            for network in batch.networks
        }

    def address_in(self, store: Store, address: Address) -> Address:
        """Return where a store holds a record: elsewhere if its batch lacks networks."""
        return address_in(self, store, address)

    def exclusions(self, store: Store, task: str, choice: NetworkChoice) -> Mapping[Address, str]:
        """Return the addresses of the networks of a task that are not chosen, with the reasons."""

        def compute() -> dict[Address, str]:
            networks = (self.networks[i] for i in self.positions[task])
            reasons = {network.key(): exclusion(store, network, choice) for network in networks}
            return {key: reason for key, reason in reasons.items() if reason}

        return store.memoise((self, "exclusions", task, choice), compute)

    @cached_property
    def choices(self) -> Mapping[tuple[Address, str], NetworkChoice]:
        """(Member analysis, task) -> the widest choice of networks that it is needed for."""
        choices: dict[tuple[Address, str], NetworkChoice] = {}

        def note(bound: BoundAnalysis, task: str, choice: NetworkChoice) -> None:
            at = (bound.address, task)
            choices[at] = max(choices.get(at, "solved"), choice, key=CHOICES.index)
            for need in bound.needs:
                note(need, task, choice)

        for task in self.positions:
            for bound in self.listed:
                # The report draws a trial of networks that are not solved, too.
                shown = bound.address == BoundAnalysis(Representations()).address
                note(bound, task, "trained" if shown else bound.analysis.networks)
        for result in self.results:
            controls = (bound for each in result.controls.values() for bound in each.values())
            for bound in (*result.inputs, *controls):
                note(bound, result.task.title, result.choice)
            for task in self.positions if result.cross_task else ():
                assert result.cross_task is not None
                note(result.cross_task, task, result.choice)
        return choices

    @cached_property
    def positions(self) -> Mapping[str, tuple[int, ...]]:
        """Task -> positions of its networks."""
        positions: dict[str, list[int]] = {task.title: [] for task in self.study.tasks}
        for i, network in enumerate(self.networks):
            positions[network.task.title].append(i)
        return {task: tuple(at) for task, at in positions.items()}

    @cached_property
    def shared(self) -> Mapping[tuple[str, str], TaskArtefact]:
        """(Analysis or claim, task) -> result of the networks that the spec names."""
        return {_of_task(result): result for result in self.results if not result.scopes}

    @cached_property
    def companions(self) -> Mapping[tuple[str, str], TaskArtefact]:
        """(Claim on solved networks, task) -> its result over all trained networks."""
        return {
            _of_task(result): result
            for result in self.results
            if isinstance(result.analysis, Claim) and result.scopes == (SCOPES["trained"],)
        }

    @cached_property
    def results(self) -> tuple[TaskArtefact, ...]:
        """Results of task analyses and claims, each after the results that it reads.

        An analysis that a claim about some networks reads has one more result, for these. A claim
        on solved networks has one more result over all trained networks, and so has each analysis
        that it reads.
        """
        results: dict[tuple[str, ...], TaskArtefact] = {}
        by_title = {analysis.title: analysis for analysis in self.study.analyses}

        def add(
            analysis: Analysis, task: Task, readers: tuple[Where, ...], choice: NetworkChoice
        ) -> TaskArtefact:
            assert isinstance(analysis, TaskAnalysis)
            conditions = {condition_text(where): where for where in readers if self._narrows(where)}
            conditions.pop(condition_text(analysis.where), None)
            at = (analysis.step, task.title, *conditions, choice)
            if at not in results:
                scopes = (*conditions.values(), analysis.where)
                needs = [by_title[name] for name in analysis.needs()]
                shared = [each for each in needs if isinstance(each, TaskAnalysis)]
                added = control_distances(analysis, self.study)
                solved = results.get((*at[:-1], "solved")) if choice == "trained" else None
                results[at] = replace(
                    solved or self._task_artefact(analysis, task, conditions),
                    needs=tuple(add(one, task, scopes, choice) for one in shared),
                    control_distances={
                        n: add(one, task, scopes, choice) for n, one in added.items()
                    },
                    choice=choice,
                    scopes=(
                        *conditions,
                        *([] if choice == analysis.networks else [SCOPES[choice]]),
                    ),
                    solved=solved,
                )
            return results[at]

        for task in self.study.tasks:
            for analysis in listed_task_analyses(self.study):
                if applies(analysis, task, self.study.analyses):
                    add(analysis, task, (), analysis.networks)
                    if isinstance(analysis, Claim) and analysis.networks == "solved":
                        add(analysis, task, (), "trained")
        return tuple(results.values())

    def _narrows(self, where: Where) -> bool:
        """Return whether some network of the study does not meet a condition."""
        return bool(where) and not all(has_values(m.fields, where) for m in self.members)

    def _task_artefact(
        self, analysis: TaskAnalysis, task: Task, scopes: Mapping[str, Where]
    ) -> TaskArtefact:
        """Return a result with its networks and their records, without results of the task."""
        inputs, cross = inputs_of(analysis, self.study), cross_task_input(analysis, task)
        conditions = [where for where in (analysis.where, *scopes.values()) if where]
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
            controls=control_inputs(analysis, self.study),
        )

    def _analysable(
        self, analyses: Sequence[BoundAnalysis], at: Sequence[int], conditions: Sequence[Where]
    ) -> list[int]:
        """Return the positions of networks that analyses apply to and that meet conditions."""
        return [
            i
            for i in at
            if can_analyse(self.networks[i], analyses)
            and (
                not conditions
                or all(has_values(self.members[i].fields, where) for where in conditions)
            )
        ]


class _Records(dict[str, Address]):
    """Addresses of an analysis by address of the network, computed at the first look-up."""

    def __init__(
        self,
        analysis: MemberAnalysis,
        needs: tuple[Mapping[str, Address], ...],
        sources: Mapping[Address, Address],
    ) -> None:
        self.analysis, self.needs, self.sources = analysis, needs, sources

    def __missing__(self, network: Address) -> Address:
        source = self.sources.get(network, network)
        self[network] = self.analysis.key(source, *(need[network] for need in self.needs))
        return self[network]


def _of_task(result: TaskArtefact) -> tuple[str, str]:
    return result.analysis.step, result.task.title
