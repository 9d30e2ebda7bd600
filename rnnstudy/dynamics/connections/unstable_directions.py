"""Ways out of an unstable point: directions in the span of its unstable ones, and those between."""

import numpy as np

from rnnstudy.core.arrays import Array

SKEW = 1e10
"""Condition of the map from final to first directions, at most; beyond, rounding would decide."""

CLOSE = 1e-12
"""Distance of unit vectors below which rounding of states would decide."""

QUARTERS = (0.25, 0.5, 0.75)
"""Where ways between two are tried: several at once, since to follow them takes equally long."""


def ways_out(
    jacobian: Array, margin: float, count: int, growth: float, generator: np.random.Generator
) -> Array:
    """Unit vectors [way, state] in the span of the unstable directions; of several, each of those
    that are spread evenly at some time before the slowest has grown so much."""
    # Here, because a plan is checked without it and it takes a while to import.
    from scipy.linalg import schur

    moved, basis, unstable = schur(
        jacobian, output="real", sort=lambda re, im: np.hypot(re, im) > 1.0 + margin
    )
    span = basis[:, :unstable].T
    if unstable < 2:
        return np.concatenate([span, -span])
    weights = generator.standard_normal((count, unstable))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    block = moved[:unstable, :unstable]
    slowest, fastest = np.sort(np.abs(np.linalg.eigvals(block)))[[0, -1]]
    times = np.linspace(0, _longest(slowest, fastest, growth), count).astype(int)
    back = np.array([np.linalg.inv(np.linalg.matrix_power(block / slowest, n)) for n in times])
    ways = np.einsum("wij,wj->wi", back, weights) @ span
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    return ways


def _longest(slowest: float, fastest: float, growth: float) -> int:
    """Steps of an expanding linear map, with moduli from slowest to fastest, in which its slowest
    mode grows so much; fewer if their condition would be too large."""
    steps, apart = int(np.log(growth) / np.log(slowest)), np.log(fastest / slowest)
    return int(np.log(SKEW) / apart) if steps * apart > np.log(SKEW) else steps


def between(ways: Array, ends: Array) -> Array:
    """Ways between neighbours that have different ends, at each quarter: [way, state], for unit
    vectors [way, state] that lead to ends [way].

    Between them lies a way that leads to neither, and beside it others that follow where that
    leads: to part the distance again and again is to find them (edge tracking; Skufca, Yorke &
    Eckhardt 2006). Neighbours are each other's nearest of their ends, with no third way nearer to
    both (relative neighbourhood graph; Toussaint 1980).
    """
    # Here, because a plan is checked without it and it takes a while to import.
    from scipy.spatial.distance import cdist

    apart, (kinds, kind) = cdist(ways, ways), np.unique(ends, return_inverse=True)
    here, own = np.arange(len(ways))[:, None], kind[:, None]
    to_kind = [np.where(kind == k, apart, np.inf).argmin(axis=1) for k in range(len(kinds))]
    nearest = np.stack(to_kind, axis=1)
    pairs = (nearest[nearest, own] == here) & (here < nearest)
    first, which = np.nonzero(pairs & (own != np.arange(len(kinds))))
    second = nearest[first, which]
    gap = apart[first, second]
    third = (np.maximum(apart[first], apart[second]) < gap[:, None]).any(axis=1)
    # Of opposite ways none lies halfway.
    kept = ~third & (gap > CLOSE) & (gap < 1.99)
    one, other = ways[first[kept]], ways[second[kept]]
    found = np.concatenate([(1.0 - part) * one + part * other for part in QUARTERS])
    return found / np.linalg.norm(found, axis=1, keepdims=True)
