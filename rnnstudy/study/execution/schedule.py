"""Order of jobs: each after those whose results it reads, the longest way to the end first."""

import logging
import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from graphlib import TopologicalSorter
from queue import Empty, SimpleQueue
from typing import NamedTuple

from rnnstudy.study.execution.plan_progress import rough_seconds
from rnnstudy.study.execution.worker import JobResult
from rnnstudy.study.plan.job import Job

logger = logging.getLogger("rnnstudy")

Submit = Callable[[Job, int], Future[JobResult]]
"""A function that hands a job of some urgency to an executor."""

POLL = 2.0
"""Seconds until a job that another run does is looked at again."""

LOOK = 10.0
"""Seconds between two looks for further jobs while there is nothing else to start."""


class Further(NamedTuple):
    """Search for jobs whose inputs other runs yield, for as long as a thread has nothing to do.

    Parameters
    ----------
    threads
        Number of jobs that run side by side.
    find
        Function of results of jobs that are not to be found: they run, or have ended.
    """

    threads: int
    find: Callable[[Collection[Hashable]], Sequence[Job]]


class _Order:
    """Jobs that wait for others, who reads what they yield, and how urgent they are."""

    def __init__(self) -> None:
        self.urgency: dict[Job, int] = {}
        self._waiting: dict[Job, set[Job]] = {}
        self._readers: dict[Job, list[Job]] = {}

    def add(self, jobs: Sequence[Job]) -> list[Job]:
        """Take jobs in; return those that wait for none of them."""
        before = prerequisites(jobs)
        self.urgency |= urgencies(before)
        self._waiting |= before
        for job, needed in before.items():
            for maker in needed:
                self._readers.setdefault(maker, []).append(job)
        return [job for job, needed in before.items() if not needed]

    def end(self, job: Job) -> list[Job]:
        """Take the end of a job; return those that have waited for it alone."""
        readers = self._readers.pop(job, ())
        for reader in readers:
            self._waiting[reader].discard(job)
        return [reader for reader in readers if not self._waiting[reader]]


def drain(jobs: Sequence[Job], submit: Submit, further: Further | None = None) -> list[JobResult]:
    """Submit each job as soon as all that it reads is there; return the results as they come.

    A job that another run does is submitted again later. With a search for further jobs it is given
    up, with all jobs that read what it yields, until the search finds it again.
    """
    order, ended, results = _Order(), Ended(), list[JobResult]()
    ready, postponed, exclusions = order.add(jobs), dict[Job, float](), set[Hashable]()
    running, looked = 0, time.monotonic()
    while ready or running or postponed:
        for job in sorted(ready, key=order.urgency.__getitem__, reverse=True):
            exclusions.update(job.results())
            submit(job, order.urgency[job]).add_done_callback(partial(_tell, ended, job))
        running, ready = running + len(ready), []
        is_idle = further is not None and running < further.threads
        moments = [*postponed.values(), *([looked + LOOK] if is_idle else [])]
        for job, future in _wait(ended, min(moments, default=None)):
            running, result = running - 1, future.result()
            if result.is_claimed:
                exclusions.difference_update(job.results())
            if result.is_claimed and further is None:
                logger.debug("another run does: %s", job.label)
                postponed[job] = time.monotonic() + POLL
                continue
            results.append(result)
            ready += [] if result.is_claimed else order.end(job)
        due = [job for job, moment in postponed.items() if moment <= time.monotonic()]
        for job in due:
            del postponed[job]
        ready += due
        if further and running < further.threads and time.monotonic() >= looked + LOOK:
            ready += order.add(further.find(exclusions)) if not ready else []
            looked = time.monotonic()
        if further:  # A reader that was found again is not done twice.
            ready = [job for job in ready if exclusions.isdisjoint(job.results())]
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


def prerequisites(jobs: Iterable[Job]) -> dict[Job, set[Job]]:
    """Return for each job those that yield what it reads."""
    jobs = list(jobs)
    makers: dict[Hashable, Job] = {}
    for job in jobs:
        makers.update(dict.fromkeys(job.results(), job))
    return {job: {makers[needed] for needed in job.requires() if needed in makers} for job in jobs}


def urgencies(before: Mapping[Job, Iterable[Job]]) -> dict[Job, int]:
    """Return the rank of each job: the higher, the longer the way from it to the end of the plan.

    The length of a way is the sum of the rough seconds of its jobs.
    """
    lengths = {job: rough_seconds(job) for job in before}
    length = dict(lengths)
    for job in reversed(list(TopologicalSorter(before).static_order())):
        for earlier in before[job]:
            length[earlier] = max(length[earlier], length[job] + lengths[earlier])
    ranks = {value: rank for rank, value in enumerate(sorted(set(length.values())))}
    return {job: ranks[length[job]] for job in before}
