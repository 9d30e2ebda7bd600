import numpy as np
import pytest

from rnnstudy.comparison.distances.embedding import (
    Coordinates,
    classical_mds,
    kruskal_stress,
    stress_mds,
)
from rnnstudy.comparison.distances.pairs import Distances


def between(points):
    """Euclidean distances, in loops."""
    values = np.zeros((len(points), len(points)))
    for i, p in enumerate(points):
        for j, q in enumerate(points):
            values[i, j] = np.sqrt(((p - q) ** 2).sum())
    return values


def labelled(values):
    return Distances(tuple("abcdefghijkl"[: len(values)]), np.asarray(values, float))


@pytest.fixture
def points():
    return np.random.default_rng(0).standard_normal((9, 3)) * [3.0, 2.0, 1.0] + 5.0


def test_euclidean_distances_are_recovered(points):
    found = classical_mds(labelled(between(points)), dimensions=3)
    assert between(found.points) == pytest.approx(between(points), abs=1e-9)
    assert found.negative_share == pytest.approx(0.0, abs=1e-12)
    assert found.stress == pytest.approx(0.0, abs=1e-9)
    assert found.points.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-9)


def test_dimensions_are_principal_components(points):
    found = classical_mds(labelled(between(points)), dimensions=2)
    centred = points - points.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred)
    assert np.abs(found.points) == pytest.approx(np.abs(centred @ axes[:2].T), abs=1e-9)
    assert found.eigenvalues == pytest.approx(np.append(sizes**2, np.zeros(6)), abs=1e-9)
    assert 0.0 < found.stress < 0.5


def test_stress_is_kruskals(points):
    wanted = between(points)
    got = between(classical_mds(labelled(wanted), dimensions=1).points)
    pairs = np.triu_indices(9, 1)
    expected = np.sqrt(((got - wanted)[pairs] ** 2).sum() / (wanted[pairs] ** 2).sum())
    assert classical_mds(labelled(wanted), dimensions=1).stress == pytest.approx(expected)


def test_a_triangle_that_does_not_close_has_a_negative_eigenvalue():
    """Sides 1, 1 and 3: with z the midpoint of x and y at distance 3, the spectrum is 9/2, 0 and
    2/3 (1 - 9/4) = -5/6."""
    found = classical_mds(labelled([[0, 3, 1], [3, 0, 1], [1, 1, 0]]), dimensions=3)
    assert found.eigenvalues == pytest.approx([9 / 2, 0.0, -5 / 6], abs=1e-12)
    assert found.negative_share == pytest.approx((5 / 6) / (9 / 2 + 5 / 6))
    assert found.points[:, 0] == pytest.approx([1.5, -1.5, 0.0])
    assert found.points[:, 1:] == pytest.approx(np.zeros((3, 2)), abs=1e-7)
    # Each side of 1 is drawn as 1.5.
    assert found.stress == pytest.approx(np.sqrt(0.5 / 11))


def test_signs_do_not_depend_on_the_solver(points, monkeypatch):
    distances = labelled(between(points))
    found = classical_mds(distances, dimensions=3)
    for dimension in found.points.T:
        assert dimension[np.abs(dimension).argmax()] > 0.0
    solve = np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda a: (solve(a)[0], -solve(a)[1]))
    assert np.array_equal(classical_mds(distances, dimensions=3).points, found.points)


def test_of_two_equally_far_items_the_first_is_positive():
    found = classical_mds(labelled([[0.0, 2.0], [2.0, 0.0]]))
    assert found.points == pytest.approx(np.array([[1.0, 0.0], [-1.0, 0.0]]), abs=1e-7)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_items_that_coincide_are_at_the_origin(count):
    found = classical_mds(labelled(np.zeros((count, count))))
    assert np.array_equal(found.points, np.zeros((count, 2)))
    assert (found.negative_share, found.stress) == (0.0, 0.0)


def test_more_dimensions_than_items_are_zero():
    found = classical_mds(labelled([[0.0, 2.0], [2.0, 0.0]]), dimensions=5)
    assert found.points.shape == (2, 5)
    assert np.array_equal(found.points[:, 2:], np.zeros((2, 3)))


def test_no_dimension_is_refused():
    with pytest.raises(ValueError, match="dimensions must be a whole number of at least 1, got 0"):
        classical_mds(labelled([[0.0]]), dimensions=0)


def test_coordinates_survive_storage_and_become_a_table(points, tmp_path):
    found = classical_mds(labelled(between(points)))
    found.save(tmp_path)
    loaded = Coordinates.load(tmp_path)
    assert np.array_equal(loaded.points, found.points)
    assert (loaded.stress, loaded.labels) == (found.stress, found.labels)
    frame = loaded.to_frame()
    assert list(frame.columns) == ["dimension 1", "dimension 2"]
    assert frame.loc["b", "dimension 2"] == found.points[1, 1]


def test_stress_scaling_recovers_points_of_the_plane(points):
    flat = points[:, :2]
    found = stress_mds(labelled(between(flat)))
    assert found.stress == pytest.approx(0.0, abs=1e-4)
    assert between(found.points) == pytest.approx(between(flat), abs=1e-2)


def test_stress_is_lower_than_the_classical_solutions_and_at_a_minimum(points):
    distances = labelled(between(points))
    classical, found = classical_mds(distances, 2), stress_mds(distances, 2)
    assert found.stress < 0.95 * classical.stress
    for seed in range(20):
        nudge = 0.05 * np.random.default_rng(seed).standard_normal(found.points.shape)
        assert kruskal_stress(distances.values, found.points + nudge) > found.stress


def test_stress_of_an_equilateral_simplex_is_known():
    """Four items at distance 1 in the plane: the best is a square, whose sides a and diagonals
    a sqrt(2) are least wrong at a = (2 + sqrt(2)) / 4; the stress is (sqrt(2) - 1) / sqrt(6)."""
    found = stress_mds(labelled(1.0 - np.eye(4)))
    side = (2 + np.sqrt(2)) / 4
    expected = np.sqrt((4 * (side - 1) ** 2 + 2 * (np.sqrt(2) * side - 1) ** 2) / 6)
    assert found.stress == pytest.approx(expected, abs=1e-5)


def test_stress_scaling_is_turned_to_its_principal_axes(points):
    found = stress_mds(labelled(between(points)), 2).points
    assert found.mean(axis=0) == pytest.approx(np.zeros(2), abs=1e-9)
    products = found.T @ found
    assert products[0, 1] == pytest.approx(0.0, abs=1e-9)
    assert products[0, 0] > products[1, 1]
    for dimension in found.T:
        assert dimension[np.abs(dimension).argmax()] > 0.0


def test_stress_scaling_does_not_depend_on_the_unit(points):
    one, other = (stress_mds(labelled(scale * between(points))) for scale in (1.0, 1e-6))
    assert other.stress == pytest.approx(one.stress)
    assert other.points == pytest.approx(1e-6 * one.points)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_items_that_coincide_have_no_stress(count):
    found = stress_mds(labelled(np.zeros((count, count))))
    assert np.array_equal(found.points, np.zeros((count, 2)))
    assert found.stress == 0.0


def test_stress_scaling_in_no_dimension_is_refused():
    with pytest.raises(ValueError, match="dimensions must be a whole number of at least 1, got 0"):
        stress_mds(labelled([[0.0]]), dimensions=0)
