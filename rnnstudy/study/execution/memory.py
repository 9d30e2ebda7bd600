"""Memory of jobs: what cannot fit is refused, what does not fit is divided as the plan says."""

import logging
from collections.abc import Callable, Collection
from typing import NamedTuple

from rnnstudy.core.batches import available_memory, physical_memory
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.job import Context, Job, Stopped
from rnnstudy.study.spec.options import BatchCluster, Runtime
from rnnstudy.study.store import StoreSnapshot

logger = logging.getLogger("rnnstudy")

MIB = 2**20


class Limit(NamedTuple):
    """Memory that a job may take."""

    bytes: int
    owner: str
    """The memory's owner, in words."""


def refuse_oversized(jobs: Collection[Job], runtime: Runtime) -> None:
    """Raise RunError if a single network of a job needs more memory than there is.

    Training is compared with `memory` of the options, if that is set. Other jobs are compared with
    the memory that this process may use. On workers of a batch scheduler, all jobs are compared
    with the memory of a worker.

    Parameters
    ----------
    jobs
        Jobs that are still to be done.
    runtime
        Options of the run.

    Raises
    ------
    RunError
        The message names the network, the bytes that it takes, and those that there are.
    """
    for trains in (True, False):
        limit = memory_limit(runtime, trains=trains)
        alike = [job for job in jobs if bool(job.trains) == trains]
        largest = max(alike, key=lambda job: job.least_memory, default=None)
        if limit is None or largest is None or largest.least_memory <= limit.bytes:
            continue
        size, remedy = largest.least_memory / MIB, "the units, or leave out the analysis"
        if trains:
            remedy = "training.batch, the length of trials or the units"
        raise RunError(
            f"a network must fit into memory, got {largest.names[0]}, for which '{largest.kind}' "
            f"takes some {size:,.0f} MiB of the {limit.bytes / MIB:,.0f} MiB of {limit.owner}. "
            f"Reduce {remedy}."
        )


def memory_limit(runtime: Runtime, *, trains: bool) -> Limit | None:
    """Return the memory that one job may take; None if it is not known before.

    Parameters
    ----------
    runtime
        Options of the run.
    trains
        True for a job that trains networks.

    Examples
    --------
    >>> from rnnstudy.study.spec.options import BatchCluster, Runtime
    >>> memory_limit(Runtime(memory=2.0), trains=True)
    Limit(bytes=2147483648, owner='runtime.memory')
    """
    cluster = runtime.cluster
    if isinstance(cluster, BatchCluster):
        return Limit(int(cluster.memory * 2**30), "a worker (runtime.cluster.memory)")
    if trains and runtime.memory is not None:
        return Limit(int(runtime.memory * 2**30), "runtime.memory")
    # The scheduler of somebody else has machines of its own.
    is_elsewhere = cluster is not None and not cluster.startswith("local")
    return None if is_elsewhere else _own_limit()


def _own_limit() -> Limit:
    """Return the memory that this process may take: of the machine, or of its part of it."""
    memory = available_memory()
    is_whole = memory == physical_memory()
    return Limit(memory, "the machine" if is_whole else "this process's part of the machine")


def run_divided(job: Job, context: Context, release: Callable[[], None] = lambda: None) -> None:
    """Run a job. If memory does not suffice, run its parts one after the other.

    Parts are divided further, down to single networks. A network that memory does not suffice for
    does not stop the others, and neither does an error of another part.

    Parameters
    ----------
    job
        The job.
    context
        The process that runs it.
    release
        Function that frees memory before parts are run. Default: none.

    Raises
    ------
    MemoryError
        A single network needs more memory than there is. The message names all such networks.
    Exception
        The first error of a part, if memory suffices.
    """
    reason = _shortage(job, context)
    if not reason:
        return
    failures, errors = dict[str, str](), list[Exception]()
    _run_parts(job, context, release, reason, failures, errors)
    if failures:
        raise MemoryError(
            f"memory must suffice for one network at a time, got too little for "
            f"{', '.join(failures)} ({next(iter(failures.values()))}). Reduce runtime.workers, "
            "the batch or the length of trials."
        )
    if errors:
        raise errors[0]


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error says that memory does not suffice, by its class or its text."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "ResourceExhaustedError"
        or "RESOURCE_EXHAUSTED" in str(error)
    )


def _shortage(job: Job, context: Context) -> str:
    """Run a job; return why memory did not suffice, or an empty text."""
    try:
        job.run(context)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return str(error).partition("\n")[0] or type(error).__name__
    return ""


def _run_parts(
    job: Job,
    context: Context,
    release: Callable[[], None],
    reason: str,
    failures: dict[str, str],
    errors: list[Exception],
) -> None:
    """Run the parts of a job for which memory did not suffice; note networks that fail alone."""
    parts = job.parts()
    if not parts:
        failures |= dict.fromkeys(job.names or (job.label,), reason)
        return
    logger.warning("memory does not suffice for %s; it is divided: %s", job.label, reason)
    for part in parts:
        release()
        rest = part.missing(StoreSnapshot(context.store))
        if rest is None:
            continue
        try:
            shortage = _shortage(rest, context)
        except Stopped:
            raise
        except Exception as error:
            errors.append(error)
            continue
        if shortage:
            _run_parts(rest, context, release, shortage, failures, errors)
