"""Order of jobs, and jobs that another run does."""

import threading
import time
from collections.abc import Callable, Collection, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from fake_jobs import Write, address, in_this_thread, plan_of, starts, text

from rnnstudy.analyses.base import Cost
from rnnstudy.runner import NullListener
from rnnstudy.study.execution import schedule
from rnnstudy.study.execution.leases import Leases
from rnnstudy.study.execution.schedule import Further, drain, prerequisites, urgencies
from rnnstudy.study.execution.worker import JobResult, Worker
from rnnstudy.study.plan.job import Context, Job
from rnnstudy.study.store import Store

CHAIN = (Write("a"), Write("b"), Write("c", ("b",)), Write("d", ("c", "a")), Write("e"))


def at_once(act: Callable[[Job], JobResult]) -> Callable[[Job, int], "Future[JobResult]"]:
    """Submit by doing."""

    def submit(job: Job, urgency: int) -> "Future[JobResult]":
        future: Future[JobResult] = Future()
        future.set_result(act(job))
        return future

    return submit


def test_the_longest_way_to_the_end_is_first() -> None:
    order: list[str] = []

    def act(job: Job) -> JobResult:
        order.append(job.names[0])
        return JobResult(job.key, job.label, 0.0)

    drain(CHAIN, at_once(act))
    assert order == ["b", "a", "e", "c", "d"]
    urgency = urgencies(prerequisites(CHAIN))
    assert [urgency[job] for job in CHAIN] == [1, 2, 1, 0, 0]


def worker(store: Store, leases: Leases) -> Worker:
    return Worker(store, NullListener(), threading.Event(), 60.0, (), None, leases)


def test_a_result_names_the_records_that_its_process_has_set_aside(tmp_path: Path) -> None:
    store = Store(tmp_path, repairing=True)
    submit = in_this_thread(store)
    assert submit(Write("a"), 0).result().damaged == ()
    (store.folder(address("a")) / "arrays.npz").write_bytes(b"no archive")
    result = submit(Write("b", ("a",)), 0).result()
    assert result.failure
    assert result.damaged == (address("a"),)
    assert submit(Write("c"), 0).result().damaged == ()


def test_a_job_of_another_run_is_waited_for_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "POLL", 0.01)
    store, diary = Store(tmp_path / "store"), str(tmp_path / "diary")
    a, b = Write("a", diary=diary), Write("b", ("a",), diary=diary)
    with Leases(store.root) as one, Leases(store.root) as other:
        claim = one.claim(a)
        assert claim.__enter__() is not None
        looks: list[bool] = []

        def act(job: Job) -> JobResult:
            result = worker(store, other).perform(job)
            looks.append(result.is_claimed)
            if len(looks) == 3:
                a.run(worker(store, one))
                claim.__exit__(None, None, None)
            return result

        results = drain((a, b), at_once(act))
    assert looks == [True, True, True, False, False]
    assert [(r.label, r.failure) for r in results] == [("write a", None), ("write b", None)]
    assert starts(diary) == ["a", "b"]
    assert text(store, "b") == "b(a())"


def test_two_runs_on_one_store_do_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "POLL", 0.01)
    store, diary = Store(tmp_path / "store"), str(tmp_path / "diary")
    store.root.mkdir()
    names = [f"n{i}" for i in range(12)]

    def run(order: int) -> list[JobResult]:
        jobs = [Write(name, diary=diary, pauses=1) for name in names[::order]]
        last = Write("last", tuple(names), diary=diary)
        with Leases(store.root) as leases, ThreadPoolExecutor(2) as executor:
            act = worker(store, leases).perform
            return drain((*jobs, last), lambda job, _: executor.submit(act, job))

    with ThreadPoolExecutor(2) as runs:
        both = list(runs.map(run, (1, -1)))
    assert sorted(starts(diary)) == sorted([*names, "last"])
    assert [len(results) for results in both] == [13, 13]
    assert not [r.failure for results in both for r in results if r.failure]


