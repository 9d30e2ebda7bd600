"""Rotation numbers of quasi-periodic motion."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.invariant_circles.fourier import average, fourier, misfit

COMPONENTS = 4
"""Principal components in whose planes the curve is looked at."""


WINDINGS = 3
"""How often a plane's picture of the curve may wind around its middle in one round of it."""


SAME = 1e-5
"""Difference of two estimates of one rotation number."""


PROBED = 32
"""Harmonics of the series by which candidates for the rotation number are compared."""


def rotation_number(states: Array) -> float:
    """Cycles per step, 0 to 1/2, of the motion on a closed curve, from its states [time, state].

    The mean advance of the angle in planes of principal components. If a curve does not wind around
    its middle once in one of them, the average is that of a multiple; the candidate whose Fourier
    series fits best is taken. NaN if there is none.
    """
    found = [(_misfit(states, rho), rho) for rho in _candidates(states)]
    finite = [pair for pair in found if np.isfinite(pair[0])]
    if not finite:
        return float("nan")
    least = min(off for off, _ in finite)
    # A part of the right number fits as well, by every other harmonic: the first that fits is it.
    return _refined(states, next(rho for off, rho in finite if off <= 10.0 * least + 1e-6))


def _candidates(states: Array) -> Iterator[float]:
    """Rotation numbers that the planes suggest, those of a single winding first."""
    centred = states - states.mean(axis=0)
    axes = np.linalg.svd(centred[: 4 * len(centred[0]) + 1000], full_matrices=False)[2]
    places = centred @ axes[:COMPONENTS].T
    planes = list(combinations(range(places.shape[1]), 2))
    advances = [mean_advance(places[:, plane[0]] + 1j * places[:, plane[1]]) for plane in planes]
    for winding in range(1, WINDINGS + 1):
        for advance in advances:
            for turn in range(winding):
                rho = (advance + turn) / winding % 1.0
                if 0.0 < rho < 1.0:
                    yield min(rho, 1.0 - rho)


def mean_advance(places: Array) -> float:
    """Mean advance per step, in turns from 0 to 1, of the angle of complex numbers [time].

    On a curve around 0 the advance of an angle is a whole number of turns nowhere, for the state
    would be fixed there: it is lifted where no advance is found.
    """
    steps = np.diff(np.angle(places)) / (2.0 * np.pi) % 1.0
    ordered = np.sort(steps)
    gaps = np.append(np.diff(ordered), ordered[0] + 1.0 - ordered[-1])
    widest = int(np.argmax(gaps))
    cut = (ordered[widest] + 0.5 * gaps[widest]) % 1.0
    lifted = (steps - cut) % 1.0 + cut
    return float(average(lifted) % 1.0)


def _refined(states: Array, rho: float) -> float:
    """The rotation number by the angle in the plane of the strongest harmonic, where the motion is
    most nearly uniform."""
    series = fourier(states, rho, min(PROBED, len(states) // 16))
    order = 1 + int(np.argmax(np.sum(np.abs(series[1:]) ** 2, axis=1)))
    advance = mean_advance((states - series[0].real) @ series[order].conj())
    found = rho + ((advance - order * rho + 0.5) % 1.0 - 0.5) / order
    return found if abs(found - rho) <= SAME else rho


def _misfit(states: Array, rho: float) -> float:
    """How badly a short Fourier series with this rotation number describes the states."""
    series = fourier(states, rho, min(PROBED, len(states) // 16))
    return misfit(states, rho, series)
