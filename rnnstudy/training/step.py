"""Training step of a cohort, and its compiled programs."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import compile_function
from rnnstudy.population.unroll import unroll
from rnnstudy.tasks import Task, Trials
from rnnstudy.training import optimiser
from rnnstudy.training.batches import (
    Program,
    noise_of,
    noises,
    rate_weights,
    trials,
    trials_each,
)
from rnnstudy.training.kernels import per_member
from rnnstudy.training.kernels.precision import in_low_precision

Parameters = Mapping[str, Tensor]

PROGRAMS_EACH = 4
"""Programs of one kind that are kept for the next cohort: more would only take memory."""


def select_prefix(parameters: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the arrays whose names begin with a prefix, under names without it."""
    return {n.removeprefix(prefix): w for n, w in parameters.items() if n.startswith(prefix)}


@functools.lru_cache(maxsize=PROGRAMS_EACH)
def compiled_chunk(program: Program) -> Any:
    """Return the compiled `training_chunk` of a program."""
    return compile_function(training_chunk(program))


def training_chunk(program: Program) -> Callable[..., Any]:
    """Return a function of `count` training steps from `step` on.

    The function returns the state after the steps, and loss and accuracy [member] before them.
    """

    def advance(
        state: tuple[Any, ...], rates: Parameters, seeds: Parameters,
        step: Tensor, count: Tensor, steps: Tensor,
    ) -> tuple[tuple[Any, ...], Tensor, Tensor]:  # fmt: skip
        loss, accuracy = evaluate_batch(program, state[0], seeds, step)

        def turn(k: Tensor, state: tuple[Any, ...]) -> tuple[Tensor, Any]:
            return k + 1, _one_step(program, state, rates, seeds, k, steps)

        _, state = tf.while_loop(
            lambda k, _: k < step + count, turn, (step, state), parallel_iterations=1
        )
        return state, loss, accuracy

    return advance


@functools.lru_cache(maxsize=PROGRAMS_EACH)
def evaluator(cell: Cell, task: Task, xla: bool = True) -> Any:
    """Return the compiled `scorer`."""
    return compile_function(scorer(cell, task, xla))


def scorer(cell: Cell, task: Task, xla: bool = True) -> Callable[..., Any]:
    """Return a function to loss and accuracy [member] on trials, member after member."""
    outputs_of = _member_outputs(cell, xla)

    def score(parameters: Parameters, trials: Trials) -> tuple[Tensor, Tensor]:
        def score_member(arrays: Parameters) -> tuple[Tensor, Tensor]:
            return _scores(task, outputs_of(arrays, trials.inputs), trials)

        return _for_each(score_member, dict(parameters))

    return score


def _scores(task: Task, outputs: Tensor, trials: Trials) -> tuple[Tensor, Tensor]:
    """Return loss and accuracy of outputs [..., trial, time, output]."""
    loss = task.loss.value(outputs, trials.targets, trials.mask)
    return loss, task.accuracy(outputs, trials.targets, trials.mask)


def _for_each(function: Callable[..., Any], members: Any) -> tuple[Tensor, Tensor]:
    """Return two numbers [member] each, one member after the other."""
    number = tf.TensorSpec([])
    numbers: tuple[Tensor, Tensor] = tf.map_fn(
        function, members, fn_output_signature=(number, number), parallel_iterations=1
    )
    return numbers


def evaluate_batch(
    program: Program, parameters: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Tensor]:
    """Return loss and accuracy [member] on the trials of a step, without noise."""
    evaluate = _evaluate_per_member if program.kernel == "per_member" else _evaluate_batched
    return evaluate(program, parameters, seeds, step)


def gradients(
    program: Program, parameters: Parameters, rates: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Parameters]:
    """Return the penalised loss [member] on a step's trials, and its gradients [member, ...]."""
    gradients_of = _gradients_per_member if program.kernel == "per_member" else _gradients_batched
    return gradients_of(program, parameters, rates, seeds, step)


def _one_step(
    program: Program, state: tuple[Any, ...], rates: Parameters, seeds: Parameters,
    step: Tensor, steps: Tensor,
) -> tuple[Any, ...]:  # fmt: skip
    return apply_gradients(
        state, rates, step, steps, gradients(program, state[0], rates, seeds, step)
    )


