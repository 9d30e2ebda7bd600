"""Doing the jobs of a plan: each worker reads and writes the store itself."""

import os
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rnnstudy.cells.base import check_cell
from rnnstudy.lazy import tf
from rnnstudy.population.sharding import devices_of
from rnnstudy.population.training import Course, Trained, train
from rnnstudy.record import Array, Record
from rnnstudy.study.checkpoints import Checkpoints
from rnnstudy.study.choices import judged
from rnnstudy.study.curves import training_curves
from rnnstudy.study.jobs import (
    AnalyseMembers,
    AnalyseTask,
    Job,
    Select,
    TrainCohort,
    counted,
    status,
)
from rnnstudy.study.plan import Plan
from rnnstudy.study.run import RunError
from rnnstudy.study.spec import Runtime
from rnnstudy.study.store import Store
from rnnstudy.tasks.base import check_trials


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its label, seconds, and if it failed the reason and the traceback."""

    label: str
    seconds: float
    failure: str | None = None
    trace: str = ""


class Watch(Protocol):
    """Somebody who follows the execution. Called from several threads."""

    def begun(self, job: Job) -> None:
        """A job has started."""

    def trained(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """A training job has done `step` of `steps`; loss [member]."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """A job has ended, well or not."""


class Stopped(Exception):
    """Raised inside a job after the user has interrupted the run."""


def execute(plan: Plan, store: Store, runtime: Runtime, watch: Watch) -> list[Outcome]:
    """Do what the plan lacks; a failed job does not stop those that do not need it.

    KeyboardInterrupt lets running jobs end at their next pause, keeps all that is whole, and is
    raised again.
    """
    if not plan.todo:
        return []
    start_tensorflow(runtime)
    devices = _devices(runtime)
    workers = _workers(runtime, devices)
    stop = threading.Event()
    with ThreadPoolExecutor(workers, thread_name_prefix="rnnstudy") as executor:
        try:
            worker = _Worker(store, watch, stop, runtime.checkpoint, devices, runtime.tensorboard)
            return _drain(plan, worker, executor)
        except KeyboardInterrupt:
            stop.set()
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def start_tensorflow(runtime: Runtime) -> None:
    """Set up TensorFlow for many small programs at once: one thread per operation.

    Operations on small networks are shorter than handing them to a second thread takes; jobs run
    side by side instead. A process that already uses TensorFlow keeps its own settings, but for
    TensorFlow's rounding of products on GPUs, which only `training.tf32` may ask for.
    """
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
    except RuntimeError:
        return
    if runtime.deterministic:
        tf.config.experimental.enable_op_determinism()


def _devices(runtime: Runtime) -> tuple[str, ...]:
    """The devices that train; RunError if TensorFlow does not see them all."""
    try:
        return devices_of(runtime.devices)
    except ValueError as error:
        raise RunError(f"runtime.devices {error}") from None


def _workers(runtime: Runtime, devices: Sequence[str]) -> int:
    """Jobs side by side: one per core, but one alone where a GPU or several devices do the work."""
    if len(devices) > 1 or tf.config.list_physical_devices("GPU"):
        return 1
    return runtime.workers or os.cpu_count() or 1


def _drain(plan: Plan, worker: "_Worker", executor: Executor) -> list[Outcome]:
    """Hand out jobs as soon as what they read is there."""
    waiting, running = list(plan.todo), dict[Future[Outcome], Job]()
    outcomes = []
    while waiting or running:
        for job in [job for job in waiting if not _awaits(job, waiting, running.values())]:
            waiting.remove(job)
            running[executor.submit(worker.perform, job)] = job
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            outcomes.append(future.result())
            del running[future]
    return outcomes


def _awaits(job: Job, waiting: Sequence[Job], running: object) -> bool:
    ahead = [*waiting, *running]  # type: ignore[misc]
    if isinstance(job, TrainCohort):
        return False
    wanted = set(job.networks)
    if isinstance(job, AnalyseTask):
        if any(need in ahead for need in job.needs):
            return True
        others = [other for other in ahead if isinstance(other, TrainCohort | AnalyseMembers)]
        return any(
            isinstance(other, TrainCohort) or other.analysis in job.analysis.parts()
            for other in others
            if wanted & set(other.networks)
        )
    return any(isinstance(o, TrainCohort) and wanted & set(o.networks) for o in ahead)


def _sentence(error: Exception) -> str:
    """Class and message of an error on one line: TensorFlow's begin with pages of its traceback."""
    name = type(error).__name__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(f"{name}: ")]
    if named:
        return named[0]
    return f"{name}: {lines[0]}" if lines else name


