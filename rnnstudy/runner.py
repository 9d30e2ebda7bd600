"""Run of a study: execution, files of the run directory, report."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rnnstudy.core.arguments import check_instance, check_path, summarise_value
from rnnstudy.core.arrays import Array
from rnnstudy.core.files import clear_drafts, make_folder, refuse_links, remove_folder
from rnnstudy.core.lazy_imports import refuse_other_backends
from rnnstudy.core.source.plugins import is_confirmed
from rnnstudy.report.build import update_report
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.checkpoints import collect_stale
from rnnstudy.study.execution.cluster.session import ClusterSession
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.execution.leases import LEASES
from rnnstudy.study.execution.memory import refuse_oversized
from rnnstudy.study.execution.notebook import is_notebook, notebook_progress
from rnnstudy.study.execution.shards import (
    SHARD_RECORDS,
    Progress,
    Shard,
    execute_shard,
    joint_results,
    write_shard_record,
)
from rnnstudy.study.execution.signals import interruptible
from rnnstudy.study.execution.worker import JobResult, ProgressListener
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import Plan, stages
from rnnstudy.study.results.code import write_code
from rnnstudy.study.results.files import (
    LockedError,
    default_directory,
    directory_lock,
    refuse_unusable_folders,
    write_members,
    write_models,
    write_provenance,
    write_selection,
    write_specs,
)
from rnnstudy.study.results.run import Run, store_of
from rnnstudy.study.spec.options import refuse_unconfirmed_cluster
from rnnstudy.study.spec.study import Study, load_study, resolve_study
from rnnstudy.study.store import StoreSnapshot
from rnnstudy.study.upkeep.index import INDEX, drop_absent_rows, write_index
from rnnstudy.study.upkeep.references import references_of


class NullListener:
    """Progress listener that does nothing."""

    def on_job_start(self, job: Job) -> None:
        """Ignore the call."""

    def on_training_step(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Ignore the call."""

    def on_job_end(self, job: Job, result: JobResult) -> None:
        """Ignore the call."""

    def on_message(self, text: str) -> None:
        """Ignore the call."""


def no_progress(plan: Plan) -> AbstractContextManager[ProgressListener]:
    """Return a listener that does nothing, for the execution of a plan."""
    return nullcontext(NullListener())


def run(
    study: Study | str | Path | Mapping[str, Any],
    directory: str | Path | None = None,
    *,
    progress: Progress | None = None,
    spec: str | Path | None = None,
    command: Sequence[str] = (),
    shard: str | None = None,
    allow_plugins: bool = False,
) -> Run:
    """Compute everything that a study needs and its store lacks, and write the run directory.

    A second run resumes: it computes nothing that the store holds.

    Parameters
    ----------
    study
        The study, or the spec that `load_study` takes: a path, or a dict.
    directory
        The run directory. Default: `runs/<study name>`.
    progress
        Function that returns the progress listener for a plan. Default: a line in a notebook,
        nothing elsewhere.
    spec
        The file that the study was read from. It is copied to `spec.yaml`. Default: `study`, if it
        is a path.
    command
        The command line, for the provenance.
    shard
        Part of the work, like `3/20`, for one of 20 processes that share the directory. The shard
        that ends last completes the run. Default: everything.
    allow_plugins
        If true, classes of users that a spec names are imported, as by `load_study`, and a cluster
        may run code: an address of a scheduler, or options of a batch scheduler.

    Returns
    -------
    Run
        The results. Failed jobs are listed in `Run.provenance["failures"]`, and parts of the report
        and models that could not be written in `Run.faults`.

    Raises
    ------
    RunError
        If another run is at work in the directory, a folder cannot be written to, or a device is
        missing. Also if the study's cluster may run code, and nobody has allowed that.
    TypeError
        If the study is no `Study`, path or dict, or the directory no path.
    SpecError
        If the spec is wrong.
    BackendError
        If Keras does not run on TensorFlow.
    Interruption
        After Ctrl-C, SIGTERM or SIGHUP, a KeyboardInterrupt. The directory can be resumed. A second
        signal ends the process at once.

    Examples
    --------
    >>> import rnnstudy, tempfile
    >>> spec = {
    ...     "study": "example",
    ...     "tasks": ["flip_flop"],
    ...     "networks": {"cells": "gru", "units": 4},
    ...     "training": {"steps": 1, "batch": 2},
    ... }
    >>> rnnstudy.run(spec, tempfile.mkdtemp()).members["status"]  # doctest: +SKIP
    """
    refuse_other_backends()
    if isinstance(study, str | Path):
        spec = spec or study
    if isinstance(study, str | Path | Mapping):
        study = load_study(study, allow_plugins=allow_plugins)
    check_instance("study", study, Study, "Use a path, a dict, or rnnstudy.load_study.")
    if not allow_plugins and not (spec is not None and is_confirmed(Path(spec).parent)):
        refuse_unconfirmed_cluster(study.runtime.cluster)
    if progress is None:
        progress = no_progress
        if is_notebook():
            progress = notebook_progress
    if directory is not None:
        check_path("directory", directory)
    if not callable(progress):
        raise TypeError(
            f"progress must be a function of a plan, got {summarise_value(progress)}. Leave it out."
        )
    part = None if shard is None else Shard.parse(shard)
    if part is not None and study.runtime.cluster is not None:
        raise RunError(
            f"a shard must run in its own process, got runtime.cluster {study.runtime.cluster!r}. "
            "Remove the cluster or --shard."
        )
    directory = Path(directory or default_directory(study))
    refuse_unusable_folders(study, directory)
    study.runtime.refuse_absent_devices()
    make_folder(directory)
    files = RunFiles(study, directory, spec, command)
    with interruptible():
        if part is None:
            with directory_lock(directory):
                _clear_drafts(directory)
                return files.complete(progress, [])
        results = files.run_shard(part, progress)
        if results is not None:
            with suppress(LockedError), directory_lock(directory):
                return files.complete(progress, results, part.count)
    return Run(directory, study, files.store)


