"""Deflation: the same roots but for those that are known, and steps as its formula says."""

from itertools import product

import numpy as np
import pytest
from reference.dynamics import population, random_weights
from scipy.optimize import approx_fprime, brentq

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.networks import state_map as programs
from rnnstudy.dynamics.networks.state_map import StateMap, population_state_map, run_compiled
from rnnstudy.dynamics.root_finding.deflation import FILLER_COORDINATE, deflate, deflated_newton
from rnnstudy.dynamics.root_finding.iterate import solve
from rnnstudy.dynamics.root_finding.solvers import Newton


def root(gain):
    return brentq(lambda h: np.tanh(gain * h) - h, 0.1, 1.0, xtol=1e-15)


def separate(gains, points=1):
    """Units h' = tanh(gain h), and all their fixed points: three per unit of gain above 1."""
    networks = population(Vanilla(units=len(gains)), [{"recurrent_kernel": np.diag(gains)}])
    values = [(-root(g), 0.0, root(g)) if g > 1 else (0.0,) for g in gains]
    state_map = population_state_map(networks, np.array([0]), np.zeros((1, points, 1)))
    return networks, state_map, np.array(list(product(*values)))


def random_case(points=5):
    generator = np.random.default_rng(3)
    cell = GRU(units=4)
    networks = population(cell, [random_weights(cell, generator, 3.0) for _ in range(2)])
    roots = [generator.uniform(-1, 1, (count, 4)) for count in (3, 1)]
    h = generator.uniform(-1, 1, (2, points, 4))
    return population_state_map(networks, np.arange(2), np.zeros((2, points, 1))), roots, h


def log_factor(h, roots, span):
    """log M as the paper writes it, with a root mean square distance in units of the span."""
    square = np.mean((h - roots) ** 2, axis=-1) / span**2
    return np.sum(np.log(1.0 / square + 1.0))


def test_one_program_serves_any_number_of_roots(monkeypatch):
    monkeypatch.setattr(programs, "_PROGRAMS", {})
    state_map, _, h = random_case()
    for count in (1, 2, 5):
        roots = [np.zeros((count, 4)), np.ones((1, 4))]
        run_compiled(StateMap.linearise, deflate(state_map, roots, np.ones(2)), h)
    assert len(programs._PROGRAMS) == 1


def test_the_step_is_newtons_own_times_a_number():
    state_map, roots, h = random_case()
    span = np.array([0.4, 0.7])
    image, jacobian = (v.numpy() for v in run_compiled(StateMap.linearise, state_map, h))
    other, moved = (
        v.numpy() for v in run_compiled(StateMap.linearise, deflate(state_map, roots, span), h)
    )
    eye = np.eye(4)
    for m, p in np.ndindex(h.shape[:2]):
        factor = np.exp(log_factor(h[m, p], roots[m], span[m]))
        np.testing.assert_allclose(other[m, p] - h[m, p], factor * (image - h)[m, p], rtol=1e-12)
        plain = np.linalg.solve(eye - jacobian[m, p], (image - h)[m, p])
        step = np.linalg.solve(eye - moved[m, p], (other - h)[m, p])
        # The slope by central differences, whose error is some 1e-9 of it.
        slope = [
            (
                log_factor(h[m, p] + e, roots[m], span[m])
                - log_factor(h[m, p] - e, roots[m], span[m])
            )
            / 2e-5
            for e in 1e-5 * eye
        ]
        np.testing.assert_allclose(step, plain / (1.0 - plain @ slope), rtol=1e-6)


def test_its_jacobian_is_its_derivative():
    state_map, roots, h = random_case()
    away = deflate(state_map, roots, np.array([0.4, 0.7]))
    _, jacobian = run_compiled(StateMap.linearise, away, h)

    def image(member, point, state):
        tried = h.copy()
        tried[member, point] = state
        return run_compiled(StateMap.__call__, away, tried).numpy()[member, point]

    for m, p in ((0, 0), (1, 3)):
        by_differences = approx_fprime(h[m, p], lambda s, m=m, p=p: image(m, p, s), 1e-7)
        np.testing.assert_allclose(jacobian[m, p], by_differences, rtol=1e-4, atol=1e-5)


