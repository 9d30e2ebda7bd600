"""States followed along the flow of vector fields to attractors, by an adaptive solver of SciPy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches, pause_point
from rnnstudy.dynamics.basins.follow import (
    ATTRACTOR,
    CYCLING,
    ELSEWHERE,
    ESCAPE_RADIUS,
    ESCAPED,
    MOVING,
    Attractors,
    EndStates,
)
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem

FLOW_STARTS = 256
"""Largest number of starts that share the steps of one solver."""

FOLLOW_RTOL, FOLLOW_ATOL = 1e-10, 1e-12
"""Errors of a step, the second as a share of the scale. The solver takes their mean over all starts
of a batch, so one start may have the root of their number times as much."""

RETURN_GAP = 1e-6
"""Distance at which a trajectory passes its own earlier state again, as a share of the scale."""

SLOW_RATE = 1e-6
"""Motion in a typical time, as a share of the scale, at which a state may be at rest."""

REST_DISTANCE = 1e-6
"""Length of Newton's step to a point of rest, as a share of the scale."""

EXACT_RATE = 1e-14
"""Motion at an unstable point, as a share of the scale, that rounding explains."""

EVENT_BISECTIONS = 50
"""Bisections of a step for the time of an event."""


def follow_flows(
    systems: Sequence[AutonomousSystem],
    starts: Sequence[Array],
    attractors: Sequence[Attractors],
    duration: float,
    tolerance: float,
) -> list[EndStates]:
    """Follow states of several vector fields until each has a known end.

    A state comes within the radius of an attractor, comes to rest elsewhere, returns to its own
    trajectory, or escapes. A return passes the plane across the trajectory at an earlier state, and
    is near that state (Henon 1982).

    Parameters
    ----------
    systems
        Vector fields at constant inputs.
    starts
        States of each system, `[start, state]`.
    attractors
        Attractors of each system.
    duration
        Largest time.
    tolerance
        Least size of a cycle, as a share of the system's scale.

    Returns
    -------
    list of EndStates
        Ends of each system's starts. `steps` and `period` are times.

    References
    ----------
    Henon (1982), On the numerical computation of Poincare maps. Physica D 5.
    Hairer, Norsett & Wanner (1993), Solving ordinary differential equations I, section II.5.
    """
    return [
        EndStates.join(
            [
                _FlowBatch(system, states[part], targets, duration, tolerance).follow()
                for part in batches(len(states), 1, FLOW_STARTS)
            ]
        )
        for system, states, targets in zip(systems, starts, attractors, strict=True)
    ]


@dataclass
class _Marks:
    """Earlier state of each start, the field there, and the largest distance since."""

    time: float
    state: Array
    rate: Array
    reach: Array


