"""Unstable directions of a fixed point, and edge tracking between directions."""

import numpy as np

from rnnstudy.core.arrays import Array

MAX_CONDITION = 1e10
"""Largest condition number of the map from final to first directions; beyond, rounding decides."""

LEAST_GAP = 1e-12
"""Distance of unit vectors below which the rounding of states decides."""

OPPOSITE = 1.99
"""Distance of unit vectors above which they are opposite, and no direction is halfway."""

QUARTERS = (0.25, 0.5, 0.75)
"""Shares of the gap at which directions are tested. Several cost no more time than one."""


def unstable_directions(
    jacobian: Array, margin: float, count: int, growth: float, generator: np.random.Generator
) -> Array:
    """Return unit vectors in the span of a point's unstable directions, `[direction, state]`.

    Parameters
    ----------
    jacobian
        dF/dh at the point, `[state, state]`.
    margin
        Distance from 1 within which the modulus of an eigenvalue is neutral.
    count
        Number of vectors for several unstable directions. One unstable direction has two vectors.
    growth
        Growth of the slowest unstable mode until the last vector is uniformly distributed. The
        first is uniform at once, the others at times between.
    generator
        Random numbers.
    """
    # Imported late: a plan is checked without it and it takes a while to import.
    from scipy.linalg import schur

    triangular, basis, unstable = schur(
        jacobian, output="real", sort=lambda re, im: np.hypot(re, im) > 1.0 + margin
    )
    span = basis[:, :unstable].T
    if unstable < 2:
        return np.concatenate([span, -span])
    weights = generator.standard_normal((count, unstable))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    block = triangular[:unstable, :unstable]
    slowest, fastest = np.sort(np.abs(np.linalg.eigvals(block)))[[0, -1]]
    times = np.linspace(0, _latest_time(slowest, fastest, growth), count).astype(int)
    back = np.array([np.linalg.inv(np.linalg.matrix_power(block / slowest, n)) for n in times])
    directions: Array = np.einsum("wij,wj->wi", back, weights) @ span
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions


def _latest_time(slowest: float, fastest: float, growth: float) -> int:
    """Return the number of steps in which the slowest of expanding modes grows so much.

    They are fewer where the condition number of the map would be too large.
    """
    steps, log_ratio = int(np.log(growth) / np.log(slowest)), np.log(fastest / slowest)
    limit = np.log(MAX_CONDITION)
    return int(limit / log_ratio) if steps * log_ratio > limit else steps


def edge_tracking_directions(directions: Array, ends: Array, most: int | None = None) -> Array:
    """Return directions between neighbours that have different ends, at each quarter of the gap.

    A direction between two ends leads to neither, and directions beside it follow where it leads.
    Repeated division of the gap converges to it (edge tracking). Neighbours are the nearest of
    their ends to each other, and no third direction is nearer to both (relative neighbourhood
    graph).

    Parameters
    ----------
    directions
        Unit vectors, `[direction, state]`.
    ends
        End of each direction, `[direction]`.
    most
        Largest number of directions that are returned. The narrowest gaps come first. Default: all.

    Returns
    -------
    array
        Unit vectors, `[direction, state]`.

    References
    ----------
    Skufca, Yorke & Eckhardt (2006), Edge of chaos in a parallel shear flow. Physical Review
    Letters 96.
    Toussaint (1980), The relative neighbourhood graph of a finite planar set. Pattern Recognition
    12.
    """
    # Imported late: a plan is checked without it and it takes a while to import.
    from scipy.spatial.distance import cdist

    distance, (labels, label) = cdist(directions, directions), np.unique(ends, return_inverse=True)
    row, own_label = np.arange(len(directions))[:, None], label[:, None]
    to_label = [np.where(label == k, distance, np.inf).argmin(axis=1) for k in range(len(labels))]
    nearest = np.stack(to_label, axis=1)
    mutual = (nearest[nearest, own_label] == row) & (row < nearest)
    first, column = np.nonzero(mutual & (own_label != np.arange(len(labels))))
    second = nearest[first, column]
    gap = distance[first, second]
    third = (np.maximum(distance[first], distance[second]) < gap[:, None]).any(axis=1)
    divisible = ~third & (gap > LEAST_GAP) & (gap < OPPOSITE)
    first, second, gap = first[divisible], second[divisible], gap[divisible]
    if most is not None and most < len(QUARTERS) * len(gap):
        narrowest = np.sort(np.argsort(gap, kind="stable")[: most // len(QUARTERS)])
        first, second = first[narrowest], second[narrowest]
    one, other = directions[first], directions[second]
    between = np.concatenate([(1.0 - part) * one + part * other for part in QUARTERS])
    unit: Array = between / np.linalg.norm(between, axis=1, keepdims=True)
    return unit
