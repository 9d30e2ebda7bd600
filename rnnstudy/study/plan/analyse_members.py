"""Jobs that analyse single networks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Self

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.analyses.base import Cost, NetworkChoice, overhead
from rnnstudy.cells import Cell
from rnnstudy.core.batches import BATCH_BYTES
from rnnstudy.core.component import Address
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.plan.job import Context, Job, count_label, halves, range_label
from rnnstudy.study.plan.member_analyses import BoundAnalysis, cross_task_analyses
from rnnstudy.study.plan.outcomes import exclusion, network_outcome
from rnnstudy.study.plan.task_artefact import can_analyse
from rnnstudy.study.plan.train import even_parts
from rnnstudy.study.spec.checks import applies
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task
from rnnstudy.training.train import TrainedNetworks

ANALYSED_TOGETHER = 16
"""Networks per job: enough to share compiled programs, few enough to bound memory."""

BATCH_MEMORY = 4 * 2**30
"""Bytes that the records of a batch may take in memory. Larger networks form smaller batches."""

RECORD_COPIES = 2
"""Copies of a batch's records in memory (docs/benchmarks.md)."""

WORKING_MEMORY = 4 * BATCH_BYTES
"""Bytes of memory of an analysis beside its records."""


@dataclass(frozen=True, eq=False)
class AnalyseMembers(Job):
    """One analysis of single networks that share a task and a cell.

    A batch of networks is computed together, and the last digits of a result depend on the batch.
    So the plan fixes the batch. If results of some of its networks are missing, all of the batch
    is computed again, and the missing results are written. A batch waits for all its networks.
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
        """Networks that are analysed, by the outcomes of their training.

        Initial weights that networks have in common are analysed whatever one of them came to.
        """
        if self.analysis.weights != "trained":
            return "all"
        return self.index.choices[self.bound.address, self.task]

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
    def label(self) -> str:
        count = count_label(len(self.names), "network")
        return f"{self.analysis.title} {range_label(self.names)} ({count})"

    def results(self) -> list[Address]:
        return [self._address(network) for network in self.networks]

    def requires(self) -> list[Address]:
        needs = [self._need(need, n) for need in self.bound.needs for n in self.batch]
        return [*(network.key() for network in self.batch), *needs]

    def _present(self, store: Store) -> list[bool]:
        return [
            not isinstance(network, PendingNetwork) and store.has(self._address(network))
            for network in self.networks
        ]

    def missing(self, store: Store) -> Self | None:
        excluded = self.index.exclusions(store, self.task, self.choice)
        at = [
            i
            for i, present in enumerate(self.present(store))
            if not present and self.networks[i].key() not in excluded
        ]
        networks, names = tuple(self.networks[i] for i in at), tuple(self.names[i] for i in at)
        return replace(self, networks=networks, names=names) if at else None

    @property
    def memory(self) -> int:
        return WORKING_MEMORY + len(self.batch) * _record_memory(self.analysis, self.batch[0])

    def cost(self) -> Cost:
        first = self.networks[0]
        if not isinstance(first, TrainedNetworkSpec):
            return Cost()
        return _cost(self.analysis, first.cell, first.task).times(len(self.networks))

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
        store = context.store
        self._refuse_incomplete(store)
        members = [n for n in self.batch if not exclusion(store, n, self.choice)]
        missing = {network.key() for network in self.networks}
        if missing.isdisjoint(network.key() for network in members):
            return  # the networks were excluded by the training of this run
        trained = TrainedNetworks.join(
            [store.read(n.key(), TrainedNetworks) for n in members], "member"
        )
        inputs = {
            name: [
                store.read(self._need(need, network), need.analysis.record_class)
                for network in members
            ]
            for name, need in zip(self.analysis.needs(), self.bound.needs, strict=True)
        }
        weighted = trained.with_weights(self.analysis.weights)
        population = self.analysis.population_of(weighted)
        records = self.analysis.compute(population, members[0].task, inputs)
        for network, record in zip(members, records, strict=True):
            if network.key() in missing:
                store.write(self._address(network), record)

    def _address(self, network: NetworkSpec) -> Address:
        return self.index.records(self.bound)[network.key()]

    def _need(self, need: BoundAnalysis, network: NetworkSpec) -> Address:
        return self.index.records(need)[network.key()]

    def _lacks(self, store: Store, network: NetworkSpec) -> str:
        """Return the name of the first needed analysis without a record, or an empty text."""
        missing = (n.title for n in self.bound.needs if not store.has(self._need(n, network)))
        return next(missing, "")

    def _refuse_incomplete(self, store: Store) -> None:
        """Raise RuntimeError if a network of the batch, or a record that it needs, is absent."""
        pairs = list(zip(self.batch_names, self.batch, strict=True))
        absent = [name for name, network in pairs if network_outcome(store, network) is None]
        if absent:
            verb = "trained" if isinstance(self.batch[0], TrainedNetworkSpec) else "read"
            raise RuntimeError(f"{self._not_done(absent)} could not be {verb}")
        lacking = {
            name: title
            for name, network in pairs
            if not exclusion(store, network, self.choice) and (title := self._lacks(store, network))
        }
        if lacking:
            needed = ", ".join(dict.fromkeys(map(repr, lacking.values())))
            raise RuntimeError(
                f"not done for {', '.join(lacking)}: it needs {needed}, which failed"
            )

    def _not_done(self, absent: Sequence[str]) -> str:
        """Return `not done for a, b, which`, or `not done for a, b: c, of the same batch,`."""
        if set(self.names) <= set(absent):
            return f"not done for {', '.join(absent)}, which"
        return f"not done for {', '.join(self.names)}: {', '.join(absent)}, of the same batch,"


def member_jobs(index: Artefacts) -> Iterator[AnalyseMembers]:
    """Yield the analyses of single networks of a study, in batches of one task and cell.

    Networks that differ in labels alone, such as the name of their task, are analysed once. So are
    initial weights that several protocols train. The batches depend on the study alone, and not on
    the results that a store holds.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, network in enumerate(index.networks):
        groups.setdefault(_shape(network), []).append(i)
    addresses: list[Any] = [
        i if isinstance(n, PendingNetwork) else n.key() for i, n in enumerate(index.networks)
    ]
    done = set[tuple[str, Any]]()
    for bound, group in _bound_to_groups(index, list(groups.values())):
        first = index.networks[group[0]]
        is_needed = (bound.address, first.task.title) in index.choices
        if not is_needed or not can_analyse(first, (bound,)):
            continue
        sources = index.sources(bound)
        at = {(bound.address, sources.get(addresses[i], addresses[i])): i for i in reversed(group)}
        new = sorted(i for key, i in at.items() if key not in done)
        done |= at.keys()
        most = BATCH_MEMORY // max(_record_memory(bound.analysis, first), 1)
        for part in even_parts(new, min(max(most, 1), ANALYSED_TOGETHER)) if new else ():
            networks = tuple(index.networks[i] for i in part)
            names = tuple(index.members[i].name for i in part)
            yield AnalyseMembers(index, bound, networks, networks, names, names)


