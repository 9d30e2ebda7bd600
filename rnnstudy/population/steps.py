"""One training step of a cohort, and the programs that are compiled from it."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rnnstudy.cells import Cell
from rnnstudy.lazy import tf
from rnnstudy.population import optimiser
from rnnstudy.population.program import compiled
from rnnstudy.population.unroll import unroll
from rnnstudy.tasks import Task, Trials
from rnnstudy.tasks.base import mean_squared_error

Tensor = Any
Parameters = Mapping[str, Tensor]


@dataclass(frozen=True)
class Program:
    """What a compiled training program depends on; members' own numbers are its arguments."""

    cell: Cell
    task: Task
    batch: int
    noisy: bool


def part(parameters: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The arrays whose names begin with a prefix, without it."""
    return {n.removeprefix(prefix): w for n, w in parameters.items() if n.startswith(prefix)}


@functools.lru_cache(maxsize=16)
def chunk_of(program: Program) -> Any:
    """The compiled `chunk` of a program."""
    return compiled(chunk(program))


def chunk(program: Program) -> Callable[..., Any]:
    """`count` training steps from `step` on, and how the networks stood before them."""

    def advance(
        state: tuple[Any, ...], rates: Parameters, seeds: Parameters,
        step: Tensor, count: Tensor, steps: Tensor,
    ) -> tuple[tuple[Any, ...], Tensor, Tensor]:  # fmt: skip
        trials = _trials(program, seeds, step)
        outputs = _outputs(program.cell, state[0], trials.inputs)
        loss = mean_squared_error(outputs, trials.targets, trials.mask)
        accuracy = program.task.accuracy(outputs, trials.targets, trials.mask)

        def turn(k: Tensor, state: tuple[Any, ...]) -> tuple[Tensor, Any]:
            return k + 1, _one_step(program, state, rates, seeds, k, steps)

        _, state = tf.while_loop(
            lambda k, _: k < step + count, turn, (step, state), parallel_iterations=1
        )
        return state, loss, accuracy

    return advance


@functools.lru_cache(maxsize=16)
def evaluator(cell: Cell, task: Task) -> Any:
    def score(parameters: Parameters, trials: Trials) -> tuple[Tensor, Tensor]:
        members = parameters["initial_state"].shape[0]
        inputs = tf.broadcast_to(trials.inputs, [members, *trials.inputs.shape])
        outputs = _outputs(cell, parameters, inputs)
        loss = mean_squared_error(outputs, trials.targets, trials.mask)
        return loss, task.accuracy(outputs, trials.targets, trials.mask)

    return compiled(score)


def _one_step(
    program: Program, state: tuple[Any, ...], rates: Parameters, seeds: Parameters,
    step: Tensor, steps: Tensor,
) -> tuple[Any, ...]:  # fmt: skip
    parameters, moments, diverged_at = state
    trials = _trials(program, seeds, step)
    noise = _noise(program, rates, seeds, step) if program.noisy else None
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        outputs = _outputs(program.cell, parameters, trials.inputs, noise)
        loss = mean_squared_error(outputs, trials.targets, trials.mask)
        total = loss + rates["l2"] * _penalty(program, parameters)
    gradients = tape.gradient(total, parameters)
    moving = optimiser.along(rates["train_initial_state"], gradients["initial_state"])
    gradients["initial_state"] *= moving
    norm = optimiser.norms(gradients)
    alive = tf.math.is_finite(total) & tf.math.is_finite(norm) & (diverged_at < 0)
    progress = tf.cast(step, tf.float32) / tf.cast(tf.maximum(steps - 1, 1), tf.float32)
    rate = rates["learning_rate"] * tf.pow(rates["final_rate"], progress)
    gradients = optimiser.clipped(gradients, norm, rates["clip_norm"])
    moved, changed = optimiser.adam(parameters, gradients, moments, step, rate)
    return (
        optimiser.kept_where(alive, moved, parameters),
        tuple(optimiser.kept_where(alive, n, o) for n, o in zip(changed, moments, strict=True)),
        tf.where(alive | (diverged_at >= 0), diverged_at, step),
    )


def _trials(program: Program, seeds: Parameters, step: Tensor) -> Trials:
    """Each member's batch of this step, [member, trial, time, ...], from its own stream."""

    def draw(seed: Tensor) -> Trials:
        folded = tf.random.experimental.stateless_fold_in(seed, step)
        return program.task.sample(folded, program.batch)

    found: Trials = tf.map_fn(draw, seeds["trials"], fn_output_signature=_signature(program))
    return found


def _signature(program: Program) -> Trials:
    task, shape = program.task, (program.batch, program.task.length)
    return Trials(
        tf.TensorSpec((*shape, task.inputs)),
        tf.TensorSpec((*shape, task.outputs)),
        tf.TensorSpec(shape),
    )


def _noise(program: Program, rates: Parameters, seeds: Parameters, step: Tensor) -> Tensor:
    """State noise [time, member, trial, state], from each member's own stream."""
    shape = (program.task.length, program.batch, program.cell.state_size)

    def draw(seed: Tensor) -> Tensor:
        folded = tf.random.experimental.stateless_fold_in(seed, step)
        return tf.random.stateless_normal(shape, folded, alg="philox")

    noise = tf.map_fn(draw, seeds["noise"], fn_output_signature=tf.TensorSpec(shape))
    return tf.transpose(optimiser.along(rates["state_noise"], noise) * noise, [1, 0, 2, 3])


def _outputs(
    cell: Cell, parameters: Parameters, inputs: Tensor, noise: Tensor | None = None
) -> Tensor:
    """Readout over time [member, trial, time, output] of inputs [member, trial, time, input]."""
    initial, readout = parameters["initial_state"], part(parameters, "readout/")
    start = tf.repeat(initial[:, None, :], inputs.shape[-3], axis=1)
    states = unroll(cell, part(parameters, "cell/"), inputs, start, noise)
    seen = cell.visible(states)
    # One product per member over all trials and times.
    time, members, trials, units = seen.shape
    flat = tf.reshape(tf.transpose(seen, [1, 0, 2, 3]), [members, time * trials, units])
    outputs = flat @ readout["kernel"] + readout["bias"][:, None, :]
    return tf.transpose(tf.reshape(outputs, [members, time, trials, -1]), [0, 2, 1, 3])


def _penalty(program: Program, parameters: Parameters) -> Tensor:
    """Sum of squares of the cell's kernels and the readout's: [member]."""
    drawn = [n for n, w in program.cell.weights(program.task.inputs).items() if w.initialiser]
    kernels = [parameters[f"cell/{name}"] for name in drawn] + [parameters["readout/kernel"]]
    return tf.add_n([tf.reduce_sum(tf.square(w), axis=[1, 2]) for w in kernels])
