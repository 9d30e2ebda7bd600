"""Loss and accuracy of trained networks on fresh trials of their task."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task, Trials
from rnnstudy.training.kernels.choice import device_kind, uncompilable
from rnnstudy.training.programs import PROGRAMS
from rnnstudy.training.step import evaluator, scorer

EVALUATION_BLOCK = 16
"""Members evaluated at once, to bound the memory of their many trials."""

VALIDATION_BLOCK = 16
"""Members simulated at once on validation trials, to bound the memory of their states."""


def evaluate(task: Task, population: Population) -> tuple[Array, Array]:
    """Return loss and accuracy [member] on the task's evaluation trials."""
    trials = task.evaluation()
    if population.initial_state.dtype != np.float32:
        return _evaluate_in_own_precision(task, population, trials)
    blocks = np.array_split(np.arange(len(population)), -(-len(population) // EVALUATION_BLOCK))
    parameters = [parameters_of(population.select("member", block)) for block in blocks]
    cell, xla = population.cell, not uncompilable(population.cell, task.inputs)
    if device_kind() == "CPU":
        with PROGRAMS.use(("evaluation", cell, task, xla), scorer(cell, task, xla)) as score:
            scores = [score(each, trials) for each in parameters]
    else:
        scores = [evaluator(cell, task, xla)(each, trials) for each in parameters]
    loss, accuracy = (np.concatenate([each[i] for each in scores]) for i in (0, 1))
    return loss, accuracy


def _evaluate_in_own_precision(
    task: Task, population: Population, trials: Trials
) -> tuple[Array, Array]:
    """Return loss and accuracy [member] of networks that are not in float32 (Keras models)."""
    # Networks that explode on fresh trials are an outcome.
    with np.errstate(all="ignore"):
        outputs = population.outputs_of(population.unroll(np.asarray(trials.inputs)))
        outputs = outputs.astype(np.float32)
    loss = np.asarray(task.loss.value(outputs, trials.targets, trials.mask), float)
    return loss, np.asarray(task.accuracy(outputs, trials.targets, trials.mask), float)


def parameters_of(population: Population) -> dict[str, Array]:
    """Return all trainable arrays [member, ...] in one flat dict."""
    return {
        **{f"cell/{name}": w for name, w in population.weights.items()},
        **{f"readout/{name}": w for name, w in population.readout.items()},
        "initial_state": population.initial_state,
    }


def validation_loss(task: Task, population: Population) -> Array:
    """Return the loss [member] on the task's validation trials, without state noise.

    Penalties of training are not part of it. A loss that is not finite is infinite.
    """
    trials = task.validation()
    blocks = np.array_split(np.arange(len(population)), -(-len(population) // VALIDATION_BLOCK))
    losses = []
    for members in (population.select("member", block) for block in blocks):
        # Networks that explode on fresh trials are an outcome.
        with np.errstate(all="ignore"):
            outputs = members.outputs_of(members.unroll(np.asarray(trials.inputs)))
            losses.append(np.asarray(task.loss.value(outputs, trials.targets, trials.mask)))
    loss = np.concatenate(losses).astype(float)
    return np.where(np.isfinite(loss), loss, np.inf)
