"""Time loop of the recurrence, with input products computed before the loop."""

from typing import Any, NamedTuple

from rnnstudy.cells import Cell
from rnnstudy.cells.base import Weights
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import custom_gradient

STEPS_PER_TURN = 10
"""Time steps written out per turn of the loop. More steps compile more slowly and run no faster."""


def unroll(
    cell: Cell, weights: Weights, inputs: Tensor, start: Tensor, noise: Tensor | None = None
) -> Tensor:
    """Return the states over time, [time, ..., trial, state].

    The backward pass recomputes each block of steps from its first state. Memory therefore holds
    the states, and not the intermediate results of every step.

    Parameters
    ----------
    cell
        Cell of the networks.
    weights
        Weights of the cell by name, each [..., row, column] or [..., column].
    inputs
        [..., trial, time, input].
    start
        State before the first time step, [..., trial, state].
    noise
        Added to each new state, [time, ..., trial, state]; default: none.

    References
    ----------
    Chen et al. (2016), "Training deep nets with sublinear memory cost".
    """
    drive = time_first(_drive(cell, weights, inputs))
    time = drive.shape[0]
    whole = time - time % STEPS_PER_TURN
    noises = (None, None) if noise is None else (noise[:whole], noise[whole:])
    if not whole:
        return tf.stack(_steps(cell, weights, drive, noises[1], start))
    states = _blocks(cell, weights, drive[:whole], noises[0], start)
    if whole == time:
        return states
    rest = _steps(cell, weights, drive[whole:], noises[1], states[-1])
    return tf.concat([states, tf.stack(rest)], axis=0)


def time_first(values: Tensor) -> Tensor:
    """Move time first: [..., trial, time, unit] -> [time, ..., trial, unit]."""
    rank = len(values.shape)
    return tf.transpose(values, [rank - 2, *range(rank - 2), rank - 1])


def time_inside(values: Tensor) -> Tensor:
    """Move time inside: [time, ..., trial, unit] -> [..., trial, time, unit]."""
    rank = len(values.shape)
    return tf.transpose(values, [*range(1, rank - 1), 0, rank - 1])


def _drive(cell: Cell, weights: Weights, inputs: Tensor) -> Tensor:
    """Return the cell's drive at all trials and times, by one product per member."""
    *lead, trials, time, width = inputs.shape
    flat = cell.drive(weights, tf.reshape(inputs, [*lead, trials * time, width]))
    return tf.reshape(flat, [*lead, trials, time, flat.shape[-1]])


def _steps(
    cell: Cell, weights: Weights, drive: Tensor, noise: Tensor | None, state: Tensor
) -> list[Tensor]:
    """Return the state [..., trial, state] after each of a few steps with drive [time, ...]."""
    states = []
    for t in range(drive.shape[0]):
        state = cell.step(weights, drive[t], state)
        state = state if noise is None else state + noise[t]
        states.append(state)
    return states


def _blocks(
    cell: Cell, weights: Weights, drive: Tensor, noise: Tensor | None, start: Tensor
) -> Tensor:
    """Return the states of whole blocks of steps, computed in one loop."""
    names, count = list(weights), drive.shape[0] // STEPS_PER_TURN
    noise = None if noise is None else _in_blocks(noise, count)

    @custom_gradient
    def loop(drive: Tensor, start: Tensor, *arrays: Tensor) -> tuple[Tensor, Any]:
        by_name = dict(zip(names, arrays, strict=True))
        states = _forward(cell, by_name, drive, noise, start)

        def backward(upstream: Tensor) -> list[Tensor]:
            before = tf.concat([start[None], states[:-1, -1]], axis=0)
            return _backward(cell, by_name, _ForwardPass(drive, noise, before, states, upstream))

        return states, backward

    states = loop(_in_blocks(drive, count), start, *weights.values())
    return tf.reshape(states, [count * STEPS_PER_TURN, *states.shape[2:]])


class _ForwardPass(NamedTuple):
    """Arrays of the forward pass for the backward pass, each [block, time in block, ...]."""

    drive: Tensor
    noise: Tensor | None
    before: Tensor
    """The state before each block: [block, ..., trial, state]."""
    states: Tensor
    upstream: Tensor
    """Gradient by the states."""

    def block(self, k: Tensor) -> "_ForwardPass":
        """Return the arrays of one block."""
        return _ForwardPass(*(None if part is None else part[k] for part in self))


