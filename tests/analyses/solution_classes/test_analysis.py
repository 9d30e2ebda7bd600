"""Networks of each class that are known by hand, and trained integrators that oscillate."""

from pathlib import Path

import numpy as np
import pytest
from hand_built_networks import (
    Bistable,
    CuedCircle,
    DelayLine,
    HopfIntegrator,
    Leak,
    Ring,
    Rotations,
    network,
)

from rnnstudy.analyses import ANALYSES
from rnnstudy.analyses.fixed_points.analysis import FixedPointAnalysis
from rnnstudy.analyses.solution_classes.analysis import SolutionClasses
from rnnstudy.analyses.solution_classes.record import SolutionClass
from rnnstudy.analyses.solution_classes.thresholds import ClassThresholds
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.population.population import Population
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

MEMORY = FlipFlop(bits=3, length=30, probe_length=30, probe_trials=24)
INTEGRATION = Integration(streams=1, length=40, probe_trials=32)
SINE = Sine(frequencies=5, static_cues=5, length=100, probe_trials=5)
SEARCH = FixedPointSearch(candidates=64)
ANALYSIS = SolutionClasses(search=SEARCH)
OSCILLATING = Path(__file__).parent / "oscillating_integrators"


def class_of(cell, task=INTEGRATION, analysis=ANALYSIS, start=0.0):
    (record,) = analysis.run(network(cell, task.inputs, task.outputs, start), task)
    return record


CLEAR = {
    "memory": (Bistable(), MEMORY, 0.0, "8 + 12 + 6 + 1 points, cube graph"),
    "line": (Leak(keep=0.995), INTEGRATION, 0.0, "line"),
    "exact line": (Leak(), INTEGRATION, 0.0, "line"),
    "plane": (Leak(lasting=2), Integration(streams=2, length=40), 0.0, "plane"),
    "ring": (Ring(turn=0.001), INTEGRATION, 0.5, "ring"),
    "cycle": (Ring(turn=0.7), INTEGRATION, 0.5, "cycle, 0 + 0 + 1 points"),
    "orbit": (
        Ring(turn=2.0 * np.pi / 3.0, locking=0.1),
        INTEGRATION,
        0.5,
        "orbit of period 3, 0 + 0 + 1 points",
    ),
    "Hopf": (HopfIntegrator(), INTEGRATION, 0.5, "line of oscillations"),
    "point": (Leak(keep=0.5), INTEGRATION, 0.0, "1 point"),
    "reservoir": (Rotations(), INTEGRATION, 0.0, "no attractor within the horizon"),
    "escape": (Leak(keep=1.5), INTEGRATION, 0.0, "states escape"),
    "cued": (CuedCircle(), SINE, 0.5, "cycle, 0 + 0 + 1 points"),
    "half cued": (CuedCircle(onset=0.4), SINE, 0.5, "1 point → cycle, 0 + 0 + 1 points"),
}


@pytest.mark.parametrize("name", CLEAR)
def test_a_network_of_each_class_by_hand(name):
    cell, task, start, label = CLEAR[name]
    assert class_of(cell, task, start=start).label == label


THRESHOLDS = [
    name for name, field in ClassThresholds.model_fields.items() if isinstance(field.default, float)
]


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.8, 1.2])
@pytest.mark.parametrize("name", ["memory", "line", "ring", "cycle", "Hopf", "reservoir"])
def test_a_clear_class_hangs_on_no_threshold(name, factor):
    cell, task, start, label = CLEAR[name]
    for threshold in THRESHOLDS:
        value = getattr(ClassThresholds(), threshold)
        if value * factor >= 1.0 > value:
            continue  # a share
        changed = ClassThresholds(**{threshold: value * factor})
        analysis = ANALYSIS.replace(thresholds=changed)
        assert class_of(cell, task, analysis, start).label == label, threshold


