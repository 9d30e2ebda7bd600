"""What a run looks like in a terminal: live bars, or plain lines where there is no terminal."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from rnnstudy.core.arrays import Array
from rnnstudy.study.execution.worker import Outcome
from rnnstudy.study.plan.plan import Job, Plan, TrainCohort

PLAIN_INTERVAL = 10.0
"""Seconds between two plain lines about one training job."""


def duration(seconds: float) -> str:
    """`8 s`, `3 min 05 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class _Course:
    """How far the whole plan is: jobs done, training steps done, time left."""

    def __init__(self, plan: Plan) -> None:
        self.jobs, self.ended = len(plan.todo), 0
        self.begun = time.monotonic()
        self._work = {job: _work(job) for job in plan.todo}
        self._share: dict[Job, float] = {}
        self._since: dict[Job, float] = {}

    def begin(self, job: Job) -> None:
        self._since[job] = time.monotonic()

    def advance(self, job: Job, share: float) -> None:
        self._share[job] = share

    def end(self, job: Job) -> None:
        self.ended += 1
        self._share[job] = 1.0

    def left(self) -> str:
        """Time left, from the share of training work that is done."""
        total = sum(self._work.values())
        done = sum(self._work[job] * share for job, share in self._share.items())
        spent = time.monotonic() - self.begun
        if total == 0 or done < 0.01 * total or spent < 2:
            return ""
        return f"about {duration(spent * (total - done) / done)} left"

    def speed(self, job: Job, step: int) -> float:
        """Training steps per second of a job."""
        return step / max(time.monotonic() - self._since[job], 1e-9)


def _work(job: Job) -> float:
    if not isinstance(job, TrainCohort):
        return 0.0
    # Steps times state updates: what the time of small programs goes with.
    return float(sum(n.training.steps * n.task.length * n.cell.state_size for n in job.networks))


class Lines:
    """A watch that prints plain lines: what began, how training goes, what ended."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._course, self._console = _Course(plan), console
        self._lock, self._last = threading.Lock(), dict[Job, float]()

    def begun(self, job: Job) -> None:
        """Note the start of a job; it is printed with the first news of it."""
        with self._lock:
            self._course.begin(job)
            self._last[job] = time.monotonic()

    def trained(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """A line every ten seconds."""
        with self._lock:
            self._course.advance(job, step / steps)
            if time.monotonic() - self._last[job] < PLAIN_INTERVAL:
                return
            self._last[job] = time.monotonic()
            speed = self._course.speed(job, step)
            self._print(f"{job.label}: step {step}/{steps}, {speed:.0f} steps/s, {_loss(loss)}, "
                        f"{self._course.left()}")  # fmt: skip

    def ended(self, job: Job, outcome: Outcome) -> None:
        """A line per job."""
        with self._lock:
            self._course.end(job)
            how = f"FAILED: {outcome.failure}" if outcome.failure else "done"
            at = f"[{self._course.ended}/{self._course.jobs}]"
            self._print(f"{at} {outcome.label}: {how} in {duration(outcome.seconds)}")

    def _print(self, line: str) -> None:
        self._console.print(line.rstrip(", "), markup=False, highlight=False, soft_wrap=True)


class Bars:
    """A watch with one live bar per running job and one for the whole."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self._course, self._progress = _Course(plan), progress
        self._lock, self._rows = threading.Lock(), dict[Job, TaskID]()
        self._whole = progress.add_task("all", total=len(plan.todo), news="")

    def begun(self, job: Job) -> None:
        """A new bar, or a spinner for jobs without known length."""
        with self._lock:
            self._course.begin(job)
            total = job.networks[0].training.steps if isinstance(job, TrainCohort) else None
            self._rows[job] = self._progress.add_task(job.label, total=total, news="")

    def trained(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Move the job's bar."""
        with self._lock:
            self._course.advance(job, step / steps)
            news = f"{self._course.speed(job, step):.0f} steps/s, {_loss(loss)}"
            self._progress.update(self._rows[job], completed=step, news=news)
            self._progress.update(self._whole, news=self._course.left())

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Take the job's bar away; say so if it failed."""
        with self._lock:
            self._course.end(job)
            self._progress.remove_task(self._rows.pop(job))
            self._progress.update(
                self._whole, completed=self._course.ended, news=self._course.left()
            )
            if outcome.failure:
                text = f"{outcome.label}: FAILED: {outcome.failure}"
                self._progress.console.print(text, markup=False, highlight=False)


def _loss(loss: Array) -> str:
    finite = loss[np.isfinite(loss)]
    lost = len(loss) - len(finite)
    text = f"loss {np.median(finite):.2g}" if len(finite) else "no finite loss"
    return text + (f", {lost} diverged" if lost else "")


@contextmanager
def watching(plan: Plan, console: Console) -> Iterator[Lines | Bars]:
    """The watch that suits the console, for the duration of an execution."""
    if not plan.todo or not console.is_terminal:
        yield Lines(plan, console)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}/{task.total}", markup=False),
        TextColumn("{task.fields[news]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(plan, progress)
