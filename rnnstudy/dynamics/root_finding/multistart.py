"""Multi-start root finding.

A subset of the starts is solved. Every other start is first tested with a chord iteration towards
the nearest known root, which is much cheaper. Gated cells are solved by their ungated map first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled
from rnnstudy.dynamics.root_finding.chord import (
    KnownRoots,
    absorb_by_chord,
    isolated_roots,
    nearest_root_index,
)
from rnnstudy.dynamics.root_finding.iterate import Solution, solve_subset
from rnnstudy.dynamics.root_finding.solver import Solver
from rnnstudy.dynamics.root_finding.ungated import (
    to_full_state,
    to_visible,
    ungated_map,
    visible_lengths,
)
from rnnstudy.dynamics.states.clustering import merge

MAX_DIRECT_SIZE = 16
"""State size up to which solving a start costs no more than absorbing it."""

SUBSET_FRACTION = 16
"""One start in so many belongs to the subset that is solved next."""

MIN_SUBSET = 32
"""Least number of starts in that subset."""

MIN_ABSORBED = 1
"""Starts that a subset's roots must absorb, as a share of the others, for another subset."""


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
    state_map: StateMap, solver: Solver, starts: Array, criteria: RootCriteria
) -> Solution:
    """Return the solution of all starts `[member, start, state]`, of which only some are solved.

    All starts of one member are at the same input. A start from which the chord of the nearest
    known root contracts to that root ends there.
    """
    if starts.shape[2] <= MAX_DIRECT_SIZE:
        return solve_subset(state_map, solver, starts, [np.arange(starts.shape[1])] * len(starts))
    solution = Solution.at_starts(starts)
    remaining = np.ones(starts.shape[:2], bool)
    roots, n_solved = isolated_roots(state_map, criteria.known_roots), 0
    tested = np.full(remaining.shape, -1)
    while remaining.any():
        nearest = nearest_root_index(starts, remaining, roots)
        target, tested = np.where(nearest == tested, -1, nearest), nearest
        root, steps = absorb_by_chord(state_map, starts, target, roots, criteria.radius)
        _enter_absorbed(solution, root, roots, steps)
        remaining &= root < 0
        absorbed = (root >= 0).sum(axis=1) if n_solved else remaining.sum(axis=1)
        subsets = [_next_subset(*each) for each in zip(remaining, absorbed, strict=True)]
        n_solved = max(map(len, subsets))
        if n_solved:
            solved = solve_subset(state_map, solver, starts, subsets)
            for i, subset in enumerate(subsets):
                solution.enter(i, subset, solved, np.arange(len(subset)))
                remaining[i, subset] = False
            new = [_new_roots(solution, i, s, roots, criteria) for i, s in enumerate(subsets)]
            roots = roots.join(isolated_roots(state_map, new))
    return solution


def _enter_absorbed(solution: Solution, root: Array, roots: KnownRoots, steps: Array) -> None:
    """Write the roots that starts reached by a chord, `[member, start]`; -1 for none."""
    mask = root >= 0
    solution.state[mask] = roots.state[root[mask]]
    solution.speed[mask] = 0.0
    solution.is_done[mask] = True
    solution.steps[mask] = steps[mask]


def _next_subset(remaining: Array, absorbed: int) -> Array:
    """Return the remaining starts `[start]` to solve next, spread over all of them.

    All are solved next if the last subset's roots absorbed few of them.
    """
    indices = np.flatnonzero(remaining)
    count = max(MIN_SUBSET, -(-len(indices) // SUBSET_FRACTION))
    if len(indices) <= 2 * count or MIN_ABSORBED * absorbed < len(indices):
        return indices
    chosen: Array = indices[np.linspace(0, len(indices) - 1, count).astype(int)]
    return chosen


def _new_roots(
    solution: Solution, member: int, points: Array, roots: KnownRoots, criteria: RootCriteria
) -> Array:
    """Return the distinct new roots `[root, state]` that some starts of a member reached."""
    known = roots.state[roots.member == member]
    state, speed = solution.state[member, points], solution.speed[member, points]
    is_root = (speed < criteria.tolerance) & ~solution.diverged[member, points]
    states = np.concatenate([known, state[is_root]])
    # A known root has a speed below any other, so that it stays the best of its group.
    speeds = np.concatenate([np.full(len(known), -1.0), speed[is_root]])
    best = merge(states, speeds, criteria.radius[member])[1]
    fresh: Array = states[best[best >= len(known)]]
    return fresh


def solve_starts(
    state_map: StateMap, solver: Solver, starts: Array, criteria: RootCriteria
) -> Solution:
    """Return the solution of starts `[member, start, state]`, by the ungated map where it exists.

    The network's own map continues from states that are stuck there, or whose speed is not below
    the tolerance. States that have met are solved once.
    """
    ungated = ungated_map(state_map)
    if ungated is None:
        return multistart_solve(state_map, solver, starts, criteria)
    visible = replace(
        criteria,
        radius=visible_lengths(ungated, starts, criteria.radius),
        known_roots=[to_visible(ungated, states) for states in criteria.known_roots],
    )
    first = multistart_solve(ungated, solver, to_visible(ungated, starts), visible)
    state = run_compiled(to_full_state, ungated, first.state).numpy()
    is_lost = first.diverged | ~np.isfinite(state).all(axis=-1)
    state = np.where(is_lost[..., None], starts, state)
    speed = run_compiled(StateMap.speed, state_map, state).numpy()
    diverged = ~np.isfinite(speed)  # The start itself is not finite.
    remaining = ~(speed < criteria.tolerance) & ~diverged
    solution = Solution(state, speed, ~remaining, diverged, first.steps)
    return solve_representatives(state_map, solver, solution, remaining, criteria)


def polish(
    state_map: StateMap, solver: Solver, rough: Solution, criteria: RootCriteria
) -> Solution:
    """Return a solution after its last steps, which states that have met take once.

    A stuck start stays: it is neither below the tolerance nor cut off by the limit.
    """
    remaining = (rough.speed < criteria.tolerance) | ~rough.is_done
    mask = remaining & ~rough.diverged
    return solve_representatives(state_map, solver, rough, mask, criteria)


def solve_representatives(
    state_map: StateMap,
    solver: Solver,
    solution: Solution,
    remaining: Array,
    criteria: RootCriteria,
) -> Solution:
    """Return the solution continued from the remaining points `[member, start]`.

    One representative is solved for each group of points that have met.
    """
    state, speed = solution.state, solution.speed
    groups = [
        _group(state[i], speed[i], remaining[i], criteria.radius[i]) for i in range(len(state))
    ]
    representatives = [best for best, _, _ in groups]
    if not max(map(len, representatives)):
        return solution
    solved = solve_subset(state_map, solver, state, representatives)
    continued = solution.copy()
    for i, (_, points, group) in enumerate(groups):
        continued.enter(i, points, solved, group)
    return continued


def _group(
    state: Array, speed: Array, remaining: Array, radius: float
) -> tuple[Array, Array, Array]:
    """Return one point per group of remaining points, all of these points, and their groups."""
    points = np.flatnonzero(remaining)
    group, best = merge(state[points], speed[points], radius)
    return points[best], points, group
