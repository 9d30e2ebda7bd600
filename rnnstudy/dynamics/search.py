"""Rounds of starts for many networks and inputs at once, and what becomes of each start."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.component import Component
from rnnstudy.dynamics.flow import Flow, compiled
from rnnstudy.dynamics.hunt import (
    CONVERGED,
    DEGENERATE,
    DIVERGED,
    LIMIT,
    OUTSIDE,
    SLOW,
    Hunt,
    Roots,
)
from rnnstudy.dynamics.iterate import MATRICES, Solution, batches, solve
from rnnstudy.dynamics.linear import linearised
from rnnstudy.dynamics.merging import merge
from rnnstudy.dynamics.modes import eigenvalues
from rnnstudy.dynamics.networks import Networks
from rnnstudy.dynamics.slow import slow_points
from rnnstudy.dynamics.solvers import AnySolver, Iteration, LevenbergMarquardt, Newton
from rnnstudy.dynamics.solving import polished, solved
from rnnstudy.dynamics.starts import mixtures, scattered
from rnnstudy.dynamics.waves import Aim

Array = np.ndarray

POLISH = Newton(limit=8, tolerance=1e-28)
"""Last steps of every start: they take a root to the rounding of float64."""

LEAVING = Iteration(limit=100, patience=100)
"""How states near unstable points are followed to where the network takes them."""

KNOWN_PREFERRED = 1e-3
"""A known point is replaced by a new start only if that one is so much slower: rounding is not."""


class Search(Component):
    """How fixed points are looked for, and when the search may stop."""

    version: ClassVar[int] = 5

    candidates: Annotated[int, Field(ge=1)] = 256
    """Number of starts per round and network. Several inputs share it, though each gets an eighth
    at least, twice as many in each round after the second, and never more than this."""

    rounds: Annotated[int, Field(ge=1)] = 6
    """Largest number of rounds; fewer where the search is saturated and the index sum right."""

    noise: Annotated[float, Field(ge=0)] = 0.1
    """Noise on visited states as a share of their root mean square; threefold after round 1."""

    tolerance: Annotated[float, Field(gt=0)] = 1e-20
    """Largest speed of a fixed point."""

    newton_step: Annotated[float, Field(gt=0)] = 1e-6
    """Largest Newton step at a fixed point as a share of the states' root mean square."""

    degenerate: Annotated[float, Field(ge=0)] = 1e-6
    """Smallest singular value of I - J below which a point is degenerate and not counted."""

    merge: Annotated[float, Field(gt=0)] = 1e-3
    """Distance within which two points are one, as a share of the states' root mean square."""

    margin: Annotated[float, Field(ge=0)] = 1e-6
    """Distance of an eigenvalue's modulus from 1 within which it counts as neither side."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of noise and mixtures."""

    solver: AnySolver = LevenbergMarquardt()
    """How a start is moved to a root; Newton steps polish it."""


