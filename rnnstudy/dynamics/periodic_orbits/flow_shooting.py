"""Multiple shooting for periodic orbits of vector fields, with the period among the unknowns."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import pause_point
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem

SHOOTING_RTOL, SHOOTING_ATOL = 1e-12, 1e-13
"""Errors of a step of the integration, the second as a share of the scale."""

UNITS_PER_SEGMENT = 6.0
"""Typical times per segment. Neighbours part by some exp(6) at most there."""

MIN_SEGMENTS, MAX_SEGMENTS = 4, 48
"""Least and largest number of segments."""

MAX_PERIOD_CHANGE = 3.0
"""Factor by which the period may leave its guess, up or down."""

STEP_SHARES = (1.0, 0.5, 0.2, 0.05, 0.01)
"""Shares of Newton's step that are tried until the residual falls."""

LONG_STEP = 0.1
"""Newton step, as a share of the scale and of the typical time, that degeneracy may have caused."""

LEAST_SINGULAR = 1e-7
"""Singular value, as a share of the largest, below which a direction is left out of a long step."""

LAST_STEP = 1e-10
"""Newton step, as a share of the scale, after which no further one is needed."""


@dataclass(frozen=True, eq=False)
class FlowOrbit:
    """A solution of multiple shooting for a vector field.

    Parameters
    ----------
    state
        States at the beginning of each segment, `[segment, state]`.
    period
        Period.
    transition
        Derivative of each segment's end by its beginning, `[segment, state, state]`.
    residual
        Gaps between the segments, `[segment, state]`.
    step
        Root mean square of Newton's step there.
    singular_value
        Least singular value of the equations, with states and period in their natural units.
    """

    state: Array
    period: float
    transition: Array
    residual: Array
    step: float
    singular_value: float


def flow_states(system: AutonomousSystem, states: Array, time: float, samples: int) -> Array:
    """Return states `[sample, segment, state]` along the flow from states `[segment, state]`.

    They are evenly spaced in time, the last one at `time`.
    """

    def rates(_: float, values: Array) -> Array:
        return system.rates(values.reshape(states.shape)).ravel()

    path = _solve(rates, system, states.ravel(), np.linspace(0.0, time, samples + 1)[1:])
    return path.reshape(samples, *states.shape)


def flow_derivatives(system: AutonomousSystem, states: Array, time: float) -> tuple[Array, Array]:
    """Return the ends of the flow from states `[segment, state]` after a time, and derivatives.

    The derivatives of the ends by the first states, `[segment, state, state]`, come from the
    variational equation.
    """
    count, size = states.shape
    first = np.concatenate([states[:, None], np.broadcast_to(np.eye(size), (count, size, size))], 1)

    def rates(_: float, values: Array) -> Array:
        parts = values.reshape(count, size + 1, size)
        rate, jacobian = system.linearise_rates(parts[:, 0])
        # Rows of the second part are derivatives by one entry of the first state each.
        moved = parts[:, 1:] @ jacobian.swapaxes(1, 2)
        return np.concatenate([rate[:, None], moved], axis=1).ravel()

    last = _solve(rates, system, first.ravel(), np.array([time]))[0]
    parts = last.reshape(count, size + 1, size)
    return parts[:, 0], parts[:, 1:].swapaxes(1, 2)


def _solve(
    rates: Callable[[float, Array], Array], system: AutonomousSystem, first: Array, times: Array
) -> Array:
    """Return values `[time, value]` of a differential equation; NaN if it cannot be solved."""
    # Imported late: a plan is checked without it and it takes a while to import.
    from scipy.integrate import solve_ivp

    # A trajectory that escapes in finite time overflows, and is refused.
    with np.errstate(over="ignore", invalid="ignore"):
        solution: Any = solve_ivp(
            rates, (0.0, times[-1]), first, "DOP853", times,
            rtol=SHOOTING_RTOL, atol=SHOOTING_ATOL * system.scale,
        )  # fmt: skip
    if solution.status != 0:
        return np.full((len(times), len(first)), np.nan)
    values: Array = solution.y.T
    return values


def orbit_samples(system: AutonomousSystem, orbit: FlowOrbit, samples: int) -> Array:
    """Return states `[step, state]` of an orbit, so many of each segment, evenly spaced in time."""
    segments = len(orbit.state)
    inner = flow_states(system, orbit.state, orbit.period / segments, samples)
    states = np.concatenate([orbit.state[None], inner[:-1]])
    return np.moveaxis(states, 0, 1).reshape(samples * segments, -1)


