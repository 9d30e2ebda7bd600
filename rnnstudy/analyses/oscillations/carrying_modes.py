"""Oscillations at constant inputs: how fast they are, what they go around, what carries them."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.record import FixedPoints
from rnnstudy.dynamics.invariant_circles.fourier import birkhoff_weights
from rnnstudy.dynamics.invariant_circles.rotation import mean_advance
from rnnstudy.dynamics.linearisation.modes import Modes

STILL = 1e-6
"""Amplitude below which a signal rests, as a share of the root mean square of the largest."""


def frequencies_of(signals: Array) -> Array:
    """Frequency, in cycles per step, of the strongest oscillation in signals [signal, time].

    The maximum of the spectrum under a smooth window, between the frequencies of the discrete
    Fourier transform too. NaN where a signal is not finite, or rests while others don't.
    """
    if signals.ndim != 2 or signals.shape[1] < 16:
        raise ValueError(
            f"signals should be [signal, time] of 16 steps at least, their shape is {signals.shape}"
        )
    with np.errstate(invalid="ignore", over="ignore"):
        centred = signals - signals.mean(axis=1, keepdims=True)
        size = np.sqrt(np.mean(centred**2, axis=1))
    finite = np.isfinite(size)
    least = STILL * max(1e-12, float(size[finite].max(initial=0.0)))
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
    found = minimize_scalar(power, bounds=bounds, method="bounded", options={"xatol": 1e-9})
    return float(found.x)


def central_points(points: FixedPoints, centres: Array) -> Array:
    """For each input the position of the fixed point nearest its centre [input point, state]; -1 if
    it has none."""
    found = np.full(len(centres), -1)
    for position, centre in enumerate(centres):
        own = np.flatnonzero(points.input_index == position)
        if len(own) and np.isfinite(centre).all():
            distance = np.linalg.norm(points.state[own] - centre, axis=1)
            found[position] = own[np.argmin(distance)]
    return found


def carrying_pairs(modes: Modes, orbits: Array, points: Array, readout: Array) -> Array:
    """The complex pair of modes that carries each orbit, as the position of its member with the
    positive angle: [point], -1 where no eigenvalue is complex.

    orbits [point, time, state]: states on the cycle around each of the points [point, state];
    readout [state, output]. Of the unstable pairs that whose part in the orbit, by its left mode,
    makes the largest share of what is read out; if none is unstable, the slowest. Chosen by the
    plane in which the orbit lies and not by any frequency, so that frequencies can be compared; the
    largest modulus fails where a network has further unstable rotations.
    """
    found = np.full(len(points), -1)
    for i, values in enumerate(modes.eigenvalues):
        pairs = np.flatnonzero(values.imag > 0.0)
        unstable = pairs[np.abs(values[pairs]) > 1.0]
        # Stable ones only cancel each other, the more the less orthogonal they are.
        pairs = unstable if len(unstable) else pairs[:1]
        if not len(pairs):
            continue
        part = (orbits[i] - points[i]) @ modes.left[i, pairs].T
        amount = np.sqrt(np.mean(np.abs(part) ** 2, axis=0))
        seen = np.linalg.norm(modes.right[i, pairs] @ readout, axis=1)
        # Without left modes (a defective Jacobian) the first, of the largest modulus, is taken.
        found[i] = pairs[np.argmax(np.nan_to_num(amount * seen))]
    return found


def turns(modes: Modes, orbits: Array, points: Array, pairs: Array) -> Array:
    """How often per step, 0 to 1/2, each orbit [point, time, state] goes around its point [point,
    state], seen in the plane of a complex mode (pairs [point], as `carrying_pairs` gives them).

    The mean advance of the angle of the mode's part in the orbit: the rotation number of a cycle
    that goes around once a period. NaN without a mode.
    """
    found = np.full(len(points), np.nan)
    for i in np.flatnonzero(pairs >= 0):
        left = modes.left[i, pairs[i]]
        if np.isfinite(left).all():
            advance = mean_advance((orbits[i] - points[i]) @ left)
            found[i] = min(advance, 1.0 - advance)
    return found
