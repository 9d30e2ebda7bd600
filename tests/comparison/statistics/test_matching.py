"""Sets of items of like values: as many as there can be, and balanced."""

from itertools import product

import networkx as nx
import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from rnnstudy.comparison.statistics.matching import match_groups


def check(found, values, labels):
    """Each set has one item of each label, and values within the width."""
    for number in range(found.sets.max(initial=-1) + 1):
        items = np.flatnonzero(found.sets == number)
        assert sorted(labels[i] for i in items) == sorted(set(labels))
        assert np.ptp([values[i] for i in items]) <= found.width


@pytest.mark.parametrize("seed", range(20))
def test_no_pairing_has_more_pairs(seed):
    generator = np.random.default_rng(seed)
    values, labels = generator.normal(size=30), ["a"] * 18 + ["b"] * 12
    found = match_groups(values, labels, 0.1)
    check(found, values, labels)
    graph = nx.Graph()
    graph.add_nodes_from(range(30))
    graph.add_edges_from(
        (i, j) for i in range(18) for j in range(18, 30)
        if abs(values[i] - values[j]) <= found.width
    )  # fmt: skip
    best = nx.max_weight_matching(graph, maxcardinality=True)
    assert len(found.items) == 2 * len(best) > 0


@pytest.mark.parametrize("seed", range(5))
def test_no_grouping_in_threes_has_more_sets(seed):
    """The most disjoint sets, as an integer programme over all sets that are possible."""
    generator = np.random.default_rng(seed)
    values, labels = generator.normal(size=15), list("abc" * 5)
    found = match_groups(values, labels, 0.5)
    check(found, values, labels)
    threes = [c for c in product(*[range(k, 15, 3) for k in range(3)])
              if np.ptp(values[list(c)]) <= found.width]  # fmt: skip
    uses = np.array([[float(i in three) for three in threes] for i in range(15)])
    best = milp(-np.ones(len(threes)), integrality=np.ones(len(threes)), bounds=Bounds(0, 1),
                constraints=LinearConstraint(uses, ub=1.0))  # fmt: skip
    assert len(found.items) == 3 * round(-best.fun) > 0


def test_matching_balances_groups_that_differ():
    """Groups whose means lie one standard deviation apart: hand-made with scipy's definitions."""
    generator = np.random.default_rng(3)
    values, labels = (
        generator.normal(size=400) + np.repeat([0.0, 1.0], 200),
        ["a"] * 200 + ["b"] * 200,
    )
    found = match_groups(values, labels)
    spread = np.sqrt((values[:200].var(ddof=1) + values[200:].var(ddof=1)) / 2)
    assert found.width == pytest.approx(0.2 * spread)
    assert found.before == pytest.approx((values[200:].mean() - values[:200].mean()) / spread)
    first, second = ([v for v, n, label in zip(values, found.sets, labels, strict=True)
                      if n >= 0 and label == name] for name in "ab")  # fmt: skip
    assert len(first) == len(second) > 100
    assert found.after == pytest.approx(abs(np.mean(first) - np.mean(second)) / spread)
    assert found.after < 0.2 < 0.8 < found.before


def test_groups_that_lie_apart_share_nothing():
    found = match_groups([1.0, 1.1, 5.0, 5.1], ["a", "a", "b", "b"])
    assert found.sets.tolist() == [-1] * 4
    assert np.isnan(found.after)


def test_what_is_not_finite_matches_nothing():
    found = match_groups([1.0, np.nan, 2.0, 1.0, -np.inf, 2.0], list("aaabbb"))
    assert found.sets.tolist() == [0, -1, 1, 0, -1, 1]
    assert found.after == 0.0


def test_of_one_item_each_only_equal_ones_match():
    assert match_groups([1.0, 1.0], ["a", "b"]).sets.tolist() == [0, 0]
    assert match_groups([1.0, 1.1], ["a", "b"]).sets.tolist() == [-1, -1]
    assert match_groups([], []).sets.tolist() == []


def test_labels_are_as_many_as_values():
    with pytest.raises(ValueError, match="one for each of 2 values, got 1"):
        match_groups([1.0, 2.0], ["a"])
