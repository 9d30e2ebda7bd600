"""A study as steps with addresses, and the jobs that do what a store lacks."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

from rnnstudy.analyses import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import Member
from rnnstudy.analyses.representations import Representations
from rnnstudy.component import Component
from rnnstudy.population.footprint import member_bytes, training_flops, widest_cohort
from rnnstudy.population.training import Trained
from rnnstudy.record import CorruptRecord
from rnnstudy.study.spec import Network, Study
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task

ANALYSED_TOGETHER = 16
"""Members per analysis job: enough to share compiled work, few enough to bound memory."""


@dataclass(frozen=True, eq=False)
class TrainCohort:
    """Train networks that share a program."""

    networks: tuple[Network, ...]
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"train {_from_to(self.names)} ({counted(len(self.names), 'network')})"

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(network.key() for network in self.networks)


@dataclass(frozen=True, eq=False)
class AnalyseMembers:
    """One member analysis on networks of one cell and task."""

    analysis: MemberAnalysis
    networks: tuple[Network, ...]
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        networks = counted(len(self.names), "network")
        return f"{self.analysis.title} {_from_to(self.names)} ({networks})"

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.analysis.key(network.key()) for network in self.networks)


@dataclass(frozen=True, eq=False)
class AnalyseTask:
    """One task analysis on all usable networks of a task, which decide its address."""

    analysis: TaskAnalysis
    task: Task
    members: tuple[Member, ...]
    networks: tuple[Network, ...]
    needs: tuple["AnalyseTask", ...]

    @property
    def label(self) -> str:
        return f"{self.analysis.title} {self.task.title} ({counted(len(self.members), 'network')})"

    def expected(self, store: Store) -> tuple[int, ...]:
        """Positions of the members that should enter: all but those known to have diverged."""
        return tuple(i for i, n in enumerate(self.networks) if status(store, n.key()) != "diverged")

    def ready(self, store: Store) -> tuple[int, ...]:
        """Positions of those whose parts the store holds."""
        return tuple(
            i
            for i in self.expected(store)
            if all(store.has(part.key(self.networks[i].key())) for part in self.analysis.parts())
        )

    def key(self, store: Store, *, ready: bool = True) -> str:
        """Address of the result for the members that are ready, or for all that are expected."""
        at = self.ready(store) if ready else self.expected(store)
        used = [self.networks[i].key() for i in at]
        reads = [part.key(key) for part in self.analysis.parts() for key in used]
        return self.analysis.key(*reads, *(need.key(store, ready=ready) for need in self.needs))


Job = TrainCohort | AnalyseMembers | AnalyseTask


@dataclass(frozen=True)
class Plan:
    """All jobs of a study in an order that respects what they read, and which are to do."""

    members: tuple[Member, ...]
    networks: tuple[Network, ...]
    todo: tuple[Job, ...]
    done: tuple[tuple[str, int, int], ...]
    """Kind of step, how many of it the store already holds, and how many there are in all."""

    @property
    def flops(self) -> float:
        """Floating-point operations of the training ahead."""
        ahead = [n for job in self.todo if isinstance(job, TrainCohort) for n in job.networks]
        return sum(training_flops(n.cell, n.task, n.training) for n in ahead)

    @property
    def memory(self) -> int:
        """Bytes that the largest training cohort ahead takes."""
        cohorts = [job for job in self.todo if isinstance(job, TrainCohort)]
        return max((cohort_bytes(job) for job in cohorts), default=0)


def cohort_bytes(cohort: TrainCohort) -> int:
    """Bytes that training this cohort takes."""
    return sum(member_bytes(n.cell, n.task, n.training) for n in cohort.networks)


def make_plan(study: Study, store: Store) -> Plan:
    """What a study needs and what of it the store lacks."""
    members, networks = zip(*study.expand(), strict=True)
    everything: list[Job] = [
        *_training(members, networks, memory_budget(study)),
        *_member_jobs(study, members, networks),
        *task_jobs(study, members, networks),
    ]
    todo = [rest for job in everything if (rest := _lacking(job, store)) is not None]
    return Plan(
        members=tuple(members),
        networks=tuple(networks),
        todo=tuple(todo),
        done=_done(everything, store),
    )


def memory_budget(study: Study) -> int:
    """Bytes that one training job may take: the spec's, or half the machine's shared by workers."""
    given = study.runtime.memory
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    total = machine / 2 if given is None else given * 2**30
    return int(total / (study.runtime.workers or os.cpu_count() or 1))


def member_analyses(study: Study) -> tuple[MemberAnalysis, ...]:
    """Those that the spec lists, those that its task analyses read, and the probe's activity."""
    listed = [a for a in study.analyses if isinstance(a, MemberAnalysis)]
    parts = [p for a in study.analyses if isinstance(a, TaskAnalysis) for p in a.parts()]
    found: dict[str, MemberAnalysis] = {}
    for analysis in (Representations(), *listed, *parts):
        found.setdefault(analysis.key(), analysis)
    return tuple(found.values())


