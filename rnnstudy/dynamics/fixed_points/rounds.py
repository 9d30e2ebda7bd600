"""Rounds of a search for fixed points, for many systems at once."""

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
    points_at_other_inputs,
    round_starts,
    search_map,
)
from rnnstudy.dynamics.linearisation.modes import eigenvalues
from rnnstudy.dynamics.root_finding.iterate import SOLVER_MATRICES, Solution
from rnnstudy.dynamics.root_finding.multistart import (
    RootCriteria,
    polish,
    solve_representatives,
    solve_starts,
)
from rnnstudy.dynamics.root_finding.solvers import Newton
from rnnstudy.dynamics.states.clustering import merge

KNOWN_PREFERENCE = 1e-3
"""A new start replaces a known root only if its speed is lower by this factor, not by rounding."""

ROUGH_TOLERANCE = 1e-10
"""Speed below which the solver leaves a start to the polish, where starts that met are one."""

POLISH = Newton(limit=8, tolerance=1e-28)
"""Last steps of every start, which take a root to the rounding of float64."""


def classify_roots(settings: FixedPointSearch, search: SearchState, state: Array) -> Roots:
    """Return the solutions state `[root, state]` of a search with their index and status."""
    image, jacobian = search.system.linearise(state)
    matrix = np.eye(state.shape[1]) - jacobian
    residual = image - state
    sign, _ = np.linalg.slogdet(matrix)
    is_isolated = is_nonsingular(matrix, max(settings.degenerate, np.finfo(float).tiny))
    safe = np.where(is_isolated[:, None, None], matrix, np.eye(state.shape[1]))
    step = np.sqrt(np.mean(np.linalg.solve(safe, residual[..., None]) ** 2, axis=(1, 2)))
    is_certain = is_isolated & (step <= settings.newton_step * search.scale)
    is_outside = ~search.system.networks.within(state)
    return Roots(
        state=state,
        speed=0.5 * np.sum(residual**2, axis=1),
        jacobian=jacobian,
        eigenvalues=deciding_eigenvalues(search, state, jacobian),
        index=np.rint(sign).astype(int),
        status=np.select([is_outside, ~is_certain], [OUTSIDE, DEGENERATE], CONVERGED),
        n_starts=np.zeros(len(state), int),
    )


def deciding_eigenvalues(search: SearchState, state: Array, jacobian: Array) -> Array:
    """Return the eigenvalues `[root, mode]` that decide on stability at states `[root, state]`.

    jacobian: dF/dh of the map. Those of a vector field come from df/dh, which has no rounding of I.
    """
    if not search.is_continuous:
        return eigenvalues(jacobian)
    return eigenvalues(search.system.linearise_rates(state)[1], continuous=True)


def is_nonsingular(matrix: Array, least: float) -> Array:
    """Return a mask of matrices `[matrix, state, state]` with no singular value below `least`.

    The inverse bounds the singular values from below. They are computed only if that does not
    decide.
    """
    size = matrix.shape[-1]
    try:
        bound = 1.0 / (size * np.abs(np.linalg.inv(matrix)).max(axis=(1, 2), initial=0.0))
    except np.linalg.LinAlgError:  # One matrix is exactly singular.
        bound = np.zeros(len(matrix))
    mask: Array = bound >= least
    unsure = np.flatnonzero(~mask)
    values = np.linalg.svd(matrix[unsure], compute_uv=False)
    mask[unsure] = values.min(axis=-1, initial=np.inf) >= least
    return mask


@dataclass(frozen=True)
class RoundResult:
    """One round's solutions of one search, grouped with the roots that were known.

    The next roots are the remaining known ones, followed by the new ones.

    Parameters
    ----------
    known
        Positions `[root]` of the known roots that remain.
    new
        States `[root, state]` of the new roots.
    is_new
        Mask `[root]` of the new roots whose group holds no known root.
    moved
        Next position `[root]` of each root that was known.
    root
        Next position of each start's root `[start]`; -1 for none.
    outcome
        Outcome `[start]` of the starts without a root.
    n_starts
        Number of starts that have reached each of the next roots, `[root]`.
    unconverged
        States and speeds where starts are stuck above the tolerance.
    """

    known: Array
    new: Array
    is_new: Array
    moved: Array
    root: Array
    outcome: Array
    n_starts: Array
    unconverged: tuple[Array, Array]

    @classmethod
    def from_solution(
        cls, settings: FixedPointSearch, search: SearchState, solution: Solution, i: int
    ) -> "RoundResult":
        """Return the result of search i of a joint solution."""
        diverged, is_done = solution.diverged[i], solution.is_done[i]
        is_root = (solution.speed[i] < settings.tolerance) & ~diverged
        outcome = np.select([diverged, is_done], [DIVERGED, SLOW], LIMIT)
        count = len(search.roots.state)
        states = np.concatenate([search.roots.state, solution.state[i][is_root]])
        speeds = KNOWN_PREFERENCE * search.roots.speed, solution.speed[i][is_root]
        label, best = merge(states, np.concatenate(speeds), settings.merge * search.scale)
        order = np.argsort(best >= count, kind="stable")
        position = np.argsort(order)[label]
        known, new = np.split(best[order], [int((best < count).sum())])
        root = np.full(len(outcome), -1)
        root[is_root] = position[count:]
        weight = np.concatenate([search.roots.n_starts, np.ones(is_root.sum())])
        has_known = np.isin(np.arange(len(best)), position[:count])
        is_slow = ~is_root & (outcome == SLOW)
        return cls(
            known=known,
            new=states[new],
            is_new=~has_known[len(known) :],
            moved=position[:count],
            root=root,
            outcome=outcome,
            n_starts=np.bincount(position, weight, len(best)).astype(int),
            unconverged=(solution.state[i][is_slow], solution.speed[i][is_slow]),
        )

    def apply_to(self, search: SearchState, new: Roots) -> None:
        """Write the round into its search. `new` are the new roots with their status."""
        roots = search.roots.take(self.known).join(new)
        search.roots = replace(roots, n_starts=self.n_starts)
        moved = np.append(self.moved, -1)  # Position -1 stays -1.
        search.root_of_start = [*(moved[root] for root in search.root_of_start), self.root]
        search.outcomes.append(self.outcome)
        search.unconverged.append(self.unconverged)
        search.new_points.append(int((self.is_new & (new.status == CONVERGED)).sum()))


