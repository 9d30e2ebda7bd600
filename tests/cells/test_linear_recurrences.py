"""The minimal GRU and the linear unit: affine at constant input, so one point or a continuum."""

import numpy as np
import pytest
import tensorflow as tf
from reference.dynamics import population, sigmoid

from rnnstudy.cells.lru import LRU
from rnnstudy.cells.min_gru import MinGRU
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.population.initialise import initial_population

UNITS, INPUTS = 4, 2
X = np.array([[0.7, -0.4]])
QUICK = FixedPointSearch(candidates=32)
DRAW = np.random.default_rng(3)


def random_weights(cell):
    drawn = initial_population(cell, INPUTS, 1, [2], dtype=np.float64).weights
    return {name: w[0] + 0.2 * DRAW.normal(size=w[0].shape) for name, w in drawn.items()}


@pytest.mark.parametrize("cell", [MinGRU(units=UNITS), LRU(units=UNITS)])
def test_the_recurrent_state_is_affine_at_a_constant_input(cell):
    w = {name: tf.constant(values) for name, values in random_weights(cell).items()}
    drive = cell.drive(w, tf.constant(X))
    a, b = DRAW.normal(size=(2, 1, cell.state_size))
    recurrent = cell.state_size - UNITS

    def image(h):
        return cell.step(w, drive, tf.constant(h)).numpy()

    mixture = image(0.3 * a + 0.7 * b)[:, :recurrent]
    expected = 0.3 * image(a)[:, :recurrent] + 0.7 * image(b)[:, :recurrent]
    np.testing.assert_allclose(mixture, expected, atol=1e-13)
    # The hidden units are not, and follow from the recurrent state alone.
    assert np.abs(image(0.3 * a + 0.7 * b) - 0.3 * image(a) - 0.7 * image(b)).max() > 1e-3
    forgotten = np.concatenate([a[:, :recurrent], b[:, recurrent:]], axis=1)
    np.testing.assert_array_equal(image(a), image(forgotten))


def single_point(cell, weights):
    points = find_fixed_points(population(cell, [weights], INPUTS), X, search=QUICK)
    assert points.certificate["verdict"].tolist() == ["consistent"]
    assert points.kind.tolist() == ["stable"]
    return points.state[0], np.sort_complex(points.eigenvalues[0])


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_minimal_gru_has_one_point_its_candidate(activation):
    cell = MinGRU(units=UNITS, activation=activation)
    w = random_weights(cell)
    state, eigenvalues = single_point(cell, w)
    product = (X @ w["kernel"])[0] + w["bias"][: 2 * UNITS]
    np.testing.assert_allclose(state[:UNITS], product[UNITS:], atol=1e-9)
    hidden = product[UNITS:] @ w["hidden_kernel"] + w["bias"][2 * UNITS :]
    f = np.tanh if activation == "tanh" else lambda z: np.maximum(z, 0.0)
    np.testing.assert_allclose(state[UNITS:], f(hidden), atol=1e-9)
    truth = np.concatenate([sigmoid(product[:UNITS]), np.zeros(UNITS)])
    np.testing.assert_allclose(eigenvalues, np.sort_complex(truth), atol=1e-9)


def test_the_linear_unit_has_one_point_of_complex_numbers():
    cell = LRU(units=UNITS)
    w = random_weights(cell)
    state, eigenvalues = single_point(cell, w)
    values = np.exp(-np.exp(w["log_decay"]) + 1j * np.exp(w["log_phase"]))
    real, imaginary, direct = np.split((X @ w["kernel"])[0], 3)
    s = np.sqrt(1.0 - np.abs(values) ** 2) * (real + 1j * imaginary) / (1.0 - values)
    np.testing.assert_allclose(state[: 2 * UNITS], np.concatenate([s.real, s.imag]), atol=1e-8)
    hidden = np.concatenate([s.real, s.imag]) @ w["hidden_kernel"] + direct + w["bias"]
    np.testing.assert_allclose(state[2 * UNITS :], np.tanh(hidden), atol=1e-8)
    truth = np.sort_complex(np.concatenate([values, values.conj(), np.zeros(UNITS)]))
    np.testing.assert_allclose(eigenvalues, truth, atol=1e-8)


def test_closed_gates_make_a_continuum_and_no_isolated_point():
    cell = MinGRU(units=UNITS)
    w = random_weights(cell)
    w["kernel"][:, :UNITS] = 0.0
    w["bias"][:UNITS] = 800.0
    points = find_fixed_points(population(cell, [w], INPUTS), X, search=QUICK)
    assert len(points) == 0
    assert points.searches["degenerate"][0] > 0


def test_the_first_eigenvalues_lie_in_their_ring():
    cell = LRU(units=500, min_radius=0.5, max_radius=0.8, max_phase=0.3)
    drawn = {n: w[0] for n, w in initial_population(cell, 1, 1, [0], np.float64).weights.items()}
    modulus, phase = np.exp(-np.exp(drawn["log_decay"])), np.exp(drawn["log_phase"])
    assert (modulus > 0.5).all()
    assert (modulus < 0.8).all()
    # Uniform over the ring: the squares of the moduli are uniform.
    assert np.mean(modulus**2) == pytest.approx(0.5 * (0.25 + 0.64), rel=0.05)
    assert (phase > 0.0).all()
    assert phase.max() == pytest.approx(0.3, rel=0.02)
