"""A study as steps with addresses, and the jobs that do what a store lacks."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from rnnstudy.analyses import Analysis, TaskAnalysis
from rnnstudy.analyses.base import Member
from rnnstudy.core.component import Component
from rnnstudy.study.plan.claim_jobs import weighings
from rnnstudy.study.plan.distance_tiles import tiles
from rnnstudy.study.plan.jobs import (
    AnalyseMembers,
    AnalyseTask,
    Job,
    ReadModels,
    Select,
    TrainCohort,
    counted,
    flops,
    memory,
    status,
)
from rnnstudy.study.plan.member_queries import Question, questions, read_by, visit_of, visits
from rnnstudy.study.plan.remaining import done, left
from rnnstudy.study.plan.selection import Contest, choice, contests, population
from rnnstudy.study.spec.checks import applies
from rnnstudy.study.spec.imported_models import ModelNetwork
from rnnstudy.study.spec.networks import AnyNetwork
from rnnstudy.study.spec.selection import Undecided
from rnnstudy.study.spec.study import Network, Study
from rnnstudy.study.store import Glance, Store
from rnnstudy.tasks import Task
from rnnstudy.training.cost import widest_cohort

__all__ = [
    "AnalyseMembers",
    "AnalyseTask",
    "Job",
    "Plan",
    "Select",
    "TrainCohort",
    "counted",
    "flops",
    "make_plan",
    "memory",
    "stages",
    "status",
]

N = TypeVar("N", bound=AnyNetwork)

SHARES = 2
"""Cohorts per worker, at least, so that none is left with much while others have nothing to do."""

WORTH_A_COHORT = 8
"""Members for which writing a program down takes little of their time; fewer are not split off."""

ANALYSED_TOGETHER = 16
"""Members per analysis job: enough to share compiled work, few enough to bound memory."""


@dataclass(frozen=True)
class Plan:
    """The jobs of a study that can be done now, in an order that respects what they read.

    Where training fields are selected and not all chosen, these are the pilots and the choices.
    """

    members: tuple[Member, ...]
    networks: tuple[AnyNetwork, ...]
    """`Undecided` as long as a choice is open."""
    todo: tuple[Job, ...]
    done: tuple[tuple[str, int, int], ...]
    """Kind of step, how many of it the store already holds, and how many there are in all."""
    waiting: tuple[TrainCohort, ...] = ()
    """Training that waits for choices: its size is known, its addresses are not."""

    @property
    def cohorts(self) -> tuple[TrainCohort, ...]:
        """The training that can be done now."""
        return tuple(job for job in self.todo if isinstance(job, TrainCohort))

    @property
    def selecting(self) -> bool:
        """Whether there is something to choose, after which the plan is another."""
        return any(isinstance(job, Select) for job in self.todo)

    @property
    def flops(self) -> float:
        """Floating-point operations of the training that can be done now."""
        return flops(self.cohorts)

    @property
    def memory(self) -> int:
        """Bytes that the largest training cohort that can be done now takes."""
        return memory(self.cohorts)


def make_plan(study: Study, store: Store, *, selecting: bool = True) -> Plan:
    """What can be done next of what a study needs and the store lacks.

    Not `selecting`, networks that wait for a choice are left out as if they could not be trained.
    """
    at_stake = contests(study)
    still_open = [contest for contest in at_stake if choice(contest, store) is None]
    pairs = population(study, store, at_stake)
    everything, ready = _jobs(study, pairs), [p for p in pairs if not isinstance(p[1], Undecided)]
    now = everything if len(ready) == len(pairs) else _jobs(study, ready)
    now = _selection(study, still_open) if selecting and still_open else now
    return Plan(
        members=tuple(member for member, _ in pairs),
        networks=tuple(network for _, network in pairs),
        todo=left(now, Glance(store)),
        # A second look: what was damaged has been removed.
        done=done([*_selection(study, at_stake), *everything], Glance(store)),
        waiting=_waiting(study, pairs),
    )


def stages(study: Study, store: Store) -> Iterator[Plan]:
    """The plan, and the next one when it is done: pilots and choices first, if any are open."""
    first = make_plan(study, store)
    yield first
    if first.selecting:
        yield make_plan(study, store, selecting=False)


def _jobs(study: Study, pairs: Sequence[tuple[Member, AnyNetwork]]) -> list[Job]:
    """Training and analysis of the population, and reading what was trained elsewhere."""
    members, networks = [member for member, _ in pairs], [network for _, network in pairs]
    names = [member.name for member in members]
    grown = [(who.name, n) for who, n in pairs if isinstance(n, Network)]
    own = [(who.name, n) for who, n in pairs if isinstance(n, ModelNetwork)]
    shared: list[Job] = []
    for job in task_jobs(study, members, networks):
        shared += [*tiles(job), job]
    return [
        *_training(study, [name for name, _ in grown], [network for _, network in grown]),
        *(ReadModels((network,), (name,)) for name, network in own),
        *_member_jobs(study, names, networks),
        *shared,
    ]


def _selection(study: Study, at_stake: Sequence[Contest]) -> list[Job]:
    """Training of all pilots, those that contests share once, and the choices."""
    pilots = {network.key(): (name, network) for c in at_stake for name, network in c.pilots}
    names = [name for name, _ in pilots.values()]
    cohorts = _training(study, names, [network for _, network in pilots.values()])
    return [
        *(replace(cohort, purpose="pilots") for cohort in cohorts),
        *(Select(contest) for contest in at_stake),
    ]


def _waiting(study: Study, pairs: Sequence[tuple[Member, AnyNetwork]]) -> tuple[TrainCohort, ...]:
    waiting = [(who.name, network) for who, network in pairs if isinstance(network, Undecided)]
    return tuple(_training(study, [name for name, _ in waiting], [n for _, n in waiting]))


def memory_budget(study: Study) -> int:
    """Bytes that one training job may take: the spec's, or half the machine's shared by workers."""
    given = study.runtime.memory
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    total = machine / 2 if given is None else given * 2**30
    return int(total / (study.runtime.workers or os.cpu_count() or 1))


def task_jobs(
    study: Study, members: Sequence[Member], networks: Sequence[AnyNetwork]
) -> list[AnalyseTask]:
    """Each task analysis and each claim on each task, what others read first."""
    found: dict[tuple[str, str], AnalyseTask] = {}

    def job(analysis: Analysis, task: Task) -> AnalyseTask:
        at = (analysis.title, task.title)
        if at not in found:
            assert isinstance(analysis, TaskAnalysis)
            needed = [by_title[name] for name in analysis.needs()]
            needs = tuple(job(one, task) for one in needed if isinstance(one, TaskAnalysis))
            parts, visit = read_by(analysis, study), visit_of(analysis, task)
            own = learners[task.title]
            mine = [i for i in own if _known(networks[i], parts)]
            if visit:
                guests = sorted(set(range(len(networks))).difference(own))
                mine += [i for i in guests if _known(networks[i], (visit,))]
            found[at] = AnalyseTask(
                analysis,
                task,
                tuple(members[i] for i in mine),
                tuple(networks[i] for i in mine),
                parts,
                needs,
                visit,
            )
        return found[at]

    by_title = {a.title: a for a in study.analyses}
    learners = {
        task.title: [i for i, network in enumerate(networks) if network.task == task]
        for task in study.tasks
    }
    for task in study.tasks:
        for analysis in study.analyses:
            if isinstance(analysis, TaskAnalysis) and applies(analysis, task, study.analyses):
                job(analysis, task)
        for weighing in weighings(study, task):
            job(weighing, task)
    return list(found.values())


def _training(
    study: Study, names: Sequence[str], networks: Sequence[Network]
) -> Iterable[TrainCohort]:
    budget, kernel = memory_budget(study), study.runtime.expected_kernel
    workers = study.runtime.expected_workers
    share = -(-len(networks) // (SHARES * workers)) if workers > 1 else len(networks)
    for group in _grouped(networks, _program):
        first = networks[group[0]]
        widest = widest_cohort(first.cell, first.task, first.training, budget, kernel)
        for part in _parts(group, min(widest, max(share, WORTH_A_COHORT))):
            those, called = tuple(networks[i] for i in part), tuple(names[i] for i in part)
            yield TrainCohort(those, called, kernel=kernel)


def _program(network: Network) -> tuple[Component | str, ...]:
    """What networks have in common that train as one program."""
    fields = network.training.model_dump(exclude=set(network.training.per_member))
    return network.task, network.cell, str(sorted(fields.items()))


def _shape(network: AnyNetwork) -> tuple[Component, ...]:
    """What networks have in common that are analysed together: those of the user's own, nothing."""
    return (network.task, network.cell) if isinstance(network, Network) else (network,)


