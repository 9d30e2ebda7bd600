"""Solvers find roots, those of second order quadratically; the loop stops point by point."""

import numpy as np
import pytest
from reference.dynamics import population, random_weights
from scipy.optimize import root

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.networks.state_map import StateMap, population_state_map
from rnnstudy.dynamics.root_finding.iterate import solve
from rnnstudy.dynamics.root_finding.linear_systems import solve_linear
from rnnstudy.dynamics.root_finding.solvers import (
    SOLVERS,
    Adam,
    LevenbergMarquardt,
    Newton,
    Solver,
)


def random_flow(cell, members, points, gain=2.0, seed=0):
    generator = np.random.default_rng(seed)
    networks = population(cell, [random_weights(cell, generator, gain) for _ in range(members)])
    starts = generator.uniform(-1, 1, (members, points, cell.state_size))
    return population_state_map(
        networks, np.arange(members), np.zeros((members, points, 1))
    ), starts


def test_the_catalogue_holds_every_solver():
    assert set(SOLVERS.values()) == set(Solver.__subclasses__())
    assert all(SOLVERS[name].kind == name for name in SOLVERS)


@pytest.mark.parametrize("solver", [kind() for kind in SOLVERS.values()], ids=repr)
def test_a_linear_network_is_solved_from_anywhere(solver):
    cell = Vanilla(units=5, activation="linear")
    state_map, starts = random_flow(cell, 2, 7, gain=0.8)
    found = solve(state_map, solver, 10 * starts)
    assert found.is_done.all()
    assert not found.diverged.any()
    for member in range(2):
        recurrent = state_map.weights["recurrent_kernel"][member].numpy()
        truth = np.linalg.solve(np.eye(5) - recurrent.T, state_map.drive[member, 0].numpy())
        # Speed below 1e-24 leaves a residual of 1e-12, times |(I - R)^-1|, a few units.
        np.testing.assert_allclose(found.state[member], np.tile(truth, (7, 1)), atol=1e-11)


@pytest.mark.parametrize("solver", [kind() for kind in SOLVERS.values()], ids=repr)
def test_points_that_leave_the_batch_end_where_they_would_alone(solver):
    state_map, starts = random_flow(GRU(units=3), 3, 40)
    together = solve(state_map, solver, starts)
    assert len(np.unique(together.steps)) > 3  # so that packing did happen
    for member, point in [(0, 0), (1, 17), (2, 39)]:
        alone = solve(
            state_map.take(np.array([member]), np.array([[point]])),
            solver,
            starts[member : member + 1, point : point + 1],
        )
        assert alone.is_done[0, 0] == together.is_done[member, point]
        # Rounding differs between batch sizes; the basins are the same.
        np.testing.assert_allclose(alone.state[0, 0], together.state[member, point], atol=1e-9)


def test_the_limit_cuts_off_and_leaves_the_best_so_far():
    state_map, starts = random_flow(GRU(units=3), 1, 20)
    found = solve(state_map, LevenbergMarquardt(limit=2), starts)
    assert (found.steps <= 2).all()
    assert not found.is_done.all()
    before = state_map.speed(tf.constant(starts)).numpy()
    assert (found.speed <= before).all()
    untouched = solve(state_map, LevenbergMarquardt(limit=0), starts)
    np.testing.assert_array_equal(untouched.state, starts)


@pytest.mark.parametrize("solver", [kind() for kind in SOLVERS.values()], ids=repr)
def test_what_is_not_finite_is_given_up_and_costs_nobody(solver):
    state_map, starts = random_flow(GRU(units=3), 3, 12)
    broken = starts.copy()
    broken[0, 3] = np.nan
    broken[1, 4] = np.inf
    weights = dict(state_map.weights)
    kernel = weights["recurrent_kernel"].numpy()
    kernel[2] = np.nan
    sick = StateMap(
        state_map.step_function,
        {**weights, "recurrent_kernel": tf.constant(kernel)},
        state_map.drive,
    )
    expected, found = solve(state_map, solver, starts), solve(sick, solver, broken)
    assert found.diverged[2].all()
    assert not found.is_done[2].any()
    assert found.diverged[0, 3]
    assert found.diverged[1, 4]
    assert found.diverged.sum() == 14
    healthy = ~found.diverged
    np.testing.assert_allclose(found.state[healthy], expected.state[healthy], atol=1e-9)


def test_a_perfect_integrator_has_singular_matrices_and_no_error():
    cell = Vanilla(units=3, activation="linear")
    networks = population(cell, [{"recurrent_kernel": np.eye(3), "bias": 0.1}])
    state_map = population_state_map(networks, np.array([0]), np.zeros((1, 2, 1)))
    for solver in (LevenbergMarquardt(), Newton()):
        found = solve(state_map, solver, np.zeros((1, 2, 3)))
        # h' = h + 0.1 moves everywhere at the same speed.
        np.testing.assert_allclose(found.speed, 0.5 * 3 * 0.01, rtol=1e-12)


