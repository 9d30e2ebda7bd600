"""Worker: runs single jobs, which read and write the store."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol

from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import pauses
from rnnstudy.population.compile import free_memory
from rnnstudy.study.errors import error_sentence, located_sentence
from rnnstudy.study.execution.checkpoints import Checkpoints
from rnnstudy.study.execution.leases import Lease, Leases
from rnnstudy.study.execution.memory import run_divided
from rnnstudy.study.execution.signals import is_interruption
from rnnstudy.study.execution.tensorboard import training_curves
from rnnstudy.study.plan.job import Job, JobKey, Stopped, Writer
from rnnstudy.study.store import Store, StoreSnapshot
from rnnstudy.training.protocol import Training
from rnnstudy.training.sharding import devices_of

logger = logging.getLogger("rnnstudy")

FREED_AFTER = 10.0
"""Seconds of jobs after which unused memory is returned to the system, which takes a while."""

INTERRUPTED = "interrupted"
"""Failure of a job that was stopped before its end."""


@dataclass(frozen=True)
class JobResult:
    """End of a job: its key and label, its seconds, and the reason if it failed."""

    key: JobKey
    label: str
    seconds: float
    failure: str | None = None
    trace: str = ""
    is_claimed: bool = False
    """Is true if nothing was done, because another run does the job."""
    damaged: tuple[str, ...] = ()
    """Addresses of damaged records that the process has set aside meanwhile."""


class ProgressListener(Protocol):
    """Object that follows an execution. Its methods are called from several threads."""

    def on_job_start(self, job: Job) -> None:
        """Receive the start of a job."""

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Receive the progress of training: `step` of `steps` are done; loss [member]."""

    def on_job_end(self, job: Job, result: JobResult) -> None:
        """Receive the end of a job, with or without success."""

    def on_message(self, text: str) -> None:
        """Receive a line for the user, such as the address of a cluster's dashboard."""


@dataclass(frozen=True)
class Worker:
    """Context in which jobs run against a store."""

    store: Store
    listener: ProgressListener
    stop: threading.Event
    interval: float
    """Seconds between two checkpoints of a training job."""
    devices: tuple[str, ...] | None
    """Devices that share the networks of a cohort; None for all that TensorFlow sees."""
    tensorboard: str | None
    """Folder of TensorBoard's event files."""
    leases: Leases | None = None
    """Claims of jobs against other runs on the store; None without other runs."""

    def perform(self, job: Job) -> JobResult:
        """Run a job unless another run does.

        Any exception becomes the failure of the result, SystemExit as well.
        """
        if self.leases is None:
            return self._perform_and_name_damage(job, None)
        with ExitStack() as stack:
            try:
                lease = stack.enter_context(self.leases.claim(job))
            except OSError as error:
                return self._fail_without_lease(job, error)
            if lease is None:
                return JobResult(job.key, job.label, 0.0, is_claimed=True)
            return self._perform_and_name_damage(job, lease)

    def _fail_without_lease(self, job: Job, error: OSError) -> JobResult:
        """Return the result of a job whose lease the disk does not take."""
        failure = (
            f"a lease of the job must be written to the store, got {error_sentence(error)}. The "
            "store must be on a file system with free space and hard links (runtime.store)."
        )
        notify(self.listener.on_job_start, job)
        result = JobResult(job.key, job.label, 0.0, failure, traceback.format_exc())
        logger.info("%s: %s", failure, job.label)
        notify(self.listener.on_job_end, job, result)
        return result

    def _perform_and_name_damage(self, job: Job, lease: Lease | None) -> JobResult:
        before = len(self.store.damaged)
        result = self._perform(job, lease)
        return replace(result, damaged=tuple(self.store.damaged[before:]))

    def _perform(self, job: Job, lease: Lease | None) -> JobResult:
        start, failure, trace = time.monotonic(), None, ""
        logger.info("start: %s", job.label)
        notify(self.listener.on_job_start, job)
        context = JobContext(self, job, lease)
        try:
            with pauses(context.refuse_stopped):
                context.refuse_stopped()
                rest = self._rest(job)
                if rest is not None:
                    run_divided(rest, context, free_memory)
        except Stopped:
            seconds, is_lost = time.monotonic() - start, not self.stopped
            failure = None if is_lost else INTERRUPTED
            return JobResult(job.key, job.label, seconds, failure, is_claimed=is_lost)
        except BaseException as error:
            if is_interruption(error) and threading.current_thread() is threading.main_thread():
                raise
            failure, trace = located_sentence(error), traceback.format_exc()
            logger.debug("%s", trace)
        result = JobResult(job.key, job.label, time.monotonic() - start, failure, trace)
        _FREED_MEMORY.after(result.seconds)
        logger.info("%s after %.1f s: %s", failure or "done", result.seconds, job.label)
        notify(self.listener.on_job_end, job, result)
        return result

    def _rest(self, job: Job) -> Job | None:
        """Return what the store lacks of a job that another run may have done meanwhile."""
        addresses = [result for result in job.results() if isinstance(result, str)]
        if self.leases is None or not any(map(self.store.has, addresses)):
            return job
        return job.missing(StoreSnapshot(self.store))

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
        notify(self.listener.on_training_step, job, step, steps, loss)


class FreedMemory:
    """Returns unused memory to the system from time to time, whichever thread has used it."""

    def __init__(self) -> None:
        self._seconds, self._lock = 0.0, threading.Lock()

    def after(self, seconds: float) -> None:
        """Count the seconds of a job; free memory once they come to `FREED_AFTER`."""
        with self._lock:
            total = self._seconds + seconds
            self._seconds = 0.0 if total >= FREED_AFTER else total
        if total >= FREED_AFTER:
            free_memory()


_FREED_MEMORY = FreedMemory()
"""Memory of this process."""


@dataclass(frozen=True)
class JobContext:
    """Worker as one job sees it: the job stops if its lease is lost."""

    worker: Worker
    job: Job
    lease: Lease | None

    @property
    def store(self) -> Store:
        """Store that the job reads and writes."""
        return self.worker.store

    @property
    def devices(self) -> tuple[str, ...]:
        """Devices that share the networks of a cohort."""
        devices = self.worker.devices
        return devices_of(None) if devices is None else devices

    @property
    def stopped(self) -> bool:
        """Is true after an interrupt, and if another run has taken the job over."""
        return self.worker.stopped or (self.lease is not None and self.lease.lost.is_set())

    def refuse_stopped(self) -> None:
        """Raise Stopped at a pause of a job that is to end."""
        if self.stopped:
            raise Stopped

    def checkpoints(self, cohort: Sequence[str]) -> Checkpoints:
        """Return the checkpoints of networks at these addresses."""
        return self.worker.checkpoints(cohort)

    def training_curves(self, cohort: str, protocol: Training) -> AbstractContextManager[Writer]:
        """Return a writer of training curves for as long as the context is open."""
        return self.worker.training_curves(cohort, protocol)

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Pass the number of steps to the listener, for the job that it has seen start."""
        self.worker.on_training_step(self.job, step, steps, loss)


def notify(report: Callable[..., None], *news: Any) -> None:
    """Call a method of a listener. An error of the listener, such as a closed pipe, ends no run."""
    try:
        report(*news)
    except Exception as error:
        logger.warning("the progress listener raises %s", error_sentence(error))