def apply_gradients(
    state: tuple[Any, ...], rates: Parameters, step: Tensor, steps: Tensor,
    loss_and_gradients: tuple[Tensor, Parameters],
) -> tuple[Any, ...]:  # fmt: skip
    """Return the state after a step, from the penalised loss and its gradients."""
    (parameters, moments, diverged_at), (total, gradients) = state, loss_and_gradients
    moving = optimiser.along(rates["train_initial_state"], gradients["initial_state"])
    gradients = {**gradients, "initial_state": moving * gradients["initial_state"]}
    norm = optimiser.norms(gradients)
    alive = tf.math.is_finite(total) & tf.math.is_finite(norm) & (diverged_at < 0)
    progress = tf.cast(step, tf.float32) / tf.cast(tf.maximum(steps - 1, 1), tf.float32)
    rate = rates["learning_rate"] * tf.pow(rates["final_rate"], progress)
    gradients = optimiser.clip_gradients(gradients, norm, rates["clip_norm"])
    moved, changed = optimiser.adam_step(parameters, gradients, moments, step, rate)
    return (
        optimiser.replace_where(alive, moved, parameters),
        tuple(optimiser.replace_where(alive, n, o) for n, o in zip(changed, moments, strict=True)),
        tf.where(alive | (diverged_at >= 0), diverged_at, step),
    )


def _evaluate_per_member(
    program: Program, parameters: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Tensor]:
    outputs_of, trials_of = _member_outputs(program.cell), trials_each(program, seeds, step)

    def score_member(member: tuple[Parameters, Parameters]) -> tuple[Tensor, Tensor]:
        arrays, seed = member
        trials = trials_of(seed)
        return _scores(program.task, outputs_of(arrays, trials.inputs), trials)

    return _for_each(score_member, (dict(parameters), dict(seeds)))


def _evaluate_batched(
    program: Program, parameters: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Tensor]:
    batch = trials(program, seeds, step)
    return _scores(program.task, _outputs(program.cell, parameters, batch.inputs), batch)


def _gradients_per_member(
    program: Program, parameters: Parameters, rates: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Parameters]:
    """Return the penalised loss and its gradients, member after member."""
    gradient_of, trials_of = _member_gradient(program), trials_each(program, seeds, step)
    if program.is_divided:
        whole_of = trials_each(program.on_one_device, seeds, step)

    def gradient_of_member(
        member: tuple[Parameters, Parameters, Parameters],
    ) -> tuple[Tensor, Parameters]:
        arrays, rate, seed = member
        noise = rate["state_noise"] * noise_of(program, seed, step) if program.noisy else None
        if not program.penalises_rates:
            return gradient_of(arrays, rate["l2"], trials_of(seed), noise)
        batch = trials_of(seed)
        whole = whole_of(seed) if program.is_divided else batch
        weights = rate["rate_l2"] * rate_weights(program, batch, whole)
        return gradient_of(arrays, rate["l2"], batch, noise, weights)

    like = {name: tf.TensorSpec(w.shape[1:]) for name, w in parameters.items()}
    loss_and_gradients: tuple[Tensor, Parameters] = tf.map_fn(
        gradient_of_member,
        (dict(parameters), dict(rates), dict(seeds)),
        parallel_iterations=1,
        fn_output_signature=(tf.TensorSpec([]), like),
    )
    return loss_and_gradients


@functools.lru_cache(maxsize=PROGRAMS_EACH)
def _member_outputs(cell: Cell, xla: bool = True) -> Any:
    """Return a compiled function to the noise-free readout [trial, time, output] of one network."""

    def outputs(parameters: Parameters, inputs: Tensor) -> Tensor:
        return _swap_time(per_member.outputs(cell, parameters, _swap_time(inputs), None))

    return tf.function(outputs, jit_compile=xla, autograph=False)


