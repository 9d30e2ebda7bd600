"""Progress of a run: live bars in a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.table import Column
from rich.text import Text

from rnnstudy.core.arrays import Array
from rnnstudy.core.errors import printable
from rnnstudy.study.execution.plan_progress import PlanProgress, duration, loss_words
from rnnstudy.study.execution.worker import JobResult
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import Plan

PLAIN_INTERVAL = 10.0
"""Seconds between two plain lines about one training job."""

MIN_LABEL, NEWS_WIDTH = 16, 46
"""Least number of characters of a job's label, and number of those that its bar and news take."""


class Lines:
    """Progress listener that prints plain lines: training steps, and each job that ends."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._state, self._console = PlanProgress(plan), console
        self._lock, self._last = threading.Lock(), dict[Job, float]()

    def on_job_start(self, job: Job) -> None:
        """Note the start of a job. Nothing is printed yet."""
        with self._lock:
            self._state.begin(job)
            self._last[job] = time.monotonic()

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Print a line every ten seconds."""
        with self._lock:
            self._state.advance(job, step / steps)
            if time.monotonic() - self._last[job] < PLAIN_INTERVAL:
                return
            self._last[job] = time.monotonic()
            speed = self._state.speed(job, step)
            news = f"step {step}/{steps}, {speed:.0f} steps/s, {loss_words(loss)}"
            self._print(f"{job.label}: {news}, {self._state.remaining()}")

    def on_job_end(self, job: Job, result: JobResult) -> None:
        """Print one line."""
        with self._lock:
            self._state.end(job, failed=bool(result.failure))
            end = f"FAILED: {result.failure}" if result.failure else "done"
            count = f"[{self._state.ended}/{self._state.jobs}]"
            end = f"{end} in {duration(result.seconds)}"
            self._print(f"{count} {result.label}: {end}, {self._state.remaining()}")

    def on_message(self, text: str) -> None:
        """Print a line."""
        with self._lock:
            self._print(text)

    def _print(self, line: str) -> None:
        self._console.print(line.rstrip(", "), soft_wrap=True)


class Bars:
    """Progress listener with a live bar for each running job and one for the plan."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self._state, self._progress = PlanProgress(plan), progress
        self._lock, self._rows = threading.Lock(), dict[Job, TaskID]()
        # The remaining time is computed at each refresh: jobs may be silent for minutes.
        self._whole = progress.add_task("all", total=len(plan.todo), news=self._state.remaining)

    def on_job_start(self, job: Job) -> None:
        """Add a bar, or a spinner for a job of unknown length."""
        with self._lock:
            self._state.begin(job)
            if job in self._rows:  # it was lost, and starts again
                return
            total = job.trains[0].training.steps if job.trains else None
            news = "compiling" if job.trains else ""  # until the first steps are done
            label = printable(job.label)
            self._rows[job] = self._progress.add_task(label, total=total, news=news)

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Advance the bar of the job."""
        with self._lock:
            self._state.advance(job, step / steps)
            news = f"{self._state.speed(job, step):.0f} steps/s, {loss_words(loss)}"
            self._progress.update(self._rows[job], completed=step, news=news)

    def on_job_end(self, job: Job, result: JobResult) -> None:
        """Remove the bar of the job; print a line if it failed."""
        with self._lock:
            self._state.end(job, failed=bool(result.failure))
            self._progress.remove_task(self._rows.pop(job))
            self._progress.update(self._whole, completed=self._state.ended, total=self._state.jobs)
            if result.failure:
                text = f"{result.label}: FAILED: {result.failure}"
                self.on_message(text)

    def on_message(self, text: str) -> None:
        """Print a line above the bars."""
        self._progress.console.print(text, soft_wrap=True)


class CountColumn(ProgressColumn):
    """Column with how much of a bar is done; empty where the length is unknown."""

    def render(self, task: Task) -> Text:
        """Return the count."""
        return Text("" if task.total is None else f"{task.completed:.0f}/{task.total:.0f}")


class NewsColumn(ProgressColumn):
    """Column with the news of a bar: a text, or a function that returns one."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Return the news as a text without markup."""
        news = task.fields["news"]
        return Text(news() if callable(news) else news)


@contextmanager
def progress_of(plan: Plan, console: Console) -> Iterator[Lines | Bars]:
    """Return the progress listener for a console, for the time of an execution."""
    if not plan.todo or not console.is_terminal:
        yield Lines(plan, console)
        return
    # On narrow terminals labels are cut and bars shrink: a job has one line, with its news.
    label = Column(no_wrap=True, max_width=max(MIN_LABEL, console.width - NEWS_WIDTH))
    columns = (
        SpinnerColumn("dots" if console.encoding.startswith("utf") else "line"),
        TextColumn("{task.description}", markup=False, table_column=label),
        BarColumn(bar_width=24),
        CountColumn(Column(no_wrap=True)),
        NewsColumn(Column(no_wrap=True)),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(plan, progress)
