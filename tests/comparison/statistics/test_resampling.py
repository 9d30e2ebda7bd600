import numpy as np
import pytest
from scipy.stats import ttest_1samp

from rnnstudy.comparison.statistics.resampling import (
    bootstrap_weights,
    jackknife,
    percentile_interval,
    t_interval,
    two_sided_p,
)


def test_of_a_mean_the_jackknife_is_students_interval():
    values = np.random.default_rng(0).standard_normal(9)
    left_out = (values.sum() - values) / 8
    error, freedom = jackknife(left_out, np.zeros(9, int))
    assert (error, freedom) == pytest.approx((values.std(ddof=1) / 3, 8))
    expected = ttest_1samp(values, 0.0)
    assert t_interval(values.mean(), error, freedom) == pytest.approx(
        tuple(expected.confidence_interval(0.95))
    )
    assert two_sided_p(values.mean(), error, freedom) == pytest.approx(expected.pvalue)


def test_differences_between_groups_are_no_error():
    """Of a mean over fixed groups only the spread within them counts."""
    values = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0])
    error, freedom = jackknife((values.sum() - values) / 5, np.repeat([0, 1], 3))
    # Each group weighs 1/2; the variance of its three values is 1.
    assert (error, freedom) == pytest.approx((np.sqrt(2 * 0.5**2 * 1.0 / 3), 4))


def test_without_freedom_there_is_no_interval():
    error, freedom = jackknife(np.array([0.3, 0.5]), np.array([0, 1]))
    assert freedom == 0
    assert np.isnan([*t_interval(0.4, error, freedom), two_sided_p(0.4, error, freedom)]).all()


def test_without_error_only_zero_is_zero():
    assert two_sided_p(0.0, 0.0, 5) == 1.0
    assert two_sided_p(0.1, 0.0, 5) == 0.0


def test_resamples_keep_the_sizes_of_groups():
    codes = np.array([0, 1, 0, 2, 1, 0, 1, 0])
    drawn = np.concatenate(list(bootstrap_weights(codes, 500, seed=0)))
    assert drawn.shape == (500, 8)
    for group, size in enumerate((4, 3, 1)):
        assert (drawn[:, codes == group].sum(axis=1) == size).all()
    # A network of four is left out of a resample with probability (3/4)^4 = 0.316.
    assert (drawn[:, 0] == 0).mean() == pytest.approx(0.316, abs=4 * 0.021)


def test_percentiles_leave_out_what_could_not_be_computed():
    values = np.append(np.arange(1001.0), [np.nan] * 1000)
    assert percentile_interval(values) == pytest.approx((25.0, 975.0))
    assert np.isnan(percentile_interval(np.append(values, [np.nan] * 2))).all()
    assert np.isnan(percentile_interval(np.zeros(0))).all()
