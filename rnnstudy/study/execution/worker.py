"""One worker: does single jobs against a store, which it reads and writes itself."""

import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rnnstudy.cells.base import check_cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.study.execution.checkpoints import Checkpoints
from rnnstudy.study.execution.import_models import read_model
from rnnstudy.study.execution.tensorboard import training_curves
from rnnstudy.study.plan.distance_tiles import assemble, compare, tiles
from rnnstudy.study.plan.jobs import (
    AnalyseMembers,
    AnalyseTask,
    CompareBlocks,
    Job,
    ReadModels,
    Select,
    TrainCohort,
    counted,
    status,
)
from rnnstudy.study.plan.member_queries import Question
from rnnstudy.study.plan.selection import judged
from rnnstudy.study.spec.networks import AnyNetwork, Network
from rnnstudy.study.store import Store
from rnnstudy.tasks.base import check_trials
from rnnstudy.training.state import Course
from rnnstudy.training.train import Trained, train


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


def _sentence(error: Exception) -> str:
    """Class and message of an error on one line: TensorFlow's begin with pages of its traceback."""
    name = type(error).__name__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(f"{name}: ")]
    if named:
        return named[0]
    return f"{name}: {lines[0]}" if lines else name


@dataclass(frozen=True)
class Worker:
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
        elif isinstance(job, ReadModels):
            for network in job.networks:
                self.store.write(network.key(), read_model(network))
        elif isinstance(job, Select):
            self._select(job)
        elif isinstance(job, AnalyseMembers):
            self._analyse_members(job)
        elif isinstance(job, CompareBlocks):
            compare(job, self.store)
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
        ready = [n for n in usable if not self._lacks(job, n)]
        if ready:
            trained = Trained.join([self.store.read(n.key(), Trained) for n in ready], "member")
            found = self._found(job.question.needs, ready)
            networks = job.analysis.looked_at(trained)
            records = job.analysis.run(networks, ready[0].task, *found)
            for network, record in zip(ready, records, strict=True):
                self.store.write(job.key_of(network), record)
        self._mention_missing(job)

    def _lacks(self, job: AnalyseMembers, network: AnyNetwork) -> str:
        """Title of what a job needs of a network and the store does not hold; empty if nothing."""
        needs = job.question.needs
        return next((n.title for n in needs if not self.store.has(n.key(network.key()))), "")

    def _found(
        self, parts: Sequence[Question], networks: Sequence[AnyNetwork]
    ) -> list[list[Record]]:
        """What each of these questions found of each network."""
        keys = [network.key() for network in networks]
        return [[self.store.read(part.key(key), Record) for key in keys] for part in parts]

    def _mention_missing(self, job: AnalyseMembers) -> None:
        lost = [
            name
            for name, network in zip(job.names, job.networks, strict=True)
            if status(self.store, network.key()) is None
        ]
        if lost:
            done = "trained" if isinstance(job.networks[0], Network) else "read"
            raise RuntimeError(f"not done for {', '.join(lost)}, which could not be {done}")
        lacking = {
            name: title
            for name, network in zip(job.names, job.networks, strict=True)
            if status(self.store, network.key()) == "trained"
            and (title := self._lacks(job, network))
        }
        if lacking:
            needed = ", ".join(dict.fromkeys(map(repr, lacking.values())))
            raise RuntimeError(
                f"not done for {', '.join(lacking)}: it needs {needed}, which failed"
            )

    def _analyse_task(self, job: AnalyseTask) -> None:
        if not job.expected(self.store):
            return
        at, key = job.ready(self.store), job.key(self.store)
        hosts = [i for i in at if job.is_host(i)]
        if not hosts and job.parts:
            raise RuntimeError(f"no network of task '{job.task.title}' is usable")
        if self.store.has(key):
            return
        if split := tiles(job):
            self.store.write(key, assemble(job, split, self.store))
            return
        parts = self._found(job.parts, [job.networks[i] for i in hosts])
        if job.visit:
            guests = [job.networks[i] for i in at if not job.is_host(i)]
            parts += self._found((job.visit,), guests)
        shared = [self._shared(need) for need in job.needs]
        self.store.write(key, job.analysis.run([job.members[i] for i in at], parts, shared))

    def _shared(self, need: AnalyseTask) -> Record:
        key = need.key(self.store)
        if not self.store.has(key):
            raise RuntimeError(f"it needs '{need.analysis.title}', which failed")
        return self.store.read(key, Record)
