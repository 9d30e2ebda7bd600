"""Fourier series of closed curves from weighted Birkhoff averages along a trajectory.

The average is sum_t w(t / T) f(h_t) with w(s) = exp(-1 / (s (1 - s))). On quasi-periodic motion it
converges faster than any power of the number of steps (Das et al. 2016).
"""

from collections.abc import Callable

import numpy as np

from rnnstudy.core.arrays import Array

SERIES_ORDERS = (2, 4, 8, 16, 32, 64, 128, 256, 512)
"""Highest orders of the Fourier series that are compared."""


def birkhoff_weights(count: int) -> Array:
    """Return Birkhoff weights `[time]` that sum to 1."""
    share = (np.arange(count) + 1.0) / (count + 1.0)
    bump = np.exp(-1.0 / (share * (1.0 - share)))
    weights: Array = bump / bump.sum()
    return weights


def birkhoff_average(values: Array) -> Array:
    """Return the weighted Birkhoff average `[...]` of values `[time, ...]` along a trajectory."""
    average: Array = np.tensordot(birkhoff_weights(len(values)), values, axes=1)
    return average


def fourier_series(states: Array, rho: float, harmonics: int) -> Array:
    """Return the Fourier coefficients of the curve K with K(rho t) = h_t.

    Parameters
    ----------
    states
        States on the curve, `[time, state]`.
    rho
        Rotation number, in turns per step.
    harmonics
        Highest order.

    Returns
    -------
    array
        Complex coefficients of order 0 to `harmonics`, `[harmonic, state]`.
    """
    return _series(states, _harmonics(_phases(rho, len(states)), harmonics + 1))


def _phases(rho: float, count: int) -> Array:
    """Return the phases of so many steps, in turns.

    Their fractions are taken first: these are exact, unlike those of a large multiple.
    """
    return rho * np.arange(count) % 1.0


def _harmonics(phases: Array, count: int) -> Array:
    """Return exp(2 pi i k phase) for orders k from 0, `[harmonic, phase]`.

    Products are many times faster than exponentials, and as exact to some 1e-14.
    """
    waves = np.ones((count, len(phases)), complex)
    done, power = 1, np.exp(2j * np.pi * phases)
    while done < count:
        # The orders so far, times the power of the first order that is missing.
        width = min(done, count - done)
        np.multiply(waves[:width], power, out=waves[done : done + width])
        done, power = done + width, power * power
    return waves


def _series(states: Array, waves: Array) -> Array:
    """Return the coefficients `[harmonic, state]` from waves `[harmonic, time]`.

    States are real, so that a product of real matrices does, which is faster than a complex one.
    """
    weighted = states * birkhoff_weights(len(states))[:, None]
    return _as_complex(_as_real(waves) @ weighted).conj()


def _curve(series: Array, waves: Array) -> Array:
    """Return states `[phase, state]` of a series at the phases of waves `[harmonic, phase]`."""
    # The real part of a product of complex numbers.
    states: Array = 2.0 * (_as_real(waves).T @ _as_real(series.conj())) - series[0].real
    return states


def _as_real(numbers: Array) -> Array:
    """Return real parts above imaginary parts, `[n, ...]` -> `[2 n, ...]`."""
    return np.concatenate([numbers.real, numbers.imag])


def _as_complex(parts: Array) -> Array:
    """Return the complex numbers of `_as_real`."""
    real, imaginary = np.split(parts, 2)
    numbers: Array = real + 1j * imaginary
    return numbers


def curve_at(series: Array, phases: Array) -> Array:
    """Return states `[phase, state]` of a Fourier series at phases in turns."""
    return _curve(series, _harmonics(np.asarray(phases), len(series)))


def amplitude(series: Array) -> float:
    """Return the root mean square distance of the curve from its mean."""
    return float(np.sqrt(2.0 * np.sum(np.abs(series[1:]) ** 2)))


def curve_error(states: Array, rho: float, series: Array) -> float:
    """Return the distance of states `[time, state]` from the curve at their phases.

    It is a root mean square, as a share of the amplitude.
    """
    return _relative_error(states - curve_at(series, _phases(rho, len(states))), series)


def fitted_series(states: Array, rho: float, harmonics: int) -> tuple[Array, float]:
    """Return the Fourier series of states `[time, state]`, and its `curve_error`.

    It is faster than both steps one after the other.
    """
    waves = _harmonics(_phases(rho, len(states)), harmonics + 1)
    series = _series(states, waves)
    return series, _relative_error(states - _curve(series, waves), series)


def _relative_error(error: Array, series: Array) -> float:
    """Return the root mean square of errors `[time, state]` as a share of the amplitude."""
    size = amplitude(series)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.sqrt(np.mean(np.sum(error**2, axis=1))) / size) if size else float("inf")


def invariance_error(series: Array, rho: float, step: Callable[[Array], Array]) -> float:
    """Return the root mean square of F(K(phase)) - K(phase + rho), as a share of the amplitude.

    Parameters
    ----------
    series
        Fourier series of the curve K, `[harmonic, state]`.
    rho
        Rotation number, in turns per step.
    step
        F: states `[point, state]` -> next states.
    """
    phases = np.arange(4 * len(series)) / (4 * len(series))
    error = step(curve_at(series, phases)) - curve_at(series, phases + rho)
    return float(np.sqrt(np.mean(np.sum(error**2, axis=1))) / amplitude(series))


def fit_curve(
    states: Array, rho: float, harmonics: int, step: Callable[[Array], Array]
) -> tuple[Array, float]:
    """Return the Fourier series whose curve is closest to invariant, and its error.

    More harmonics than the states resolve would oscillate between them.

    Parameters
    ----------
    states
        States on the curve, `[time, state]`.
    rho
        Rotation number, in turns per step.
    harmonics
        Highest order that is tested.
    step
        F: states `[point, state]` -> next states.
    """
    series = fourier_series(states, rho, harmonics)
    orders = [order for order in SERIES_ORDERS if order < harmonics] + [harmonics]
    errors = [(invariance_error(series[: order + 1], rho, step), order) for order in orders]
    least, order = min(errors)
    return series[: order + 1], least


def match_phase(series: Array, reference: Array) -> Array:
    """Return a series with its phase shifted so that its curve is nearest to a reference.

    The shift comes from the harmonic that is strongest in both. An order of k leaves k shifts.
    """
    count = min(len(series), len(reference))
    overlap = np.sum(series[:count].conj() * reference[:count], axis=1)
    overlap[0] = 0.0
    order = int(np.argmax(np.abs(overlap)))
    if order == 0:
        return series
    base = np.angle(overlap[order]) / (2 * np.pi)
    shifts = (base + np.arange(order)) / order
    orders = np.arange(len(series))
    shifted = [series * np.exp(2j * np.pi * orders * shift)[:, None] for shift in shifts]
    return min(shifted, key=lambda each: curve_distance(each, reference))


def curve_distance(series: Array, reference: Array) -> float:
    """Return the root mean square distance of two curves, phase by phase."""
    difference = np.zeros((max(len(series), len(reference)), series.shape[1]), complex)
    difference[: len(series)] += series
    difference[: len(reference)] -= reference
    squares = np.abs(difference) ** 2
    return float(np.sqrt(np.sum(squares[0]) + 2.0 * np.sum(squares[1:])))
