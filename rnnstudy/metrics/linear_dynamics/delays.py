"""Delay embedding of trajectories, and linear maps fitted to driven ones."""

from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_real_array
from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import centre_states, check_finite


def check_trajectories(states: Any) -> Array:
    """Return states [trial, time, unit], with all axes and finite."""
    states = as_real_array("states", states, finite=False)
    if states.ndim != 3 or 0 in states.shape:
        raise ValueError(
            f"states must be [trial, time, unit], got shape {states.shape}. Pass trajectories."
        )
    check_finite(states, ("trial", "time", "unit"))
    return states


def embed_delays(values: Array, delays: int) -> Array:
    """Return the points [trial, time, delay x axis] of so many consecutive steps.

    Parameters
    ----------
    values
        [trial, time, unit] or [trial, time, input], at least `delays` steps.
    delays
        Number of steps in a point.
    """
    windows = np.lib.stride_tricks.sliding_window_view(values, delays, axis=1)
    return windows.reshape(*windows.shape[:2], -1)


def signed_rows(rows: Array) -> Array:
    """Return rows [direction, sample] with the sign of a positive third moment.

    Singular vectors are determined up to a sign. Equal data get equal signs.
    """
    return np.asarray(rows * np.where((rows**3).sum(axis=1) < 0.0, -1.0, 1.0)[:, None])


def fit_driven_map(now: Array, then: Array, drive: Array) -> tuple[Array, Array]:
    """Return A and B of the least squares of then = A now + B drive + c, [row, transition] each."""
    is_constant = np.concatenate([np.zeros(len(now), bool), np.ptp(drive, axis=1) == 0.0])
    now, then, drive = (centre_states(part.T) for part in (now, then, drive))
    sizes = [np.linalg.norm(part) or 1.0 for part in (now, drive)]
    regressors = np.hstack([part / size for part, size in zip((now, drive), sizes, strict=True)])
    regressors[:, is_constant] = 0.0
    solution = np.linalg.lstsq(regressors, then, rcond=None)[0].T
    # The mean of a constant input is rounded, and coefficients of the rounding errors are large.
    solution = np.where(is_constant, 0.0, solution)
    return solution[:, : now.shape[1]] / sizes[0], solution[:, now.shape[1] :] / sizes[1]
