"""Clustering of points: single linkage, farthest-point samples, minimal spacing."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array

GRAIN = 0.01
"""Grid to which coordinates are rounded, as a share of the radius."""

MAX_EXTENT = 8.0
"""Radii from one of its points beyond which a group is a piece of a continuum. A root at a fold,
which is known least well, spreads over less than a radius."""

PIECE_SPACING = 4.0
"""Least distance between the samples of such a group, in radii."""

MAX_PIECES = 256
"""Largest number of these samples."""

CHUNK_BALLS = 512
"""Number of balls whose neighbours are in memory at a time."""

CHUNK_PAIRS = 1 << 16
"""Number of pairs of points whose distances are in memory at a time."""


def merge(points: Array, speed: Array, radius: float) -> tuple[Array, Array]:
    """Return groups of points `[point, state]` connected by steps no longer than `radius`.

    Distances are root mean squares over the state, of coordinates rounded to a hundredth of the
    radius. The groups do not depend on the order of the points. A group far wider than the radius
    is a piece of a continuum. It is cut into the cells around evenly spaced samples. Memory is
    linear in the points. So is the time, up to a logarithm, if the points' dimension is small.

    Returns each point's group `[point]`, counted as they appear, and each group's slowest point
    `[group]`.
    """
    if not len(points):
        return np.zeros(0, int), np.zeros(0, int)
    grain = max(GRAIN * radius, np.finfo(float).tiny)
    rounded = np.rint(points / grain) + 0.0  # -0 becomes 0.
    cells, cell = _unique_rows(rounded)
    # Euclidean distances become root mean squares.
    cells *= grain * np.sqrt(1.0 / points.shape[1])
    group = _count_labels(_cut(cells, _components(cells, radius), radius)[cell])
    groups = int(group.max()) + 1
    order = np.lexsort((speed, group))
    return group, order[np.searchsorted(group[order], np.arange(groups))]


def _count_labels(label: Array) -> Array:
    """Return labels `[point]` counted in the order in which they appear."""
    _, first, group = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]


def farthest_point_sample(points: Array, count: int, spacing: float = 0.0) -> tuple[Array, Array]:
    """Return at most `count` of the points `[point, state]`, each as far as can be from the others.

    Farthest-point sampling (Gonzalez 1985) starts at an end of the cloud. It ends when no point is
    farther than `spacing` from the chosen ones. Its largest gap is at most twice the optimum.

    Returns the chosen points `[sample]`, and the nearest sample of each point `[point]`.
    """
    centred = points - points.mean(axis=0)
    square = np.einsum("ps,ps->p", centred, centred)

    def distance(i: int) -> Array:
        squared: Array = np.maximum(square - 2.0 * (centred @ centred[i]) + square[i], 0.0)
        return squared

    chosen = [int(square.argmax())]
    least, nearest = distance(chosen[0]), np.zeros(len(points), int)
    while len(chosen) < count and least.max() > spacing**2:
        new = int(least.argmax())
        to_new = distance(new)
        nearest[to_new < least] = len(chosen)
        least = np.minimum(least, to_new)
        chosen.append(new)
    return np.array(chosen), nearest


def select_spaced(points: Array, others: Array, distance: float, most: int) -> Array:
    """Return positions of points `[point, state]` that are farther than a distance from all others.

    others `[other, state]`. Points are chosen in order, at most `most` of them. They are as far
    from all chosen before.
    """
    selected, chosen = others, list[int]()
    for i, point in enumerate(points):
        if len(chosen) == most:
            break
        if (np.linalg.norm(selected - point, axis=1) > distance).all():
            chosen.append(i)
            selected = np.concatenate([selected, point[None]])
    return np.array(chosen, int)


def _unique_rows(rows: Array) -> tuple[Array, Array]:
    """Return distinct rows in a fixed order, and the position of each row among them."""
    keys = np.ascontiguousarray(rows).view(f"V{rows.itemsize * rows.shape[1]}")[:, 0]
    _, first, position = np.unique(keys, return_index=True, return_inverse=True)
    order = np.lexsort(rows[first].T[::-1])
    return rows[first[order]], np.argsort(order)[position]


def _components(points: Array, radius: float) -> Array:
    """Return each point's component `[point]` in the graph of pairs within the radius.

    A dense cloud has quadratically many pairs, so they are not listed. Balls of half a radius cover
    the cloud. Points of one ball are within a radius of each other. Points are compared only for
    balls whose centres are one to two radii from each other.
    """
    # SciPy takes a while to import, and a plan is checked without it.
    from scipy.spatial import cKDTree

    ball, centres = _balls(points, radius, cKDTree(points))
    tree = cKDTree(points[centres])
    label: Array = np.arange(len(centres))
    for part in _chunks(label):
        label = _connect(label, _near(tree, part, radius))
    several = np.flatnonzero(np.bincount(ball) > 1)
    for part in _chunks(several):
        pairs = _near(tree, part, 2.0 * radius)
        pairs = pairs[label[pairs[:, 0]] != label[pairs[:, 1]]]
        label = _connect(label, pairs[_touching(points, ball, pairs, radius)])
    labels: Array = label[ball]
    return labels


def _balls(points: Array, radius: float, tree: Any) -> tuple[Array, Array]:
    """Return a ball of half a radius for each point `[point]`, and the balls' centres `[ball]`."""
    ball = np.full(len(points), -1)
    centres: list[int] = []
    for i in range(len(points)):
        if ball[i] < 0:
            within = np.array(tree.query_ball_point(points[i], 0.5 * radius))
            ball[within[ball[within] < 0]] = len(centres)
            centres.append(i)
    return ball, np.array(centres)


