"""Checkpoints that no job reads any more are collected."""

import os
import time
from pathlib import Path
from typing import Any

from pretended import pretend

from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.population.initialise import initial_population
from rnnstudy.study.execution.checkpoints import CHECKPOINT_LIFETIME, Checkpoints, collect_stale
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.plan.train import Train, checkpoint_key
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store
from rnnstudy.training.protocol import Training
from rnnstudy.training.state import TrainingState, initial_training_state


def study(**training: Any) -> Study:
    return study_of(
        {
            "study": "checkpoints",
            "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12}],
            "networks": {"cells": "vanilla", "units": 3, "seeds": 2},
            "training": {"steps": 6, "batch": 4, "retry": 1, **training},
        }
    )


def cohort(**training: Any) -> Train:
    (job,) = [job for job in make_plan(study(**training), Store("nowhere")).todo if job.trains]
    assert isinstance(job, Train)
    return job


def states(store: Store) -> set[str]:
    return {path.name.rpartition("-")[0] for path in store.root.rglob("course-*") if path.is_dir()}


def write(store: Store, job: Train, attempt: int = 0) -> str:
    """Write a state of a cohort; the beginning of its address."""
    before = states(store)
    population = initial_population(Vanilla(units=3), 1, 1, [0, 1])
    state: TrainingState = initial_training_state(population, Training())
    Checkpoints(store, checkpoint_key(job.cohort, attempt), 0.0).write(state)
    (name,) = states(store) - before
    return name


def test_checkpoints_of_jobs_to_be_done_are_kept_and_others_removed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept = {write(store, cohort()), write(store, cohort(), attempt=1)}
    stale = write(store, cohort(steps=7))
    jobs: list[Job] = [cohort()]
    removed = collect_stale(store, jobs, shared=False)
    assert [name.rpartition("-")[0] for name in removed] == [stale]
    assert states(store) == kept
    collect_stale(store, [], shared=False)
    assert states(store) == set()


def test_checkpoints_of_other_studies_are_removed_when_they_are_old(tmp_path: Path) -> None:
    store = Store(tmp_path)
    young, old = write(store, cohort()), write(store, cohort(steps=7))
    then = time.time() - CHECKPOINT_LIFETIME - 60.0
    for path in tmp_path.rglob(f"{old}*"):
        os.utime(path, (then, then))
    collect_stale(store, [], shared=True)
    assert states(store) == {young}


def test_folders_of_the_user_are_no_checkpoints(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in ("course-notes", "co/course-2019"):
        (tmp_path / name).mkdir(parents=True)
        os.utime(tmp_path / name, (0, 0))
    assert collect_stale(store, [], shared=True) == []
    assert (tmp_path / "course-notes").is_dir()
    assert (tmp_path / "co" / "course-2019").is_dir()


def test_a_part_of_a_cohort_reads_the_checkpoints_of_both(tmp_path: Path) -> None:
    whole = cohort()
    store = Store(tmp_path)
    pretend(store, whole.networks[0])
    (part,) = [job for job in make_plan(study(), store).todo if isinstance(job, Train)]
    assert [part.networks, part.cohort] == [whole.networks[1:], whole.networks]
    keys = [checkpoint_key(group, attempt) for group in (part.networks, part.cohort)
            for attempt in (0, 1)]  # fmt: skip
    assert part.checkpoint_keys() == keys
    assert len({" ".join(key) for key in keys}) == 4
