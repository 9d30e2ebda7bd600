"""Families of orbits: distances between orbits as sets of states, and the shape of a family.

A family is what the orbits of many starts fill after a while: a point, several points, a line, a
ring, a plane. Each orbit counts as the set of its states, so that the phase of an oscillation
does not matter.
"""

from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array

COMPONENTS = 10
"""Principal components of the states in which orbits are compared."""

REFERENCES = 12
"""States of an orbit, evenly spread in time, whose distances to another orbit count."""

GAP_LENGTH = 0.5
"""Length of a gap between orbits, as a share of their extent."""

CROWDED_GAP = 8.0
"""Length of a gap between few orbits, as a share of their extent divided by their number."""

LEAST_EXTENT = 1e-100
"""Extent below which a family has no shape, for its squares would be zero."""

LEAST_VARIANCE = 1e-12
"""Variance of the geodesic coordinates, in squares of the extent, below which there is no shape."""

NEIGHBOURS = 4
"""Neighbours of an orbit that are linked to it in the graph of geodesics."""


def orbit_distances(states: Array) -> Array:
    """Return the distances of orbits `[orbit, time, state]` as sets, `[orbit, orbit]`.

    The distance from one orbit to another is the median, over some of its states, of the distance
    to the nearest state of the other. Both directions are averaged.
    """
    from scipy.spatial.distance import cdist

    orbits, steps, _ = states.shape
    places = _principal_coordinates(states)
    times = np.unique(np.linspace(0, steps - 1, REFERENCES).astype(int))
    references = places[:, times].reshape(orbits * len(times), -1)
    directed = np.zeros((orbits, orbits))
    for other in range(orbits):
        nearest = cdist(references, places[other]).min(axis=1)
        directed[:, other] = np.median(nearest.reshape(orbits, -1), axis=1)
    return 0.5 * (directed + directed.T)


def orbit_displacements(first: Array, second: Array) -> Array:
    """Return the distance of each orbit from itself at a later time, `[orbit]`.

    Both stretches are `[orbit, time, state]`.
    """
    pairs = zip(first, second, strict=True)
    return np.array([orbit_distances(np.stack(pair))[0, 1] for pair in pairs])


def covered_share(states: Array, path: Array, radius: float) -> float:
    """Return the share of orbits `[orbit, time, state]` along which a path `[time, state]` passes.

    It passes along an orbit if the median distance of the orbit's states from the path is at most
    the radius.
    """
    from scipy.spatial.distance import cdist

    times = np.unique(np.linspace(0, states.shape[1] - 1, REFERENCES).astype(int))
    references = states[:, times].reshape(-1, states.shape[2])
    distances = cdist(references, path).min(axis=1).reshape(len(states), -1)
    return float(np.mean(np.median(distances, axis=1) <= radius))


def _principal_coordinates(states: Array) -> Array:
    flat = states.reshape(-1, states.shape[2])
    centred = flat - flat.mean(axis=0)
    if states.shape[2] <= COMPONENTS:
        return centred.reshape(states.shape)
    axes = np.linalg.eigh(centred.T @ centred)[1].T[::-1]
    return (centred @ axes[:COMPONENTS].T).reshape(*states.shape[:2], -1)


def distinct_sets(distances: Array, radius: float) -> Array:
    """Return the set `[orbit]` to which each orbit belongs: sets of a diameter up to `radius`."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(distances) < 2:
        return np.zeros(len(distances), int)
    tree = linkage(squareform(distances, checks=False), "complete")
    sets: Array = fcluster(tree, radius, "distance") - 1
    return sets


def gap_share(distances: Array) -> float:
    """Return the share of gaps in the length of the minimum spanning tree of orbits.

    A gap is a link longer than half the extent, and than eight extents divided by the number of
    orbits. The share is near 1 for tight sets that are far from each other, and small on a line.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    if len(distances) < 2:
        return 1.0
    near = np.maximum(distances, np.finfo(float).tiny)
    np.fill_diagonal(near, 0.0)
    links = minimum_spanning_tree(csr_array(near)).data
    least = max(GAP_LENGTH, CROWDED_GAP / len(distances)) * extent_of(distances)
    return float(links[links > least].sum() / links.sum())


def extent_of(distances: Array) -> float:
    """Return the root mean square distance of two orbits, divided by the square root of 2."""
    pairs = distances[np.triu_indices(len(distances), 1)]
    return float(np.sqrt(0.5 * np.mean(pairs**2))) if len(pairs) else 0.0


@dataclass(frozen=True)
class FamilyShape:
    """Shape of a family of orbits.

    Parameters
    ----------
    extent
        Root mean square distance of two orbits, divided by the square root of 2. It is the
        standard deviation of a straight line of orbits.
    dimension
        Participation ratio of the geodesic coordinates: 1 on a line, straight or bent, 2 in a round
        plane, about 2.2 on a ring.
    roundness
        Coefficient of variation of the distance from the middle, in the first two geodesic
        coordinates: near 0 on a ring, .35 in a disc.
    """

    extent: float
    dimension: float
    roundness: float


def family_shape(distances: Array) -> FamilyShape:
    """Return the shape of the family of orbits with these distances `[orbit, orbit]`.

    Geodesics are the shortest paths over nearest neighbours. Their classical scaling gives
    coordinates in which a bent line is straight.

    References
    ----------
    Tenenbaum, de Silva & Langford (2000), A global geometric framework for nonlinear
    dimensionality reduction.
    """
    count = len(distances)
    if count < 2:
        return FamilyShape(0.0, float("nan"), float("nan"))
    extent = extent_of(distances)
    if not extent > LEAST_EXTENT:
        return FamilyShape(extent, float("nan"), float("nan"))
    coordinates = _geodesic_coordinates(distances / extent)
    variances = np.mean(coordinates**2, axis=0)
    # Distances of sets need not obey the triangle inequality: all paths may be short.
    if not variances.sum() > LEAST_VARIANCE:
        return FamilyShape(extent, float("nan"), float("nan"))
    dimension = float(variances.sum() ** 2 / np.sum(variances**2))
    radius = np.linalg.norm(coordinates[:, :2], axis=1)
    return FamilyShape(extent, dimension, float(radius.std() / radius.mean()))


def _geodesic_coordinates(distances: Array) -> Array:
    """Return coordinates `[orbit, axis]`, largest variance first, by classical scaling."""
    squares = _geodesics(distances) ** 2
    means = squares.mean(axis=0)
    products = -0.5 * (squares - means - means[:, None] + means.mean())
    values, axes = np.linalg.eigh(products)
    coordinates: Array = axes[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0.0))
    return coordinates


def _geodesics(distances: Array) -> Array:
    """Return lengths of the shortest paths over neighbours and the minimum spanning tree."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree, shortest_path

    # A stored 0 would be no link.
    near = np.maximum(distances, np.finfo(float).tiny)
    np.fill_diagonal(near, 0.0)
    linked = minimum_spanning_tree(csr_array(near)).toarray() > 0.0
    others = near + np.diag(np.full(len(near), np.inf))
    nearest = np.argsort(others, axis=1, kind="stable")[:, : min(NEIGHBOURS, len(near) - 1)]
    np.put_along_axis(linked, nearest, True, axis=1)
    linked |= linked.T
    lengths: Array = shortest_path(csr_array(np.where(linked, near, 0.0)), directed=False)
    return lengths
