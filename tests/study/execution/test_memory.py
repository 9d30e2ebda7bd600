"""Jobs that run out of memory are divided at fixed places; what cannot fit is refused before."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Self, cast

import pytest
from pretended import pretend

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.analyses.base import Cost
from rnnstudy.cells import Cell
from rnnstudy.core.batches import available_memory
from rnnstudy.core.record import Record
from rnnstudy.population.population import Population
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution import memory, worker
from rnnstudy.study.execution.memory import (
    Limit,
    is_out_of_memory,
    memory_limit,
    refuse_oversized,
    run_divided,
)
from rnnstudy.study.plan import train as training_jobs
from rnnstudy.study.plan.analyse_members import AnalyseMembers
from rnnstudy.study.plan.job import Context, Job, Stopped, halves
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.plan.train import Train, memory_budget
from rnnstudy.study.spec import options
from rnnstudy.study.spec.options import Runtime
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task

PART = r"(this process's part of )?"
"""Owner of the memory where a process may use a part of its machine."""


@dataclass(frozen=True, eq=False)
class Work(Job):
    """Work on some items, which needs memory for all of them at once."""

    items: tuple[int, ...]
    runs: ClassVar[list[tuple[int, ...]]] = []
    limit: ClassVar[int] = 2
    heavy: ClassVar[frozenset[int]] = frozenset()
    error: ClassVar[type[Exception]] = MemoryError

    @property
    def kind(self) -> str:
        return "work"

    @property
    def task(self) -> str:
        return "flip_flop"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"n{item}" for item in self.items)

    @property
    def label(self) -> str:
        return f"work {self.names}"

    def results(self) -> tuple[int, ...]:
        return self.items

    def requires(self) -> tuple[()]:
        return ()

    def _present(self, store: Store) -> Sequence[bool]:
        return [False] * len(self.items)

    def missing(self, store: Store) -> Self:
        return self

    def parts(self) -> list[Self]:
        every = range(len(self.items))
        return [replace(self, items=self.items[side]) for side, _ in halves(len(every), every)]

    def run(self, context: Context) -> None:
        self.runs.append(self.items)
        if len(self.items) > self.limit or self.heavy & set(self.items):
            raise self.error("no room for it\nin detail")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    Work.runs, Work.limit, Work.heavy, Work.error = [], 2, frozenset(), MemoryError
    return cast(Context, SimpleNamespace(store=Store(tmp_path)))


def test_a_job_without_room_is_divided_at_its_middle(context: Context) -> None:
    released: list[int] = []
    run_divided(Work(tuple(range(7))), context, lambda: released.append(len(Work.runs)))
    assert Work.runs == [
        (0, 1, 2, 3, 4, 5, 6), (0, 1, 2), (0,), (1, 2), (3, 4, 5, 6), (3, 4), (5, 6),
    ]  # fmt: skip
    # Memory is released before each part.
    assert released == [1, 2, 3, 4, 5, 6]


def test_a_network_without_room_fails_alone(context: Context) -> None:
    Work.limit, Work.heavy = 9, frozenset({2})
    message = (
        r"^memory must suffice for one network at a time, got too little for n2 \(no room for it\)"
        r"\. Reduce runtime\.workers, the batch or the length of trials\.$"
    )
    with pytest.raises(MemoryError, match=message):
        run_divided(Work((0, 1, 2, 3)), context)
    assert Work.runs == [(0, 1, 2, 3), (0, 1), (2, 3), (2,), (3,)]


@pytest.mark.parametrize("error", [Stopped, ValueError])
def test_other_errors_divide_nothing(context: Context, error: type[Exception]) -> None:
    Work.error = error
    with pytest.raises(error):
        run_divided(Work((0, 1, 2)), context)
    assert Work.runs == [(0, 1, 2)]


class ResourceExhaustedError(Exception):
    """An error of the name that TensorFlow's has."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (ResourceExhaustedError("OOM when allocating tensor"), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory"), True),
        (RuntimeError("exhausted"), False),
    ],
)
def test_errors_of_memory_are_told_from_others(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


SPEC: dict[str, Any] = {
    "study": "memory",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12}],
    "networks": {"cells": "vanilla", "units": 3, "seeds": 5},
    "training": {"steps": 2, "batch": 4},
}


def study(**fields: Any) -> Study:
    return study_of({**SPEC, **fields})


@pytest.mark.parametrize("kind", [Train, AnalyseMembers])
@pytest.mark.parametrize("done", [(), (1,), (2, 3, 4), (0, 1)])
def test_boundaries_do_not_depend_on_what_is_done(
    tmp_path: Path, kind: type[Train | AnalyseMembers], done: tuple[int, ...]
) -> None:
    def first(store: Store) -> Any:
        return next(job for job in make_plan(study(), store).todo if isinstance(job, kind))

    def company(job: Any) -> tuple[Any, ...]:
        return tuple(job.cohort if kind is Train else job.batch)

    store, whole = Store(tmp_path), first(Store("nowhere"))
    for i in done:
        address = whole.results()[i]
        if kind is Train:
            pretend(store, whole.cohort[i])
        else:
            store.write(address, Record())
    job = first(store)
    assert len(company(job)) == 5
    names = [whole.names[i] for i in range(5) if i not in done]
    assert list(job.names) == names
    parts = job.parts()
    assert [name for part in parts for name in part.names] == names
    sides = {tuple(n.seed for n in company(part)) for part in parts}
    assert sides <= {(0, 1), (2, 3, 4)}
    assert all({n.seed for n in p.networks} <= {n.seed for n in company(p)} for p in parts)
    single = parts[0]
    while single.parts():
        (single, *_) = single.parts()
    assert len(company(single)) == 1


