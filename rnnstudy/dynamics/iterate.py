"""The one loop that drives every solver: limit, non-finite points, stopping, packing."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from rnnstudy.dynamics.flow import Flow, compiled
from rnnstudy.dynamics.solvers import Solver, Work
from rnnstudy.lazy import tf

Array = np.ndarray
Tensor = Any

FEW = 8
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


def solve(flow: Flow, solver: Solver, starts: Array) -> Solution:
    """Move each start [member, point, state] until the solver is done with it.

    A point that is done stops; one whose next state is not finite is given up where it last was.
    Both leave the batch: when half of its places are idle, it is packed anew, so that a few
    stragglers don't cost the rest.
    """
    begin, advance = _programs(solver)
    members: Array = np.indices(starts.shape[:2])[0]
    points: Array = np.indices(starts.shape[:2])[1]
    part, left = flow, solver.limit
    h = tf.constant(starts, tf.float64)
    work, status = compiled(begin, flow, h)
    state, ends = np.array(starts, np.float64), {k: v.numpy() for k, v in status.items()}
    while left > 0 and ends["active"].any():
        keep = members.size // 2 if members.size > FEW else 0
        h, work, status, left = compiled(advance, part, h, work, status, left, keep)
        state[members, points] = h.numpy()
        for name, values in status.items():
            ends[name][members, points] = values.numpy()
        rows, columns = _in_use(status["active"].numpy())
        part = part.take(rows, columns)
        h, work, status = (_take(values, rows, columns) for values in (h, work, status))
        members = np.take_along_axis(members[rows], columns, axis=1)
        points = np.take_along_axis(points[rows], columns, axis=1)
    speed = compiled(Flow.speed, flow, state).numpy()
    done = ~ends["active"] & ~ends["diverged"]
    return Solution(state, speed, done, ends["diverged"], ends["steps"])


@cache
def _programs(solver: Solver) -> tuple[Any, Any]:
    """What to do at the starts, and the steps until half of the places are idle."""

    def begin(flow: Flow, h: Tensor) -> tuple[Work, dict[str, Tensor]]:
        work = solver.start(flow, h)
        finite = tf.math.is_finite(flow.speed(h))
        active = finite & ~solver.done(flow, h, work)
        status = {"active": active, "diverged": ~finite, "steps": tf.zeros_like(active, tf.int32)}
        return work, status

    def turn(flow: Flow, h: Tensor, work: Work, status: Any) -> tuple[Tensor, Work, Any]:
        new, later = solver.step(flow, h, work)
        finite = tf.reduce_all(tf.math.is_finite(new), axis=-1)
        moves = status["active"] & finite
        h = _where(moves, new, h)
        work = {name: _where(moves, later[name], work[name]) for name in work}
        return (
            h,
            work,
            {
                "active": moves & ~solver.done(flow, h, work),
                "diverged": status["diverged"] | (status["active"] & ~finite),
                "steps": status["steps"] + tf.cast(status["active"], tf.int32),
            },
        )

    def advance(
        flow: Flow, h: Tensor, work: Work, status: Any, left: Tensor, keep: Tensor
    ) -> tuple[Tensor, ...]:
        return tf.while_loop(
            lambda h, work, status, left: (left > 0) & (_places(status["active"]) > keep),
            lambda h, work, status, left: (*turn(flow, h, work, status), left - 1),
            (h, work, status, left),
        )

    return begin, advance


def _places(active: Tensor) -> Tensor:
    """Places of the smallest rectangular batch that holds the active points [member, point]."""
    counts = tf.reduce_sum(tf.cast(active, tf.int32), axis=1)
    return tf.reduce_sum(tf.cast(counts > 0, tf.int32)) * tf.reduce_max(counts)


def _in_use(active: Array) -> tuple[Array, Array]:
    """That batch: its members [row] and their points [row, column], active ones first."""
    rows = np.flatnonzero(active.any(axis=1))
    width = int(active.sum(axis=1).max(initial=0))
    order = np.argsort(~active[rows], axis=1, kind="stable")
    return rows, order[:, :width]


def _take(values: Any, rows: Array, columns: Array) -> Any:
    def take(tensor: Tensor) -> Tensor:
        return tf.gather(tf.gather(tensor, rows), columns, batch_dims=1)

    return tf.nest.map_structure(take, values)


def _where(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` where the mask [member, point] holds, for tensors that begin with these axes."""
    shape = tf.concat([tf.shape(mask), [1] * (len(new.shape) - 2)], axis=0)
    return tf.where(tf.reshape(mask, shape), new, old)
