"""The compiled loop around every solver: limit, stopping, non-finite points, packing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import batches
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled
from rnnstudy.dynamics.root_finding.solver import Solver, select_points

SOLVER_MATRICES = 6
"""Matrices [state, state] that a solver holds per point at its peak."""

MIN_PACKED = 16
"""Number of places at and below which packing the batch anew no longer pays."""


@dataclass(frozen=True)
class Solution:
    """Ends of many points.

    state `[member, point, state]`. The others are `[member, point]`: the speed there, whether the
    solver was done, whether the state became non-finite, and the number of steps.
    """

    state: Array
    speed: Array
    is_done: Array
    diverged: Array
    steps: Array

    @classmethod
    def at_starts(cls, starts: Array) -> "Solution":
        """Return starts `[member, point, state]` before any step, with infinite speed."""
        lead = starts.shape[:2]
        none = np.zeros(lead, bool)
        return cls(starts.copy(), np.full(lead, np.inf), none, none.copy(), np.zeros(lead, int))

    def copy(self) -> "Solution":
        """Return a copy of all arrays."""
        return Solution(**{name: values.copy() for name, values in vars(self).items()})

    def replace_points(self, mask: Array, other: "Solution") -> "Solution":
        """Return this solution with the masked points `[member, point]` of another one."""
        mixed = self.copy()
        for name, values in vars(mixed).items():
            values[mask] = getattr(other, name)[mask]
        return mixed

    def enter(self, member: int, points: Array, other: "Solution", places: Array) -> None:
        """Replace some points of a member by another solution's places of that member."""
        for name, values in vars(self).items():
            values[member, points] = getattr(other, name)[member, places]


class LoopState(NamedTuple):
    """State of the loop, each tensor `[member, point, ...]`."""

    state: Any
    is_active: Any
    diverged: Any
    steps: Any
    solver_state: Any


def solve(
    state_map: StateMap,
    solver: Solver,
    starts: Array,
    at: Array | None = None,
    limit: int | None = None,
    packed: bool = True,
) -> Solution:
    """Move each start until the solver is done with it.

    A point that is done stops. A point whose next state is not finite stays where it is and has
    diverged. The batch is packed anew when a quarter of its places are idle.

    Parameters
    ----------
    state_map
        Maps of all members and points.
    solver
        The method.
    starts
        `[member, point, state]`.
    at
        Position of each start among the map's points, `[member, point]`; None for their order.
    limit
        Largest number of steps; None for the solver's own.
    packed
        False leaves all points in their places.
    """
    lead = starts.shape[:2]
    points = np.broadcast_to(np.arange(lead[1]), lead) if at is None else at
    budget = solver.limit if limit is None else limit
    loop = SolverLoop(solver, packed)
    ends = run_compiled(loop, state_map, np.asarray(starts, np.float64), points, budget)
    return Solution(*(np.array(values) for values in ends))


def solve_subset(
    state_map: StateMap, solver: Solver, starts: Array, subsets: Sequence[Array]
) -> Solution:
    """Solve from some of each member's starts `[member, start, state]`, in bounded memory.

    subsets: their positions, for each member. The solution `[member, place]` is in that order.
    """
    # Places that only fill up a row are NaN, and given up at once.
    lead = len(subsets), max(map(len, subsets))
    points, states = np.zeros(lead, int), np.full((*lead, starts.shape[-1]), np.nan)
    for i, subset in enumerate(subsets):
        points[i, : len(subset)], states[i, : len(subset)] = subset, starts[i, subset]
    bytes_each = 8 * SOLVER_MATRICES * len(subsets) * starts.shape[-1] ** 2
    parts = [
        solve(state_map, solver, states[:, part], points[:, part])
        for part in batches(lead[1], bytes_each)
    ]
    fields = zip(*(vars(part).values() for part in parts), strict=True)
    return Solution(*(np.concatenate(values, axis=1) for values in fields))


