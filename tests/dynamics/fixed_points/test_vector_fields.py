"""Fixed points of vector fields: normal forms, rate networks, and their maps at small steps."""

import warnings

import numpy as np
import pytest

import rnnstudy
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.linearisation.jacobians import input_jacobian
from rnnstudy.dynamics.linearisation.modes import modes

QUICK = FixedPointSearch(candidates=48, rounds=4)


def pitchfork(x, h):
    return 2.0 * h - h**3


def saddle(x, h):
    """Points (-1, 0) with eigenvalues -2, -3, and (1, 0) with 2, -3."""
    return tf.stack([h[:, 0] ** 2 - 1.0, -3.0 * h[:, 1]], axis=1)


def test_a_pitchfork_has_the_eigenvalues_of_its_normal_form():
    found = find_fixed_points(pitchfork, state_size=1, search=QUICK, continuous=True)
    np.testing.assert_allclose(np.sort(found.state[:, 0]), [-np.sqrt(2), 0, np.sqrt(2)], atol=1e-12)
    order = np.argsort(found.state[:, 0])
    np.testing.assert_allclose(found.eigenvalues[order, 0], [-4.0, 2.0, -4.0], atol=1e-11)
    assert found.kind[order].tolist() == ["stable", "repeller", "stable"]
    assert found.index[order].tolist() == [1, -1, 1]
    assert found.continuous
    assert (found.speed < 1e-25).all()


def test_a_saddle_is_one_by_real_parts():
    found = find_fixed_points(saddle, state_size=2, search=QUICK, continuous=True)
    assert found.kind.tolist() == ["stable", "saddle"]
    # Both moduli of the stable point are above 1: a map would repel there.
    np.testing.assert_allclose(found.eigenvalues, [[-2.0, -3.0], [2.0, -3.0]], atol=1e-11)
    np.testing.assert_allclose(found.jacobian[1], [[2.0, 0.0], [0.0, -3.0]], atol=1e-12)
    assert found.to_frame()["time_constant"].tolist() == pytest.approx([0.5, -0.5])


@pytest.mark.parametrize("rate", [1e-3, 1e4])
def test_the_unit_of_time_changes_rates_alone(rate):
    found = find_fixed_points(
        lambda x, h: rate * pitchfork(x, h), state_size=1, search=QUICK, continuous=True
    )
    assert found.kind.tolist() == ["stable", "stable", "repeller"]
    np.testing.assert_allclose(found.eigenvalues[:, 0].real / rate, [-4, -4, 2], atol=1e-10)
    np.testing.assert_allclose(found.jacobian[:, 0, 0] / rate, [-4, -4, 2], atol=1e-10)


def rate_network(size=6, gain=2.5, seed=3):
    weights = gain * np.random.default_rng(seed).standard_normal((size, size)) / np.sqrt(size)

    def field(x, h):
        return (tf.linalg.matmul(tf.tanh(h), weights.T) - h + x) / 0.1

    return field


def test_a_rate_network_and_its_map_at_a_small_step():
    field, dt, inputs = rate_network(), 1e-3, np.full((1, 6), 0.2)
    flow = find_fixed_points(field, inputs, state_size=6, search=QUICK, continuous=True)
    step = find_fixed_points(
        lambda x, h: h + dt * field(x, h), inputs, state_size=6, search=QUICK, continuous=False
    )
    assert len(flow) == len(step) > 0
    matched = np.linalg.norm(flow.state[:, None] - step.state, axis=2)
    assert (matched.min(axis=1) < 1e-10).all()
    for i, j in enumerate(matched.argmin(axis=1)):
        by_map = np.sort_complex((step.eigenvalues[j] - 1.0) / dt)
        np.testing.assert_allclose(np.sort_complex(flow.eigenvalues[i]), by_map, atol=1e-8)
        # 1 + dt lambda leaves the unit circle before a pair's real part is 0, by O(dt).
        assert flow.n_unstable[i] == (flow.eigenvalues[i].real > 0).sum()


