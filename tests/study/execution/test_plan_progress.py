"""The remaining time of a run: of each kind of job by its speed, without jumps."""

import csv
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fake_jobs import plan_of

from rnnstudy.study.execution import plan_progress
from rnnstudy.study.execution.plan_progress import PlanProgress, rough_duration, rough_seconds
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.spec.study import study_of
from rnnstudy.study.store import Store

RECORDING = Path(__file__).parent / "recorded_jobs.csv"
"""First jobs of specs/quickstart.yaml in the order of their ends, on two busy cores."""


@dataclass(eq=False)
class Timed:
    """A job with its expected and its real seconds."""

    group: str
    rough: float
    seconds: float

    @property
    def trains(self) -> tuple[int, ...]:
        return (1,) if self.group == "train" else ()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(plan_progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(plan_progress, "rough_seconds", lambda job: job.rough)
    return now


def recorded() -> list[Timed]:
    with RECORDING.open(newline="") as file:
        return [
            Timed(row["kind"], float(row["rough"]), float(row["seconds"]))
            for row in csv.DictReader(file)
        ]


def play(
    jobs: Sequence[Timed], clock: list[float], workers: int = 2, every: float = 10.0
) -> Iterator[tuple[float, float, float]]:
    """Run jobs side by side, as they come; yield (time, estimate, time that is really left).

    Training tells its progress, after a tenth of its time for compilation. There is an estimate
    at each end of a job, and in between.
    """
    state = PlanProgress(plan_of(*jobs))  # type: ignore[arg-type]
    waiting, running, samples = list(jobs), list[tuple[float, int, float, Timed]](), []
    number = 0
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.pop(0)
            number += 1
            heapq.heappush(running, (clock[0] + job.seconds, number, clock[0], job))
            state.begin(job)  # type: ignore[arg-type]
        end = running[0][0]
        step = min(end, clock[0] + every)
        clock[0] = step
        for until, _, start, job in running:
            if job.trains:
                done = (step - start) / (until - start)
                state.advance(job, max(0.0, (done - 0.1) / 0.9))  # type: ignore[arg-type]
        if step == end:
            state.end(heapq.heappop(running)[3])  # type: ignore[arg-type]
        if (estimate := state.seconds_left()) is not None:
            samples.append((step, estimate))
    assert state.ended == state.jobs
    assert samples[-1][1] == 0.0
    yield from ((at, left, clock[0] - at) for at, left in samples)


def largest_jump(samples: Sequence[tuple[float, float, float]]) -> float:
    """Return the largest factor between two estimates in a row, above 20 seconds."""
    lefts = [left for _, left, _ in samples]
    pairs = [(a, b) for a, b in pairwise(lefts) if min(a, b) > 20]
    return max(max(a / b, b / a) for a, b in pairs)


def test_a_recorded_run_has_estimates_without_jumps(clock: list[float]) -> None:
    samples = list(play(recorded(), clock))
    assert largest_jump(samples) < 2.0
    assert samples[0][0] < clock[0] / 20
    # The truth is known. At the very end a single job may take longer than all of its kind.
    whole = clock[0]
    for at, left, truth in samples:
        if at > whole / 20 and truth > whole / 10:
            assert truth / 2 < left < truth * 2


def test_kinds_that_are_a_hundred_times_slower_than_expected_do_not_make_it_jump(
    clock: list[float],
) -> None:
    jobs = [Timed("train", 60.0, 60.0) for _ in range(10)]
    slow = [Timed("claims", 0.5, 50.0) for _ in range(40)]
    samples = list(play([*jobs, *slow], clock))
    assert largest_jump(samples) <= 2.0
    # Within a third of the time of the slow kind the estimate has found the truth.
    start = 300.0 + (clock[0] - 300.0) / 3
    late = [(left, truth) for at, left, truth in samples if at > start and truth > 50]
    assert late
    assert all(truth / 1.5 < left < truth * 1.5 for left, truth in late)


def test_kinds_that_are_much_quicker_than_expected_do_not_make_it_jump(clock: list[float]) -> None:
    jobs = [Timed("train", 60.0, 60.0) for _ in range(10)]
    quick = [Timed("pairs", 50.0, 0.5) for _ in range(40)]
    samples = list(play([*jobs, *quick], clock))
    assert largest_jump(samples) <= 2.0


def test_equal_jobs_are_known_from_the_first(clock: list[float]) -> None:
    samples = list(play([Timed("a", 1.0, 30.0) for _ in range(20)], clock, workers=1))
    assert samples[0][0] == 30.0  # nothing is measured before
    for at, left, truth in samples:
        if at > 120 and truth > 30:
            assert truth / 1.3 < left < truth * 1.3


def test_jobs_side_by_side_end_sooner(clock: list[float]) -> None:
    for workers in (1, 4):
        clock[0] = 0.0
        jobs = [Timed("a", 10.0, 10.0) for _ in range(40)]
        samples = list(play(jobs, clock, workers=workers))
        middle = [
            (left, truth) for at, left, truth in samples if at > 0.5 * clock[0] and truth > 20
        ]
        assert all(truth / 1.2 < left < truth * 1.3 for left, truth in middle)


def test_the_last_job_is_waited_for_alone(clock: list[float]) -> None:
    # One of two workers is idle in the end: the work that is left is not divided by two.
    jobs = [Timed("train", 100.0, 100.0), Timed("train", 300.0, 300.0)]
    samples = list(play(jobs, clock))
    left = next(left for at, left, _ in samples if at >= 200.0)
    assert left > 70.0


def test_failed_jobs_and_lost_jobs_say_nothing_about_speed(clock: list[float]) -> None:
    jobs: list[Any] = [Timed("a", 10.0, 10.0) for _ in range(6)]
    state = PlanProgress(plan_of(*jobs))
    for job in jobs[:3]:
        state.begin(job)
        clock[0] += 0.001
        state.end(job, failed=True)
    assert state.remaining() == ""
    state.begin(jobs[3])
    clock[0] += 5
    state.begin(jobs[3])  # its worker was lost
    clock[0] += 10
    state.end(jobs[3])
    left = state.seconds_left()
    assert left is not None
    assert 10 < left < 30
    state.end(jobs[4])  # an end without a beginning
    state.begin(jobs[5])
    state.end(jobs[5])
    assert state.remaining() == "about 0 s left"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (8.4, "8 s"),
        (154, "2 min 30 s"),
        (5553, "1 h 33 min"),
        (93_000, "25 h 50 min"),
    ],
)
def test_durations_have_two_digits(seconds: float, words: str) -> None:
    assert rough_duration(seconds) == words


def test_rough_seconds_grow_with_the_work(tmp_path: Path) -> None:
    study = study_of({
        "study": "progress",
        "tasks": ["flip_flop"],
        "networks": {"cells": "vanilla", "units": [8, 16], "seeds": 2},
        "training": {"steps": 100_000},
        "analyses": ["fixed_points"],
    })  # fmt: skip
    plan = make_plan(study, Store(tmp_path))
    small, large = sorted(rough_seconds(job) for job in plan.todo if job.trains)
    # The products of states with kernels have four times the operations.
    assert 2.5 < large / small < 4
    searches = [rough_seconds(job) for job in plan.todo if job.kind == "fixed_points"]
    assert all(seconds >= 1 for seconds in searches)


def test_a_job_that_is_found_during_a_run_is_counted(clock: list[float]) -> None:
    planned, found = Timed("a", 1.0, 1.0), Timed("b", 3.0, 3.0)
    progress = PlanProgress(plan_of(planned))  # type: ignore[arg-type]
    for job in (planned, found):
        progress.begin(job)  # type: ignore[arg-type]
        clock[0] += job.seconds
        progress.end(job)  # type: ignore[arg-type]
    assert (progress.ended, progress.jobs) == (2, 2)
    assert progress.seconds_left() == 0.0
