"""Weights of member analyses, and controls that the plan adds for those who read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.analyses.base import NO_INPUTS, Analysis, Inputs, Member, MemberInputs, TaskAnalysis
from rnnstudy.analyses.distances.controls import ControlDistances, Controls
from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.core.arrays import Array
from rnnstudy.core.errors import SettingError
from rnnstudy.core.record import Record, array
from rnnstudy.metrics import CKA, SVCCA
from rnnstudy.population.initialise import initial_population, standard_population
from rnnstudy.population.population import Population
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import SpecError, Study, study_of
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task
from rnnstudy.training.train import TrainedNetworks

SPEC: dict[str, Any] = {
    "study": "kept",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12}],
    "networks": {"cells": "vanilla", "units": 3, "seeds": 2},
    "training": {"steps": 2, "batch": 4},
    "runtime": {"workers": 2},
}
EASY = SPEC["tasks"][0] | {"solved_loss": 100.0, "solved_accuracy": 0.0}
"""The task of the spec with a criterion that every network meets."""
NAMES = ("flip_flop-vanilla-tanh-3-s000", "flip_flop-vanilla-tanh-3-s001")


@dataclass(frozen=True, eq=False)
class Values(Record):
    """A few numbers."""

    numbers: Array = array("entry")


def _values(numbers: Sequence[float]) -> Values:
    return Values(numbers=np.asarray(numbers, float))


def entries(record: Any) -> list[float]:
    assert isinstance(record, Values)
    return record.numbers.tolist()


class First(MemberAnalysis):
    """The first recurrent weight of each network."""

    kind: ClassVar[str] = "tests:First"
    yields: ClassVar[type[Record]] = Values
    factor: float = 1.0

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        first = population.weights["recurrent_kernel"][:, 0, 0]
        return [_values([self.factor * value]) for value in first]


class Double(MemberAnalysis):
    """The first recurrent weight, and twice what is read."""

    kind: ClassVar[str] = "tests:Double"
    takes: ClassVar[type[Record]] = Values
    yields: ClassVar[type[Record]] = Values
    of: str = "first"

    def run(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Record]:
        first = population.weights["recurrent_kernel"][:, 0, 0]
        read = [entries(record)[0] for record in inputs[self.of]]
        return [_values([own, 2 * other]) for own, other in zip(first, read, strict=True)]


class Population4(MemberAnalysis):
    """A member analysis that makes networks of its own of those that it gets."""

    kind: ClassVar[str] = "tests:Population4"

    def population_of(self, trained: TrainedNetworks) -> Population:
        doubled = trained.population.weights["recurrent_kernel"] * 2
        weights = {**trained.population.weights, "recurrent_kernel": doubled}
        return Population(
            trained.population.cell, weights, trained.population.readout,
            trained.population.initial_state,
        )  # fmt: skip

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        return [_values([value]) for value in population.weights["recurrent_kernel"][:, 0, 0]]


class Compared(TaskAnalysis):
    """Sums of what is read of trained, untrained and standard networks."""

    kind: ClassVar[str] = "tests:Compared"
    yields: ClassVar[type[Record]] = Values
    of: str = "double"
    distances: str | None = None

    def needs(self) -> tuple[str, ...]:
        return (self.of, self.distances) if self.distances else (self.of,)

    def control_weights(self) -> tuple[Any, ...]:
        return ("untrained", "standard")

    def run(self, task: Task, inputs: Inputs) -> Record:
        kinds = [inputs, inputs.controls["untrained"], inputs.controls["standard"]]
        sums = [sum(sum(entries(r)) for r in kind[self.of].values()) for kind in kinds]
        if self.distances:
            controls = inputs.control_distances[self.distances]
            assert isinstance(controls, ControlDistances)
            sums.append(float(len(controls.at("untrained"))))
        return _values(sums)


class Strict(Compared):
    """The same of values alone."""

    kind: ClassVar[str] = "tests:Strict"
    takes: ClassVar[type[Record]] = Values


class Checked(Pairs):
    """Distances that come with controls."""

    kind: ClassVar[str] = "tests:Checked"

    def with_controls(self, planted: bool = True) -> TaskAnalysis:
        return Controls(metric=self.metric)


def study(*analyses: Analysis | dict[str, Any], **fields: Any) -> Study:
    return study_of(SPEC | {"tasks": [EASY]} | fields).replace(analyses=analyses)


def done(asked: Study, directory: Path) -> tuple[Run, dict[str, str]]:
    run = Run(directory, asked)
    outcomes = execute(make_plan(asked, run.store), run.store, asked.runtime, NullListener())
    return run, {outcome.label: outcome.failure for outcome in outcomes if outcome.failure}


def first_weight(population: Population) -> list[float]:
    return [float(value) for value in population.weights["recurrent_kernel"][:, 0, 0]]


# Addresses


KEPT = {
    "representations": "ad3eac30cef0a32ab589f9da8349c0e8affb22ea",
    "representations_untrained": "7fb7835b6ddebb3ebee7e608529fd5b63ba699eb",
}
KEPT_IN_FORMAT_1 = {
    "representations": "9e019c3e803547f6fe4e0adb6377a92f2e45d558",
    "representations_untrained": "14ad3acc05e098a0602b43de74d32b64eccb0c2d",
}


def test_addresses_of_stored_results_are_kept(tmp_path: Path) -> None:
    """Addresses that the version before the field `weights` computed of this study."""
    analyses = (
        Pairs(metric=CKA()),
        Pairs(metric=CKA(), weights="untrained"),
        Controls(metric=CKA(), weights=("untrained",)),
    )
    asked = study_of(SPEC).replace(analyses=analyses)
    index = make_plan(asked, Store(tmp_path)).index
    keys = {bound.title: bound.key("network") for bound in index.member_analyses}
    assert keys == KEPT
    assert {title: key.in_format_1 for title, key in keys.items()} == KEPT_IN_FORMAT_1
    shared = {
        title: result.address(Store(tmp_path), complete=True)
        for (title, _), result in index.shared.items()
    }
    assert shared["cka"] == "1e3eb8650b85f44fb489eacb31de9a398e55bd64"


def test_trained_weights_are_no_part_of_an_address() -> None:
    assert "weights" not in First().recipe()["fields"]
    assert First(weights="standard").recipe()["fields"]["weights"] == "standard"
    keys = {First(weights=kind).key() for kind in ("trained", "untrained", "standard")}
    assert len(keys) == 3


# Weights


@pytest.mark.parametrize("cell", [GRU(units=5), LSTM(units=5, gate_bias=2.0)])
def test_standard_networks_have_standard_weights(cell: Any) -> None:
    weights = standard_population(cell, 3, 2, range(40)).weights
    limit = np.sqrt(6 / (3 + 5))
    # Uniform in +-limit: the largest of 40 x 3 x 15 entries and more is near the limit.
    assert 0.98 * limit < np.abs(weights["kernel"]).max() <= limit
    # Variance of a uniform distribution; its standard error is 2 %.
    assert weights["kernel"].var() == pytest.approx(limit**2 / 3, rel=0.1)
    for gate in np.split(weights["recurrent_kernel"], weights["kernel"].shape[-1] // 5, axis=-1):
        # Float32 products of orthonormal rows.
        unit = np.eye(5)[None].repeat(40, 0)
        np.testing.assert_allclose(gate @ gate.transpose(0, 2, 1), unit, atol=1e-5)
    assert not weights["bias"].any()


def test_a_standard_network_depends_on_its_seed_alone() -> None:
    together = standard_population(GRU(units=4), 2, 1, [5, 6])
    alone = standard_population(GRU(units=4), 2, 1, [6])
    np.testing.assert_array_equal(together.weights["kernel"][1], alone.weights["kernel"][0])
    np.testing.assert_array_equal(together.readout["kernel"][1], alone.readout["kernel"][0])


def test_an_analysis_reads_others_of_the_same_weights(tmp_path: Path) -> None:
    run, failures = done(study(First(factor=3.0), Double(), Double(weights="untrained")), tmp_path)
    assert failures == {}
    cell = run.trained_network(NAMES[0]).population.cell
    before = first_weight(initial_population(cell, 1, 1, [0, 1]))
    for name, value in zip(NAMES, before, strict=True):
        assert entries(run.record("double_untrained", name)) == pytest.approx([value, 6 * value])
        (trained,) = first_weight(run.trained_network(name).population)
        assert entries(run.record("double", name)) == pytest.approx([trained, 6 * trained])
    shown = run.section_of(Double(weights="untrained"), run.section("flip_flop"))
    drawn = [first_weight(shown.trained[name].population)[0] for name in NAMES]
    assert drawn == pytest.approx(before)
    # The trained activity is not that of the networks that are shown.
    assert not shown.records["representations"]
    read = [entries(shown.records["first"][name])[0] for name in NAMES]
    assert read == pytest.approx([3 * value for value in before])


@pytest.mark.parametrize("weights", ["trained", "untrained", "standard"])
def test_networks_that_an_analysis_makes_are_made_of_these_weights(
    weights: Any, tmp_path: Path
) -> None:
    analysis = Population4(weights=weights)
    run, failures = done(study(analysis), tmp_path)
    assert failures == {}
    for name in NAMES:
        (value,) = first_weight(run.trained_network(name).population_with(weights))
        assert entries(run.record(analysis.title, name)) == pytest.approx([2 * value])


def test_networks_of_other_tasks_with_standard_weights_answer_the_probe(tmp_path: Path) -> None:
    tasks = [EASY, {"kind": "integration", "length": 8}]
    asked = study(Representations(weights="standard"), tasks=tasks)
    run, failures = done(asked, tmp_path)
    assert failures == {}
    trained = run.trained_network(NAMES[0])
    analysis = Representations(weights="standard", probe=asked.tasks[1])
    (record,) = analysis.run(analysis.population_of(trained), asked.tasks[0])
    (expected,) = standard_population(trained.population.cell, 4, 1, [0]).unroll(record.inputs)
    # Float32 products of one network and of a cohort.
    np.testing.assert_allclose(record.states, expected, atol=1e-5)


def test_weights_that_do_not_fit_are_refused() -> None:
    message = r"\(double\) has weights: trained; 'f' has weights: untrained. Give both the same"
    with pytest.raises(SettingError, match=message):
        study(First(name="f", weights="untrained"), Double(of="f"))
    with pytest.raises(TypeError, match=r"Weighted.weights must be one of trained, untrained, sta"):

        class Weighted(First):
            weights: float = 1.0  # type: ignore[assignment]


def test_the_former_field_of_untrained_networks_is_still_read() -> None:
    with pytest.warns(DeprecationWarning, match="Pairs.networks was renamed to Pairs.weights"):
        former = Pairs(metric=CKA(), networks="untrained")  # type: ignore[call-arg]
    assert former == Pairs(metric=CKA(), weights="untrained")
    spec = SPEC | {"analyses": [{"kind": "representations", "networks": "untrained"}]}
    with pytest.warns(FutureWarning, match=r"analyses\[0\].networks: 'networks' was renamed to 'w"):
        (analysis,) = study_of(spec).analyses
    assert analysis == Representations(weights="untrained")


def test_a_number_of_networks_is_still_read_as_the_smallest_number() -> None:
    claim = {"kind": "cube", "networks": 3}
    spec = SPEC | {"analyses": ["fixed_points"], "claims": [claim]}
    spec |= {"tasks": [{"kind": "flip_flop", "bits": 3}]}
    with pytest.warns(FutureWarning, match=r"claims\[0\].networks: 'networks' was renamed to 'min"):
        assert study_of(spec).claims[0].min_networks == 3
    with pytest.raises(SpecError, match="is the former name of min_networks, which is also set"):
        study_of(spec | {"claims": [claim | {"min_networks": 3}]})


# Controls


def test_controls_are_added_and_handed_on(tmp_path: Path) -> None:
    analyses = (First(), Double(), Checked(metric=CKA(), name="near"), Compared(distances="near"))
    run, failures = done(study(*analyses), tmp_path)
    assert failures == {}
    cell = run.trained_network(NAMES[0]).population.cell
    networks = [
        *(run.trained_network(name).population for name in NAMES),
        initial_population(cell, 1, 1, [0, 1]),
        standard_population(cell, 1, 1, [0, 1]),
    ]
    one, two, untrained, standard = (3 * sum(first_weight(each)) for each in networks)
    found = entries(run.task_record("compared"))
    assert found == pytest.approx([one + two, untrained, standard, 2])
    assert isinstance(run.task_record("near_controls"), ControlDistances)
    assert entries(run.record("first_untrained", NAMES[0])) == pytest.approx(
        first_weight(networks[2])[:1]
    )
    plan = make_plan(run.study, run.store)
    assert plan.todo == ()
    assert {group for group, _, _ in plan.done} >= {
        "first_untrained", "double_untrained", "double_standard", "near_controls",
    }  # fmt: skip
    # The report reads nothing that it does not show.
    assert set(run.section("flip_flop").records) == {"first", "double", "representations"}


def test_an_equal_analysis_of_the_spec_is_the_control(tmp_path: Path) -> None:
    asked = study(
        First(), Double(), Checked(metric=CKA(), name="near"),
        Controls(metric=CKA(), name="mine"), Compared(distances="near"),
    )  # fmt: skip
    index = make_plan(asked, Store(tmp_path)).index
    titles = {title for title, _ in index.shared}
    assert titles == {"near", "mine", "compared"}
    control = index.shared["compared", "flip_flop"].control_distances["near"]
    assert control is index.shared["mine", "flip_flop"]


class Sameness(Compared):
    """An analysis that needs planted copies among its controls."""

    kind: ClassVar[str] = "tests:Sameness"
    needs_planted: ClassVar[bool] = True


@pytest.mark.parametrize("readers", [1, 2])
def test_controls_have_planted_copies_only_where_a_reader_needs_them(
    readers: int, tmp_path: Path
) -> None:
    """All readers of one analysis of distances read the same controls."""
    asked = study(
        First(), Double(), Pairs(metric=CKA(), name="near"), Pairs(metric=SVCCA(), name="other"),
        Compared(distances="near"), Compared(distances="other", name="third"),
        *[Sameness(distances="near")] * (readers - 1),
    )  # fmt: skip
    shared = make_plan(asked, Store(tmp_path)).index.shared
    found = {title: result.analysis for (title, _), result in shared.items()}
    near, other = found["near_controls"], found["other_controls"]
    assert isinstance(near, Controls)
    assert isinstance(other, Controls)
    assert (near.planted, other.planted) == (readers == 2, False)
    assert near.weights == ("untrained", "standard")


def test_a_control_is_part_of_the_address(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def address(*analyses: Analysis) -> str:
        index = make_plan(study(*analyses), store).index
        return index.shared["compared", "flip_flop"].address(store, complete=True)

    class Alone(Compared):
        kind: ClassVar[str] = "tests:Compared"

        def control_weights(self) -> tuple[Any, ...]:
            return ()

    with_controls = address(First(), Double(), Compared())
    assert with_controls != address(First(), Double(), Alone(name="compared"))
    assert with_controls != address(First(factor=2.0), Double(), Compared())


def test_networks_without_controls_are_absent_from_them() -> None:
    members = [Member("a", {"cell": "gru"}), Member("b", {"cell": "gru"})]
    twins = Inputs(members[:1], double=[_values([1.0])])
    inputs = Inputs(
        members, double=[_values([2.0]), _values([3.0])],
        controls={"untrained": twins, "standard": twins},
    )  # fmt: skip
    assert entries(Compared().compute(TASK, inputs)) == [5.0, 1.0, 1.0]
    assert Inputs(members).controls == {}
    wrong = Inputs(members[:1], double=[Activity(*[np.ones((1, 1, 1))] * 4)])
    with pytest.raises(TypeError, match="'double' must yield Values for strict, got Activity"):
        Strict().compute(
            TASK, Inputs(members, double=[_values([2.0])] * 2, controls={"untrained": wrong})
        )


TASK = study_of(SPEC).tasks[0]
