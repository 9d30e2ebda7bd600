"""Frequencies of oscillations, and the complex pairs of modes that carry them."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.invariant_circles.fourier import birkhoff_weights
from rnnstudy.dynamics.invariant_circles.rotation import mean_advance
from rnnstudy.dynamics.linearisation.modes import Modes

MIN_RELATIVE_AMPLITUDE = 1e-6
"""Smallest amplitude of an oscillation, as a share of the root mean square of the largest."""

MIN_STEPS = 16
"""Smallest length of a signal with a frequency."""


def frequencies_of(signals: Array) -> Array:
    """Return the frequency, in cycles per step, of the strongest oscillation of each signal.

    Parameters
    ----------
    signals
        `[signal, time]`, at least 16 steps.

    Returns
    -------
    `[signal]`: position of the maximum of the spectrum under a smooth window, also between the
    frequencies of the discrete Fourier transform. NaN for a signal that is not finite, and for one
    that is constant while others are not.

    Raises
    ------
    ValueError
        If the shape is another one.

    Examples
    --------
    >>> time = np.arange(200)
    >>> frequencies_of(np.sin(2 * np.pi * 0.07 * time)[None]).round(4)
    array([0.07])
    """
    if signals.ndim != 2 or signals.shape[1] < MIN_STEPS:
        raise ValueError(
            f"signals must have the shape [signal, time] with at least {MIN_STEPS} steps, got "
            f"{signals.shape}. Simulate more steps."
        )
    with np.errstate(invalid="ignore", over="ignore"):
        centred = signals - signals.mean(axis=1, keepdims=True)
        size = np.sqrt(np.mean(centred**2, axis=1))
    finite = np.isfinite(size)
    least = MIN_RELATIVE_AMPLITUDE * max(1e-12, float(size[finite].max(initial=0.0)))
    return np.array([
        _frequency(signal) if good and amount > least else np.nan
        for signal, good, amount in zip(centred, finite, size, strict=True)
    ])  # fmt: skip


def _frequency(signal: Array) -> float:
    from scipy.optimize import minimize_scalar

    window = birkhoff_weights(len(signal))
    tapered = (signal - window @ signal) * window
    time = np.arange(len(signal))

    def power(frequency: float) -> float:
        return -float(np.abs(np.exp(-2j * np.pi * frequency * time) @ tapered))

    peak = int(np.argmax(np.abs(np.fft.rfft(tapered)[1:]))) + 1
    width = 1.0 / len(signal)
    bounds = (max(peak - 1, 0.25) * width, min((peak + 1) * width, 0.5))
    optimum = minimize_scalar(power, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return float(optimum.x)


def central_points(points: FixedPoints, centres: Array) -> Array:
    """Return the index of the fixed point nearest the centre of each input; -1 without any.

    centres [input point, state].
    """
    nearest = np.full(len(centres), -1)
    for position, centre in enumerate(centres):
        candidates = np.flatnonzero(points.input_index == position)
        if len(candidates) and np.isfinite(centre).all():
            distance = np.linalg.norm(points.state[candidates] - centre, axis=1)
            nearest[position] = candidates[np.argmin(distance)]
    return nearest


def carrying_pairs(modes: Modes, orbits: Array, points: Array, readout: Array) -> Array:
    """Return the complex pair of modes that carries each orbit, [point].

    The pair is the position of its mode with the positive angle, -1 if no eigenvalue is complex.
    Among unstable pairs it is the one with the largest part of the orbit, by its left mode, in the
    readout. Without unstable pairs it is the slowest. The choice uses the plane of the orbit, not a
    frequency, so that frequencies can be compared. The largest modulus would fail for a network
    with further unstable rotations.

    Parameters
    ----------
    modes
        Modes at the points.
    orbits
        States on the cycle around each point, `[point, time, state]`.
    points
        `[point, state]`.
    readout
        `[state, output]`, or `[point, state, output]`.
    """
    carrying = np.full(len(points), -1)
    for i, values in enumerate(modes.eigenvalues):
        pairs = np.flatnonzero(values.imag > 0.0)
        unstable = pairs[np.abs(values[pairs]) > 1.0]
        # Stable ones only cancel each other, the more the less orthogonal they are.
        pairs = unstable if len(unstable) else pairs[:1]
        if not len(pairs):
            continue
        part = (orbits[i] - points[i]) @ modes.left[i, pairs].T
        amount = np.sqrt(np.mean(np.abs(part) ** 2, axis=0))
        kernel = readout if readout.ndim == 2 else readout[i]
        readout_size = np.linalg.norm(modes.right[i, pairs] @ kernel, axis=1)
        # Without left modes (a defective Jacobian) the first, of the largest modulus, is taken.
        carrying[i] = pairs[np.argmax(np.nan_to_num(amount * readout_size))]
    return carrying


def turns(modes: Modes, orbits: Array, points: Array, pairs: Array) -> Array:
    """Return the turns per step, 0 to 1/2, of each orbit around its point, [point].

    A turn is counted in the plane of a complex mode: it is the mean advance of the angle of the
    mode's part in the orbit. For a cycle that goes around once a period it is the rotation number.
    NaN without a mode.

    Parameters
    ----------
    modes
        Modes at the points.
    orbits
        `[point, time, state]`.
    points
        `[point, state]`.
    pairs
        Modes of `carrying_pairs`, `[point]`.
    """
    rotation = np.full(len(points), np.nan)
    for i in np.flatnonzero(pairs >= 0):
        mode = modes.left[i, pairs[i]]
        if np.isfinite(mode).all():
            advance = mean_advance((orbits[i] - points[i]) @ mode)
            rotation[i] = min(advance, 1.0 - advance)
    return rotation
