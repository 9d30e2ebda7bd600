"""Neighbours, ways and arrangements against points whose geometry is known."""

import itertools

import networkx as nx
import numpy as np
import pytest

from rnnstudy.comparison.distances.point_geometry import (
    correlation,
    geodesic_correlation,
    geodesic_distances,
    neighbour_graph,
    neighbour_order_share,
    participation_ratio,
    point_distances,
    point_geometry_distances,
)

ANGLES = np.linspace(0.0, 1.5 * np.pi, 25)
ARC = np.stack([np.cos(ANGLES), np.sin(ANGLES), np.zeros(25)], axis=1)


def shuffled(points, seed=0):
    return points[np.random.default_rng(seed).permutation(len(points))]


def test_distances_are_euclidean_and_missing_points_have_none():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [np.nan, 1.0]])
    found = point_distances(points)
    assert found[0, 1] == pytest.approx(5.0)
    assert np.isnan(found[2, :2]).all()
    with pytest.raises(ValueError, match=r"points must be \[point, axis\]"):
        point_distances(np.zeros(3))


@pytest.mark.parametrize("neighbours", [1, 2, 4])
def test_the_neighbour_graph_is_the_brute_force_one(neighbours):
    points = np.random.default_rng(1).standard_normal((12, 3))
    points[4] = np.nan
    expected = np.zeros((12, 12))
    for i in range(12):
        ranked = sorted(
            (float(np.linalg.norm(points[i] - points[j])), j)
            for j in range(12)
            if j != i and i != 4 and j != 4
        )
        for _, j in ranked[:neighbours]:
            expected[i, j] = expected[j, i] = 1.0
    np.testing.assert_array_equal(neighbour_graph(points, neighbours), expected)


def test_a_graph_needs_neighbours():
    with pytest.raises(ValueError, match="neighbours must be a whole number of at least 1"):
        neighbour_graph(ARC, 0)


def test_ways_follow_an_arc():
    # Each step of the polygon is a chord; two neighbours also shorten the way over a third point.
    chord = 2.0 * np.sin(np.diff(ANGLES)[0] / 2.0)
    found = geodesic_distances(ARC, 1)
    steps = np.abs(np.arange(25)[:, None] - np.arange(25))
    np.testing.assert_allclose(found, chord * steps, rtol=1e-12, atol=1e-15)


def test_ways_are_the_shortest_paths_of_networkx():
    points = np.random.default_rng(2).standard_normal((15, 2))
    points[:5] += 30.0  # two parts, joined by their nearest points
    links = neighbour_graph(points, 2)
    distances = point_distances(points)
    graph = nx.Graph()
    whole = nx.Graph()
    for i, j in itertools.combinations(range(15), 2):
        whole.add_edge(i, j, weight=distances[i, j])
        if links[i, j]:
            graph.add_edge(i, j, weight=distances[i, j])
    graph.add_edges_from(nx.minimum_spanning_tree(whole).edges(data=True))
    expected = dict(nx.all_pairs_dijkstra_path_length(graph))
    found = geodesic_distances(points, 2)
    for i, j in itertools.combinations(range(15), 2):
        assert found[i, j] == pytest.approx(expected[i][j], rel=1e-12)


def test_ways_of_missing_and_coinciding_points():
    points = np.array([[0.0], [1.0], [np.nan], [1.0], [3.0]])
    found = geodesic_distances(points, 1)
    assert np.isnan(found[2]).all()
    np.testing.assert_allclose(found[0, [0, 1, 3, 4]], [0.0, 1.0, 1.0, 3.0], atol=1e-12)


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e9])
def test_scale_does_not_matter(scale):
    np.testing.assert_allclose(
        geodesic_distances(scale * ARC), scale * geodesic_distances(ARC), rtol=1e-12
    )


def test_a_single_point_has_no_way_to_go():
    alone = np.full((3, 2), np.nan)
    alone[1] = 1.0
    np.testing.assert_array_equal(
        np.isnan(geodesic_distances(alone)), ~np.diag([False, True, False])
    )


