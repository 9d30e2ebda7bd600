"""The short way to fixed points ends where the network's own map says, and only there."""

import numpy as np
import pytest
from reference.dynamics import population, random_weights

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.networks.state_map import population_state_map
from rnnstudy.dynamics.root_finding.iterate import solve
from rnnstudy.dynamics.root_finding.multistart import (
    RootCriteria,
    solve_representatives,
    solve_starts,
)
from rnnstudy.dynamics.root_finding.solvers import LevenbergMarquardt, Newton
from rnnstudy.dynamics.root_finding.ungated import ungated_map

CELLS = [UGRNN(units=4), GRU(units=4), GRU(units=4, reset_after=False), LSTM(units=4)]


def aim(size=4, radius=1e-3):
    return RootCriteria(1e-20, np.array([radius]), [np.empty((0, size))])


def case(cell, points=40, gain=3.0, member=0):
    generator = np.random.default_rng(member)
    networks = population(cell, [random_weights(cell, generator, gain)])
    starts = generator.uniform(-1, 1, (1, points, cell.state_size))
    return population_state_map(networks, np.array([0]), np.zeros((1, points, 1))), starts


@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_every_start_reaches_a_root_of_the_networks_own_map(cell):
    state_map, starts = case(cell)
    found = solve_starts(state_map, LevenbergMarquardt(), starts, aim(starts.shape[2]))
    np.testing.assert_allclose(found.speed, state_map.speed(found.state), rtol=1e-6, atol=1e-28)
    direct = solve(state_map, LevenbergMarquardt(), starts)

    def roots_of(solution):
        # Outside the box gates shut, and the direct way takes some of what hardly moves for a root.
        state = solution.state[0][solution.speed[0] < 1e-20]
        return state[np.abs(cell.visible(state)).max(axis=1) <= 1.0]

    roots, directly = roots_of(found), roots_of(direct)
    # The way by rest loses no start that the direct way brings to a root.
    assert len(roots) >= len(directly)
    assert found.steps.sum() < direct.steps.sum()
    for root in directly:
        assert np.abs(roots - root).max(axis=1).min() < 1e-6


def test_a_shut_gate_stops_nobody():
    # With a gate bias of 30 the map moves by 1e-13 everywhere: all of the box looks like a root.
    cell = UGRNN(units=3)
    weights = random_weights(cell, np.random.default_rng(3), 2.0)
    weights["bias"][:3] = 30.0
    networks = population(cell, [weights])
    starts = np.random.default_rng(0).uniform(-1, 1, (1, 20, 3))
    state_map = population_state_map(networks, np.array([0]), np.zeros((1, 20, 1)))
    found = solve_starts(state_map, LevenbergMarquardt(), starts, aim(starts.shape[2]))
    candidate = np.tanh(found.state[0] @ weights["recurrent_kernel"][:, 3:] + weights["bias"][3:])
    np.testing.assert_allclose(found.state[0], candidate, atol=1e-11)


def test_a_rest_that_is_none_costs_time_and_no_truth():
    class Own(UGRNN):
        """Its own step, and the rest of another cell."""

        kind = "own"

        def step(self, w, drive, h):
            return 0.5 * super().step(w, drive, h)

    state_map, starts = case(Own(units=4), gain=1.0)
    found = solve_starts(state_map, LevenbergMarquardt(), starts, aim(starts.shape[2]))
    np.testing.assert_allclose(found.speed, state_map.speed(found.state), rtol=1e-6, atol=1e-28)
    assert (found.speed < 1e-20).all()


def test_only_gated_cells_have_a_shorter_way():
    assert ungated_map(case(Vanilla(units=3))[0]) is None
    shorter = ungated_map(case(LSTM(units=3))[0])
    assert shorter(case(LSTM(units=3))[1][..., :3]).shape == (1, 40, 3)


def test_points_that_have_met_go_on_as_one():
    state_map, starts = case(Vanilla(units=3), gain=0.5)
    starts[0, 1::2] = starts[0, ::2] + 1e-9
    rough = solve(state_map, LevenbergMarquardt(limit=0), starts)
    left = np.ones((1, 40), bool)
    left[0, :2] = False
    found = solve_representatives(state_map, Newton(limit=50), rough, left, aim(3, 1e-6))
    np.testing.assert_array_equal(found.state[0, :2], starts[0, :2])
    np.testing.assert_array_equal(found.state[0, 2::2], found.state[0, 3::2])
    assert (found.speed[0, 2:] < 1e-20).all()
    nobody = solve_representatives(state_map, Newton(), rough, ~(left | True), aim(3, 1e-6))
    np.testing.assert_array_equal(nobody.state, starts)
