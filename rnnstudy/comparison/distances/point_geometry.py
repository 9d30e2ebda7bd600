"""Geometry of ordered points: neighbours, geodesics, and distances between arrangements.

Points [point, axis] have an order (that of the inputs they belong to). A point with a NaN
coordinate is missing: it keeps its position in the order and has no neighbours.
"""

from collections.abc import Sequence

import numpy as np

from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arguments import as_float_array, check_whole
from rnnstudy.core.arrays import Array

MIN_POINTS = 3
"""Number of points below which their order means nothing."""


def point_distances(points: Array) -> Array:
    """Return Euclidean distances [point, point], NaN where a point is missing."""
    from scipy.spatial.distance import pdist, squareform

    points = _as_points(points)
    return np.asarray(squareform(pdist(points)))


def _as_points(points: Array) -> Array:
    """Return points [point, axis] as numbers; ValueError for other axes and infinite numbers."""
    values = as_float_array("points", points, finite=False)
    if values.ndim != 2:
        raise ValueError(f"points must be [point, axis], got shape {values.shape}. Pass one array.")
    if np.isinf(values).any():
        raise ValueError("points must be finite, got infinite ones. Mark missing points by NaN.")
    return values


def neighbour_graph(points: Array, neighbours: int) -> Array:
    """Return 1 where a point is among the other's nearest `neighbours`, else 0: [point, point].

    Of equally near points the earlier counts as nearer.
    """
    check_whole("neighbours", neighbours, least=1)
    far = np.where(np.isnan(distances := point_distances(points)), np.inf, distances)
    np.fill_diagonal(far, np.inf)
    nearest = np.argsort(far, axis=1, kind="stable")[:, :neighbours]
    linked = np.zeros_like(far)
    np.put_along_axis(linked, nearest, 1.0, axis=1)
    linked[np.isinf(far)] = 0.0
    return np.maximum(linked, linked.T)


def geodesic_distances(points: Array, neighbours: int = 2) -> Array:
    """Compute lengths of the shortest paths along the nearest-neighbour graph.

    Parts of the graph are joined by the shortest links between them: those of the minimum spanning
    tree.

    Parameters
    ----------
    points : array [point, axis]
        Ordered points; a row with NaN is missing.
    neighbours : int, default 2
        Nearest neighbours that are linked.

    Returns
    -------
    array [point, point]
        Lengths in the unit of the points, NaN where a point is missing.

    References
    ----------
    Tenenbaum, de Silva & Langford (2000), A global geometric framework for nonlinear
    dimensionality reduction.

    Examples
    --------
    >>> corner = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> geodesic_distances(corner, neighbours=1)[0, 2]
    np.float64(2.0)
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree, shortest_path

    check_whole("neighbours", neighbours, least=1)
    points = _as_points(points)
    distances = point_distances(points)
    lengths = np.full_like(distances, np.nan)
    present = np.flatnonzero(~np.isnan(points).any(axis=1))
    if len(present) > 1:
        pairs = np.ix_(present, present)
        # Coinciding points get the smallest length, for a stored 0 would be no link.
        # Sparse all along: a dense graph loses links below 1e-8.
        near = np.maximum(distances[pairs], np.finfo(float).tiny)
        np.fill_diagonal(near, 0.0)
        tree = minimum_spanning_tree(csr_array(near)).toarray() > 0.0
        linked = (neighbour_graph(points[present], neighbours) > 0.0) | tree
        lengths[pairs] = shortest_path(csr_array(np.where(linked, near, 0.0)), directed=False)
    lengths[present, present] = 0.0
    return lengths


def neighbour_order_share(points: Array) -> float:
    """Return the share of points whose nearest neighbour is next in the order.

    It is 1 along a line that is sampled evenly, and about 2 / points if the order means nothing.
    Missing points are skipped. It is NaN below `MIN_POINTS` points.
    """
    present = points[~np.isnan(points).any(axis=1)]
    if len(present) < MIN_POINTS:
        return float("nan")
    distances = point_distances(present)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    return float(np.mean(np.abs(nearest - np.arange(len(present))) == 1))


def geodesic_correlation(points: Array, values: Array, neighbours: int = 2) -> float:
    """Return the correlation, over pairs, of geodesics with differences of values [point].

    It is 1 if the points lie on a line (straight or bent) at distances in proportion to their
    values. It is NaN below `MIN_POINTS` points, or where nothing varies.
    """
    present = np.flatnonzero(~np.isnan(points).any(axis=1))
    if len(present) < MIN_POINTS:
        return float("nan")
    pairs = np.triu_indices(len(present), 1)
    lengths = geodesic_distances(points[present], neighbours)[pairs]
    differences = np.abs(values[present][:, None] - values[present])[pairs]
    return correlation(lengths, differences)


def correlation(x: Array, y: Array) -> float:
    """Return Pearson's correlation of x and y [sample].

    It is NaN below `MIN_POINTS` samples, or where one of them is constant.
    """
    if len(x) < MIN_POINTS or not (np.ptp(x) > 0.0 and np.ptp(y) > 0.0):
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def participation_ratio(points: Array) -> float:
    """Return the number of dimensions that points [point, axis] spread over (Gao et al. 2017).

    It is (sum of variances)^2 / sum of their squares over principal components: n if the variance
    is equal in n of them. It is NaN if all points are one.
    """
    weights = np.linalg.svd(points - points.mean(axis=0), compute_uv=False) ** 2
    total = np.sum(weights**2)
    return float(np.sum(weights) ** 2 / total) if total > 0.0 else float("nan")


def point_geometry_distances(
    points: Sequence[Array], labels: Sequence[str], neighbours: int | None = 2
) -> Distances:
    """Compute distances of arrangements of equally many points, compared point by point.

    An arrangement is the vector of its links, or of its distances from point to point, at length 1.
    The distance is the chord of two vectors over root 2. It is 0 for arrangements that are the same
    up to rotation, reflection and scale. It is 1 if they have no link, or distance, in common.
    Missing points have no links and no distances.

    Parameters
    ----------
    points : sequence of arrays [point, axis]
        Ordered points of each network. Numbers of axes may differ.
    labels : sequence of str
        Names of the networks.
    neighbours : int or None, default 2
        Nearest neighbours that are linked; None compares distances.

    Returns
    -------
    Distances
        Distances from 0 to 1.

    Raises
    ------
    ValueError
        If the numbers of points differ.

    Examples
    --------
    >>> line = np.linspace(0.0, 1.0, 5)[:, None]
    >>> point_geometry_distances([line, 3.0 * line], ["a", "b"]).values[0, 1]
    np.float64(0.0)
    """
    from scipy.spatial.distance import pdist, squareform

    points = [_as_points(part) for part in points]
    sizes = sorted({len(part) for part in points})
    if len(sizes) > 1:
        raise ValueError(
            f"arrangements must be of equally many points, got {sizes}. Mark missing points by NaN."
        )
    forms = [
        np.nan_to_num(point_distances(part))
        if neighbours is None
        else neighbour_graph(part, neighbours)
        for part in points
    ]
    pairs = np.triu_indices(sizes[0] if sizes else 0, 1)
    vectors = np.array([form[pairs] for form in forms]).reshape(len(forms), -1)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    is_empty = lengths[:, 0] == 0.0
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0.0)
    values = np.minimum(squareform(pdist(units)) / np.sqrt(2.0), 1.0)
    # An empty arrangement has nothing in common with one that is not.
    values[is_empty[:, None] != is_empty] = 1.0
    return Distances(tuple(labels), values)
