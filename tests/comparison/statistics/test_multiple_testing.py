import numpy as np
import pytest

from rnnstudy.comparison.statistics.multiple_testing import benjamini_hochberg, holm


def test_holm_by_hand():
    """Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.6]) == pytest.approx([1.0, 1.0])


def test_benjamini_hochberg_by_hand():
    """Sorted 0.01, 0.02, 0.04, 0.2 times 4/1, 4/2, 4/3, 4/4, never above the next."""
    assert benjamini_hochberg([0.04, 0.01, 0.2, 0.02]) == pytest.approx([0.16 / 3, 0.04, 0.2, 0.04])


@pytest.mark.parametrize("correct", [holm, benjamini_hochberg])
def test_one_test_is_as_it_is_and_none_stays_none(correct):
    assert correct([0.03]).tolist() == [0.03]
    assert correct([]).tolist() == []
    found = correct([0.03, np.nan, 0.9])
    assert np.isnan(found[1])
    assert found[[0, 2]].tolist() == correct([0.03, 0.9]).tolist()
    with pytest.raises(ValueError, match=r"a p value must be between 0 and 1, got 1\.5"):
        correct([0.1, 1.5])


@pytest.mark.parametrize(("correct", "level"), [(holm, 0.05), (benjamini_hochberg, 0.05)])
def test_true_nulls_are_seldom_rejected_however_many(correct, level):
    """With all nulls true both bound the chance of any rejection by the level."""
    p = np.random.default_rng(0).uniform(size=(2000, 12))
    rejected = sum((correct(row) <= level).any() for row in p)
    # Standard error 0.005; Holm's level is 1 - (1 - 0.05 / 12) ** 12 = 0.049 here.
    assert 0.03 < rejected / 2000 <= 0.065
    assert ((p <= level).any(axis=1)).mean() > 0.4
