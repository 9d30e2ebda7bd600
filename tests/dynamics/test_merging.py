"""Merging is transitive, independent of order, and keeps the slowest point."""

import numpy as np

from rnnstudy.dynamics.merging import merge


def test_a_chain_is_one_group_and_a_gap_separates():
    line = np.array([0.0, 0.9, 1.8, 2.7, 5.0, 5.5])[:, None]
    group, best = merge(line, np.array([5.0, 1.0, 2.0, 3.0, 9.0, 8.0]), 1.0)
    assert len(set(group[:4])) == 1
    assert len(set(group[4:])) == 1
    assert group[0] != group[4]
    assert sorted(best) == [1, 5]


def test_distance_is_per_coordinate():
    points = np.zeros((2, 100))
    points[1] = 0.5  # Euclidean distance 5, root mean square 0.5
    assert len(merge(points, np.zeros(2), 0.6)[1]) == 1
    assert len(merge(points, np.zeros(2), 0.4)[1]) == 2


def test_order_does_not_matter():
    generator = np.random.default_rng(0)
    points = generator.uniform(0, 1, (200, 2))
    speed = generator.uniform(0, 1, 200)
    group, best = merge(points, speed, 0.04)
    order = generator.permutation(200)
    shuffled, shuffled_best = merge(points[order], speed[order], 0.04)
    assert set(best) == set(order[shuffled_best])
    for label in range(len(best)):
        members = set(np.flatnonzero(group == label))
        assert best[label] == min(members, key=lambda i: speed[i])
        other = shuffled[np.flatnonzero(order == best[label])[0]]
        assert members == set(order[shuffled == other])


def test_nothing_merges_to_nothing():
    group, best = merge(np.empty((0, 3)), np.empty(0), 1.0)
    assert len(group) == 0
    assert len(best) == 0
