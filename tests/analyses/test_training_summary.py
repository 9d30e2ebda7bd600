"""What every report shows of training, on made-up results."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.analyses.members import members_by_combination, typical_members
from rnnstudy.analyses.training_summary import performance
from rnnstudy.cells import CELLS
from rnnstudy.core.exhibit import Curves, Panels, Strip, Table
from rnnstudy.population.initialise import initial_population
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training.train import TrainedNetworks

TASK = FlipFlop(bits=2, length=10, probe_length=6, probe_trials=3)


def trained(loss: float, *, samples: int = 4, diverged: bool = False) -> TrainedNetworks:
    population = initial_population(CELLS["vanilla"](units=3), 2, 2, [0])
    curve = np.linspace(1.0, loss, samples)[None]
    return TrainedNetworks(
        population=population,
        seed=np.array([0]),
        attempt=np.array([0]),
        steps=np.array([40]),
        step=np.arange(samples) * 10,
        loss=curve * (np.nan if diverged else 1.0),
        accuracy=1.0 - curve,
        diverged_at=np.array([5 if diverged else -1]),
        evaluation_loss=np.array([np.nan if diverged else loss]),
        evaluation_accuracy=np.array([1.0 - loss]),
        solved=np.array([loss < 0.01 and not diverged]),
    )


def section(results: Mapping[str, TrainedNetworks], **records: Any) -> Section:
    members = [
        Member(name, {"task": "flip_flop", "cell": name.split("-")[0], "activation": "tanh"})
        for name in results
    ]
    return Section(TASK, members, results, records, {})


def exhibit(found: Section, kind: type) -> Any:
    return next(e for e in performance(found) if isinstance(e, kind))


def test_outcomes_count_networks_by_combination() -> None:
    results = {
        "gru-0": trained(0.001), "gru-1": trained(0.1), "gru-2": trained(0.003),
        "lstm-0": trained(0.002), "lstm-1": trained(0.5, diverged=True),
    }  # fmt: skip
    outcomes = exhibit(section(results), Table)
    # The trials may have noise of the task's inputs.
    assert "fresh trials without state noise" in outcomes.caption
    table = outcomes.columns
    assert table["combination"] == ["gru tanh", "lstm tanh"]
    assert table["networks"] == [3, 2]
    assert table["solved"] == [2, 1]
    assert table["diverged"] == [0, 1]
    assert table["median loss"][0] == pytest.approx(0.003)
    assert table["highest loss"][0] == pytest.approx(0.1)
    strip = exhibit(section(results), Strip)
    assert strip.limit == TASK.solved_loss
    assert len(strip.values) == 5


@pytest.mark.filterwarnings("error")
def test_curves_cope_with_unequal_lengths_and_with_nothing_finite() -> None:
    results = {
        "gru-0": trained(0.1, samples=4), "gru-1": trained(0.3, samples=6),
        "lstm-0": trained(0.2, diverged=True),
    }  # fmt: skip
    gru, lstm = exhibit(section(results), Curves).curves
    assert len(gru.x) == len(gru.y) == 6
    np.testing.assert_allclose(gru.y[:4], np.median([results["gru-0"].loss[0],
                               results["gru-1"].loss[0, :4]], axis=0))  # fmt: skip
    np.testing.assert_allclose(gru.low[4:], results["gru-1"].loss[0, 4:])
    assert np.isnan(lstm.y).all()


@pytest.mark.parametrize(
    ("losses", "typical"),
    [
        ((0.001, 0.002, 0.003), 1),
        ((0.5, 0.002, 0.003), 1),  # only solved ones count where there are any
        ((0.5, 0.3, 0.4), 2),
        ((0.5,), 0),
    ],
)
def test_the_typical_network_has_the_median_loss(losses: tuple[float, ...], typical: int) -> None:
    results = {f"gru-{i}": trained(loss) for i, loss in enumerate(losses)}
    assert [m.name for m in typical_members(section(results))] == [f"gru-{typical}"]


def test_a_diverged_network_is_never_typical() -> None:
    results = {"gru-0": trained(0.1, diverged=True), "lstm-0": trained(0.1)}
    found = section(results)
    assert [m.name for m in typical_members(found)] == ["lstm-0"]
    assert list(members_by_combination(found.members)) == ["gru tanh", "lstm tanh"]


def test_nothing_trained_shows_nothing() -> None:
    empty = Section(TASK, [Member("gru-0", {"cell": "gru", "activation": "tanh"})], {}, {}, {})
    assert list(performance(empty)) == []


def test_trials_show_output_against_target() -> None:
    results = {"gru-0": trained(0.001)}
    activity = Representations().run(results["gru-0"].population, TASK)[0]
    panels = exhibit(section(results, representations={"gru-0": activity}), Panels)
    curves = panels.exhibits[0].curves
    assert [(c.panel, c.label, c.dashed) for c in curves] == [
        ("output 1", "output", False), ("output 1", "target", True),
        ("output 2", "output", False), ("output 2", "target", True),
    ]  # fmt: skip
    np.testing.assert_array_equal(curves[1].y, activity.targets[0, :, 0])


def test_activity_is_what_the_network_does_on_the_probe() -> None:
    population = initial_population(CELLS["lstm"](units=3), 2, 2, [4, 5])
    first, second = Representations().run(population, TASK)
    assert isinstance(first, Activity)
    assert first.states.shape == (3, 6, 3)
    assert first.samples.shape == (18, 3)
    np.testing.assert_array_equal(first.inputs, np.asarray(TASK.probe().inputs))
    seen = population.visible(population.unroll(first.inputs))
    np.testing.assert_array_equal(second.states, seen[1])
    expected = seen[1] @ population.readout["kernel"][1] + population.readout["bias"][1]
    np.testing.assert_allclose(second.outputs, expected, rtol=1e-5, atol=1e-6)