def test_a_network_beyond_the_memory_is_refused_with_the_number() -> None:
    plan = make_plan(study(), Store("nowhere"))
    refuse_oversized(plan.todo, study().runtime)
    small = study(runtime={"memory": 1e-6})
    message = (
        r"^a network must fit into memory, got flip_flop-vanilla-tanh-3-s000, for which 'train' "
        r"takes some \d+ MiB of the 0 MiB of runtime\.memory\. Reduce .*\.$"
    )
    with pytest.raises(RunError, match=message):
        refuse_oversized(plan.todo, small.runtime)
    refuse_oversized([], small.runtime)


class Heavy(MemberAnalysis):
    """An analysis whose record takes many GiB for each network."""

    kind: ClassVar[str] = "tests:Heavy"
    size: float = 1.0

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        return [Record() for _ in range(len(population))]

    def cost(self, cell: Cell, task: Task) -> Cost:
        return Cost(bytes=int(self.size * 2**30))


def heavy(size: float, **runtime: Any) -> Study:
    return study(runtime=runtime).replace(analyses=(Heavy(name="heavy", size=size),))


def refused(asked: Study) -> str:
    """Return why the jobs of a study are refused; empty if they are not."""
    try:
        refuse_oversized(make_plan(asked, Store("nowhere")).todo, asked.runtime)
    except RunError as error:
        return str(error)
    return ""


def test_an_analysis_of_one_network_beyond_the_memory_is_refused_with_the_number() -> None:
    there = available_memory() / 2**30
    assert refused(heavy(there / 4)) == ""
    # Records are there twice while they are written.
    message = (
        rf"a network must fit into memory, got flip_flop-vanilla-tanh-3-s000, for which 'heavy' "
        rf"takes some [\d,]+ MiB of the {there * 1024:,.0f} MiB of {PART}the machine\. Reduce the "
        r"units, or leave out the analysis\."
    )
    assert re.fullmatch(message, refused(heavy(there)))
    # The option is about training.
    assert refused(heavy(there / 4, memory=1.0)) == ""


def test_on_a_cluster_the_memory_of_a_worker_is_the_limit() -> None:
    there = available_memory() / 2**30

    def workers(memory: float) -> dict[str, Any]:
        return {"cluster": {"kind": "slurm", "memory": memory}}

    assert refused(heavy(1.0, **workers(1.0))).endswith(
        "of the 1,024 MiB of a worker (runtime.cluster.memory). Reduce the units, or leave out "
        "the analysis."
    )
    assert refused(heavy(1.0, **workers(3.0))) == ""
    # Workers may have more memory than this machine.
    assert refused(heavy(there, **workers(4 * there))) == ""
    assert refused(heavy(there, cluster="tcp://host:8786")) == ""
    assert "of the machine" in refused(heavy(there, cluster="local:2"))
    small = study(runtime={"memory": 64.0, **workers(1e-6)})
    assert "for which 'train' takes" in refused(small)
    assert "MiB of a worker (runtime.cluster.memory). Reduce training.batch" in refused(small)


def test_the_memory_of_the_machine_is_the_limit_by_default() -> None:
    tasks = [{"kind": "flip_flop", "length": 100000}]
    huge = study(tasks=tasks, training={"batch": 4096}, networks={"cells": "lstm", "units": 512})
    plan = make_plan(huge, Store("nowhere"))
    assert plan.cohorts[0].least_memory > available_memory()
    with pytest.raises(RunError, match=rf"MiB of {PART}the machine\. Reduce training\.batch"):
        refuse_oversized(plan.todo, huge.runtime)


def test_memory_is_freed_after_seconds_of_jobs_not_after_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    freed: list[int] = []
    monkeypatch.setattr(worker, "free_memory", lambda: freed.append(1))
    memory = worker.FreedMemory()
    for _ in range(3):
        memory.after(worker.FREED_AFTER / 4)
    assert not freed
    memory.after(worker.FREED_AFTER / 4)
    assert len(freed) == 1
    memory.after(worker.FREED_AFTER / 2)
    assert len(freed) == 1
    memory.after(10 * worker.FREED_AFTER)
    assert len(freed) == 2


def test_the_limit_of_an_allocation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 2**20)
    assert memory_limit(Runtime(), trains=True) == Limit(
        2**20, "this process's part of the machine"
    )
    monkeypatch.setattr(training_jobs, "available_memory", lambda: 2**20)
    monkeypatch.setattr(options, "available_cores", lambda: 4)
    assert memory_budget(study()) == 2**20 / 2 / 4
