"""Slow points of many searches as one record."""

import numpy as np
from reference.dynamics import population

from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.fixed_points.assemble import assemble_fixed_points
from rnnstudy.dynamics.fixed_points.record import SLOW
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState, SlowSet
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem


def test_slow_points_are_linearised_and_sorted_by_speed():
    weights = {"recurrent_kernel": 0.5 * np.eye(2), "kernel": np.array([[1.0, 0.0]])}
    networks = as_networks(population(Vanilla(units=2), [weights] * 2))
    inputs = np.array([[0.0], [0.7]])
    hunts = []
    for member, position, count in [(0, 0, 2), (0, 1, 0), (1, 1, 1)]:
        system = AutonomousSystem(networks, member, inputs[position], position)
        hunt = SearchState(system, np.ones((4, 2)), False, Roots.none(2))
        hunt.outcomes.append(np.full(4, SLOW))
        hunt.root_of_start.append(np.full(4, -1))
        state = np.array([[0.3, -0.2], [0.1, 0.4]])[:count]
        speed, n_starts = np.array([2e-3, 1e-3])[:count], np.array([3, 1])[:count]
        hunt.slow = SlowSet(state, speed, n_starts)
        hunts.append(hunt)
    found = assemble_fixed_points(networks, hunts, FixedPointSearch())
    assert len(found) == 0
    slow = found.slow
    assert slow.member.tolist() == [0, 0, 1]
    assert slow.input_index.tolist() == [0, 0, 1]
    assert slow.n_starts.tolist() == [1, 3, 3]
    assert slow.speed.tolist() == [1e-3, 2e-3, 2e-3]
    np.testing.assert_array_equal(slow.inputs, [[0.0], [0.0], [0.7]])
    # F(h) = tanh(h / 2 + x): the Jacobian is diagonal.
    image = np.tanh(0.5 * slow.state + slow.inputs * [1.0, 0.0])
    slopes = 0.5 * (1.0 - image**2)
    np.testing.assert_allclose(slow.jacobian, slopes[:, :, None] * np.eye(2), atol=1e-14)
    np.testing.assert_allclose(slow.eigenvalues.real, -np.sort(-slopes, axis=1), atol=1e-14)
    assert found.outcomes["slow"] == 12
