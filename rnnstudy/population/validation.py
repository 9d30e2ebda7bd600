"""How networks fare on trials that neither trained them nor judge them in the end."""

import numpy as np

from rnnstudy.core.record import Array
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.tasks.base import mean_squared_error

BLOCK = 16
"""Members looked at together, to bound the memory that their states take."""


def validation_loss(task: Task, population: Population) -> Array:
    """Mean squared error [member] on the task's noise-free validation trials.

    Whatever is not finite is infinite.
    """
    trials = task.validation()
    blocks = np.array_split(np.arange(len(population)), -(-len(population) // BLOCK))
    found = []
    for members in (population.select("member", block) for block in blocks):
        # Networks that explode on fresh trials are an outcome.
        with np.errstate(all="ignore"):
            outputs = members.outputs_of(members.unroll(np.asarray(trials.inputs)))
            found.append(np.asarray(mean_squared_error(outputs, trials.targets, trials.mask)))
    loss = np.concatenate(found).astype(float)
    return np.where(np.isfinite(loss), loss, np.inf)
