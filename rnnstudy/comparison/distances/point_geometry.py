"""How points lie to each other: neighbours, ways along them, and how two arrangements differ.

Points [point, axis] stand in an order of their own (that of the inputs they belong to). A point of
which any coordinate is NaN is missing: it keeps its place in the order and has no neighbours.
"""

from collections.abc import Sequence

import numpy as np

from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array

MIN_POINTS = 3
"""Points below which nothing can be said of their order."""


def point_distances(points: Array) -> Array:
    """Euclidean distances [point, point], NaN where a point is missing."""
    from scipy.spatial.distance import pdist, squareform

    if points.ndim != 2:
        raise ValueError(f"points should be [point, axis], their shape is {points.shape}")
    return np.asarray(squareform(pdist(points)))


def neighbour_graph(points: Array, neighbours: int) -> Array:
    """1 where one of two points is among the other's nearest `neighbours`, else 0: [point, point].

    Of equally near ones the earlier counts as nearer.
    """
    if neighbours < 1:
        raise ValueError(f"neighbours should be at least 1, it is {neighbours}")
    far = np.where(np.isnan(distances := point_distances(points)), np.inf, distances)
    np.fill_diagonal(far, np.inf)
    nearest = np.argsort(far, axis=1, kind="stable")[:, :neighbours]
    linked = np.zeros_like(far)
    np.put_along_axis(linked, nearest, 1.0, axis=1)
    linked[np.isinf(far)] = 0.0
    return np.maximum(linked, linked.T)


def geodesic_distances(points: Array, neighbours: int = 2) -> Array:
    """Lengths of the shortest ways along the nearest-neighbour graph: [point, point].

    Where the graph falls into parts they are joined by the shortest links between them, those of
    the minimum spanning tree (otherwise as Tenenbaum, de Silva & Langford 2000). NaN where a point
    is missing.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree, shortest_path

    distances = point_distances(points)
    found = np.full_like(distances, np.nan)
    here = np.flatnonzero(~np.isnan(points).any(axis=1))
    if len(here) > 1:
        own = np.ix_(here, here)
        # Points that coincide are linked by next to nothing, for a stored 0 would be no link.
        # Sparse all along: a dense graph loses links below 1e-8.
        near = np.maximum(distances[own], np.finfo(float).tiny)
        np.fill_diagonal(near, 0.0)
        tree = minimum_spanning_tree(csr_array(near)).toarray() > 0.0
        linked = (neighbour_graph(points[here], neighbours) > 0.0) | tree
        found[own] = shortest_path(csr_array(np.where(linked, near, 0.0)), directed=False)
    found[here, here] = 0.0
    return found


def neighbour_order_share(points: Array) -> float:
    """Share of the points whose nearest neighbour stands next to them in the order.

    1 along a line that is sampled evenly; about 2 / points if the order means nothing. NaN for
    fewer than 3 points; missing ones are passed over.
    """
    here = points[~np.isnan(points).any(axis=1)]
    if len(here) < MIN_POINTS:
        return float("nan")
    distances = point_distances(here)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    return float(np.mean(np.abs(nearest - np.arange(len(here))) == 1))


def geodesic_correlation(points: Array, values: Array, neighbours: int = 2) -> float:
    """Correlation of ways along the points with differences of their values [point], over pairs.

    1 if the points lie on a line (straight or bent) at distances in proportion to their values.
    NaN for fewer than 3 points or where nothing varies.
    """
    here = np.flatnonzero(~np.isnan(points).any(axis=1))
    if len(here) < MIN_POINTS:
        return float("nan")
    pairs = np.triu_indices(len(here), 1)
    ways = geodesic_distances(points[here], neighbours)[pairs]
    steps = np.abs(values[here][:, None] - values[here])[pairs]
    return correlation(ways, steps)


def correlation(x: Array, y: Array) -> float:
    """Pearson's correlation of x and y [sample]; NaN below 3 samples or where one is constant."""
    if len(x) < MIN_POINTS or not (np.ptp(x) > 0.0 and np.ptp(y) > 0.0):
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def participation_ratio(points: Array) -> float:
    """Number of dimensions that points spread over: (sum of variances)^2 / sum of their squares.

    Over principal components (participation ratio; Gao et al. 2017): n if the variance is equal in
    n of them. NaN if all points are one.
    """
    weights = np.linalg.svd(points - points.mean(axis=0), compute_uv=False) ** 2
    total = np.sum(weights**2)
    return float(np.sum(weights) ** 2 / total) if total > 0.0 else float("nan")


def point_geometry_distances(
    points: Sequence[Array], labels: Sequence[str], neighbours: int | None = 2
) -> Distances:
    """Distances of arrangements of equally many points each, compared place by place.

    Two are as far apart as their nearest-neighbour graphs, or with `neighbours` None as their
    distances from point to point, both taken as vectors of length 1: half the squared chord's root,
    from 0 (the same up to rotation, reflection and, for graphs, all that keeps neighbours; the
    scale never counts) to 1 (no link, or distance, in common). Missing points have no links and no
    distances. ValueError if the numbers of points differ.
    """
    from scipy.spatial.distance import pdist, squareform

    sizes = sorted({len(part) for part in points})
    if len(sizes) > 1:
        raise ValueError(f"arrangements should be of equally many points, they are of {sizes}")
    forms = [
        np.nan_to_num(point_distances(part))
        if neighbours is None
        else neighbour_graph(part, neighbours)
        for part in points
    ]
    pairs = np.triu_indices(sizes[0] if sizes else 0, 1)
    vectors = np.array([form[pairs] for form in forms]).reshape(len(forms), -1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    known = lengths[:, 0] > 0.0
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0.0)
    values = np.minimum(squareform(pdist(units)) / np.sqrt(2.0), 1.0)
    # Of nothing at all and something, nothing is in common.
    values[known[:, None] != known] = 1.0
    return Distances(tuple(labels), values)
