"""Starts of each round of a search for fixed points."""

from collections.abc import Sequence

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.networks.autonomous_system import joint_map
from rnnstudy.dynamics.networks.state_map import StateMap
from rnnstudy.dynamics.root_finding.deflation import deflated_newton
from rnnstudy.dynamics.root_finding.first_order import Iteration
from rnnstudy.dynamics.root_finding.iterate import solve
from rnnstudy.dynamics.states.sampling import convex_mixtures, jittered_sample

RELAXATION = Iteration(limit=30, patience=30)
"""Iteration that moves states away from unstable points, but not yet to stable points."""

DEFLATED_FRACTION = 4
"""One start in so many is moved by Newton's method on the deflated map."""

RELAXED_FRACTION = 8
"""One start in so many is moved by the relaxation."""

RELAXED_STREAM, MIXTURE_STREAM = 1, 2
"""Random streams of a round for relaxed starts, and for mixtures before deflation."""


def search_map(searches: Sequence[SearchState], points: int) -> StateMap:
    """Return the joint map of the searches' systems, for so many points of each."""
    return joint_map([search.system for search in searches], points)


def random_generator(
    settings: FixedPointSearch, search: SearchState, turn: int, *stream: int
) -> np.random.Generator:
    """Return the random numbers of one search's round. They do not depend on other searches."""
    return np.random.default_rng((settings.seed, turn, search.system.input_index, *stream))


def round_starts(
    settings: FixedPointSearch,
    searches: Sequence[SearchState],
    neighbours: Sequence[Array],
    turn: int,
    count: int,
) -> Array:
    """Return so many starts for each search in one round, `[search, start, state]`.

    neighbours: points `[point, state]` of the same network at other inputs, for each search. At
    most a quarter of the starts are such points.
    """
    relaxed = _relaxed_starts(settings, searches, turn, count // RELAXED_FRACTION if turn else 0)
    deflated = _deflated_starts(settings, searches, turn, count // DEFLATED_FRACTION if turn else 0)
    parts = [
        np.concatenate([points[: count // 4], *others])
        for points, *others in zip(neighbours, relaxed, deflated, strict=True)
    ]
    return np.stack(
        [
            _fill_starts(settings, search, part, turn, count)
            for search, part in zip(searches, parts, strict=True)
        ]
    )


def points_at_other_inputs(search: SearchState, others: Sequence[SearchState]) -> Array:
    """Return the same network's points at other inputs `[point, state]`, nearest inputs first."""
    position = search.system.input_index
    siblings = [other for other in others if other is not search]
    siblings.sort(key=lambda other: abs(other.system.input_index - position))
    points = (other.roots.fixed_points.state for other in siblings)
    return np.concatenate([search.roots.state[:0], *points])


def _relaxed_starts(
    settings: FixedPointSearch, searches: Sequence[SearchState], turn: int, count: int
) -> Array:
    """Return states `[search, start, state]` that the map reaches from near unstable points.

    Without unstable points, they are reached from near visited states. A state leaves an unstable
    point along its unstable directions, towards regions without known points.
    """
    if not count:
        return np.empty((len(searches), 0, searches[0].visited.shape[1]))
    starts = []
    for search in searches:
        generator = random_generator(settings, search, turn, RELAXED_STREAM)
        points = search.roots.fixed_points
        unstable = points.state[np.abs(points.eigenvalues).max(axis=1, initial=0.0) > 1.0]
        pool = unstable if len(unstable) else search.visited
        sample = pool[generator.integers(len(pool), size=count)]
        noise = settings.noise * search.scale * generator.standard_normal(sample.shape)
        starts.append(sample + noise)
    solution = solve(search_map(searches, count), RELAXATION, np.stack(starts))
    # A state that diverges is replaced by its start.
    return np.where(solution.diverged[..., None], np.stack(starts), solution.state)


def _deflated_starts(
    settings: FixedPointSearch, searches: Sequence[SearchState], turn: int, count: int
) -> list[Array]:
    """Return states `[start, state]` that Newton's method reaches on each search's deflated map.

    They are used from round 3 on, which confirms the first two, or if only one point is known.
    """
    starts = [np.empty((0, searches[0].visited.shape[1]))] * len(searches)
    counts = [len(search.roots.fixed_points.state) for search in searches]
    chosen = [i for i, points in enumerate(counts) if points == 1 or (points and turn > 1)]
    if chosen and count:
        subset = [searches[i] for i in chosen]
        mixtures = np.stack([_mixtures(settings, search, turn, count) for search in subset])
        roots = [search.roots.fixed_points.state for search in subset]
        scale = np.array([search.scale for search in subset])
        ends = deflated_newton(search_map(subset, count), mixtures, roots, scale)
        for i, states in zip(chosen, ends, strict=True):
            starts[i] = states
    return starts


def _mixtures(settings: FixedPointSearch, search: SearchState, turn: int, count: int) -> Array:
    """Return mixtures of the stable points, of all points, or a sample of visited states."""
    generator = random_generator(settings, search, turn, MIXTURE_STREAM)
    points = search.roots.fixed_points
    for states in (points.state[is_stable(points)], points.state):
        if len(states) > 1:
            return convex_mixtures(states, count, 1.0, generator)
    return jittered_sample(search.visited, count, settings.noise, generator)


def _fill_starts(
    settings: FixedPointSearch, search: SearchState, first: Array, turn: int, count: int
) -> Array:
    """Return so many starts `[start, state]` for one search, the first ones as they are."""
    if turn == 0 and search.starts_as_given:
        return search.visited
    generator, noise = random_generator(settings, search, turn), settings.noise
    if turn == 0:
        return jittered_sample(search.visited, count, noise, generator)
    points = search.roots.fixed_points
    stable = points.state[is_stable(points)]
    parts = [first]
    if turn == 1 and len(stable) > 1:
        parts.append(convex_mixtures(stable, count - len(parts[0]), 1.0, generator))
    elif len(points.state) > 1:
        parts.append(convex_mixtures(points.state, count // 2, 1.5, generator))
        if len(stable) > 1:
            parts.append(convex_mixtures(stable, count // 8, 1.0, generator))
    wide = 3.0 * noise
    if turn > 1 and len(points.state):
        chosen = generator.integers(len(points.state), size=count // 8)
        shape = len(chosen), search.visited.shape[1]
        parts.append(points.state[chosen] + wide * search.scale * generator.standard_normal(shape))
    remaining = max(0, count - sum(map(len, parts)))
    sample = jittered_sample(search.visited, remaining, wide, generator)
    return np.concatenate([*parts, sample])[:count]


def is_stable(points: Roots) -> Array:
    """Return a mask `[point]` of the stable points."""
    mask: Array = np.abs(points.eigenvalues).max(axis=1, initial=0.0) < 1.0
    return mask
