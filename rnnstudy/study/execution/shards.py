"""Shards of a study: parts that separate processes do, such as the tasks of a job array.

Training is divided between the shards, in the same way on all machines. Every other job is done by
the first shard that finds its inputs in the store.
"""

import json
import re
from collections.abc import Callable, Collection, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from rnnstudy.core.files import make_folder, parse_json, read_file, write_file
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.execution.memory import refuse_oversized
from rnnstudy.study.execution.schedule import prerequisites
from rnnstudy.study.execution.worker import JobResult, ProgressListener
from rnnstudy.study.plan.job import Job, JobKey
from rnnstudy.study.plan.plan import Plan, make_plan
from rnnstudy.study.spec.options import Runtime
from rnnstudy.study.spec.study import Study
from rnnstudy.study.store import Store

SHARD_RECORDS = "shards"
"""Folder in a run directory with one file per shard that has ended."""

Progress = Callable[[Plan], AbstractContextManager[ProgressListener]]


@dataclass(frozen=True)
class Shard:
    """One part of so many, counted from 1.

    Examples
    --------
    >>> from rnnstudy.study.execution.shards import Shard
    >>> Shard.parse("3/20")
    Shard(number=3, count=20)
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the shard of a text like `3/20`; RunError for another text."""
        match = re.fullmatch(r"0*(\d{1,6})/0*(\d{1,6})", text)
        number, count = (int(part) for part in match.groups()) if match else (0, 0)
        if not 1 <= number <= count:
            raise RunError(
                f"--shard must be like 3/20, the number of the shard from 1 and the number of all "
                f"shards, got {text!r}. Name a shard from 1 to the number of shards."
            )
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def jobs(
        self, plan: Plan, ended: Collection[JobKey] = (), exclusions: Collection[Hashable] = ()
    ) -> tuple[Job, ...]:
        """Return the jobs of a plan that this shard can do now.

        These are its part of the training, and each job all of whose inputs are there or come from
        these jobs. Jobs that have `ended` and those with a result among `exclusions` are left out.
        """
        trained = [job for job in plan.whole if job.trains]
        owner: dict[Hashable, int] = {}
        for i, job in enumerate(trained):
            owner.update(dict.fromkeys(job.results(), i % self.count + 1))
        chosen = dict[Job, None]()
        for job, before in prerequisites(plan.todo).items():
            is_open = job.key not in ended and not any(r in exclusions for r in job.results())
            is_own = all(owner.get(r, self.number) == self.number for r in job.results())
            if is_open and is_own and before <= chosen.keys():
                chosen[job] = None
        return tuple(chosen)


def execute_shard(
    shard: Shard, study: Study, store: Store, runtime: Runtime, progress: Progress
) -> list[JobResult]:
    """Do the jobs of a shard, as often as other shards yield inputs of further ones."""
    first = make_plan(study, store, shards=shard.count)
    results = _execute_stage(shard, first, store, runtime, progress)
    if first.selecting:
        second = make_plan(study, store, selecting=False, before=first, shards=shard.count)
        results += _execute_stage(shard, second, store, runtime, progress)
    return results


def _execute_stage(
    shard: Shard, plan: Plan, store: Store, runtime: Runtime, progress: Progress
) -> list[JobResult]:
    results: list[JobResult] = []
    refuse_oversized(plan.todo, runtime)

    def later() -> Plan:
        study, selecting = plan.index.study, plan.selecting
        return make_plan(study, store, selecting=selecting, before=plan, shards=shard.count)

    def find(exclusions: Collection[Hashable]) -> Sequence[Job]:
        return shard.jobs(later(), {result.key for result in results}, exclusions)

    while jobs := shard.jobs(plan, {result.key for result in results}):
        part = replace(plan, todo=jobs)
        with progress(part) as listener:
            done = execute(part, store, runtime, listener, find=find)
        done = [result for result in done if not result.is_claimed]
        if not done:
            break
        results += done
        plan = later()
    return results


def write_shard_record(
    directory: Path, shard: Shard, spec: str, results: Sequence[JobResult]
) -> None:
    """Write the results of a shard's jobs, for the shard that completes the run."""
    folder = directory / SHARD_RECORDS
    make_folder(folder, inside=directory)
    data = {"spec": spec, "results": [asdict(result) for result in results]}
    write_file(_record_path(directory, shard), json.dumps(data, indent=1) + "\n")


def joint_results(directory: Path, count: int, spec: str) -> list[JobResult] | None:
    """Return the results of all shards of a spec; None if a shard has not ended yet."""
    results: list[JobResult] = []
    for number in range(1, count + 1):
        data = _read_record(directory, Shard(number, count))
        if data.get("spec") != spec:
            return None
        results += map(_result, data["results"])
    return results


def shard_results(directory: Path, shard: str) -> list[JobResult]:
    """Return the results of a shard's jobs; none if it has not ended."""
    return [*map(_result, _read_record(directory, Shard.parse(shard)).get("results", ()))]


def has_open_shards(directory: Path) -> bool:
    """Return whether shards have ended in a directory, and none has completed the run."""
    return (directory / SHARD_RECORDS).is_dir()


def _read_record(directory: Path, shard: Shard) -> dict[str, Any]:
    """Return the content of a shard's file; nothing if it is absent or damaged."""
    try:
        data = parse_json(read_file(_record_path(directory, shard)))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _record_path(directory: Path, shard: Shard) -> Path:
    return directory / SHARD_RECORDS / f"{shard.number}-of-{shard.count}.json"


def _result(entry: dict[str, Any]) -> JobResult:
    kind, task, members, scope = entry["key"]
    key, damaged = JobKey(kind, task, tuple(members), scope), tuple(entry.get("damaged", ()))
    return JobResult(**{**entry, "key": key, "damaged": damaged})
