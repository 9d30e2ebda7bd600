"""Sameness as sameness: differences of levels of a factor, and equivalence within a margin."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from rnnstudy.comparison.statistics.difference_distribution import (
    DifferenceDistribution,
    difference_distribution,
)
from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.comparison.statistics.permutation import integer_codes, p_value, random_orders
from rnnstudy.core.arguments import (
    as_distances,
    check_instance,
    check_level,
    check_number,
    check_whole,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread

SMALLEST_GROUP = 3
"""Smallest number of networks of a level in a stratum that counts."""


@dataclass(frozen=True, eq=False)
class LevelDifferences:
    """Difference of each pair of levels of a factor, in the unit of the distances.

    A difference is the mean distance between two levels minus the mean of those within. Half the
    energy distance of both levels; for distances of 0 and 1 between classes it is half the
    squared difference of their shares, summed over classes. It is NaN where no stratum has three
    networks of both levels.
    """

    pairs: tuple[tuple[str, str], ...]
    """Names of the two levels of each pair."""
    difference: Array
    """Estimate, averaged over strata of equal weight; 0 for levels that do not differ: [pair]."""
    low: Array
    """Lower end of the 95 % interval: [pair]."""
    high: Array
    """Upper end of the 95 % interval: [pair]."""
    error: Array
    """Standard error: [pair]."""
    p: Array
    """Permutation p of the null that the two levels do not differ, for each pair: [pair]."""
    networks: Array
    """Number of networks of both levels that count: [pair, 2]."""
    distributions: tuple[DifferenceDistribution | None, ...]
    """Distribution of each estimate; None for NaN."""


@dataclass(frozen=True, eq=False)
class Equivalence:
    """Result of an equivalence test over all pairs of levels."""

    verdict: Literal["alike", "different", "undecided"]
    """`alike`: every pair is within the margin.

    `different`: not alike, and a pair differs beyond chance and is not within the margin.
    `undecided`: neither.
    """
    margin: float
    p: float
    """Largest p of `p_within`: p of the null that a pair differs by the margin or more."""
    p_within: Array
    """p of two one-sided tests for each pair, times 2: [pair].

    At most alpha if the interval at 1 - alpha is within the margin.
    """
    p_different: Array
    """p of no difference for each pair, corrected over pairs (Holm): [pair]."""
    within: Array
    """Is true for a pair within the margin: [pair]."""
    different: Array
    """Is true for a pair that differs and is not within the margin: [pair]."""
    largest: int
    """Position of the pair with the largest difference."""


@one_thread()
def level_differences(
    distances: Array,
    labels: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    *,
    bound: float | None = None,
    permutations: int = 999,
    seed: int = 0,
) -> LevelDifferences:
    """Estimate the difference of each pair of levels of a factor, stratum by stratum.

    A network is never paired with itself. A bootstrap would pair copies of one network, at distance
    0, and find differences where there are none. Intervals invert the distribution of the estimate,
    see `DifferenceDistribution`. A jackknife is not used, because its variance is 0 if the networks
    of each level are equal, and too small close to that.

    Parameters
    ----------
    distances : array [item, item]
        Distances between networks.
    labels : sequence [item]
        Level of each network.
    strata : sequence [item], optional
        Stratum of each network, for example its combination of all other factors. Strata have equal
        weights. Default: one stratum.
    bound : float, optional
        Distance of an unseen network from all others; 1 for classes. It keeps intervals from
        vanishing where all networks are equal. Default: the largest of the distances.
    permutations : int, default 999
        Permutations of the two labels of a pair within strata.
    seed : int, default 0
        Seed of the permutations.

    Returns
    -------
    LevelDifferences
        Estimates, intervals and p of each pair of levels, in order of first appearance.

    Raises
    ------
    ValueError
        If there is a single level, lengths differ, or a distance is not finite.

    References
    ----------
    Székely & Rizzo (2013), Energy statistics: a class of statistics based on distances.
    Agresti & Coull (1998), Approximate is better than "exact" for interval estimation of binomial
    proportions: pseudo-observations where a variance would be 0.

    Examples
    --------
    >>> points = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])
    >>> distances = np.abs(points[:, None] - points)
    >>> found = level_differences(distances, ["gru"] * 3 + ["lstm"] * 3)
    >>> found.pairs, round(float(found.difference[0]), 3)
    ((('gru', 'lstm'),), 8.667)
    """
    values = _check_distances(distances, labels, strata)
    check_whole("permutations", permutations)
    codes = integer_codes(labels)
    names = [str(label) for label in dict.fromkeys(labels)]
    layers = np.zeros(len(codes), int) if strata is None else integer_codes(strata, "strata")
    far = distance_of_unseen(values, bound)
    pairs = tuple(combinations(range(len(names)), 2))
    rows = [_pair(values, codes, layers, pair, far, permutations, seed) for pair in pairs]
    distributions = tuple(distribution for distribution, _, _ in rows)
    intervals = [d.interval() if d else (np.nan, np.nan) for d in distributions]
    return LevelDifferences(
        pairs=tuple((names[a], names[b]) for a, b in pairs),
        difference=np.array([d.difference if d else np.nan for d in distributions]),
        low=np.array([low for low, _ in intervals]),
        high=np.array([high for _, high in intervals]),
        error=np.array([d.error if d else np.nan for d in distributions]),
        p=np.array([p for _, p, _ in rows]),
        networks=np.array([sizes for _, _, sizes in rows]),
        distributions=distributions,
    )


def equivalence_test(
    differences: LevelDifferences, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Test that all levels of a factor are alike within a margin, by two one-sided tests each.

    All pairs must be within the margin, so that the test keeps its level without a correction
    (intersection-union). p of one-sided tests is doubled: a pair is within the margin if its 95 %
    interval is. At the whole level, estimated variances would call too many studies alike.

    A difference that is detected but within the margin is `alike`. A pair is different if three
    things hold: its corrected p is small, its interval is above 0, and it is not within the margin.

    Parameters
    ----------
    differences : LevelDifferences
        Result of `level_differences`.
    margin : float
        Largest difference that counts as alike, in the unit of the distances.
    alpha : float, default 0.05
        Level of the tests.

    Returns
    -------
    Equivalence
        Verdict, with p of each pair.

    Raises
    ------
    ValueError
        If the margin is not a finite number above 0, or the level is not between 0 and 1.

    References
    ----------
    Schuirmann (1987), A comparison of the two one-sided tests procedure and the power approach.
    Berger (1982), Multiparameter hypothesis testing and acceptance sampling.

    Examples
    --------
    >>> equal = np.zeros((40, 40))
    >>> found = level_differences(equal, ["gru"] * 20 + ["lstm"] * 20, bound=1.0)
    >>> equivalence_test(found, margin=0.1).verdict
    'alike'
    """
    check_instance("differences", differences, LevelDifferences, "Use level_differences.")
    check_number("margin", margin, above=0.0, remedy="Give the largest equal difference.")
    check_level("alpha", alpha)
    within_p = np.array([_outside_p(d, margin) for d in differences.distributions])
    different_p = holm(differences.p)
    within = within_p <= alpha
    different = (different_p <= alpha) & (differences.low > 0.0) & ~within
    verdict: Literal["alike", "different", "undecided"] = "undecided"
    if within.all():
        verdict = "alike"
    elif different.any():
        verdict = "different"
    known = np.where(np.isnan(differences.difference), -np.inf, differences.difference)
    return Equivalence(
        verdict=verdict,
        margin=margin,
        p=float(within_p.max()),
        p_within=within_p,
        p_different=different_p,
        within=within,
        different=different,
        largest=int(np.argmax(known)),
    )


