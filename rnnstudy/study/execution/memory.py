"""Memory of jobs: what cannot fit is refused, what does not fit is divided as the plan says."""

import logging
from collections.abc import Callable, Iterable

from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.job import Context, Job
from rnnstudy.study.plan.train import machine_memory
from rnnstudy.study.spec.options import Runtime
from rnnstudy.study.store import StoreSnapshot

logger = logging.getLogger("rnnstudy")

MIB = 2**20


def refuse_oversized(jobs: Iterable[Job], runtime: Runtime) -> None:
    """Raise RunError if a single network of a job needs more memory than there is.

    Parameters
    ----------
    jobs
        Jobs that are still to be done.
    runtime
        Options of the run. `memory` replaces the memory of this machine.

    Raises
    ------
    RunError
        The message names the network, the bytes that it takes, and those that there are.
    """
    # A cluster has machines of its own.
    if runtime.memory is None and runtime.cluster is not None:
        return
    limit = machine_memory() if runtime.memory is None else int(runtime.memory * 2**30)
    owner = "the machine" if runtime.memory is None else "runtime.memory"
    largest = max(jobs, key=lambda job: job.least_memory, default=None)
    if largest is not None and largest.least_memory > limit:
        raise RunError(
            f"a network must fit into memory, got {largest.names[0]}, for which '{largest.kind}' "
            f"takes some {largest.least_memory / MIB:,.0f} MiB of the {limit / MIB:,.0f} MiB of "
            f"{owner}. Reduce training.batch, the length of trials or the units."
        )


def run_divided(job: Job, context: Context, release: Callable[[], None] = lambda: None) -> None:
    """Run a job. If memory does not suffice, run its parts one after the other.

    Parts are divided further, down to single networks. A network that memory does not suffice for
    does not stop the others.

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
    """
    reason = _shortage(job, context)
    if not reason:
        return
    failures = dict[str, str]()
    _run_parts(job, context, release, reason, failures)
    if failures:
        raise MemoryError(
            f"memory must suffice for one network at a time, got too little for "
            f"{', '.join(failures)} ({next(iter(failures.values()))}). Reduce runtime.workers, "
            "the batch or the length of trials."
        )


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
        if rest is not None and (shortage := _shortage(rest, context)):
            _run_parts(rest, context, release, shortage, failures)
