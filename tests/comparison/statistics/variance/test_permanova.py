"""PERMANOVA against sums of squares by hand, and its level and power under permutation."""

import numpy as np
import pytest
from reference.statistics import between_points, one_factor_pseudo_f, sums_of_squares
from scipy.spatial.distance import pdist, squareform
from scipy.stats import binom, f_oneway, kstest

from rnnstudy.comparison.statistics.variance.permanova import permanova


def unbalanced(seed=0, items=29):
    generator = np.random.default_rng(seed)
    cell = generator.integers(0, 3, items)
    activation = np.where(generator.random(items) < 0.3 + 0.2 * cell, "tanh", "relu")
    points = generator.standard_normal((items, 4))
    points[:, 0] += cell
    points[:, 1] += activation == "tanh"
    return points, cell, activation


def columns(*labels):
    """Membership in each combination of labels."""
    keys = [str(key) for key in zip(*labels, strict=True)]
    return np.array([[key == other for other in sorted(set(keys))] for key in keys], float)


def test_one_factor_is_andersons_formula():
    """Also for distances that no points have."""
    distances = squareform(np.random.default_rng(0).uniform(0.5, 2.0, 14 * 13 // 2))
    labels = list("aaabbbbbcccccc")
    found = permanova(distances, {"cell": labels}, permutations=0).term("cell")
    f, share = one_factor_pseudo_f(distances, labels)
    assert (found.pseudo_f.statistic, found.share) == pytest.approx((f, share))


def test_in_one_dimension_it_is_the_analysis_of_variance():
    values = np.random.default_rng(1).standard_normal(12)
    labels = np.arange(12) % 3
    found = permanova(between_points(values[:, None]), {"cell": labels}, permutations=0)
    expected = f_oneway(*(values[labels == group] for group in range(3)))
    assert found.term("cell").pseudo_f.statistic == pytest.approx(expected.statistic)


def test_a_worked_example():
    """Two groups at 0, 2 and 6, 8 on a line: 36 among, 4 within, on 1 and 2 degrees of freedom."""
    distances = between_points(np.array([[0.0], [2.0], [6.0], [8.0]]))
    found = permanova(distances, {"cell": list("aabb")}, permutations=0)
    term = found.term("cell")
    assert (term.sum_of_squares, term.freedom, found.total) == pytest.approx((36.0, 1, 40.0))
    assert (term.share, found.residual_share) == pytest.approx((0.9, 0.1))
    assert term.pseudo_f.statistic == pytest.approx(18.0)
    assert term.adjusted == pytest.approx((36.0 - 2.0) / (40.0 + 2.0))


def test_sequential_sums_are_what_each_term_adds():
    points, cell, activation = unbalanced()
    terms = [None, columns(cell), columns(activation), columns(cell, activation)]
    expected, residual = sums_of_squares(points, terms)
    found = permanova(
        between_points(points), {"cell": cell, "activation": activation}, permutations=0
    )
    assert [term.name for term in found.terms] == ["cell", "activation", "cell x activation"]
    assert [term.freedom for term in found.terms] == [2, 1, 2]
    assert [term.sum_of_squares for term in found.terms] == pytest.approx(expected)
    assert found.residual_share * found.total == pytest.approx(residual)
    assert sum(term.share for term in found.terms) + found.residual_share == pytest.approx(1.0)


def test_marginal_sums_are_what_each_adds_to_those_without_it():
    points, cell, activation = unbalanced()
    (_, cell_last), _ = sums_of_squares(points, [None, columns(activation), columns(cell)])
    (_, activation_last, both), _ = sums_of_squares(
        points, [None, columns(cell), columns(activation), columns(cell, activation)]
    )
    found = permanova(
        between_points(points), {"cell": cell, "activation": activation}, sums="marginal",
        permutations=0,
    )  # fmt: skip
    assert [term.sum_of_squares for term in found.terms] == pytest.approx(
        [cell_last, activation_last, both]
    )
    assert sum(term.share for term in found.terms) + found.residual_share != pytest.approx(1.0)


def test_in_a_balanced_design_both_sums_agree():
    generator = np.random.default_rng(0)
    factors = {"cell": np.arange(24) % 4, "activation": np.arange(24) // 4 % 2}
    distances = between_points(generator.standard_normal((24, 3)))
    one, other = (
        permanova(distances, factors, sums=sums, permutations=50)
        for sums in ("sequential", "marginal")
    )
    for a, b in zip(one.terms, other.terms, strict=True):
        assert (a.share, a.pseudo_f.statistic) == pytest.approx((b.share, b.pseudo_f.statistic))
    assert (one.sums, other.sums) == ("sequential", "marginal")


def test_a_covariate_enters_first():
    points, cell, _ = unbalanced()
    loss = np.random.default_rng(3).standard_normal(29) + cell
    found = permanova(
        between_points(points), {"cell": cell}, covariates={"loss": loss}, permutations=0
    )
    expected, _ = sums_of_squares(points, [None, loss[:, None], columns(cell)])
    assert [(term.name, term.freedom) for term in found.terms] == [("loss", 1), ("cell", 2)]
    assert [term.sum_of_squares for term in found.terms] == pytest.approx(expected)


def test_a_permutation_is_one_of_residuals():
    """Under one factor the permuted residuals are the items: every relabelling is as likely."""
    points, cell, _ = unbalanced(items=7)
    distances = between_points(points)
    found = permanova(distances, {"cell": cell}, permutations=3000)
    generator = np.random.default_rng(5)
    null = [one_factor_pseudo_f(distances, list(generator.permutation(cell)))[0]
            for _ in range(600)]  # fmt: skip
    # Standard errors of the smaller sample: spread / 24 of the mean, 0.02 of a p.
    assert found.term("cell").pseudo_f.expected == pytest.approx(
        np.mean(null), abs=4 * np.std(null) / 24
    )
    here = found.term("cell").pseudo_f.statistic
    assert found.term("cell").pseudo_f.p == pytest.approx(
        np.mean(np.array(null) >= here - 1e-9), abs=0.08
    )


def test_the_level_is_kept_beside_a_strong_other_factor():
    """Activations separate; cells and their interaction with activations do nothing."""
    generator = np.random.default_rng(0)
    factors = {"activation": np.arange(24) % 2, "cell": np.arange(24) // 2 % 4}
    p = {name: [] for name in ("activation", "cell", "activation x cell")}
    for i in range(200):
        points = generator.standard_normal((24, 4)) + 3.0 * factors["activation"][:, None]
        found = permanova(squareform(pdist(points)), factors, permutations=99, seed=i)
        for term in found.terms:
            p[term.name].append(term.pseudo_f.p)
    assert sum(value <= 0.05 for value in p.pop("activation")) == 200
    for values in p.values():
        assert sum(value <= 0.05 for value in values) <= binom.ppf(0.999, 200, 0.05)
        assert kstest(np.array(values) - 0.005, "uniform").pvalue > 1e-3


def test_what_is_planted_is_found():
    """A cell effect of one activation only is an interaction, too."""
    generator = np.random.default_rng(0)
    activation, cell = np.arange(24) % 2, np.arange(24) // 2 % 4
    found = []
    for _ in range(20):
        points = generator.standard_normal((24, 4))
        points[np.arange(24), cell] += 3.0 * activation
        distances = squareform(pdist(points))
        found.append(
            permanova(distances, {"cell": cell, "activation": activation}, permutations=99)
        )
    for name in ("cell", "cell x activation"):
        assert sum(each.term(name).pseudo_f.p <= 0.05 for each in found) >= 19
        assert all(each.term(name).adjusted > 0 for each in found)


def test_strata_hold_what_they_hold():
    """Labels that agree with the strata cannot be permuted at all."""
    points, cell, _ = unbalanced()
    found = permanova(between_points(points), {"cell": cell}, strata=cell, permutations=20)
    assert found.term("cell").pseudo_f.p == 1.0


def test_a_term_that_others_explain_is_left_out():
    points, cell, _ = unbalanced()
    found = permanova(
        between_points(points), {"cell": cell, "again": [f"c{c}" for c in cell], "one": [1] * 29},
        permutations=0,
    )  # fmt: skip
    assert [term.name for term in found.terms] == ["cell"]
    assert found.aliased == ("again", "one", "cell x again", "cell x one", "again x one")
    with pytest.raises(KeyError, match="a term must be one of cell, got 'again'"):
        found.term("again")


def test_networks_that_coincide_are_explained_by_nothing():
    found = permanova(np.zeros((6, 6)), {"cell": list("aabbcc")}, permutations=5).term("cell")
    assert (found.share, found.adjusted, found.pseudo_f.statistic) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"factors": {"cell": list("abc")}},
         "must be at most 1 for 3 networks, got 2. Add seeds"),
        ({"factors": {"cell": list("ab")}}, "cell must have 3 values, one per network, got 2"),
        ({"factors": {}, "covariates": {"loss": [1.0, np.nan, 2.0]}},
         "the covariate loss must be finite"),
    ],
)  # fmt: skip
def test_what_cannot_be_analysed_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        permanova(squareform([1.0, 2.0, 2.0]), **given)
