"""Shards: the split of a plan, and runs that several processes do."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fake_jobs import Write, plan_of

from rnnstudy import runner
from rnnstudy.runner import no_progress
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution import shards
from rnnstudy.study.execution.shards import (
    Shard,
    execute_shard,
    has_open_shards,
    joint_results,
    write_shard_record,
)
from rnnstudy.study.execution.worker import JobResult
from rnnstudy.study.plan import train as training_jobs
from rnnstudy.study.plan.plan import Plan, make_plan
from rnnstudy.study.plan.train import Train
from rnnstudy.study.spec import options
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store


def study(**changes: Any) -> Study:
    spec = {
        "study": "shards",
        "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12, "probe_length": 12}],
        "networks": {"cells": "vanilla", "units": [3, 4, 5], "seeds": 2},
        "training": {"steps": 4, "batch": 4},
        "analyses": [
            "evaluation",
            {"kind": "pairs", "metric": {"kind": "svcca", "dimensions": 2}},
        ],
        "report": {"formats": "svg"},
    }
    return study_of({**spec, **changes})


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "-1/4", "1/0", "a/b", "1/2/3", "1.0/2"])
def test_a_text_that_names_no_shard_is_refused(text: str) -> None:
    with pytest.raises(RunError, match=r"^--shard must be like 3/20.* got '.*'\. Name a shard"):
        Shard.parse(text)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_each_network_is_trained_by_one_shard_whatever_the_store_holds(
    tmp_path: Path, count: int
) -> None:
    plan = make_plan(study(), Store(tmp_path))
    parts = [Shard(number, count) for number in range(1, count + 1)]
    trained = [[job for job in part.jobs(plan) if job.trains] for part in parts]
    names = [{name for job in jobs for name in job.names} for jobs in trained]
    assert sorted(name for part in names for name in part) == sorted(m.name for m in plan.members)
    # Without the first job, which another shard has done, no other one changes its shard.
    rest = replace(plan, todo=plan.todo[1:])
    later = [{n for j in part.jobs(rest) if j.trains for n in j.names} for part in parts]
    done = set(plan.todo[0].names)
    assert later == [own - done for own in names]


def test_a_shard_does_what_its_own_training_is_enough_for(tmp_path: Path) -> None:
    plan = make_plan(study(), Store(tmp_path))
    kinds = [job.kind for job in Shard(1, 2).jobs(plan)]
    assert "train" in kinds
    assert "svcca" not in kinds
    assert [job.key for job in Shard(1, 1).jobs(plan)] == [job.key for job in plan.todo]


NODES = {
    "two cores": {"cores": 2, "memory": 8, "driver": "absent"},
    "many cores": {"cores": 96, "memory": 768, "driver": "absent"},
    "little memory": {"cores": 1, "memory": 0.001, "driver": "absent"},
    "a GPU": {"cores": 16, "memory": 64, "driver": ""},
}
"""Node -> its cores, GiB of memory, and a file that shows a GPU, in the folder of the test."""


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Return a function that makes this process believe that it runs on a node."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def choose(name: str) -> None:
        about = NODES[name]
        monkeypatch.setattr(options, "available_cores", lambda: about["cores"])
        memory = int(about["memory"] * 2**30)
        monkeypatch.setattr(training_jobs, "available_memory", lambda: memory)
        monkeypatch.setattr(options, "DRIVERS", (str(tmp_path / about["driver"]),))

    return choose


def parts_of_training(count: int) -> list[list[list[str]]]:
    """Return the keys of the checkpoints of the jobs that each shard trains, or of all jobs."""
    networks = {"cells": ["vanilla", "gru"], "units": [3, 4], "seeds": 30}
    plan = make_plan(study(networks=networks), Store("nowhere"), shards=count)
    every = [Shard(number, count).jobs(plan) for number in range(1, count + 1)] or [plan.todo]
    return [
        [sorted(job.checkpoint_keys()[0]) for job in jobs if isinstance(job, Train)]
        for jobs in every
    ]


def test_shards_divide_training_alike_on_all_nodes(node: Callable[[str], None]) -> None:
    divisions, alone = [], []
    for name in NODES:
        node(name)
        divisions.append(parts_of_training(count=3))
        alone.append(parts_of_training(count=0))
    assert all(division == divisions[0] for division in divisions[1:])
    assert all(divisions[0]), "each shard has a part"
    # A run of one process divides for its machine: these nodes do differ.
    assert len({str(division) for division in alone}) > 1


def test_a_shard_plans_for_the_number_of_shards_and_so_does_the_end_of_the_run(
    tmp_path: Path, node: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = {"cells": "vanilla", "units": 3, "seeds": 48}
    asked, labels = study(networks=networks), list[list[str]]()

    def note(plan: Plan, *_: Any, **__: Any) -> list[JobResult]:
        labels.append([job.label for job in plan.todo if job.trains])
        return []

    monkeypatch.setattr(shards, "execute", note)
    for name in NODES:
        node(name)
        execute_shard(Shard(2, 3), asked, Store(tmp_path), asked.runtime, no_progress)
    assert labels[0]
    assert labels == [labels[0]] * len(NODES)

    def ends(self: runner.RunFiles, *_: Any) -> list[JobResult]:
        return []

    def plans(study: Study, store: Store, number: int) -> None:
        raise RunError(f"divided for {number} shards")

    monkeypatch.setattr(runner.RunFiles, "run_shard", ends)
    monkeypatch.setattr(runner, "stages", plans)
    with pytest.raises(RunError, match="divided for 3 shards"):
        runner.run(asked, tmp_path / "run", shard="2/3")
    with pytest.raises(RunError, match="divided for 0 shards"):
        runner.run(asked, tmp_path / "run")


def test_jobs_that_have_ended_are_left_out_with_their_readers() -> None:
    jobs = Write("a"), Write("b", ("a",)), Write("c")
    left = Shard(1, 1).jobs(plan_of(*jobs), {jobs[0].key})
    assert [job.names for job in left] == [("c",)]


def test_records_join_when_all_shards_of_the_spec_have_ended(tmp_path: Path) -> None:
    job = Write("a")
    result = JobResult(job.key, job.label, 1.5, "ValueError: no", "trace", damaged=("ab", "cd"))
    write_shard_record(tmp_path, Shard(1, 2), "spec", [result])
    assert joint_results(tmp_path, 2, "spec") is None
    write_shard_record(tmp_path, Shard(2, 2), "another", [])
    assert joint_results(tmp_path, 2, "spec") is None
    write_shard_record(tmp_path, Shard(2, 2), "spec", [])
    assert joint_results(tmp_path, 2, "spec") == [result]
    (tmp_path / "shards" / "2-of-2.json").write_text("{")
    assert joint_results(tmp_path, 2, "spec") is None


def files(directory: Path) -> dict[str, bytes]:
    tables = [directory / "members.csv", *sorted((directory / "report" / "tables").iterdir())]
    return {str(path.relative_to(directory)): path.read_bytes() for path in tables}


@pytest.mark.slow
def test_shards_in_any_order_make_the_run_of_one_process(tmp_path: Path) -> None:
    whole = runner.run(study(), tmp_path / "whole")
    for number in (3, 1):
        part = runner.run(study(), tmp_path / "parts", shard=f"{number}/3")
        assert has_open_shards(part.directory)
        assert not (part.directory / "report").exists()
        assert part.provenance == {}
    last = runner.run(study(), tmp_path / "parts", shard="2/3")
    assert not has_open_shards(last.directory)
    assert files(last.directory) == files(whole.directory)
    assert last.provenance["jobs"].keys() == whole.provenance["jobs"].keys()
    again = execute_shard(Shard(1, 3), study(), last.store, study().runtime, no_progress)
    assert again == []


def test_a_run_beside_a_shard_is_refused(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    with pytest.raises(RunError, match="another run is at work in"):
        runner.run(study(), tmp_path)
    os.close(handle)
