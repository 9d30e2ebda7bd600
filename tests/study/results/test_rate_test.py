"""Exact test of equal rates, against enumeration of all tables with the observed margins."""

from itertools import product
from math import comb

import numpy as np
import pytest

from rnnstudy.study.results.rate_test import rate_test


def enumerated_p(successes: list[int], trials: list[int]) -> float:
    """Return the probability of tables that are no more probable than the observed one."""
    total = sum(successes)

    def weight(counts: tuple[int, ...]) -> int:
        return int(np.prod([comb(n, k) for n, k in zip(trials, counts, strict=True)]))

    tables = [t for t in product(*(range(n + 1) for n in trials)) if sum(t) == total]
    weights = [weight(t) for t in tables]
    unlikely = sum(w for w in weights if w <= weight(tuple(successes)))
    return unlikely / sum(weights)


@pytest.mark.parametrize(
    ("successes", "trials"),
    [([6, 0], [6, 6]), ([3, 1], [4, 5]), ([5, 5, 1], [6, 6, 6]), ([4, 4, 2, 0], [4, 4, 4, 4])],
)
def test_p_is_that_of_all_tables(successes: list[int], trials: list[int]) -> None:
    test, p = rate_test(successes, trials), enumerated_p(successes, trials)
    # Four standard errors of 9,999 random tables.
    assert test.p == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 9999) + 1e-4)


def test_equal_rates_pass_at_most_at_the_level() -> None:
    """A conditional test of counts is conservative."""
    generator = np.random.default_rng(0)
    counts = generator.binomial(8, 0.7, (300, 4))
    passed = sum(rate_test(each, [8] * 4, tables=199).p < 0.05 for each in counts)
    # 300 trials at 5 %: above 30 with a probability of 1e-4.
    assert passed <= 30


def test_rates_without_a_difference_have_p_of_1() -> None:
    assert rate_test([4, 4, 4], [4, 4, 4]).p == 1.0
    assert rate_test([0, 0], [4, 4]).p == 1.0
    assert rate_test([2], [4]).p == 1.0


def test_intervals_are_those_of_clopper_and_pearson() -> None:
    """Published: 0 of 10 has the limits 0 and 1 - 0.025^(1/10)."""
    test = rate_test([0, 10], [10, 10])
    assert test.low.tolist() == pytest.approx([0.0, 0.025**0.1])
    assert test.high.tolist() == pytest.approx([1 - 0.025**0.1, 1.0])


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"successes must be from 0 to the trials .* got \[3\] of"):
        rate_test([3], [2])
