"""Which of many solutions are the same point."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array

GRAIN = 0.01
"""Coordinates are compared to this share of the radius."""

WIDE = 8.0
"""Radii from one of its points beyond which a group is a piece of a continuum: even a root that is
known as badly as a fold's spreads over less than a radius."""

SPACING = 4.0
"""Radii between the samples that stand for such a group, at least."""

SAMPLES = 256
"""Largest number of them."""

CHUNK = 512
"""Balls whose neighbours are held in memory at a time."""

PAIRS = 1 << 16
"""Pairs of points whose distances are held in memory at a time."""


def merge(points: Array, speed: Array, radius: float) -> tuple[Array, Array]:
    """Groups of points [point, state] that chains of steps no longer than `radius` connect.

    Distances are root mean squares over the state, of coordinates rounded to a hundredth of the
    radius. Transitive, so that the answer does not depend on the order. A group far wider than the
    radius is no point but a piece of a continuum: it is cut into the cells around at most `SAMPLES`
    evenly spaced samples. Returns each point's group [point], counted as they appear, and each
    group's slowest point [group]. Memory is linear in the points, however densely they lie; so is
    the time, up to a logarithm, if their intrinsic dimension is small.
    """
    if not len(points):
        return np.zeros(0, int), np.zeros(0, int)
    grain = max(GRAIN * radius, np.finfo(float).tiny)
    rounded = np.rint(points / grain) + 0.0  # -0 is 0
    cells, cell = _unique_rows(rounded)
    cells *= grain * np.sqrt(1.0 / points.shape[1])  # Euclidean distances are root mean squares now
    group = _numbered(_cut(cells, _connected(cells, radius), radius)[cell])
    groups = int(group.max()) + 1
    order = np.lexsort((speed, group))
    return group, order[np.searchsorted(group[order], np.arange(groups))]


def _numbered(label: Array) -> Array:
    """Labels [point] counted in the order in which they appear."""
    _, first, group = np.unique(label, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]


def farthest_point_sample(points: Array, count: int, spacing: float = 0.0) -> tuple[Array, Array]:
    """At most so many of the points [point, state], each as far as can be from all before it.

    Farthest-point sampling from an end of the cloud (Gonzalez 1985: no such choice leaves a gap of
    less than half this one's), until no point is farther than `spacing` from the chosen. Returns
    the chosen [sample] and the nearest sample of each point [point], as a position in these.
    """
    centred = points - points.mean(axis=0)
    square = np.einsum("ps,ps->p", centred, centred)

    def distance(i: int) -> Array:
        return np.maximum(square - 2.0 * (centred @ centred[i]) + square[i], 0.0)

    chosen = [int(square.argmax())]
    least, nearest = distance(chosen[0]), np.zeros(len(points), int)
    while len(chosen) < count and least.max() > spacing**2:
        new = int(least.argmax())
        found = distance(new)
        nearest[found < least] = len(chosen)
        least = np.minimum(least, found)
        chosen.append(new)
    return np.array(chosen), nearest


def select_spaced(points: Array, others: Array, distance: float, most: int) -> Array:
    """Positions [kept] of the points [point, state], taken in order and at most so many, that are
    farther than a distance from all others [other, state] and all taken before."""
    taken, chosen = others, list[int]()
    for i, point in enumerate(points):
        if len(chosen) == most:
            break
        if (np.linalg.norm(taken - point, axis=1) > distance).all():
            chosen.append(i)
            taken = np.concatenate([taken, point[None]])
    return np.array(chosen, int)


def _unique_rows(rows: Array) -> tuple[Array, Array]:
    """Distinct rows in a fixed order and the position of each row among them."""
    keys = np.ascontiguousarray(rows).view(f"V{rows.itemsize * rows.shape[1]}")[:, 0]
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    order = np.lexsort(rows[first].T[::-1])
    return rows[first[order]], np.argsort(order)[place]


