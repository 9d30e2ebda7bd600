"""Families of orbits whose shape is known."""

import numpy as np
import pytest

from rnnstudy.analyses.solution_classes.family import (
    distinct_sets,
    family_shape,
    gap_share,
    orbit_displacements,
    orbit_distances,
)

ORBITS = 48


def at_rest(places):
    """Return orbits `[orbit, time, state]` that stay at places `[orbit, state]`."""
    return np.repeat(np.asarray(places, float)[:, None], 20, axis=1)


def circles(radii, turn=0.7, steps=400):
    """Return circular orbits of some radii, each from another phase."""
    time = turn * np.arange(steps) + np.arange(len(radii))[:, None]
    return np.asarray(radii)[:, None, None] * np.stack([np.cos(time), np.sin(time)], axis=-1)


def test_orbits_at_rest_have_the_distances_of_their_places():
    places = np.random.default_rng(0).normal(size=(6, 14))
    expected = np.linalg.norm(places[:, None] - places[None], axis=-1)
    # Ten principal components of six places keep all distances.
    np.testing.assert_allclose(orbit_distances(at_rest(places)), expected, atol=1e-7)
    moved = orbit_displacements(at_rest(places), at_rest(places + 0.1))
    np.testing.assert_allclose(moved, 0.1 * np.sqrt(14), rtol=1e-6)


def test_the_phase_of_an_oscillation_does_not_matter():
    distances = orbit_distances(circles([1.0, 1.0, 2.0]))
    assert distances[0, 1] < 0.02
    assert distances[0, 2] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("name", ["straight", "bent", "oscillations", "ring", "disc", "ball"])
def test_shapes(name):
    generator = np.random.default_rng(1)
    along = np.linspace(-1.0, 1.0, ORBITS)
    angle = 2.0 * np.pi * np.arange(ORBITS) / ORBITS
    ball = generator.normal(size=(2000, 3))
    ball = ball[np.linalg.norm(ball, axis=1) < 1.5]
    disc = ball[:, :2][np.linalg.norm(ball[:, :2], axis=1) < 1.0]
    states = {
        "straight": at_rest(np.outer(along, [3.0, 4.0, 0.0])),
        "bent": at_rest(np.stack([np.cos(2 * along), np.sin(2 * along)], axis=1)),
        "oscillations": circles(1.5 + along),
        "ring": at_rest(np.stack([np.cos(angle), np.sin(angle)], axis=1)),
        "disc": at_rest(disc[:ORBITS]),
        "ball": at_rest(ball[:ORBITS]),
    }[name]
    shape = family_shape(orbit_distances(states))
    if name in ("straight", "bent", "oscillations"):
        assert shape.dimension == pytest.approx(1.0, abs=0.05)
    else:
        assert shape.dimension > 1.7
    assert (shape.roundness < 0.1) == (name == "ring")
    if name == "straight":
        # The standard deviation of evenly spaced points on a segment of length 10.
        assert shape.extent == pytest.approx(5.0 * np.std(along, ddof=1), rel=1e-6)


def test_clusters_are_sets_with_gaps_and_a_line_is_neither():
    generator = np.random.default_rng(2)
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    clustered = np.repeat(corners, 6, axis=0) + 1e-4 * generator.normal(size=(ORBITS, 3))
    line = np.outer(generator.normal(size=ORBITS), [1.0, 0.0, 0.0])
    tight, spread = (orbit_distances(at_rest(places)) for places in (clustered, line))
    assert distinct_sets(tight, 0.01).max() + 1 == 8
    assert gap_share(tight) > 0.99
    assert distinct_sets(spread, 0.005).max() + 1 > 40
    assert gap_share(spread) < 0.7


def test_a_single_orbit_has_no_shape():
    shape = family_shape(orbit_distances(at_rest([[1.0, 2.0]])))
    assert shape.extent == 0.0
    assert np.isnan(shape.dimension)
    assert np.isnan(family_shape(np.zeros((3, 3))).dimension)
