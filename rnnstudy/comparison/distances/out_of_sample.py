"""Out-of-sample placement: new items on a map that does not move when networks join."""

from dataclasses import replace

import numpy as np

from rnnstudy.comparison.distances.embedding import (
    Coordinates,
    check_map,
    classical_mds,
    gower_centre,
    kruskal_stress,
    stress_mds,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arguments import as_mask
from rnnstudy.core.arrays import Array

MAX_PLACEMENT_STEPS = 1000
"""Largest number of steps towards the position of least stress."""


def reference_map(
    distances: Distances, fitted: Array, dimensions: int, *, by_stress: bool = False
) -> Coordinates:
    """Compute the map of some items, and place all other items on it.

    Items that are placed do not move the map. The map is the same for any set of placed items.

    Parameters
    ----------
    distances : Distances
        Matrix of all items.
    fitted : array [item], bool
        True for the items of the map.
    dimensions : int
        Dimensions of the map, at least 1.
    by_stress : bool, default False
        True for `stress_mds`, False for `classical_mds`.

    Returns
    -------
    Coordinates
        Points of all items. Stress is of all distances; eigenvalues are of the map's items.

    Raises
    ------
    ValueError
        If the mask has another length or no item, or dimensions are below 1.
    TypeError
        If distances are an array.

    Examples
    --------
    >>> line = Distances(("a", "b", "c"), np.abs(np.subtract.outer([0.0, 1, 3], [0.0, 1, 3])))
    >>> reference_map(line, np.array([True, True, False]), 1).points.ravel().tolist()
    [0.5, -0.5, -2.5]
    """
    check_map(distances, dimensions)
    fitted = as_mask("fitted", fitted, (len(distances.labels),))
    if not fitted.any():
        raise ValueError("fitted must have an item of the map, got none. Mark them with True.")
    inside, outside = np.flatnonzero(fitted), np.flatnonzero(~fitted)
    labels = tuple(distances.labels[i] for i in inside)
    reference = Distances(labels, distances.values[np.ix_(inside, inside)])
    coordinates = (stress_mds if by_stress else classical_mds)(reference, dimensions)
    points = np.zeros((len(fitted), dimensions))
    points[inside] = coordinates.points
    if len(outside):
        method = place_by_stress if by_stress else place_classically
        points[outside] = method(reference, coordinates, distances.values[np.ix_(outside, inside)])
    return replace(
        coordinates,
        labels=distances.labels,
        points=points,
        out_of_sample=~fitted,
        stress=kruskal_stress(distances.values, points),
    )


def place_classically(reference: Distances, coordinates: Coordinates, new: Array) -> Array:
    """Return new items [new, dimension] in the space of a classical embedding.

    new: distances of the new items to those of the reference [new, item]. B are the scalar products
    about the centroid, X the coordinates, L their eigenvalues. A new item is at
    L^-1 X' (diag B - d^2) / 2 (Gower 1968). An item of the reference comes to its own position
    if distances are Euclidean.
    """
    new = _check_new(reference, coordinates, new)
    lengths = np.diag(gower_centre(reference.values)) - new**2
    sizes = (coordinates.points**2).sum(axis=0)
    # A dimension in which the reference differs by rounding only has no position for new items.
    is_used = sizes > 1e-10 * sizes.max(initial=0.0)
    scaled = np.where(is_used, coordinates.points / np.where(is_used, sizes, 1.0), 0.0)
    points: Array = 0.5 * lengths @ scaled
    return points


def place_by_stress(reference: Distances, coordinates: Coordinates, new: Array) -> Array:
    """Return new items [new, dimension] at the least squared error of their distances.

    new: distances of the new items to those of the reference [new, item]. Each item is placed by
    itself, and the reference stays. Majorisation (de Leeuw 1977) starts from two positions: that of
    `place_classically` and that of the nearest item. The better end counts.
    """
    new = _check_new(reference, coordinates, new)
    points = coordinates.points
    starts = [place_classically(reference, coordinates, new), points[new.argmin(axis=1)]]
    ends = [_majorise(points, new, start) for start in starts]
    is_better = _squared_errors(points, new, ends[0]) <= _squared_errors(points, new, ends[1])
    return np.where(is_better[:, None], ends[0], ends[1])


def _majorise(points: Array, wanted: Array, positions: Array) -> Array:
    for _ in range(MAX_PLACEMENT_STEPS):
        gaps = positions[:, None, :] - points
        sizes = np.sqrt((gaps**2).sum(axis=-1, keepdims=True))
        # On top of a reference point all directions are equal; it then stays out of the mean.
        directions = np.where(sizes > 0.0, gaps / np.where(sizes > 0.0, sizes, 1.0), 0.0)
        moved: Array = (points + wanted[:, :, None] * directions).mean(axis=1)
        if np.abs(moved - positions).max(initial=0.0) < 1e-9 * np.abs(points).max(initial=1.0):
            return moved
        positions = moved
    return positions


def _squared_errors(points: Array, wanted: Array, positions: Array) -> Array:
    sizes = np.sqrt(((positions[:, None, :] - points) ** 2).sum(axis=-1))
    errors: Array = ((sizes - wanted) ** 2).sum(axis=1)
    return errors


def _check_new(reference: Distances, coordinates: Coordinates, new: Array) -> Array:
    if reference.labels != coordinates.labels:
        raise ValueError("coordinates must be of the items of the reference, got other items")
    new = np.asarray(new, float)
    if new.ndim != 2 or new.shape[1] != len(reference.labels):
        expected = f"[new, {len(reference.labels)}]"
        raise ValueError(f"new distances must be {expected}, got shape {list(new.shape)}")
    return new
