"""Positive controls against loops, exact tests, and measures that say nothing."""

from itertools import product

import numpy as np
import pytest
from reference.statistics import between_points
from scipy.stats import binom, binomtest

from rnnstudy.comparison.statistics.informative import (
    detection_test,
    informative_tests,
    informative_values,
)

SEEDS, COMBINATIONS = 6, 4
NETWORKS = SEEDS * COMBINATIONS


def study():
    """Kinds, networks and strata of trained networks and their untrained twins."""
    strata = np.repeat(np.arange(COMBINATIONS), SEEDS).tolist()
    kinds = ["trained"] * NETWORKS + ["untrained"] * NETWORKS
    return kinds, [*range(NETWORKS)] * 2, strata * 2


def noise(items, seed=0):
    values = np.random.default_rng(seed).random((items, items))
    return (values + values.T) * ~np.eye(items, dtype=bool)


def two_valued(kinds):
    """Distance 0 among networks of one kind, 1 between kinds."""
    return np.array([[float(a != b) for b in kinds] for a in kinds])


def points(shift, seed=0):
    values = np.random.default_rng(seed).standard_normal((2 * NETWORKS, 5))
    values[NETWORKS:] += shift
    return between_points(values)


def twins_difference(distances, is_control, names, strata):
    """Mean distance between kinds minus the mean of both within, without twins, in loops."""
    parts = []
    for stratum in sorted(set(strata)):
        at = [i for i in range(len(names)) if strata[i] == stratum]
        pairs = [(i, j) for i in at for j in at if names[i] != names[j]]
        between = [distances[i, j] for i, j in pairs if is_control[i] != is_control[j]]
        within = [
            np.mean([distances[i, j] for i, j in pairs if is_control[i] == is_control[j] == kind])
            for kind in (False, True)
        ]
        parts.append(np.mean(between) - np.mean(within))
    return np.mean(parts)


def test_effect_is_that_of_loops():
    kinds, names, strata = study()
    found = informative_tests(points(0.5), kinds, names, strata, permutations=19)
    expected = twins_difference(points(0.5), np.array(kinds) == "untrained", names, strata)
    assert found.controls == ("untrained",)
    assert found.effect[0] == pytest.approx(expected)


def test_p_agrees_with_all_exchanges():
    """Five networks have 32 exchanges; sampled p is within its binomial error of the exact one."""
    names, kinds = [*range(5)] * 2, ["trained"] * 5 + ["untrained"] * 5
    distances = between_points(np.random.default_rng(3).standard_normal((10, 2)))
    distances[:5, 5:] += 0.3
    distances[5:, :5] += 0.3
    control = np.array(kinds) == "untrained"
    exact = [
        twins_difference(distances, control ^ np.array([*flips, *flips]), names, [0] * 10)
        for flips in product([False, True], repeat=5)
    ]
    expected = np.mean(np.array(exact) >= exact[0] - 1e-12)
    found = informative_tests(distances, kinds, names, permutations=9999)
    assert found.p[0] == pytest.approx(expected, abs=4 * np.sqrt(expected / 9999))
    assert found.floor[0] == 2 / 32


def test_a_real_difference_is_informative():
    kinds, names, strata = study()
    found = informative_tests(points(2.0), kinds, names, strata)
    assert found.informative
    assert found.possible


@pytest.mark.parametrize("constant", [0.0, 1.0])
def test_constants_are_not_informative(constant):
    kinds, names, strata = study()
    found = informative_tests(constant * (1.0 - np.eye(48)), kinds, names, strata)
    assert found.p.tolist() == [1.0]
    assert not found.informative
    assert found.possible


def test_noise_passes_at_the_level():
    kinds, names, strata = study()
    p = [
        informative_tests(noise(48, seed), kinds, names, strata, permutations=99).p[0]
        for seed in range(100)
    ]
    assert binom.sf(sum(one <= 0.1 for one in p) - 1, 100, 0.1) > 1e-3
    assert binom.cdf(sum(one <= 0.5 for one in p), 100, 0.5) > 1e-3


def test_few_networks_cannot_be_informative():
    """Three twins have 8 exchanges, 4 of them distinct."""
    kinds = ["trained"] * 3 + ["untrained"] * 3
    found = informative_tests(two_valued(kinds), kinds, [0, 1, 2] * 2)
    assert found.floor.tolist() == [0.25]
    assert not found.possible
    assert not found.informative


def test_a_twin_alone_is_no_evidence():
    """A network is near its own initial weights; these pairs do not count."""
    kinds, names, strata = study()
    codes = np.array(names)
    distances = (codes[:, None] != codes).astype(float)
    assert informative_tests(distances, kinds, names, strata).effect[0] == pytest.approx(0.0)


