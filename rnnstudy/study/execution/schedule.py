"""Order of jobs: each after those whose results it reads, the longest way to the end first."""

import logging
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from graphlib import TopologicalSorter

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
    urgency = urgencies(waiting)
    running, postponed = dict[Future[JobResult], Job](), dict[Job, float]()
    results: list[JobResult] = []
    while waiting or running or postponed:
        ready = [job for job, before in waiting.items() if not before]
        ready += [job for job, due in postponed.items() if due <= time.monotonic()]
        for job in sorted(ready, key=urgency.__getitem__, reverse=True):
            waiting.pop(job, None)
            postponed.pop(job, None)
            running[submit(job, urgency[job])] = job
        for future in _wait(running, min(postponed.values(), default=None)):
            job, result = running.pop(future), future.result()
            if result.is_claimed and patient:
                logger.debug("another run does: %s", job.label)
                postponed[job] = time.monotonic() + POLL
                continue
            results.append(result)
            if result.is_claimed:
                _give_up(job, waiting)
            for before in waiting.values():
                before.discard(job)
    return results


def _give_up(job: Job, waiting: dict[Job, set[Job]]) -> None:
    """Remove all jobs that read what a job yields, at once or by way of others."""
    for reader in [reader for reader, before in waiting.items() if job in before]:
        if waiting.pop(reader, None) is not None:
            _give_up(reader, waiting)


def _wait(running: Iterable[Future[JobResult]], due: float | None) -> Iterable[Future[JobResult]]:
    """Wait until a job ends or one that was postponed is due; return those that have ended."""
    seconds = None if due is None else max(due - time.monotonic(), 0.0)
    futures = list(running)
    if not futures:
        time.sleep(seconds or 0.0)
        return ()
    return wait(futures, seconds, return_when=FIRST_COMPLETED).done


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
