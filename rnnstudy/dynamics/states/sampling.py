"""Where to look for fixed points: visited states, and mixtures of the points found so far."""

from itertools import combinations

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.population.population import Population

TRIALS, TIME = 32, 60
"""Size of the default trajectories."""

MOST_ON_GRID = 10**6
"""Starts on a grid, at most."""


def visited_states(population: Population, seed: int = 0) -> Array:
    """States on trajectories that need no task: [member, visited, state].

    Half of the trials get smooth random inputs, half rare unit pulses; half start from the
    network's initial state, half spread around it. All members see the same.
    """
    return flatten_trajectories(
        population.unroll(*default_trials(population.inputs, population.initial_state, seed))
    )


def default_trials(inputs: int, initial_state: Array, seed: int = 0) -> tuple[Array, Array]:
    """Those inputs [trial, time, input] and first states [member, trial, state], for networks with
    so many inputs that begin in initial_state [member, state]."""
    generator = np.random.default_rng((seed, 0))
    shape = (TRIALS, TIME, inputs)
    smooth = np.cumsum(generator.standard_normal(shape), axis=1) / np.sqrt(TIME)
    pulses = generator.choice([-1.0, 0.0, 1.0], shape, p=[0.05, 0.9, 0.05])
    channels = np.where((np.arange(TRIALS) % 2 == 0)[:, None, None], smooth, pulses)
    spread = generator.uniform(-1.0, 1.0, (TRIALS, initial_state.shape[-1]))
    return channels, initial_state[:, None, :] + spread * (np.arange(TRIALS) % 4 < 2)[:, None]


def flatten_trajectories(states: Array) -> Array:
    """Trajectories [member, trial, time, state] as visited states [member, visited, state]."""
    return states.reshape(len(states), -1, states.shape[-1]).astype(np.float64)


def finite_states(states: Array) -> Array:
    """The finite ones among visited states [visited, state]; all of them if none is finite."""
    finite = np.isfinite(states).all(axis=1)
    return states[finite] if finite.any() else states


def scale_of(states: Array) -> float:
    """Typical root mean square of states [visited, state]; 1 where that is zero or not finite.

    The median over states, so that a few that explode don't make all others look the same.
    """
    size = np.sqrt(np.mean(states**2, axis=1))
    scale = float(np.median(size)) or float(np.mean(size))
    return scale if np.isfinite(scale) and scale > 0 else 1.0


def jittered_sample(
    states: Array, count: int, noise: float, generator: np.random.Generator
) -> Array:
    """So many of the states [visited, state] at random, with normal noise of standard deviation
    `noise` times their typical root mean square."""
    picked = states[generator.integers(len(states), size=count)]
    return picked + noise * scale_of(states) * generator.standard_normal(picked.shape)


def convex_mixtures(
    points: Array, count: int, reach: float, generator: np.random.Generator
) -> Array:
    """So many states between points [point, state]: means of pairs, of fours, of all, and random
    convex mixtures of 2 to 8, each moved to `reach` times its distance from the centre at most.

    Saddles lie between the stable points that they separate: in a 3-bit memory on the edges
    (pairs), faces (fours) and at the centre of a cube.
    """
    weights = _weights(len(points), count, generator)
    centre = points.mean(axis=0)
    stretch = generator.uniform(1.0, reach, (len(weights), 1)) if reach > 1 else 1.0
    return centre + stretch * (weights @ points - centre)


def _weights(points: int, count: int, generator: np.random.Generator) -> Array:
    """Convex weights [mixture, point]; of too many regular ones a random choice."""
    regular = [np.full((1, points), 1.0 / points)]
    regular += [_means(points, size, count // 3, generator) for size in (2, 4) if points >= size]
    found = np.concatenate(regular)[:count]
    drawn = [_random_weights(points, generator) for _ in range(count - len(found))]
    return np.concatenate([found, np.reshape(drawn, (-1, points))])


def _means(points: int, size: int, most: int, generator: np.random.Generator) -> Array:
    """Weights of the means of all subsets of so many points, or of `most` random subsets."""
    if points <= 12:
        subsets = list(combinations(range(points), size))
        kept = generator.permutation(len(subsets))[:most]
        chosen = [subsets[i] for i in kept]
    else:
        chosen = [tuple(generator.choice(points, size, replace=False)) for _ in range(most)]
    weights = np.zeros((len(chosen), points))
    np.put_along_axis(weights, np.reshape(chosen, (-1, size)).astype(int), 1.0 / size, axis=1)
    return weights


def _random_weights(points: int, generator: np.random.Generator) -> Array:
    size = int(generator.integers(2, 9))
    weights = np.zeros(points)
    chosen = generator.choice(points, min(size, points), replace=False)
    weights[chosen] = generator.dirichlet(np.ones(len(chosen)))
    return weights


def grid(low: float | Array, high: float | Array, count: int, state_size: int) -> Array:
    """Starts [start, state] on a regular grid: `count` values from low to high along each axis.

    low, high: one number, or one per entry of the state. ValueError beyond a million starts.
    """
    if count < 1 or state_size < 1 or count**state_size > MOST_ON_GRID:
        raise ValueError(
            f"a grid of {count} values along {state_size} axes has {count**state_size} starts; "
            f"it may have 1 to {MOST_ON_GRID}"
        )
    low, high = (np.broadcast_to(np.asarray(v, float), (state_size,)) for v in (low, high))
    axes = [np.linspace(low[i], high[i], count) for i in range(state_size)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, state_size)
