"""The worker's side: single jobs of a run in a process of Dask."""

import gc
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import after_import, quiet_tensorflow
from rnnstudy.core.threads import one_thread
from rnnstudy.population.compile import keep_freed_memory
from rnnstudy.study.errors import located_sentence
from rnnstudy.study.execution.cluster.orders import Order, PackedJob, Packer
from rnnstudy.study.execution.leases import Leases
from rnnstudy.study.execution.tensorflow_setup import start_tensorflow
from rnnstudy.study.execution.worker import JobResult, Worker
from rnnstudy.study.plan.job import Job, JobKey
from rnnstudy.study.spec.options import Runtime
from rnnstudy.study.store import Store

STEP_INTERVAL = 1.0
"""Seconds between two messages about the steps of a job."""

Send = Callable[[dict[str, Any]], None]


class _Process:
    """State of a worker process: runs that must stop, and jobs at work."""

    def __init__(self) -> None:
        self.stop: dict[str, threading.Event] = {}
        self.active: dict[int, Send] = {}
        self.packers: dict[str, Packer] = {}
        self.lock = threading.Lock()
        self.configured = False

    def stop_of(self, run: str) -> threading.Event:
        with self.lock:
            return self.stop.setdefault(run, threading.Event())


PROCESS = _Process()


def stop_run(run: str) -> None:
    """Let the jobs of a run end at their next pause."""
    PROCESS.stop_of(run).set()


def stop_process() -> None:
    """Let all jobs end at their next pause, and say so: this worker closes."""
    for send in list(PROCESS.active.values()):
        send({"event": "pause"})
    with PROCESS.lock:
        for event in PROCESS.stop.values():
            event.set()


def perform_order(order: Order, packed: PackedJob) -> JobResult:
    """Run a job of an order in this process. An exception becomes the failure of the result."""
    _configure(order)
    send = _sender(order.topic, packed.number)
    send({"event": "begin"})  # the import of a user's module may end the process
    start = time.monotonic()
    try:
        job = _packer(order).unpack(packed)
    except Exception as error:
        key = JobKey("", "", ())
        return JobResult(key, packed.label, time.monotonic() - start, located_sentence(error))
    with (
        _activity(send),
        one_thread(),
        Leases(Path(order.store), order.run) as leases,
    ):
        worker = Worker(
            store=Store(order.store, repairing=order.repairing),
            listener=_Events(send),
            stop=PROCESS.stop_of(order.run),
            interval=order.runtime.checkpoint,
            devices=None,
            tensorboard=order.runtime.tensorboard,
            leases=leases,
        )
        if leases.is_held(job):
            send({"event": "lost"})  # with the process that held it
        return worker.perform(job)


def _packer(order: Order) -> Packer:
    """Return the packer of an order, with an index that the jobs of the order share."""
    with PROCESS.lock:
        if order.digest not in PROCESS.packers:
            PROCESS.packers = {order.digest: Packer(order.index())}
        return PROCESS.packers[order.digest]


class _Events:
    """Progress listener that sends events to the run."""

    def __init__(self, send: Send) -> None:
        self.send, self._last = send, 0.0

    def on_job_start(self, job: Job) -> None:
        """Send the start of a job."""
        self.send({"event": "start"})

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Send the progress of training, every second at most."""
        if time.monotonic() - self._last >= STEP_INTERVAL:
            self._last = time.monotonic()
            values = np.asarray(loss, float).tolist()
            self.send({"event": "step", "step": int(step), "steps": int(steps), "loss": values})

    def on_job_end(self, job: Job, result: JobResult) -> None:
        """Send nothing: the result itself is on its way."""

    def on_message(self, text: str) -> None:
        """Send nothing."""


@contextmanager
def _activity(send: Send) -> Iterator[None]:
    PROCESS.active[id(send)] = send
    try:
        yield
    finally:
        del PROCESS.active[id(send)]
        send({"event": "end"})


def _sender(topic: str, number: int) -> Send:
    """Return a function that sends events of a job to the run."""
    from distributed import get_worker

    worker = get_worker()

    def send(event: dict[str, Any]) -> None:
        worker.log_event(topic, {**event, "job": number, "worker": worker.address})

    return send


def _configure(order: Order) -> None:
    """Set up this process before its first job."""
    logging.getLogger("rnnstudy").setLevel(order.level)
    with PROCESS.lock:
        if PROCESS.configured:
            return
        PROCESS.configured = True
    quiet_tensorflow()
    keep_freed_memory()
    _choose_gpu()
    after_import("tensorflow", partial(_start, order.runtime))


def _start(runtime: Runtime) -> None:
    """Set TensorFlow up, and exempt its objects from garbage collection."""
    start_tensorflow(runtime)
    gc.collect()
    gc.freeze()


def _choose_gpu() -> None:
    """Leave one GPU to this process: of those that it may see, that of its number on the machine.

    The last number in a worker's name counts the workers of a machine or of a batch job.
    """
    from distributed import get_worker

    visible = visible_gpus()
    if len(visible) > 1 and "tensorflow" not in sys.modules:
        numbers = re.findall(r"\d+", str(get_worker().name)) or ["0"]
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[int(numbers[-1]) % len(visible)]


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may see, by the names that CUDA uses."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is not None:
        return [name for name in listed.split(",") if name not in ("", "-1")]
    present = sorted(Path("/proc/driver/nvidia/gpus").glob("*"))
    return [str(i) for i in range(len(present))]
