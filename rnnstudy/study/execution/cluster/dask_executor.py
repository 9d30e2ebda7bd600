"""Executor over Dask: jobs of a plan on the workers of a scheduler."""

import itertools
import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError, Executor, Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.study.errors import LostSchedulerError, error_sentence
from rnnstudy.study.execution.cluster import remote
from rnnstudy.study.execution.cluster.orders import Order, Packer
from rnnstudy.study.execution.leases import Leases
from rnnstudy.study.execution.schedule import drain
from rnnstudy.study.execution.worker import INTERRUPTED, JobResult, ProgressListener, notify
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import Plan

logger = logging.getLogger("rnnstudy")

LOST_WORKERS = 3
"""Workers that a job may lose before it fails."""

EARLY_DEATHS = 10
"""Workers that a job may lose before it holds its lease. It may have waited at some of them."""

LAST_WORDS = 120.0
"""Seconds in which interrupted jobs end at their next pause."""


@dataclass(eq=False)
class Flight:
    """A job on its way through the scheduler."""

    job: Job
    urgency: int
    target: "Future[JobResult]" = field(default_factory=Future)
    running: bool = False
    """Is true from the start on a worker to a pause or the end."""
    paused: bool = False
    """Is true if the last worker has closed and let the job end at a pause."""
    lost: int = 0
    """Number of workers that died while they ran the job."""
    early: int = 0
    """Number of workers that died before the job held its lease, and while they ran no other."""
    attempt: int = 0
    started: bool = False
    """Is true after the first start."""
    remote: Any = None
    """Future of Dask."""


