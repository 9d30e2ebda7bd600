"""Slow states that a network settles to at a constant input, and what a pulse does there."""

from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.linearisation.modes import Modes
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.dynamics.states.projection import principal_axes

REACH = 3
"""Neighbours on either side from which a line's direction is taken."""


@dataclass(frozen=True, eq=False)
class Settled:
    """Where starts come to rest, or nearly: state [start, state], of those that don't the last;
    speed [start]: |F(h) - h| there, as a share of the starts' spread; slow [start]: whether that is
    little enough; time [start]: steps that it took."""

    state: Array
    speed: Array
    slow: Array
    time: Array


def settled(system: AutonomousSystem, starts: Array, speed: float, steps: int) -> Settled:
    """The first slow state on the way of each of starts [start, state].

    Slow is a step shorter than `speed` times the starts' spread, the root mean square distance from
    their mean. Unlike a search for minima of the speed this does not slide along a line of slow
    points: the network's own fast modes die away, and what is left is where it would stay.
    """
    if not len(starts):
        none = np.zeros(0)
        return Settled(starts, none, none.astype(bool), none.astype(int))
    ways = system.simulate(starts, 0, steps + 1)
    spread = np.sqrt(np.mean(np.sum((starts - starts.mean(axis=0)) ** 2, axis=1)))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        length = np.linalg.norm(np.diff(ways, axis=1), axis=2) / spread
    slow = length <= speed  # comparisons with NaN are false
    reached = slow.any(axis=1)
    time = np.where(reached, slow.argmax(axis=1), steps - 1)
    each = np.arange(len(starts))
    return Settled(ways[each, time], length[each, time], reached, time)


def pulse_response(system: AutonomousSystem, state: Array, pulse: Array, steps: int) -> Array:
    """What one step of a pulse [input] on top of the system's input changes: [point, time, state],
    for so many steps, the first of them that of the pulse."""
    struck = replace(system, constant_input=system.constant_input + pulse).step(state)
    return system.simulate(struck, 0, steps) - system.simulate(state, 1, steps)


def selection(linear: Modes, effect: Array) -> Array:
    """Cosine of the angle between the slowest left mode and what each input does to the state,
    effect [point, state, input]: [point, input]; to the plane that they span if it is complex.

    The slowest left mode selects what moves a state along a line attractor (Mante, Sussillo, Shenoy
    & Newsome 2013). NaN where the Jacobian is not diagonalisable or an input has no effect.
    """
    found = np.full((effect.shape[0], effect.shape[2]), np.nan)
    for point in np.flatnonzero(~linear.defective):
        left, moved = linear.left[point, 0], effect[point]
        with np.errstate(invalid="ignore"):
            size = np.linalg.norm(moved, axis=0)
            if linear.eigenvalues[point, 0].imag:
                plane = np.linalg.qr(np.stack([left.real, left.imag], axis=1))[0]
                found[point] = np.linalg.norm(plane.T @ moved, axis=0) / size
            else:
                found[point] = left.real @ moved / np.linalg.norm(left.real) / size
    return found


def alignment(linear: Modes, state: Array) -> Array:
    """Cosine of the angle, 0 to 1, between the slowest right mode and the direction in which a line
    of points state [point, state], in their order on it, goes on: [point].

    1 where what decays slowest is motion along the line, so that all other modes contract across
    it. The direction at a point is the first principal component of the points around it; of a
    complex mode the plane counts. NaN for fewer points than that takes, or where they coincide.
    """
    count = 2 * REACH + 1
    if len(state) < count:
        return np.full(len(state), np.nan)
    first = np.clip(np.arange(len(state)) - REACH, 0, len(state) - count)
    around = state[first[:, None] + np.arange(count)]
    sizes, axes = principal_axes(around - around.mean(axis=1, keepdims=True))
    along = np.where(sizes[:, :1] > 0.0, axes[:, 0], np.nan)
    found = np.zeros(len(state))
    for point, mode in enumerate(linear.right[:, 0]):
        rotates = linear.eigenvalues[point, 0].imag != 0.0
        parts = [mode.real, mode.imag] if rotates else [mode.real]
        found[point] = np.linalg.norm(np.linalg.qr(np.stack(parts, axis=1))[0].T @ along[point])
    return found


def slow_gain(linear: Modes, effect: Array, readout: Array) -> Array:
    """What a unit pulse of each input, effect [point, state, input], adds to a readout [state] by
    the slowest mode (or conjugate pair) alone, before it decays: [point, input]."""
    moved = np.einsum("ps,psi->pi", linear.left[:, 0], effect)
    seen = linear.right[:, 0] @ readout
    pair = np.where(linear.eigenvalues[:, 0].imag != 0.0, 2.0, 1.0)
    found: Array = (moved * seen[:, None]).real * pair[:, None]
    return found