def test_order_and_ways_of_a_bent_line():
    assert neighbour_order_share(ARC) == 1.0
    assert geodesic_correlation(ARC, ANGLES, 1) == pytest.approx(1.0)
    assert geodesic_correlation(ARC, ANGLES) > 0.999
    # Straight through, ends of the arc are nearer than its middle: ways say what chords don't.
    pairs = np.triu_indices(25, 1)
    straight = correlation(point_distances(ARC)[pairs], np.abs(ANGLES[:, None] - ANGLES)[pairs])
    assert straight < 0.92


def test_order_means_nothing_for_shuffled_points():
    found = [neighbour_order_share(shuffled(ARC, seed)) for seed in range(40)]
    # A given point's nearest neighbour stands next to it with probability 2 / 25.
    assert np.mean(found) == pytest.approx(2 / 25, abs=0.03)
    assert (
        abs(np.mean([geodesic_correlation(shuffled(ARC, seed), ANGLES) for seed in range(40)]))
        < 0.05
    )


def test_what_is_too_little_is_nan():
    two = ARC.copy()
    two[2:] = np.nan
    assert np.isnan(neighbour_order_share(two))
    assert np.isnan(geodesic_correlation(two, ANGLES))
    assert np.isnan(geodesic_correlation(ARC, np.ones(25)))
    assert np.isnan(participation_ratio(np.ones((4, 3))))


def test_missing_points_are_passed_over():
    gap = ARC.copy()
    gap[7] = np.nan
    assert neighbour_order_share(gap) == 1.0
    assert geodesic_correlation(gap, ANGLES, 1) == pytest.approx(1.0, abs=1e-3)


def test_participation_counts_dimensions_of_equal_variance():
    corners = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))
    assert participation_ratio(corners) == pytest.approx(3.0)
    assert participation_ratio(corners * [1.0, 1.0, 0.0]) == pytest.approx(2.0)
    assert participation_ratio(corners * [1.0, 0.0, 0.0]) == pytest.approx(1.0)


def turned(points, seed=0):
    axes = np.linalg.qr(np.random.default_rng(seed).standard_normal((5, 5)))[0]
    return 7.0 * np.pad(points, ((0, 0), (0, 2))) @ axes + 3.0


@pytest.mark.parametrize("neighbours", [2, None])
def test_arrangements_do_not_see_rotation_scale_or_dimension(neighbours):
    found = point_geometry_distances([ARC, turned(ARC), shuffled(ARC)], ["a", "b", "c"], neighbours)
    assert found.values[0, 1] == pytest.approx(0.0, abs=1e-6)
    assert 0.1 < found.values[0, 2] <= 1.0
    assert found.labels == ("a", "b", "c")


def test_graphs_of_a_straight_and_a_bent_line_are_one_and_their_distances_are_not():
    line = np.stack([ANGLES, np.zeros(25), np.zeros(25)], axis=1)
    assert point_geometry_distances([ARC, line], "ab", 2).values[0, 1] == pytest.approx(
        0.0, abs=1e-6
    )
    assert point_geometry_distances([ARC, line], "ab", None).values[0, 1] > 0.1


def test_graph_distance_is_one_minus_the_shared_links():
    # Vectors of length 1 with an inner product of shared / sqrt(links of a x links of b).
    first, second = ARC, shuffled(ARC)
    a, b = neighbour_graph(first, 2), neighbour_graph(second, 2)
    shared = (a * b).sum() / np.sqrt(a.sum() * b.sum())
    found = point_geometry_distances([first, second], "ab", 2).values[0, 1]
    assert found == pytest.approx(np.sqrt(1.0 - shared))


def test_missing_points_count_as_different_and_nothing_is_far_from_everything():
    gap, none = ARC.copy(), np.full_like(ARC, np.nan)
    gap[5] = np.nan
    found = point_geometry_distances([ARC, gap, none, none], "abcd", 2).values
    assert 0.0 < found[0, 1] < 0.5
    assert found[0, 2] == found[1, 2] == 1.0
    assert found[2, 3] == 0.0


def test_arrangements_of_unequal_numbers_are_refused():
    with pytest.raises(ValueError, match=r"equally many points, got \[24, 25\]"):
        point_geometry_distances([ARC, ARC[1:]], "ab")
