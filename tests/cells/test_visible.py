"""Readouts of any function of the state: rates of currents, in every use of them."""

import numpy as np
import pytest
import tensorflow as tf
from reference.dynamics import population

from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.analyses.line_attractors.analysis import LineAttractors
from rnnstudy.analyses.oscillations.analysis import Oscillations
from rnnstudy.cells import Cell, Weight, row
from rnnstudy.cells.base import visible_entries
from rnnstudy.cells.check import check_cell
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.rate import Rate
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.keras_bridge.invariant_box import cell_radii
from rnnstudy.keras_bridge.to_keras import keras_cell
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import readout_jacobian
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

DRAW = np.random.default_rng(0)


class Currents(Cell):
    """A rate network of a user: the state holds currents, the readout sees their rates."""

    units: int = 3

    def weights(self, inputs):
        return self.kernels(inputs, blocks=1) | {"bias": Weight((self.units,))}

    def drive(self, w, x):
        return x @ w["kernel"] + row(w["bias"])

    def step(self, w, drive, h):
        return 0.8 * h + 0.2 * (drive + tf.tanh(h) @ w["recurrent_kernel"])

    def visible(self, h):
        return tf.tanh(h)


@pytest.fixture
def networks():
    return initial_population(Currents(), 2, 2, [1, 2])


def test_entries_of_the_state_are_known_from_functions_of_it():
    assert visible_entries(LSTM(units=2)).tolist() == [0, 1]
    assert visible_entries(Rate(units=2, readout="currents")).tolist() == [0, 1]
    assert visible_entries(Rate(units=2, activation="linear")).tolist() == [0, 1]
    assert visible_entries(Rate(units=1, activation="relu")) is None
    assert visible_entries(Currents()) is None


def test_rates_are_numpy_arrays_of_the_states_precision(networks):
    check_cell(Currents(), 2)
    states = networks.unroll(DRAW.normal(size=(4, 5, 2)))
    rates = networks.visible(states)
    assert isinstance(rates, np.ndarray)
    assert rates.dtype == np.float32
    np.testing.assert_allclose(rates, np.tanh(states), rtol=1e-5)
    expected = np.tanh(states[1]) @ networks.readout["kernel"][1]
    np.testing.assert_allclose(networks.outputs_of(states)[1], expected, atol=1e-6)


def test_the_readouts_derivative_is_that_at_each_state(networks):
    exact, states = networks.as_float64(), DRAW.normal(size=(5, 3))
    slopes = readout_jacobian(exact, 1, states)
    assert slopes.shape == (5, 3, 2)
    for unit in range(3):
        move = 1e-6 * np.eye(3)[unit]
        above, below = (
            exact.outputs_of(np.stack([states + sign * move] * 2))[1] for sign in (1, -1)
        )
        np.testing.assert_allclose(slopes[:, unit], (above - below) / 2e-6, atol=1e-9)
    assert readout_jacobian(exact, 0, states[:0]).shape == (0, 3, 2)
    # The derivative of a readout of the state itself is its kernel.
    lstm = initial_population(LSTM(units=2), 1, 1, [0])
    kernel = np.concatenate([lstm.readout["kernel"][0], np.zeros((2, 1))])
    np.testing.assert_array_equal(readout_jacobian(lstm, 0, states), kernel)


def test_points_are_found_among_currents():
    """Uncoupled units h = 2 tanh(h): three points each, beyond any box of the rates."""
    memory = population(Currents(), [{"recurrent_kernel": 2.0 * np.eye(3)}])
    points = find_fixed_points(memory, search=FixedPointSearch(candidates=64))
    assert len(points) == 27
    assert np.abs(points.state).max() == pytest.approx(1.9150080481545)


def test_a_stack_has_no_box_of_states_from_rates():
    built = keras_cell(Rate)(3)
    built.build((None, 2))
    assert cell_radii(built, 3) is None
    currents = keras_cell(Rate)(3, readout="currents")
    currents.build((None, 2))
    assert cell_radii(currents, 3) is None


def test_analyses_read_the_rates(networks):
    """Linearised responses of outputs predict small pulses only with the slopes of the rates."""
    task = Integration(length=20, probe_trials=2, streams=1)
    memory = initial_population(Currents(), task.inputs, 1, [1, 2])
    memory.weights["kernel"][:] *= 1e-4
    memory.weights["bias"][:] = 0.7
    for record in LineAttractors(steps=400, speed=1e-4).run(memory, task):
        np.testing.assert_allclose(record.linear_fit, 1.0, atol=1e-4)
    sine = Sine(length=100, frequencies=3, static_cues=3, probe_trials=3, evaluation_trials=3)
    turning = initial_population(Currents(), sine.inputs, 1, [1])
    search = FixedPointSearch(candidates=16, rounds=1)
    (record,) = Oscillations(transient=10, steps=256, search=search).run(turning, sine)
    assert np.isfinite(record.amplitude).all()
    activity = Representations().run(memory, task)[0]
    assert np.abs(activity.states).max() < 1.0
