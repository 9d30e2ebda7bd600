"""Partial omega squared by hand, its intervals by simulation, and dispersions."""

import numpy as np
import pytest
from reference.statistics import between_points, partial_omega_squared
from scipy.stats import binom, f_oneway

from rnnstudy.comparison.statistics.variance.dispersion import centre_distances, dispersion_test
from rnnstudy.comparison.statistics.variance.explained_shares import explained_shares

CELLS, ACTIVATIONS = 4, 2


def design(seeds):
    cell = np.repeat(np.arange(CELLS), ACTIVATIONS * seeds)
    activation = np.tile(np.repeat(np.arange(ACTIVATIONS), seeds), CELLS)
    return cell.tolist(), activation.tolist()


def unequal(classes):
    return (classes[:, None] != classes).astype(float)


def shares_of(distances, cell, activation, permutations=0):
    factors = {"cell": cell, "activation": activation}
    terms = explained_shares(distances, factors, permutations=permutations)
    return {term.name: term for term in terms}


def test_shares_are_those_of_least_squares_with_unequal_groups():
    generator = np.random.default_rng(0)
    cell, activation = np.array(design(5))
    keep = generator.random(40) > 0.25
    cell, activation = cell[keep], activation[keep]
    points = generator.standard_normal((keep.sum(), 3))
    points[:, 0] += cell
    found = shares_of(between_points(points), cell.tolist(), activation.tolist())
    expected = partial_omega_squared(points, {"cell": cell, "activation": activation})
    assert {name: term.share for name, term in found.items()} == pytest.approx(expected)


def test_no_factor_explains_constants():
    cell, activation = design(4)
    for value in (0.0, 1.0):
        distances = value * (1.0 - np.eye(len(cell)))
        for term in shares_of(distances, cell, activation).values():
            assert term.share == pytest.approx(0.0)
            assert term.low <= 0.0 <= term.high


def test_equal_networks_do_not_give_an_interval_of_length_0():
    """Six of six in one class for tanh, six of six in another one for relu: a share of 1."""
    cell, activation = design(6)
    found = shares_of(unequal(np.array(activation)), cell, activation)["activation"]
    assert found.share == pytest.approx(1.0)
    assert found.low < 0.9
    assert found.high <= 1.0


def covered(draw, truth, studies, seeds):
    """Number of studies whose interval for activation misses the truth."""
    cell, activation = design(seeds)
    missed = 0
    for seed in range(studies):
        term = shares_of(draw(np.random.default_rng(seed), activation), cell, activation)
        missed += not term["activation"].low <= truth <= term["activation"].high
    return missed


def draw_points(generator, activation):
    points = generator.standard_normal((len(activation), 5))
    points[:, 0] += np.array(activation)
    return between_points(points)


POINTS = 0.25 / 5.25
"""Squared deviation of both means from their mean, 1/4, over itself and the variance, 5."""


def draw_classes(generator, activation):
    """One class in 95 % of tanh networks and in half of the relu networks."""
    other = generator.random(len(activation)) < np.where(np.array(activation) == 0, 0.05, 0.5)
    return unequal(other.astype(int))


CLASSES = 0.050625 / (0.050625 + (0.0475 + 0.25) / 2)
"""Squared deviation of both shares from their mean, .225, and mean of p (1 - p)."""

RARE = np.array([[0.95, 0.05, *[0.0] * 8], [0.5, 0.05, *[0.45 / 8] * 8]])
"""One class in 95 % of tanh networks; nine others in half of the relu networks."""


def draw_rare(generator, activation):
    return unequal(np.array([generator.choice(10, p=RARE[level]) for level in activation]))


_EFFECT = ((RARE - RARE.mean(axis=0)) ** 2).sum() / 2
RARE_SHARE = _EFFECT / (_EFFECT + (1.0 - (RARE**2).sum(axis=1)).mean())


def test_intervals_hold_the_truth():
    """Thirty studies of 6 seeds with classes."""
    missed = covered(draw_classes, CLASSES, 30, seeds=6)
    assert binom.sf(missed - 1, 30, 0.05) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "truth", "seeds"),
    [
        (draw_points, POINTS, 6),
        (draw_points, POINTS, 12),
        (draw_classes, CLASSES, 6),
        (draw_classes, CLASSES, 12),
        (draw_rare, RARE_SHARE, 6),
    ],
)
def test_coverage_in_1000_studies(draw, truth, seeds):
    missed = covered(draw, truth, 1000, seeds)
    assert binom.sf(missed - 1, 1000, 0.05) > 1e-3


def test_radii_are_distances_to_means():
    generator = np.random.default_rng(1)
    points, codes = generator.standard_normal((12, 3)), np.repeat([0, 1], [5, 7])
    expected = np.concatenate(
        [
            np.linalg.norm(group - group.mean(axis=0), axis=1) * np.sqrt(n / (n - 1))
            for group, n in ((points[:5], 5), (points[5:], 7))
        ]
    )
    assert centre_distances(between_points(points), codes) == pytest.approx(expected)


def test_f_is_that_of_the_radii():
    generator = np.random.default_rng(1)
    points, labels = generator.standard_normal((30, 3)), np.repeat(list("abc"), 10)
    points[20:] *= 3.0
    distances = between_points(points)
    found = dispersion_test(distances, labels.tolist())
    radii = centre_distances(distances, np.repeat([0, 1, 2], 10))
    expected = f_oneway(radii[:10], radii[10:20], radii[20:])
    assert found.f == pytest.approx(expected.statistic)
    assert found.p <= 0.01
    assert found.ratio > 2.0


def test_shifted_groups_are_equally_dispersed_at_the_level():
    """A shift is no dispersion; strata differ in dispersion."""
    labels, strata = [0, 1] * 20, [0] * 20 + [1] * 20
    p = []
    for seed in range(60):
        points = np.random.default_rng(seed).standard_normal((40, 3))
        points *= np.where(np.array(strata) == 0, 1.0, 4.0)[:, None]
        points[:, 0] += 5.0 * np.array(labels)
        p.append(dispersion_test(between_points(points), labels, strata, permutations=99).p)
    assert binom.sf(sum(one <= 0.1 for one in p) - 1, 60, 0.1) > 1e-3


def test_constants_have_equal_dispersions():
    for value in (0.0, 1.0):
        found = dispersion_test(value * (1.0 - np.eye(8)), [0] * 4 + [1] * 4)
        assert (found.p, found.ratio) == (1.0, pytest.approx(1.0))


def test_labels_must_differ():
    with pytest.raises(ValueError, match="at least two levels"):
        dispersion_test(np.zeros((4, 4)), [0] * 4)
