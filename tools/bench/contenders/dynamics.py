"""Not a contender: numbers of this package that must be the same on every device."""

from typing import Any

import numpy as np

from contenders.case import CHANNELS, Case
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.population.initialise import initial_population

GAIN = 2.0
"""Factor of the initial recurrent weights, with which networks have several fixed points."""

STARTS = 256

TURNS = 30


class Dynamics:
    """Fixed points of one network, and the time of eigenvalues; lives in a process of its own."""

    def __init__(self, threads: int, jobs: int) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)

    def fixed_points(self, case: Case) -> Any:
        """Return the fixed points [point, state] of a network of the case, in order."""
        population = initial_population(case.ours(), CHANNELS, CHANNELS, [0])
        weights = {
            name: values * GAIN if name == "recurrent_kernel" else values
            for name, values in population.weights.items()
        }
        population = type(population)(
            population.cell, weights, population.readout, population.initial_state
        )
        source, size = np.random.default_rng(0), case.ours().state_size
        found = find_fixed_points(population, starts=source.uniform(-1, 1, (1, STARTS, size)))
        order = np.lexsort(found.state.round(6).T)
        return found.state[order]
