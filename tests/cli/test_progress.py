"""Live bars: each job has one line with its news, on narrow terminals too."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from rnnstudy.cli.progress import Bars, progress_of
from rnnstudy.study.plan.plan import Plan, make_plan
from rnnstudy.study.spec.study import study_of
from rnnstudy.study.store import Store

STUDY = {
    "study": "bars",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 5}],
    "networks": {"cells": ["vanilla"], "units": 2, "seeds": 2},
    "training": {"steps": 4000, "batch": 2},
    "analyses": [{"kind": "fixed_points", "networks": "trained"}],
}


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return make_plan(study_of(STUDY), Store(tmp_path))


@pytest.fixture
def lines(plan: Plan) -> Callable[..., list[str]]:
    """Return what a terminal of a width shows after some events of the first jobs."""

    def show(width: int, *events: Callable[[Bars], None]) -> list[str]:
        console = Console(width=width, height=30, force_terminal=True, file=io.StringIO())
        with progress_of(plan, console) as bars:
            assert isinstance(bars, Bars)
            for job in plan.todo[:2]:
                bars.on_job_start(job)
            for event in events:
                event(bars)
            shown = bars._progress.get_renderable()
        plain = Console(width=width, file=io.StringIO())
        plain.print(shown)
        return plain.file.getvalue().splitlines()

    return show


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_each_job_has_one_line_with_its_news(
    plan: Plan, lines: Callable[..., list[str]], width: int
) -> None:
    job = plan.todo[0]
    whole, training, search = lines(
        width, lambda bars: bars.on_training_step(job, 480, 4000, np.array([0.0059]))
    )
    assert "0/3" in whole
    assert "480/4000" in training
    assert "steps/s, loss 0.0059" in training
    assert max(map(len, (whole, training, search))) <= width


def test_a_job_of_unknown_length_has_no_count(lines: Callable[..., list[str]]) -> None:
    _, training, search = lines(100)
    assert "0/4000" in training
    assert "None" not in search
    assert "/" not in search


def test_training_says_that_it_compiles_until_its_first_steps(
    plan: Plan, lines: Callable[..., list[str]]
) -> None:
    assert "compiling" in lines(100)[1]
    step = lambda bars: bars.on_training_step(plan.todo[0], 1, 4000, np.array([1.0]))  # noqa: E731
    assert "compiling" not in lines(100, step)[1]
