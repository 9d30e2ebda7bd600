"""Rounds of starts for many networks and inputs at once, and what becomes of each start."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from rnnstudy.dynamics.finds import Find, inspected
from rnnstudy.dynamics.hunt import Hunt
from rnnstudy.dynamics.linearisation.jacobians import linearised
from rnnstudy.dynamics.root_finding.iterate import MATRICES, Solution, batches
from rnnstudy.dynamics.root_finding.multistart import Aim, polished, solved, together
from rnnstudy.dynamics.root_finding.solvers import Newton
from rnnstudy.dynamics.slow import slow_points
from rnnstudy.dynamics.sources import Problem, neighbours, starts_of

Array = np.ndarray

NEAR = 1e-10
"""Speed below which the solver leaves a start to the polish, where those that have met are one."""

POLISH = Newton(limit=8, tolerance=1e-28)
"""Last steps of every start: they take a root to the rounding of float64."""


def run_search(problem: Problem, hunts: Sequence[Hunt]) -> None:
    """Carry the hunts through their rounds, in batches of bounded memory.

    A hunt's starts depend on nothing but itself and the same network's points at other inputs, so
    that a network has the same points alone and in company.
    """
    search, networks = problem.search, problem.networks
    share = max(search.candidates // len(problem.inputs), search.candidates // 8, 1)
    same: dict[int, list[Hunt]] = {}
    for hunt in hunts:
        same.setdefault(hunt.member, []).append(hunt)
    for turn in range(search.rounds):
        count = min(search.candidates, share * 2 ** max(0, turn - 1))
        waiting = [hunt for hunt in hunts if not hunt.over]
        near = [neighbours(hunt, same[hunt.member]) for hunt in waiting]
        for part in batches(len(waiting), MATRICES * count * networks.state_size**2):
            starts = starts_of(problem, waiting[part], near[part], turn, count)
            _round(problem, waiting[part], starts)
    for hunt in hunts:
        inside = networks.within(hunt.stuck_states)
        linearise = partial(linearised, networks, hunt.member, problem.inputs[hunt.input_index])
        hunt.slow = slow_points(hunt, search.merge * hunt.scale, inside, linearise)


def _round(problem: Problem, hunts: Sequence[Hunt], starts: Array) -> None:
    """Solve from the starts [hunt, start, state] and tell each hunt what became of its own."""
    search, networks = problem.search, problem.networks
    solution = _solved(problem, hunts, starts)
    for i, hunt in enumerate(hunts):
        find = Find.of(search, hunt, solution, i)
        held = problem.inputs[hunt.input_index]
        image, jacobian = linearised(networks, hunt.member, held, find.new)
        find.enter(hunt, inspected(search, networks, hunt, find.new, image, jacobian))


def _solved(problem: Problem, hunts: Sequence[Hunt], starts: Array) -> Solution:
    """Solver, then polish."""
    search = problem.search
    radius = np.array([search.merge * hunt.scale for hunt in hunts])
    near = max(NEAR, search.tolerance, search.solver.tolerance)
    aim = Aim(near, radius, [hunt.roots.fixed.state for hunt in hunts])
    flow = problem.flow(hunts, starts.shape[1])
    rough = solved(flow, search.solver.changed(tolerance=near), starts, aim)
    exact = polished(flow, POLISH, rough, aim)
    ended = replace(exact, done=rough.done, diverged=rough.diverged)
    astray = rough.done & (rough.speed < near) & ~(exact.speed < search.tolerance)
    if not astray.any():
        return ended
    # Near a root, or so it seemed: the solver goes on where it left off.
    rough = together(flow, search.solver.changed(tolerance=search.tolerance), rough, astray, aim)
    exact = polished(flow, POLISH, rough, replace(aim, tolerance=search.tolerance))
    return ended.but(astray, replace(exact, done=rough.done, diverged=rough.diverged))
