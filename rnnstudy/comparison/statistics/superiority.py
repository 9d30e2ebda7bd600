"""Probability of superiority: the numbers of one group against those of another."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from rnnstudy.comparison.statistics.permutation import (
    PermutationTestResult,
    compare_with_null,
    random_orders,
)
from rnnstudy.core.arguments import as_float_array, as_mask, check_labels
from rnnstudy.core.arrays import Array

NORMAL_QUANTILE = 1.959964
"""97.5 % quantile of the normal distribution."""


@dataclass(frozen=True)
class Superiority:
    """Probability of superiority with its 95 % interval."""

    effect: float
    """Mean over strata; NaN if no stratum has both groups."""
    low: float
    """Lower end of the interval."""
    high: float
    """Upper end of the interval."""


def superiority(
    values: Array, above: Array, strata: Sequence[Hashable] | None = None
) -> Superiority:
    """Return the probability that a value of the upper group exceeds one of the lower group.

    It is A of Vargha & Delaney: Mann & Whitney's U over the number of pairs, a tie counting half.
    It is 1/2 if the groups do not differ, and 1 if each upper value exceeds each lower one. With
    strata it is the mean over those with both groups. A stratum of m and n items has the weight
    mn / (m + n). The interval is Newcombe's score interval (method 5) with the weighted variance.
    Its length is never 0, not even where A is 0 or 1.

    Parameters
    ----------
    values : array [item]
        Values to compare; they may be infinite.
    above : array [item], bool
        True for an item of the upper group.
    strata : sequence [item], optional
        Stratum of each item. Default: one stratum.

    Returns
    -------
    Superiority
        Probability and its 95 % interval.

    Raises
    ------
    ValueError
        If a group is empty, or a value is not a number.

    References
    ----------
    Vargha & Delaney (2000), A critique and improvement of the CL common language effect size
    statistics. Newcombe (2006), Confidence intervals for an effect size measure based on the
    Mann-Whitney statistic, part 2.

    Examples
    --------
    >>> found = superiority(np.arange(12.0), np.arange(12) >= 6)
    >>> found.effect, round(found.low, 2), found.high
    (1.0, 0.69, 1.0)
    """
    values, above = _check(values, above)
    groups = _group_sizes(above, strata)
    weights = _weights(groups)
    matrix = _pair_weights(above, strata)
    effect = _effects(_exceeds(values) * matrix, above[None].astype(float))[0]
    if not len(weights):
        return Superiority(nan, nan, nan)

    def distance(probability: float) -> float:
        """Return the squared distance to the effect minus that at the end of the interval."""
        variances = [_score_variance(probability, m, n) for m, n in groups]
        spread = float(np.sum(weights**2 * variances))
        return float((probability - effect) ** 2 - NORMAL_QUANTILE**2 * spread)

    return Superiority(float(effect), *_ends(distance, float(effect)))


def superiority_test(
    values: Array,
    above: Array,
    *,
    permutations: int = 999,
    seed: int = 0,
    strata: Sequence[Hashable] | None = None,
) -> PermutationTestResult:
    """Test the probability that a value of the upper group exceeds one of the lower group.

    The statistic and its interval are those of `superiority`.

    Parameters
    ----------
    values : array [item]
        Values to compare; they may be infinite.
    above : array [item], bool
        True for an item of the upper group.
    permutations : int, default 999
        Permutations of membership.
    seed : int, default 0
        Seed of permutations.
    strata : sequence [item], optional
        Items are compared and permuted within their stratum. Default: one stratum.

    Returns
    -------
    PermutationTestResult
        Probability, its p and its interval.

    Raises
    ------
    ValueError
        If a group is empty, or a value is not a number.

    Examples
    --------
    >>> superiority_test(np.array([1.0, 2.0, 3.0]), np.array([False, False, True])).statistic
    1.0
    """
    values, above = _check(values, above)
    estimate = superiority(values, above, strata)
    pairs = _exceeds(values) * _pair_weights(above, strata)
    orders = random_orders(len(values), permutations, seed, strata)
    null = [_effects(pairs, above[order].astype(float)) for order in orders]
    interval = estimate.low, estimate.high
    return compare_with_null(estimate.effect, np.concatenate([np.zeros(0), *null]), interval)


def _check(values: Array, above: Array) -> tuple[Array, Array]:
    """Return values and mask as arrays; ValueError if they cannot be compared."""
    values = as_float_array("values", values, finite=False)
    above = as_mask("above", above, values.shape[:1]) if len(values) else np.zeros(0, bool)
    if not 0 < above.sum() < len(above):
        raise ValueError(
            f"both groups must have items, got {above.sum()} of {len(above)} above. "
            "Mark the items of the upper group with True, the others with False."
        )
    if np.isnan(values).any():
        position = np.flatnonzero(np.isnan(values))[0]
        raise ValueError(
            f"values must be numbers, got NaN for values[{position}]. Leave these items out."
        )
    return values, above


def _exceeds(values: Array) -> Array:
    """Return 1 where a value exceeds another, 1/2 for a tie, [item, item]."""
    ties = values[:, None] == values
    exceeds: Array = (values[:, None] > values) + 0.5 * ties
    return exceeds


def _masks(above: Array, strata: Sequence[Hashable] | None) -> list[Array]:
    """Return the masks [item] of the strata that have both groups."""
    labels = [0] * len(above) if strata is None else list(check_labels("strata", strata))
    if len(labels) != len(above):
        raise ValueError(
            f"strata must be one for each of {len(above)} items, got {len(labels)}. Give all."
        )
    masks = [np.array([each == name for each in labels]) for name in dict.fromkeys(labels)]
    return [mask for mask in masks if 0 < above[mask].sum() < mask.sum()]


def _group_sizes(above: Array, strata: Sequence[Hashable] | None) -> list[tuple[int, int]]:
    """Return the numbers of upper and of lower items of each stratum that has both."""
    return [(int(above[mask].sum()), int((~above[mask]).sum())) for mask in _masks(above, strata)]


def _weights(groups: Sequence[tuple[int, int]]) -> Array:
    """Return the weight of each stratum; they sum to 1."""
    weights = np.array([m * n / (m + n) for m, n in groups])
    return weights / weights.sum() if len(weights) else weights


def _pair_weights(above: Array, strata: Sequence[Hashable] | None) -> Array:
    """Return the weight of each pair of items, [item, item]; 0 between strata."""
    matrix = np.zeros((len(above), len(above)))
    groups = _group_sizes(above, strata)
    for mask, (m, n), weight in zip(_masks(above, strata), groups, _weights(groups), strict=True):
        matrix[np.ix_(mask, mask)] = weight / (m * n)
    return matrix


def _effects(pairs: Array, upper: Array) -> Array:
    """Return the statistic for each choice of the upper group, [choice, item] of 0 and 1."""
    effects: Array = ((upper @ pairs) * (1.0 - upper)).sum(axis=-1)
    return effects


def _score_variance(probability: float, m: int, n: int) -> float:
    """Return the variance of A for groups of m and n items, at a probability."""
    larger = (m + n) / 2.0 - 1.0
    odds = (1.0 - probability) / (2.0 - probability) + probability / (1.0 + probability)
    return probability * (1.0 - probability) * (1.0 + larger * odds) / (m * n)


def _ends(distance: Callable[[float], float], effect: float) -> tuple[float, float]:
    """Return the two roots of the distance from an effect, at most 0 and 1."""
    from scipy.optimize import brentq

    small = 1e-9
    low = brentq(distance, 0.0, effect - small) if effect > small else 0.0
    high = brentq(distance, effect + small, 1.0) if effect < 1.0 - small else 1.0
    return float(low), float(high)
