"""States that networks visit under each constant input, from which attractors are sought."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.states.sampling import finite_states, scale_of
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task

TIMES = 6
"""Largest number of time steps of a trial whose states are starts, evenly spread, the last at its
end."""

SEED = 0
"""Seed of the choice of starts and of their noise, the same for all networks."""


def condition_starts(population: Population, task: Task, count: int, noise: float) -> Array:
    """Return states on probe trials under each constant input, `[member, condition, start, state]`.

    Inputs that are constant in every probe trial, such as a cue or a context, get the value of the
    condition. Other inputs, such as pulses and noise, are those of the probe.

    Parameters
    ----------
    count
        Number of starts for each condition, or fewer if the probe has fewer states.
    noise
        Standard deviation of noise on the states, as a share of their root mean square.
    """
    generator = np.random.default_rng(SEED)
    inputs = np.asarray(task.probe().inputs)[:count]
    is_constant = (inputs == inputs[:, :1]).all(axis=(0, 1))
    times = np.unique(np.rint(np.linspace(0, inputs.shape[1], TIMES + 1)[1:]).astype(int)) - 1
    chosen = generator.permutation(len(inputs) * len(times))[:count]
    shape = (len(chosen), population.initial_state.shape[1])
    draws = generator.standard_normal(shape)
    starts = []
    for condition in task.static_inputs().values:
        constant_inputs = np.where(is_constant, condition, inputs)
        states = population.unroll(constant_inputs)[:, :, times].astype(np.float64)
        visited = states.reshape(len(states), -1, shape[1])[:, chosen]
        starts.append([sample + noise * _scale(sample) * draws for sample in visited])
    return np.moveaxis(np.array(starts), 0, 1)


def _scale(states: Array) -> float:
    return scale_of(finite_states(states))
