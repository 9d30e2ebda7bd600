"""Equivalence of levels against loops, class shares and simulated studies with known truth."""

import numpy as np
import pytest
from reference.statistics import between_points, level_difference, squared_class_difference
from scipy.stats import binom, ncx2, norm, t

from rnnstudy.comparison.statistics.difference_distribution import (
    DifferenceDistribution,
    difference_distribution,
)
from rnnstudy.comparison.statistics.equivalence import equivalence_test, level_differences

FEW = {"permutations": 99}


def unequal(classes):
    """Distance 0 between networks of one class, 1 between others."""
    classes = np.asarray(classes)
    return (classes[:, None] != classes).astype(float)


class Design:
    """A study: levels x strata x seeds, one level drawn from another distribution of classes."""

    def __init__(self, seeds, shares, other=None, levels=4, strata=2):
        self.shares, self.other = np.array(shares), np.array(shares if other is None else other)
        self.labels = np.repeat(np.tile(np.arange(levels), strata), seeds).tolist()
        self.strata = np.repeat(np.arange(strata), levels * seeds).tolist()
        self.truth = 0.5 * ((self.shares - self.other) ** 2).sum()

    def differences(self, generator):
        classes = [
            generator.choice(len(self.shares), p=self.other if level == 0 else self.shares)
            for level in self.labels
        ]
        return level_differences(unequal(classes), self.labels, self.strata, bound=1.0, **FEW)

    def studies(self, count, seed=0):
        generator = np.random.default_rng(seed)
        return [self.differences(generator) for _ in range(count)]


def at_most(count, trials, rate):
    """The count agrees with a rate of at most this (one-sided binomial bound at 1 in 1,000)."""
    return binom.sf(count - 1, trials, rate) > 1e-3


def share(studies, margin, verdict):
    return sum(equivalence_test(study, margin).verdict == verdict for study in studies)


def test_of_squared_distances_the_difference_is_that_of_two_mean_points():
    """Without chance: the mean over studies is the squared distance of the points' true means."""
    generator, truth, estimates = np.random.default_rng(0), np.array([0.8, 0.6, 0.0]), []
    for _ in range(400):
        points = generator.standard_normal((16, 3)) + np.repeat([0 * truth, truth], 8, axis=0)
        squares = between_points(points) ** 2
        blocks = squares[:8, :8], squares[8:, 8:], squares[:8, 8:]
        estimates.append(difference_distribution([blocks], bound=squares.max()).difference)
    assert np.mean(estimates) == pytest.approx(1.0, abs=4 * np.std(estimates) / 20)
    assert np.std(estimates) < 2.0


def test_differences_are_those_of_loops():
    """Unequal groups and a stratum that is too small for one of the pairs."""
    generator = np.random.default_rng(0)
    labels = list("aaaabbbbbccccaaabbbbbcccaabbbbcccc")
    strata = [0] * 13 + [1] * 11 + [2] * 10
    distances = between_points(generator.standard_normal((34, 3)))
    found = level_differences(distances, labels, strata, **FEW)
    assert found.pairs == (("a", "b"), ("a", "c"), ("b", "c"))
    expected = [level_difference(distances, labels, strata, pair) for pair in found.pairs]
    assert found.difference == pytest.approx(expected, abs=1e-12)
    assert found.networks.tolist() == [[7, 10], [7, 7], [14, 11]]
    assert (found.low < found.difference).all()
    assert (found.difference < found.high).all()


def test_of_classes_they_are_squared_differences_of_shares():
    first, second = list("xxxxyyz"), list("xyyyyyzzw")
    found = level_differences(unequal(first + second), [0] * 7 + [1] * 9, bound=1.0, **FEW)
    assert found.difference[0] == pytest.approx(squared_class_difference(first, second))


def test_the_distribution_has_its_moments():
    """Mean of the true difference, variance 2 squares + 4 along x difference."""
    distribution = DifferenceDistribution(difference=0.3, noise=0.1, squares=0.004, along=0.05)
    for true in (0.0, 0.2, 0.7):
        grid = np.linspace(-0.1, 6.0, 20_001)
        below = np.array([distribution.cdf(value, true) for value in grid[::40]])
        mean = grid[0] + np.trapezoid(1.0 - below, grid[::40])
        second = grid[0] ** 2 + np.trapezoid(2.0 * grid[::40] * (1.0 - below), grid[::40])
        assert mean == pytest.approx(true, abs=2e-3)
        assert second - mean**2 == pytest.approx(2 * 0.004 + 4 * 0.05 * true, rel=0.02)


def test_two_classes_give_a_noncentral_chi_square():
    """All noise is along the difference: without an unseen network the rest is next to nothing."""
    distribution = DifferenceDistribution(difference=0.2, noise=0.04, squares=0.0016, along=0.04)
    for true in (0.05, 0.2, 0.5):
        expected = ncx2.cdf((0.2 + 0.04) / 0.04, 1, true / 0.04)
        # The grid of the integral has steps of .025 standard deviations.
        assert distribution.cdf(0.2, true) == pytest.approx(expected, abs=0.006)


def test_the_noise_is_the_variance_of_the_means():
    """Half squared Euclidean distances of points: the covariances of the means of both levels."""
    generator = np.random.default_rng(2)
    a, b = generator.standard_normal((9, 4)), generator.standard_normal((7, 4))
    half = between_points(np.concatenate([a, b])) ** 2 / 2
    found = difference_distribution([(half[:9, :9], half[9:, 9:], half[:9, 9:])], bound=3.0)
    traces = []
    for rows in (range(9), range(9, 16)):
        wider = np.pad(half[np.ix_(rows, rows)], (0, 1), constant_values=3.0)
        size = len(wider)
        traces.append((wider.sum() - 3.0) / 2 / size**2 / (size - 1))
    factor = (t.ppf(0.95, 14) / norm.ppf(0.95)) ** 2
    assert found.noise == pytest.approx(factor * sum(traces))
    bias = np.trace(np.cov(a.T)) / 9 + np.trace(np.cov(b.T)) / 7
    squared = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    assert found.difference == pytest.approx((squared - bias) / 2)


