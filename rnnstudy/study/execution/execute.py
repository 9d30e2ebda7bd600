"""Execution of a plan: each job after those whose results it reads."""

import logging
import threading
from collections.abc import Callable, Collection, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rnnstudy.core.lazy_imports import tf
from rnnstudy.core.threads import available_cores, one_thread
from rnnstudy.population.compile import frozen_objects
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.cluster.session import ClusterSession
from rnnstudy.study.execution.leases import Leases
from rnnstudy.study.execution.schedule import Further, drain
from rnnstudy.study.execution.tensorflow_setup import start_tensorflow
from rnnstudy.study.execution.worker import JobResult, ProgressListener, Worker
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.spec.options import Runtime
from rnnstudy.study.store import Store
from rnnstudy.training.sharding import devices_of

logger = logging.getLogger("rnnstudy")


def execute(
    plan: Plan,
    store: Store,
    runtime: Runtime,
    listener: ProgressListener,
    *,
    find: Callable[[Collection[Hashable]], Sequence[Job]] | None = None,
    session: ClusterSession | None = None,
) -> list[JobResult]:
    """Run the jobs of a plan. A failed job does not stop those that do not need it.

    They run on the cluster of the session, if there is one, or in threads of this process.
    A job that another run on the store does is waited for. With a function that finds further jobs,
    it is left out. The function is called while a thread has nothing to do, with the results of
    jobs that it does not return.
    KeyboardInterrupt lets running jobs end at their next pause, keeps all complete results, and is
    raised again.
    """
    if not plan.todo:
        return []
    if session is not None:
        return session.execute(plan, store, listener)
    start_tensorflow(runtime)
    devices = _devices(runtime)
    workers = _workers(runtime, devices)
    stop = threading.Event()
    # Jobs run side by side, each with one thread for linear algebra.
    with (
        one_thread(),
        frozen_objects(),
        Leases(store.root) as leases,
        ThreadPoolExecutor(workers, thread_name_prefix="rnnstudy") as executor,
    ):
        worker = Worker(
            store, listener, stop, runtime.checkpoint, devices, runtime.tensorboard, leases
        )
        further = None if find is None else Further(workers, find)
        try:
            return drain(plan.todo, lambda job, _: executor.submit(worker.perform, job), further)
        except KeyboardInterrupt as interruption:
            stop.set()
            logger.warning(
                "%s: running jobs end at their next pause; a second signal ends them at once",
                str(interruption) or "interrupted",
            )
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def _devices(runtime: Runtime) -> tuple[str, ...]:
    """Return the devices that train; RunError if TensorFlow does not see them all."""
    try:
        return devices_of(runtime.devices)
    except ValueError as error:
        raise RunError(f"runtime.devices {error}") from None


def _workers(runtime: Runtime, devices: Sequence[str]) -> int:
    """Return the number of jobs side by side: one per core that it may use, but one on GPUs."""
    if len(devices) > 1 or tf.config.list_physical_devices("GPU"):
        return 1
    return runtime.workers or available_cores()
