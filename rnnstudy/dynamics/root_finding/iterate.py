"""The one loop that drives every solver: limit, non-finite points, stopping, packing."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.batches import batches
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.state_map import StateMap, compiled
from rnnstudy.dynamics.root_finding.solvers import Solver, select_points

MATRICES = 6
"""Matrices [state, state] that a solver holds per point at its peak."""

Now = dict[str, Any]
"""What is known of all points, each tensor [member, point, ...]: state, status and work."""

FEW = 16
"""Places at and below which packing the batch anew no longer pays."""


@dataclass(frozen=True)
class Solution:
    """Where points ended: state [member, point, state] and, each [member, point], the speed there,
    whether the solver was done with it, whether it was given up as not finite, and its steps."""

    state: Array
    speed: Array
    done: Array
    diverged: Array
    steps: Array

    @classmethod
    def unsolved(cls, starts: Array) -> "Solution":
        """All starts [member, point, state] where they are, and nothing known of them."""
        lead = starts.shape[:2]
        none = np.zeros(lead, bool)
        return cls(starts.copy(), np.full(lead, np.inf), none, none.copy(), np.zeros(lead, int))

    def copy(self) -> "Solution":
        """The same, to write into."""
        return Solution(**{name: values.copy() for name, values in vars(self).items()})

    def but(self, which: Array, other: "Solution") -> "Solution":
        """This one, but for the points [member, point] that are taken from another."""
        found = self.copy()
        for name, values in vars(found).items():
            values[which] = getattr(other, name)[which]
        return found

    def enter(self, member: int, points: Array, other: "Solution", places: Array) -> None:
        """Write what another solution says of the same member's places, over some points."""
        for name, values in vars(self).items():
            values[member, points] = getattr(other, name)[member, places]


def solve(
    state_map: StateMap,
    solver: Solver,
    starts: Array,
    at: Array | None = None,
    limit: int | None = None,
    packed: bool = True,
) -> Solution:
    """Move each start [member, point, state] until the solver is done with it.

    A point that is done stops; one whose next state is not finite is given up where it last was.
    Both leave the batch: when a quarter of its places are idle, it is packed anew, so that a few
    stragglers don't cost the rest. at [member, point]: which of the flow's points each start is,
    by default in their order. limit: steps, in place of the solver's own. packed: False leaves all
    points in their places.
    """
    lead = starts.shape[:2]
    points = np.broadcast_to(np.arange(lead[1]), lead) if at is None else at
    left = solver.limit if limit is None else limit
    program = _program(solver, packed)
    found = compiled(program, state_map, np.asarray(starts, np.float64), points, left)
    return Solution(*(np.array(values) for values in found))


def solve_some(
    state_map: StateMap, solver: Solver, starts: Array, which: Sequence[Array]
) -> Solution:
    """Solve from some of each member's starts [member, point, state], in bounded memory.

    which: their positions, for each member. Returns them in this order: [member, place].
    """
    # What only fills up a row is not finite, and given up at once.
    lead = len(which), max(map(len, which))
    points, some = np.zeros(lead, int), np.full((*lead, starts.shape[-1]), np.nan)
    for i, own in enumerate(which):
        points[i, : len(own)], some[i, : len(own)] = own, starts[i, own]
    per_point = 8 * MATRICES * len(which) * starts.shape[-1] ** 2
    parts = [
        solve(state_map, solver, some[:, part], points[:, part])
        for part in batches(lead[1], per_point)
    ]
    fields = zip(*(vars(part).values() for part in parts), strict=True)
    return Solution(*(np.concatenate(values, axis=1) for values in fields))


@cache
def _program(solver: Solver, packed: bool) -> Any:
    """From starts to the fields of a solution, as one function of a flow."""

    def begin(state_map: StateMap, h: Tensor) -> Now:
        work = solver.start(state_map, h)
        finite = tf.math.is_finite(work["speed"])
        active = finite & ~solver.done(state_map, h, work)
        steps = tf.zeros_like(active, tf.int32)
        return {"state": h, "active": active, "diverged": ~finite, "steps": steps, "work": work}

    def turn(state_map: StateMap, now: Now) -> Now:
        h, work, active = now["state"], now["work"], now["active"]
        new, later = solver.step(state_map, h, work)
        finite = tf.reduce_all(tf.math.is_finite(new), axis=-1)
        moves = active & finite
        h = select_points(moves, new, h)
        work = {name: select_points(moves, later[name], work[name]) for name in work}
        return {
            "state": h,
            "active": moves & ~solver.done(state_map, h, work),
            "diverged": now["diverged"] | (active & ~finite),
            "steps": now["steps"] + tf.cast(active, tf.int32),
            "work": work,
        }

    def some_turns(state_map: StateMap, now: Now, left: Tensor, keep: Tensor) -> tuple[Now, Tensor]:
        """Steps until so many places or fewer are in use."""
        found: tuple[Now, Tensor] = tf.while_loop(
            lambda now, left: (left > 0) & (_places(now["active"]) > keep),
            lambda now, left: (turn(state_map, now), left - 1),
            (now, left),
        )
        return found

    def advance(state_map: StateMap, now: Now, left: Tensor) -> tuple[Now, Tensor]:
        """Steps of the active points until a quarter of their places are idle."""
        rows, points = _in_use(now["active"])
        places = tf.stack([tf.broadcast_to(rows[:, None], tf.shape(points)), points], axis=-1)
        size = tf.size(points)
        keep = tf.where(size > FEW, (3 * size) // 4, 0)
        some = tf.nest.map_structure(lambda values: tf.gather_nd(values, places), now)
        some, left = some_turns(state_map.take(rows, points), some, left, keep)

        def entered(values: Tensor, new: Tensor) -> Tensor:
            return tf.tensor_scatter_nd_update(values, places, new)

        return tf.nest.map_structure(entered, now, some), left

    def run(state_map: StateMap, h: Tensor, at: Tensor, left: Tensor) -> tuple[Tensor, ...]:
        state_map = state_map.at_points(at)
        now = begin(state_map, h)
        if packed:
            now, _ = tf.while_loop(
                lambda now, left: (left > 0) & tf.reduce_any(now["active"]),
                lambda now, left: advance(state_map, now, left),
                (now, left),
            )
        else:
            now, _ = some_turns(state_map, now, left, 0)
        done = ~now["active"] & ~now["diverged"]
        return now["state"], now["work"]["speed"], done, now["diverged"], now["steps"]

    return run


def _places(active: Tensor) -> Tensor:
    """Places of the smallest rectangular batch that holds the active points [member, point]."""
    counts = tf.reduce_sum(tf.cast(active, tf.int32), axis=1)
    return tf.reduce_sum(tf.cast(counts > 0, tf.int32)) * tf.reduce_max(counts)


def _in_use(active: Tensor) -> tuple[Tensor, Tensor]:
    """That batch: its members [row] and their points [row, column], active ones first."""
    counts = tf.reduce_sum(tf.cast(active, tf.int32), axis=1)
    rows = tf.where(counts > 0)[:, 0]
    idle = tf.cast(~tf.gather(active, rows), tf.int32)
    order = tf.argsort(idle, axis=1, stable=True)
    return rows, tf.cast(order[:, : tf.reduce_max(counts)], tf.int64)