def test_time_constants_and_frequencies_of_a_focus():
    matrix = np.array([[-0.5, -6.0], [6.0, -0.5]])
    found = find_fixed_points(
        lambda x, h: tf.linalg.matmul(h, matrix.T), state_size=2, search=QUICK, continuous=True
    )
    linear = found.modes(dt=0.001)
    np.testing.assert_allclose(linear.time_constant, [[2.0, 2.0]], rtol=1e-12)
    np.testing.assert_allclose(linear.frequency, [[6 / (2 * np.pi)] * 2], rtol=1e-12)
    np.testing.assert_allclose(linear.seconds, [[0.002, 0.002]], rtol=1e-12)
    np.testing.assert_allclose(linear.hertz, [[6000 / (2 * np.pi)] * 2], rtol=1e-12)
    assert linear.kind.tolist() == ["stable"]
    assert linear.to_frame()["real_part"].tolist() == pytest.approx([-0.5, -0.5])
    with pytest.raises(ValueError, match="continuous must be True"):
        modes(found, continuous=False)
    with pytest.raises(ValueError, match="must be of a map"):
        found.non_normality()


def test_a_bounded_field_has_a_certificate():
    def bistable(x, h):
        return tf.tanh(3.0 * h) - h

    bistable.bound = 1.0
    found = find_fixed_points(bistable, state_size=2, search=QUICK, continuous=True)
    assert len(found) == 9
    assert found.certificate["verdict"].tolist() == ["consistent"]
    bistable.bound = 0.5
    with pytest.raises(ValueError, match="must point into that box"):
        find_fixed_points(bistable, state_size=2, search=QUICK, continuous=True)


def test_a_ring_of_fixed_points_is_a_continuum():
    def ring(x, h):
        return h * (1.0 - tf.reduce_sum(h**2, axis=1, keepdims=True))

    found = find_fixed_points(ring, state_size=2, search=QUICK, continuous=True)
    assert found.continua.dimension.tolist() == [1]
    np.testing.assert_allclose(np.linalg.norm(found.continua.state, axis=1), 1.0, atol=1e-9)
    assert found.kind.tolist() == ["repeller"]


def test_input_jacobians_are_those_of_the_field():
    field = rate_network()
    found = find_fixed_points(field, np.zeros((1, 6)), state_size=6, search=QUICK, continuous=True)
    expected = np.broadcast_to(10.0 * np.eye(6), (len(found), 6, 6))
    np.testing.assert_allclose(input_jacobian(field, found), expected, atol=1e-12)


def van_der_pol(x, h):
    return tf.stack([h[:, 1], (1.0 - h[:, 0] ** 2) * h[:, 1] - h[:, 0]], axis=1)


@pytest.mark.parametrize(("field", "size"), [(van_der_pol, 2), (pitchfork, 1), (rate_network(), 6)])
def test_a_vector_field_taken_for_a_map_is_asked_about(field, size):
    inputs = np.zeros((1, size))
    with pytest.warns(UserWarning, match=r"looks like a vector field .* pass continuous=True"):
        find_fixed_points(field, inputs, state_size=size, search=QUICK)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_fixed_points(field, inputs, state_size=size, search=QUICK, continuous=False)


@pytest.mark.parametrize(
    "step",
    [
        lambda x, h: tf.tanh(-2.0 * h),
        lambda x, h: 0.9 * h + 0.1 * tf.tanh(3.0 * h),
        lambda x, h: tf.nn.relu(h @ np.array([[0.3, 1.0], [-1.0, 0.2]])),
        lambda x, h: 0.5 * h,
    ],
)
def test_no_map_is_asked_about(step):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_fixed_points(step, state_size=2, search=QUICK)


def test_only_functions_are_vector_fields():
    with pytest.raises(ValueError, match="continuous must be False for a GRUCell"):
        find_fixed_points(rnnstudy.GRUCell(2), np.zeros((1, 1)), continuous=True)
