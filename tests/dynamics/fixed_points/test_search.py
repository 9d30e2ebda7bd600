"""When a search may stop, and that memory-bounded blocks change nothing."""

from types import SimpleNamespace

import numpy as np
import pytest
from reference.dynamics import population, random_weights
from scipy.optimize import brentq

from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core import batches
from rnnstudy.dynamics.fixed_points import search as rounds
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.record import (
    CONSISTENT,
    CONVERGED,
    DIVERGED,
    MISSING,
    NOT_APPLICABLE,
    NOT_SATURATED,
)
from rnnstudy.dynamics.fixed_points.search import Roots, SearchState
from rnnstudy.dynamics.root_finding import iterate


def hunt(n_starts, index, turns=2, fresh=0, bound=1.0):
    count = len(n_starts)
    roots = Roots(
        state=np.zeros((count, 2)),
        speed=np.zeros(count),
        jacobian=np.zeros((count, 2, 2)),
        eigenvalues=np.zeros((count, 2), complex),
        index=np.array(index),
        status=np.full(count, CONVERGED),
        n_starts=np.array(n_starts),
    )
    outcomes = [np.zeros(4, int)] * turns
    system = SimpleNamespace(networks=SimpleNamespace(bound=bound, state_bound=bound), scale=1.0)
    return SearchState(system, np.ones((4, 2)), False, roots, outcomes, [0] * (turns - 1) + [fresh])


@pytest.mark.parametrize(
    ("given", "verdict", "over"),
    [
        ({"n_starts": [9, 9, 9], "index": [1, 1, -1]}, CONSISTENT, True),
        ({"n_starts": [9, 9], "index": [1, -1]}, MISSING, False),
        ({"n_starts": [9, 9], "index": [1, 1]}, MISSING, False),
        ({"n_starts": [9], "index": [1], "turns": 1}, NOT_SATURATED, False),
        ({"n_starts": [9], "index": [1], "fresh": 1}, NOT_SATURATED, False),
        ({"n_starts": [9, 1, 1], "index": [1, 1, -1]}, NOT_SATURATED, False),
        ({"n_starts": [9, 9, 2], "index": [1, 1, -1]}, NOT_SATURATED, False),
        ({"n_starts": [9, 9, 3], "index": [1, 1, -1]}, CONSISTENT, True),
        ({"n_starts": [9, 9], "index": [1, 1], "bound": None}, NOT_APPLICABLE, True),
        ({"n_starts": [9, 1, 1], "index": [1, 1, 1], "bound": None}, NOT_APPLICABLE, False),
    ],
)
def test_verdicts(given, verdict, over):
    assert hunt(**given).verdict == verdict
    assert hunt(**given).is_finished is over


def test_unseen_points_are_estimated_from_rare_ones():
    # Chao's bias-corrected estimate by hand: 3 x 2 / (2 x (1 + 1)).
    assert hunt([1, 1, 1, 2, 8], [1] * 5).estimated_missing == 1.5
    assert hunt([1, 5], [1, 1]).estimated_missing == 0.0


@pytest.mark.parametrize(
    ("new_points", "saturated"),
    [
        ([3], False),
        ([3, 0], True),
        ([3, 2], False),
        ([3, 2, 0], True),
        ([3, 2, 2, 0], False),
        ([3, 2, 2, 0, 0], True),
        ([3, 2, 0, 2, 1, 0], False),
        ([3, 2, 0, 2, 1, 0, 0], True),
        ([0, 2, 2, 2, 2, 0, 0], False),
    ],
)
def test_the_more_rounds_reached_new_points_the_more_must_reach_none(new_points, saturated):
    searching = hunt([9, 9, 9], [1, 1, -1])
    searching.new_points = new_points
    assert searching.is_saturated is saturated


def test_hard_searches_and_wide_boxes_get_more_starts():
    assert hunt([9], [1]).effort == 1.0
    assert hunt([9], [1], bound=10.0).effort == 1.5
    assert hunt([9], [1], bound=None).effort == 1.0
    hard = hunt([9], [1])
    hard.new_points = [1, 2, 0, 2]
    assert hard.effort == 2.0


def test_a_hunt_whose_starts_all_diverge_is_lost():
    lost = hunt([], [])
    lost.outcomes = [np.full(4, DIVERGED)]
    assert lost.is_finished
    assert lost.verdict == NOT_APPLICABLE


def test_blocks_of_any_size_give_the_same_points(monkeypatch):
    generator = np.random.default_rng(1)
    cell = UGRNN(units=3)
    networks = population(cell, [random_weights(cell, generator, 4.0) for _ in range(4)])
    whole = find_fixed_points(networks, search=rounds.FixedPointSearch(candidates=64))
    monkeypatch.setattr(batches, "BATCH_BYTES", iterate.SOLVER_MATRICES * 8 * 9 * 40)
    split = find_fixed_points(networks, search=rounds.FixedPointSearch(candidates=64))
    np.testing.assert_allclose(split.state, whole.state, atol=1e-9)
    np.testing.assert_array_equal(split.member, whole.member)


def test_seed_changes_the_starts_not_the_points():
    generator = np.random.default_rng(1)
    cell = UGRNN(units=3)
    networks = population(cell, [random_weights(cell, generator, 4.0) for _ in range(4)])
    first, second = (
        find_fixed_points(networks, search=rounds.FixedPointSearch(candidates=128, seed=seed))
        for seed in (0, 1)
    )
    np.testing.assert_allclose(first.state, second.state, atol=1e-9)
    assert first.n_starts.tolist() != second.n_starts.tolist()


@pytest.mark.parametrize("seed", range(6))
def test_a_search_that_saw_little_is_not_called_complete_too_early(seed):
    """h' = tanh(2 h) in the plane has nine fixed points, of which one lies among the states seen:
    its index, 1, is what all nine sum to."""
    seen = 0.1 * np.random.default_rng(seed).standard_normal((5, 2))
    search = rounds.FixedPointSearch(candidates=64, seed=seed)
    networks = population(Vanilla(units=2), [{"recurrent_kernel": 2.0 * np.eye(2)}])
    found = find_fixed_points(networks, starts=seen, search=search)
    root = brentq(lambda h: np.tanh(2.0 * h) - h, 0.5, 1.0, xtol=1e-14)
    corners = root * np.array([[x, y] for x in (-1, 0, 1) for y in (-1, 0, 1)])
    apart = np.linalg.norm(found.state[:, None] - corners, axis=-1)
    assert (apart.min(axis=1) < 1e-10).all()
    whole = (apart.min(axis=0) < 1e-10).all()
    assert (found.certificate["verdict"].iloc[0] == "consistent") == whole
    assert len(found) >= 8
