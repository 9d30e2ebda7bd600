"""Guesses of periodic orbits of vector fields: returns of trajectories to their own past."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem

SAMPLES_PER_UNIT = 4
"""Samples of a trajectory per typical time of the field."""

RECORDED_UNITS = 400
"""Recorded time after the transient, in typical times: the longest period that a return shows."""

ESCAPE_SIZE = 1e3
"""Root mean square, as a share of the scale, at which a trajectory stops: it has escaped."""

GUESS_ERROR = 1e-8
"""Relative error of a step on trajectories that only make guesses."""

MAX_GAP = 0.1
"""Largest gap of a return, as a share of the trajectory's root mean square spread."""

SETTLED_GAP = 1e-3
"""Gap, as the same share, below which the first return is the period: the trajectory repeats."""

SECTION_STATES = 8
"""States of each trajectory whose returns are examined."""

PASSAGE_BISECTIONS = 40
"""Bisections of a sample's length for the time of a passage."""

REST_SPREAD = 1e-6
"""Spread, as a share of the scale, of a trajectory that has come to rest."""


@dataclass(frozen=True, eq=False)
class OrbitGuess:
    """Guess of a periodic orbit: a state `[state]`, its period, and the gap after it.

    start: position of the start that led there.
    """

    state: Array
    period: float
    gap: float
    start: int


def trajectories(
    system: AutonomousSystem, starts: Array, transient: float, sign: int
) -> tuple[Array, Array]:
    """Return times `[time]` and trajectories `[start, time, state]` after a transient.

    They are forward in time for sign 1, backward for -1. A state that escapes stays where it does.
    """
    # Imported late: a plan is checked without it and it takes a while to import.
    from scipy.integrate import solve_ivp

    unit, scale = system.networks.time_unit, system.scale
    begin = transient * unit
    times = np.arange(RECORDED_UNITS * SAMPLES_PER_UNIT + 1) * unit / SAMPLES_PER_UNIT

    def rates(_: float, values: Array) -> Array:
        states = values.reshape(starts.shape)
        # A comparison with NaN is false.
        is_near = np.sqrt(np.mean(states**2, axis=1)) <= ESCAPE_SIZE * scale
        inside = np.where(is_near[:, None], states, 0.0)
        return np.where(is_near[:, None], sign * system.rates(inside), 0.0).ravel()

    solution: Any = solve_ivp(
        rates, (0.0, begin + times[-1]), starts.ravel(), "DOP853", begin + times,
        rtol=GUESS_ERROR, atol=GUESS_ERROR * scale,
    )  # fmt: skip
    states = solution.y.T.reshape(-1, *starts.shape)
    return times[: len(states)], np.moveaxis(states, 0, 1)


def has_escaped(system: AutonomousSystem, trajectory: Array) -> bool:
    """Return True if a trajectory `[time, state]` is not bounded."""
    if not len(trajectory):
        return True
    return not np.sqrt(np.mean(trajectory[-1] ** 2)) <= 0.5 * ESCAPE_SIZE * system.scale


def is_at_rest(system: AutonomousSystem, trajectory: Array) -> bool:
    """Return True if a trajectory `[time, state]` has come to a fixed point."""
    later = trajectory[len(trajectory) // 2 :]
    return bool(np.ptp(later, axis=0).max(initial=0.0) <= REST_SPREAD * system.scale)


def guess_from_returns(times: Array, trajectory: Array, start: int) -> list[OrbitGuess]:
    """Return guesses of periodic orbits from the returns of one trajectory `[time, state]`.

    A return is a passage of the plane through a state across the trajectory there. A trajectory
    that repeats has one guess, its first return. Otherwise each state has two: the first return
    that is near enough, and the nearest one.
    """
    spread = float(np.sqrt(np.mean(np.var(trajectory, axis=0))))
    guesses: list[OrbitGuess] = []
    for i in np.linspace(1, len(times) // 2, SECTION_STATES).astype(int):
        passages, gaps = _passages(trajectory[i - 1 :])
        near = np.flatnonzero(gaps <= MAX_GAP * spread)
        if not len(near):
            continue
        is_settled = gaps.min() <= SETTLED_GAP * spread
        settled = np.flatnonzero(gaps <= max(SETTLED_GAP * spread, 3.0 * gaps.min()))
        chosen = settled[:1] if is_settled else np.unique([near[0], gaps.argmin()])
        step = float(times[1] - times[0])
        guesses += [
            OrbitGuess(trajectory[i], float(passages[k]) * step, float(gaps[k]), start)
            for k in chosen
        ]
        if is_settled:
            break
    return guesses


def _passages(path: Array) -> tuple[Array, Array]:
    """Return the times, in samples, at which a path passes the plane at its second sample again.

    path `[time, state]`. With the times `[passage]` come the distances from that sample.
    """
    state, rate = path[1], path[2] - path[0]
    height = (path[1:] - state) @ rate
    before = 1 + np.flatnonzero((height[1:-2] < 0) & (height[2:-1] >= 0))
    # Cubic interpolation of four samples around each passage, whose time is found by bisection.
    corners = np.stack([path[before + k] for k in range(4)])
    low, high = np.zeros(len(before)), np.ones(len(before))
    for _ in range(PASSAGE_BISECTIONS):
        middle = 0.5 * (low + high)
        is_behind = (_cubic(corners, middle) - state) @ rate >= 0
        low, high = np.where(is_behind, low, middle), np.where(is_behind, middle, high)
    gaps = np.sqrt(np.mean((_cubic(corners, high) - state) ** 2, axis=1))
    return before + high, gaps


def _cubic(corners: Array, share: Array) -> Array:
    """Return cubic interpolation `[passage, state]` of samples `[4, passage, state]` at -1 to 2.

    share `[passage]`: position between the second sample and the third.
    """
    u = share[:, None]
    weights = (
        -u * (u - 1.0) * (u - 2.0) / 6.0,
        (u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0,
        -(u + 1.0) * u * (u - 2.0) / 2.0,
        (u + 1.0) * u * (u - 1.0) / 6.0,
    )
    return np.asarray(sum(w * corner for w, corner in zip(weights, corners, strict=True)))
