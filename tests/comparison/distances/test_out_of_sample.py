"""New items among placed ones."""

import numpy as np
import pytest
from reference.statistics import between_points
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from rnnstudy.comparison.distances.embedding import classical_mds, stress_mds
from rnnstudy.comparison.distances.out_of_sample import place_by_stress, place_classically
from rnnstudy.comparison.distances.pairs import Distances


def cloud(items, seed=0):
    return np.random.default_rng(seed).standard_normal((items, 3)) * [3.0, 2.0, 1.0] + 5.0


def known(points):
    return Distances(tuple(f"n{i}" for i in range(len(points))), between_points(points))


def test_new_items_keep_their_distances():
    old, new = cloud(12), cloud(4, seed=1)
    distances = known(old)
    coordinates = classical_mds(distances, dimensions=3)
    found = place_classically(distances, coordinates, cdist(new, old))
    assert cdist(found, coordinates.points) == pytest.approx(cdist(new, old))
    assert cdist(found, found) == pytest.approx(cdist(new, new))


def test_known_items_come_to_their_own_place():
    distances = known(cloud(12))
    for dimensions in (2, 3, 5):
        coordinates = classical_mds(distances, dimensions)
        found = place_classically(distances, coordinates, distances.values)
        # Three dimensions exist; what rounding leaves in others is the root of 1e-16.
        assert found == pytest.approx(coordinates.points, abs=1e-6)


def test_in_fewer_dimensions_a_new_item_is_projected():
    """Classical scaling of points is their principal components, and so is the new one's place."""
    old, new = cloud(12), cloud(2, seed=1)
    found = place_classically(known(old), classical_mds(known(old), 2), cdist(new, old))
    _, _, axes = np.linalg.svd(old - old.mean(axis=0), full_matrices=False)
    assert np.abs(found) == pytest.approx(np.abs((new - old.mean(axis=0)) @ axes[:2].T))


def test_by_stress_a_new_item_is_where_its_errors_are_least():
    old, new = cloud(12), cloud(5, seed=1)
    coordinates, wanted = stress_mds(known(old), 2), cdist(new, old)
    found = place_by_stress(known(old), coordinates, wanted)

    def errors(place, i):
        return ((np.sqrt(((place - coordinates.points) ** 2).sum(axis=1)) - wanted[i]) ** 2).sum()

    for i in range(5):
        starts = [found[i], *coordinates.points[::3]]
        best = min(minimize(errors, start, (i,)).fun for start in starts)
        assert errors(found[i], i) <= best * (1 + 1e-6)


def test_by_stress_distances_that_can_be_kept_are():
    old, new = cloud(12)[:, :2], cloud(4, seed=1)[:, :2]
    coordinates = stress_mds(known(old), 2)
    found = place_by_stress(known(old), coordinates, cdist(new, old))
    assert cdist(found, coordinates.points) == pytest.approx(cdist(new, old), abs=1e-3)


def test_what_does_not_fit_is_refused():
    distances, other = known(cloud(4)), Distances(tuple("abcd"), between_points(cloud(4)))
    with pytest.raises(ValueError, match="must be of the items of the reference"):
        place_classically(distances, classical_mds(other), np.ones((1, 4)))
    with pytest.raises(ValueError, match=r"must be \[new, 4\], got shape \[1, 3\]"):
        place_by_stress(distances, classical_mds(distances), np.ones((1, 3)))
