"""Tests and intervals for labels on distances: do networks of one label lie together."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.statistics.permutation import (
    PermutationTestResult,
    compare_with_null,
    p_value,
    random_orders,
)
from rnnstudy.comparison.statistics.resampling import (
    bootstrap_weights,
    jackknife,
    percentile_interval,
    t_interval,
    two_sided_p,
)
from rnnstudy.comparison.statistics.separation_scores import (
    NEAREST_NEIGHBOUR,
    Labels,
    SeparationScore,
    group_codes,
    group_sums,
    one_hot,
    within_group_sums,
)
from rnnstudy.core.arguments import check_instance, check_whole
from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread


@one_thread()
def agreement_test(
    measure: SeparationScore,
    distances: Array,
    labels: Labels,
    *,
    permutations: int = 999,
    seed: int = 0,
    strata: Labels | None = None,
) -> PermutationTestResult:
    """Test the agreement of labels with distances, by the mean of a score per network.

    The interval is a jackknife over networks.

    Parameters
    ----------
    measure : SeparationScore
        Score, for example `NEAREST_NEIGHBOUR`.
    distances : array [item, item]
        Distances between networks.
    labels : sequence [item]
        Label of each network.
    permutations : int, default 999
        Permutations of the labels.
    seed : int, default 0
        Seed of the permutations.
    strata : sequence [item], optional
        Labels are permuted within strata. The null is then that the label means nothing, given the
        stratum. Default: one stratum.

    Returns
    -------
    PermutationTestResult
        Mean score, its p and its interval.

    Raises
    ------
    ValueError
        If there is a single label, or no label that two networks share.

    Examples
    --------
    >>> points = np.array([0.0, 0.1, 5.0, 5.1])
    >>> distances = np.abs(points[:, None] - points)
    >>> agreement_test(NEAREST_NEIGHBOUR, distances, ["a", "a", "b", "b"]).statistic
    1.0
    """
    _check_measure(measure)
    codes, sizes = group_codes(distances, labels)
    matrix = measure.matrix(distances)
    statistic = float(measure.permuted_scores(matrix, codes[None], sizes).mean())
    null = [
        measure.permuted_scores(matrix, codes[order], sizes).mean(axis=-1)
        for order in random_orders(len(codes), permutations, seed, strata)
    ]
    error, freedom = jackknife(measure.leave_one_out(distances, codes), codes)
    low, high = t_interval(statistic, error, freedom)
    interval = _clip_end(low, measure.lowest), _clip_end(high, measure.lowest)
    return compare_with_null(statistic, _concatenate(null), interval)


@one_thread()
def separation_test(
    distances: Array,
    labels: Labels,
    *,
    permutations: int = 999,
    seed: int = 0,
    strata: Labels | None = None,
    bootstraps: int = 1999,
) -> PermutationTestResult:
    """Test the ratio of mean distances between groups and within groups; 1 without separation.

    The interval is a bootstrap over networks within their groups. Pairs of copies of one network do
    not count: their zeros would shrink the distances within.

    Parameters
    ----------
    distances : array [item, item]
        Distances between networks.
    labels : sequence [item]
        Label of each network.
    permutations : int, default 999
        Permutations of the labels.
    seed : int, default 0
        Seed of permutations and bootstraps.
    strata : sequence [item], optional
        Labels are permuted within strata. Default: one stratum.
    bootstraps : int, default 1999
        Resamples of the interval.

    Returns
    -------
    PermutationTestResult
        Ratio, its p and its interval.

    Raises
    ------
    ValueError
        If there is a single label, or no label that two networks share.

    Examples
    --------
    >>> points = np.array([0.0, 1.0, 5.0, 6.0])
    >>> distances = np.abs(points[:, None] - points)
    >>> float(separation_test(distances, ["a", "a", "b", "b"]).statistic)
    5.0
    """
    check_whole("bootstraps", bootstraps)
    codes, sizes = group_codes(distances, labels)
    distances = np.asarray(distances, float)
    total, items = distances.sum(), len(codes)
    within_pairs = float((sizes * (sizes - 1)).sum())
    between_pairs = items * (items - 1) - within_pairs

    def ratios(labellings: Array) -> Array:
        sums = group_sums(distances, labellings, len(sizes))
        within = within_group_sums(sums, labellings).sum(axis=-1)
        return _ratio_of_means(total - within, between_pairs, within, within_pairs)

    null = [ratios(codes[order]) for order in random_orders(items, permutations, seed, strata)]
    draws = _bootstrap_ratios(distances, codes, bootstrap_weights(codes, bootstraps, seed))
    interval = percentile_interval(_concatenate(draws))
    return compare_with_null(ratios(codes[None])[0], _concatenate(null), interval)


@dataclass(frozen=True)
class PairedTestResult:
    """Difference of two agreements of labels with distances between the same networks."""

    statistic: float
    """First minus second."""
    low: float
    """Lower end of the 95 % interval over networks."""
    high: float
    """Upper end of the interval."""
    p: float
    """Two-sided p of the null that both agree equally (jackknife, Student's t)."""
    p_chance: float
    """(1 + #{|permuted| >= |statistic|}) / (1 + permutations).

    The null is that neither agrees with the label: the labels of both are permuted together.
    """
    permutations: int
    """Number of permutations."""
    first: float
    """Agreement of the first distances."""
    second: float
    """Agreement of the second distances."""


@one_thread()
def paired_test(
    first: Array,
    second: Array,
    labels: Labels,
    measure: SeparationScore = NEAREST_NEIGHBOUR,
    *,
    permutations: int = 999,
    seed: int = 0,
    strata: Labels | None = None,
) -> PairedTestResult:
    """Test the difference of a score between two matrices of distances of the same networks.

    The comparison is paired: a network is left out, or permuted, in both matrices.

    Parameters
    ----------
    first, second : array [item, item]
        Distances between the same networks, in the same order.
    labels : sequence [item]
        Label of each network.
    measure : SeparationScore, default NEAREST_NEIGHBOUR
        Score of a network.
    permutations : int, default 999
        Permutations of the labels.
    seed : int, default 0
        Seed of the permutations.
    strata : sequence [item], optional
        Labels are permuted within strata. Default: one stratum.

    Returns
    -------
    PairedTestResult
        Difference, its two p values and its interval.

    Raises
    ------
    ValueError
        If there is a single label, or no label that two networks share.

    Examples
    --------
    >>> points = np.array([0.0, 0.1, 5.0, 5.1])
    >>> distances = np.abs(points[:, None] - points)
    >>> paired_test(distances, distances, ["a", "a", "b", "b"]).statistic
    0.0
    """
    _check_measure(measure)
    codes, sizes = group_codes(first, labels)
    group_codes(second, labels)
    matrices = measure.matrix(first), measure.matrix(second)

    def both(labellings: Array) -> tuple[Array, Array]:
        a, b = (measure.permuted_scores(matrix, labellings, sizes) for matrix in matrices)
        return a.mean(axis=-1), b.mean(axis=-1)

    orders = random_orders(len(codes), permutations, seed, strata)
    pairs = [both(codes[order]) for order in orders]
    null = _concatenate([a - b for a, b in pairs])
    (a,), (b,) = both(codes[None])
    statistic = float(a - b)
    leave_one_out = measure.leave_one_out(first, codes) - measure.leave_one_out(second, codes)
    error, freedom = jackknife(leave_one_out, codes)
    ends = t_interval(statistic, error, freedom)
    low, high = (_clip_end(end, measure.lowest - 1.0) for end in ends)
    p_chance = p_value(abs(statistic), np.abs(null))
    p = two_sided_p(statistic, error, freedom)
    return PairedTestResult(statistic, low, high, p, p_chance, len(null), float(a), float(b))


def _check_measure(measure: SeparationScore) -> None:
    """Raise TypeError for a name in the place of a score."""
    remedy = "Use NEAREST_NEIGHBOUR, SILHOUETTE or CONTRAST of separation_scores."
    check_instance("measure", measure, SeparationScore, remedy)  # type: ignore[type-abstract]


def _clip_end(end: float, lowest: float) -> float:
    """Clip an end of an interval to the possible values, from the lowest to its mirror image."""
    return float(np.clip(end, lowest, max(1.0, -lowest)))


def _bootstrap_ratios(distances: Array, codes: Array, draws: Iterator[Array]) -> list[Array]:
    """Return ratios for weights [resample, item]: network i stands for that many copies."""
    membership = one_hot(codes, codes.max() + 1)
    near = distances * (codes[:, None] == codes)

    def ratios(weights: Array) -> Array:
        squares = (weights**2).sum(axis=1)
        within_pairs = ((weights @ membership) ** 2).sum(axis=1) - squares
        between_pairs = weights.sum(axis=1) ** 2 - squares - within_pairs
        total, within = ((weights @ m * weights).sum(axis=1) for m in (distances, near))
        return _ratio_of_means(total - within, between_pairs, within, within_pairs)

    return [ratios(weights) for weights in draws]


def _ratio_of_means(
    between: Array, between_pairs: Array | float, within: Array, within_pairs: Array | float
) -> Array:
    """Return the ratio of two means; 1 if all distances are 0, NaN without pairs of a kind."""
    with np.errstate(divide="ignore", invalid="ignore"):
        far, near = between / between_pairs, within / within_pairs
        return np.where((far == 0.0) & (near == 0.0), 1.0, far / near)


def _concatenate(parts: list[Array]) -> Array:
    return np.concatenate([np.zeros(0), *parts])
