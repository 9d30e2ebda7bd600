"""Merging is transitive, independent of order, and keeps the slowest point."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from rnnstudy.dynamics.states.clustering import MAX_PIECES, farthest_point_sample, merge


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


def partition(group):
    return {frozenset(np.flatnonzero(group == label)) for label in set(group)}


@pytest.mark.parametrize(
    ("dimensions", "radius"),
    [(1, 0.004), (2, 0.02), (2, 0.06), (3, 0.1), (5, 0.3), (24, 1.2), (24, 1.38)],
)
def test_the_same_groups_as_single_linkage(dimensions, radius):
    generator = np.random.default_rng(dimensions)
    points = generator.standard_normal((400, dimensions))
    points = np.concatenate([points, points[:60] + 0.1 * radius])
    # Coordinates are rounded to a hundredth of the radius, here before both.
    points = np.rint(points / (0.01 * radius)) * (0.01 * radius)
    group, _ = merge(points, np.arange(460.0), radius)
    truth = fcluster(
        linkage(points / np.sqrt(dimensions), "single"), radius * (1 + 1e-9), "distance"
    )
    wide = {
        part
        for part in partition(truth)
        if np.linalg.norm(np.ptp(points[list(part)], axis=0)) > 8 * radius * np.sqrt(dimensions)
    }
    # Whatever is not wide is exactly single linkage, and the cells of what is wide fill it up.
    assert partition(truth) - wide <= partition(group)
    for part in partition(group):
        assert any(part <= other for other in partition(truth))


def test_dense_clouds_cost_no_square_of_their_points():
    generator = np.random.default_rng(3)
    roots = generator.standard_normal((27, 64))
    which = generator.integers(27, size=100_000)
    jitter = 2e-4 * generator.standard_normal((100_000, 64))
    speed = generator.uniform(size=100_000)
    group, best = merge(roots[which] + jitter, speed, 1e-3)
    assert len(best) == 27
    for label in range(27):
        own = np.flatnonzero(group == label)
        assert len(set(which[own])) == 1
        assert best[label] == own[speed[own].argmin()]


def test_a_dense_line_is_thinned_to_even_samples():
    generator = np.random.default_rng(4)
    place = generator.uniform(0, 1, 20_000)
    line = place[:, None] * np.ones(6)
    group, best = merge(line, np.zeros(20_000), 1e-3)
    cells = [place[group == k] for k in range(len(best))]
    ends = np.sort([[cell.min(), cell.max()] for cell in cells], axis=0)
    assert 100 < len(best) <= MAX_PIECES
    assert np.diff(ends).max() < 4 / len(best)
    # Cells cover the line without overlap.
    assert (np.diff(ends.ravel()) >= 0).all()


def test_a_small_cluster_beside_a_line_stays_one_point():
    line = np.linspace(0, 1, 5000)[:, None] * [1.0, 0.0]
    cluster = np.array([[0.5, 0.5], [0.5, 0.5005]])
    group, _ = merge(np.concatenate([line, cluster]), np.zeros(5002), 1e-3)
    assert group[-1] == group[-2]
    assert group[-1] not in group[:5000]


def test_even_samples_leave_no_larger_gap_than_lies_between_them():
    generator = np.random.default_rng(5)
    points = generator.uniform(-1, 1, (3000, 2))
    chosen, nearest = farthest_point_sample(points, 40)
    apart = np.linalg.norm(points[chosen][:, None] - points[chosen], axis=-1)
    gap = np.linalg.norm(points - points[chosen][nearest], axis=1)
    assert len(chosen) == 40
    assert gap.max() <= apart[np.triu_indices(40, 1)].min() + 1e-7
    np.testing.assert_allclose(
        gap, np.linalg.norm(points[:, None] - points[chosen], axis=-1).min(axis=1), atol=1e-7
    )
    few, _ = farthest_point_sample(points, 3000, spacing=0.5)
    assert len(few) < 40
    assert len(farthest_point_sample(points[:1], 5)[0]) == 1


def test_identical_points_are_one():
    group, best = merge(np.ones((5, 2)), np.arange(5.0), 1e-3)
    assert group.tolist() == [0] * 5
    assert best.tolist() == [0]
