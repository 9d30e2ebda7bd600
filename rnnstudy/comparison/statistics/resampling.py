"""Intervals over networks: the jackknife for means of scores, the bootstrap for ratios."""

from collections.abc import Iterator
from math import nan, sqrt

import numpy as np

from rnnstudy.comparison.statistics.permutation import PERMUTATION_CHUNK, quantiles
from rnnstudy.core.arguments import check_whole
from rnnstudy.core.arrays import Array

CONFIDENCE_LEVEL = 0.95


def jackknife(leave_one_out: Array, codes: Array) -> tuple[float, int]:
    """Return the standard error of a statistic and its degrees of freedom.

    leave_one_out [item]: values of the statistic without each one of the networks. codes [item]:
    groups of the networks, whose sizes the design fixes.

    Jackknife of a stratified sample (Jones 1974). A network matters by its own score and as a
    neighbour of others; resampling the scores would miss the second. Degrees of freedom: networks
    less groups. A group of one has no spread.
    """
    variance, freedom, networks = 0.0, 0, len(codes)
    for group in np.unique(codes):
        values = leave_one_out[codes == group]
        size = len(values)
        if size > 1:
            # Without one network its group weighs less in a mean than the design gives it.
            moved = size / networks * (networks - 1) / (size - 1) * (values - values.mean())
            variance += (size - 1) / size * float((moved**2).sum())
            freedom += size - 1
    return sqrt(variance), freedom


def t_interval(statistic: float, error: float, freedom: int) -> tuple[float, float]:
    """Return the 95 % interval for a standard error; NaN without degrees of freedom."""
    from scipy.stats import t

    half = error * float(t.ppf((1 + CONFIDENCE_LEVEL) / 2, freedom)) if freedom > 0 else nan
    return statistic - half, statistic + half


def two_sided_p(statistic: float, error: float, freedom: int) -> float:
    """Return p of Student's t for the null that the statistic is 0; NaN without freedom."""
    from scipy.stats import t

    if freedom <= 0:
        return nan
    if error == 0.0:
        return 1.0 if statistic == 0.0 else 0.0
    return float(2 * t.sf(abs(statistic) / error, freedom))


def bootstrap_weights(codes: Array, count: int, seed: int) -> Iterator[Array]:
    """Yield how often each network is drawn: [resample, item], some of `count` at a time.

    Each group of codes [item] keeps its size, as in a study that fixes the number of networks per
    combination.
    """
    generator = np.random.default_rng(check_whole("seed", seed))
    members = [np.flatnonzero(codes == group) for group in np.unique(codes)]
    for start in range(0, count, PERMUTATION_CHUNK):
        weights = np.zeros((min(PERMUTATION_CHUNK, count - start), len(codes)))
        for group in members:
            even = np.full(len(group), 1.0 / len(group))
            weights[:, group] = generator.multinomial(len(group), even, size=len(weights))
        yield weights


def percentile_interval(values: Array) -> tuple[float, float]:
    """Return the middle 95 % of values over resamples.

    NaN is a value that could not be computed. If more than half are NaN, there is no interval.
    """
    known = values[~np.isnan(values)]
    if 2 * len(known) <= len(values):
        return nan, nan
    low, high = quantiles(known, [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2])
    return float(low), float(high)
