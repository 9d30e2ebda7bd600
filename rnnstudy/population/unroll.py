"""The time loop: input products before it, nothing but the recurrence inside."""

from typing import Any, NamedTuple

from rnnstudy.cells import Cell
from rnnstudy.cells.base import Weights
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf

BLOCK = 10
"""Time steps written out per turn of the loop. Measured on 2 cores (32 units, 32 trials, 100 steps,
3 members): 10 compile in about a second and run as fast as all 100 written out, which take four."""


def unroll(
    cell: Cell, weights: Weights, inputs: Tensor, start: Tensor, noise: Tensor | None = None
) -> Tensor:
    """States over time.

    inputs [..., trial, time, input], start [..., trial, state]; noise [time, ..., trial, state] is
    added to each new state, if any. Returns [time, ..., trial, state]. The backward pass recomputes
    each block of steps from its first state, so that memory holds the states and not every
    intermediate of every step (Chen et al. 2016, "Training deep nets with sublinear memory cost").
    """
    drive = time_first(_drive(cell, weights, inputs))
    time = drive.shape[0]
    whole = time - time % BLOCK
    noises = (None, None) if noise is None else (noise[:whole], noise[whole:])
    if not whole:
        return tf.stack(_steps(cell, weights, drive, noises[1], start))
    states = _blocks(cell, weights, drive[:whole], noises[0], start)
    if whole == time:
        return states
    rest = _steps(cell, weights, drive[whole:], noises[1], states[-1])
    return tf.concat([states, tf.stack(rest)], axis=0)


def time_first(values: Tensor) -> Tensor:
    """[..., trial, time, unit] -> [time, ..., trial, unit]."""
    rank = len(values.shape)
    return tf.transpose(values, [rank - 2, *range(rank - 2), rank - 1])


def time_inside(values: Tensor) -> Tensor:
    """[time, ..., trial, unit] -> [..., trial, time, unit]."""
    rank = len(values.shape)
    return tf.transpose(values, [*range(1, rank - 1), 0, rank - 1])


def _drive(cell: Cell, weights: Weights, inputs: Tensor) -> Tensor:
    """The cell's drive at all trials and times, as one product per member."""
    *lead, trials, time, width = inputs.shape
    flat = cell.drive(weights, tf.reshape(inputs, [*lead, trials * time, width]))
    return tf.reshape(flat, [*lead, trials, time, flat.shape[-1]])


def _steps(
    cell: Cell, weights: Weights, drive: Tensor, noise: Tensor | None, state: Tensor
) -> list[Tensor]:
    """A few steps written out: drive [time, ...] -> a state [..., trial, state] for each."""
    states = []
    for t in range(drive.shape[0]):
        state = cell.step(weights, drive[t], state)
        state = state if noise is None else state + noise[t]
        states.append(state)
    return states


def _blocks(
    cell: Cell, weights: Weights, drive: Tensor, noise: Tensor | None, start: Tensor
) -> Tensor:
    """Whole blocks of steps as one loop, forward and backward."""
    names, count = list(weights), drive.shape[0] // BLOCK
    noise = None if noise is None else _in_blocks(noise, count)

    @tf.custom_gradient
    def loop(drive: Tensor, start: Tensor, *arrays: Tensor) -> tuple[Tensor, Any]:
        found = dict(zip(names, arrays, strict=True))
        states = _forward(cell, found, drive, noise, start)

        def backward(upstream: Tensor) -> list[Tensor]:
            before = tf.concat([start[None], states[:-1, -1]], axis=0)
            return _backward(cell, found, _Course(drive, noise, before, states, upstream))

        return states, backward

    states = loop(_in_blocks(drive, count), start, *weights.values())
    return tf.reshape(states, [count * BLOCK, *states.shape[2:]])


class _Course(NamedTuple):
    """What a forward pass leaves for the backward one, each [block, time in block, ...]."""

    drive: Tensor
    noise: Tensor | None
    before: Tensor
    """The state before each block: [block, ..., trial, state]."""
    states: Tensor
    upstream: Tensor

    def block(self, k: Tensor) -> "_Course":
        """The parts of one block."""
        return _Course(*(None if part is None else part[k] for part in self))


