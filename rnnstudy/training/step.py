"""One training step of a cohort, and the programs that are compiled from it."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import compiled
from rnnstudy.population.unroll import unroll
from rnnstudy.tasks import Task, Trials
from rnnstudy.tasks.base import mean_squared_error
from rnnstudy.training import optimiser
from rnnstudy.training.batches import Program, noise_of, noises, trials, trials_each
from rnnstudy.training.kernels import per_member as by_member
from rnnstudy.training.kernels.precision import lowered

Parameters = Mapping[str, Tensor]


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
        loss, accuracy = standing(program, state[0], seeds, step)

        def turn(k: Tensor, state: tuple[Any, ...]) -> tuple[Tensor, Any]:
            return k + 1, _one_step(program, state, rates, seeds, k, steps)

        _, state = tf.while_loop(
            lambda k, _: k < step + count, turn, (step, state), parallel_iterations=1
        )
        return state, loss, accuracy

    return advance


@functools.lru_cache(maxsize=16)
def evaluator(cell: Cell, task: Task, xla: bool = True) -> Any:
    """Compiled: loss and accuracy [member] on given trials, member after member."""
    outputs_of = _member_outputs(cell, xla)

    def score(parameters: Parameters, trials: Trials) -> tuple[Tensor, Tensor]:
        def of_one(own: Parameters) -> tuple[Tensor, Tensor]:
            return _judgement(task, outputs_of(own, trials.inputs), trials)

        return _for_each(of_one, dict(parameters))

    return compiled(score)


def _judgement(task: Task, outputs: Tensor, trials: Trials) -> tuple[Tensor, Tensor]:
    """Loss and accuracy of outputs [..., trial, time, output]."""
    loss = mean_squared_error(outputs, trials.targets, trials.mask)
    return loss, task.accuracy(outputs, trials.targets, trials.mask)


def _for_each(of_one: Callable[..., Any], members: Any) -> tuple[Tensor, Tensor]:
    """Two numbers of each member, one member after the other."""
    number = tf.TensorSpec([])
    found: tuple[Tensor, Tensor] = tf.map_fn(
        of_one, members, fn_output_signature=(number, number), parallel_iterations=1
    )
    return found


def standing(
    program: Program, parameters: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Tensor]:
    """Loss and accuracy [member] on this step's trials without noise."""
    standing_of = _standing_each if program.kernel == "by_member" else _standing_together
    return standing_of(program, parameters, seeds, step)


def gradients(
    program: Program, parameters: Parameters, rates: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Parameters]:
    """Penalised loss [member] on this step's trials, and its gradients [member, ...]."""
    gradients_of = _gradients_each if program.kernel == "by_member" else _gradients_together
    return gradients_of(program, parameters, rates, seeds, step)


def _one_step(
    program: Program, state: tuple[Any, ...], rates: Parameters, seeds: Parameters,
    step: Tensor, steps: Tensor,
) -> tuple[Any, ...]:  # fmt: skip
    return updated(state, rates, step, steps, gradients(program, state[0], rates, seeds, step))


def updated(
    state: tuple[Any, ...], rates: Parameters, step: Tensor, steps: Tensor,
    found: tuple[Tensor, Parameters],
) -> tuple[Any, ...]:  # fmt: skip
    """The state after a step, from the penalised loss and its gradients."""
    (parameters, moments, diverged_at), (total, gradients) = state, found
    moving = optimiser.along(rates["train_initial_state"], gradients["initial_state"])
    gradients = {**gradients, "initial_state": moving * gradients["initial_state"]}
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


def _standing_each(
    program: Program, parameters: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Tensor]:
    """Member after member."""
    outputs_of, trials_of = _member_outputs(program.cell), trials_each(program, seeds, step)

    def of_one(given: tuple[Parameters, Parameters]) -> tuple[Tensor, Tensor]:
        trials = trials_of(given[1])
        return _judgement(program.task, outputs_of(given[0], trials.inputs), trials)

    return _for_each(of_one, (dict(parameters), dict(seeds)))


def _standing_together(
    program: Program, parameters: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Tensor]:
    """The same as one batch of products."""
    own = trials(program, seeds, step)
    return _judgement(program.task, _outputs(program.cell, parameters, own.inputs), own)


def _gradients_each(
    program: Program, parameters: Parameters, rates: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Parameters]:
    """Penalised loss [member] and its gradients [member, ...], member after member."""
    gradient_of, trials_of = _member_gradient(program), trials_each(program, seeds, step)

    def of_one(given: tuple[Parameters, Parameters, Parameters]) -> tuple[Tensor, Parameters]:
        own, rate, seed = given
        noise = rate["state_noise"] * noise_of(program, seed, step) if program.noisy else None
        return gradient_of(own, rate["l2"], trials_of(seed), noise)

    like = {name: tf.TensorSpec(w.shape[1:]) for name, w in parameters.items()}
    found: tuple[Tensor, Parameters] = tf.map_fn(
        of_one,
        (dict(parameters), dict(rates), dict(seeds)),
        parallel_iterations=1,
        fn_output_signature=(tf.TensorSpec([]), like),
    )
    return found


@functools.lru_cache(maxsize=16)
def _member_outputs(cell: Cell, xla: bool = True) -> Any:
    """Compiled by XLA, or as a graph: readout [trial, time, output] of one network, noise-free."""

    def outputs(parameters: Parameters, inputs: Tensor) -> Tensor:
        found = by_member.outputs(cell, parameters, _swapped(inputs), None)
        return _swapped(found)

    return tf.function(outputs, jit_compile=xla, autograph=False)


@functools.lru_cache(maxsize=16)
def _member_gradient(program: Program) -> Any:
    """Compiled by XLA: penalised loss of one network, and its gradients."""
    outputs_of = lowered(functools.partial(by_member.outputs, program.cell), program.precision, 0)

    def gradient(
        parameters: Parameters, l2: Tensor, trials: Trials, noise: Tensor | None
    ) -> tuple[Tensor, Parameters]:
        inputs, targets, mask = (_swapped(part) for part in trials)
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            outputs = outputs_of(parameters, inputs, noise)
            loss = mean_squared_error(outputs, targets, mask)
            loss += l2 * _penalty(program, parameters)
        return loss, tape.gradient(loss, parameters)

    return tf.function(gradient, jit_compile=True, autograph=False)


def _swapped(values: Tensor) -> Tensor:
    """[trial, time, ...] -> [time, trial, ...], or back."""
    return tf.transpose(values, [1, 0, *range(2, len(values.shape))])


def _gradients_together(
    program: Program, parameters: Parameters, rates: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Parameters]:
    """Penalised loss [member] and its gradients [member, ...], as one batch of products."""
    outputs_of = lowered(functools.partial(_outputs, program.cell), program.precision, 1)
    own = trials(program, seeds, step)
    noise = noises(program, rates, seeds, step) if program.noisy else None
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        outputs = outputs_of(parameters, own.inputs, noise)
        loss = mean_squared_error(outputs, own.targets, own.mask)
        total = loss + rates["l2"] * _penalty(program, parameters)
    return total, tape.gradient(total, parameters)


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
    """Sum of squares of the cell's kernels and the readout's: [member], or of one member []."""
    drawn = [n for n, w in program.cell.weights(program.task.inputs).items() if w.initialiser]
    kernels = [parameters[f"cell/{name}"] for name in drawn] + [parameters["readout/kernel"]]
    return tf.add_n([tf.reduce_sum(tf.square(w), axis=[-2, -1]) for w in kernels])