class RunFiles:
    """Run directory while its run is at work.

    Parameters
    ----------
    study
        The study.
    directory
        The run directory.
    spec
        File that the study was read from, if any.
    command
        The command line.
    """

    def __init__(
        self, study: Study, directory: Path, spec: str | Path | None, command: Sequence[str]
    ) -> None:
        self.study, self.directory, self.spec, self.command = study, directory, spec, command
        self.store = store_of(study, directory, repairing=True)
        self.start = datetime.now(UTC)

    def run_shard(self, shard: Shard, progress: Progress) -> list[JobResult] | None:
        """Do the jobs of a shard; return those of all shards if this one is the last to end."""
        resolved = resolve_study(self.study)
        with directory_lock(self.directory, shared=True):
            self._describe()
            results = execute_shard(shard, self.study, self.store, self.study.runtime, progress)
            write_shard_record(self.directory, shard, resolved, results)
        return joint_results(self.directory, shard.count, resolved)

    def complete(self, progress: Progress, results: list[JobResult], shards: int = 0) -> Run:
        """Do all other jobs but for those that have failed, and write the files of the run.

        After shards the jobs are theirs, so that those that have failed are known again.
        """
        self._describe()
        failed = {result.key for result in results if result.failure}
        jobs, runtime = list[Job](), self.study.runtime
        with nullcontext() if runtime.cluster is None else ClusterSession(runtime) as session:
            for plan in stages(self.study, self.store, shards):
                rest = replace(plan, todo=tuple(job for job in plan.todo if job.key not in failed))
                jobs += plan.todo
                refuse_oversized(rest.todo, runtime)
                with progress(rest) as listener:
                    results += execute(rest, self.store, runtime, listener, session=session)
        self._note_damage(results)
        now = StoreSnapshot(self.store)
        unfinished = [job for job in jobs if job.trains and job.missing(now)]
        collect_stale(self.store, unfinished, shared=self.study.runtime.store is not None)
        if results or not (self.store.root / INDEX).is_file():
            write_index(self.store, references_of(self.study, self.store, plan))
        else:
            drop_absent_rows(self.store)  # of records that nothing needs any more
        run = Run(self.directory, self.study, self.store, plan.index)
        if results or not run.provenance or run.failures():
            write_provenance(run, self.start, results, self.command)
        # Without new results the store is as the plan has seen it.
        snapshot = run.at_one_time(None if results else plan.snapshot)
        write_members(snapshot)
        write_selection(snapshot)
        run.faults += write_models(snapshot)
        run.faults += update_report(snapshot).faults
        remove_folder(self.directory / SHARD_RECORDS)
        return run

    def _note_damage(self, results: Sequence[JobResult]) -> None:
        """Note the records that other processes have set aside, as if this one had done so."""
        damaged = (key for result in results for key in result.damaged)
        self.store.damaged += dict.fromkeys(key for key in damaged if key not in self.store.damaged)

    def _describe(self) -> None:
        """Write what describes the run before its jobs."""
        # The disk of a store elsewhere may not be mounted.
        is_first = not (self.directory / "provenance.json").is_file()
        self.store.refuse_unusable(may_be_absent=is_first or self.study.runtime.store is None)
        self.store.create()
        write_specs(self.study, self.directory, self.spec)
        write_code(self.study, self.directory)
        self.store.clear_drafts()
        refuse_links(self.store.root / LEASES, self.store.root)
        clear_drafts(self.store.root / LEASES)


def _clear_drafts(directory: Path) -> None:
    """Remove what a killed run has left beside its files."""
    clear_drafts(directory, lifetime=0)
    models = directory / "models"
    if not models.is_symlink():  # the writer of models says so
        clear_drafts(models, lifetime=0)