class _FlowBatch:
    """Starts of one system that share the steps of one solver."""

    def __init__(
        self,
        system: AutonomousSystem,
        starts: Array,
        attractors: Attractors,
        duration: float,
        tolerance: float,
    ) -> None:
        self.system, self.attractors, self.duration = system, attractors, duration
        self.unit, self.scale = system.networks.time_unit, system.scale
        self.least_cycle = tolerance * self.scale
        count = len(starts)
        self.ends = EndStates(
            starts.copy(), np.full(count, MOVING), np.full(count, -1), np.zeros(count),
            np.zeros(count),
        )  # fmt: skip
        self.rows = np.arange(count)

    def follow(self) -> EndStates:
        """Return the ends of all starts."""
        time, self.ends.steps[:] = 0.0, self.duration
        is_finite = np.isfinite(self.ends.state).all(axis=1)
        self._end(~is_finite, ESCAPED, 0.0)
        self._end(self._has_arrived(self.ends.state[self.rows], self.rows), ATTRACTOR, 0.0)
        marks = self._mark(time)
        first_step: float | None = None
        while len(self.rows) and time < self.duration:
            pause_point()
            solver = self._solver(time, first_step)
            count = len(self.rows)
            while len(self.rows) == count and solver.status == "running":
                solver.step()
                if solver.status == "failed":
                    self._end_failed(solver)
                    break
                before, time = time, solver.t
                marks = self._examine(solver, before, marks)
            first_step = solver.step_size
            marks = self._keep(marks, count)
        return self.ends

    def _solver(self, time: float, first_step: float | None) -> Any:
        # Imported late: a plan is checked without it and it takes a while to import.
        from scipy.integrate import DOP853

        size = self.ends.state.shape[1]

        def rates(_: float, values: Array) -> Array:
            return self.system.rates(values.reshape(-1, size)).ravel()

        remaining = self.duration - time
        step = None if first_step is None else min(first_step, remaining)
        start = self.ends.state[self.rows].ravel()
        return DOP853(
            rates, time, start, self.duration, first_step=step, rtol=FOLLOW_RTOL,
            atol=FOLLOW_ATOL * self.scale,
        )  # fmt: skip

    def _examine(self, solver: Any, before: float, marks: _Marks) -> _Marks:
        """End the starts whose fate is clear after a step, and return the marks of all starts."""
        size = self.ends.state.shape[1]
        state, rate = (values.reshape(-1, size) for values in (solver.y, solver.f))
        self.ends.state[self.rows] = state
        marks.reach = np.maximum(marks.reach, _root_mean_square(state - marks.state))
        outcome = np.full(len(state), MOVING)
        at, period = np.full(len(state), solver.t), np.zeros(len(state))
        passed, times = self._passages(solver, before, marks)
        outcome[passed], at[passed], period[passed] = CYCLING, times, times - marks.time
        outcome[self._is_at_rest(state, rate)] = ELSEWHERE
        arrived = np.flatnonzero(self._has_arrived(state, self.rows))
        if len(arrived):
            path = _Path(solver, arrived, len(state))
            times = path.bisect(
                lambda states: self._has_arrived(states, self.rows[arrived]), before, solver.t
            )
            outcome[arrived], at[arrived], period[arrived] = ATTRACTOR, times, 0.0
        # A comparison with NaN is false.
        escaped = ~(_root_mean_square(state) <= ESCAPE_RADIUS * self.scale)
        outcome[escaped] = ESCAPED
        is_cycling = outcome == CYCLING
        self.ends.period[self.rows[is_cycling]] = period[is_cycling]
        self._finish(outcome, at)
        if solver.t >= max(2.0 * marks.time, self.unit):
            # Marks are renewed at powers of two, so that a cycle of any period is met (Brent 1980).
            marks = _Marks(solver.t, state.copy(), rate.copy(), np.zeros(len(state)))
        return marks

    def _passages(self, solver: Any, before: float, marks: _Marks) -> tuple[Array, Array]:
        """Return the starts that pass their marks again in this step, and the times."""
        shape = marks.state.shape

        def height(values: Array) -> Array:
            offset = values.reshape(shape) - marks.state
            return np.asarray(np.einsum("ps,ps->p", offset, marks.rate))

        crosses = (height(solver.y_old) < 0) & (height(solver.y) >= 0)
        chosen = np.flatnonzero(crosses & (marks.reach > self.least_cycle))
        if not len(chosen):
            return chosen, np.zeros(0)
        mark, rate, path = marks.state[chosen], marks.rate[chosen], _Path(solver, chosen, shape[0])

        def is_behind(states: Array) -> Array:
            return np.asarray(np.einsum("ps,ps->p", states - mark, rate) >= 0)

        times = path.bisect(is_behind, before, solver.t)
        has_passed = _root_mean_square(path.at(times) - mark) <= RETURN_GAP * self.scale
        return chosen[has_passed], times[has_passed]

    def _is_at_rest(self, state: Array, rate: Array) -> Array:
        """Return a mask of states at a stable point, or exactly at any point.

        A small rate alone may be that of slow motion, or of the way past a saddle.
        """
        motion = self.unit * _root_mean_square(rate)
        is_resting = motion <= EXACT_RATE * self.scale
        slow = np.flatnonzero((motion <= SLOW_RATE * self.scale) & ~is_resting)
        if len(slow):
            _, jacobian = self.system.linearise_rates(state[slow])
            step = np.stack([
                np.linalg.lstsq(matrix, each, rcond=1e-8)[0]
                for matrix, each in zip(jacobian, rate[slow], strict=True)
            ])  # fmt: skip
            growth = self.unit * np.linalg.eigvals(jacobian).real.max(axis=1)
            is_near = _root_mean_square(step) <= REST_DISTANCE * self.scale
            is_resting[slow] = is_near & (growth <= SLOW_RATE)
        return is_resting

    def _has_arrived(self, state: Array, rows: Array) -> Array:
        """Return a mask of states within the radius of an attractor, and note the attractor."""
        if not len(self.attractors.state):
            return np.zeros(len(state), bool)
        distance = np.linalg.norm(state[:, None] - self.attractors.state, axis=2)
        nearest = distance.argmin(axis=1)
        has_arrived: Array = distance.min(axis=1) <= self.attractors.radius[nearest]
        self.ends.attractor[rows[has_arrived]] = nearest[has_arrived]
        return has_arrived

    def _end_failed(self, solver: Any) -> None:
        """End the largest state, for which no step is short enough: it escapes in finite time."""
        size = self.ends.state.shape[1]
        length = _root_mean_square(solver.y.reshape(-1, size))
        largest = np.arange(len(length)) == np.argmax(np.where(np.isnan(length), np.inf, length))
        self._ended = largest
        self._end(largest, ESCAPED, solver.t)

    def _end(self, mask: Array, outcome: int, time: float) -> None:
        """End the masked ones among the remaining starts."""
        self._finish(np.where(mask, outcome, MOVING), np.full(len(mask), time))

    def _finish(self, outcome: Array, times: Array) -> None:
        """Note the outcomes `[start]` of the remaining starts, and keep those that move."""
        has_ended = outcome != MOVING
        rows = self.rows[has_ended]
        self.ends.outcome[rows], self.ends.steps[rows] = outcome[has_ended], times[has_ended]
        lost = self.rows[has_ended & (outcome != ATTRACTOR)]
        self.ends.attractor[lost] = -1
        self.rows = self.rows[~has_ended]
        self._ended = has_ended

    def _mark(self, time: float) -> _Marks:
        state = self.ends.state[self.rows]
        return _Marks(time, state, self.system.rates(state), np.zeros(len(state)))

    def _keep(self, marks: _Marks, count: int) -> _Marks:
        """Return the marks of the starts that remain of so many."""
        if len(self.rows) == count:
            return marks
        moves = ~self._ended
        return _Marks(marks.time, marks.state[moves], marks.rate[moves], marks.reach[moves])


class _Path:
    """Trajectories of some starts within the last step of a solver."""

    def __init__(self, solver: Any, chosen: Array, count: int) -> None:
        self.dense, self.chosen, self.count = solver.dense_output(), chosen, count

    def at(self, times: Array) -> Array:
        """Return states `[start, state]`, each at its own time."""
        values = self.dense(times)
        size = len(values) // self.count
        states: Array = values.reshape(self.count, size, -1)[
            self.chosen, :, np.arange(len(self.chosen))
        ]
        return states

    def bisect(self, is_behind: Callable[[Array], Array], before: float, after: float) -> Array:
        """Return the time of each start at which a mask of states `[start, state]` becomes true."""
        low, high = np.full(len(self.chosen), before), np.full(len(self.chosen), after)
        for _ in range(EVENT_BISECTIONS):
            middle = 0.5 * (low + high)
            behind = is_behind(self.at(middle))
            low, high = np.where(behind, low, middle), np.where(behind, middle, high)
        return high


def _root_mean_square(values: Array) -> Array:
    size: Array = np.sqrt(np.mean(values**2, axis=-1))
    return size
