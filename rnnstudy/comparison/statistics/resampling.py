"""Intervals over networks: the jackknife for means of scores, the bootstrap for ratios."""

from collections.abc import Iterator
from math import nan, sqrt

import numpy as np

from rnnstudy.comparison.statistics.permutation import PERMUTATION_CHUNK, quantiles
from rnnstudy.core.arrays import Array

CONFIDENCE_LEVEL = 0.95


def jackknife(left_out: Array, codes: Array) -> tuple[float, int]:
    """Standard error of a statistic and its degrees of freedom, from its values without each one of
    the networks [item], whose groups are fixed by design: codes [item].

    Jackknife of a stratified sample (Jones 1974). It counts that a network matters twice, by its
    own score and as a neighbour of others, which resampling the scores would not. Degrees of
    freedom: networks less groups. A group of one says nothing of its spread.
    """
    variance, freedom, networks = 0.0, 0, len(codes)
    for group in np.unique(codes):
        values = left_out[codes == group]
        size = len(values)
        if size > 1:
            # Without one network its group weighs less in a mean than the design gives it.
            moved = size / networks * (networks - 1) / (size - 1) * (values - values.mean())
            variance += (size - 1) / size * float((moved**2).sum())
            freedom += size - 1
    return sqrt(variance), freedom


def t_interval(statistic: float, error: float, freedom: int) -> tuple[float, float]:
    """The 95 % interval of a statistic with a standard error; NaN without degrees of freedom."""
    from scipy.stats import t

    half = error * float(t.ppf((1 + CONFIDENCE_LEVEL) / 2, freedom)) if freedom > 0 else nan
    return statistic - half, statistic + half


def two_sided_p(statistic: float, error: float, freedom: int) -> float:
    """p of Student's t for a statistic that should be 0; NaN without degrees of freedom."""
    from scipy.stats import t

    if freedom <= 0:
        return nan
    if error == 0.0:
        return 1.0 if statistic == 0.0 else 0.0
    return float(2 * t.sf(abs(statistic) / error, freedom))


def bootstrap_weights(codes: Array, count: int, seed: int) -> Iterator[Array]:
    """How often each network is drawn, [some resamples, item] at a time, `count` in all.

    Each group of codes [item] keeps its size, as in a study that fixes the number of networks per
    combination.
    """
    generator = np.random.default_rng(seed)
    members = [np.flatnonzero(codes == group) for group in np.unique(codes)]
    for start in range(0, count, PERMUTATION_CHUNK):
        weights = np.zeros((min(PERMUTATION_CHUNK, count - start), len(codes)))
        for group in members:
            even = np.full(len(group), 1.0 / len(group))
            weights[:, group] = generator.multinomial(len(group), even, size=len(weights))
        yield weights


def percentile_interval(values: Array) -> tuple[float, float]:
    """The middle 95 % of values over resamples; NaN is one that could not be computed, and where
    more than half are there is no interval."""
    known = values[~np.isnan(values)]
    if 2 * len(known) <= len(values):
        return nan, nan
    low, high = quantiles(known, [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2])
    return float(low), float(high)
