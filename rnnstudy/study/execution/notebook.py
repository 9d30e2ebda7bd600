"""Progress of a run in a notebook: one line that is renewed."""

import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rnnstudy.core.arrays import Array
from rnnstudy.study.execution.plan_progress import PlanProgress, duration, loss_words
from rnnstudy.study.execution.worker import JobResult
from rnnstudy.study.plan.job import Job, count_label
from rnnstudy.study.plan.plan import Plan

INTERVAL = 0.5
"""Seconds between two renewals of the line."""


def is_notebook() -> bool:
    """Return whether the process is the kernel of a notebook. IPython is not imported."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


class NotebookLine:
    """Progress listener that renews one line of a notebook.

    Parameters
    ----------
    plan
        The plan that is executed.
    show
        Function that shows a line in place of the previous one.
    """

    def __init__(self, plan: Plan, show: Callable[[str], object]) -> None:
        self._state, self._show = PlanProgress(plan), show
        self._lock, self._renewed = threading.Lock(), 0.0
        self._start, self._failed = time.monotonic(), 0

    def on_job_start(self, job: Job) -> None:
        """Show the job."""
        with self._lock:
            self._state.begin(job)
            self._renew(job.label)

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Show the step, at most twice a second."""
        with self._lock:
            self._state.advance(job, step / steps)
            if time.monotonic() - self._renewed >= INTERVAL:
                self._renew(f"{job.label}: step {step} of {steps}, {loss_words(loss)}")

    def on_job_end(self, job: Job, result: JobResult) -> None:
        """Show the number of ended jobs. A failure stays below the line."""
        with self._lock:
            self._state.end(job, failed=bool(result.failure))
            if result.failure:
                self._failed += 1
                sys.stdout.write(f"{result.label}: FAILED: {result.failure}\n")
            self._renew(result.label)

    def on_message(self, text: str) -> None:
        """Write a line below."""
        sys.stdout.write(f"{text}\n")

    def finish(self) -> None:
        """Show the end of the plan."""
        ended = count_label(self._state.ended, "job")
        failed = f", {self._failed} failed" if self._failed else ""
        self._show(f"{ended} in {duration(time.monotonic() - self._start)}{failed}")

    def _renew(self, news: str) -> None:
        self._renewed = time.monotonic()
        parts = [f"{self._state.ended} of {count_label(self._state.jobs, 'job')}", news]
        self._show("; ".join([*parts, *filter(None, [self._state.remaining()])]))


@contextmanager
def notebook_progress(plan: Plan) -> Iterator[NotebookLine]:
    """Show the progress of a plan in a notebook for the time of its execution."""
    display: Any = importlib.import_module("IPython.display").display
    handle: Any = None

    def show(text: str) -> None:
        nonlocal handle
        content = {"text/plain": text}
        if handle is None:
            handle = display(content, raw=True, display_id=True)
        else:
            handle.update(content, raw=True)

    line = NotebookLine(plan, show)
    try:
        yield line
    finally:
        if plan.todo:
            line.finish()
