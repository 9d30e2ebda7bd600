"""Many tests at once: p values that hold for all of them together."""

from collections.abc import Callable, Sequence

import numpy as np

from rnnstudy.core.arguments import as_float_array
from rnnstudy.core.arrays import Array


def holm(p: Sequence[float] | Array) -> Array:
    """Adjust p values by Holm's step-down method.

    Below a level, the probability to reject any true null is at most that level, for any dependence
    of the tests.

    Parameters
    ----------
    p : sequence of float [test]
        p values from 0 to 1; NaN is no test and stays NaN.

    Returns
    -------
    array [test]
        Adjusted p values.

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.5]).tolist()
    [0.03, 0.08, 0.5]
    """
    return _adjust_known(_check_p_values(p), _step_down)


def benjamini_hochberg(p: Sequence[float] | Array) -> Array:
    """Adjust p values for the false discovery rate.

    Below a level, at most that share of the rejected nulls is expected to be true, for independent
    or positively dependent tests.

    Parameters
    ----------
    p : sequence of float [test]
        p values from 0 to 1; NaN is no test and stays NaN.

    Returns
    -------
    array [test]
        Adjusted p values.

    References
    ----------
    Benjamini & Hochberg (1995), Controlling the false discovery rate.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.5]).round(6).tolist()
    [0.03, 0.06, 0.5]
    """
    from scipy.stats import false_discovery_control

    return _adjust_known(_check_p_values(p), false_discovery_control)


def _step_down(p: Array) -> Array:
    order = np.argsort(p)
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted


def _adjust_known(p: Array, adjust: Callable[[Array], Array]) -> Array:
    adjusted, known = p.copy(), ~np.isnan(p)
    if known.any():
        adjusted[known] = adjust(p[known])
    return adjusted


def _check_p_values(p: Sequence[float] | Array) -> Array:
    values = as_float_array("p", p, finite=False)
    if values.ndim != 1:
        raise ValueError(f"p must be p values [test], got shape {values.shape}. Pass a list.")
    outside = values[(values < 0.0) | (values > 1.0)]
    if outside.size:
        raise ValueError(
            f"a p value must be between 0 and 1, got {outside[0]:g}. NaN stands for no test."
        )
    return values
