"""Starts of a search: in the box, along slow directions, as many as asked for."""

from types import SimpleNamespace

import numpy as np
import pytest
from reference.dynamics import population

from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.rounds import classify_roots
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.fixed_points.start_points import (
    STEP_REACH,
    _slow_directions,
    _wide_starts,
    round_starts,
)
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem

SETTINGS = FixedPointSearch()


def search_of(matrix, visited, known):
    """A search of h' = tanh(matrix h) that knows some points."""
    networks = as_networks(population(Vanilla(units=len(matrix)), [{"recurrent_kernel": matrix}]))
    system = AutonomousSystem(networks, 0, np.zeros(1), 0, scale=0.5)
    search = SearchState(system, visited, False, Roots.none(len(matrix)))
    search.roots = classify_roots(SETTINGS, search, np.array(known))
    return search


@pytest.fixture
def origin():
    """The origin is a point with eigenvalues 0.9, 0.5 and 0.2; 0.9 is that of (1, 1, 0)."""
    turn = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, np.sqrt(2.0)]]) / np.sqrt(2.0)
    matrix = turn @ np.diag([0.9, 0.5, 0.2]) @ turn.T
    return search_of(matrix, np.zeros((5, 3)), np.zeros((1, 3)))


def test_slow_starts_lie_along_the_eigenvector_nearest_to_one(origin):
    starts = _slow_directions(SETTINGS, origin, 1, 40)
    distance = np.sqrt(np.mean(starts**2, axis=1))
    assert (distance >= STEP_REACH[0] * 0.5).all()
    assert (distance <= STEP_REACH[1] * 0.5).all()
    # Three inverse iterations shrink the next direction by (0.1 / 0.5)^3 in comparison.
    along = np.abs(starts @ [1.0, 1.0, 0.0]) / np.sqrt(2.0) / np.linalg.norm(starts, axis=1)
    assert np.median(along) > 0.999
    assert {-1.0, 1.0} == set(np.sign(starts[:, 0]))


def test_wide_starts_fill_the_image_of_the_box(origin):
    starts = _wide_starts(SETTINGS, [origin], 0, 2000)[0]
    before = np.arctanh(starts) @ np.linalg.inv(origin.system.linearise(np.zeros((1, 3)))[1][0]).T
    # Back through the map they are uniform in the cube: its variance is 1/3.
    assert np.abs(before).max() <= 1.0 + 1e-12
    np.testing.assert_allclose(before.var(axis=0), 1.0 / 3.0, rtol=0.1)
    np.testing.assert_allclose(before.mean(axis=0), 0.0, atol=0.05)


@pytest.mark.parametrize("turn", [0, 1, 2])
@pytest.mark.parametrize("base", [1, 7, 64])
def test_each_round_has_as_many_starts_as_its_effort_asks_for(origin, turn, base):
    for count in (base, 2 * base):
        starts = round_starts(SETTINGS, [origin], [np.zeros((0, 3))], turn, base, count)
        assert starts.shape == (1, count, 3)
        assert np.isfinite(starts).all()


def test_a_pair_far_from_the_visited_states_is_found():
    """Two units do not interact; the second has three points, the outer ones away from the states
    seen, whose indices 1 and -1 cancel once the first of them is known."""
    matrix = np.diag([0.5, 2.0])
    seen = np.stack([np.linspace(-0.5, 0.5, 50), np.full(50, 0.95)], axis=1)
    cell = population(Vanilla(units=2), [{"recurrent_kernel": matrix}])
    for seed in range(5):
        found = find_fixed_points(cell, visited=seen, search=FixedPointSearch(seed=seed))
        assert found.n_unstable.tolist() == [0, 0, 1]
        assert set(found.certificate["verdict"]) == {"consistent"}


def test_a_box_far_larger_than_the_states_is_wide():
    def is_wide(bound, scale):
        system = SimpleNamespace(networks=SimpleNamespace(state_bound=bound), scale=scale)
        return SearchState(system, np.zeros((1, 2)), False, Roots.none(2)).is_wide

    assert not is_wide(1.0, 0.5)
    assert is_wide(1.0, 0.1)
    assert is_wide(np.array([1.0, 10.0]), 0.5)
    assert not is_wide(None, 0.1)
