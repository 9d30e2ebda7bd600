"""Starts of each round of a search for fixed points."""

from collections.abc import Sequence

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.fixed_points.search import WIDE_EFFORT, FixedPointSearch, Roots, SearchState
from rnnstudy.dynamics.linearisation.modes import growth
from rnnstudy.dynamics.networks.autonomous_system import joint_map
from rnnstudy.dynamics.networks.state_map import StateMap, run_compiled
from rnnstudy.dynamics.root_finding.deflation import deflated_newton
from rnnstudy.dynamics.root_finding.first_order import Iteration
from rnnstudy.dynamics.root_finding.iterate import solve
from rnnstudy.dynamics.states.sampling import convex_mixtures, jittered_sample

RELAXATION = Iteration(limit=30, patience=30)
"""Iteration that moves states away from unstable points, but not yet to stable points."""

FIRST_WIDE_SHARE = 0.5
"""Share of the starts of round 1 anywhere in the invariant box."""

WIDE_SHARE, RELAXED_SHARE, DEFLATED_SHARE = 1 / 8, 1 / 16, 3 / 8
"""Shares of the starts of a later round: anywhere in the box, moved by the relaxation, moved by
Newton's method on the deflated map."""

DEFLATED_WIDE_SHARE, DEFLATED_SLOW_SHARE = 1 / 2, 1 / 4
"""Shares of the deflated starts that begin in the box, and beside known points."""

STEP_REACH = 0.03, 1.0
"""Least and largest distance of a start from its point along the slowest direction, as shares of
the states' root mean square."""

WIDE_REACH = 4.0
"""Largest box of starts without an invariant box, in root mean squares of the states."""

LARGEST_BOX = 1e3
"""Largest box of starts in any case."""

INVERSE_ITERATIONS = 3
"""Inverse iterations that turn a random direction into the slowest one."""

