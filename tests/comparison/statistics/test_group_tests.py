"""Tests of grouping keep their level where labels mean nothing, and find what was planted."""

import itertools

import numpy as np
import pytest
from reference.statistics import ratio
from scipy.spatial.distance import pdist, squareform
from scipy.stats import binom, kstest

from rnnstudy.comparison.statistics.group_tests import agreement_test, paired_test, separation_test
from rnnstudy.comparison.statistics.permutation import integer_codes
from rnnstudy.comparison.statistics.resampling import bootstrap_weights
from rnnstudy.comparison.statistics.separation_scores import CONTRAST, NEAREST_NEIGHBOUR, SILHOUETTE

MEASURES = (NEAREST_NEIGHBOUR, SILHOUETTE, CONTRAST)
TESTS = {
    measure.name: (lambda *a, m=measure, **k: agreement_test(m, *a, **k)) for measure in MEASURES
}
TESTS["separation"] = lambda *a, **k: separation_test(*a, bootstraps=0, **k)


def populations(count, shift, items=20, seed=0):
    """Distances of `count` populations of networks of four cells, two activations."""
    generator = np.random.default_rng(seed)
    cells, activations = np.arange(items) % 4, np.arange(items) // 4 % 2
    for _ in range(count):
        points = generator.standard_normal((items, 5))
        points[np.arange(items), cells] += shift
        yield squareform(pdist(points)), cells, activations


def at_most(rejected, trials, level=0.05):
    """Whether so many rejections of true nulls are within chance (1 in 1,000) of a level."""
    return rejected <= binom.ppf(0.999, trials, level)