def run_search(settings: FixedPointSearch, searches: Sequence[SearchState], n_inputs: int) -> None:
    """Carry the searches through their rounds, in batches of bounded memory.

    n_inputs: number of inputs per network, which share the starts. A search depends on nothing but
    itself and the same network's points at other inputs. So a network has the same points alone and
    among others.
    """
    share = max(settings.candidates // n_inputs, settings.candidates // 8, 1)
    by_member: dict[int, list[SearchState]] = {}
    for search in searches:
        by_member.setdefault(search.system.member, []).append(search)
    for turn in range(settings.rounds):
        base = min(settings.candidates, share * 2 ** max(0, turn - 1))
        by_effort: dict[float, list[SearchState]] = {}
        for search in searches:
            if not search.is_finished:
                by_effort.setdefault(search.effort, []).append(search)
        neighbours = {
            id(search): points_at_other_inputs(search, by_member[search.system.member])
            for waiting in by_effort.values()
            for search in waiting
        }
        for effort, waiting in by_effort.items():
            known = [neighbours[id(search)] for search in waiting]
            _run_rounds(settings, waiting, known, turn, base, int(base * effort))
    for search in searches:
        inside = search.system.networks.within(search.unconverged_states)
        search.slow = slow_points(search, settings.merge * search.scale, inside)


def _run_rounds(
    settings: FixedPointSearch,
    searches: Sequence[SearchState],
    neighbours: Sequence[Array],
    turn: int,
    base: int,
    count: int,
) -> None:
    """Run one round of searches with `count` starts each, in batches of bounded memory.

    base: number of starts of an easy search.
    """
    size = searches[0].visited.shape[1]
    for part in batches(len(searches), 8 * SOLVER_MATRICES * count * size**2):
        starts = round_starts(settings, searches[part], neighbours[part], turn, base, count)
        _run_round(settings, searches[part], starts)


def _run_round(settings: FixedPointSearch, searches: Sequence[SearchState], starts: Array) -> None:
    """Solve from the starts `[search, start, state]` and write the result into the searches."""
    solution = _solve_and_polish(settings, searches, starts)
    for i, search in enumerate(searches):
        result = RoundResult.from_solution(settings, search, solution, i)
        result.apply_to(search, classify_roots(settings, search, result.new))


def _solve_and_polish(
    settings: FixedPointSearch, searches: Sequence[SearchState], starts: Array
) -> Solution:
    radius = np.array([settings.merge * search.scale for search in searches])
    rough_tolerance = max(ROUGH_TOLERANCE, settings.tolerance, settings.solver.tolerance)
    known = [search.roots.fixed_points.state for search in searches]
    criteria = RootCriteria(rough_tolerance, radius, known)
    state_map = search_map(searches, starts.shape[1])
    solver = settings.solver.replace(tolerance=rough_tolerance)
    rough = solve_starts(state_map, solver, starts, criteria)
    exact = polish(state_map, POLISH, rough, criteria)
    solution = replace(exact, is_done=rough.is_done, diverged=rough.diverged)
    is_astray = (
        rough.is_done & (rough.speed < rough_tolerance) & ~(exact.speed < settings.tolerance)
    )
    if not is_astray.any():
        return solution
    # The polish left the neighbourhood of a root: the solver continues from the rough solution.
    solver = settings.solver.replace(tolerance=settings.tolerance)
    rough = solve_representatives(state_map, solver, rough, is_astray, criteria)
    exact = polish(state_map, POLISH, rough, replace(criteria, tolerance=settings.tolerance))
    return solution.replace_points(
        is_astray, replace(exact, is_done=rough.is_done, diverged=rough.diverged)
    )
