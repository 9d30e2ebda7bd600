"""Samples of states: default trajectories, jittered samples, convex mixtures, grids."""

from itertools import combinations

import numpy as np

from rnnstudy.core.arguments import as_float_array, check_whole
from rnnstudy.core.arrays import Array
from rnnstudy.population.population import Population

TRIALS, TIME = 32, 60
"""Size of the default trajectories."""

MAX_GRID = 10**6
"""Largest number of starts on a grid."""


def visited_states(population: Population, seed: int = 0) -> Array:
    """Return states `[member, visited, state]` on trajectories that need no task.

    Half of the trials have smooth random inputs, half rare unit pulses. Half start at the network's
    initial state, half around it. All members have the same trials.
    """
    return flatten_trajectories(
        population.unroll(*default_trials(population.inputs, population.initial_state, seed))
    )


def default_trials(inputs: int, initial_state: Array, seed: int = 0) -> tuple[Array, Array]:
    """Return inputs `[trial, time, input]` and first states `[member, trial, state]` of the trials.

    inputs: number of input channels. initial_state: `[member, state]`.
    """
    generator = np.random.default_rng((seed, 0))
    shape = (TRIALS, TIME, inputs)
    smooth = np.cumsum(generator.standard_normal(shape), axis=1) / np.sqrt(TIME)
    pulses = generator.choice([-1.0, 0.0, 1.0], shape, p=[0.05, 0.9, 0.05])
    channels = np.where((np.arange(TRIALS) % 2 == 0)[:, None, None], smooth, pulses)
    spread = generator.uniform(-1.0, 1.0, (TRIALS, initial_state.shape[-1]))
    return channels, initial_state[:, None, :] + spread * (np.arange(TRIALS) % 4 < 2)[:, None]


def flatten_trajectories(states: Array) -> Array:
    """Return trajectories `[member, trial, time, state]` as states `[member, visited, state]`."""
    return states.reshape(len(states), -1, states.shape[-1]).astype(np.float64)


def finite_states(states: Array) -> Array:
    """Return the finite ones among states `[visited, state]`; all of them if none is finite."""
    finite = np.isfinite(states).all(axis=1)
    return states[finite] if finite.any() else states


def scale_of(states: Array) -> float:
    """Return the median root mean square of states `[visited, state]`; 1 if it is zero or infinite.

    The median ignores a few states that explode.
    """
    size = np.sqrt(np.mean(states**2, axis=1))
    scale = float(np.median(size)) or float(np.mean(size))
    return scale if np.isfinite(scale) and scale > 0 else 1.0


def jittered_sample(
    states: Array, count: int, noise: float, generator: np.random.Generator
) -> Array:
    """Return a random sample `[start, state]` of states `[visited, state]` with normal noise.

    noise: standard deviation as a share of the states' typical root mean square.
    """
    sample = states[generator.integers(len(states), size=count)]
    return sample + noise * scale_of(states) * generator.standard_normal(sample.shape)


def convex_mixtures(
    points: Array, count: int, reach: float, generator: np.random.Generator
) -> Array:
    """Return `count` states between points `[point, state]`.

    They are means of pairs, of fours, of all, and random convex mixtures of 2 to 8. Each is moved
    to at most `reach` times its distance from the centre. Saddles lie between the stable points
    that they separate. In a 3-bit memory they lie on the edges (pairs), on the faces (fours) and
    at the centre of a cube.
    """
    weights = _weights(len(points), count, generator)
    centre = points.mean(axis=0)
    stretch = generator.uniform(1.0, reach, (len(weights), 1)) if reach > 1 else 1.0
    samples: Array = centre + stretch * (weights @ points - centre)
    return samples


def _weights(points: int, count: int, generator: np.random.Generator) -> Array:
    """Return convex weights `[mixture, point]`, a random choice if there are too many means."""
    regular = [np.full((1, points), 1.0 / points)]
    regular += [_means(points, size, count // 3, generator) for size in (2, 4) if points >= size]
    means = np.concatenate(regular)[:count]
    mixtures = [_random_weights(points, generator) for _ in range(count - len(means))]
    return np.concatenate([means, np.reshape(mixtures, (-1, points))])


def _means(points: int, size: int, most: int, generator: np.random.Generator) -> Array:
    """Return weights of the means of all subsets of `size` points, or of `most` random ones."""
    if points <= 12:
        subsets = list(combinations(range(points), size))
        order = generator.permutation(len(subsets))[:most]
        chosen = [subsets[i] for i in order]
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
    """Return starts on a regular grid in state space.

    Parameters
    ----------
    low, high
        Ends of the grid: one number, or one per entry of the state.
    count
        Number of values along each axis.
    state_size
        Length of the state.

    Returns
    -------
    Array
        Starts `[start, state]`.

    Raises
    ------
    ValueError
        If the grid has more than a million starts, or none.

    Examples
    --------
    >>> grid(0.0, 1.0, 2, 2).tolist()
    [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    check_whole("count", count, least=1)
    check_whole("state_size", state_size, least=1)
    if count**state_size > MAX_GRID:
        raise ValueError(
            f"a grid must have 1 to {MAX_GRID} starts, got {count} values along {state_size} axes, "
            f"which are {count**state_size} starts. Lower count."
        )
    low, high = _grid_end("low", low, state_size), _grid_end("high", high, state_size)
    axes = [np.linspace(low[i], high[i], count) for i in range(state_size)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, state_size)


def _grid_end(name: str, values: float | Array, size: int) -> Array:
    """Return an end of a grid, one number per entry of the state."""
    end = as_float_array(name, values)
    if end.shape not in ((), (1,), (size,)):
        raise ValueError(
            f"{name} must be one number or {size}, one per entry of the state, got shape "
            f"{end.shape}. Pass one number for all."
        )
    return np.broadcast_to(end, (size,))