@pytest.mark.parametrize("name", TESTS)
def test_where_labels_mean_nothing_p_is_uniform(name):
    p = [TESTS[name](d, cells, permutations=99, seed=i).p
         for i, (d, cells, _) in enumerate(populations(200, 0.0))]  # fmt: skip
    assert at_most(sum(value <= 0.05 for value in p), 200)
    # Uniform on 0.01 .. 1, so that 1/100 is the largest gap to the uniform law.
    assert kstest(np.array(p) - 0.005, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("name", TESTS)
def test_what_is_planted_is_found(name):
    found = [TESTS[name](d, cells, permutations=99) for d, cells, _ in populations(30, 3.0)]
    assert sum(each.p <= 0.05 for each in found) >= 28
    assert all(each.effect > 0 for each in found)
    assert all(each.low <= each.statistic <= each.high for each in found if name != "separation")


def test_within_strata_a_confounded_label_means_nothing():
    """Cells are one with activations but for noise; given the activation, they are nothing."""
    generator = np.random.default_rng(0)
    p, plain = [], []
    for _ in range(150):
        activations = np.repeat([0, 1], 12)
        cells = np.where(generator.random(24) < 0.9, activations, 1 - activations)
        points = generator.standard_normal((24, 4)) + 4.0 * activations[:, None]
        distances = squareform(pdist(points))
        how = {"permutations": 99, "seed": 1}
        p.append(agreement_test(CONTRAST, distances, cells, strata=activations, **how).p)
        plain.append(agreement_test(CONTRAST, distances, cells, **how).p)
    assert sum(value <= 0.05 for value in plain) > 140
    assert at_most(sum(value <= 0.05 for value in p), 150)


def test_permutations_are_those_of_the_labels():
    """Of four items in two pairs there are three ways to pair them."""
    distances = squareform([1.0, 5.0, 6.0, 7.0, 4.0, 2.0])
    labels = np.array([0, 0, 1, 1])
    ways = [ratio(distances, labels[list(order)]) for order in itertools.permutations(range(4))]
    found = separation_test(distances, labels, permutations=20_000)
    assert found.statistic == pytest.approx(ratio(distances, labels))
    # Three equally likely values of size ~1: standard error below 0.01.
    assert found.expected == pytest.approx(np.mean(ways), abs=0.03)
    assert found.p == pytest.approx(np.mean(np.array(ways) >= found.statistic - 1e-9), abs=0.02)


def test_separation_is_the_ratio_of_mean_distances():
    (distances, cells, _), = populations(1, 2.0, items=13)  # fmt: skip
    found = separation_test(distances, cells, permutations=0, bootstraps=0)
    assert found.statistic == pytest.approx(ratio(distances, cells))


def test_copies_of_a_network_do_not_shrink_the_distances_within():
    (distances, cells, _), = populations(1, 1.0, items=12)  # fmt: skip
    drawn = np.concatenate(list(bootstrap_weights(integer_codes(cells), 50, seed=5))).astype(int)
    assert (drawn > 1).any()
    ratios = [ratio(distances, cells, copies) for copies in drawn]
    found = separation_test(distances, cells, permutations=0, bootstraps=50, seed=5)
    assert (found.low, found.high) == pytest.approx(np.quantile(ratios, [0.025, 0.975]))


@pytest.mark.parametrize("shift", [0.0, 1.5])
@pytest.mark.parametrize("name", [*TESTS])
def test_intervals_hold_the_true_value(name, shift):
    """The statistic of a population of this size, as the mean over many; the interval is to hold it
    in 95 of 100 populations, and does in no fewer than chance allows (1 in 1,000)."""

    def found(d, cells, intervals):
        if name == "separation":
            return separation_test(d, cells, permutations=0, bootstraps=200 * intervals)
        return TESTS[name](d, cells, permutations=0)

    many = [found(d, c, 0).statistic for d, c, _ in populations(600, shift, seed=1)]
    tries = [found(d, c, 1) for d, c, _ in populations(120, shift, seed=2)]
    held = sum(each.low <= np.mean(many) <= each.high for each in tries)
    assert held >= binom.ppf(0.001, 120, 0.95)


def test_coinciding_networks_are_not_separated():
    found = separation_test(np.zeros((4, 4)), list("aabb"), permutations=9, bootstraps=9)
    assert (found.statistic, found.p, found.low, found.high) == (1.0, 1.0, 1.0, 1.0)


def test_without_resamples_that_have_pairs_within_there_is_no_interval():
    distances = squareform(np.arange(1.0, 4.0))
    found = separation_test(distances, list("aab"), permutations=9)
    assert found.statistic == pytest.approx(2.5)
    # Of a group of two, half of all resamples are two copies of one.
    assert np.isnan([found.low, found.high]).all() or found.low == found.high == 2.5


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)
def test_two_sets_that_say_equally_much_seldom_differ(measure):
    pairs = zip(populations(150, 1.5, seed=1), populations(150, 1.5, seed=2), strict=True)
    found = [paired_test(a[0], b[0], a[1], measure, permutations=19) for a, b in pairs]
    assert at_most(sum(each.p <= 0.05 for each in found), 150)
    assert all((each.low > 0) == (each.p < 0.05) for each in found if each.statistic > 0)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)
def test_two_sets_that_say_nothing_seldom_differ(measure):
    pairs = zip(populations(150, 0.0, seed=1), populations(150, 0.0, seed=2), strict=True)
    found = [paired_test(a[0], b[0], a[1], measure, permutations=99) for a, b in pairs]
    assert at_most(sum(each.p_chance <= 0.05 for each in found), 150)
    assert at_most(sum(each.p <= 0.05 for each in found), 150)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)
def test_that_one_set_says_more_is_found(measure):
    pairs = zip(populations(40, 4.0, items=32), populations(40, 0.0, items=32, seed=9), strict=True)
    found = [paired_test(a[0], b[0], a[1], measure, permutations=99) for a, b in pairs]
    assert sum(each.p <= 0.05 and each.p_chance <= 0.05 for each in found) >= 38
    for each in found:
        assert each.statistic == pytest.approx(each.first - each.second)
        assert each.low < each.statistic < each.high


def test_a_set_does_not_differ_from_itself():
    (distances, cells, _), = populations(1, 1.0)  # fmt: skip
    found = paired_test(distances, distances, cells, permutations=19)
    assert (found.statistic, found.low, found.high, found.p, found.p_chance) == (0, 0, 0, 1, 1)


def test_a_difference_of_other_networks_is_refused():
    (distances, cells, _), = populations(1, 1.0)  # fmt: skip
    with pytest.raises(ValueError, match=r"for 20 labels, got shape \[3, 3\]"):
        paired_test(distances, np.zeros((3, 3)), cells)