class Parabola:
    """x' = x^2 + 1 has no fixed point; (x^2 - x + 1)^2 / 2 is least at x = 1/2."""

    def step(self, w, drive, h):
        return h**2 + 1.0 + drive


def test_a_local_minimum_of_the_speed_ends_the_search():
    state_map = StateMap(Parabola(), {}, tf.zeros([1, 1, 1], tf.float64))
    found = solve(state_map, LevenbergMarquardt(), np.full((1, 1, 1), 3.0))
    assert found.is_done[0, 0]
    assert found.steps[0, 0] < 60
    # Given up once the speed has not halved for ten steps, close to the minimum but not at it.
    np.testing.assert_allclose(found.state[0, 0, 0], 0.5, atol=1e-2)
    np.testing.assert_allclose(found.speed[0, 0], 0.5 * 0.75**2, rtol=1e-4)


def test_convergence_is_quadratic():
    state_map, starts = random_flow(GRU(units=3), 1, 30)
    for solver in (LevenbergMarquardt(), Newton()):
        few = solve(state_map, solver, starts)
        roots = few.speed < solver.tolerance
        assert roots.mean() > 0.7
        assert np.median(few.steps[roots]) < 25


def test_extra_steps_by_the_same_jacobian_save_some_by_new_ones():
    state_map, starts = random_flow(GRU(units=3), 1, 30)
    found = [solve(state_map, LevenbergMarquardt(extra_steps=n), starts) for n in (0, 2)]
    both = np.logical_and(*(some.speed < 1e-24 for some in found))
    assert both.mean() > 0.7
    # Orders of convergence 2 and 4 (Fan 2013).
    once, thrice = (np.median(some.steps[both]) for some in found)
    assert thrice < 0.75 * once
    # The first root reached may be another one; each is a root to rounding.
    assert state_map.speed(found[1].state).numpy()[both].max() < 1e-24


def test_linear_systems_survive_singular_and_broken_matrices():
    generator = np.random.default_rng(0)
    matrices = generator.standard_normal((4, 3, 3))
    matrices[1] = 0.0
    matrices[2] = np.nan
    right = generator.standard_normal((4, 3))
    found = solve_linear(tf.constant(matrices), tf.constant(right)).numpy()
    for good in (0, 3):
        np.testing.assert_allclose(matrices[good] @ found[good], right[good], atol=1e-10)
    assert not np.abs(found[1]).max() < 1e100


def test_adam_gets_to_the_root_of_a_contraction_as_exactly_as_it_was_asked():
    cell = Vanilla(units=4)
    state_map, starts = random_flow(cell, 2, 10, gain=0.6)
    found = solve(state_map, Adam(), starts)
    assert found.is_done.all()
    assert (found.speed < 1e-24).all()
    for member in range(2):
        recurrent = state_map.weights["recurrent_kernel"][member].numpy()
        bias = state_map.weights["bias"][member].numpy()
        truth = root(lambda h: np.tanh(h @ recurrent + bias) - h, np.zeros(4), tol=1e-14).x  # noqa: B023
        # A residual of 1e-12 times |(I - J)^-1|, a few units.
        np.testing.assert_allclose(found.state[member], np.tile(truth, (10, 1)), atol=1e-11)


def test_adam_that_is_stuck_says_so():
    state_map = StateMap(Parabola(), {}, tf.zeros([1, 1, 1], tf.float64))
    found = solve(state_map, Adam(), np.full((1, 1, 1), 3.0))
    assert found.is_done[0, 0]
    assert found.steps[0, 0] < Adam().limit
    # The speed is within a share of 1e-8 of its least, and flat to second order there.
    np.testing.assert_allclose(found.state[0, 0, 0], 0.5, atol=1e-3)
    np.testing.assert_allclose(found.speed[0, 0], 0.5 * 0.75**2, rtol=1e-6)


def test_adam_calls_nothing_a_fixed_point_that_is_none():
    starts = np.linspace(-1.0, 2.0, 20)[:, None]
    search = FixedPointSearch.model_validate(
        {"solver": {"kind": "adam", "learning_rate": 0.05}, "rounds": 1}
    )
    none = find_fixed_points(lambda x, h: h**2 + 1.0, starts=starts, search=search)
    assert len(none) == 0
    assert none.outcomes["slow"] == 20
    np.testing.assert_allclose(none.slow.state, 0.5, atol=1e-3)
    cut = search.replace(solver=Adam(limit=3))
    few = find_fixed_points(lambda x, h: 0.5 * h + 1.0, starts=starts, search=cut)
    assert few.outcomes["converged"] + few.outcomes["limit"] == 20
    np.testing.assert_allclose(few.state, 2.0, atol=1e-12)
    assert (few.speed < 1e-24).all()