class DaskExecutor(Executor):
    """Executor that hands the jobs of one plan to the workers of a scheduler.

    Parameters
    ----------
    client
        Client of Dask.
    order
        What the jobs have in common.
    packer
        Function from jobs to bytes.
    listener
        Progress listener.
    supply
        Resources that a worker has: name -> largest amount. Jobs ask for no others.
    """

    def __init__(
        self,
        client: Any,
        order: Order,
        packer: Packer,
        listener: ProgressListener,
        supply: Mapping[str, float],
    ) -> None:
        self.client, self.order, self.packer = client, order, packer
        self.listener, self.supply = listener, supply
        self.leases = Leases(Path(order.store), order.run)
        self.stopped = False
        self._flights: dict[int, Flight] = {}
        self._at_work: dict[str, int] = {}  # address of a worker -> number of its job
        self._lost: set[str] = set()
        self._numbers = itertools.count()
        self._lock = threading.RLock()

    def __enter__(self) -> "DaskExecutor":
        self.client.subscribe_topic(self.order.topic, self._on_event)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):  # the scheduler may be lost
            self.client.unsubscribe_topic(self.order.topic)

    def execute(self, plan: Plan) -> list[JobResult]:
        """Run the jobs of a plan; return their results."""
        return drain(plan.todo, self.submit_job)

    def submit_job(self, job: Job, urgency: int) -> "Future[JobResult]":
        """Submit a job to the scheduler. The more urgent of two jobs starts first."""
        flight = Flight(job, urgency)
        number = next(self._numbers)
        flight.target.add_done_callback(lambda _: self._flights.pop(number, None))
        self._flights[number] = flight
        self._send(flight, number)
        return flight.target

    def stop(self) -> None:
        """Let running jobs end at their next pause, and start no further ones."""
        self.stopped = True
        flying = list(self._flights.values())
        waiting = [flight.remote for flight in flying if not flight.running]
        with suppress(Exception):  # the scheduler may be lost: its workers stop by themselves
            self.client.cancel(waiting)
            self.client.run(remote.stop_run, self.order.run, on_error="ignore")
        with suppress(FutureTimeout):
            wait([flight.target for flight in flying if flight.running], LAST_WORDS)

    def _send(self, flight: Flight, number: int) -> None:
        flight.attempt += 1
        flight.remote = self.client.submit(
            remote.perform_order,
            self.order,
            self.packer.pack(flight.job, number),
            key=f"{flight.job.kind}-{self.order.run}-{number}-{flight.attempt}",
            priority=flight.urgency,
            resources=self._demand(flight.job),
            pure=False,
        )
        flight.remote.add_done_callback(lambda future: self._settle(flight, number, future))

    def _demand(self, job: Job) -> dict[str, float]:
        """Return the resources of a job, at most what the largest worker has."""
        wanted = {"memory": float(job.memory), "GPU": 1.0 if job.trains else 0.0}
        demand = {name: min(wanted[name], most) for name, most in self.supply.items()}
        return {name: amount for name, amount in demand.items() if amount > 0}

    def _settle(self, flight: Flight, number: int, future: Any) -> None:
        """Take the end of a job on Dask: its result, a lost worker, or a lost scheduler."""
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        if flight.target.done():
            return
        try:
            result: JobResult = replace(future.result(), key=flight.job.key)
        except KilledWorker as error:
            self._on_lost_worker(flight, number, getattr(error.last_worker, "address", ""))
            if not flight.target.done():
                self._send(flight, number)
            return
        except (CancelledError, FutureCancelledError) as error:
            self._fail(flight, error)
            return
        except Exception as error:
            # With another status it is the connection that fails, and not the job.
            if isinstance(error, OSError) and future.status != "error":
                self._fail(flight, error)
                return
            result = JobResult(flight.job.key, flight.job.label, 0.0, error_sentence(error))
        if result.failure == INTERRUPTED and not self.stopped:
            self._send(flight, number)  # its worker has closed
        else:
            self._end(flight, result)

    def _fail(self, flight: Flight, error: BaseException) -> None:
        if self.stopped:
            flight.target.set_exception(CancelledError())
            return
        address = getattr(getattr(self.client, "scheduler", None), "address", "")
        logger.debug("%s", error)
        flight.target.set_exception(
            LostSchedulerError(
                f"the scheduler{' at ' + address if address else ''} must stay reachable, but the "
                "connection to it is lost. What is done is kept; run the same command to go on."
            )
        )

    def _end(self, flight: Flight, result: JobResult) -> None:
        with self._lock:
            if flight.target.done():
                return
            if not result.is_claimed and result.failure != INTERRUPTED:
                self._start(flight)
                notify(self.listener.on_job_end, flight.job, result)
            flight.target.set_result(result)

    def _on_lost_worker(self, flight: Flight, number: int, worker: str) -> None:
        """Count a worker that died, if it was at the job; end the job with the last one."""
        if self.leases.is_held(flight.job):
            self.leases.discard(flight.job)
            self._count_lost_worker(flight)
        elif self._at_work.get(worker, number) == number:
            self._count_early_death(flight, worker)
        # Otherwise the job was waiting behind another one.

    def _count_early_death(self, flight: Flight, worker: str) -> None:
        """Count a worker that died before the job held its lease: while it was read, say."""
        with self._lock:
            flight.running, flight.early = False, flight.early + 1
            if worker not in self._lost:  # many jobs may have waited there
                self._lost.add(worker)
                text = f"a worker was lost before its job began; {flight.job.label} starts again"
                notify(self.listener.on_message, text)
            if flight.early < EARLY_DEATHS:
                return
        failure = (
            f"a worker must survive the start of the job, but {flight.early} workers died before "
            "it began, most often since a module of yours ends the process, or for lack of "
            "memory. Read the logs of the workers."
        )
        self._end(flight, JobResult(flight.job.key, flight.job.label, 0.0, failure))

    def _count_lost_worker(self, flight: Flight) -> None:
        with self._lock:
            flight.running = False
            flight.lost += 1
            label = flight.job.label
            if flight.lost < LOST_WORKERS:
                notify(self.listener.on_message, f"a worker was lost; {label} starts again")
                return
        failure = (
            f"a worker must survive the job, but {flight.lost} workers died while they ran it, "
            "most often for lack of memory. Give workers more memory, or let fewer networks train "
            "together (runtime.memory)."
        )
        self._end(flight, JobResult(flight.job.key, label, 0.0, failure))
        self._cancel(flight)

    def _cancel(self, flight: Flight) -> None:
        """Take a job off the scheduler, which may be about to send it to a further worker.

        This is called in Dask's own thread as well, which must not wait for itself.
        """
        with suppress(Exception):  # the scheduler may be lost
            self.client.loop.add_callback(self.client.cancel, [flight.remote], asynchronous=True)

    def _on_event(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Take a message of a worker. Dask calls this in its own thread."""
        message = event[1]
        flight, kind = self._flights.get(message["job"]), message["event"]
        with self._lock:
            self._note_work(message["worker"], message["job"], kind)
            if flight is None or flight.target.done():
                return
            if kind == "start":
                flight.running, flight.paused = True, False
                self._start(flight)
            elif kind == "lost" and not flight.paused:
                self._count_lost_worker(flight)
            elif kind in ("pause", "end"):
                flight.running, flight.paused = False, kind == "pause"
            elif kind == "step" and flight.started:
                loss = np.asarray(message["loss"], float)
                notify(
                    self.listener.on_training_step,
                    flight.job,
                    message["step"],
                    message["steps"],
                    loss,
                )

    def _note_work(self, worker: str, number: int, kind: str) -> None:
        """Note which job a worker is at. What a dead worker was at stays."""
        if kind in ("begin", "start"):
            self._at_work[worker] = number
        elif kind == "end" and self._at_work.get(worker) == number:
            del self._at_work[worker]

    def _start(self, flight: Flight) -> None:
        """Tell the listener the first start of a job."""
        if not flight.started:
            flight.started = True
            notify(self.listener.on_job_start, flight.job)


def supply_of(client: Any, patience: float = 0.0) -> dict[str, float]:
    """Return the resources of the workers: name -> largest amount of one worker.

    Waits so many seconds for the first worker.
    """
    deadline = time.monotonic() + patience
    while True:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        if workers or time.monotonic() >= deadline:
            break
        time.sleep(0.2)
    supply: dict[str, float] = {}
    for worker in workers:
        for name in ("memory", "GPU"):
            amount = float(worker.get("resources", {}).get(name, 0.0))
            if amount:
                supply[name] = max(amount, supply.get(name, 0.0))
    return supply
