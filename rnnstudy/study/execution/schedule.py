"""Order of jobs: each after those whose results it reads, the longest way to the end first."""

import logging
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from graphlib import TopologicalSorter
from queue import Empty, SimpleQueue

from rnnstudy.study.execution.worker import JobResult
from rnnstudy.study.plan.job import Job

logger = logging.getLogger("rnnstudy")

Submit = Callable[[Job, int], Future[JobResult]]
"""A function that hands a job of some urgency to an executor."""

POLL = 2.0
"""Seconds until a job that another run does is looked at again."""


def drain(jobs: Sequence[Job], submit: Submit, *, patient: bool = True) -> list[JobResult]:
    """Submit each job as soon as all that it reads is there; return the results as they come.

    A job that another run does is submitted again later or, if not `patient`, given up with all
    jobs that read what it yields.
    """
    waiting = prerequisites(jobs)
    urgency, readers = urgencies(waiting), _readers(waiting)
    ready = [job for job, before in waiting.items() if not before]
    ended, postponed = Ended(), dict[Job, float]()
    running, results = 0, list[JobResult]()
    while ready or running or postponed:
        for job in sorted(ready, key=urgency.__getitem__, reverse=True):
            submit(job, urgency[job]).add_done_callback(partial(_tell, ended, job))
        running, ready = running + len(ready), []
        for job, future in _wait(ended, min(postponed.values(), default=None)):
            running, result = running - 1, future.result()
            if result.is_claimed and patient:
                logger.debug("another run does: %s", job.label)
                postponed[job] = time.monotonic() + POLL
                continue
            results.append(result)
            for reader in () if result.is_claimed else readers.pop(job, ()):
                waiting[reader].discard(job)
                ready += [] if waiting[reader] else [reader]
        due = [job for job, moment in postponed.items() if moment <= time.monotonic()]
        for job in due:
            del postponed[job]
        ready += due
    return results


Ended = SimpleQueue[tuple[Job, Future[JobResult]]]
"""Jobs that have ended. A plan has many thousands, so that nothing looks through all of them."""


def _tell(ended: Ended, job: Job, future: Future[JobResult]) -> None:
    ended.put((job, future))


def _wait(ended: Ended, due: float | None) -> Iterator[tuple[Job, Future[JobResult]]]:
    """Wait until a job ends or one that was postponed is due; yield those that have ended."""
    with suppress(Empty):
        yield ended.get(timeout=None if due is None else max(due - time.monotonic(), 0.0))
        while True:
            yield ended.get_nowait()


def _readers(before: Mapping[Job, Iterable[Job]]) -> dict[Job, list[Job]]:
    """Return for each job those that read what it yields."""
    readers: dict[Job, list[Job]] = {}
    for job, needed in before.items():
        for maker in needed:
            readers.setdefault(maker, []).append(job)
    return readers


def prerequisites(jobs: Iterable[Job]) -> dict[Job, set[Job]]:
    """Return for each job those that yield what it reads."""
    jobs = list(jobs)
    makers: dict[Hashable, Job] = {}
    for job in jobs:
        makers.update(dict.fromkeys(job.results(), job))
    return {job: {makers[needed] for needed in job.requires() if needed in makers} for job in jobs}


def urgencies(before: Mapping[Job, Iterable[Job]]) -> dict[Job, int]:
    """Return the rank of each job: the higher, the longer the way from it to the end of the plan.

    The length of a way is the training on it and then the number of its jobs.
    """
    lengths = {job: _length(job) for job in before}
    length = dict(lengths)
    for job in reversed(list(TopologicalSorter(before).static_order())):
        for earlier in before[job]:
            steps, count = lengths[earlier]
            after = (length[job][0] + steps, length[job][1] + count)
            length[earlier] = max(length[earlier], after)
    ranks = {value: rank for rank, value in enumerate(sorted(set(length.values())))}
    return {job: ranks[length[job]] for job in before}


def _length(job: Job) -> tuple[float, int]:
    steps = sum(n.training.steps * n.task.length * n.cell.state_size for n in job.trains)
    return float(steps), 1
