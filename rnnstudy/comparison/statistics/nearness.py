"""Is each item nearer to one kind of others than to another kind?"""

from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.statistics.resampling import jackknife, t_interval, two_sided_p
from rnnstudy.core.arrays import Array


@dataclass(frozen=True, eq=False)
class Nearness:
    """How much nearer items are to one kind than to the other, over networks."""

    statistic: float
    """Mean over items of (b - a) / (b + a), with the mean distances a to the first kind and b to
    the second: above 0 where the first is nearer, at most 1."""
    low: float
    """Lower end of the 95 % interval over networks (jackknife)."""
    high: float
    p: float
    """Two-sided, of the null that the statistic is 0 (Student's t)."""
    share: float
    """Share of items that are nearer to the first kind."""
    first: Array
    """Mean distance of each item to the first kind: [item]."""
    second: Array
    """And to the second."""


def nearness_test(
    distances: Array,
    first: Array,
    second: Array,
    networks: tuple[Array, Array],
    codes: Array,
) -> Nearness:
    """Compare distances [item, other] to two kinds of others, masks [item, other].

    networks: which network an item and an other come from, numbers below the length of codes; each
    network is left out whole, with all items that come from it. codes [network]: the group of a
    network whose size the study fixes. ValueError if an item has no other of a kind.
    """
    lost = np.flatnonzero(~first.any(axis=1) | ~second.any(axis=1))
    if len(lost):
        kind = "second" if first[lost[0]].any() else "first"
        raise ValueError(f"item {lost[0]} has no other of the {kind} kind to be compared with")
    items, others = networks
    belongs = (others[:, None] == np.arange(len(codes))).astype(float)
    own, another = (_without_each(distances, mask, belongs) for mask in (first, second))
    rows = items[:, None] != np.arange(len(codes))
    left_out = (_contrast(own, another) * rows).sum(axis=0) / rows.sum(axis=0)
    near, far = (_masked_means(distances, mask) for mask in (first, second))
    statistic = float(_contrast(near, far).mean())
    error, freedom = jackknife(left_out, codes)
    low, high = t_interval(statistic, error, freedom)
    p = two_sided_p(statistic, error, freedom)
    return Nearness(statistic, low, high, p, float((near < far).mean()), near, far)


def _masked_means(distances: Array, mask: Array) -> Array:
    found: Array = (distances * mask).sum(axis=1) / mask.sum(axis=1)
    return found


def _without_each(distances: Array, mask: Array, belongs: Array) -> Array:
    """Mean distances over a mask without the others of each network: [item, network]; where that
    leaves none, with them."""
    sums, counts = (distances * mask).sum(axis=1), mask.sum(axis=1)
    less, fewer = (distances * mask) @ belongs, mask @ belongs
    left = counts[:, None] - fewer
    kept = left > 0
    return np.where(
        kept, (sums[:, None] - less) / np.where(kept, left, 1.0), _as_column(sums / counts)
    )


def _as_column(values: Array) -> Array:
    return values[:, None]


def _contrast(near: Array, far: Array) -> Array:
    """(far - near) / (far + near), 0 where both are 0."""
    total = far + near
    return np.where(total > 0.0, (far - near) / np.where(total > 0.0, total, 1.0), 0.0)
