"""Quasi-periodic motion on a closed curve: its rotation number and its Fourier series.

Weighted Birkhoff averages (Das, Dock, Saiki, Salgado-Flores, Sander, Wu & Yorke 2016) converge
faster than any power of the number of steps where plain averages gain a digit for ten times as
many: sum_t w(t / T) f(h_t) with w(s) = exp(-1 / (s (1 - s))).
"""

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

Array = np.ndarray

COMPONENTS = 4
"""Principal components in whose planes the curve is looked at."""

WINDINGS = 3
"""How often a plane's picture of the curve may wind around its middle in one round of it."""

SAME = 1e-5
"""Difference of two estimates of one rotation number."""

HARMONICS = (2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Lengths of Fourier series that are tried."""

PROBED = 32
"""Harmonics of the series by which candidates for the rotation number are compared."""


def weights(count: int) -> Array:
    """Birkhoff weights [time] that sum to 1."""
    share = (np.arange(count) + 1.0) / (count + 1.0)
    bump = np.exp(-1.0 / (share * (1.0 - share)))
    found: Array = bump / bump.sum()
    return found


def average(values: Array) -> Array:
    """Weighted Birkhoff average [...] of values [time, ...] along a trajectory."""
    found: Array = np.tensordot(weights(len(values)), values, axes=1)
    return found


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


def fourier(states: Array, rho: float, harmonics: int) -> Array:
    """Coefficients [harmonic, state] of order 0 to `harmonics` of the curve K with
    K(rho t) = h_t, from states [time, state]."""
    time = np.arange(len(states))
    # The phase first: its fractions are exact, those of a large multiple are not.
    phase = np.outer(np.arange(harmonics + 1), rho * time % 1.0)
    waves = np.exp(-2j * np.pi * phase) * weights(len(states))
    found: Array = waves @ states
    return found


def curve(series: Array, phases: Array) -> Array:
    """States [phase, state] of a Fourier series at phases in turns."""
    waves = np.exp(2j * np.pi * np.outer(phases, np.arange(len(series))))
    found: Array = 2.0 * (waves @ series).real - series[0].real
    return found


def amplitude(series: Array) -> float:
    """Root mean square distance of the curve from its mean."""
    return float(np.sqrt(2.0 * np.sum(np.abs(series[1:]) ** 2)))


def misfit(states: Array, rho: float, series: Array) -> float:
    """Root mean square distance of states [time, state] from the curve at their phases, as a share
    of its amplitude."""
    off = states - curve(series, rho * np.arange(len(states)) % 1.0)
    size = amplitude(series)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.sqrt(np.mean(np.sum(off**2, axis=1))) / size) if size else float("inf")


def invariance(series: Array, rho: float, step: Callable[[Array], Array]) -> float:
    """Root mean square of F(K(phase)) - K(phase + rho) over all phases, as a share of the
    amplitude; step: states [point, state] -> F of each."""
    phases = np.arange(4 * len(series)) / (4 * len(series))
    off = step(curve(series, phases)) - curve(series, phases + rho)
    return float(np.sqrt(np.mean(np.sum(off**2, axis=1))) / amplitude(series))


def fitted(
    states: Array, rho: float, most: int, step: Callable[[Array], Array]
) -> tuple[Array, float]:
    """The Fourier series of at most so many harmonics whose curve is most nearly invariant, and
    how much it is not: more than the states resolve would run wild between them."""
    whole = fourier(states, rho, most)
    lengths = [count for count in HARMONICS if count < most] + [most]
    found = [(invariance(whole[: count + 1], rho, step), count) for count in lengths]
    least, count = min(found)
    return whole[: count + 1], least


def aligned(series: Array, other: Array) -> Array:
    """A series with its phase shifted so that its curve is nearest to another's.

    By the harmonic that both have most of; of order k it leaves k shifts to choose from.
    """
    count = min(len(series), len(other))
    overlap = np.sum(series[:count].conj() * other[:count], axis=1)
    overlap[0] = 0.0
    order = int(np.argmax(np.abs(overlap)))
    if order == 0:
        return series
    base = np.angle(overlap[order]) / (2 * np.pi)
    shifts = (base + np.arange(order)) / order
    orders = np.arange(len(series))
    every = [series * np.exp(2j * np.pi * orders * shift)[:, None] for shift in shifts]
    return min(every, key=lambda shifted: distance(shifted, other))


def distance(series: Array, other: Array) -> float:
    """Root mean square distance of two curves, phase by phase."""
    off = np.zeros((max(len(series), len(other)), series.shape[1]), complex)
    off[: len(series)] += series
    off[: len(other)] -= other
    return float(np.sqrt(np.sum(np.abs(off[0]) ** 2) + 2.0 * np.sum(np.abs(off[1:]) ** 2)))
