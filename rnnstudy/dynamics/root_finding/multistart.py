"""From starts to solutions by the shortest way: gates left out, points that have met as one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.state_map import Flow, compiled
from rnnstudy.dynamics.root_finding.chord import Known, known, nearby, nearest_roots
from rnnstudy.dynamics.root_finding.iterate import Solution, solve_some
from rnnstudy.dynamics.root_finding.solvers import Solver
from rnnstudy.dynamics.root_finding.ungated import resting, seen, whole
from rnnstudy.dynamics.states.clustering import merge

SMALL = 16
"""State size up to which a start is solved as fast as it is taken in."""


SHARE = 16
"""One start in so many belongs to a wave ..."""


LEAST = 32
"""... and so many at least."""


PLENTY = 1
"""Starts that a wave's roots take in, as a share of those that they leave, for another wave."""


@dataclass(frozen=True)
class Aim:
    """What is sought from many starts: roots whose speed is below the tolerance.

    radius [member]: root mean square distance within which two are one; known: those that each
    member's search has found before, [root, state].
    """

    tolerance: float
    radius: Array
    known: Sequence[Array]


def in_waves(flow: Flow, solver: Solver, starts: Array, aim: Aim) -> Solution:
    """What `solve` does, in less time: some starts are solved, and roots take in the others.

    starts [member, start, state], all of one member at the same input. A start from which the
    chord of the nearest known root contracts to it ends there.
    """
    if starts.shape[2] <= SMALL:
        return solve_some(flow, solver, starts, [np.arange(starts.shape[1])] * len(starts))
    found = Solution.unsolved(starts)
    left = np.ones(starts.shape[:2], bool)
    roots, solved = known(flow, aim.known), 0
    tried = np.full(left.shape, -1)
    while left.any():
        nearest = nearest_roots(starts, left, roots)
        target, tried = np.where(nearest == tried, -1, nearest), nearest
        root, steps = nearby(flow, starts, target, roots, aim.radius)
        _take_in(found, root, roots, steps)
        left &= root < 0
        taken = (root >= 0).sum(axis=1) if solved else left.sum(axis=1)
        which = [_wave(*each) for each in zip(left, taken, strict=True)]
        solved = max(map(len, which))
        if solved:
            _enter(found, solve_some(flow, solver, starts, which), which, left)
            new = [_new(found, i, own, roots, aim) for i, own in enumerate(which)]
            roots = roots.join(known(flow, new))
    return found


def _take_in(found: Solution, root: Array, roots: Known, steps: Array) -> None:
    """Enter the roots that starts reached by a chord: root [member, start], -1 for none."""
    where = root >= 0
    found.state[where] = roots.state[root[where]]
    found.speed[where] = 0.0
    found.done[where] = True
    found.steps[where] = steps[where]


def _enter(found: Solution, reached: Solution, which: Sequence[Array], left: Array) -> None:
    """Enter what became of the starts of a wave, which are no longer left."""
    for i, own in enumerate(which):
        found.enter(i, own, reached, np.arange(len(own)))
        left[i, own] = False


def _wave(left: Array, taken: int) -> Array:
    """Which of the starts [start] that are left are solved next: some that are spread over all, or
    all if the last wave's roots took in few of them."""
    which = np.flatnonzero(left)
    count = max(LEAST, -(-len(which) // SHARE))
    if len(which) <= 2 * count or PLENTY * taken < len(which):
        return which
    return which[np.linspace(0, len(which) - 1, count).astype(int)]


def _new(found: Solution, member: int, which: Array, roots: Known, aim: Aim) -> Array:
    """Distinct roots [root, state] that some starts of a member reached and nobody knew."""
    old = roots.state[roots.member == member]
    state, speed = found.state[member, which], found.speed[member, which]
    good = (speed < aim.tolerance) & ~found.diverged[member, which]
    every = np.concatenate([old, state[good]])
    # Below any speed, so that a root that was known stays the best of its group.
    speeds = np.concatenate([np.full(len(old), -1.0), speed[good]])
    best = merge(every, speeds, aim.radius[member])[1]
    return every[best[best >= len(old)]]


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