def _connected(points: Array, radius: float) -> Array:
    """The component [point] of each in the graph of pairs within the radius.

    Not by listing the pairs, of which a dense cloud has quadratically many: balls of half a radius
    cover the cloud, the points of one ball are within a radius of each other, and of two balls
    whose centres are one to two radii apart the points are compared.
    """
    # Here, because a plan is checked without solving anything and these take a while to import.
    from scipy.spatial import cKDTree

    ball, centres = _balls(points, radius, cKDTree(points))
    tree = cKDTree(points[centres])
    label: Array = np.arange(len(centres))
    for part in _chunks(label):
        label = _joined(label, _near(tree, part, radius))
    several = np.flatnonzero(np.bincount(ball) > 1)
    for part in _chunks(several):
        pairs = _near(tree, part, 2.0 * radius)
        pairs = pairs[label[pairs[:, 0]] != label[pairs[:, 1]]]
        label = _joined(label, pairs[_touching(points, ball, pairs, radius)])
    return label[ball]


def _balls(points: Array, radius: float, tree: Any) -> tuple[Array, Array]:
    """A ball of half a radius for each point [point], and the points at their centres [ball]."""
    ball = np.full(len(points), -1)
    centres: list[int] = []
    for i in range(len(points)):
        if ball[i] < 0:
            within = np.array(tree.query_ball_point(points[i], 0.5 * radius))
            ball[within[ball[within] < 0]] = len(centres)
            centres.append(i)
    return ball, np.array(centres)


def _chunks(values: Array) -> list[Array]:
    return [values[i : i + CHUNK] for i in range(0, len(values), CHUNK)]


def _near(tree: Any, some: Array, radius: float) -> Array:
    """Pairs [pair, 2] of the tree's points within the radius, the first one of `some`."""
    found = tree.query_ball_point(tree.data[some], radius)
    sizes = np.fromiter(map(len, found), int, len(found))
    pairs = np.stack([np.repeat(some, sizes), np.concatenate(found).astype(int)], axis=1)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _joined(label: Array, edges: Array) -> Array:
    """Component labels [ball] once edges [edge, 2] between balls connect components."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = label[edges]
    edges = edges[edges[:, 0] != edges[:, 1]]
    if not len(edges):
        return label
    graph = coo_array((np.ones(len(edges), bool), tuple(edges.T)), (len(label),) * 2)
    found: Array = connected_components(graph, directed=False)[1]
    return found[label]


def _touching(points: Array, ball: Array, pairs: Array, radius: float) -> Array:
    """Whether some points of two balls [pair, 2] are within the radius of each other: [pair]."""
    from scipy.spatial import cKDTree

    order = np.argsort(ball, kind="stable")
    sizes = np.bincount(ball)
    first = np.cumsum(sizes) - sizes
    found = np.zeros(len(pairs), bool)
    work = sizes[pairs].prod(axis=1)
    for i in np.flatnonzero(work > PAIRS):
        a, b = (order[first[j] : first[j] + sizes[j]] for j in pairs[i])
        near = cKDTree(points[a]).query(points[b], distance_upper_bound=radius * (1.0 + 1e-12))[0]
        found[i] = np.isfinite(near).any()
    small = np.flatnonzero(work <= PAIRS)
    for part in np.split(small, np.flatnonzero(np.diff(np.cumsum(work[small]) // PAIRS)) + 1):
        which = np.repeat(part, work[part])
        step = np.arange(len(which)) - np.repeat(np.cumsum(work[part]) - work[part], work[part])
        left, right = pairs[which].T
        a = order[first[left] + step // sizes[right]]
        b = order[first[right] + step % sizes[right]]
        close = np.linalg.norm(points[a] - points[b], axis=1) <= radius
        found[which[close]] = True
    return found


def _cut(points: Array, group: Array, radius: float) -> Array:
    """The groups [point], those far wider than the radius cut into cells around samples."""
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    groups = len(first)
    spread = np.zeros(groups)
    np.maximum.at(spread, group, np.linalg.norm(points - points[first][group], axis=1))
    cut, count = group.copy(), groups
    for wide in np.flatnonzero(spread > WIDE * radius):
        own = np.flatnonzero(group == wide)
        chosen, nearest = farthest_point_sample(points[own], SAMPLES, SPACING * radius)
        cut[own] = np.where(nearest == 0, wide, count + nearest - 1)
        count += len(chosen) - 1
    return cut
