"""The time loop: input products before it, nothing but the recurrence inside."""

from typing import Any

from rnnstudy.cells import Cell
from rnnstudy.cells.base import Weights
from rnnstudy.lazy import tf

Tensor = Any

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
    noise = tf.zeros([time, 0], drive.dtype) if noise is None else noise
    whole = time - time % BLOCK
    parts, last = [], start
    if whole:
        parts.append(_blocks(cell, weights, drive[:whole], noise[:whole], last))
        last = parts[0][-1]
    if whole < time:
        parts.append(_steps(cell, weights, drive[whole:], noise[whole:], last))
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=0)


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


def _steps(cell: Cell, weights: Weights, drive: Tensor, noise: Tensor, state: Tensor) -> Tensor:
    """A few steps written out: drive [time, ...] -> states [time, ..., trial, state]."""
    noisy = len(noise.shape) > 2
    states = []
    for t in range(drive.shape[0]):
        state = cell.step(weights, drive[t], state)
        state = state + noise[t] if noisy else state
        states.append(state)
    return tf.stack(states)


def _blocks(cell: Cell, weights: Weights, drive: Tensor, noise: Tensor, start: Tensor) -> Tensor:
    """Whole blocks of steps as one loop, forward and backward."""
    names = list(weights)
    count = drive.shape[0] // BLOCK
    noise = _in_blocks(noise, count)

    def steps(arrays: list[Tensor], part: Tensor, k: Tensor, state: Tensor) -> Tensor:
        return _steps(cell, dict(zip(names, arrays, strict=True)), part, noise[k], state)

    @tf.custom_gradient
    def loop(drive: Tensor, start: Tensor, *arrays: Tensor) -> tuple[Tensor, Any]:
        states = _forward(steps, list(arrays), drive, start)

        def backward(upstream: Tensor) -> list[Tensor]:
            return _backward(steps, list(arrays), drive, start, states, upstream)

        return states, backward

    states = loop(_in_blocks(drive, count), start, *weights.values())
    return tf.reshape(states, [count * BLOCK, *states.shape[2:]])


def _in_blocks(values: Tensor, count: int) -> Tensor:
    """[time, ...] -> [block, time in block, ...]."""
    return tf.reshape(values, [count, BLOCK, *values.shape[1:]])


def _forward(steps: Any, arrays: list[Tensor], drive: Tensor, start: Tensor) -> Tensor:
    count = drive.shape[0]

    def turn(k: Tensor, state: Tensor, found: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        states = steps(arrays, drive[k], k, state)
        return k + 1, states[-1], found.write(k, states)

    found = tf.TensorArray(start.dtype, size=count, element_shape=[BLOCK, *start.shape])
    initial = (tf.constant(0), start, found)
    _, _, found = tf.while_loop(
        lambda k, *_: k < count, turn, initial, maximum_iterations=count, parallel_iterations=1
    )
    return found.stack()


def _backward(
    steps: Any, arrays: list[Tensor], drive: Tensor, start: Tensor, states: Tensor, upstream: Tensor
) -> list[Tensor]:
    """Gradients of drive, start and each weight array, block by block from the last."""
    count = drive.shape[0]
    first = tf.concat([start[None], states[:-1, -1]], axis=0)

    def turn(k: Tensor, later: Tensor, found: Tensor, *sums: Tensor) -> tuple[Tensor, ...]:
        state, part = first[k], drive[k]
        with tf.GradientTape() as tape:
            tape.watch([part, state, *arrays])
            out = steps(arrays, part, k, state)
            goals = [out, out[-1]]
        to_drive, earlier, *grads = tape.gradient(
            goals, [part, state, *arrays], [upstream[k], later],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )  # fmt: skip
        totals = [total + grad for total, grad in zip(sums, grads, strict=True)]
        return k - 1, earlier, found.write(k, to_drive), *totals

    found = tf.TensorArray(drive.dtype, size=count, element_shape=drive.shape[1:])
    zeros = [tf.zeros_like(array) for array in arrays]
    initial = (tf.constant(count - 1), tf.zeros_like(start), found, *zeros)
    _, earlier, found, *sums = tf.while_loop(
        lambda k, *_: k >= 0, turn, initial, maximum_iterations=count, parallel_iterations=1
    )
    return [found.stack(), earlier, *sums]
