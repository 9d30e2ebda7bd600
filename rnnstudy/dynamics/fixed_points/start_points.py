"""Where the starts of each round of a search come from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.networks.adapters import Networks
from rnnstudy.dynamics.networks.autonomous_system import AutonomousSystem, joint_map
from rnnstudy.dynamics.networks.state_map import StateMap
from rnnstudy.dynamics.root_finding.deflation import deflated_newton
from rnnstudy.dynamics.root_finding.iterate import solve
from rnnstudy.dynamics.root_finding.solvers import Iteration
from rnnstudy.dynamics.states.sampling import convex_mixtures, jittered_sample

LEAVING = Iteration(limit=30, patience=30)
"""How states near unstable points are followed to where the network takes them: far enough to get
away, not so far that most are at stable points (25 steps find as much as 100, 10 find less)."""

PUSHED = 4
"""One start in so many is led away from known points. Of ten searches for the 33 and 45 points of
two trained networks, nine found all and none called fewer complete; with one start in eight, six
did and one; with none, none of eight found all, and two called 25 and 27 points complete."""


@dataclass(frozen=True)
class SearchProblem:
    """What is searched: networks at constant inputs [input point, input], and how."""

    search: FixedPointSearch
    networks: Networks
    inputs: Array

    def state_map(self, hunts: Sequence[SearchState], points: int) -> StateMap:
        """The hunts' networks, each at its input, for so many points."""
        return joint_map([self.system(hunt) for hunt in hunts], points)

    def system(self, hunt: SearchState) -> AutonomousSystem:
        """Return the network of a hunt at its input."""
        inputs = self.inputs[hunt.input_index]
        return AutonomousSystem(self.networks, hunt.member, inputs, hunt.input_index, hunt.scale)

    def generator(self, hunt: SearchState, turn: int, *which: int) -> np.random.Generator:
        """Random numbers for one hunt's round: they do not depend on who else is searched."""
        return np.random.default_rng((self.search.seed, turn, hunt.input_index, *which))


def round_starts(
    problem: SearchProblem,
    hunts: Sequence[SearchState],
    near: Sequence[Array],
    turn: int,
    count: int,
) -> Array:
    """So many starts for each hunt in one round: [hunt, start, state].

    near: what is known of each hunt's points from elsewhere, [point, state]; a quarter of the
    starts are such points at most.
    """
    led = _led(problem, hunts, turn, count // 8 if turn else 0)
    pushed = _pushed(problem, hunts, turn, count // PUSHED if turn else 0)
    known = [
        np.concatenate([own[: count // 4], *more])
        for own, *more in zip(near, led, pushed, strict=True)
    ]
    return np.stack(
        [_starts(problem, hunt, own, turn, count) for hunt, own in zip(hunts, known, strict=True)]
    )


def points_at_other_inputs(hunt: SearchState, same: Sequence[SearchState]) -> Array:
    """The same network's points at other inputs, nearest inputs first: [point, state]."""
    others = [other for other in same if other is not hunt]
    others.sort(key=lambda other: abs(other.input_index - hunt.input_index))
    return np.concatenate([hunt.roots.state[:0], *(other.roots.fixed.state for other in others)])


def _led(problem: SearchProblem, hunts: Sequence[SearchState], turn: int, count: int) -> Array:
    """Where states near unstable points, or else visited states, are led: [hunt, start, state].

    An unstable point is left along its unstable directions, however large the displacement is along
    others: what the search has not seen lies there.
    """
    if not count:
        return np.empty((len(hunts), 0, problem.networks.state_size))
    begin = []
    for hunt in hunts:
        generator = problem.generator(hunt, turn, 1)
        points = hunt.roots.fixed
        unstable = points.state[np.abs(points.eigenvalues).max(axis=1, initial=0.0) > 1.0]
        near = unstable if len(unstable) else hunt.visited
        picked = near[generator.integers(len(near), size=count)]
        spread = problem.search.noise * hunt.scale * generator.standard_normal(picked.shape)
        begin.append(picked + spread)
    found = solve(problem.state_map(hunts, count), LEAVING, np.stack(begin))
    # States that explode begin where they began.
    return np.where(found.diverged[..., None], np.stack(begin), found.state)


def _pushed(
    problem: SearchProblem, hunts: Sequence[SearchState], turn: int, count: int
) -> list[Array]:
    """Where states between known points are led once these are taken out: [start, state] for each
    hunt, in rounds that are to confirm what the first two found, or where there is one point only.
    """
    pushed = [np.empty((0, problem.networks.state_size))] * len(hunts)
    known = [len(hunt.roots.fixed.state) for hunt in hunts]
    which = [i for i, points in enumerate(known) if points == 1 or (points and turn > 1)]
    if which and count:
        some = [hunts[i] for i in which]
        begin = np.stack([_between(problem, hunt, turn, count) for hunt in some])
        roots, scale = [h.roots.fixed.state for h in some], np.array([h.scale for h in some])
        found = deflated_newton(problem.state_map(some, count), begin, roots, scale)
        for i, states in zip(which, found, strict=True):
            pushed[i] = states
    return pushed


def _between(problem: SearchProblem, hunt: SearchState, turn: int, count: int) -> Array:
    """So many states between the stable points, or all, or where the network has been."""
    generator, points = problem.generator(hunt, turn, 2), hunt.roots.fixed
    for states in (points.state[is_stable(points)], points.state):
        if len(states) > 1:
            return convex_mixtures(states, count, 1.0, generator)
    return jittered_sample(hunt.visited, count, problem.search.noise, generator)


def _starts(problem: SearchProblem, hunt: SearchState, near: Array, turn: int, count: int) -> Array:
    """So many starts [start, state] for one hunt, with some that are known already."""
    if turn == 0 and hunt.exact:
        return hunt.visited
    generator, noise = problem.generator(hunt, turn), problem.search.noise
    if turn == 0:
        return jittered_sample(hunt.visited, count, noise, generator)
    points = hunt.roots.fixed
    resting = points.state[is_stable(points)]
    parts = [near]
    if turn == 1 and len(resting) > 1:
        parts.append(convex_mixtures(resting, count - len(parts[0]), 1.0, generator))
    elif len(points.state) > 1:
        parts.append(convex_mixtures(points.state, count // 2, 1.5, generator))
        if len(resting) > 1:
            parts.append(convex_mixtures(resting, count // 8, 1.0, generator))
    wide = 3.0 * noise
    if turn > 1 and len(points.state):
        around = generator.integers(len(points.state), size=count // 8)
        spread = wide * hunt.scale * generator.standard_normal((len(around), hunt.visited.shape[1]))
        parts.append(points.state[around] + spread)
    rest = max(0, count - sum(map(len, parts)))
    return np.concatenate([*parts, jittered_sample(hunt.visited, rest, wide, generator)])[:count]


def is_stable(points: Roots) -> Array:
    """Which of the points are stable: [point]."""
    found: Array = np.abs(points.eigenvalues).max(axis=1, initial=0.0) < 1.0
    return found
