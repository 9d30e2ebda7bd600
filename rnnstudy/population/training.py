"""From a protocol to trained networks: a whole cohort as one compiled program."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.lazy import tf
from rnnstudy.population import optimiser
from rnnstudy.population.population import Population, initial_population, stream
from rnnstudy.population.program import compiled
from rnnstudy.population.protocol import Training
from rnnstudy.population.unroll import unroll
from rnnstudy.record import Array, Record, array
from rnnstudy.tasks import Task, Trials
from rnnstudy.tasks.base import mean_squared_error

Tensor = Any
Parameters = Mapping[str, Tensor]

EVALUATION_BLOCK = 16
"""Members evaluated together, to bound the memory that their many trials take."""


@dataclass(frozen=True, eq=False)
class Trained(Record):
    """Trained networks with the course of their training and how they fare on fresh trials."""

    population: Population
    seed: Array = array("member")
    step: Array = array("sample")
    """Training steps before which the curves were recorded."""
    loss: Array = array("member", "sample")
    """Mean squared error on that step's training batch, without state noise."""
    accuracy: Array = array("member", "sample")
    """The task's accuracy on the same batch."""
    diverged_at: Array = array("member")
    """Step at which loss or gradient ceased to be finite and the member was frozen; -1 if never."""
    evaluation_loss: Array = array("member")
    """Mean squared error on the task's fresh, noise-free trials."""
    evaluation_accuracy: Array = array("member")
    solved: Array = array("member")
    """Whether the task's criterion is met."""

    @property
    def status(self) -> tuple[str, ...]:
        """`trained` or `diverged`, per member."""
        return tuple("diverged" if at >= 0 else "trained" for at in self.diverged_at)


@dataclass(frozen=True)
class Program:
    """What a compiled training program depends on; members' own numbers are its arguments."""

    cell: Cell
    task: Task
    batch: int
    noisy: bool


def train(
    cell: Cell,
    task: Task,
    protocols: Sequence[Training],
    seeds: Sequence[int],
    progress: Callable[[int, Array], None] = lambda step, loss: None,
) -> Trained:
    """Train one network per protocol and seed, together, on batches drawn from each one's own seed.

    The protocols may differ in `Training.per_member` fields only (ValueError otherwise). `progress`
    is told the steps done and the losses [member] from time to time; what it raises ends training.
    """
    if not len(protocols) == len(seeds) > 0:
        raise ValueError(f"{len(protocols)} training protocols for {len(seeds)} seeds")
    common = common_protocol(protocols)
    noisy = any(protocol.state_noise > 0 for protocol in protocols)
    program = Program(cell, task, common.batch, noisy)
    untrained = initial_population(cell, task.inputs, task.outputs, seeds)
    rates = _vectors(protocols)
    state = _start(_parameters(untrained))
    samples = []
    for step in range(0, common.steps, common.history):
        count = min(common.history, common.steps - step)
        state, loss, accuracy = _chunk(program)(
            state,
            rates,
            _seeds(seeds),
            tf.constant(step),
            tf.constant(count),
            tf.constant(common.steps),
        )
        samples.append((step, loss.numpy(), accuracy.numpy()))
        progress(step + count, samples[-1][1])
    population = _population(cell, state[0])
    return _judged(task, population, seeds, samples, state[2].numpy())


def common_protocol(protocols: Sequence[Training]) -> Training:
    """The protocol that a cohort shares; ValueError if its fields differ beyond `per_member`."""
    shared = [p.model_dump(exclude=set(Training.per_member)) for p in protocols]
    differing = sorted(f for f in shared[0] if any(s[f] != shared[0][f] for s in shared))
    if differing:
        raise ValueError(f"one cohort cannot mix training protocols: {', '.join(differing)} differ")
    return protocols[0]


def evaluate(task: Task, population: Population) -> tuple[Array, Array]:
    """Loss and accuracy [member] on the task's evaluation trials."""
    trials = task.evaluation()
    found = [
        _evaluator(population.cell, task)(_parameters(population.select("member", block)), trials)
        for block in _blocks(len(population))
    ]
    loss, accuracy = (np.concatenate([part[i] for part in found]) for i in (0, 1))
    return loss, accuracy


def _blocks(members: int) -> list[Array]:
    return np.array_split(np.arange(members), -(-members // EVALUATION_BLOCK))


def _judged(
    task: Task, population: Population, seeds: Sequence[int],
    samples: list[tuple[int, Array, Array]], diverged_at: Array,
) -> Trained:  # fmt: skip
    loss, accuracy = evaluate(task, population)
    return Trained(
        population=population,
        seed=np.asarray(seeds),
        step=np.array([step for step, _, _ in samples]),
        loss=np.stack([loss for _, loss, _ in samples], axis=1),
        accuracy=np.stack([accuracy for _, _, accuracy in samples], axis=1),
        diverged_at=diverged_at,
        evaluation_loss=loss,
        evaluation_accuracy=accuracy,
        solved=task.solved(loss, accuracy) & (diverged_at < 0),
    )


def _parameters(population: Population) -> dict[str, Tensor]:
    """One flat dict of all arrays that training may move."""
    parts = {
        **{f"cell/{name}": w for name, w in population.weights.items()},
        **{f"readout/{name}": w for name, w in population.readout.items()},
        "initial_state": population.initial_state,
    }
    return {name: tf.convert_to_tensor(value) for name, value in parts.items()}


def _part(parameters: Parameters, prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): w for n, w in parameters.items() if n.startswith(prefix)}


def _population(cell: Cell, parameters: Parameters) -> Population:
    found = {name: value.numpy() for name, value in parameters.items()}
    return Population(
        cell=cell,
        weights=_part(found, "cell/"),
        readout=_part(found, "readout/"),
        initial_state=found["initial_state"],
    )


def _vectors(protocols: Sequence[Training]) -> dict[str, Tensor]:
    """Each per-member field as a vector [member]."""
    return {
        name: tf.constant([getattr(p, name) for p in protocols], tf.float32)
        for name in sorted(Training.per_member)
    }


def _seeds(seeds: Sequence[int]) -> dict[str, Tensor]:
    """Each member's random streams: int32 [member, 2]."""
    return {
        purpose: tf.constant([stream(seed, purpose) for seed in seeds], tf.int32)
        for purpose in ("trials", "noise")
    }


def _start(parameters: Parameters) -> tuple[Any, ...]:
    """Parameters, moments, and the step at which each member diverged (-1: not)."""
    members = len(parameters["initial_state"])
    return parameters, optimiser.start(parameters), tf.fill([members], -1)


@functools.lru_cache(maxsize=16)
def _chunk(program: Program) -> Any:
    """Compiled: `count` training steps from `step` on, and how the networks stood before them."""

    def chunk(
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

    return compiled(chunk)


@functools.lru_cache(maxsize=16)
def _evaluator(cell: Cell, task: Task) -> Any:
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
    initial, readout = parameters["initial_state"], _part(parameters, "readout/")
    start = tf.repeat(initial[:, None, :], inputs.shape[-3], axis=1)
    states = unroll(cell, _part(parameters, "cell/"), inputs, start, noise)
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
