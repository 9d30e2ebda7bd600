"""Roots take in the starts near them: the same roots as one by one, each start where it belongs."""

import numpy as np
import pytest
from reference.dynamics import population, random_weights

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.networks import state_map as programs
from rnnstudy.dynamics.networks.state_map import population_state_map
from rnnstudy.dynamics.root_finding import multistart as waves
from rnnstudy.dynamics.root_finding.chord import (
    ChordMap,
    absorb_by_chord,
    isolated_roots,
    nearest_root_index,
)
from rnnstudy.dynamics.root_finding.iterate import Solution, solve
from rnnstudy.dynamics.root_finding.multistart import RootCriteria, multistart_solve
from rnnstudy.dynamics.root_finding.solvers import LevenbergMarquardt

UNITS = 20
UPPER = 0.9575040240772687
"""The positive root of tanh(2 h) - h."""


def bits(members=1, points=1):
    """Two units h' = tanh(2 h), each of which rests at UPPER, -UPPER or 0, among idle ones."""
    weights = {"recurrent_kernel": np.diag([2.0] * 2 + [0.0] * (UNITS - 2))}
    networks = population(Vanilla(units=UNITS), [weights] * members)
    return networks, population_state_map(
        networks, np.arange(members), np.zeros((members, points, 1))
    )


def at(*values):
    state = np.zeros((len(values), UNITS))
    state[:, :2] = values
    return state


def test_starts_in_reach_are_taken_in_and_others_are_left():
    starts = np.stack([at((0.9, 0.9), (0.1, 0.9), (0.478, UPPER), (0.9, -0.9))])
    _, state_map = bits(points=4)
    roots = isolated_roots(state_map, [at((UPPER, UPPER), (0.0, UPPER))])
    left = np.array([[True, True, True, True]])
    nearest = nearest_root_index(starts, left, roots)
    assert nearest.tolist() == [[0, 1, 1, 0]]
    target, steps = absorb_by_chord(state_map, starts, nearest, roots, np.array([1e-3]))
    # By hand: the third's first steps are 0.264 and 0.189 long, and 0.72 squared is over a half.
    # The root of the fourth is not known.
    assert target.tolist() == [[0, 1, -1, -1]]
    assert (steps[0, :2] > 0).all()
    nobody = nearest_root_index(starts, ~left, roots)
    assert (nobody == -1).all()
    assert (absorb_by_chord(state_map, starts, nobody, roots, np.array([1e-3]))[0] == -1).all()


def test_one_program_serves_any_number_of_roots(monkeypatch):
    monkeypatch.setattr(programs, "_PROGRAMS", {})
    corners = [at((UPPER, UPPER)), at((UPPER, UPPER), (-UPPER, UPPER), (UPPER, -UPPER))]
    for known in corners:
        starts = 0.99 * known[None]
        _, state_map = bits(points=len(known))
        roots = isolated_roots(state_map, [known])
        nearest = nearest_root_index(starts, np.ones((1, len(known)), bool), roots)
        target, _ = absorb_by_chord(state_map, starts, nearest, roots, np.array([1e-3]))
        assert target.tolist() == [list(range(len(known)))]
    chords = [key for key in programs._PROGRAMS if isinstance(key[1], ChordMap)]
    assert len(chords) == 1


def test_roots_that_are_not_isolated_take_in_nothing():
    networks = population(
        Vanilla(units=UNITS, activation="linear"), [{"recurrent_kernel": np.eye(UNITS)}]
    )
    state_map = population_state_map(networks, np.array([0]), np.zeros((1, 1, 1)))
    assert len(isolated_roots(state_map, [at((0.1, 0.2))]).state) == 0


@pytest.mark.parametrize("cell", [Vanilla(units=UNITS), GRU(units=UNITS)], ids=repr)
def test_waves_reach_the_roots_that_single_starts_reach(cell):
    generator = np.random.default_rng(1)
    networks = population(cell, [random_weights(cell, generator, 1.6) for _ in range(2)])
    starts = generator.uniform(-1, 1, (2, 150, UNITS))
    state_map = population_state_map(networks, np.arange(2), np.zeros((2, 150, 1)))
    none = [np.empty((0, UNITS))] * 2
    found = multistart_solve(
        state_map, LevenbergMarquardt(), starts, RootCriteria(1e-20, np.full(2, 1e-3), none)
    )
    alone = solve(state_map, LevenbergMarquardt(), starts)
    real = state_map.speed(found.state).numpy()
    assert ((real < 1e-20) == (found.speed < 1e-20)).all()
    assert found.is_done.sum() >= alone.is_done.sum()
    for member in range(2):
        roots, truth = (s.state[member][s.speed[member] < 1e-20] for s in (found, alone))
        for h in np.unique(truth.round(6), axis=0):
            near = np.abs(alone.state[member] - h).max(axis=1) < 1e-5
            # A root that one start in twenty reaches is not lost.
            assert near.sum() < 8 or np.abs(roots - h).max(axis=1).min() < 1e-5
        for h in roots:
            assert np.abs(truth - h).max(axis=1).min() < 1e-5


def test_where_roots_take_in_few_all_others_are_solved_at_once():
    left = np.ones(1000, bool)
    some = waves._next_subset(left, 1000)
    assert len(some) == 63
    assert some[0] == 0
    assert some[-1] == 999
    assert len(waves._next_subset(left, 10)) == 1000
    assert len(waves._next_subset(left[:60], 1000)) == 60


def test_a_known_root_keeps_its_place():
    state = at((UPPER, UPPER), (UPPER + 1e-5, UPPER), (0.0, UPPER))
    _, state_map = bits()
    roots = isolated_roots(state_map, [state[:1]])
    found = Solution.at_starts(state[None])
    found.speed[:] = 0.0
    aim = RootCriteria(1e-20, np.array([1e-3]), [state[:1]])
    new = waves._new_roots(found, 0, np.arange(3), roots, aim)
    np.testing.assert_array_equal(new, state[2:])


def test_a_search_of_a_large_network_finds_what_a_small_one_does():
    networks, _ = bits()
    generator = np.random.default_rng(0)
    starts = at(*generator.uniform(-1, 1, (300, 2)))
    found = find_fixed_points(networks, starts=starts, search=FixedPointSearch(candidates=64))
    truth = UPPER * np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1]), axis=-1).reshape(-1, 2)
    assert len(found) == 9
    for h in truth:
        assert np.abs(found.state[:, :2] - h).max(axis=1).min() < 1e-12
    assert (found.speed < 1e-24).all()
    assert found.outcomes["converged"] == len(found.outcome) == found.n_starts.sum()