def task_jobs(
    study: Study, members: Sequence[Member], networks: Sequence[Network]
) -> list[AnalyseTask]:
    """Each task analysis on each task, those that others read first."""
    found: dict[tuple[str, str], AnalyseTask] = {}

    def job(analysis: Analysis, task: Task) -> AnalyseTask:
        at = (analysis.title, task.title)
        if at not in found:
            assert isinstance(analysis, TaskAnalysis)
            needs = tuple(job(by_title[name], task) for name in analysis.needs())
            mine = [i for i, n in enumerate(networks) if n.task == task]
            found[at] = AnalyseTask(
                analysis,
                task,
                tuple(members[i] for i in mine),
                tuple(networks[i] for i in mine),
                needs,
            )
        return found[at]

    by_title = {a.title: a for a in study.analyses}
    for task in study.tasks:
        for analysis in study.analyses:
            if isinstance(analysis, TaskAnalysis):
                job(analysis, task)
    return list(found.values())


def status(store: Store, key: str) -> str | None:
    """`trained` or `diverged`, or None if the store does not hold the network."""
    try:
        return _status(store.root.as_posix(), key) if store.has(key) else None
    except CorruptRecord:
        return None


@cache
def _status(root: str, key: str) -> str:
    return Store(root).read(key, Trained).status[0]


def _training(
    members: Sequence[Member], networks: Sequence[Network], budget: int
) -> Iterable[TrainCohort]:
    def program(network: Network) -> tuple[Component | str, ...]:
        fields = network.training.model_dump(exclude=set(network.training.per_member))
        return network.task, network.cell, str(sorted(fields.items()))

    for group in _grouped(networks, program):
        first = networks[group[0]]
        width = widest_cohort(first.cell, first.task, first.training, budget)
        for part in _parts(group, width):
            yield TrainCohort(
                tuple(networks[i] for i in part), tuple(members[i].name for i in part)
            )


def _member_jobs(
    study: Study, members: Sequence[Member], networks: Sequence[Network]
) -> Iterable[AnalyseMembers]:
    for analysis in member_analyses(study):
        for group in _grouped(networks, lambda n: (n.task, n.cell)):
            for part in _parts(group, ANALYSED_TOGETHER):
                yield AnalyseMembers(
                    analysis,
                    tuple(networks[i] for i in part),
                    tuple(members[i].name for i in part),
                )


def _grouped(
    networks: Sequence[Network], by: Callable[[Network], tuple[Component | str, ...]]
) -> list[list[int]]:
    """Positions of networks that agree in `by`, groups in order of first appearance."""
    groups: dict[tuple[Component | str, ...], list[int]] = {}
    for i, network in enumerate(networks):
        groups.setdefault(by(network), []).append(i)
    return list(groups.values())


def _parts(group: list[int], width: int) -> list[list[int]]:
    """A group cut into the fewest parts of at most `width`, of nearly equal size."""
    count = -(-len(group) // width)
    return [group[len(group) * p // count : len(group) * (p + 1) // count] for p in range(count)]


def _lacking(job: Job, store: Store) -> Job | None:
    """The job cut down to what the store lacks; None if nothing is left.

    Diverged networks have nothing to analyse.
    """
    if isinstance(job, AnalyseTask):
        done = store.has(job.key(store, ready=False))
        return None if done or not job.expected(store) else job
    if isinstance(job, TrainCohort):
        # Read, not only looked for: what needs a damaged network would find out too late.
        left = [i for i, key in enumerate(job.keys) if status(store, key) is None]
    else:
        left = [i for i, key in enumerate(job.keys) if not store.has(key)]
        left = [i for i in left if status(store, job.networks[i].key()) != "diverged"]
    if not left:
        return None
    networks, names = tuple(job.networks[i] for i in left), tuple(job.names[i] for i in left)
    if isinstance(job, TrainCohort):
        return TrainCohort(networks, names)
    return AnalyseMembers(job.analysis, networks, names)


def _done(jobs: Iterable[Job], store: Store) -> tuple[tuple[str, int, int], ...]:
    counts: dict[str, tuple[int, int]] = {}
    for job in jobs:
        keys = (job.key(store, ready=False),) if isinstance(job, AnalyseTask) else job.keys
        name = "train" if isinstance(job, TrainCohort) else job.analysis.title
        done, total = counts.get(name, (0, 0))
        counts[name] = (done + sum(store.has(key) for key in keys), total + len(keys))
    return tuple((name, done, total) for name, (done, total) in counts.items())


def _from_to(names: Sequence[str]) -> str:
    """`a-gru-s000` or `a-gru-s000..s002`: the first name, and how the last one differs."""
    first, last = names[0].split("-"), names[-1].split("-")
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last)))  # noqa: B905
    return "..".join(dict.fromkeys([names[0], "-".join(last[same:]) or names[0]]))


def counted(number: int, noun: str) -> str:
    """`1 network`, `2 networks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