def _chunks(values: Array) -> list[Array]:
    return [values[i : i + CHUNK_BALLS] for i in range(0, len(values), CHUNK_BALLS)]


def _near(tree: Any, some: Array, radius: float) -> Array:
    """Return pairs `[pair, 2]` of the tree's points within the radius, the first one of `some`."""
    neighbours = tree.query_ball_point(tree.data[some], radius)
    sizes = np.fromiter(map(len, neighbours), int, len(neighbours))
    pairs = np.stack([np.repeat(some, sizes), np.concatenate(neighbours).astype(int)], axis=1)
    unequal: Array = pairs[pairs[:, 0] != pairs[:, 1]]
    return unequal


def _connect(label: Array, edges: Array) -> Array:
    """Return component labels `[ball]` after edges `[edge, 2]` connect components."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = label[edges]
    edges = edges[edges[:, 0] != edges[:, 1]]
    if not len(edges):
        return label
    graph = coo_array((np.ones(len(edges), bool), tuple(edges.T)), (len(label),) * 2)
    component: Array = connected_components(graph, directed=False)[1]
    labels: Array = component[label]
    return labels


def _touching(points: Array, ball: Array, pairs: Array, radius: float) -> Array:
    """Return a mask of pairs of balls `[pair, 2]` with points within the radius of each other."""
    from scipy.spatial import cKDTree

    order = np.argsort(ball, kind="stable")
    sizes = np.bincount(ball)
    first = np.cumsum(sizes) - sizes
    mask = np.zeros(len(pairs), bool)
    work = sizes[pairs].prod(axis=1)
    for i in np.flatnonzero(work > CHUNK_PAIRS):
        a, b = (order[first[j] : first[j] + sizes[j]] for j in pairs[i])
        near = cKDTree(points[a]).query(points[b], distance_upper_bound=radius * (1.0 + 1e-12))[0]
        mask[i] = np.isfinite(near).any()
    small = np.flatnonzero(work <= CHUNK_PAIRS)
    for part in np.split(small, np.flatnonzero(np.diff(np.cumsum(work[small]) // CHUNK_PAIRS)) + 1):
        pair = np.repeat(part, work[part])
        step = np.arange(len(pair)) - np.repeat(np.cumsum(work[part]) - work[part], work[part])
        left, right = pairs[pair].T
        a = order[first[left] + step // sizes[right]]
        b = order[first[right] + step % sizes[right]]
        close = np.linalg.norm(points[a] - points[b], axis=1) <= radius
        mask[pair[close]] = True
    return mask


def _cut(points: Array, group: Array, radius: float) -> Array:
    """Return the groups `[point]`, of which wide ones are cut into cells around samples."""
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    groups = len(first)
    spread = np.zeros(groups)
    np.maximum.at(spread, group, np.linalg.norm(points - points[first][group], axis=1))
    cut, count = group.copy(), groups
    for wide in np.flatnonzero(spread > MAX_EXTENT * radius):
        members = np.flatnonzero(group == wide)
        chosen, nearest = farthest_point_sample(points[members], MAX_PIECES, PIECE_SPACING * radius)
        cut[members] = np.where(nearest == 0, wide, count + nearest - 1)
        count += len(chosen) - 1
    return cut