RELAXED_STREAM, MIXTURE_STREAM, SLOW_STREAM, WIDE_STREAM = range(1, 5)
"""Random streams of a round: relaxed starts, mixtures before deflation, slow directions, starts in
the box."""


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
    base: int,
    count: int,
) -> Array:
    """Return `count` starts for each search in one round, `[search, start, state]`.

    The searches are of equal effort. neighbours: points `[point, state]` of the same network at
    other inputs, for each search. At most a quarter of the starts are such points. base: number of
    starts of an easy search. The further starts in a wide box are anywhere in it.
    """
    if turn == 0:
        n_visited = count if searches[0].starts_as_given else base - int(FIRST_WIDE_SHARE * base)
        wide = _wide_starts(settings, searches, turn, count - n_visited)
        return np.stack(
            [
                _fill_starts(settings, search, states, turn, count)
                for search, states in zip(searches, wide, strict=True)
            ]
        )
    extra = int(base * WIDE_EFFORT) if searches[0].is_wide else 0
    n_wide = extra + int(WIDE_SHARE * (count - extra))
    n_relaxed, n_deflated = (
        int(share * (count - extra)) for share in (RELAXED_SHARE, DEFLATED_SHARE)
    )
    n_deflated_wide = int(DEFLATED_WIDE_SHARE * n_deflated)
    wide = _wide_starts(settings, searches, turn, n_wide + n_deflated_wide)
    relaxed = _relaxed_starts(settings, searches, turn, n_relaxed)
    deflated = _deflated_starts(settings, searches, turn, n_deflated, wide[:, n_wide:])
    parts = [
        np.concatenate([points[: count // 4], *others])
        for points, *others in zip(neighbours, relaxed, deflated, wide[:, :n_wide], strict=True)
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
        unstable = points.state[_largest_growth(search, points) > 0.0]
        pool = unstable if len(unstable) else search.visited
        sample = pool[generator.integers(len(pool), size=count)]
        noise = settings.noise * search.scale * generator.standard_normal(sample.shape)
        starts.append(sample + noise)
    solution = solve(search_map(searches, count), RELAXATION, np.stack(starts))
    # A state that diverges is replaced by its start.
    return np.where(solution.diverged[..., None], np.stack(starts), solution.state)


def _deflated_starts(
    settings: FixedPointSearch, searches: Sequence[SearchState], turn: int, count: int, wide: Array
) -> list[Array]:
    """Return states `[start, state]` that Newton's method reaches on each search's deflated map.

    It begins at the states `wide [search, start, state]`, beside known points along their slowest
    directions, and at mixtures.
    """
    starts = [np.empty((0, searches[0].visited.shape[1]))] * len(searches)
    chosen = [i for i, search in enumerate(searches) if len(search.roots.fixed_points.state)]
    if chosen and count:
        subset = [searches[i] for i in chosen]
        n_slow = int(DEFLATED_SLOW_SHARE * count)
        begins = [
            np.concatenate(
                [
                    wide[i],
                    _slow_directions(settings, searches[i], turn, n_slow),
                    _mixtures(settings, searches[i], turn, count - n_slow - wide.shape[1]),
                ]
            )
            for i in chosen
        ]
        roots = [search.roots.fixed_points.state for search in subset]
        scale = np.array([search.scale for search in subset])
        ends = deflated_newton(search_map(subset, count), np.stack(begins), roots, scale)
        for i, states in zip(chosen, ends, strict=True):
            starts[i] = states
    return starts


def _wide_starts(
    settings: FixedPointSearch, searches: Sequence[SearchState], turn: int, count: int
) -> Array:
    """Return images `[search, start, state]` of states anywhere in the invariant box.

    All fixed points lie in the box, and in its image. Visited states and known points may be far
    from others. Without a box, the states' own size is the measure.
    """
    shape = count, searches[0].visited.shape[1]
    if not count:
        return np.empty((len(searches), *shape))
    states = []
    for search in searches:
        generator = random_generator(settings, search, turn, WIDE_STREAM)
        bound = search.system.networks.state_bound
        if bound is None:
            reach = search.scale * np.exp(generator.uniform(0.0, np.log(WIDE_REACH), (count, 1)))
        else:
            reach = np.minimum(bound, LARGEST_BOX * search.scale)
        states.append(reach * generator.uniform(-1.0, 1.0, shape))
    starts = np.stack(states)
    image = run_compiled(StateMap.__call__, search_map(searches, count), starts).numpy()
    return np.where(np.isfinite(image).all(axis=-1, keepdims=True), image, starts)


def _slow_directions(
    settings: FixedPointSearch, search: SearchState, turn: int, count: int
) -> Array:
    """Return states `[start, state]` beside known points, along their slowest directions.

    A saddle-node bifurcation leaves two points on a line, which is the slowest direction of both:
    the eigenvector of the eigenvalue nearest to 1. Inverse iteration turns a random direction into
    it. Distances are spread evenly in the logarithm.
    """
    points = search.roots.fixed_points
    size = points.state.shape[1]
    generator = random_generator(settings, search, turn, SLOW_STREAM)
    chosen = np.resize(generator.permutation(len(points.state)), count)
    roots, root = np.unique(chosen, return_inverse=True)
    inverse = np.linalg.inv(np.eye(size) - points.jacobian[roots])[root]
    direction = generator.standard_normal((count, size, 1))
    for _ in range(INVERSE_ITERATIONS):
        direction = inverse @ direction
        direction /= np.sqrt(np.mean(direction**2, axis=1, keepdims=True))
    low, high = np.log(STEP_REACH)
    distance = search.scale * np.exp(generator.uniform(low, high, (count, 1)))
    return points.state[chosen] + distance * direction[..., 0]


def _mixtures(settings: FixedPointSearch, search: SearchState, turn: int, count: int) -> Array:
    """Return mixtures of the stable points, of all points, or a sample of visited states."""
    generator = random_generator(settings, search, turn, MIXTURE_STREAM)
    points = search.roots.fixed_points
    for states in (points.state[is_stable(search, points)], points.state):
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
        sample = jittered_sample(search.visited, count - len(first), noise, generator)
        return np.concatenate([first, sample])
    points = search.roots.fixed_points
    stable = points.state[is_stable(search, points)]
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


def is_stable(search: SearchState, points: Roots) -> Array:
    """Return a mask `[point]` of the stable points of a search."""
    mask: Array = _largest_growth(search, points) < 0.0
    return mask


def _largest_growth(search: SearchState, points: Roots) -> Array:
    """Return the largest modulus - 1, or real part, at each point."""
    excess = growth(points.eigenvalues, search.is_continuous)
    largest: Array = excess.max(axis=1, initial=-np.inf)
    return largest
