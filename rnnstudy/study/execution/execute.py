"""Doing the jobs of a plan: workers get what they read before them."""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait

from rnnstudy.core.lazy_imports import tf
from rnnstudy.core.threads import one_thread
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.worker import Outcome, Watch, Worker
from rnnstudy.study.plan.jobs import (
    AnalyseMembers,
    AnalyseTask,
    CompareBlocks,
    Job,
    ReadModels,
    TrainCohort,
)
from rnnstudy.study.plan.member_queries import Question
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.spec.networks import AnyNetwork
from rnnstudy.study.spec.study import Runtime
from rnnstudy.study.store import Store
from rnnstudy.training.sharding import devices_of


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
    # Jobs run side by side, each with one thread for linear algebra.
    with one_thread(), ThreadPoolExecutor(workers, thread_name_prefix="rnnstudy") as executor:
        try:
            worker = Worker(store, watch, stop, runtime.checkpoint, devices, runtime.tensorboard)
            return _drain(plan, worker, executor)
        except KeyboardInterrupt:
            stop.set()
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def start_tensorflow(runtime: Runtime) -> None:
    """Set up TensorFlow for many small programs side by side, as reproducible as it can be.

    A process that already uses TensorFlow keeps its own settings, but for TensorFlow's rounding of
    products on GPUs, which only `training.tf32` may ask for.
    """
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        # Programs of XLA hand their parts to these threads, whichever job they belong to. All
        # cores, whatever `runtime.workers` is: how sums are split may follow from their number.
        tf.config.threading.set_intra_op_parallelism_threads(os.cpu_count() or 1)
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


def _drain(plan: Plan, worker: Worker, executor: Executor) -> list[Outcome]:
    """Hand out jobs as soon as what they read is there."""
    waiting, running = _prerequisites(plan.todo), dict[Future[Outcome], Job]()
    outcomes = []
    while waiting or running:
        for job in [job for job, before in waiting.items() if not before]:
            del waiting[job]
            running[executor.submit(worker.perform, job)] = job
        ended, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in ended:
            outcomes.append(future.result())
            job = running.pop(future)
            for before in waiting.values():
                before.discard(job)
    return outcomes


def _prerequisites(jobs: Sequence[Job]) -> dict[Job, set[Job]]:
    """For each job those that make what it reads: networks, what is found of them, tiles."""
    makers: dict[tuple[AnyNetwork, str], list[Job]] = {}
    for job in jobs:
        if isinstance(job, TrainCohort | ReadModels | AnalyseMembers):
            made = job.question.address if isinstance(job, AnalyseMembers) else ""
            for network in job.networks:
                makers.setdefault((network, made), []).append(job)
    found: dict[Job, set[Job]] = {}
    for job in jobs:
        reads = [] if isinstance(job, TrainCohort | ReadModels) else ["", *_parts(job)]
        found[job] = {
            maker
            for network in (job.networks if reads else ())
            for read in reads
            for maker in makers.get((network, read), ())
        }
    for job in jobs:
        if isinstance(job, AnalyseTask):
            found[job].update(need for need in job.needs if need in found)
        elif isinstance(job, CompareBlocks):
            found[job.whole].add(job)
    return found


def _parts(job: Job) -> list[str]:
    """Addresses of what a job reads of single networks, beside the networks themselves."""
    parts: tuple[Question, ...] = ()
    if isinstance(job, AnalyseTask):
        parts = job.asked
    elif isinstance(job, CompareBlocks):
        parts = job.whole.asked
    elif isinstance(job, AnalyseMembers):
        parts = job.question.needs
    return [part.address for part in parts]