def without_open_batches(jobs: Iterable[Job], index: Artefacts) -> list[Job]:
    """Return jobs without analyses of a task and cell of which a network waits for a selection.

    The batches of these analyses are not known before.
    """
    shapes = {_shape(network) for network in index.networks if isinstance(network, PendingNetwork)}
    return [
        job
        for job in jobs
        if not (isinstance(job, AnalyseMembers) and _shape(job.batch[0]) in shapes)
    ]


def _bound_to_groups(
    index: Artefacts, groups: Sequence[list[int]]
) -> Iterator[tuple[BoundAnalysis, list[int]]]:
    """Yield each analysis with the groups that it applies to, then those of other tasks."""
    study = index.study
    for bound in index.member_analyses:
        for group in groups:
            if applies(bound.analysis, index.networks[group[0]].task, study.analyses):
                yield bound, group
    for task in study.tasks:
        for bound in cross_task_analyses(study, task):
            for group in groups:
                if index.networks[group[0]].task != task:
                    yield bound, group


def _shape(network: NetworkSpec) -> tuple[object, ...]:
    """Return the key of networks that one job analyses. An imported network is on its own."""
    return (network.task, network.cell) if isinstance(network, TrainedNetworkSpec) else (network,)


def _record_memory(analysis: MemberAnalysis, network: NetworkSpec) -> int:
    """Return the bytes that the record of one network takes in memory, as far as it is known."""
    if not isinstance(network, TrainedNetworkSpec):
        return 0
    return RECORD_COPIES * _cost(analysis, network.cell, network.task).bytes


@cache
def _cost(analysis: MemberAnalysis, cell: Cell, task: Task) -> Cost:
    try:
        cost = analysis.cost(cell, task)
        has_numbers = cost.work or cost.bytes
        return cost + Cost(bytes=overhead(analysis.yields)) if has_numbers else cost
    except Exception:
        return Cost()  # a task or a cell of the user; the job itself reports the error
