"""Continua of fixed points that are known on paper, and degenerate points that lie on none."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from rnnstudy.dynamics.fixed_points.continua import (
    MAX_FILLED_DIMENSION,
    MAX_SAMPLES,
    MIN_SAMPLE_SPACING,
    continuum_index,
    find_continua,
)

TURN = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
"""Tilts every example, so that no axis is special."""


def continua(f, df, states, n_starts=None):
    """Those of h -> h + f(h), from the roots [root, 5] of f given in untilted coordinates."""

    def linearise(h):
        inner = h @ TURN
        jacobian = np.eye(5) + TURN @ df(inner) @ TURN.T
        return h + f(inner) @ TURN.T, jacobian

    given = states @ TURN.T
    image, jacobian = linearise(given)
    speed = 0.5 * np.sum((image - given) ** 2, axis=1)
    n_starts = np.ones(len(states), int) if n_starts is None else n_starts
    return find_continua(given, speed, jacobian, n_starts, 1.0, 1e-6, linearise)


def linear(rates):
    return lambda h: h * rates, lambda h: np.broadcast_to(np.diag(rates), (len(h), 5, 5))


def sphere(dimensions):
    """Roots on the unit sphere of the first coordinates, zero in the others."""
    first = np.arange(5) < dimensions

    def f(h):
        rest = 1.0 - np.sum(h[:, first] ** 2, axis=1, keepdims=True)
        return np.where(first, 0.5 * rest * h, -0.5 * h)

    def df(h):
        inner = np.where(first, h, 0.0)
        rest = 1.0 - np.sum(inner**2, axis=1)
        diagonal = np.where(first, 0.5 * rest[:, None], -0.5)
        return diagonal[:, :, None] * np.eye(5) - inner[:, :, None] * inner[:, None, :]

    return f, df


@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
def test_flat_continua_have_as_many_dimensions_as_zero_rates(dimension):
    rates = np.where(np.arange(5) < dimension, 0.0, [-0.1, -0.3, 0.2, -1.0, -0.5])
    generator = np.random.default_rng(1)
    states = generator.uniform(-1, 1, (300, 5)) * (rates == 0)
    n_starts = generator.integers(1, 5, 300)
    (found,) = continua(*linear(rates), states, n_starts)
    assert found.dimension == dimension
    assert found.n_starts == n_starts.sum()
    assert len(found.state) <= MAX_SAMPLES
    # Principal components of the samples say the same.
    values = np.linalg.svd(found.state - found.state.mean(axis=0), compute_uv=False)
    assert (values > 1e-9 * values[0]).sum() == dimension
    # And no given state is farther from a sample than samples are from each other.
    gap = np.linalg.norm(states[:, None] @ TURN.T - found.state, axis=-1).min(axis=1)
    if dimension <= MAX_FILLED_DIMENSION:
        assert gap.max() <= pdist(found.state).min() / MIN_SAMPLE_SPACING


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("count", [12, 200])
def test_a_ring_and_a_sphere(dimensions, count):
    states = np.random.default_rng(2).standard_normal((count, 5)) * (np.arange(5) < dimensions)
    states /= np.linalg.norm(states, axis=1, keepdims=True)
    (found,) = continua(*sphere(dimensions), states)
    assert found.dimension == dimensions - 1
    assert found.n_starts == count
    # However few starts came there, and wherever: no gap would take another sample.
    nearest = np.sort(squareform(pdist(found.state)), axis=1)[:, 1]
    assert nearest.max() < (1 + MIN_SAMPLE_SPACING) / MIN_SAMPLE_SPACING * nearest.min()
    if dimensions == 2:
        first, second, *_ = (found.state @ TURN).T
        turns = np.sort(np.arctan2(second, first))
        gaps = np.diff(turns, append=turns[0] + 2 * np.pi)
        assert gaps.max() < (1 + MIN_SAMPLE_SPACING) / MIN_SAMPLE_SPACING * gaps.min()


def test_one_start_is_enough_to_tell_a_line_from_a_point():
    (found,) = continua(*linear(np.array([0.0, -1, -1, -1, -1])), np.eye(5)[:1])
    assert found.dimension == 1
    assert found.n_starts == 1


@pytest.mark.parametrize("order", [2, 3, 4, 5, 7])
def test_a_degenerate_root_of_any_order_is_no_continuum(order):
    def f(h):
        return np.concatenate([h[:, :1] ** order, -0.5 * h[:, 1:]], axis=1)

    def df(h):
        diagonal = np.concatenate([order * h[:, :1] ** (order - 1), 0 * h[:, 1:] - 0.5], axis=1)
        return diagonal[:, :, None] * np.eye(5)

    assert continua(f, df, np.zeros((1, 5))) == []


def test_isolated_degenerate_roots_on_one_null_line_are_not_joined():
    def f(h):
        x = h[:, :1]
        return np.concatenate([(x**2 - 1) ** 2 * x**2, -0.5 * h[:, 1:]], axis=1)

    def df(h):
        x = h[:, 0]
        slope = 2 * x * (x**2 - 1) * (3 * x**2 - 1)
        diagonal = np.concatenate([slope[:, None], 0 * h[:, 1:] - 0.5], axis=1)
        return diagonal[:, :, None] * np.eye(5)

    states = np.zeros((3, 5))
    states[:, 0] = -1, 0, 1
    assert continua(f, df, states) == []


def test_two_parallel_lines_are_two():
    def f(h):
        y = h[:, 1:2]
        return np.concatenate([0 * y, y - y**3, -0.5 * h[:, 2:]], axis=1)

    def df(h):
        y = h[:, 1:2]
        diagonal = np.concatenate([0 * y, 1 - 3 * y**2, 0 * h[:, 2:] - 0.5], axis=1)
        return diagonal[:, :, None] * np.eye(5)

    generator = np.random.default_rng(3)
    states = np.zeros((120, 5))
    states[:, 0] = generator.uniform(-1, 1, 120)
    states[:, 1] = np.arange(120) % 3 - 1
    found = continua(f, df, states)
    assert [one.dimension for one in found] == [1, 1, 1]
    assert [one.n_starts for one in found] == [40, 40, 40]
    for one in found:
        assert np.ptp((one.state @ TURN)[:, 1]) < 1e-12


def test_a_slow_mode_is_no_continuum():
    """Eigenvalue 1 - 1e-8: within the tolerance of a null direction, but its states do move."""
    rates = np.array([-1e-8, -0.5, -0.5, -0.5, -0.5])
    assert continua(*linear(rates), np.zeros((1, 5))) == []


def test_a_slow_mode_beside_a_line_is_no_second_dimension():
    rates = np.array([0.0, -1e-8, -0.5, -0.5, -0.5])
    states = np.linspace(-1, 1, 30)[:, None] * np.eye(5)[0]
    (found,) = continua(*linear(rates), states)
    assert found.dimension == 1


def test_a_bent_line_is_one():
    """F(h) - h = 0 on the half-lines x >= 0, y = 0 and x = 0, y >= 0, by piecewise linear f."""

    def f(h):
        x, y = h[:, :1], h[:, 1:2]
        least = np.minimum(x, y)
        return np.concatenate([-0.5 * least, -0.5 * least, -0.5 * h[:, 2:]], axis=1)

    def df(h):
        jacobian = np.zeros((len(h), 5, 5))
        smaller = (h[:, 1] < h[:, 0]).astype(int)
        jacobian[np.arange(len(h)), 0, smaller] = -0.5
        jacobian[np.arange(len(h)), 1, smaller] = -0.5
        jacobian[:, [2, 3, 4], [2, 3, 4]] = -0.5
        return jacobian

    states = np.zeros((80, 5))
    place = np.random.default_rng(4).uniform(-1, 1, 80)
    states[:, 0], states[:, 1] = np.maximum(place, 0), np.maximum(-place, 0)
    (found,) = continua(f, df, states)
    assert found.dimension == 1
    assert found.n_starts == 80


def test_no_candidates_no_continua():
    rates = np.array([0.0, -0.5, -0.5, -0.5, -0.5])
    assert continua(*linear(rates), np.empty((0, 5))) == []
    # A state beside the line is taken to it; on one that drifts slowly there is nowhere to go.
    (found,) = continua(*linear(rates), np.full((4, 5), 1e-9))
    np.testing.assert_allclose((found.state @ TURN)[:, 1:], 0.0, atol=1e-15)
    assert continua(*linear(np.array([-1e-8, -1, -1, -1, -1])), 1e-2 * np.eye(5)[:1]) == []


def test_where_a_half_line_ends_is_on_it_and_an_isolated_root_beside_it_is_not():
    """f = min(0, x) and an attraction to y = 0 or 1: a half-line of roots at y = 0, x >= 0."""

    def linearise(h):
        f = -0.5 * h
        f[:, 0] = -np.minimum(h[:, 0], 0.0)
        jacobian = 0.5 * np.eye(5) * np.ones((len(h), 1, 1))
        # As TensorFlow has it for relu: the slope at the kink is that of the left side.
        jacobian[:, 0, 0] = np.where(h[:, 0] <= 0.0, 0.0, 1.0)
        return h + f, jacobian

    states = np.zeros((40, 5))
    states[:, 0] = np.random.default_rng(5).uniform(0.05, 1, 40)
    image, jacobian = linearise(states)
    speed = 0.5 * np.sum((image - states) ** 2, axis=1)
    found = find_continua(states, speed, jacobian, np.ones(40, int), 1.0, 1e-6, linearise)
    assert [one.dimension for one in found] == [1]
    others = np.array([np.zeros(5), [0.3, 0.2, 0, 0, 0], [-0.2, 0, 0, 0, 0]])
    assert continuum_index(others, found, 1.0, 1e-6, linearise).tolist() == [0, -1, -1]
    assert continuum_index(others[:0], found, 1.0, 1e-6, linearise).tolist() == []
    assert continuum_index(others, [], 1.0, 1e-6, linearise).tolist() == [-1, -1, -1]
