"""Worker: runs single jobs, which read and write the store."""

import logging
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from rnnstudy.core.arrays import Array
from rnnstudy.study.execution.checkpoints import Checkpoints
from rnnstudy.study.execution.tensorboard import training_curves
from rnnstudy.study.plan.job import Job, JobKey, Stopped, Writer
from rnnstudy.study.store import Store
from rnnstudy.training.protocol import Training

logger = logging.getLogger("rnnstudy")


@dataclass(frozen=True)
class JobResult:
    """End of a job: its key and label, its seconds, and the reason if it failed."""

    key: JobKey
    label: str
    seconds: float
    failure: str | None = None
    trace: str = ""


class ProgressListener(Protocol):
    """Object that follows an execution. Its methods are called from several threads."""

    def on_job_start(self, job: Job) -> None:
        """Receive the start of a job."""

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Receive the progress of training: `step` of `steps` are done; loss [member]."""

    def on_job_end(self, job: Job, result: JobResult) -> None:
        """Receive the end of a job, with or without success."""


@dataclass(frozen=True)
class Worker:
    """Context in which jobs run against a store."""

    store: Store
    listener: ProgressListener
    stop: threading.Event
    interval: float
    """Seconds between two checkpoints of a training job."""
    devices: tuple[str, ...]
    """Devices that share the networks of a cohort."""
    tensorboard: str | None
    """Folder of TensorBoard's event files."""

    def perform(self, job: Job) -> JobResult:
        """Run a job. An exception becomes the failure of the result."""
        start, failure, trace = time.monotonic(), None, ""
        logger.info("start: %s", job.label)
        self.listener.on_job_start(job)
        try:
            if self.stopped:
                raise Stopped
            job.run(self)
        except Stopped:
            return JobResult(job.key, job.label, time.monotonic() - start, "interrupted")
        except Exception as error:
            failure, trace = _sentence(error), traceback.format_exc()
            logger.debug("%s", trace)
        result = JobResult(job.key, job.label, time.monotonic() - start, failure, trace)
        logger.info("%s after %.1f s: %s", failure or "done", result.seconds, job.label)
        self.listener.on_job_end(job, result)
        return result

    @property
    def stopped(self) -> bool:
        """Is true after the user has interrupted the run."""
        return self.stop.is_set()

    def checkpoints(self, cohort: Sequence[str]) -> Checkpoints:
        """Return the checkpoints of networks at these addresses."""
        return Checkpoints(self.store, cohort, self.interval)

    def training_curves(self, cohort: str, protocol: Training) -> AbstractContextManager[Writer]:
        """Return a writer of training curves for as long as the context is open."""
        return training_curves(self.tensorboard, cohort, protocol)

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Pass the number of steps that are done to the listener."""
        self.listener.on_training_step(job, step, steps, loss)


def _sentence(error: Exception) -> str:
    """Return class and message of an error on one line.

    Messages of TensorFlow begin with its traceback, which is left out.
    """
    name = type(error).__name__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(f"{name}: ")]
    if named:
        return named[0]
    return f"{name}: {lines[0]}" if lines else name
