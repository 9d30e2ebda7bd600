"""Many tests at once: p values that hold for all of them together."""

from collections.abc import Sequence

import numpy as np

from rnnstudy.core.arrays import Array


def holm(p: Sequence[float] | Array) -> Array:
    """Holm's step-down adjustment (1979): below a level, no true null among all is rejected with
    more than that probability, whatever the dependence. NaN is no test and stays NaN."""
    return _adjust_known(_check_p_values(p), _step_down)


def benjamini_hochberg(p: Sequence[float] | Array) -> Array:
    """Benjamini & Hochberg's adjustment (1995): below a level, at most that share of the rejected
    nulls is expected to be true, for independent or positively dependent tests. NaN stays NaN."""
    from scipy.stats import false_discovery_control

    return _adjust_known(_check_p_values(p), false_discovery_control)


def _step_down(p: Array) -> Array:
    order = np.argsort(p)
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted


def _adjust_known(p: Array, adjust: object) -> Array:
    found, known = p.copy(), ~np.isnan(p)
    if known.any():
        found[known] = adjust(p[known])  # type: ignore[operator]
    return found


def _check_p_values(p: Sequence[float] | Array) -> Array:
    values = np.asarray(p, float)
    wrong = values[(values < 0.0) | (values > 1.0)]
    if wrong.size:
        raise ValueError(f"{wrong[0]:g} is no p value; it should be between 0 and 1")
    return values