def shoot(system: AutonomousSystem, state: Array, period: float, limit: int) -> FlowOrbit | None:
    """Return the periodic orbit near a state and a period; None if Newton's method fails.

    Each segment must end where the next begins. The first state stays in the plane through the
    guess across the flow. States at all segments are unknown, so that neighbours part by a segment
    at most.

    Parameters
    ----------
    system
        Vector field at a constant input.
    state
        Guess of a state on the orbit, `[state]`.
    period
        Guess of the period.
    limit
        Largest number of steps.

    References
    ----------
    Ascher, Mattheij & Russell (1995), Numerical solution of boundary value problems for ordinary
    differential equations, section 4.4.
    """
    unit = system.networks.time_unit
    wanted = int(np.ceil(period / (unit * UNITS_PER_SEGMENT)))
    segments = int(np.clip(wanted, MIN_SEGMENTS, MAX_SEGMENTS))
    path = flow_states(system, state[None], period * (segments - 1) / segments, segments - 1)
    guess = np.concatenate([state[None], path[:, 0]])
    if not np.isfinite(guess).all():
        return None
    equations = _Equations(system, guess[0], system.rates(guess[:1])[0])
    states, time = guess, period
    current = equations.linearise(states, time)
    for _ in range(limit):
        pause_point()
        move = current.newton_step
        if not np.isfinite(move).all():
            return None
        length = float(np.sqrt(np.mean(move[:-1] ** 2)))
        if length <= LAST_STEP:
            break
        for share in STEP_SHARES:
            new_states = states + share * system.scale * move[:-1].reshape(states.shape)
            new_time = time + share * unit * move[-1]
            if not period / MAX_PERIOD_CHANGE < new_time < period * MAX_PERIOD_CHANGE:
                continue
            trial = equations.linearise(new_states, new_time)
            if trial.size < current.size:
                states, time, current = new_states, new_time, trial
                break
        else:
            break  # Rounding, or no orbit near the guess: the caller looks at residual and step.
    return FlowOrbit(
        states,
        time,
        current.transition,
        current.residual * system.scale,
        float(np.sqrt(np.mean(current.newton_step[:-1] ** 2))) * system.scale,
        current.singular_value,
    )


@dataclass(frozen=True, eq=False)
class _Linearised:
    """Residual and derivative of the equations, without units."""

    residual: Array
    phase: float
    matrix: Array
    transition: Array

    @property
    def right(self) -> Array:
        return np.append(self.residual.ravel(), self.phase)

    @property
    def size(self) -> float:
        """Length of the residual; infinite if it is not finite."""
        length = float(np.linalg.norm(self.right))
        return length if np.isfinite(length) else np.inf

    @cached_property
    def newton_step(self) -> Array:
        """Newton's step `[unknown]`; the shortest one where the equations are degenerate."""
        if not np.isfinite(self.size) or not np.isfinite(self.matrix).all():
            return np.full(len(self.matrix), np.nan)
        try:
            step = np.linalg.solve(self.matrix, -self.right)
        except np.linalg.LinAlgError:
            step = np.full(len(self.matrix), np.inf)
        if np.abs(step).max() <= LONG_STEP:
            return step
        return np.asarray(np.linalg.lstsq(self.matrix, -self.right, rcond=LEAST_SINGULAR)[0])

    @property
    def singular_value(self) -> float:
        if not np.isfinite(self.matrix).all():
            return 0.0
        return float(np.linalg.svd(self.matrix, compute_uv=False)[-1])


@dataclass(frozen=True, eq=False)
class _Equations:
    """Equations of an orbit whose first state is in the plane across the flow at a reference."""

    system: AutonomousSystem
    reference: Array
    rate: Array

    def linearise(self, states: Array, time: float) -> _Linearised:
        """Return residual and derivative at states `[segment, state]` and a period."""
        segments, size = states.shape
        scale, unit = self.system.scale, self.system.networks.time_unit
        ends, transition = flow_derivatives(self.system, states, time / segments)
        count = segments * size
        matrix = np.zeros((count + 1, count + 1))
        blocks = np.zeros((segments, size, segments, size))
        for i in range(segments):
            blocks[i, :, i] += transition[i]
            blocks[i, :, (i + 1) % segments] -= np.eye(size)
        matrix[:count, :count] = blocks.reshape(count, count)
        matrix[:count, -1] = self.system.rates(ends).ravel() * unit / (segments * scale)
        normal = self.rate / np.linalg.norm(self.rate)
        matrix[-1, :size] = normal
        residual = (ends - np.roll(states, -1, axis=0)) / scale
        phase = float((states[0] - self.reference) @ normal) / scale
        return _Linearised(residual, phase, matrix, transition)