@dataclass(frozen=True)
class SolverLoop:
    """The compiled loop of one solver. Equal loops share a program.

    A call takes a map, starts `[member, point, state]`, their points and a number of steps. It
    returns the fields of a solution.
    """

    solver: Solver
    packed: bool

    def __call__(
        self, state_map: StateMap, h: Tensor, at: Tensor, budget: Tensor
    ) -> tuple[Tensor, ...]:
        state_map = state_map.at_points(at)
        now = self._begin(state_map, h)
        if self.packed:
            now, _ = tf.while_loop(
                lambda now, budget: (budget > 0) & tf.reduce_any(now.is_active),
                lambda now, budget: self._advance_packed(state_map, now, budget),
                (now, budget),
            )
        else:
            now, _ = self._advance(state_map, now, budget, 0)
        is_done = ~now.is_active & ~now.diverged
        return now.state, now.solver_state.speed, is_done, now.diverged, now.steps

    def _begin(self, state_map: StateMap, h: Tensor) -> LoopState:
        solver_state = self.solver.start(state_map, h)
        is_finite = tf.math.is_finite(solver_state.speed)
        is_active = is_finite & ~self.solver.is_done(state_map, h, solver_state)
        steps = tf.zeros_like(is_active, tf.int32)
        return LoopState(h, is_active, ~is_finite, steps, solver_state)

    def _turn(self, state_map: StateMap, now: LoopState) -> LoopState:
        """Take one step of the active points."""
        h, is_active = now.state, now.is_active
        new, later = self.solver.step(state_map, h, now.solver_state)
        is_finite = tf.reduce_all(tf.math.is_finite(new), axis=-1)
        moves = is_active & is_finite
        h = select_points(moves, new, h)
        solver_state = tf.nest.map_structure(
            lambda after, before: select_points(moves, after, before), later, now.solver_state
        )
        return LoopState(
            h,
            moves & ~self.solver.is_done(state_map, h, solver_state),
            now.diverged | (is_active & ~is_finite),
            now.steps + tf.cast(is_active, tf.int32),
            solver_state,
        )

    def _advance(
        self, state_map: StateMap, now: LoopState, budget: Tensor, idle: Tensor
    ) -> tuple[LoopState, Tensor]:
        """Take steps until `idle` places or fewer are in use."""
        after: tuple[LoopState, Tensor] = tf.while_loop(
            lambda now, budget: (budget > 0) & (_places(now.is_active) > idle),
            lambda now, budget: (self._turn(state_map, now), budget - 1),
            (now, budget),
        )
        return after

    def _advance_packed(
        self, state_map: StateMap, now: LoopState, budget: Tensor
    ) -> tuple[LoopState, Tensor]:
        """Take steps of the active points until a quarter of their places are idle."""
        rows, points = _active_places(now.is_active)
        places = tf.stack([tf.broadcast_to(rows[:, None], tf.shape(points)), points], axis=-1)
        size = tf.size(points)
        idle = tf.where(size > MIN_PACKED, (3 * size) // 4, 0)
        part = tf.nest.map_structure(lambda values: tf.gather_nd(values, places), now)
        part, budget = self._advance(state_map.take(rows, points), part, budget, idle)

        def write(values: Tensor, new: Tensor) -> Tensor:
            return tf.tensor_scatter_nd_update(values, places, new)

        return tf.nest.map_structure(write, now, part), budget


def _places(is_active: Tensor) -> Tensor:
    """Return the size of the smallest rectangular batch of the active points `[member, point]`."""
    counts = tf.reduce_sum(tf.cast(is_active, tf.int32), axis=1)
    return tf.reduce_sum(tf.cast(counts > 0, tf.int32)) * tf.reduce_max(counts)


def _active_places(is_active: Tensor) -> tuple[Tensor, Tensor]:
    """Return that batch: members `[row]` and their points `[row, column]`, active ones first."""
    counts = tf.reduce_sum(tf.cast(is_active, tf.int32), axis=1)
    rows = tf.where(counts > 0)[:, 0]
    is_idle = tf.cast(~tf.gather(is_active, rows), tf.int32)
    order = tf.argsort(is_idle, axis=1, stable=True)
    return rows, tf.cast(order[:, : tf.reduce_max(counts)], tf.int64)
