"""Nearness: distances of items to one kind of neighbours against another kind."""

from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.statistics.resampling import jackknife, t_interval, two_sided_p
from rnnstudy.core.arguments import as_float_array, as_mask
from rnnstudy.core.arrays import Array


@dataclass(frozen=True, eq=False)
class Nearness:
    """Contrast of the distances to two kinds of neighbours, over networks."""

    statistic: float
    """Mean over items of (b - a) / (b + a), from -1 to 1.

    a and b are the mean distances to the first and to the second kind.
    """
    low: float
    """Lower end of the 95 % interval over networks (jackknife)."""
    high: float
    """Upper end of the interval."""
    p: float
    """Two-sided p of the null that the statistic is 0 (Student's t)."""
    share: float
    """Share of items that are nearer to the first kind."""
    first: Array
    """Mean distance of each item to the first kind: [item]."""
    second: Array
    """Mean distance of each item to the second kind: [item]."""


def nearness_test(
    distances: Array,
    first: Array,
    second: Array,
    networks: tuple[Array, Array],
    codes: Array,
) -> Nearness:
    """Test if items are nearer to one kind of neighbours than to another kind.

    The jackknife leaves out each network whole, with all items and neighbours that come from it.

    Parameters
    ----------
    distances : array [item, neighbour]
        Distances of items to all neighbours.
    first, second : array [item, neighbour], bool
        Neighbours of the first and of the second kind.
    networks : (array [item], array [neighbour])
        Number of the network that an item, or a neighbour, comes from.
    codes : array [network]
        Group of a network, whose size the study fixes.

    Returns
    -------
    Nearness
        Contrast with its interval and p.

    Raises
    ------
    ValueError
        If an item has no neighbour of a kind, a distance is not finite, or shapes differ.

    Examples
    --------
    >>> distances = np.array([[1.0, 3.0], [1.0, 3.0]])
    >>> kind = np.array([[True, False], [True, False]])
    >>> origins = (np.array([0, 1]), np.array([2, 3]))
    >>> nearness_test(distances, kind, ~kind, origins, np.zeros(4, int)).statistic
    0.5
    """
    distances = as_float_array("distances", distances)
    first = as_mask("first", first, distances.shape)
    second = as_mask("second", second, distances.shape)
    _check_networks(networks, distances.shape)
    incomplete = np.flatnonzero(~first.any(axis=1) | ~second.any(axis=1))
    if len(incomplete):
        kind = "second" if first[incomplete[0]].any() else "first"
        raise ValueError(
            f"each item must have a neighbour of each kind, got item {incomplete[0]} without one "
            f"of the {kind} kind"
        )
    items, neighbours = networks
    membership = (neighbours[:, None] == np.arange(len(codes))).astype(float)
    rows = items[:, None] != np.arange(len(codes))
    means = (_without_each(distances, mask, membership) for mask in (first, second))
    sums, others = (_contrast(*means) * rows).sum(axis=0), rows.sum(axis=0)
    near, far = (_masked_means(distances, mask) for mask in (first, second))
    statistic = float(_contrast(near, far).mean())
    # Items of a single network cannot do without it, so that there is no interval.
    error, freedom = jackknife(sums / others, codes) if others.all() else (0.0, 0)
    low, high = t_interval(statistic, error, freedom)
    p = two_sided_p(statistic, error, freedom)
    return Nearness(statistic, low, high, p, float((near < far).mean()), near, far)


def _check_networks(networks: tuple[Array, Array], shape: tuple[int, ...]) -> None:
    sizes = tuple(np.size(numbers) for numbers in networks)
    if sizes != shape:
        raise ValueError(
            f"networks must be of {shape} items and neighbours, got numbers of {sizes}. Pass two "
            "arrays: one number for each item, and one for each neighbour."
        )


def _masked_means(distances: Array, mask: Array) -> Array:
    means: Array = (distances * mask).sum(axis=1) / mask.sum(axis=1)
    return means


def _without_each(distances: Array, mask: Array, membership: Array) -> Array:
    """Return mean distances without the neighbours of each network: [item, network].

    A network that has all neighbours of an item is not left out.
    """
    sums, counts = (distances * mask).sum(axis=1), mask.sum(axis=1)
    less, fewer = (distances * mask) @ membership, mask @ membership
    remaining = counts[:, None] - fewer
    means = (sums[:, None] - less) / np.where(remaining > 0, remaining, 1.0)
    chosen: Array = np.where(remaining > 0, means, (sums / counts)[:, None])
    return chosen


def _contrast(near: Array, far: Array) -> Array:
    """Return (far - near) / (far + near), 0 if both are 0."""
    total = far + near
    return np.where(total > 0.0, (far - near) / np.where(total > 0.0, total, 1.0), 0.0)