def run_search(search: Search, networks: Networks, inputs: Array, hunts: Sequence[Hunt]) -> None:
    """Carry the hunts through their rounds, in batches of bounded memory.

    inputs [input point, input]. A hunt's starts depend on nothing but itself and the same network's
    points at other inputs, so that a network has the same points alone and in company.
    """
    share = max(search.candidates // len(inputs), search.candidates // 8, 1)
    same: dict[int, list[Hunt]] = {}
    for hunt in hunts:
        same.setdefault(hunt.member, []).append(hunt)
    for turn in range(search.rounds):
        count = min(search.candidates, share * 2 ** max(0, turn - 1))
        waiting = [hunt for hunt in hunts if not hunt.over]
        neighbours = [_neighbours(hunt, same[hunt.member]) for hunt in waiting]
        for part in batches(len(waiting), MATRICES * count * networks.state_size**2):
            led = _led(search, networks, inputs, waiting[part], (turn, count // 8 if turn else 0))
            some = zip(waiting[part], neighbours[part], led, strict=True)
            starts = np.stack(
                [
                    _starts(search, hunt, np.concatenate([near[: count // 4], own]), turn, count)
                    for hunt, near, own in some
                ]
            )
            _round(search, networks, inputs, waiting[part], starts)
    for hunt in hunts:
        inside = networks.within(hunt.stuck_states)
        linearise = partial(linearised, networks, hunt.member, inputs[hunt.input_index])
        hunt.slow = slow_points(hunt, search.merge * hunt.scale, inside, linearise)


def _led(
    search: Search, networks: Networks, inputs: Array, hunts: Sequence[Hunt], which: tuple[int, int]
) -> Array:
    """Where states near unstable points, or else visited states, are led: [hunt, start, state].

    Which round, and how many of them. An unstable point is left along its unstable directions,
    however large the displacement is along others: what the search has not seen lies there.
    """
    turn, count = which
    if not count:
        return np.empty((len(hunts), 0, networks.state_size))
    begin = []
    for hunt in hunts:
        generator = np.random.default_rng((search.seed, turn, hunt.input_index, 1))
        points = hunt.roots.fixed
        unstable = points.state[np.abs(points.eigenvalues).max(axis=1, initial=0.0) > 1.0]
        near = unstable if len(unstable) else hunt.visited
        picked = near[generator.integers(len(near), size=count)]
        spread = search.noise * hunt.scale * generator.standard_normal(picked.shape)
        begin.append(picked + spread)
    found = solve(_flow(networks, inputs, hunts, count), LEAVING, np.stack(begin))
    # States that explode begin where they began.
    return np.where(found.diverged[..., None], np.stack(begin), found.state)


def _starts(search: Search, hunt: Hunt, near: Array, turn: int, count: int) -> Array:
    """So many starts [start, state] for one round, with some that are known from elsewhere."""
    if turn == 0 and hunt.exact:
        return hunt.visited
    generator = np.random.default_rng((search.seed, turn, hunt.input_index))
    wide = 3.0 * search.noise
    if turn == 0:
        return scattered(hunt.visited, count, search.noise, generator)
    points = hunt.roots.fixed
    stable = points.state[np.abs(points.eigenvalues).max(axis=1, initial=0.0) < 1.0]
    parts = [near]
    if turn == 1 and len(stable) > 1:
        parts.append(mixtures(stable, count - len(parts[0]), 1.0, generator))
    elif len(points.state) > 1:
        parts.append(mixtures(points.state, count // 2, 1.5, generator))
        if len(stable) > 1:
            parts.append(mixtures(stable, count // 8, 1.0, generator))
    if turn > 1 and len(points.state):
        around = generator.integers(len(points.state), size=count // 8)
        spread = wide * hunt.scale * generator.standard_normal((len(around), hunt.visited.shape[1]))
        parts.append(points.state[around] + spread)
    rest = max(0, count - sum(map(len, parts)))
    return np.concatenate([*parts, scattered(hunt.visited, rest, wide, generator)])[:count]


def _neighbours(hunt: Hunt, same: Sequence[Hunt]) -> Array:
    """The same network's points at other inputs, nearest inputs first: [point, state]."""
    others = [other for other in same if other is not hunt]
    others.sort(key=lambda other: abs(other.input_index - hunt.input_index))
    return np.concatenate([hunt.roots.state[:0], *(other.roots.fixed.state for other in others)])


def _round(
    search: Search, networks: Networks, inputs: Array, hunts: Sequence[Hunt], starts: Array
) -> None:
    """Solve from the starts [hunt, start, state] and tell each hunt what became of its own."""
    solution = _solved(search, networks, inputs, hunts, starts)
    finds = [Find.of(search, hunt, solution, i) for i, hunt in enumerate(hunts)]
    images, jacobians = _linearised(networks, inputs, hunts, [find.new for find in finds])
    for hunt, find, image, jacobian in zip(hunts, finds, images, jacobians, strict=True):
        new = inspected(search, networks, hunt, find.new, image, jacobian)
        find.enter(hunt, new)


def _flow(networks: Networks, inputs: Array, hunts: Sequence[Hunt], points: int) -> Flow:
    """The hunts' networks, each at its input, for so many points."""
    members = np.array([hunt.member for hunt in hunts])
    held = inputs[[hunt.input_index for hunt in hunts]]
    return networks.flow(members, np.repeat(held[:, None], points, axis=1))


def _solved(
    search: Search, networks: Networks, inputs: Array, hunts: Sequence[Hunt], starts: Array
) -> Solution:
    """Solver, then polish."""
    radius = np.array([search.merge * hunt.scale for hunt in hunts])
    aim = Aim(search.tolerance, radius, [hunt.roots.fixed.state for hunt in hunts])
    flow = _flow(networks, inputs, hunts, starts.shape[1])
    rough = solved(flow, search.solver, starts, aim)
    exact = polished(flow, POLISH, rough, aim)
    return replace(exact, done=rough.done, diverged=rough.diverged)


def _linearised(
    networks: Networks, inputs: Array, hunts: Sequence[Hunt], points: Sequence[Array]
) -> tuple[list[Array], list[Array]]:
    """F and dF/dh at each hunt's points [point, state], in memory-bounded blocks."""
    found: list[tuple[Array, ...]] = []
    for hunt, states in zip(hunts, points, strict=True):
        if not len(states):  # some operations of others cannot be vectorised over nothing
            found.append((states, np.empty((0, states.shape[1], states.shape[1]))))
            continue
        blocks = np.array_split(states, len(states) // 256 + 1)
        parts = [
            compiled(Flow.linearise, _flow(networks, inputs, [hunt], len(block)), block[None])
            for block in blocks
        ]
        found.append(tuple(np.concatenate([p[i][0].numpy() for p in parts]) for i in (0, 1)))
    return [image for image, _ in found], [jacobian for _, jacobian in found]


def inspected(
    search: Search, networks: Networks, hunt: Hunt, state: Array, image: Array, jacobian: Array
) -> Roots:
    """What the solutions state [root, state] are, from F and dF/dh there."""
    matrix = np.eye(state.shape[1]) - jacobian
    residual = image - state
    sign, _ = np.linalg.slogdet(matrix)
    isolated = nonsingular(matrix, max(search.degenerate, np.finfo(float).tiny))
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
        hits=np.zeros(len(state), int),
    )


def nonsingular(matrix: Array, least: float) -> Array:
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
class Find:
    """One round's solutions for one hunt, grouped with the roots that were known.

    old [root]: known roots that stay; new [root, state]: states to inspect; fresh [root]: whether
    none of a new root's group was known. group [start]: position of each start's root in the old
    roots followed by the new ones, -1 for a start that reached none; outcome [start] of those;
    hits [root]: how often each root has been reached by now; stuck: where those got that are slow,
    and their speeds.
    """

    old: Array
    new: Array
    fresh: Array
    group: Array
    outcome: Array
    hits: Array
    stuck: tuple[Array, Array]

    @classmethod
    def of(cls, search: Search, hunt: Hunt, solution: Solution, i: int) -> "Find":
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
        weight = np.concatenate([hunt.roots.hits, np.ones(reached.sum())])
        hits = np.bincount(place, weight, len(best))
        seen = np.isin(np.arange(len(best)), place[:known])
        slow = ~reached & (outcome == SLOW)
        stuck = solution.state[i][slow], solution.speed[i][slow]
        return cls(old, states[new], ~seen[len(old) :], group, outcome, hits.astype(int), stuck)

    def enter(self, hunt: Hunt, new: Roots) -> None:
        """Write the round into the hunt, now that the new states have been inspected."""
        roots = hunt.roots.take(self.old).join(new)
        hunt.roots = replace(roots, hits=self.hits)
        reached = self.group >= 0
        outcome = self.outcome.copy()
        outcome[reached] = roots.status[self.group[reached]]
        hunt.outcomes.append(outcome)
        hunt.stuck.append(self.stuck)
        hunt.fresh = int((self.fresh & (new.status == CONVERGED)).sum())
