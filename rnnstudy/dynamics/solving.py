"""From starts to solutions by the shortest way: gates left out, points that have met as one."""

from dataclasses import replace

import numpy as np

from rnnstudy.dynamics.iterate import Solution, solve_some
from rnnstudy.dynamics.networks.state_map import Flow, compiled
from rnnstudy.dynamics.resting import resting, seen, whole
from rnnstudy.dynamics.solvers import Solver
from rnnstudy.dynamics.states.clustering import merge
from rnnstudy.dynamics.waves import Aim, in_waves

Array = np.ndarray


def solved(flow: Flow, solver: Solver, starts: Array, aim: Aim) -> Solution:
    """Solver from starts [member, start, state], by way of where the cell rests if it says so.

    Starts that get stuck on that way, or whose speed is not below the tolerance there, go on by the
    network's own map: those of them that have met as one.
    """
    shorter = resting(flow)
    if shorter is None:
        return in_waves(flow, solver, starts, aim)
    first = in_waves(
        shorter,
        solver,
        seen(shorter, starts),
        replace(aim, known=[seen(shorter, some) for some in aim.known]),
    )
    state = compiled(whole, shorter, first.state).numpy()
    lost = first.diverged | ~np.isfinite(state).all(axis=-1)
    state = np.where(lost[..., None], starts, state)
    speed = compiled(Flow.speed, flow, state).numpy()
    broken = ~np.isfinite(speed)  # a start that is not finite
    left = ~(speed < aim.tolerance) & ~broken
    found = Solution(state, speed, ~left, broken, first.steps)
    return together(flow, solver, found, left, aim)


def polished(flow: Flow, solver: Solver, rough: Solution, aim: Aim) -> Solution:
    """Last steps, with those that have met as one.

    What is neither below the tolerance nor cut off by the limit is stuck and stays where it is.
    """
    left = (rough.speed < aim.tolerance) | ~rough.done
    return together(flow, solver, rough, left & ~rough.diverged, aim)


def together(flow: Flow, solver: Solver, found: Solution, left: Array, aim: Aim) -> Solution:
    """Go on from the points [member, start] that are left: those that have met as one of them."""
    state, speed = found.state, found.speed
    groups = [_met(state[i], speed[i], left[i], aim.radius[i]) for i in range(len(state))]
    which = [best for best, _, _ in groups]
    if not max(map(len, which)):
        return found
    reached = solve_some(flow, solver, state, which)
    new = found.copy()
    for i, (_, points, group) in enumerate(groups):
        new.enter(i, points, reached, group)
    return new


def _met(state: Array, speed: Array, left: Array, radius: float) -> tuple[Array, Array, Array]:
    """Of the points [point, state] that are left: one of each group, all of them, their groups."""
    which = np.flatnonzero(left)
    group, best = merge(state[which], speed[which], radius)
    return which[best], which, group
