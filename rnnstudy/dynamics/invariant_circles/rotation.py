"""Rotation numbers of quasi-periodic motion."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.invariant_circles.fourier import (
    amplitude,
    birkhoff_average,
    fitted_series,
    fourier_series,
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

SAME_ERROR = 0.5
"""Difference of the errors of two candidates that are compared as one, as a share of the error. It
is small beside the factor of ten that decides between candidates."""

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
    fits: list[SeriesFit] = []
    for rho in _candidates(states):
        if any(fit.replaces(rho, fits) for fit in fits):
            continue
        fits.append(SeriesFit.of(states, rho))
        # Further candidates change nothing: the first one that fits is right.
        if fits[-1].error <= CLOSE_FIT:
            break
    # A fraction of the right number fits as well, so the first candidate that fits is right.
    largest = largest_error(fits)
    rho = next((fit.rho for fit in fits if fit.error <= largest), float("nan"))
    return _refine(states, rho) if np.isfinite(rho) else rho


@dataclass(frozen=True)
class SeriesFit:
    """Error of the Fourier series of one candidate, as a share of its amplitude."""

    rho: float
    error: float
    amplitude: float
    slope: float
    """Change of the curve, as a root mean square, for each change of the rotation number."""
    scale: float
    """Largest such change, of any curve through these states."""

    @classmethod
    def of(cls, states: Array, rho: float) -> "SeriesFit":
        """Return the fit of a short series with this rotation number."""
        order = _short_order(states)
        series, error = fitted_series(states, rho, order)
        # At the last step the phase of harmonic k is off by 2 pi k times the steps.
        last = 2.0 * np.pi * len(states)
        size = np.sqrt(np.mean(np.sum(states**2, axis=1)))
        return cls(
            rho=rho,
            error=error,
            amplitude=amplitude(series),
            slope=last * amplitude(np.arange(len(series))[:, None] * series),
            scale=last * order**1.5 * size,
        )

    def replaces(self, rho: float, fits: Sequence["SeriesFit"]) -> bool:
        """Return whether the error of a near number needs no computation.

        Planes that show one winding suggest the same number but for its last digits. Its error is
        the same up to SAME_ERROR, or certainly too large.
        """
        if not self.amplitude > 0.0 or not np.isfinite(self.error):
            return False
        distance = abs(rho - self.rho)
        if distance * self.slope <= SAME_ERROR * self.error * self.amplitude <= self.amplitude:
            return True
        change = distance * self.scale
        least = (self.error * self.amplitude - change) / (self.amplitude + change)
        return least > largest_error(fits)


def largest_error(fits: Sequence["SeriesFit"]) -> float:
    """Return the error up to which a candidate fits, given those that were tested."""
    return (
        10.0 * min((fit.error for fit in fits if np.isfinite(fit.error)), default=0.0) + CLOSE_FIT
    )


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


def _short_series(states: Array, rho: float) -> Array:
    return fourier_series(states, rho, _short_order(states))


def _short_order(states: Array) -> int:
    return min(TESTED_HARMONICS, len(states) // 16)