def test_equal_networks_do_not_give_an_interval_of_length_0():
    """Six of six is no proof: a class of one third would be missed in one of eleven studies."""
    few = level_differences(np.zeros((12, 12)), [0] * 6 + [1] * 6, bound=1.0, **FEW)
    many = level_differences(np.zeros((48, 48)), [0] * 24 + [1] * 24, bound=1.0, **FEW)
    assert few.high[0] > 0.1 > many.high[0] > 0.0
    assert equivalence_test(few, 0.1).verdict == "undecided"
    assert equivalence_test(many, 0.1).verdict == "alike"


def test_verdicts_of_clear_cases():
    near = between_points(np.random.default_rng(0).standard_normal((40, 6)) * 0.01)
    labels = [0] * 20 + [1] * 20
    assert equivalence_test(level_differences(near, labels), 0.01).verdict == "alike"
    far = near + unequal(labels)
    result = equivalence_test(level_differences(far, labels), 0.5)
    assert result.verdict == "different"
    assert (result.within.tolist(), result.different.tolist()) == ([False], [True])


def test_a_detected_difference_within_the_margin_is_alike():
    labels = [0] * 30 + [1] * 30
    far = 1.0 - np.eye(60) + 0.05 * unequal(labels)
    result = equivalence_test(level_differences(far, labels), 0.2)
    assert (result.verdict, bool(result.p_different[0] <= 0.05)) == ("alike", True)


def test_a_pair_without_networks_is_undecided():
    labels = [0] * 20 + [1] * 20 + [2] * 2
    found = level_differences(np.zeros((42, 42)), labels, bound=1.0, **FEW)
    assert np.isnan(found.difference).tolist() == [False, True, True]
    assert equivalence_test(found, 0.1).verdict == "undecided"


@pytest.mark.parametrize(
    ("distances", "labels", "text"),
    [
        (np.zeros((4, 4)), [0] * 4, "at least two levels"),
        (np.zeros((4, 4)), [0, 1], "one for each of 4"),
        (np.full((4, 4), np.nan), [0, 0, 1, 1], "finite"),
        (np.zeros((4, 3)), [0, 0, 1, 1], "square"),
    ],
)
def test_bad_input(distances, labels, text):
    with pytest.raises(ValueError, match=text):
        level_differences(distances, labels)


def test_a_margin_is_above_0():
    found = level_differences(np.zeros((8, 8)), [0] * 4 + [1] * 4)
    with pytest.raises(ValueError, match=r"margin must be a finite number above 0, got 0\.0"):
        equivalence_test(found, 0.0)


MOSTLY = [0.94, 0.06]
"""One class for 94 % of networks, as measured for the memory networks."""
SHIFTED = [0.94 - np.sqrt(0.1), 0.06 + np.sqrt(0.1)]
"""Shares that differ from these by .10, the margin."""


def test_simulated_studies():
    """Forty studies each: alike mostly at 0, rarely at the margin; the interval holds the truth."""
    equal, apart = Design(12, [0.97, 0.03]), Design(12, MOSTLY, SHIFTED, levels=2)
    null, edge = equal.studies(40), apart.studies(40)
    assert share(null, 0.1, "alike") >= 30
    assert at_most(share(edge, 0.1, "alike"), 40, 0.05)
    missed = sum(not s.low[0] <= apart.truth <= s.high[0] for s in edge)
    assert at_most(missed, 40, 0.05)


RARE = [0.5, *[0.05] * 10]
RARE_SHIFTED = [0.0736, *[0.09264] * 10]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "margin"),
    [
        (Design(12, MOSTLY, SHIFTED, levels=2), 0.1),
        (Design(12, [0.5, 0.5], [0.5 - np.sqrt(0.2), 0.5 + np.sqrt(0.2)], levels=2), 0.2),
        (Design(12, RARE, RARE_SHIFTED, levels=2), 0.1),
        (Design(6, [1.0, 0.0], [1 - np.sqrt(0.1), np.sqrt(0.1)], levels=2), 0.1),
        (Design(6, RARE, RARE_SHIFTED, levels=2), 0.1),
    ],
    ids=["one common class", "two classes", "rare classes", "6 seeds", "rare, 6 seeds"],
)
def test_1000_studies_at_the_margin(design, margin):
    """At most 5 % alike, and 95 % intervals hold the truth in at least 92 %.

    Many rare classes are the hardest case: what a level lacks by chance hides its variance.
    """
    assert design.truth == pytest.approx(margin, abs=2e-3)
    studies = design.studies(1000)
    alike = share(studies, margin, "alike")
    missed = sum(not s.low[0] <= design.truth <= s.high[0] for s in studies)
    assert at_most(alike, 1000, 0.05)
    assert at_most(missed, 1000, 0.08)


@pytest.mark.slow
def test_1000_studies_without_a_difference():
    """Power: 4 x 2 combinations of 12 seeds, 97 % in one class, margin .10."""
    studies = Design(12, [0.97, 0.03]).studies(1000)
    assert share(studies, 0.1, "alike") >= 800
    assert at_most(share(studies, 0.1, "different"), 1000, 0.05)
    assert at_most(sum(s.low[0] > 0.0 for s in studies), 1000, 0.025)
