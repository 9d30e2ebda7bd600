"""Do networks of one label lie together? Tests and intervals for labelled distances."""

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
    """How well labels [item] agree with distances [item, item], by a measure such as
    `NEAREST_NEIGHBOUR`, with its permutation test and its jackknife interval over networks.

    Labels are permuted within `strata` [item] where given: then the null is that, given the
    stratum, the label means nothing. ValueError where nothing can be compared: a single label, or
    no label that two networks share.
    """
    codes, sizes = group_codes(distances, labels)
    matrix = measure.matrix(distances)
    statistic = float(measure.permuted(matrix, codes[None], sizes).mean())
    null = [
        measure.permuted(matrix, codes[order], sizes).mean(axis=-1)
        for order in random_orders(len(codes), permutations, seed, strata)
    ]
    low, high = t_interval(statistic, *jackknife(measure.left_out(distances, codes), codes))
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
    """Mean distance between groups over mean distance within them: 1 without separation.

    The interval is a bootstrap over networks within their groups; pairs of copies of one network do
    not count, lest their zeros shrink the distances within. More as in `agreement_test`.
    """
    distances = np.asarray(distances, float)
    codes, sizes = group_codes(distances, labels)
    total, items = distances.sum(), len(codes)
    within = float((sizes * (sizes - 1)).sum())
    between = items * (items - 1) - within

    def ratios(labellings: Array) -> Array:
        sums = group_sums(distances, labellings, len(sizes))
        own = within_group_sums(sums, labellings).sum(axis=-1)
        return _ratio(total - own, between, own, within)

    null = [ratios(codes[order]) for order in random_orders(items, permutations, seed, strata)]
    resampled = _bootstrap_ratios(distances, codes, bootstrap_weights(codes, bootstraps, seed))
    return compare_with_null(
        ratios(codes[None])[0], _concatenate(null), percentile_interval(_concatenate(resampled))
    )


@dataclass(frozen=True)
class PairedTestResult:
    """How much more one set of distances says of a label than another set of the same networks."""

    statistic: float
    """First minus second."""
    low: float
    """Lower end of the 95 % interval over networks."""
    high: float
    p: float
    """Two-sided, of the null that both say equally much (jackknife, Student's t)."""
    p_chance: float
    """(1 + #{|permuted| >= |found|}) / (1 + permutations), of the null that neither says anything:
    the labels of both are permuted together."""
    permutations: int
    first: float
    second: float


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
    """A measure of two distance matrices [item, item] of the same networks, in the same order.

    A network that is left out or permuted is so in both, hence the comparison is paired.
    """
    codes, sizes = group_codes(first, labels)
    group_codes(second, labels)
    matrices = measure.matrix(first), measure.matrix(second)

    def both(labellings: Array) -> tuple[Array, Array]:
        a, b = (measure.permuted(matrix, labellings, sizes) for matrix in matrices)
        return a.mean(axis=-1), b.mean(axis=-1)

    pairs = [both(codes[order]) for order in random_orders(len(codes), permutations, seed, strata)]
    null = _concatenate([a - b for a, b in pairs])
    (a,), (b,) = both(codes[None])
    found = float(a - b)
    left_out = measure.left_out(first, codes) - measure.left_out(second, codes)
    error, freedom = jackknife(left_out, codes)
    low, high = (_clip_end(end, measure.lowest - 1.0) for end in t_interval(found, error, freedom))
    p_chance = p_value(abs(found), np.abs(null))
    p = two_sided_p(found, error, freedom)
    return PairedTestResult(found, low, high, p, p_chance, len(null), float(a), float(b))


def _clip_end(end: float, lowest: float) -> float:
    """An end of an interval, not beyond what there can be: from the lowest value, or difference of
    two, to 1 or the like above 0."""
    return float(np.clip(end, lowest, max(1.0, -lowest)))


def _bootstrap_ratios(distances: Array, codes: Array, draws: Iterator[Array]) -> list[Array]:
    """Ratios where network i stands for weights [resample, item] copies of itself."""
    home = one_hot(codes, codes.max() + 1)
    near = distances * (codes[:, None] == codes)

    def ratios(weights: Array) -> Array:
        squares = (weights**2).sum(axis=1)
        within_pairs = ((weights @ home) ** 2).sum(axis=1) - squares
        between_pairs = weights.sum(axis=1) ** 2 - squares - within_pairs
        everything, within = ((weights @ m * weights).sum(axis=1) for m in (distances, near))
        return _ratio(everything - within, between_pairs, within, within_pairs)

    return [ratios(weights) for weights in draws]


def _ratio(
    between: Array, between_pairs: Array | float, within: Array, within_pairs: Array | float
) -> Array:
    """Ratio of two means; 1 where all distances are 0, NaN where there are no pairs of a kind."""
    with np.errstate(divide="ignore", invalid="ignore"):
        far, near = between / between_pairs, within / within_pairs
        return np.where((far == 0.0) & (near == 0.0), 1.0, far / near)


def _concatenate(parts: list[Array]) -> Array:
    return np.concatenate([np.zeros(0), *parts])