def test_what_fills_up_the_roots_changes_nothing():
    state_map, roots, h = random_case()
    filled = [np.concatenate([roots[0], np.full((2, 4), FILLER_COORDINATE)]), roots[1]]
    span = np.array([0.4, 0.7])
    few = run_compiled(StateMap.linearise, deflate(state_map, roots, span), h)
    many = run_compiled(StateMap.linearise, deflate(state_map, filled, span), h)
    for one, other in zip(few, many, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_one_start_leads_to_all_roots_one_after_the_other():
    """As in the paper: solve, deflate, and solve again from the same start."""
    _, state_map, truth = separate([2.0])
    known = np.empty((0, 1))
    for _ in range(3):
        found = solve(
            deflate(state_map, [known], np.array([0.3])), Newton(), np.full((1, 1, 1), 0.3)
        )
        assert found.speed[0, 0] < 1e-20
        known = np.concatenate([known, found.state[0]])
    np.testing.assert_allclose(np.sort(known[:, 0]), truth[:, 0], atol=1e-9)


def test_starts_avoid_what_is_known_and_end_at_the_rest():
    _, state_map, truth = separate([2.0, 2.0, 0.5], points=40)
    starts = np.random.default_rng(0).uniform(-1, 1, (1, 40, 3))
    for missing in range(len(truth)):
        known = np.delete(truth, missing, axis=0)
        found = deflated_newton(state_map, starts, [known], np.array([0.8]))[0]
        apart = np.linalg.norm(found[:, None] - truth, axis=-1)
        reached = np.flatnonzero((apart < 1e-5).any(axis=0))
        assert reached.tolist() == [missing]


def test_gated_cells_go_by_where_they_rest():
    generator = np.random.default_rng(0)
    cell = LSTM(units=2)
    networks = population(cell, [random_weights(cell, generator, 6.0)])
    all_points = find_fixed_points(networks).state
    assert len(all_points) > 1
    starts = generator.uniform(-1, 1, (1, 60, 4))
    state_map = population_state_map(networks, np.array([0]), np.zeros((1, 60, 1)))
    found = deflated_newton(state_map, starts, [all_points[1:]], np.ones(1))
    roots = state_map.speed(tf.constant(found)).numpy()[0] < 1e-10
    assert roots.any()
    inside = np.abs(found[0, roots, :2]).max(axis=1) < 1.0
    np.testing.assert_allclose(
        found[0, roots][inside], np.tile(all_points[:1], (inside.sum(), 1)), atol=1e-4
    )


@pytest.mark.parametrize("gains", [(2.0, 2.0), (1.2, 3.0), (2.0, 1.5, 0.5), (1.3, 2.0, 4.0)])
@pytest.mark.parametrize("seed", range(3))
def test_a_search_that_saw_one_state_finds_all_or_says_that_it_did_not(gains, seed):
    networks, _, truth = separate(gains)
    seen = 0.1 * np.random.default_rng(seed).standard_normal((1, len(gains)))
    found = find_fixed_points(
        networks, starts=seen, search=FixedPointSearch(candidates=128, seed=seed)
    )
    apart = np.linalg.norm(found.state[:, None] - truth, axis=-1)
    assert (apart.min(axis=1) < 1e-9).all()
    assert len(found) >= 0.9 * len(truth)
    if len(found) < len(truth):
        assert found.certificate["verdict"].iloc[0] != "consistent"


def test_a_round_of_hardly_any_starts_is_a_round():
    networks, _, truth = separate((2.0,))
    found = find_fixed_points(networks, search=FixedPointSearch(candidates=2))
    apart = np.abs(found.state - truth.T)
    assert (apart.min(axis=1) < 1e-9).all()
