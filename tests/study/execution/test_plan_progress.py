"""The remaining time of a run, from the share of its training that is done."""

from typing import Any

import pytest

from rnnstudy.study.execution import plan_progress
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.spec.study import study_of
from rnnstudy.study.store import Store


def test_the_remaining_time_is_that_of_the_steps_that_are_left(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of({
        "study": "progress",
        "tasks": ["flip_flop"],
        "networks": {"cells": "vanilla", "units": [4, 8], "seeds": 2},
        "training": {"steps": 100},
    })  # fmt: skip
    clock = [0.0]
    monkeypatch.setattr(plan_progress.time, "monotonic", lambda: clock[0])
    plan = make_plan(study, Store(tmp_path))
    state = plan_progress.PlanProgress(plan)
    small, large = sorted((job for job in plan.todo if job.trains), key=plan_progress._work)
    rest = [job for job in plan.todo if not job.trains]
    assert plan_progress._work(large) == 2 * plan_progress._work(small)
    clock[0] = 30.0
    assert state.remaining() == ""
    state.advance(small, 0.25)
    state.advance(small, 0.5)  # half of one third in 30 s
    assert state.remaining() == "about 2 min 30 s left"
    state.end(small)
    state.advance(large, 0.5)
    assert state.remaining() == "about 15 s left"
    for job in (large, *rest):
        state.end(job)
    assert state.remaining() == "about 0 s left"
    assert state.ended == len(plan.todo)