def test_the_memory_by_hand():
    record = class_of(Bistable(), MEMORY)
    assert record.counts(0).tolist() == [8, 12, 6, 1]
    # Every edge of the cube leads to both of its corners.
    assert np.bincount(record.links["source"], minlength=27).tolist().count(2) == 12
    assert record.attractors["share"].sum() == pytest.approx(1.0)
    words = record.points["word"][record.points["n_unstable"] == 0]
    assert len(np.unique(words, axis=0)) == 8
    assert record.label_at("attractors") == "8 points"
    assert record.label_at("points") == "8 + 12 + 6 + 1 points"
    with pytest.raises(ValueError, match="detail must be one of attractors, points, graph, got"):
        record.label_at("shape")


def test_a_leaky_line_drifts_and_contracts_as_its_shares_say():
    keep, length = 0.995, INTEGRATION.length
    record = class_of(Leak(keep=keep))
    assert record.kinds == ("line",)
    measures = {name: float(values[0]) for name, values in record.measures.items()}
    assert measures["along"] == pytest.approx(length * np.log(keep), rel=1e-6)
    assert measures["across"] == pytest.approx(length * np.log(0.5), rel=1e-6)
    assert measures["dimension"] == pytest.approx(1.0, abs=0.02)
    assert measures["extent"] / measures["first_extent"] == pytest.approx(keep**length, rel=1e-3)
    assert measures["retention"] == pytest.approx(1.0, abs=0.01)
    # The exact line drifts by nothing.
    assert class_of(Leak()).measures["drift"][0] == pytest.approx(0.0, abs=1e-9)


def test_a_ring_drifts_by_its_rotation():
    turn, length = 0.001, INTEGRATION.length
    record = class_of(Ring(turn=turn), start=0.5)
    measures = {name: float(values[0]) for name, values in record.measures.items()}
    # Points on a circle of radius 1 are 1 from its middle, the spread of the starts.
    assert measures["extent"] * measures["spread"] == pytest.approx(1.0, rel=0.05)
    chord = 2.0 * np.sin(0.5 * turn * length)
    extent = measures["extent"] * measures["spread"]
    # Distances between orbits are medians over the orbit: a short arc moves by nearly the chord.
    assert measures["drift"] * extent == pytest.approx(0.5 * chord, rel=0.5)
    assert measures["motion"] * measures["spread"] == pytest.approx(turn, rel=1e-3)
    assert measures["across"] == pytest.approx(length * np.log(0.5), rel=1e-3)


def test_the_rotation_and_contraction_of_cycles():
    circle = class_of(Ring(turn=0.7), start=0.5)
    assert circle.attractors["rotation"].tolist() == pytest.approx([0.7 / (2.0 * np.pi)], abs=1e-8)
    assert circle.attractors["exponent"].tolist() == pytest.approx([np.log(0.5)], rel=1e-6)
    assert circle.attractors["share"].tolist() == [1.0]
    orbit = class_of(Ring(turn=2.0 * np.pi / 3.0, locking=0.1), start=0.5)
    assert orbit.attractors["period"].tolist() == [3]
    # The phase contracts by 1 - 3 * locking, the radius by one half.
    assert orbit.attractors["exponent"].tolist() == pytest.approx([np.log(0.7)], rel=1e-6)


def test_the_horizon_of_an_echo():
    task = INTEGRATION.replace(length=10)
    short = ANALYSIS.replace(thresholds=ClassThresholds(horizon=4.0))
    assert class_of(DelayLine(), task, short).label == "no attractor within the horizon"
    # After 64 steps the last unit has forgotten, too.
    assert class_of(DelayLine(), task).label == "1 point"


def test_a_line_of_oscillations_by_hand():
    record = class_of(HopfIntegrator(keep=0.998), start=0.5)
    measures = {name: float(values[0]) for name, values in record.measures.items()}
    assert record.kinds == ("line of oscillations",)
    assert measures["motion"] > 0.1
    assert measures["dimension"] < 1.2
    # Phase and integral are free; the radius contracts by one half.
    assert measures["across"] == pytest.approx(INTEGRATION.length * np.log(0.5), rel=0.05)
    assert measures["retention"] > 0.95


