"""From starts to solutions by the shortest way: gates left out, points that have met as one."""

from collections.abc import Sequence

import numpy as np

from rnnstudy.dynamics.flow import Flow, compiled
from rnnstudy.dynamics.iterate import Solution, solve
from rnnstudy.dynamics.merging import merge
from rnnstudy.dynamics.resting import resting, seen, whole
from rnnstudy.dynamics.solvers import Solver

Array = np.ndarray


def solved(
    flow: Flow, solver: Solver, starts: Array, tolerance: float, radius: Sequence[float]
) -> Solution:
    """Solver from starts [member, start, state], by way of where the cell rests if it says so.

    Starts that get stuck on that way, or whose speed is not below `tolerance` there, go on by the
    network's own map: those of them that have met, within the radius [member], as one.
    """
    shorter = resting(flow)
    if shorter is None:
        return solve(flow, solver, starts)
    first = solve(shorter, solver, seen(shorter, starts))
    state = compiled(whole, shorter, first.state).numpy()
    lost = first.diverged | ~np.isfinite(state).all(axis=-1)
    state = np.where(lost[..., None], starts, state)
    speed = compiled(Flow.speed, flow, state).numpy()
    left = ~(speed < tolerance)
    found = Solution(state, speed, ~left, np.zeros_like(left), first.steps)
    return together(flow, solver, found, left, radius)


def polished(
    flow: Flow, solver: Solver, rough: Solution, tolerance: float, radius: Sequence[float]
) -> Solution:
    """Last steps, with those that have met within the radius [member] as one.

    What is neither below the tolerance nor cut off by the limit is stuck and stays where it is.
    """
    left = (rough.speed < tolerance) | ~rough.done
    return together(flow, solver, rough, left & ~rough.diverged, radius)


def together(
    flow: Flow, solver: Solver, found: Solution, left: Array, radius: Sequence[float]
) -> Solution:
    """Go on from the points [member, start] that are left: those that have met as one of them."""
    state, speed = found.state, found.speed
    groups = [_met(state[i], speed[i], left[i], radius[i]) for i in range(len(state))]
    width = max(len(best) for best, _, _ in groups)
    if not width:
        return found
    # What only fills up a row is not finite, and given up at once.
    points = np.zeros((len(state), width), int)
    starts = np.full((len(state), width, state.shape[-1]), np.nan)
    for i, (best, _, _) in enumerate(groups):
        points[i, : len(best)], starts[i, : len(best)] = best, state[i, best]
    reached = solve(flow.take(np.arange(len(state)), points), solver, starts)
    new = {name: values.copy() for name, values in vars(found).items()}
    for i, (_, which, group) in enumerate(groups):
        for name, values in new.items():
            values[i, which] = getattr(reached, name)[i, group]
    return Solution(**new)


def _met(state: Array, speed: Array, left: Array, radius: float) -> tuple[Array, Array, Array]:
    """Of the points [point, state] that are left: one of each group, all of them, their groups."""
    which = np.flatnonzero(left)
    group, best = merge(state[which], speed[which], radius)
    return which[best], which, group
