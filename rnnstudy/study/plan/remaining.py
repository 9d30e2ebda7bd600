"""What of a job's results the store holds, and what is left to do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rnnstudy.study.plan.claim_jobs import Weighing
from rnnstudy.study.plan.jobs import (
    AnalyseTask,
    CompareBlocks,
    Job,
    ReadModels,
    Select,
    TrainCohort,
    status,
)
from rnnstudy.study.plan.selection import choice
from rnnstudy.study.spec.selection import Undecided
from rnnstudy.study.store import Store


def left(jobs: Sequence[Job], store: Store) -> tuple[Job, ...]:
    """Jobs cut down to what the store lacks, without those of which nothing is left.

    Tiles are needed only for a matrix that is not there.
    """
    rests: dict[Job, Job | None] = {}
    # Tiles stand before the matrix that they make up.
    for job in reversed(jobs):
        needless = isinstance(job, CompareBlocks) and rests[job.whole] is None
        rests[job] = None if needless else _lacking(job, store)
    return tuple(rest for job in jobs if (rest := rests[job]) is not None)


def _lacking(job: Job, store: Store) -> Job | None:
    """The job cut down to what the store lacks; None if nothing is left.

    Diverged networks have nothing to analyse.
    """
    if isinstance(job, AnalyseTask | CompareBlocks):
        done = store.has(job.key(store, ready=False))
        return None if done or not job.expected(store) else job
    if isinstance(job, Select):
        return job if choice(job.contest, store) is None else None
    if isinstance(job, TrainCohort | ReadModels):
        # Read, not only looked for: what needs a damaged network would find out too late.
        at = [i for i, key in enumerate(job.keys) if status(store, key) is None]
    else:
        at = [i for i, key in enumerate(job.keys) if not store.has(key)]
        at = [i for i in at if status(store, job.networks[i].key()) != "diverged"]
    if not at:
        return None
    networks: Any = tuple(job.networks[i] for i in at)  # of the kind that the job takes
    return replace(job, networks=networks, names=tuple(job.names[i] for i in at))


def done(jobs: Iterable[Job], store: Store) -> tuple[tuple[str, int, int], ...]:
    """Kind of step, how many results of it the store holds, and how many there are in all."""
    counts: dict[str, tuple[int, int]] = {}
    for job in jobs:
        found = list(_found(job, store))
        there, total = counts.get(kind_of(job), (0, 0))
        counts[kind_of(job)] = (there + sum(found), total + len(found))
    return tuple((name, there, total) for name, (there, total) in counts.items())


def kind_of(job: Job) -> str:
    """What a step is called among those of its kind."""
    if isinstance(job, Select):
        return "selection"
    if isinstance(job, TrainCohort):
        return job.purpose
    if isinstance(job, ReadModels):
        return "read"
    if isinstance(job, CompareBlocks):
        return f"{job.whole.analysis.title} tiles"
    return "claims" if isinstance(job.analysis, Weighing) else job.analysis.title


def _found(job: Job, store: Store) -> Iterator[bool]:
    """For each result of a job whether the store holds it; what waits for a choice is not there."""
    if isinstance(job, Select):
        yield choice(job.contest, store) is not None
    elif isinstance(job, AnalyseTask | CompareBlocks):
        yield not job.waits and store.has(job.key(store, ready=False))
    else:
        for network in job.networks:
            yield not isinstance(network, Undecided) and store.has(job.key_of(network))
