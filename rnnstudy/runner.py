"""Run of a study: execution, files of the run directory, report."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import refuse_other_backends
from rnnstudy.report.build import update_report
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.checkpoints import collect_stale
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.execution.memory import refuse_oversized
from rnnstudy.study.execution.signals import interruptible
from rnnstudy.study.execution.worker import JobResult, ProgressListener
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import Plan, stages
from rnnstudy.study.results.code import write_code
from rnnstudy.study.results.files import (
    write_members,
    write_models,
    write_provenance,
    write_selection,
    write_specs,
)
from rnnstudy.study.results.run import Run, store_of
from rnnstudy.study.spec.study import Study


class NullListener:
    """Progress listener that does nothing."""

    def on_job_start(self, job: Job) -> None:
        """Ignore the call."""

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Ignore the call."""

    def on_job_end(self, job: Job, result: JobResult) -> None:
        """Ignore the call."""


def no_progress(plan: Plan) -> AbstractContextManager[ProgressListener]:
    """Return a listener that does nothing, for the execution of a plan."""
    return nullcontext(NullListener())


def run(
    study: Study,
    directory: str | Path | None = None,
    *,
    progress: Callable[[Plan], AbstractContextManager[ProgressListener]] = no_progress,
    spec: str | Path | None = None,
    command: Sequence[str] = (),
) -> Run:
    """Compute everything that a study needs and its store lacks, and write the run directory.

    A second run resumes: it computes nothing that the store holds.

    Parameters
    ----------
    study
        The study, see `load_study`.
    directory
        The run directory. Default: `runs/<study name>`.
    progress
        Function that returns the progress listener for a plan. Default: no progress.
    spec
        The file that the study was read from. It is copied to `spec.yaml`.
    command
        The command line, for the provenance.

    Returns
    -------
    Run
        The results. Failed jobs are listed in `Run.provenance["failures"]`.

    Raises
    ------
    RunError
        If another run is at work in the directory, or a device is missing.
    BackendError
        If Keras does not run on TensorFlow.
    Interruption
        After Ctrl-C, SIGTERM or SIGHUP, a KeyboardInterrupt. The directory can be resumed. A second
        signal ends the process at once.

    Examples
    --------
    >>> import rnnstudy, tempfile
    >>> study = rnnstudy.load_study({
    ...     "study": "example",
    ...     "tasks": ["flip_flop"],
    ...     "networks": {"cells": "gru", "units": 4},
    ...     "training": {"steps": 1, "batch": 2},
    ... })  # doctest: +SKIP
    >>> rnnstudy.run(study, tempfile.mkdtemp()).members["status"]  # doctest: +SKIP
    """
    refuse_other_backends()
    directory = Path(directory or Path("runs") / study.study)
    directory.mkdir(parents=True, exist_ok=True)
    with _lock(directory), interruptible():
        write_specs(study, directory, spec)
        write_code(study, directory)
        store = store_of(study, directory)
        store.clear_drafts()
        start, results = datetime.now(UTC), list[JobResult]()
        jobs = list[Job]()
        for plan in stages(study, store):
            jobs += plan.todo
            refuse_oversized(plan.todo, study.runtime)
            with progress(plan) as listener:
                results += execute(plan, store, study.runtime, listener)
        unfinished = [job for job in jobs if job.trains and job.missing(store)]
        collect_stale(store, unfinished, shared=study.runtime.store is not None)
        finished = Run(directory, study, store, plan.index)
        if results or not finished.provenance or finished.failures():
            write_provenance(finished, start, results, command)
        write_members(finished)
        write_selection(finished)
        write_models(finished)
        update_report(finished)
    return finished


@contextmanager
def _lock(directory: Path) -> Iterator[None]:
    """Keep a second run out of a directory. The lock ends with the process."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"another run is at work in {directory}; wait until it ends") from None
        yield
    finally:
        os.close(handle)
