"""Populations: unrolled and read out member by member, whatever the shapes."""

import numpy as np
import pytest
from reference import population as truth

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population

INPUTS, OUTPUTS, SEEDS = 2, 3, (5, 6)


def population(cell, dtype="float64"):
    """Two members whose biases, readout biases and initial states are random too."""
    rng = np.random.default_rng(0)
    drawn = initial_population(cell, INPUTS, OUTPUTS, SEEDS, np.dtype(dtype))

    def shifted(values):
        return (values + 0.2 * rng.standard_normal(values.shape)).astype(dtype)

    return Population(
        cell=cell,
        weights={name: shifted(w) for name, w in drawn.weights.items()},
        readout={name: shifted(w) for name, w in drawn.readout.items()},
        initial_state=shifted(drawn.initial_state),
    )


def inputs(*shape):
    return np.random.default_rng(1).standard_normal((*shape, INPUTS))


@pytest.mark.parametrize("cell", [Vanilla(units=3), LSTM(units=2)], ids=lambda cell: cell.kind)
def test_unroll_equals_the_plain_loop_for_one_shape_after_another(cell):
    networks = population(cell)
    for trials, time in [(3, 5), (3, 7), (4, 12), (1, 1)]:
        x = inputs(trials, time)
        start = np.repeat(networks.initial_state[:, None], trials, axis=1)
        expected = truth.unroll(cell, networks.weights, np.stack([x, x]), start)
        found = networks.unroll(x)
        assert found.shape == (2, trials, time, cell.state_size)
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    alone = networks.select("member", [1]).unroll(x)
    np.testing.assert_allclose(alone, found[1:], rtol=1e-10, atol=1e-12)


def test_unroll_takes_inputs_of_each_member_and_a_start():
    networks, x = population(GRU(units=3)), inputs(2, 4, 6)
    start = np.random.default_rng(2).standard_normal((2, 4, 3))
    expected = truth.unroll(networks.cell, networks.weights, x, start)
    np.testing.assert_allclose(networks.unroll(x, start), expected, rtol=1e-10, atol=1e-12)


def test_states_go_on_where_they_ended():
    networks, x = population(GRU(units=3)), inputs(4, 12)
    whole = networks.unroll(x)
    rest = networks.unroll(x[:, 5:], start=whole[:, :, 4])
    np.testing.assert_allclose(rest, whole[:, :, 5:], rtol=1e-10, atol=1e-12)


def test_unroll_refuses_inputs_of_another_width():
    with pytest.raises(ValueError, match="inputs must have 2 channels, got 3"):
        population(GRU(units=3)).unroll(np.zeros((4, 5, 3)))


def test_outputs_are_the_readout_of_the_visible_part():
    networks = population(LSTM(units=2))
    states = np.random.default_rng(3).standard_normal((2, 4, 5, 4))
    expected = truth.outputs(networks.cell, networks.readout, states)
    np.testing.assert_allclose(networks.outputs_of(states), expected, rtol=1e-12)
    np.testing.assert_allclose(networks.outputs_of(states[:, 0]), expected[:, 0], rtol=1e-12)
    np.testing.assert_array_equal(networks.visible(states), states[..., :2])


def test_double_precision_keeps_every_number():
    single = population(GRU(units=3), "float32")
    double = single.as_float64()
    assert single.unroll(inputs(1, 2)).dtype == np.float32
    assert double.unroll(inputs(1, 2)).dtype == np.float64
    assert double.initial_state.dtype == double.readout["bias"].dtype == np.float64
    for name, values in single.weights.items():
        np.testing.assert_array_equal(double.weights[name], values)


def test_a_population_knows_its_sizes_and_survives_a_folder(tmp_path):
    networks = population(GRU(units=3))
    assert (len(networks), networks.inputs, networks.outputs) == (2, INPUTS, OUTPUTS)
    networks.save(tmp_path)
    found = Population.load(tmp_path)
    assert found.cell == networks.cell
    np.testing.assert_array_equal(found.unroll(inputs(2, 3)), networks.unroll(inputs(2, 3)))


def test_members_that_do_not_fit_together_are_refused():
    networks = population(GRU(units=3))
    with pytest.raises(
        ValueError, match=r"Population.initial_state must have length . along 'member'"
    ):
        Population(networks.cell, networks.weights, networks.readout, networks.initial_state[:1])