def _outside_p(distribution: DifferenceDistribution | None, margin: float) -> float:
    """Return p of the null that a pair differs by the margin or more; NaN without networks."""
    if distribution is None:
        return float("nan")
    estimate = distribution.difference
    above = distribution.cdf(estimate, margin)
    below = 1.0 - distribution.cdf(estimate, -margin)
    return min(2.0 * max(above, below), 1.0)


def _pair(
    distances: Array,
    codes: Array,
    strata: Array,
    pair: tuple[int, int],
    bound: float,
    permutations: int,
    seed: int,
) -> tuple[DifferenceDistribution | None, float, tuple[int, int]]:
    """Return the distribution of a pair's difference, its p, and its numbers of networks."""
    layers = list(_strata_of_pair(codes, strata, pair))
    if not layers:
        return None, float("nan"), (0, 0)
    blocks = [
        (distances[np.ix_(a, a)], distances[np.ix_(b, b)], distances[np.ix_(a, b)])
        for a, b in layers
    ]
    distribution = difference_distribution(blocks, bound)
    null = np.zeros(permutations)
    for number, (a, b) in enumerate(layers):
        null += _null_differences(distances, a, b, permutations, seed + number) / len(layers)
    sizes = sum(len(a) for a, _ in layers), sum(len(b) for _, b in layers)
    return distribution, p_value(distribution.difference, null), sizes


def _strata_of_pair(
    codes: Array, strata: Array, pair: tuple[int, int]
) -> Iterator[tuple[Array, Array]]:
    """Yield the positions of both levels in each stratum that has enough of both."""
    for stratum in np.unique(strata):
        a, b = (np.flatnonzero((strata == stratum) & (codes == code)) for code in pair)
        if min(len(a), len(b)) >= SMALLEST_GROUP:
            yield a, b


def _null_differences(distances: Array, a: Array, b: Array, permutations: int, seed: int) -> Array:
    """Return differences [permutation] of two levels of one stratum with permuted labels."""
    both = np.concatenate([a, b])
    among = distances[np.ix_(both, both)] * ~np.eye(len(both), dtype=bool)
    first = np.arange(len(both)) < len(a)
    differences = [np.zeros(0)]
    for orders in random_orders(len(both), permutations, seed):
        near = first[orders].astype(float)
        far = 1.0 - near
        within_a = ((near @ among) * near).sum(axis=1) / (len(a) * (len(a) - 1))
        within_b = ((far @ among) * far).sum(axis=1) / (len(b) * (len(b) - 1))
        between = ((near @ among) * far).sum(axis=1) / (len(a) * len(b))
        differences.append(between - 0.5 * (within_a + within_b))
    return np.concatenate(differences)


def _check_distances(
    distances: Array, labels: Sequence[Hashable], strata: Sequence[Hashable] | None
) -> Array:
    values = as_distances(distances)
    count = len(values)
    for name, names in (("labels", labels), ("strata", strata)):
        if names is not None and len(integer_codes(names, name)) != count:
            raise ValueError(f"{name} must be one for each of {count} items, got {len(names)}")
    if len(set(labels)) < 2:
        raise ValueError(f"labels must have at least two levels, got {len(set(labels))}")
    return values


def distance_of_unseen(distances: Array, bound: float | None) -> float:
    """Return the distance of an unseen network: the bound, or the largest of the distances."""
    if bound is None:
        return float(distances.max(initial=0.0))
    return check_number("bound", bound, least=0.0, remedy="It is 1 for classes.")