@functools.lru_cache(maxsize=PROGRAMS_EACH)
def _member_gradient(program: Program) -> Any:
    """Return an XLA program to the penalised loss of one network and its gradients."""
    penalises, loss_of = program.penalises_rates, program.task.loss.value
    outputs_of = in_low_precision(
        functools.partial(per_member.outputs, program.cell, with_activity=penalises),
        program.precision,
        0,
    )

    def gradient(
        parameters: Parameters,
        l2: Tensor,
        trials: Trials,
        noise: Tensor | None,
        rate_weights: Tensor | None = None,
    ) -> tuple[Tensor, Parameters]:
        inputs, targets, mask = (_swap_time(part) for part in trials)
        with tf.GradientTape() as tape:
            tape.watch(parameters)
            outputs, activity = _split_activity(outputs_of(parameters, inputs, noise), penalises)
            loss = loss_of(outputs, targets, mask)
            loss += l2 * _penalty(program, parameters)
            if rate_weights is not None:
                loss += tf.reduce_sum(_swap_time(rate_weights) * activity)
        return loss, tape.gradient(loss, parameters)

    return tf.function(gradient, jit_compile=True, autograph=False)


def _split_activity(read: Tensor, with_activity: bool) -> tuple[Tensor, Tensor | None]:
    """Return outputs [..., output], and the activity [...] if it was read."""
    return (read[..., :-1], read[..., -1]) if with_activity else (read, None)


def _swap_time(values: Tensor) -> Tensor:
    """Swap the first two axes: [trial, time, ...] <-> [time, trial, ...]."""
    return tf.transpose(values, [1, 0, *range(2, len(values.shape))])


def _gradients_batched(
    program: Program, parameters: Parameters, rates: Parameters, seeds: Parameters, step: Tensor
) -> tuple[Tensor, Parameters]:
    """Return the penalised loss and its gradients, as one batch of products."""
    penalises = program.penalises_rates
    outputs_of = in_low_precision(
        functools.partial(_outputs, program.cell, with_activity=penalises), program.precision, 1
    )
    batch = trials(program, seeds, step)
    noise = noises(program, rates, seeds, step) if program.noisy else None
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        outputs, activity = _split_activity(outputs_of(parameters, batch.inputs, noise), penalises)
        loss = program.task.loss.value(outputs, batch.targets, batch.mask)
        total = loss + rates["l2"] * _penalty(program, parameters)
        if penalises:
            whole = trials(program.on_one_device, seeds, step) if program.is_divided else batch
            weights = rate_weights(program, batch, whole)
            total += rates["rate_l2"] * tf.reduce_sum(weights * activity, axis=[-2, -1])
    return total, tape.gradient(total, parameters)


def _outputs(
    cell: Cell,
    parameters: Parameters,
    inputs: Tensor,
    noise: Tensor | None = None,
    with_activity: bool = False,
) -> Tensor:
    """Return the readout [member, trial, time, output] of inputs [member, trial, time, input].

    With `with_activity`, a last output is the mean square of the units that the readout sees.
    """
    initial, readout = parameters["initial_state"], select_prefix(parameters, "readout/")
    start = tf.repeat(initial[:, None, :], inputs.shape[-3], axis=1)
    states = unroll(cell, select_prefix(parameters, "cell/"), inputs, start, noise)
    visible = cell.visible(states)
    # One product per member over all trials and times.
    time, members, trials, units = visible.shape
    flat = tf.reshape(tf.transpose(visible, [1, 0, 2, 3]), [members, time * trials, units])
    outputs = flat @ readout["kernel"] + readout["bias"][:, None, :]
    if with_activity:
        activity = tf.reduce_mean(tf.square(flat), axis=-1, keepdims=True)
        outputs = tf.concat([outputs, activity], axis=-1)
    return tf.transpose(tf.reshape(outputs, [members, time, trials, -1]), [0, 2, 1, 3])


def _penalty(program: Program, parameters: Parameters) -> Tensor:
    """Return the sum of squares of kernels and readout: [member], or [] for one member."""
    kernel_names = [
        n for n, w in program.cell.weights(program.task.inputs).items() if w.initialiser
    ]
    kernels = [parameters[f"cell/{name}"] for name in kernel_names] + [parameters["readout/kernel"]]
    return tf.add_n([tf.reduce_sum(tf.square(w), axis=[-2, -1]) for w in kernels])
