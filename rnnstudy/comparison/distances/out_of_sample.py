"""New items among points that are already placed: a map that does not move when networks join."""

from dataclasses import replace

import numpy as np

from rnnstudy.comparison.distances.embedding import (
    Coordinates,
    classical_mds,
    gower_centre,
    kruskal_stress,
    stress_mds,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array

MAX_PLACEMENT_STEPS = 1000
"""At most so many steps towards the place of least stress."""


def reference_map(
    distances: Distances, fitted: Array, dimensions: int, *, by_stress: bool = False
) -> Coordinates:
    """A map of some items, those of a mask [item], with all others placed on it.

    The items that are placed do not move the map, so that it is the same whoever joins. Stress is
    that of all distances, eigenvalues are those of the map's own items.
    """
    at, others = np.flatnonzero(fitted), np.flatnonzero(~fitted)
    own = Distances(tuple(distances.labels[i] for i in at), distances.values[np.ix_(at, at)])
    found = (stress_mds if by_stress else classical_mds)(own, dimensions)
    points = np.zeros((len(fitted), dimensions))
    points[at] = found.points
    if len(others):
        place = place_by_stress if by_stress else place_classically
        points[others] = place(own, found, distances.values[np.ix_(others, at)])
    return replace(
        found,
        labels=distances.labels,
        points=points,
        placed=~fitted,
        stress=kruskal_stress(distances.values, points),
    )


def place_classically(known: Distances, coordinates: Coordinates, new: Array) -> Array:
    """New items in the space of a classical embedding of the known ones: [new, dimension].

    new: distances of the new items to the known ones [new, item]. With B the scalar products about
    the centroid, X the coordinates and L their eigenvalues, a new item is at L^-1 X' (diag B - d^2)
    / 2 (Gower 1968). A known item comes to its own place where distances are Euclidean. ValueError
    if `coordinates` are of other items.
    """
    new = _check_new(known, coordinates, new)
    lengths = np.diag(gower_centre(known.values)) - new**2
    sizes = (coordinates.points**2).sum(axis=0)
    # A dimension in which the known points differ by rounding only has no place for new ones.
    there = sizes > 1e-10 * sizes.max(initial=0.0)
    scaled = np.where(there, coordinates.points / np.where(there, sizes, 1.0), 0.0)
    found: Array = 0.5 * lengths @ scaled
    return found


def place_by_stress(known: Distances, coordinates: Coordinates, new: Array) -> Array:
    """New items where the squared errors of their distances to the known points are least.

    Each by itself, the known points staying: majorisation (de Leeuw 1977) from the better of two
    starts, that of `place_classically` and that of the nearest known item.
    new: [new, item]; returns [new, dimension].
    """
    new = _check_new(known, coordinates, new)
    points = coordinates.points
    starts = [place_classically(known, coordinates, new), points[new.argmin(axis=1)]]
    ends = [_majorise(points, new, start) for start in starts]
    better = _squared_errors(points, new, ends[0]) <= _squared_errors(points, new, ends[1])
    return np.where(better[:, None], ends[0], ends[1])


def _majorise(points: Array, wanted: Array, places: Array) -> Array:
    for _ in range(MAX_PLACEMENT_STEPS):
        gaps = places[:, None, :] - points
        sizes = np.sqrt((gaps**2).sum(axis=-1, keepdims=True))
        # On top of a known point any direction is as good; it then stays out of the mean.
        away = np.where(sizes > 0.0, gaps / np.where(sizes > 0.0, sizes, 1.0), 0.0)
        moved = (points + wanted[:, :, None] * away).mean(axis=1)
        if np.abs(moved - places).max(initial=0.0) < 1e-9 * np.abs(points).max(initial=1.0):
            return moved
        places = moved
    return places


def _squared_errors(points: Array, wanted: Array, places: Array) -> Array:
    sizes = np.sqrt(((places[:, None, :] - points) ** 2).sum(axis=-1))
    found: Array = ((sizes - wanted) ** 2).sum(axis=1)
    return found


def _check_new(known: Distances, coordinates: Coordinates, new: Array) -> Array:
    if known.labels != coordinates.labels:
        raise ValueError("the coordinates are of other items than the known distances")
    new = np.asarray(new, float)
    if new.ndim != 2 or new.shape[1] != len(known.labels):
        raise ValueError(
            f"new distances should be [new, {len(known.labels)}], they are {list(new.shape)}"
        )
    return new