@dataclass(frozen=True)
class _Worker:
    """Performs single jobs against a store."""

    store: Store
    watch: Watch
    stop: threading.Event
    interval: float
    """Seconds between two checkpoints of a training job."""
    devices: tuple[str, ...]
    """Those that share a cohort's members."""
    tensorboard: str | None
    """Folder of TensorBoard's event files."""

    def perform(self, job: Job) -> Outcome:
        """Do a job; its failure is data."""
        begun, failure, trace = time.monotonic(), None, ""
        self.watch.begun(job)
        try:
            self._do(job)
        except Stopped:
            return Outcome(job.label, time.monotonic() - begun, "interrupted")
        except Exception as error:
            failure = _sentence(error)
            trace = traceback.format_exc()
        outcome = Outcome(job.label, time.monotonic() - begun, failure, trace)
        self.watch.ended(job, outcome)
        return outcome

    def _do(self, job: Job) -> None:
        if self.stop.is_set():
            raise Stopped
        if isinstance(job, TrainCohort):
            self._train(job)
        elif isinstance(job, Select):
            self._select(job)
        elif isinstance(job, AnalyseMembers):
            self._analyse_members(job)
        else:
            self._analyse_task(job)

    def _train(self, job: TrainCohort) -> None:
        first = job.networks[0]
        check_trials(first.task)
        check_cell(first.cell, first.task.inputs)
        trained, attempts = self._attempt(job, range(len(job.networks)), 0), [0]
        while attempts[-1] < first.training.retry and (trained.diverged_at >= 0).any():
            attempts.append(attempts[-1] + 1)
            lost = np.flatnonzero(trained.diverged_at >= 0).tolist()
            trained = trained.replaced(lost, self._attempt(job, lost, attempts[-1]))
        for i, key in enumerate(job.keys):
            self.store.write(key, trained.select("member", [i]))
        for attempt in attempts:
            self._checkpoints(job, attempt).clear()

    def _checkpoints(self, job: TrainCohort, attempt: int) -> Checkpoints:
        return Checkpoints(self.store, [*job.keys, f"attempt {attempt}"], self.interval)

    def _attempt(self, job: TrainCohort, members: Sequence[int], attempt: int) -> Trained:
        """Train some members of a cohort, from fresh seeds if it is not the first attempt."""
        networks = [job.networks[i] for i in members]
        first, protocol = networks[0], networks[0].training
        checkpoints = self._checkpoints(job, attempt)

        def checkpoint(course: Course) -> None:
            draw(course)
            # A finished attempt that another may follow is kept, lest it be trained twice.
            if self.stop.is_set() or (course.done == protocol.steps and protocol.retry):
                checkpoints.write(course)
            if self.stop.is_set():
                raise Stopped
            checkpoints.keep(course)

        cohort = f"{job.names[0]} {counted(len(members), 'network')} attempt {attempt}"
        with training_curves(self.tensorboard, cohort, protocol) as draw:
            return train(
                first.cell,
                first.task,
                [network.training for network in networks],
                [network.seed for network in networks],
                lambda step, loss: self.watch.trained(job, step, protocol.steps, loss),
                attempt=attempt,
                resume=checkpoints.latest(),
                checkpoint=checkpoint,
                devices=self.devices,
            )

    def _select(self, job: Select) -> None:
        keys = [network.key() for network in job.networks]
        lost = sum(status(self.store, key) is None for key in keys)
        if lost:
            raise RuntimeError(f"not chosen: {counted(lost, 'pilot')} could not be trained")
        pilots = [self.store.read(key, Trained) for key in keys]
        self.store.write(job.contest.key, judged(job.contest, pilots))

    def _analyse_members(self, job: AnalyseMembers) -> None:
        usable = [n for n in job.networks if status(self.store, n.key()) == "trained"]
        if usable:
            trained = Trained.join([self.store.read(n.key(), Trained) for n in usable], "member")
            records = job.analysis.run(trained.population, usable[0].task)
            for network, record in zip(usable, records, strict=True):
                self.store.write(job.analysis.key(network.key()), record)
        self._mention_missing(job)

    def _mention_missing(self, job: AnalyseMembers) -> None:
        lost = [
            name
            for name, network in zip(job.names, job.networks, strict=True)
            if status(self.store, network.key()) is None
        ]
        if lost:
            raise RuntimeError(f"not done for {', '.join(lost)}, which could not be trained")

    def _analyse_task(self, job: AnalyseTask) -> None:
        if not job.expected(self.store):
            return
        at, key = job.ready(self.store), job.key(self.store)
        if not at and job.analysis.parts():
            raise RuntimeError(f"no network of task '{job.task.title}' is usable")
        if self.store.has(key):
            return
        networks = [job.networks[i].key() for i in at]
        parts = [
            [self.store.read(part.key(key), Record) for key in networks]
            for part in job.analysis.parts()
        ]
        shared = [self._shared(need) for need in job.needs]
        self.store.write(key, job.analysis.run([job.members[i] for i in at], parts, shared))

    def _shared(self, need: AnalyseTask) -> Record:
        key = need.key(self.store)
        if not self.store.has(key):
            raise RuntimeError(f"it needs '{need.analysis.title}', which failed")
        return self.store.read(key, Record)
