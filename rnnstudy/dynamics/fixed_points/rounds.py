"""Rounds of starts for many networks and inputs at once, and what becomes of each start."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.dynamics.fixed_points.record import (
    CONVERGED,
    DEGENERATE,
    DIVERGED,
    LIMIT,
    OUTSIDE,
    SLOW,
)
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.fixed_points.slow_points import slow_points
from rnnstudy.dynamics.fixed_points.start_points import (
    SearchProblem,
    points_at_other_inputs,
    round_starts,
)
from rnnstudy.dynamics.linearisation.modes import eigenvalues
from rnnstudy.dynamics.networks.adapters import Networks
from rnnstudy.dynamics.root_finding.iterate import MATRICES, Solution
from rnnstudy.dynamics.root_finding.multistart import (
    RootCriteria,
    polish,
    solve_representatives,
    solve_starts,
)
from rnnstudy.dynamics.root_finding.solvers import Newton
from rnnstudy.dynamics.states.clustering import merge

KNOWN_PREFERRED = 1e-3
"""A known point is replaced by a new start only if that one is so much slower: rounding is not."""


def classify_roots(
    search: FixedPointSearch,
    networks: Networks,
    hunt: SearchState,
    state: Array,
    image: Array,
    jacobian: Array,
) -> Roots:
    """What the solutions state [root, state] are, from F and dF/dh there."""
    matrix = np.eye(state.shape[1]) - jacobian
    residual = image - state
    sign, _ = np.linalg.slogdet(matrix)
    isolated = is_nonsingular(matrix, max(search.degenerate, np.finfo(float).tiny))
    safe = np.where(isolated[:, None, None], matrix, np.eye(state.shape[1]))
    step = np.sqrt(np.mean(np.linalg.solve(safe, residual[..., None]) ** 2, axis=(1, 2)))
    certain = isolated & (step <= search.newton_step * hunt.scale)
    outside = ~networks.within(state)
    return Roots(
        state=state,
        speed=0.5 * np.sum(residual**2, axis=1),
        jacobian=jacobian,
        eigenvalues=eigenvalues(jacobian),
        index=np.rint(sign).astype(int),
        status=np.select([outside, ~certain], [OUTSIDE, DEGENERATE], CONVERGED),
        n_starts=np.zeros(len(state), int),
    )


def is_nonsingular(matrix: Array, least: float) -> Array:
    """Whether all singular values of matrices [matrix, state, state] are at least that: [matrix].

    The inverse bounds them from below; only where that does not decide are they computed.
    """
    size = matrix.shape[-1]
    try:
        bound = 1.0 / (size * np.abs(np.linalg.inv(matrix)).max(axis=(1, 2), initial=0.0))
    except np.linalg.LinAlgError:  # one is exactly singular
        bound = np.zeros(len(matrix))
    found = bound >= least
    unsure = np.flatnonzero(~found)
    values = np.linalg.svd(matrix[unsure], compute_uv=False)
    found[unsure] = values.min(axis=-1, initial=np.inf) >= least
    return found


@dataclass(frozen=True)
class RoundResult:
    """One round's solutions for one hunt, grouped with the roots that were known.

    old [root]: known roots that stay; new [root, state]: states to inspect; fresh [root]: whether
    none of a new root's group was known; moved [root]: where each root that was known is now, among
    the old followed by the new. group [start]: position of each start's root in the old
    roots followed by the new ones, -1 for a start that reached none; outcome [start] of those;
    hits [root]: how often each root has been reached by now; stuck: where those got that are slow,
    and their speeds.
    """

    old: Array
    new: Array
    fresh: Array
    moved: Array
    group: Array
    outcome: Array
    n_starts: Array
    stuck: tuple[Array, Array]

    @classmethod
    def of(
        cls, search: FixedPointSearch, hunt: SearchState, solution: Solution, i: int
    ) -> "RoundResult":
        """What the starts of hunt i reached."""
        diverged, done = solution.diverged[i], solution.done[i]
        reached = (solution.speed[i] < search.tolerance) & ~diverged
        outcome = np.select([diverged, done], [DIVERGED, SLOW], LIMIT)
        known = len(hunt.roots.state)
        states = np.concatenate([hunt.roots.state, solution.state[i][reached]])
        speed = np.concatenate([KNOWN_PREFERRED * hunt.roots.speed, solution.speed[i][reached]])
        label, best = merge(states, speed, search.merge * hunt.scale)
        order = np.argsort(best >= known, kind="stable")
        place = np.argsort(order)[label]
        old, new = np.split(best[order], [int((best < known).sum())])
        group = np.full(len(outcome), -1)
        group[reached] = place[known:]
        weight = np.concatenate([hunt.roots.n_starts, np.ones(reached.sum())])
        n_starts = np.bincount(place, weight, len(best))
        seen = np.isin(np.arange(len(best)), place[:known])
        slow = ~reached & (outcome == SLOW)
        stuck = solution.state[i][slow], solution.speed[i][slow]
        fresh, moved = ~seen[len(old) :], place[:known]
        return cls(old, states[new], fresh, moved, group, outcome, n_starts.astype(int), stuck)

    def enter(self, hunt: SearchState, new: Roots) -> None:
        """Write the round into the hunt, now that the new states have been inspected."""
        roots = hunt.roots.take(self.old).join(new)
        hunt.roots = replace(roots, n_starts=self.n_starts)
        moved = np.append(self.moved, -1)  # so that -1 stays -1
        hunt.reached = [*(moved[earlier] for earlier in hunt.reached), self.group]
        hunt.outcomes.append(self.outcome)
        hunt.stuck.append(self.stuck)
        hunt.fresh = int((self.fresh & (new.status == CONVERGED)).sum())


NEAR = 1e-10
"""Speed below which the solver leaves a start to the polish, where those that have met are one."""

POLISH = Newton(limit=8, tolerance=1e-28)
"""Last steps of every start: they take a root to the rounding of float64."""


def run_search(problem: SearchProblem, hunts: Sequence[SearchState]) -> None:
    """Carry the hunts through their rounds, in batches of bounded memory.

    A hunt's starts depend on nothing but itself and the same network's points at other inputs, so
    that a network has the same points alone and in company.
    """
    search, networks = problem.search, problem.networks
    share = max(search.candidates // len(problem.inputs), search.candidates // 8, 1)
    same: dict[int, list[SearchState]] = {}
    for hunt in hunts:
        same.setdefault(hunt.member, []).append(hunt)
    for turn in range(search.rounds):
        count = min(search.candidates, share * 2 ** max(0, turn - 1))
        waiting = [hunt for hunt in hunts if not hunt.over]
        near = [points_at_other_inputs(hunt, same[hunt.member]) for hunt in waiting]
        for part in batches(len(waiting), 8 * MATRICES * count * networks.state_size**2):
            starts = round_starts(problem, waiting[part], near[part], turn, count)
            _round(problem, waiting[part], starts)
    for hunt in hunts:
        inside = networks.within(hunt.stuck_states)
        linearise = problem.system(hunt).linearise
        hunt.slow = slow_points(hunt, search.merge * hunt.scale, inside, linearise)


def _round(problem: SearchProblem, hunts: Sequence[SearchState], starts: Array) -> None:
    """Solve from the starts [hunt, start, state] and tell each hunt what became of its own."""
    search, networks = problem.search, problem.networks
    solution = _solved(problem, hunts, starts)
    for i, hunt in enumerate(hunts):
        find = RoundResult.of(search, hunt, solution, i)
        image, jacobian = problem.system(hunt).linearise(find.new)
        find.enter(hunt, classify_roots(search, networks, hunt, find.new, image, jacobian))


def _solved(problem: SearchProblem, hunts: Sequence[SearchState], starts: Array) -> Solution:
    """Solver, then polish."""
    search = problem.search
    radius = np.array([search.merge * hunt.scale for hunt in hunts])
    near = max(NEAR, search.tolerance, search.solver.tolerance)
    aim = RootCriteria(near, radius, [hunt.roots.fixed.state for hunt in hunts])
    state_map = problem.state_map(hunts, starts.shape[1])
    rough = solve_starts(state_map, search.solver.changed(tolerance=near), starts, aim)
    exact = polish(state_map, POLISH, rough, aim)
    ended = replace(exact, done=rough.done, diverged=rough.diverged)
    astray = rough.done & (rough.speed < near) & ~(exact.speed < search.tolerance)
    if not astray.any():
        return ended
    # Near a root, or so it seemed: the solver goes on where it left off.
    rough = solve_representatives(
        state_map, search.solver.changed(tolerance=search.tolerance), rough, astray, aim
    )
    exact = polish(state_map, POLISH, rough, replace(aim, tolerance=search.tolerance))
    return ended.but(astray, replace(exact, done=rough.done, diverged=rough.diverged))
