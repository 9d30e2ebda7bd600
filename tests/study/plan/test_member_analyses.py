"""Analyses that read what others found of the same networks: addresses, order, failures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from rnnstudy.analyses.base import (
    NO_INPUTS,
    Analysis,
    Inputs,
    MemberAnalysis,
    MemberInputs,
    Section,
    TaskAnalysis,
)
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.core.arrays import Array
from rnnstudy.core.errors import SettingError
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record, array
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population
from rnnstudy.runner import NullListener
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.plan.member_analyses import member_analyses
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task


@dataclass(frozen=True, eq=False)
class Number(Record):
    value: Array = array()


class Weight(MemberAnalysis):
    """A multiple of a network's first recurrent weight; fails for networks with so many units."""

    kind: ClassVar[str] = "tests:Weight"
    yields: ClassVar[type[Record]] = Number
    factor: float = 1.0
    refuse: int = 0

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        if population.cell.units == self.refuse:
            raise ValueError("not to my taste")
        first = population.weights["recurrent_kernel"][:, 0, 0]
        return [Number(value=np.asarray(self.factor * value)) for value in first]

    def show(self, section: Section) -> Iterable[Exhibit]:
        return ()


class Twice(MemberAnalysis):
    """Two times what another analysis found."""

    kind: ClassVar[str] = "tests:Twice"
    labels: ClassVar[frozenset[str]] = frozenset({"name", "of"})
    takes: ClassVar[type[Record]] = Number
    yields: ClassVar[type[Record]] = Number
    of: str = "weight"

    def run(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Record]:
        return [Number(value=2.0 * number.value) for number in inputs[self.of]]

    def show(self, section: Section) -> Iterable[Exhibit]:
        return ()


class Total(TaskAnalysis):
    """The sum of what an analysis of single networks found, and how many networks there were."""

    kind: ClassVar[str] = "tests:Total"
    takes: ClassVar[type[Record]] = Number
    of: str = "twice"

    def run(self, task: Task, inputs: Inputs) -> Record:
        assert list(inputs) == [self.of]
        values = [number.value for number in inputs[self.of].values()]
        return Number(value=np.asarray([sum(values), len(inputs.members)]).sum())

    def show(self, section: Section) -> Iterable[Exhibit]:
        return ()


def study(*analyses: Analysis) -> Study:
    spec = {
        "study": "questions",
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
        "training": {"steps": 2, "batch": 4, "record_every": 1},
        "runtime": {"workers": 2},
    }
    return study_of(spec).replace(analyses=analyses)


def done(asked: Study, directory: Path) -> tuple[Run, dict[str, str]]:
    run = Run(directory, asked)
    outcomes = execute(make_plan(asked, run.store), run.store, asked.runtime, NullListener())
    return run, {outcome.label: outcome.failure for outcome in outcomes if outcome.failure}


def number(run: Run, analysis: str, member: str) -> float:
    record = run.record(analysis, member)
    assert isinstance(record, Number)
    return float(record.value)


NAMES = [f"flip_flop-vanilla-tanh-{units}-s00{seed}" for units in (3, 4) for seed in (0, 1)]


def test_records_of_the_same_network_are_handed_on_whatever_the_order(tmp_path: Path) -> None:
    # The last first: the order in the spec does not matter.
    run, failures = done(study(Total(), Twice(), Weight(factor=3.0)), tmp_path)
    assert failures == {}
    weights = {
        n: run.trained_network(n).population.weights["recurrent_kernel"][0, 0, 0] for n in NAMES
    }
    for name in NAMES:
        assert number(run, "twice", name) == pytest.approx(6.0 * weights[name])
    total = run.task_record("total")
    assert isinstance(total, Number)
    assert total.value == pytest.approx(6.0 * sum(weights.values()) + 4)
    assert done(study(Total(), Twice(), Weight(factor=3.0)), tmp_path)[1] == {}


def test_an_answer_moves_with_what_it_reads_and_not_with_names(tmp_path: Path) -> None:
    def address(*analyses: Analysis) -> str:
        (found,) = (q for q in member_analyses(study(*analyses)) if isinstance(q.analysis, Twice))
        return found.key("network")

    assert address(Weight(), Twice()) == address(Weight(name="w"), Twice(of="w", name="t"))
    assert address(Weight(), Twice()) != address(Weight(factor=2.0), Twice())
    task, other = (
        make_plan(study(weight, Twice(), Total()), Store(tmp_path)).index.shared[
            "total", "flip_flop"
        ]
        for weight in (Weight(), Weight(factor=2.0))
    )
    store = Store(tmp_path)
    assert task.address(store, complete=True) != other.address(store, complete=True)


def test_what_failed_costs_those_that_need_it_and_no_others(tmp_path: Path) -> None:
    run, failures = done(study(Weight(refuse=3), Twice(), Total()), tmp_path)
    label = "flip_flop-vanilla-tanh-3-s000..s001 (2 networks)"
    names = ", ".join(NAMES[:2])
    reason = failures[f"weight {label}"]
    assert reason.startswith("ValueError: not to my taste (test_member_analyses.py, line ")
    assert failures == {
        f"weight {label}": reason,
        f"twice {label}": f"RuntimeError: not done for {names}: it needs 'weight', which failed",
    }
    assert number(run, "twice", NAMES[2]) == 2.0 * number(run, "weight", NAMES[2])
    with pytest.raises(RunError, match="does not hold 'twice'"):
        run.record("twice", NAMES[0])
    # The task's record is of the two networks of which there is something.
    total = run.task_record("total")
    assert isinstance(total, Number)
    two = sum(number(run, "twice", name) for name in NAMES[2:])
    assert total.value == pytest.approx(two + 2)


def test_networks_are_looked_at_as_they_were_before_training(tmp_path: Path) -> None:
    run, failures = done(study(Representations(weights="untrained"), Weight()), tmp_path)
    assert failures == {}
    trained, task = run.trained_network(NAMES[3]), run.study.tasks[0]
    (expected,) = Representations().run(
        initial_population(trained.population.cell, 1, 1, [1]), task
    )
    before = run.record("representations_untrained", NAMES[3])
    assert isinstance(before, Activity)
    # Float32 products of one network and of two sum in another order.
    np.testing.assert_allclose(before.states, expected.states, atol=1e-5)
    after = run.record("representations", NAMES[3])
    assert isinstance(after, Activity)
    assert np.abs(after.states - before.states).max() > 1e-4


@pytest.mark.parametrize(
    ("analyses", "complaint"),
    [
        ([Twice()], r"\(twice\) needs the analysis 'weight', which is not asked for: add it"),
        (
            [Weight(), Twice(), Total(), Twice(of="total", name="t")],
            r"\(t\) looks at each network by itself; 'total' looks at all of them",
        ),
        (
            [{"kind": "fixed_points"}, Twice(of="fixed_points")],
            r"\(twice\) needs Number; 'fixed_points' yields FixedPoints",
        ),
        ([Twice(of="b", name="a"), Twice(of="a", name="b")], r"\(a\) needs 'b', which needs it in"),
    ],
)
def test_needs_that_cannot_be_met_are_said_before_anything_runs(
    analyses: Any, complaint: str
) -> None:
    with pytest.raises(SettingError, match=complaint):
        study(*analyses)
