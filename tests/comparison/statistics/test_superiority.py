"""Probability of superiority against SciPy's U test, loops, and its level under shuffling."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import binom, mannwhitneyu, norm

from rnnstudy.comparison.statistics.superiority import superiority, superiority_test


def test_it_is_mann_whitneys_u_over_the_pairs() -> None:
    generator = np.random.default_rng(0)
    values, above = generator.integers(0, 6, 30).astype(float), generator.random(30) < 0.4
    found = superiority_test(values, above, permutations=1999)
    test = mannwhitneyu(values[above], values[~above], alternative="greater")
    assert found.statistic == pytest.approx(test.statistic / (above.sum() * (~above).sum()))
    # Two estimates of one p: the standard error of 1999 permutations is at most 0.011.
    assert found.p == pytest.approx(test.pvalue, abs=0.04)
    assert found.expected == pytest.approx(0.5, abs=0.02)
    assert found.low < found.statistic < found.high


def test_p_is_that_of_all_labellings() -> None:
    values, above = np.array([1.0, 2.0, 3.0, 5.0, 4.0, 6.0]), np.arange(6) >= 3

    def share(mask: np.ndarray) -> float:
        return float(np.mean([x > y for x in values[mask] for y in values[~mask]]))

    all_of_them = [share(above[list(order)]) for order in permutations(range(6))]
    exact = np.mean(np.array(all_of_them) >= share(above) - 1e-9)
    found = superiority_test(values, above, permutations=4999)
    # The standard error at p = 0.05 is 0.003.
    assert found.p == pytest.approx(exact, abs=0.012)


def test_groups_apart_are_1_and_infinite_values_are_the_largest() -> None:
    found = superiority_test(np.array([1.0, 2.0, np.inf, 3.0, np.inf]), np.arange(5) >= 2)
    assert found.statistic == 1.0
    assert superiority_test(np.array([np.inf, np.inf]), np.array([True, False])).statistic == 0.5


def test_a_stratum_that_explains_the_difference_leaves_none() -> None:
    """Only strata differ; the upper group has more of the large one."""
    strata = np.repeat([0, 1], 20)
    above = np.r_[np.arange(20) < 4, np.arange(20) < 16]
    values = 10.0 * strata
    assert superiority_test(values, above).p < 0.01
    within = superiority_test(values, above, strata=strata.tolist())
    assert within.statistic == 0.5
    assert within.p == 1.0


def test_its_level_holds_where_labels_mean_nothing() -> None:
    generator, studies = np.random.default_rng(2), 300
    above = np.arange(16) < 4
    small = sum(
        superiority_test(generator.integers(0, 4, 16), above, permutations=199, seed=i).p <= 0.05
        for i in range(studies)
    )
    assert small <= binom.ppf(0.999, studies, 0.05)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="both groups must have items, got"):
        superiority_test(np.ones(3), np.ones(3, bool))
    with pytest.raises(ValueError, match=r"got NaN for values\[1\]"):
        superiority_test(np.array([1.0, np.nan]), np.array([True, False]))


def test_strata_are_averaged_by_their_sizes() -> None:
    generator = np.random.default_rng(4)
    strata = np.repeat(["a", "b", "c"], [9, 14, 4])
    values, above = generator.integers(0, 9, 27).astype(float), generator.random(27) < 0.5
    above[-4:] = True  # the last stratum has one group only
    effects, weights = [], []
    for name in "ab":
        upper, lower = (values[(strata == name) & mask] for mask in (above, ~above))
        effects.append(mannwhitneyu(upper, lower).statistic / (len(upper) * len(lower)))
        weights.append(len(upper) * len(lower) / (len(upper) + len(lower)))
    found = superiority(values, above, strata.tolist())
    assert found.effect == pytest.approx(np.average(effects, weights=weights))
    assert np.isnan(superiority(values, above, np.arange(27).tolist()).effect)


@pytest.mark.parametrize(("m", "n", "effect"), [(6, 6, 36), (4, 9, 20), (12, 36, 0)])
def test_the_interval_solves_newcombes_equation(m: int, n: int, effect: int) -> None:
    """Method 5, written out with Hanley and McNeil's two probabilities."""
    above = np.repeat([True, False], [m, n])
    values = np.r_[np.zeros(m), np.ones(n)]
    if effect:
        values = np.r_[np.full(m, 2.0), np.where(np.arange(n) * m < effect, 1.0, 3.0)]
    found = superiority(values, above)
    assert found.effect == pytest.approx(effect / (m * n))
    both = (m + n) / 2
    for end in {found.low, found.high} - {0.0, 1.0}:
        first, second = end / (2 - end), 2 * end**2 / (1 + end)
        variance = end * (1 - end) + (both - 1) * (first + second - 2 * end**2)
        error = np.sqrt(variance / (m * n))
        assert abs(end - found.effect) == pytest.approx(norm.ppf(0.975) * error, rel=1e-5)
    assert found.high - found.low > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 1.0, 2.2])
def test_the_interval_covers_at_its_level(shift: float) -> None:
    """12 networks of a cell against 36, in two strata with different means."""
    generator, studies = np.random.default_rng(1), 2000
    above = np.tile(np.arange(24) < 6, 2)
    strata = np.repeat([0, 1], 24)
    true, covered = norm.cdf(shift / np.sqrt(2)), 0
    for _ in range(studies):
        values = generator.standard_normal(48) + shift * above + 5.0 * strata
        found = superiority(values, above, strata.tolist())
        covered += found.low <= true <= found.high
    # Newcombe's method 5 is close to its level, and rather above it for large effects.
    assert covered / studies >= 0.94
