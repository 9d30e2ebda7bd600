"""Measures of labelled distances against their definitions and scikit-learn."""

import numpy as np
import pytest
from reference.statistics import between_points, contrasts, neighbour_scores
from sklearn.metrics import silhouette_samples
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from rnnstudy.comparison.statistics.separation_scores import CONTRAST, NEAREST_NEIGHBOUR, SILHOUETTE

MEASURES = (NEAREST_NEIGHBOUR, SILHOUETTE, CONTRAST)


def labelled(seed=0, items=23, groups=4, shift=1.0):
    """Distances of points in groups of unequal size."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(items) ** 2 % groups**2 % groups)
    points = generator.standard_normal((items, 5))
    points[np.arange(items), labels] += shift
    return between_points(points), [f"group {label}" for label in labels]


def tied(seed=0, items=17):
    """Whole numbers, so that many distances are equal."""
    distances, labels = labelled(seed, items, groups=3)
    distances = np.maximum(np.round(distances), 1.0)
    np.fill_diagonal(distances, 0.0)
    return distances, labels


def test_nearest_neighbours_are_scikit_learns():
    distances, labels = labelled()
    classifier = KNeighborsClassifier(n_neighbors=1, metric="precomputed")
    predicted = cross_val_predict(classifier, distances, labels, cv=LeaveOneOut())
    assert NEAREST_NEIGHBOUR.scores(distances, labels) == pytest.approx((predicted == labels) * 1.0)


def test_those_equally_near_each_count_for_their_part():
    distances, labels = tied()
    scores = NEAREST_NEIGHBOUR.scores(distances, labels)
    assert scores == pytest.approx(neighbour_scores(distances, labels))
    assert ((scores > 0) & (scores < 1)).any()
    noise = 1e-13 * np.random.default_rng(0).standard_normal(distances.shape)
    assert NEAREST_NEIGHBOUR.scores(distances + noise, labels) == pytest.approx(scores)


def test_where_all_distances_are_equal_a_neighbour_is_drawn_from_the_others():
    equal = 1.0 - np.eye(6)
    scores = NEAREST_NEIGHBOUR.scores(equal, list("aaabbc"))
    assert scores == pytest.approx([2 / 5, 2 / 5, 2 / 5, 1 / 5, 1 / 5, 0.0])


def test_silhouettes_are_scikit_learns():
    distances, labels = labelled()
    labels[3] = "alone"
    expected = silhouette_samples(distances, labels, metric="precomputed")
    assert SILHOUETTE.scores(distances, labels) == pytest.approx(expected, abs=1e-12)
    assert SILHOUETTE.scores(distances, labels)[3] == 0.0


def test_contrasts_are_those_of_their_definition():
    distances, labels = labelled()
    labels[3] = "alone"
    assert CONTRAST.scores(distances, labels) == pytest.approx(contrasts(distances, labels))


@pytest.mark.parametrize("measure", [SILHOUETTE, CONTRAST], ids=lambda m: m.name)
def test_items_that_coincide_say_nothing(measure):
    assert np.array_equal(measure.scores(np.zeros((4, 4)), list("aabb")), np.zeros(4))


def test_groups_that_are_points_are_told_apart_entirely():
    apart = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [2, 2, 0, 0], [2, 2, 0, 0]], float)
    for measure in MEASURES:
        assert np.array_equal(measure.scores(apart, list("aabb")), np.ones(4))


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)
@pytest.mark.parametrize("case", [labelled(), tied(), labelled(items=130)], ids=["", "tied", "big"])
def test_left_out_is_the_statistic_of_the_others(measure, case):
    distances, labels = case
    codes = np.unique(labels, return_inverse=True)[1]
    found = measure.leave_one_out(distances, codes)
    for i in range(0, len(labels), 7):
        keep = np.arange(len(labels)) != i
        rest = measure.scores(distances[np.ix_(keep, keep)], codes[keep])
        assert found[i] == pytest.approx(rest.mean(), abs=1e-12)


def test_without_its_only_member_a_group_is_gone():
    distances, _ = labelled(items=6)
    found = SILHOUETTE.leave_one_out(distances, np.array([0, 0, 1, 1, 1, 2]))
    rest = SILHOUETTE.scores(distances[:5, :5], list("aabbb"))
    assert found[5] == pytest.approx(rest.mean())


@pytest.mark.parametrize(
    ("distances", "labels", "message"),
    [
        (np.zeros((3, 3)), "ab", r"for 2 labels, got shape \[3, 3\]"),
        (np.zeros((2, 3)), "ab", r"square \[item, item\], got shape \[2, 3\]"),
        (np.zeros((2, 2)), "aa", "must have two labels or more, got one label"),
        (np.zeros((2, 2)), "ab", "some label must have two networks, got a different label"),
        (np.full((3, 3), np.nan), "aab", "distances must be finite"),
        (np.zeros((0, 0)), "", "must have two labels or more, got no networks"),
    ],
)
def test_what_cannot_be_compared_is_refused(distances, labels, message):
    with pytest.raises(ValueError, match=message):
        NEAREST_NEIGHBOUR.scores(distances, list(labels))