def test_trained_integrators_hold_the_integral_on_oscillations():
    """Integrators of 32 units, trained by `train_oscillating.py` from normal weights."""
    networks, task = Population.load(OSCILLATING), Integration()
    for record in SolutionClasses().run(networks, task):
        assert record.label == "line of oscillations"
        assert (record.measures["motion"] > 0.3).all()
        assert (record.measures["retention"] > 0.9).all()
    motion, correlation = silent_steps(networks, task)
    assert (motion > 0.3).all()
    assert (correlation > 0.85).all()


def silent_steps(networks, task):
    """Return, in plain NumPy, the step after 100 silent steps as a share of the spread of states,
    and the correlation of the output with the target after 200, [member]."""
    trials = task.evaluation()
    inputs, targets = np.asarray(trials.inputs, float), np.asarray(trials.targets, float)
    motion, correlation = [], []
    for member in range(len(networks)):
        w = {name: np.asarray(values[member], float) for name, values in networks.weights.items()}
        h = np.zeros((len(inputs), networks.cell.units))
        silent = inputs[:, -1].copy()
        silent[:, : task.streams] = 0.0
        steps = [*np.moveaxis(inputs, 1, 0), *[silent] * 200]
        for t, x in enumerate(steps):
            new = np.tanh(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])
            if t == task.length + 100:
                spread = np.sqrt(np.mean(np.sum((h - h.mean(axis=0)) ** 2, axis=1)))
                step = np.sqrt(np.mean(np.sum((new - h) ** 2, axis=1)))
                motion.append(step / spread)
            h = new
        output = h @ networks.readout["kernel"][member] + networks.readout["bias"][member]
        correlation.append(np.corrcoef(output[:, 0], targets[:, -1, 0])[0, 1])
    return np.array(motion), np.array(correlation)


def test_points_of_another_analysis_are_used():
    population = network(Bistable(), MEMORY.inputs, MEMORY.outputs)
    points = FixedPointAnalysis(search=SEARCH).run(population, MEMORY)
    analysis = SolutionClasses(of="fixed_points")
    (record,) = analysis.compute(population, MEMORY, {"fixed_points": points})
    assert record.label == CLEAR["memory"][3]


PLANTED = {
    "line": "ring",
    "ring": "line",
    "point": "no attractor within the horizon",
    "reservoir": "line",
    "Hopf": "line",
    "half cued": "no attractor within the horizon → 1 point → cycle, 0 + 0 + 1 points",
}
"""Class by hand -> class of its planted copy; that of cues changes for the first cue."""


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_copy_has_another_attracting_set(name):
    cell, task, start, _ = CLEAR[name]
    assert class_of(cell, task, start=start).plant().label == PLANTED[name]


def test_a_planted_copy_of_a_memory_lacks_a_corner_whatever_the_order_of_corners():
    record = class_of(Bistable(), MEMORY)
    copy = record.plant()
    assert copy.counts(0).tolist() == [7, 12, 6, 1]
    assert (len(record.links["ways"]), len(copy.links["ways"])) == (24, 21)
    stable = np.flatnonzero(record.points["n_unstable"] == 0)
    lacking = {record._without(i).label for i in range(len(stable))}
    assert lacking == {copy.label} != {record.label}
    # Each remaining link leads from and to where it did.
    words = copy.points["word"]
    sources = words[copy.links["source"]]
    targets = words[copy.attractors["point"][copy.links["target"]]]
    assert (copy.points["n_unstable"][copy.links["source"]] == 1).all()
    assert (np.sort(np.abs(sources - targets).sum(axis=1)) == 1).all()


def test_a_record_survives_the_store(tmp_path):
    record = class_of(Bistable(), MEMORY)
    record.save(tmp_path)
    again = SolutionClass.load(tmp_path)
    assert again.label == record.label
    assert again.conditions == ("no input",)
    assert again.is_same_class(record)


def test_it_is_in_the_catalogue():
    assert ANALYSES["solution_classes"] is SolutionClasses
