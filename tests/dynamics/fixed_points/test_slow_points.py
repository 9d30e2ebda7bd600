"""Slow points: minima of the speed, and states along a line that drifts."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.optimize import minimize

from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.record import SLOW
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.fixed_points.slow_points import (
    is_slow,
    least_speed,
    select_spaced_points,
    slow_points,
)

QUICK = FixedPointSearch(candidates=32, rounds=2)


def test_the_least_speed_within_reach_is_scipys():
    generator = np.random.default_rng(0)
    jacobian = generator.standard_normal((6, 3, 3))
    residual = generator.standard_normal((6, 3))
    for reach in (0.02, 0.3, 50.0):
        found = least_speed(residual, jacobian, reach)
        for matrix, rest, least in zip(jacobian - np.eye(3), residual, found, strict=True):
            ball = {"type": "ineq", "fun": lambda d, reach=reach: 3 * reach**2 - d @ d}

            def speed(d, matrix=matrix, rest=rest):
                return 0.5 * np.sum((rest + matrix @ d) ** 2)

            truth = minimize(speed, np.zeros(3), constraints=[ball], tol=1e-14).fun
            np.testing.assert_allclose(least, truth, rtol=1e-4, atol=1e-8)


def test_what_would_soon_be_slower_is_not_slow():
    # F(h) = h / 2: from 1, a step of 0.1 leaves 90 % of the motion, but not far off is the root.
    jacobian, scale = np.full((1, 1, 1), 0.5), 1.0
    assert not is_slow(np.array([[-0.5]]), jacobian, scale)[0]
    assert not is_slow(np.array([[-0.005]]), jacobian, scale)[0]
    # Along a line where nothing pulls back, it is slow if it moves little.
    neutral = np.diag([1.0, 0.5])[None]
    assert is_slow(np.array([[0.001, 0.0]]), neutral, scale)[0]
    assert not is_slow(np.array([[0.0, 0.001]]), neutral, scale)[0]


def test_a_minimum_of_the_speed_is_a_slow_point():
    # h' = h^2 + 1 + c has no fixed point; its speed is least at 1/2, where it is (c + 3/4)^2 / 2.
    def step(x, h):
        return tf.stack([h[:, 0] ** 2 + 1.0, 0.3 * h[:, 1]], axis=1)

    starts = np.random.default_rng(0).uniform(-2, 2, (32, 2))
    found = find_fixed_points(step, starts=starts, search=QUICK)
    assert len(found) == 0
    assert found.outcomes["slow"] > 20
    slowest = found.slow.speed.argmin()
    np.testing.assert_allclose(found.slow.state[slowest], [0.5, 0.0], atol=2e-2)
    np.testing.assert_allclose(found.slow.speed.min(), 0.5 * 0.75**2, rtol=1e-3)
    assert found.slow.n_starts.sum() <= found.outcomes["slow"]


def test_a_ghost_is_slow_however_small_its_speed():
    # h' = h + h^2 + c: the two points that a fold took away. Least speed c^2 / 2 = 5e-13 at 0, far
    # below that at which the solver leaves a start to the polish, which finds no root.
    def step(x, h):
        return tf.stack([h[:, 0] + h[:, 0] ** 2 + 1e-6, 0.3 * h[:, 1]], axis=1)

    starts = np.random.default_rng(0).uniform(-1, 1, (32, 2))
    found = find_fixed_points(step, starts=starts, search=QUICK)
    assert len(found) == 0
    assert found.outcomes["slow"] > 20
    # Given up once the speed has not halved for ten steps: some per cent above the minimum.
    np.testing.assert_allclose(found.slow.state, 0.0, atol=1e-3)
    np.testing.assert_allclose(found.slow.speed, 5e-13, rtol=5e-2)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_a_root_of_any_order_is_degenerate_and_not_slow(order):
    # Newton's steps shorten the way to it by 1/2 to 1/4 each: more than the last few are needed.
    def step(x, h):
        return tf.stack([h[:, 0] + h[:, 0] ** order, 0.3 * h[:, 1]], axis=1)

    starts = np.random.default_rng(0).uniform(-0.5, 0.5, (32, 2))
    found = find_fixed_points(step, starts=starts, search=QUICK)
    assert found.outcomes["degenerate"] == len(found.outcome)
    assert len(found) == len(found.slow.state) == 0


def test_a_drifting_line_has_slow_points_along_it():
    # Along the first axis everything drifts at 1e-4 (1 + 0.1 sin 9 h), the others decay to it.
    def step(x, h):
        drift = 1e-4 * (1.0 + 0.1 * tf.sin(9.0 * h[:, :1]))
        return tf.concat([h[:, :1] + drift, 0.5 * h[:, 1:]], axis=1)

    starts = np.random.default_rng(1).uniform(-2, 2, (64, 3))
    found = find_fixed_points(step, starts=starts, search=QUICK)
    assert len(found) == 0
    slow = found.slow
    assert len(slow) >= 3
    np.testing.assert_allclose(slow.state[:, 1:], 0.0, atol=1e-4)
    assert np.ptp(slow.state[:, 0]) > 1.0
    drift = 1e-4 * (1.0 + 0.1 * np.sin(9.0 * slow.state[:, 0]))
    np.testing.assert_allclose(slow.speed, 0.5 * drift**2, rtol=1e-2)
    assert np.diff(np.sort(slow.state[:, 0])).min() > 0.05


def test_chosen_points_keep_their_distance():
    state = np.random.default_rng(2).uniform(size=(300, 2))
    others = np.array([[0.5, 0.5]])
    chosen, nearest = select_spaced_points(state, others, 0.1)
    apart = 0.1 * np.sqrt(2)
    kept = np.concatenate([others, state[chosen]])
    gaps = np.linalg.norm(kept[:, None] - kept, axis=2) + np.eye(len(kept))
    assert gaps.min() > apart
    assert chosen[0] == np.flatnonzero(np.linalg.norm(state - others, axis=1) > apart)[0]
    # Every point is near a chosen one or near the others.
    assert np.linalg.norm(state[:, None] - kept, axis=2).min(axis=1).max() <= apart
    assert (nearest[chosen] == np.arange(len(chosen))).all()


def test_what_is_outside_is_no_slow_point():
    def linearise(states):
        drift = np.tile([1e-3, 0.0], (len(states), 1))
        return states + drift, np.tile(np.diag([1.0, 0.5]), (len(states), 1, 1))

    system = SimpleNamespace(linearise=linearise, scale=1.0)
    hunt = SearchState(system, np.ones((4, 2)), False, Roots.none(2))
    hunt.outcomes.append(np.full(3, SLOW))
    state = np.array([[0.2, 0.0], [5.0, 0.0], [0.2, 1e-9]])
    hunt.unconverged.append((state, np.full(3, 5e-7)))
    found = slow_points(hunt, 1e-3, np.array([True, False, True]))
    np.testing.assert_allclose(found.state, [[0.2, 0.0]], atol=1e-8)
    assert found.n_starts.tolist() == [2]
