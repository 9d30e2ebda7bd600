"""Analyses of some networks alone: addresses, and the analyses that they read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from rnnstudy.analyses.base import Analysis, Inputs, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record, array
from rnnstudy.population.population import Population
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import SpecError, Study, study_of
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task


@dataclass(frozen=True, eq=False)
class Number(Record):
    value: Array = array()


class Units(MemberAnalysis):
    """Number of units of a network."""

    kind: ClassVar[str] = "tests:Units"
    yields: ClassVar[type[Record]] = Number

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        return [Number(value=np.asarray(float(population.cell.units)))] * len(population)


class Sum(TaskAnalysis):
    """Sum of the values of all networks."""

    kind: ClassVar[str] = "tests:Sum"
    takes: ClassVar[type[Record]] = Number
    yields: ClassVar[type[Record]] = Number
    of: str = "units"

    def run(self, task: Task, inputs: Inputs) -> Record:
        return Number(value=np.asarray(sum(float(n.value) for n in inputs[self.of].values())))

    def show(self, section: Section) -> Iterable[Exhibit]:
        return ()


class Share(TaskAnalysis):
    """Sum of another analysis, per network."""

    kind: ClassVar[str] = "tests:Share"
    takes: ClassVar[type[Record]] = Number
    of: str = "sum"

    def run(self, task: Task, inputs: Inputs) -> Record:
        return Number(value=np.asarray(float(inputs[self.of].value) / len(inputs.members)))


def study(*analyses: Analysis) -> Study:
    spec = {
        "study": "scopes",
        "tasks": [
            {
                "kind": "flip_flop",
                "bits": 1,
                "length": 12,
                "solved_loss": 100.0,
                "solved_accuracy": 0.0,
            }
        ],
        "networks": {"cells": "vanilla", "units": [3, 4], "seeds": 2},
        "training": {"steps": 1, "batch": 4, "record_every": 1},
    }
    return study_of(spec).replace(analyses=analyses)


def value(run: Run, analysis: str) -> float:
    record = run.task_record(analysis)
    assert isinstance(record, Number)
    return float(record.value)


@pytest.mark.slow
def test_an_analysis_reads_the_networks_that_meet_its_condition(tmp_path: Path) -> None:
    asked = study(
        Units(),
        Sum(),
        Share(),
        Share(name="small", where={"units": 3}),
        Share(name="all", where={"units": [3, 4]}),
    )
    run = Run(tmp_path, asked)
    results = execute(make_plan(asked, run.store), run.store, asked.runtime, NullListener())
    assert not [result.failure for result in results if result.failure]
    assert value(run, "sum") == 2 * 3 + 2 * 4
    assert value(run, "share") == value(run, "all") == 3.5
    # The sum that it reads is one of the same networks, and no sum of all.
    assert value(run, "small") == 3.0
    labels = [result.label for result in results]
    assert "sum flip_flop units=3 (2 networks)" in labels
    # A condition that every network meets needs no results of its own.
    assert sum(label.startswith("sum ") for label in labels) == 2
    assert make_plan(asked, run.store).todo == ()


def test_a_condition_alone_does_not_change_an_address(tmp_path: Path) -> None:
    def address(where: dict[str, Any]) -> str:
        index = make_plan(study(Units(), Sum(where=where)), Store(tmp_path)).index
        return index.shared["sum", "flip_flop"].address(Store(tmp_path), complete=True)

    assert address({}) == address({"units": [4, 3]}) == address({"cell": "vanilla"})
    assert len({address({}), address({"units": 3}), address({"units": 4})}) == 3


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ({"unit": 3}, "'unit' is no field of these networks"),
        ({"units": 5}, "units is 5, which no network has"),
        ({"task": "flip_flop"}, "'task' is no field"),
        ({"units": 3, "seed": 7}, "seed is 7, which no network has"),
    ],
)
def test_a_condition_that_no_network_meets_is_an_error(
    where: dict[str, Any], complaint: str
) -> None:
    spec = {
        "study": "scopes",
        "tasks": ["flip_flop"],
        "networks": {"cells": "vanilla", "units": [3, 4]},
        "analyses": [{"kind": "pairs", "metric": "cka", "where": where}],
    }
    with pytest.raises(SpecError, match=r"analyses\[0\].where cannot be met: " + complaint):
        study_of(spec)
