"""Analyses that begin with the same search: it is made once, and results are the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnstudy.analyses.fixed_points.analysis import FixedPointAnalysis
from rnnstudy.analyses.solution_classes import analysis as classes
from rnnstudy.analyses.solution_classes.record import SolutionClass
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import study_of

SEARCH: dict[str, Any] = {"candidates": 32, "rounds": 2}
CLASSES = {
    "kind": "solution_classes",
    "networks": "trained",
    "search": SEARCH,
    "starts": 8,
    "unit": 2,
    "directions": 4,
}


def classes_of(
    directory: Path, monkeypatch: pytest.MonkeyPatch, *others: Any
) -> tuple[list[SolutionClass], int]:
    """Return the classes of two networks of a study, and the number of searches for them."""
    searches = []
    find = classes.find_fixed_points

    def spy(*arguments: Any, **fields: Any) -> Any:
        searches.append(1)
        return find(*arguments, **fields)

    spec = {
        "study": "small",
        "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12}],
        "networks": {"cells": "vanilla", "units": [3], "seeds": 2},
        "training": {"steps": 2, "batch": 4},
        "analyses": [CLASSES, *others],
    }
    study = study_of(spec)
    run = Run(directory, study)
    with monkeypatch.context() as patch:
        patch.setattr(classes, "find_fixed_points", spy)
        outcomes = execute(make_plan(study, run.store), run.store, study.runtime, NullListener())
    assert not [outcome.failure for outcome in outcomes if outcome.failure]
    names = [member.name for member in run.index.members]
    records = [run.record("solution_classes", name) for name in names]
    return [record for record in records if isinstance(record, SolutionClass)], len(searches)


def assert_same(record: SolutionClass, other: SolutionClass) -> None:
    for name in ("points", "measures", "attractors", "links"):
        np.testing.assert_equal(getattr(record, name), getattr(other, name))


def test_a_search_of_the_study_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, searches = classes_of(tmp_path / "alone", monkeypatch)
    assert (len(alone), searches) == (2, 1)
    listed = {"kind": "fixed_points", "search": SEARCH, "networks": "trained"}
    beside, searches = classes_of(tmp_path / "beside", monkeypatch, listed)
    assert searches == 0
    for record, other in zip(beside, alone, strict=True):
        assert_same(record, other)


@pytest.mark.slow
def test_another_search_or_other_networks_are_not_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {
        "kind": "fixed_points",
        "search": {**SEARCH, "candidates": 48},
        "networks": "trained",
    }
    assert classes_of(tmp_path / "search", monkeypatch, other)[1] == 1
    solved = {"kind": "fixed_points", "search": SEARCH, "networks": "solved"}
    assert classes_of(tmp_path / "solved", monkeypatch, solved)[1] == 1


def test_the_same_search_of_the_same_weights_is_the_beginning() -> None:
    search = FixedPointSearch(**SEARCH)
    asked = classes.SolutionClasses(search=search)
    assert asked.begins_with(FixedPointAnalysis(search=search))
    assert not asked.begins_with(FixedPointAnalysis(search=search, weights="untrained"))
    assert not asked.begins_with(FixedPointAnalysis())
    assert not asked.replace(of="fixed_points").begins_with(FixedPointAnalysis(search=search))