def test_controls_are_corrected_together():
    """Networks of another task have no twins: labels are permuted within combinations."""
    kinds, names, strata = study()
    kinds = [*kinds, *["trained on b"] * NETWORKS]
    names, strata = [*names, *range(100, 100 + NETWORKS)], [*strata, *strata[:NETWORKS]]
    values = np.random.default_rng(0).standard_normal((3 * NETWORKS, 4))
    values[2 * NETWORKS :] += 2.0
    found = informative_tests(between_points(values), kinds, names, strata)
    assert found.controls == ("untrained", "trained on b")
    assert found.p_adjusted[1] == pytest.approx(min(1.0, 2 * found.p[1]))
    assert found.informative
    assert found.p_adjusted[0] > found.alpha


def test_planted_networks_are_no_control():
    kinds, names, strata = study()
    kinds = ["planted" if kind == "untrained" else kind for kind in kinds]
    assert informative_tests(points(2.0), kinds, names, strata).controls == ()


def test_properties_agree_with_mcnemar():
    """Of 12 discordant pairs 11 are of one kind; the concordant ones do not count."""
    trained = [True] * 15 + [False] * 5
    untrained = [False] * 11 + [True] * 5 + [False] * 4
    trained[15] = False
    kinds = ["trained"] * 20 + ["untrained"] * 20
    plus = sum(a and not b for a, b in zip(trained, untrained, strict=True))
    minus = sum(b and not a for a, b in zip(trained, untrained, strict=True))
    expected = binomtest(plus, plus + minus).pvalue
    found = informative_values([*trained, *untrained], kinds, [*range(20)] * 2, permutations=9999)
    assert found.p[0] == pytest.approx(expected, abs=4 * np.sqrt(expected / 9999))
    assert found.effect[0] == pytest.approx((sum(trained) - sum(untrained)) / 20)


def test_the_smallest_p_of_values_is_that_of_all_exchanges():
    """Six twins of three strata have 64 exchanges; only that of all twins mirrors the difference.
    Distances are mirrored in each stratum by itself."""
    kinds, names, strata = (
        ["trained"] * 6 + ["untrained"] * 6,
        [*range(6)] * 2,
        [0, 0, 1, 1, 2, 2] * 2,
    )
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, *np.zeros(6)])
    found = informative_values(values, kinds, names, strata, permutations=9999)
    control = np.array(kinds) == "untrained"
    differences = []
    for flips in product([False, True], repeat=6):
        labels = control ^ np.array([*flips, *flips])
        layers = [np.array(strata) == stratum for stratum in range(3)]
        means = [values[at & ~labels].mean() - values[at & labels].mean() for at in layers]
        differences.append(abs(np.mean(means)))
    assert np.mean(np.array(differences) >= max(differences) - 1e-12) == found.floor[0] == 2 / 64
    far = two_valued(kinds)
    assert informative_tests(far, kinds, names, strata).floor[0] == 8 / 64


def test_values_may_be_infinite_or_missing():
    kinds = ["trained"] * 14 + ["untrained"] * 14
    values = [np.inf] * 13 + [np.nan] + [*range(14)]
    found = informative_values(values, kinds, [*range(14)] * 2)
    assert found.informative
    assert found.floor[0] == 2.0**-12
    assert found.effect[0] == np.inf
    flat = informative_values([3.0] * 28, kinds, [*range(14)] * 2)
    assert flat.p.tolist() == [1.0]


def planted_study(distances_of):
    """Two levels of 12 trained networks with a planted copy each."""
    labels = (["a"] * 12 + ["b"] * 12) * 2
    planted = np.arange(48) >= 24
    return detection_test(distances_of(planted), labels, planted, 0.1, bound=1.0)


def test_a_planted_class_is_detected():
    found = planted_study(lambda planted: two_valued(planted.tolist()))
    assert found.levels == ("a", "b")
    assert found.sensitive
    assert found.difference.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "distances_of",
    [
        lambda planted: np.zeros((48, 48)),
        lambda planted: np.ones((48, 48)) - np.eye(48),
        lambda planted: noise(48),
        lambda planted: 0.05 * two_valued(planted.tolist()),
    ],
    ids=["zeros", "ones", "noise", "below the margin"],
)
def test_measures_that_detect_nothing(distances_of):
    """The zeros stand for a distance of 0 among all trained networks and 1 to untrained ones."""
    assert not planted_study(distances_of).sensitive


def test_without_planted_networks_nothing_is_detected():
    labels = ["a"] * 12 + ["b"] * 12
    assert not detection_test(1.0 - np.eye(24), labels, [False] * 24, 0.1).sensitive


def test_lengths_are_checked():
    with pytest.raises(ValueError, match="kinds must be one for each of 4"):
        informative_tests(np.zeros((4, 4)), ["trained"], [0] * 4)


@pytest.mark.slow
def test_noise_in_1000_studies():
    """At a level of 1 in 1,000, more than 5 passes have a probability below 1 in 1,000."""
    kinds, names, strata = study()
    passed = sum(
        informative_tests(noise(48, seed), kinds, names, strata).informative for seed in range(1000)
    )
    assert passed <= 5
