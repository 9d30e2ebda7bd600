"""Exact test and exact intervals of rates: numbers of successes in several groups."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest, fisher_exact, random_table

from rnnstudy.core.arrays import Array


class RateTest(NamedTuple):
    """Rates of several groups, their intervals, and p of equal rates."""

    rates: Array
    """Successes over trials, [group]."""
    low: Array
    """Lower end of the exact 95 % interval (Clopper & Pearson), [group]."""
    high: Array
    """Upper end of the interval, [group]."""
    p: float
    """Probability of a table as unlikely as the observed one, if all rates are equal."""


def rate_test(
    successes: Sequence[int] | Array,
    trials: Sequence[int] | Array,
    *,
    tables: int = 9999,
    seed: int = 0,
) -> RateTest:
    """Test the equality of rates, given both margins (Fisher; Freeman & Halton).

    Two groups have the exact p. More groups have a Monte Carlo p over random tables with the
    observed margins. It counts the observed table, so that it is valid for any number of tables.

    Parameters
    ----------
    successes : array [group]
        Number of successes of each group.
    trials : array [group]
        Number of trials of each group, at least 1.
    tables : int, default 9999
        Random tables for more than two groups.
    seed : int, default 0
        Seed of the random tables.

    Returns
    -------
    RateTest
        Rates, intervals and p; p is 1 for one group and where all or no trials succeed.

    Raises
    ------
    ValueError
        If a group has no trials, or more successes than trials.

    References
    ----------
    Freeman & Halton (1951), Note on an exact treatment of contingency, goodness of fit and other
    problems of significance. Clopper & Pearson (1934), The use of confidence or fiducial limits.

    Examples
    --------
    >>> test = rate_test([6, 0], [6, 6])
    >>> test.rates.tolist(), round(test.p, 4)
    ([1.0, 0.0], 0.0022)
    """
    count, total = np.asarray(successes, int), np.asarray(trials, int)
    if not ((count >= 0) & (count <= total) & (total >= 1)).all():
        raise ValueError(
            f"successes must be from 0 to the trials of each group, got {count.tolist()} of "
            f"{total.tolist()}. Leave out groups without trials."
        )
    intervals = [
        binomtest(int(k), int(n)).proportion_ci() for k, n in zip(count, total, strict=True)
    ]
    return RateTest(
        rates=count / total,
        low=np.array([each.low for each in intervals]),
        high=np.array([each.high for each in intervals]),
        p=_p_of_equal_rates(np.stack([count, total - count]), tables, seed),
    )


def _p_of_equal_rates(table: Array, tables: int, seed: int) -> float:
    margins = table.sum(axis=1), table.sum(axis=0)
    if table.shape[1] < 2 or not margins[0].all():
        return 1.0
    if table.shape[1] == 2:
        return float(fisher_exact(table).pvalue)
    null = random_table(*margins)
    drawn = null.rvs(tables, random_state=np.random.default_rng(seed))
    # Tables of equal probability differ by rounding.
    limit = null.logpmf(table) + 1e-9
    return float((1 + (null.logpmf(drawn) <= limit).sum()) / (1 + tables))
