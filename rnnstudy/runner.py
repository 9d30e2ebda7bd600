"""From a study to a finished run directory: execution, tables, models and the report."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from rnnstudy.core.arrays import Array
from rnnstudy.report.build import write_report
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.execution.worker import Outcome, Watch
from rnnstudy.study.plan.plan import Job, Plan, stages
from rnnstudy.study.results.files import (
    _write_provenance,
    _write_specs,
    write_members,
    write_models,
    write_selection,
)
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import Study


class Silent:
    """A watch that looks away."""

    def begun(self, job: Job) -> None:
        """Nothing."""

    def trained(self, job: Job, step: int, steps: int, loss: Array) -> None:
        """Nothing."""

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Nothing."""


def unwatched(plan: Plan) -> AbstractContextManager[Watch]:
    """Nobody follows the execution."""
    return nullcontext(Silent())


def run(
    study: Study,
    directory: str | Path | None = None,
    *,
    watching: Callable[[Plan], AbstractContextManager[Watch]] = unwatched,
    spec: str | Path | None = None,
    command: Sequence[str] = (),
) -> Run:
    """Do all that a study asks for and its store lacks, and write the run directory.

    directory: default `runs/<study name>`. Running again resumes: what is there is not done twice.
    watching: makes the watch that is told of progress; spec: the file that the study was read from,
    copied as it is; command: the words that started it, kept in the provenance. A step that fails
    is listed in `Run.provenance["failures"]`. KeyboardInterrupt leaves a directory that can be
    resumed. RunError if another run is at work in the directory.
    """
    found = Run(directory or Path("runs") / study.study, study)
    found.directory.mkdir(parents=True, exist_ok=True)
    with _alone_in(found.directory):
        _work(found, watching, spec, command)
    return found


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep a second run out of a directory; the system ends the claim with the process."""
    claim = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"another run is at work in {directory}; wait until it ends") from None
        yield
    finally:
        os.close(claim)


def _work(
    found: Run,
    watching: Callable[[Plan], AbstractContextManager[Watch]],
    spec: str | Path | None,
    command: Sequence[str],
) -> None:
    study = found.study
    _write_specs(found, spec)
    found.store.clear_drafts()
    begun = datetime.now(UTC)
    outcomes: list[Outcome] = []
    for plan in stages(study, found.store):
        with watching(plan) as watch:
            outcomes += execute(plan, found.store, study.runtime, watch)
    if outcomes or not found.provenance or found.provenance.get("failures"):
        _write_provenance(found, begun, outcomes, command, spec)
    write_members(found)
    write_selection(found)
    write_models(found)
    write_report(found)
