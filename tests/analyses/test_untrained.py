"""Analyses of networks that never learnt: one fixed point, no line, or states without bound."""

import numpy as np
import pytest
from task_inputs import compute

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.point_geometry import PointGeometry
from rnnstudy.analyses.fixed_points.analysis import FixedPointAnalysis
from rnnstudy.analyses.fixed_points.graph_distances import GraphDistances
from rnnstudy.analyses.fixed_points.topology import Topology
from rnnstudy.analyses.fixed_points.transitions import TransitionAnalysis
from rnnstudy.analyses.line_attractors.analysis import LineAttractors
from rnnstudy.analyses.oscillations.analysis import Oscillations
from rnnstudy.cells import CELLS
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.population.initialise import initial_population
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

MEMORY = FlipFlop(bits=2, length=400, probe_length=400, probe_trials=2)
SINE = Sine(length=400, frequencies=3, static_cues=3, probe_trials=3, evaluation_trials=3)
INTEGRATION = Integration(length=400, probe_trials=2)
SEARCH = {"candidates": 16, "rounds": 1}


def networks(kind, activation, task, gain=4.0):
    """Recurrent weights large enough for some networks to grow without bound in 400 steps."""
    if kind == "dale" and activation == "tanh":
        pytest.skip("rates are not negative")
    cell = CELLS[kind](
        units=4, activation=activation, recurrent_initializer={"kind": "normal", "gain": gain}
    )
    return initial_population(cell, task.inputs, task.outputs, [1, 2])


def graphs(population):
    points = FixedPointAnalysis(search=SEARCH).run(population, MEMORY)
    inputs = {"fixed_points": points}
    return (
        Topology(steps=300).run(population, MEMORY, inputs),
        TransitionAnalysis(trials=3, settling=50).run(population, MEMORY, inputs),
    )


def members(count):
    return [Member(f"m{i}", {"cell": "gru", "activation": "relu"}) for i in range(count)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("kind", sorted(CELLS))
def test_every_analysis_has_a_record_of_untrained_networks(kind, activation):
    for records in graphs(networks(kind, activation, MEMORY)):
        for distance in ("labelled", "isomorphic", "spectral"):
            analysis = GraphDistances(distance=distance)
            assert compute(analysis, MEMORY, members(2), records).values.shape == (2, 2)
    for analysis, task in ((Oscillations(transient=300, steps=256), SINE),
                           (LineAttractors(), INTEGRATION)):  # fmt: skip
        records = analysis.run(networks(kind, activation, task), task)
        for neighbours in (2, None):
            geometry = PointGeometry(of="x", neighbours=neighbours)
            assert compute(geometry, task, members(2), records).values.shape == (2, 2)


def resting(bias=0.0):
    """Two units that forget everything: one stable point, at the origin without a bias."""
    population = initial_population(Vanilla(units=2, activation="relu"), 2, 2, [0])
    population.weights["recurrent_kernel"][:] = 0.5 * np.eye(2)
    population.weights["bias"][:] = bias
    return population


@pytest.mark.parametrize(("bias", "words"), [(0.0, {0}), (0.4, {-1, 1})])
def test_a_single_stable_point_is_a_graph_of_one_word(bias, words):
    connections, transitions = graphs(resting(bias))
    for records in (connections, transitions):
        links = records[0].links()
        assert len(links.weight) == 1
        assert set(np.unique(links.labels[:, -2:])) <= words
    # Noise of half the size of the points, or of 1 at the origin, leads back to the only point.
    assert transitions[0].share.sum() == 1.0


def test_a_graph_without_links_is_compared():
    (alone,), _ = graphs(resting(0.4))
    nothing = alone.select("point", np.zeros(len(alone), bool))
    for distance in ("labelled", "isomorphic", "spectral"):
        analysis = GraphDistances(distance=distance)
        values = compute(analysis, MEMORY, members(3), [alone, nothing, nothing]).values
        assert values[1, 2] == 0.0
        assert values[0, 1] == pytest.approx(1.0)
