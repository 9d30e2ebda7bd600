"""Slow states of a network at a constant input, and the effect of input pulses on them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.linearisation.modes import Modes
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem
from rnnstudy.dynamics.states.projection import principal_axes

DIRECTION_NEIGHBOURS = 3
"""Points on either side from which the direction of a line is estimated."""


@dataclass(frozen=True, eq=False)
class SlowStates:
    """First slow state on the trajectory of each start."""

    state: Array
    """The slow state, or the last state of a trajectory without one: [start, state]."""
    speed: Array
    """|F(h) - h| at the state, as a share of the spread of the starts: [start]."""
    is_slow: Array
    """Mask of the trajectories with a slow state: [start]."""
    time: Array
    """Steps to the state: [start]."""


def first_slow_states(
    system: AutonomousSystem, starts: Array, speed: float, steps: int
) -> SlowStates:
    """Return the first slow state on the trajectory of each of starts [start, state].

    A state is slow if its step is shorter than `speed` times the spread of the starts. The spread
    is their root mean square distance from their mean. A search for minima of the speed would slide
    along a line of slow points. A trajectory does not: its fast modes decay, and it stops on the
    line.
    """
    if not len(starts):
        none = np.zeros(0)
        return SlowStates(starts, none, none.astype(bool), none.astype(int))
    states = system.simulate(starts, 0, steps + 1)
    spread = np.sqrt(np.mean(np.sum((starts - starts.mean(axis=0)) ** 2, axis=1)))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        length = np.linalg.norm(np.diff(states, axis=1), axis=2) / spread
    slow = length <= speed  # comparisons with NaN are false
    has_slow = slow.any(axis=1)
    time = np.where(has_slow, slow.argmax(axis=1), steps - 1)
    rows = np.arange(len(starts))
    return SlowStates(states[rows, time], length[rows, time], has_slow, time)


def pulse_response(
    system: AutonomousSystem,
    state: Array,
    pulse: Array,
    steps: int,
    readout: Callable[[Array], Array] = np.asarray,
) -> Array:
    """Return the effect of one step of an added input pulse, [point, time, output].

    state [point, state]; pulse [input]. The first of the steps is that of the pulse. readout:
    function of states [point, time, state]; by default the effect is that on the state.
    """
    pulsed = replace(system, constant_input=system.constant_input + pulse).step(state)
    after = readout(system.simulate(pulsed, 0, steps))
    return after - readout(system.simulate(state, 1, steps))


def selection(linear: Modes, effect: Array) -> Array:
    """Return the cosine of the slowest left mode with the effect of each input, [point, input].

    effect [point, state, input]. A complex mode counts as the plane that it spans. The slowest left
    mode selects inputs that move a state along a line attractor (Mante, Sussillo, Shenoy & Newsome
    2013). NaN for a Jacobian that is not diagonalisable and for an input without effect.
    """
    cosines = np.full((effect.shape[0], effect.shape[2]), np.nan)
    for point in np.flatnonzero(~linear.defective):
        slowest, moved = linear.left[point, 0], effect[point]
        with np.errstate(invalid="ignore"):
            size = np.linalg.norm(moved, axis=0)
            if linear.eigenvalues[point, 0].imag:
                plane = np.linalg.qr(np.stack([slowest.real, slowest.imag], axis=1))[0]
                cosines[point] = np.linalg.norm(plane.T @ moved, axis=0) / size
            else:
                cosines[point] = slowest.real @ moved / np.linalg.norm(slowest.real) / size
    return cosines


def line_alignment(linear: Modes, state: Array) -> Array:
    """Return the cosine, 0 to 1, of the slowest right mode with the line of points, [point].

    state [point, state], in their order on the line. At 1 the slowest mode is motion along the
    line, and all other modes contract across it. The direction of the line at a point is the first
    principal component of its neighbours. A complex mode counts as the plane that it spans. NaN
    with too few points, and where they coincide.
    """
    count = 2 * DIRECTION_NEIGHBOURS + 1
    if len(state) < count:
        return np.full(len(state), np.nan)
    first = np.clip(np.arange(len(state)) - DIRECTION_NEIGHBOURS, 0, len(state) - count)
    neighbours = state[first[:, None] + np.arange(count)]
    sizes, axes = principal_axes(neighbours - neighbours.mean(axis=1, keepdims=True))
    directions = np.where(sizes[:, :1] > 0.0, axes[:, 0], np.nan)
    cosines = np.zeros(len(state))
    for point, mode in enumerate(linear.right[:, 0]):
        rotates = linear.eigenvalues[point, 0].imag != 0.0
        parts = [mode.real, mode.imag] if rotates else [mode.real]
        basis = np.linalg.qr(np.stack(parts, axis=1))[0]
        cosines[point] = np.linalg.norm(basis.T @ directions[point])
    return cosines


def slow_gain(linear: Modes, effect: Array, readout: Array) -> Array:
    """Return the effect of unit pulses on a readout by the slowest mode alone, [point, input].

    effect [point, state, input]; readout [state], or [point, state]. A conjugate pair counts as one
    mode. The effect is that before the mode decays.
    """
    amplitude = np.einsum("ps,psi->pi", linear.left[:, 0], effect)
    slowest = linear.right[:, 0]
    mode_readout = slowest @ readout if readout.ndim == 1 else np.sum(slowest * readout, axis=1)
    pair = np.where(linear.eigenvalues[:, 0].imag != 0.0, 2.0, 1.0)
    gain: Array = (amplitude * mode_readout[:, None]).real * pair[:, None]
    return gain
