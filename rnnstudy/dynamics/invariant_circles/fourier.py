"""Quasi-periodic motion on a closed curve: its rotation number and its Fourier series.

Weighted Birkhoff averages (Das, Dock, Saiki, Salgado-Flores, Sander, Wu & Yorke 2016) converge
faster than any power of the number of steps where plain averages gain a digit for ten times as
many: sum_t w(t / T) f(h_t) with w(s) = exp(-1 / (s (1 - s))).
"""

from collections.abc import Callable

import numpy as np

from rnnstudy.core.arrays import Array

HARMONICS = (2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Lengths of Fourier series that are tried."""


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
