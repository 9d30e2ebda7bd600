"""Plan of a study: the jobs whose results a store lacks, in the order of their inputs."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from rnnstudy.analyses.base import Cost, Member
from rnnstudy.analyses.distances.all_pairs import AllPairs
from rnnstudy.study.errors import exits_as_errors
from rnnstudy.study.plan.analyse_members import member_jobs, without_open_batches
from rnnstudy.study.plan.analyse_task import AnalyseTask
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.plan.compare_tiles import CompareTiles
from rnnstudy.study.plan.import_models import ImportModels
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.selection import Select, SelectionGroup, selection_result
from rnnstudy.study.plan.train import Train, cohorts
from rnnstudy.study.spec.imported_models import ImportedNetworkSpec
from rnnstudy.study.spec.networks import NetworkSpec, TrainedNetworkSpec
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import Study
from rnnstudy.study.store import Store, StoreSnapshot, snapshot_of


@dataclass(frozen=True)
class Plan:
    """The jobs of a study that can be done now, each after the jobs that it reads.

    If training fields are to be selected, these are the pilots and the selections.
    """

    index: Artefacts
    """Addresses of all results of the study."""
    todo: tuple[Job, ...]
    done: tuple[tuple[str, int, int], ...]
    """Name of a kind of job, number of its results in the store, and number in all."""
    waiting: tuple[Job, ...] = ()
    """Training that waits for selections: its size is known, its addresses are not."""
    selecting: bool = False
    """Is true if the plan selects training fields, so that another plan follows."""
    whole: tuple[Job, ...] = ()
    """All jobs of the stage, also those whose results are in the store."""
    snapshot: StoreSnapshot | None = None
    """The store as it was when the plan was made."""

    @property
    def members(self) -> tuple[Member, ...]:
        """Names and fields of the networks."""
        return self.index.members

    @property
    def networks(self) -> tuple[NetworkSpec, ...]:
        """The networks; a network that waits for a selection is `PendingNetwork`."""
        return self.index.networks

    @property
    def cohorts(self) -> tuple[Job, ...]:
        """The training that can be done now."""
        return tuple(job for job in self.todo if job.trains)

    def costs(self) -> dict[str, Cost]:
        """Return the cost of what is to be done, for each kind of job with a known cost."""
        costs: dict[str, Cost] = {}
        for job in self.todo:
            cost = job.cost()
            if cost.work or cost.bytes:
                costs[job.group] = costs.get(job.group, Cost()) + cost
        return costs

    def memory(self) -> dict[str, int]:
        """Return the bytes that the largest job of each kind takes, as far as they are known."""
        memory: dict[str, int] = {}
        for job in self.todo:
            memory[job.group] = max(memory.get(job.group, 0), job.memory)
        return memory


@contextmanager
def without_collection() -> Iterator[None]:
    """Switch the collection of garbage off: a plan makes many objects, and none of them is garbage.

    Examples
    --------
    >>> with without_collection():
    ...     gc.isenabled()
    False
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@exits_as_errors()
@without_collection()
def make_plan(
    study: Study,
    store: Store,
    *,
    selecting: bool = True,
    before: Plan | None = None,
    index: Artefacts | None = None,
    shards: int = 0,
) -> Plan:
    """Return what can be done next of what a study needs and a store lacks.

    Parameters
    ----------
    study
        The study.
    store
        The store of its results.
    selecting
        If false, networks that wait for a selection are left out.
    before
        The plan of the stage before, whose groups of networks are used again.
    index
        Index of the study's results. Default: it is made anew.
    shards
        Number of shards that training is divided for, in the same way on each machine. Default: it
        is divided for this machine.
    """
    snapshot = snapshot_of(store)
    if index is None:
        index = Artefacts.from_store(study, snapshot, before.index.groups if before else None)
    open_groups = [g for g in index.groups if selection_result(g, snapshot) is None]
    everything = _jobs(index, shards)
    selecting = selecting and bool(open_groups)
    if selecting:
        now = _selection_jobs(study, open_groups, shards)
    else:
        now = everything
        if index.pending:
            now = without_open_batches(_jobs(index.selected, shards), index)
    return Plan(
        index=index,
        todo=tuple(rest for job in now if (rest := job.missing(snapshot)) is not None),
        done=_counts([*_selection_jobs(study, index.groups, shards), *everything], snapshot),
        waiting=_waiting(index, shards),
        selecting=selecting,
        whole=tuple(now),
        snapshot=snapshot,
    )


def stages(study: Study, store: Store, shards: int = 0) -> Iterator[Plan]:
    """Yield the plan, and the next one when it is done, if training fields are selected."""
    first = make_plan(study, store, shards=shards)
    yield first
    if first.selecting:
        yield make_plan(study, store, selecting=False, before=first, shards=shards)


def task_jobs(index: Artefacts) -> list[Job]:
    """Return the analyses and claims of all tasks, each after what it reads."""
    jobs: list[Job] = []
    for result in index.results:
        if isinstance(result.analysis, AllPairs):
            matrix = CompareTiles(result)
            jobs += [*matrix.tiles, matrix]
        else:
            jobs.append(AnalyseTask(result))
    return jobs


def _jobs(index: Artefacts, shards: int) -> list[Job]:
    """Return training, import and analysis of all networks."""
    named = [(member.name, network) for member, network in index.pairs]
    imported = [(name, n) for name, n in named if isinstance(n, ImportedNetworkSpec)]
    trained = [(name, n) for name, n in named if isinstance(n, TrainedNetworkSpec)]
    return [
        *cohorts(index.study, trained, shards),
        *(ImportModels(networks=(network,), names=(name,)) for name, network in imported),
        *member_jobs(index),
        *task_jobs(index),
    ]


def _selection_jobs(study: Study, groups: Sequence[SelectionGroup], shards: int) -> list[Job]:
    """Return training of all pilots, those that groups share once, and the selections."""
    pilots = {network.key(): (name, network) for group in groups for name, network in group.pilots}
    return [
        *(replace(job, purpose="pilots") for job in cohorts(study, [*pilots.values()], shards)),
        *map(Select, groups),
    ]


def _waiting(index: Artefacts, shards: int) -> tuple[Train, ...]:
    waiting = [(member.name, n) for member, n in index.pairs if isinstance(n, PendingNetwork)]
    return tuple(cohorts(index.study, waiting, shards))


def _counts(jobs: Iterable[Job], store: Store) -> tuple[tuple[str, int, int], ...]:
    counts: dict[str, tuple[int, int]] = {}
    for job in jobs:
        present = job.present(store)
        done, total = counts.get(job.group, (0, 0))
        counts[job.group] = (done + sum(present), total + len(present))
    return tuple((group, done, total) for group, (done, total) in counts.items())
