"""Jobs without TensorFlow for tests of executors: they write small records, sleep, fail or die.

A module that worker processes can import.
"""

import os
import signal
import threading
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.leases import Leases
from rnnstudy.study.execution.schedule import Submit
from rnnstudy.study.execution.worker import JobResult, Worker
from rnnstudy.study.plan.job import Context, Job, Stopped
from rnnstudy.study.plan.plan import Plan
from rnnstudy.study.store import Store


@dataclass(frozen=True, eq=False)
class Text(Record):
    value: Array = array("letter")


@dataclass(frozen=True, eq=False)
class Write(Job):
    """Writes the names of what it has read. Its diary, a file, has a line for each start."""

    name: str
    needs: tuple[str, ...] = ()
    diary: str = ""
    pauses: int = 0
    """Pauses of 50 ms, at each of which the job may be stopped."""
    deadly: bool = False
    """If true, the process that runs the job is killed."""
    once: bool = False
    """If true, only the first start pauses."""

    @property
    def kind(self) -> str:
        return "write"

    @property
    def task(self) -> str:
        return "fake"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def label(self) -> str:
        return f"write {self.name}"

    def results(self) -> tuple[Hashable, ...]:
        return (address(self.name),)

    def requires(self) -> list[Hashable]:
        return [address(name) for name in self.needs]

    def _present(self, store: Store) -> Sequence[bool]:
        return [store.has(address(self.name))]

    def missing(self, store: Store) -> Self | None:
        return None if store.has(address(self.name)) else self

    def run(self, context: Context) -> None:
        pauses = 0 if self.once and self.name in starts(self.diary) else self.pauses
        note(self.diary, f"{self.name} {os.getpid()}")
        for _ in range(pauses):
            if context.stopped:
                note(self.diary, f"{self.name} stopped")
                raise Stopped
            time.sleep(0.05)
        if self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        read = [text(context.store, name) for name in self.needs]
        content = f"{self.name}({','.join(read)})"
        letters = np.frombuffer(content.encode(), np.uint8)
        context.store.write(address(self.name), Text(value=letters))


@dataclass(frozen=True, eq=False)
class Unreadable(Write):
    """A job that kills each process but its own that reads it, as an import of a module may."""

    home: int = 0

    def __post_init__(self) -> None:
        if os.getpid() != self.home:
            os.kill(os.getpid(), signal.SIGKILL)


def address(name: str) -> str:
    return f"fake-{name}"


def text(store: Store, name: str) -> str:
    return bytes(store.read(address(name), Text).value.astype(np.uint8)).decode()


def note(diary: str, line: str) -> None:
    if diary:
        with Path(diary).open("a") as file:
            file.write(f"{line}\n")


def starts(diary: str) -> list[str]:
    """Names of the jobs that were started, once for each start."""
    path = Path(diary)
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.split()[0] for line in lines if not line.endswith("stopped")]


def plan_of(*jobs: Job) -> Plan:
    return Plan(index=None, todo=jobs, done=())  # type: ignore[arg-type]


def in_this_thread(store: Store, leases: Leases | None = None) -> Submit:
    """Submit jobs by doing them at once."""
    worker = Worker(store, NullListener(), threading.Event(), 60.0, (), None, leases)

    def submit(job: Job, urgency: int) -> "Future[JobResult]":
        future: Future[JobResult] = Future()
        future.set_result(worker.perform(job))
        return future

    return submit
