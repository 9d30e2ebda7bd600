"""From starts to solutions by the shortest way: gates left out, points that have met as one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.state_map import StateMap, compiled
from rnnstudy.dynamics.root_finding.chord import (
    KnownRoots,
    absorb_by_chord,
    isolated_roots,
    nearest_root_index,
)
from rnnstudy.dynamics.root_finding.iterate import Solution, solve_some
from rnnstudy.dynamics.root_finding.solvers import Solver
from rnnstudy.dynamics.root_finding.ungated import to_full_state, to_visible, ungated_map
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
class RootCriteria:
    """Criteria of the roots that many starts search for.

    tolerance: largest speed of a root. radius `[member]`: root mean square distance within which
    two states are one root. known_roots: the roots `[root, state]` that each member's search has.
    """

    tolerance: float
    radius: Array
    known_roots: Sequence[Array]


def multistart_solve(
    state_map: StateMap, solver: Solver, starts: Array, aim: RootCriteria
) -> Solution:
    """What `solve` does, in less time: some starts are solved, and roots take in the others.

    starts [member, start, state], all of one member at the same input. A start from which the
    chord of the nearest known root contracts to it ends there.
    """
    if starts.shape[2] <= SMALL:
        return solve_some(state_map, solver, starts, [np.arange(starts.shape[1])] * len(starts))
    found = Solution.unsolved(starts)
    left = np.ones(starts.shape[:2], bool)
    roots, n_solved = isolated_roots(state_map, aim.known_roots), 0
    tried = np.full(left.shape, -1)
    while left.any():
        nearest = nearest_root_index(starts, left, roots)
        target, tried = np.where(nearest == tried, -1, nearest), nearest
        root, steps = absorb_by_chord(state_map, starts, target, roots, aim.radius)
        _take_in(found, root, roots, steps)
        left &= root < 0
        taken = (root >= 0).sum(axis=1) if n_solved else left.sum(axis=1)
        which = [_wave(*each) for each in zip(left, taken, strict=True)]
        n_solved = max(map(len, which))
        if n_solved:
            _enter(found, solve_some(state_map, solver, starts, which), which, left)
            new = [_new(found, i, own, roots, aim) for i, own in enumerate(which)]
            roots = roots.join(isolated_roots(state_map, new))
    return found


def _take_in(found: Solution, root: Array, roots: KnownRoots, steps: Array) -> None:
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


def _new(found: Solution, member: int, which: Array, roots: KnownRoots, aim: RootCriteria) -> Array:
    """Distinct roots [root, state] that some starts of a member reached and nobody knew."""
    old = roots.state[roots.member == member]
    state, speed = found.state[member, which], found.speed[member, which]
    good = (speed < aim.tolerance) & ~found.diverged[member, which]
    every = np.concatenate([old, state[good]])
    # Below any speed, so that a root that was known stays the best of its group.
    speeds = np.concatenate([np.full(len(old), -1.0), speed[good]])
    best = merge(every, speeds, aim.radius[member])[1]
    return every[best[best >= len(old)]]


def solve_starts(state_map: StateMap, solver: Solver, starts: Array, aim: RootCriteria) -> Solution:
    """Solver from starts [member, start, state], by way of where the cell rests if it says so.

    Starts that get stuck on that way, or whose speed is not below the tolerance there, go on by the
    network's own map: those of them that have met as one.
    """
    shorter = ungated_map(state_map)
    if shorter is None:
        return multistart_solve(state_map, solver, starts, aim)
    first = multistart_solve(
        shorter,
        solver,
        to_visible(shorter, starts),
        replace(aim, known_roots=[to_visible(shorter, some) for some in aim.known_roots]),
    )
    state = compiled(to_full_state, shorter, first.state).numpy()
    lost = first.diverged | ~np.isfinite(state).all(axis=-1)
    state = np.where(lost[..., None], starts, state)
    speed = compiled(StateMap.speed, state_map, state).numpy()
    broken = ~np.isfinite(speed)  # a start that is not finite
    left = ~(speed < aim.tolerance) & ~broken
    found = Solution(state, speed, ~left, broken, first.steps)
    return solve_representatives(state_map, solver, found, left, aim)


def polish(state_map: StateMap, solver: Solver, rough: Solution, aim: RootCriteria) -> Solution:
    """Last steps, with those that have met as one.

    What is neither below the tolerance nor cut off by the limit is stuck and stays where it is.
    """
    left = (rough.speed < aim.tolerance) | ~rough.done
    return solve_representatives(state_map, solver, rough, left & ~rough.diverged, aim)


def solve_representatives(
    state_map: StateMap, solver: Solver, found: Solution, left: Array, aim: RootCriteria
) -> Solution:
    """Go on from the points [member, start] that are left: those that have met as one of them."""
    state, speed = found.state, found.speed
    groups = [_met(state[i], speed[i], left[i], aim.radius[i]) for i in range(len(state))]
    which = [best for best, _, _ in groups]
    if not max(map(len, which)):
        return found
    reached = solve_some(state_map, solver, state, which)
    new = found.copy()
    for i, (_, points, group) in enumerate(groups):
        new.enter(i, points, reached, group)
    return new


def _met(state: Array, speed: Array, left: Array, radius: float) -> tuple[Array, Array, Array]:
    """Of the points [point, state] that are left: one of each group, all of them, their groups."""
    which = np.flatnonzero(left)
    group, best = merge(state[which], speed[which], radius)
    return which[best], which, group
