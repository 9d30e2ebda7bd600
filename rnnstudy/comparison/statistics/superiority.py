"""Probability of superiority: the numbers of one group against those of another."""

from collections.abc import Hashable, Sequence

import numpy as np

from rnnstudy.comparison.statistics.permutation import (
    PermutationTestResult,
    compare_with_null,
    random_orders,
)
from rnnstudy.comparison.statistics.resampling import bootstrap_weights, percentile_interval
from rnnstudy.core.arrays import Array


def superiority_test(
    values: Array,
    above: Array,
    *,
    permutations: int = 999,
    seed: int = 0,
    strata: Sequence[Hashable] | None = None,
    bootstraps: int = 1999,
) -> PermutationTestResult:
    """Test the probability that a value of the upper group exceeds one of the lower group.

    The statistic is A of Vargha & Delaney: Mann & Whitney's U over the number of pairs, a tie
    counting half. It is 1/2 if the groups do not differ, and 1 if each upper value exceeds each
    lower one. The interval is a bootstrap over items within groups.

    Parameters
    ----------
    values : array [item]
        Values to compare; they may be infinite.
    above : array [item], bool
        True for an item of the upper group.
    permutations : int, default 999
        Permutations of membership.
    seed : int, default 0
        Seed of permutations and bootstraps.
    strata : sequence [item], optional
        Items are permuted within their stratum. Default: one stratum.
    bootstraps : int, default 1999
        Resamples of the interval.

    Returns
    -------
    PermutationTestResult
        Probability, its p and its interval.

    Raises
    ------
    ValueError
        If a group is empty, or a value is not a number.

    References
    ----------
    Vargha & Delaney (2000), A critique and improvement of the CL common language effect size
    statistics.

    Examples
    --------
    >>> superiority_test(np.array([1.0, 2.0, 3.0]), np.array([False, False, True])).statistic
    1.0
    """
    values, above = np.asarray(values, float), np.asarray(above, bool)
    if not 0 < above.sum() < len(above):
        raise ValueError(f"both groups must have items, got {above.sum()} of {len(above)} above")
    if np.isnan(values).any():
        position = np.flatnonzero(np.isnan(values))[0]
        raise ValueError(f"values must be numbers, got NaN for values[{position}]")
    exceeds = (values[:, None] > values) + 0.5 * (values[:, None] == values)
    pairs = float(above.sum() * (~above).sum())

    def probability(upper: Array, lower: Array) -> Array:
        shares: Array = ((upper @ exceeds) * lower).sum(axis=-1) / pairs
        return shares

    orders = random_orders(len(values), permutations, seed, strata)
    null = [probability(above[order].astype(float), ~above[order]) for order in orders]
    weights = bootstrap_weights(above.astype(int), bootstraps, seed)
    draws = [probability(w * above, w * ~above) for w in weights]
    interval = percentile_interval(_concatenate(draws))
    statistic = float(probability(above.astype(float), ~above))
    return compare_with_null(statistic, _concatenate(null), interval)


def _concatenate(parts: list[Array]) -> Array:
    return np.concatenate([np.zeros(0), *parts])