def _in_blocks(values: Tensor, count: int) -> Tensor:
    """Split time into blocks: [time, ...] -> [block, time in block, ...]."""
    return tf.reshape(values, [count, STEPS_PER_TURN, *values.shape[1:]])


def _forward(
    cell: Cell, weights: Weights, drive: Tensor, noise: Tensor | None, start: Tensor
) -> Tensor:
    count = drive.shape[0]

    def turn(k: Tensor, state: Tensor, buffer: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states = _steps(cell, weights, drive[k], None if noise is None else noise[k], state)
        return k + 1, states[-1], buffer.write(k, tf.stack(states))

    buffer = tf.TensorArray(start.dtype, size=count, element_shape=[STEPS_PER_TURN, *start.shape])
    initial = (tf.constant(0), start, buffer)
    _, _, buffer = tf.while_loop(
        lambda k, *_: k < count, turn, initial, maximum_iterations=count, parallel_iterations=1
    )
    return buffer.stack()


def _backward(cell: Cell, weights: Weights, forward: _ForwardPass) -> list[Tensor]:
    """Return the gradients by drive, start and each weight array, block by block from the last.

    In a block the recurrence propagates the gradient by each state. The gradients by weights and
    drive follow for all steps of the block at once, as products over time x trial.
    """
    count = forward.drive.shape[0]

    def turn(k: Tensor, later: Tensor, buffer: Tensor, *sums: Tensor) -> tuple[Tensor, ...]:
        block = forward.block(k)
        by_states, earlier = _by_states(cell, weights, block, later)
        to_drive, grads = _by_weights(cell, weights, block, by_states)
        totals = [total + grad for total, grad in zip(sums, grads, strict=True)]
        return k - 1, earlier, buffer.write(k, to_drive), *totals

    drive, start = forward.drive, forward.before[0]
    buffer = tf.TensorArray(drive.dtype, size=count, element_shape=drive.shape[1:])
    zeros = [tf.zeros_like(array) for array in weights.values()]
    initial = (tf.constant(count - 1), tf.zeros_like(start), buffer, *zeros)
    _, earlier, buffer, *sums = tf.while_loop(
        lambda k, *_: k >= 0, turn, initial, maximum_iterations=count, parallel_iterations=1
    )
    return [buffer.stack(), earlier, *sums]


def _by_states(
    cell: Cell, weights: Weights, block: _ForwardPass, later: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the gradients by each state of a block, [time, ..., trial, state], and by its first.

    `later` is the gradient by the last state, propagated from the next block.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(block.before)
        states = _steps(cell, weights, block.drive, block.noise, block.before)
    upstream = tf.unstack(block.upstream)
    upstream[-1] += later
    *by_states, earlier = tape.gradient(states, [*states, block.before], upstream)
    return tf.stack(by_states), earlier


def _by_weights(
    cell: Cell, weights: Weights, block: _ForwardPass, by_states: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Return the gradients by a block's drive [time, ..., trial, drive] and by each weight."""
    before = tf.concat([block.before[None], block.states[:-1]], axis=0)
    drive, state, upstream = (_merge_time(part) for part in (block.drive, before, by_states))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([drive, *weights.values()])
        after = cell.step(weights, drive, state)
    to_drive, *grads = tape.gradient(
        after,
        [drive, *weights.values()],
        upstream,
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    return _split_time(to_drive, block.drive.shape), grads


def _merge_time(values: Tensor) -> Tensor:
    """Merge time and trials: [time, ..., trial, unit] -> [..., time x trial, unit]."""
    rank = len(values.shape)
    time, *lead, trials, width = values.shape
    inside = tf.transpose(values, [*range(1, rank - 2), 0, rank - 2, rank - 1])
    return tf.reshape(inside, [*lead, time * trials, width])


def _split_time(values: Tensor, shape: Any) -> Tensor:
    """Split time and trials: [..., time x trial, unit] -> [time, ..., trial, unit] = `shape`."""
    time, *lead, trials, width = shape
    parts = tf.reshape(values, [*lead, time, trials, width])
    rank = len(parts.shape)
    return tf.transpose(parts, [rank - 3, *range(rank - 3), rank - 2, rank - 1])
