"""Rotation numbers of quasi-periodic motion."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.invariant_circles.fourier import (
    birkhoff_average,
    fourier_series,
    series_error,
)
from rnnstudy.dynamics.states.projection import principal_axes

PLANE_COMPONENTS = 4
"""Number of principal components whose planes show the curve."""

MAX_WINDINGS = 3
"""Largest number of windings of a projected curve around its middle in one turn."""

SAME_ESTIMATE = 1e-5
"""Difference of two estimates of one rotation number."""

CLOSE_FIT = 1e-6
"""Error of a series that fits, as a share of the amplitude."""

TESTED_HARMONICS = 32
"""Highest order of the series that compares candidates of the rotation number."""


def rotation_number(states: Array) -> float:
    """Return the cycles per step, 0 to 1/2, of motion on a closed curve.

    The number is the mean advance of the angle in planes of principal components. In a plane in
    which the curve winds several times around its middle, the average is that of a multiple. The
    candidate whose Fourier series fits best decides.

    Parameters
    ----------
    states
        States on the curve, `[time, state]`.

    Returns
    -------
    float
        Rotation number, NaN if there is none.
    """
    errors = []
    for rho in _candidates(states):
        errors.append((_series_error(states, rho), rho))
        # Further candidates change nothing: the first one that fits is right.
        if errors[-1][0] <= CLOSE_FIT:
            break
    finite = [pair for pair in errors if np.isfinite(pair[0])]
    if not finite:
        return float("nan")
    least = min(error for error, _ in finite)
    # A fraction of the right number fits as well, so the first candidate that fits is right.
    return _refine(states, next(rho for error, rho in finite if error <= 10.0 * least + CLOSE_FIT))


def _candidates(states: Array) -> Iterator[float]:
    """Yield the rotation numbers that the planes suggest, those of a single winding first."""
    centred = states - states.mean(axis=0)
    axes = principal_axes(centred[: 4 * len(centred[0]) + 1000])[1]
    places = centred @ axes[:PLANE_COMPONENTS].T
    planes = list(combinations(range(places.shape[1]), 2))
    advances = [mean_advance(places[:, plane[0]] + 1j * places[:, plane[1]]) for plane in planes]
    for winding in range(1, MAX_WINDINGS + 1):
        for advance in advances:
            for turn in range(winding):
                rho = (advance + turn) / winding % 1.0
                if 0.0 < rho < 1.0:
                    yield min(rho, 1.0 - rho)


def mean_advance(numbers: Array) -> float:
    """Return the mean advance per step of the angle of complex numbers `[time]`, in turns.

    On a curve around 0 the angle never advances by a whole number of turns, since the state would
    be a fixed point. The angle is therefore cut in the widest gap of the advances.
    """
    steps = np.diff(np.angle(numbers)) / (2.0 * np.pi) % 1.0
    ordered = np.sort(steps)
    gaps = np.append(np.diff(ordered), ordered[0] + 1.0 - ordered[-1])
    widest = int(np.argmax(gaps))
    cut = (ordered[widest] + 0.5 * gaps[widest]) % 1.0
    lifted = (steps - cut) % 1.0 + cut
    return float(birkhoff_average(lifted) % 1.0)


def _refine(states: Array, rho: float) -> float:
    """Return the rotation number from the plane of the strongest harmonic.

    The motion there is most nearly uniform.
    """
    series = _short_series(states, rho)
    order = 1 + int(np.argmax(np.sum(np.abs(series[1:]) ** 2, axis=1)))
    advance = mean_advance((states - series[0].real) @ series[order].conj())
    refined = rho + ((advance - order * rho + 0.5) % 1.0 - 0.5) / order
    return refined if abs(refined - rho) <= SAME_ESTIMATE else rho


def _series_error(states: Array, rho: float) -> float:
    """Return the error of a short Fourier series with this rotation number."""
    return series_error(states, rho, _short_order(states))


def _short_series(states: Array, rho: float) -> Array:
    return fourier_series(states, rho, _short_order(states))


def _short_order(states: Array) -> int:
    return min(TESTED_HARMONICS, len(states) // 16)
