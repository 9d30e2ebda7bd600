import itertools

import numpy as np
import pytest

from rnnstudy.comparison.statistics.permutation import (
    compare_with_null,
    integer_codes,
    p_value,
    quantiles,
    random_orders,
)


def test_p_counts_the_statistic_itself():
    null = np.array([0.1, 0.5, 0.7, 0.7, 0.2, 0.3, 0.9, 0.4, 0.0])
    assert p_value(0.7, null) == (1 + 3) / 10
    assert p_value(1.0, null) == 1 / 10
    assert p_value(-1.0, null) == 1.0


def test_what_differs_by_rounding_is_equal():
    assert p_value(0.1 + 0.2, np.array([0.3, 0.2])) == 2 / 3
    assert p_value(0.3, np.array([0.1 + 0.2, 0.2])) == 2 / 3


def test_a_finding_says_what_chance_gives():
    found = compare_with_null(5.0, np.arange(101.0), (4.0, 6.0))
    assert (found.expected, found.null_low, found.null_high) == (50.0, 5.0, 95.0)
    assert (found.effect, found.low, found.high) == (-45.0, 4.0, 6.0)
    assert (found.p, found.permutations) == (97 / 102, 101)


def test_ratios_may_be_infinite():
    null = np.array([1.0, np.inf, 2.0, np.inf, 3.0])
    assert p_value(np.inf, null) == 3 / 6
    assert p_value(2.0, null) == 5 / 6
    assert quantiles(null, [0.0, 0.5, 0.6, 1.0]).tolist() == [1.0, 3.0, 3.0, np.inf]
    found = compare_with_null(np.inf, null, (1.0, np.inf))
    assert (found.statistic, found.null_high, found.high) == (np.inf, np.inf, np.inf)


def test_without_permutations_there_is_no_chance():
    found = compare_with_null(5.0, np.zeros(0), (4.0, 6.0))
    assert found.p == 1.0
    assert np.isnan([found.expected, found.null_low, found.null_high]).all()


def test_every_order_is_equally_frequent():
    counts = dict.fromkeys(itertools.permutations(range(4)), 0)
    for order in np.concatenate(list(random_orders(4, 24_000, seed=1))):
        counts[tuple(order)] += 1
    # A thousand each: Poisson with a standard deviation of 31.
    assert max(abs(count - 1000) for count in counts.values()) < 4 * 31


def test_items_stay_in_their_stratum():
    strata = ["b", "a", "b", "c", "a", "b", "a"]
    orders = np.concatenate(list(random_orders(7, 600, seed=0, strata=strata)))
    codes = integer_codes(strata)
    assert (codes[orders] == codes).all()
    assert np.array_equal(np.sort(orders, axis=1), np.tile(np.arange(7), (600, 1)))
    assert {tuple(order) for order in orders[:, [0, 2, 5]]} == set(
        itertools.permutations((0, 2, 5))
    )
    assert {tuple(order) for order in orders[:, [1, 4, 6]]} == set(
        itertools.permutations((1, 4, 6))
    )
    assert (orders[:, 3] == 3).all()
    for items in ((0, 2, 5), (1, 4, 6)):
        seen = {tuple(order) for order in orders[:, list(items)]}
        assert seen == set(itertools.permutations(items))


def test_so_many_permutations_as_asked_for_and_the_same_from_a_seed():
    first = np.concatenate(list(random_orders(5, 100, seed=3)))
    assert first.shape == (100, 5)
    assert np.array_equal(first, np.concatenate(list(random_orders(5, 100, seed=3))))
    assert not np.array_equal(first, np.concatenate(list(random_orders(5, 100, seed=4))))
    assert list(random_orders(5, 0, seed=3)) == []


def test_strata_of_other_items_are_refused():
    with pytest.raises(ValueError, match="one for each of 3 items, got 2"):
        next(random_orders(3, 1, seed=0, strata=list("ab")))


def test_labels_are_numbered_as_they_appear():
    assert integer_codes(["relu", ("a", 1), "relu", 3]).tolist() == [0, 1, 0, 2]