def test_a_job_that_loses_its_lease_stops_and_is_left_to_the_other(tmp_path: Path) -> None:
    store, diary = Store(tmp_path / "store"), str(tmp_path / "diary")
    with Leases(store.root) as leases:

        class Stolen(Write):
            def run(self, context: Context) -> None:
                for lease in leases._active:
                    lease.path.unlink()
                    lease.renew()
                super().run(context)

        job = Stolen("a", diary=diary, pauses=1000)
        assert worker(store, leases).perform(job).is_claimed
    assert Path(diary).read_text().endswith("a stopped\n")


def test_an_impatient_execution_leaves_jobs_of_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with Leases(store.root) as one, Leases(store.root) as other, one.claim(CHAIN[0]):
        todo = plan_of(*CHAIN).todo
        results = drain(todo, at_once(worker(store, other).perform), Further(1, lambda _: []))
    assert [r.label for r in results if r.is_claimed] == ["write a"]
    assert not [r.failure for r in results if r.failure]
    assert sorted(r.label for r in results) == [f"write {name}" for name in "abce"]


def drain_in_threads(
    store: Store, jobs: Sequence[Job], find: Callable[[Collection[Hashable]], Sequence[Job]]
) -> list[JobResult]:
    """Do jobs in two threads that look for further ones."""
    with Leases(store.root) as leases, ThreadPoolExecutor(2) as executor:
        act = worker(store, leases).perform
        return drain(jobs, lambda job, _: executor.submit(act, job), Further(2, find))


def test_a_thread_without_a_job_looks_for_further_ones_while_another_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LOOK", 0.01)
    store, diary = Store(tmp_path / "store"), str(tmp_path / "diary")

    class Long(Write):
        def run(self, context: Context) -> None:
            # The job ends when another thread has done what was found meanwhile, and looks again.
            while not (context.store.has("fake-late") and "fake-late" in looks[-1]):
                assert time.monotonic() < last
                time.sleep(0.01)
            super().run(context)

    last = time.monotonic() + 60.0
    long, reader = Long("long", diary=diary), Write("reader", ("long",), diary=diary)
    looks: list[list[Hashable]] = []

    def find(taken: Collection[Hashable]) -> list[Job]:
        looks.append(sorted(taken, key=str))
        found = [Write("early", diary=diary), Write("late", ("early",), diary=diary)]
        return [job for job in found if not set(job.results()) & set(taken)][: len(looks) // 2]

    results = drain_in_threads(store, (long, reader), find)
    ends = [result.label for result in results if not result.failure]
    assert sorted(ends[:2]) == ["write early", "write late"]
    assert ends[2:] == ["write long", "write reader"]
    assert sorted(starts(diary)) == ["early", "late", "long", "reader"]
    assert looks[0] == ["fake-long"]
    assert looks[-1][:3] == ["fake-early", "fake-late", "fake-long"]


def test_a_job_that_is_found_while_its_last_input_ends_is_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LOOK", 0.01)
    store, diary = Store(tmp_path / "store"), str(tmp_path / "diary")
    first, reader = Write("first", diary=diary, pauses=6), Write("reader", ("first",), diary=diary)

    def find(taken: Collection[Hashable]) -> list[Job]:
        # The input is in the store before the job that has written it ends.
        return [] if "fake-reader" in taken else [Write("reader", diary=diary)]

    results = drain_in_threads(store, (first, reader), find)
    assert sorted(result.label for result in results) == ["write first", "write reader"]


def test_a_long_analysis_is_more_urgent_than_a_short_one(tmp_path: Path) -> None:
    class Long(Write):
        def cost(self) -> Cost:
            return Cost({"searches for fixed points": 100})

    short, long, readers = Write("a"), Long("b"), [Write(n, ("a",)) for n in "cde"]
    urgency = urgencies(prerequisites([short, *readers, long]))
    assert [urgency[job] for job in (long, short, readers[0])] == [2, 1, 0]