def _in_blocks(values: Tensor, count: int) -> Tensor:
    """[time, ...] -> [block, time in block, ...]."""
    return tf.reshape(values, [count, BLOCK, *values.shape[1:]])


def _forward(
    cell: Cell, weights: Weights, drive: Tensor, noise: Tensor | None, start: Tensor
) -> Tensor:
    count = drive.shape[0]

    def turn(k: Tensor, state: Tensor, found: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states = _steps(cell, weights, drive[k], None if noise is None else noise[k], state)
        return k + 1, states[-1], found.write(k, tf.stack(states))

    found = tf.TensorArray(start.dtype, size=count, element_shape=[BLOCK, *start.shape])
    initial = (tf.constant(0), start, found)
    _, _, found = tf.while_loop(
        lambda k, *_: k < count, turn, initial, maximum_iterations=count, parallel_iterations=1
    )
    return found.stack()


def _backward(cell: Cell, weights: Weights, course: _Course) -> list[Tensor]:
    """Gradients of drive, start and each weight array, block by block from the last.

    Inside a block the recurrence carries back the gradient by each state alone; what the weights
    and the drive get follows from these for all its steps together, as products over time x trial.
    """
    count = course.drive.shape[0]

    def turn(k: Tensor, later: Tensor, found: Tensor, *sums: Tensor) -> tuple[Tensor, ...]:
        block = course.block(k)
        by_states, earlier = _by_states(cell, weights, block, later)
        to_drive, grads = _by_weights(cell, weights, block, by_states)
        totals = [total + grad for total, grad in zip(sums, grads, strict=True)]
        return k - 1, earlier, found.write(k, to_drive), *totals

    drive, start = course.drive, course.before[0]
    found = tf.TensorArray(drive.dtype, size=count, element_shape=drive.shape[1:])
    zeros = [tf.zeros_like(array) for array in weights.values()]
    initial = (tf.constant(count - 1), tf.zeros_like(start), found, *zeros)
    _, earlier, found, *sums = tf.while_loop(
        lambda k, *_: k >= 0, turn, initial, maximum_iterations=count, parallel_iterations=1
    )
    return [found.stack(), earlier, *sums]


def _by_states(
    cell: Cell, weights: Weights, block: _Course, later: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients by each state of a block [time, ..., trial, state], and by the one before it.

    `later` is the gradient that the next block hands to the last state of this one.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(block.before)
        states = _steps(cell, weights, block.drive, block.noise, block.before)
    upstream = tf.unstack(block.upstream)
    upstream[-1] += later
    *by_states, earlier = tape.gradient(states, [*states, block.before], upstream)
    return tf.stack(by_states), earlier


def _by_weights(
    cell: Cell, weights: Weights, block: _Course, by_states: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Gradients by a block's drive [time, ..., trial, drive] and by each weight array."""
    before = tf.concat([block.before[None], block.states[:-1]], axis=0)
    drive, state, upstream = (_merged(part) for part in (block.drive, before, by_states))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([drive, *weights.values()])
        after = cell.step(weights, drive, state)
    to_drive, *grads = tape.gradient(
        after,
        [drive, *weights.values()],
        upstream,
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    return _parted(to_drive, block.drive.shape), grads


def _merged(values: Tensor) -> Tensor:
    """[time, ..., trial, unit] -> [..., time x trial, unit]."""
    rank = len(values.shape)
    time, *lead, trials, width = values.shape
    inside = tf.transpose(values, [*range(1, rank - 2), 0, rank - 2, rank - 1])
    return tf.reshape(inside, [*lead, time * trials, width])


def _parted(values: Tensor, shape: Any) -> Tensor:
    """[..., time x trial, unit] -> [time, ..., trial, unit], which is `shape`."""
    time, *lead, trials, width = shape
    parts = tf.reshape(values, [*lead, time, trials, width])
    rank = len(parts.shape)
    return tf.transpose(parts, [rank - 3, *range(rank - 3), rank - 2, rank - 1])