def _member_jobs(
    study: Study, names: Sequence[str], networks: Sequence[AnyNetwork]
) -> Iterable[AnalyseMembers]:
    groups, asked = _grouped(networks, _shape), set[tuple[str, int]]()
    for question, group in _questions_of(study, networks, groups):
        at = (question.address, group[0])
        if at in asked or not _known(networks[group[0]], (question,)):
            continue
        asked.add(at)
        for part in _parts(group, ANALYSED_TOGETHER):
            yield AnalyseMembers(
                question,
                tuple(networks[i] for i in part),
                tuple(names[i] for i in part),
            )


def _questions_of(
    study: Study, networks: Sequence[AnyNetwork], groups: Sequence[list[int]]
) -> Iterator[tuple[Question, list[int]]]:
    """What is asked of which groups: of a task's own networks, and of others for its sake."""
    for question in questions(study):
        for group in groups:
            if applies(question.analysis, networks[group[0]].task, study.analyses):
                yield question, group
    for task in study.tasks:
        for question in visits(study, task):
            for group in groups:
                if networks[group[0]].task != task:
                    yield question, group


def _known(network: AnyNetwork, asked: Sequence[Question]) -> bool:
    """Whether a network can be asked: one that was trained elsewhere has no seed to grow from."""
    return not isinstance(network, ModelNetwork) or not any(q.from_seeds for q in asked)


def _grouped(
    networks: Sequence[N], by: Callable[[N], tuple[Component | str, ...]]
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
