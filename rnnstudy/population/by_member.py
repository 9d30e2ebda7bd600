"""A training step of one network, compiled by XLA: what it needs at a time stays in the cache.

On a CPU a cohort is trained member after member. Each member's time runs in blocks; a block's input
products, steps and readout, and in the backward pass all of its gradients, are one piece of work on
arrays that fit the core's cache, with the gates' arithmetic fused. A member's arithmetic does not
know the cohort, so that it becomes the same network, bit for bit, in any company.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rnnstudy.cells import Cell
from rnnstudy.lazy import tf

Tensor = Any
Parameters = Mapping[str, Tensor]

BLOCK = 10
"""Time steps written out per turn of the loop: compiling takes time in proportion to it."""


class _Course(NamedTuple):
    """What drives one network over time, in blocks: inputs [block, time x trial, input] and noise
    [block, time, trial, state], if any."""

    inputs: Tensor
    noise: Tensor | None

    def block(self, k: Any) -> "_Course":
        return _Course(self.inputs[k], None if self.noise is None else self.noise[k])


def outputs(cell: Cell, parameters: Parameters, inputs: Tensor, noise: Tensor | None) -> Tensor:
    """Readout over time [time, trial, output] of one network.

    inputs [time, trial, input]; noise [time, trial, state] is added to each new state, if any.
    parameters: `cell/...`, `readout/kernel` and `readout/bias`, `initial_state`, without a member
    axis. The backward pass recomputes each block from its first state (Chen et al. 2016, "Training
    deep nets with sublinear memory cost").
    """
    time, trials, _ = inputs.shape
    start = tf.repeat(parameters["initial_state"][None], trials, axis=0)
    whole = time - time % BLOCK
    parts = []
    if whole:
        course = _in_blocks(inputs[:whole], None if noise is None else noise[:whole], BLOCK)
        found, start = _blocks(cell, parameters, course, start)
        parts.append(tf.reshape(found, [whole, trials, -1]))
    if time > whole:
        rest = _in_blocks(inputs[whole:], None if noise is None else noise[whole:], time - whole)
        found, _ = _block(cell, parameters, rest.block(0), start)
        parts.append(tf.reshape(found, [time - whole, trials, -1]))
    return tf.concat(parts, axis=0)


def _in_blocks(inputs: Tensor, noise: Tensor | None, length: int) -> _Course:
    time, trials, width = inputs.shape
    count = time // length
    noises = None if noise is None else tf.reshape(noise, [count, length, trials, -1])
    return _Course(tf.reshape(inputs, [count, length * trials, width]), noises)


def _block(
    cell: Cell, parameters: Parameters, course: _Course, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs [time x trial, output] of one block, and the state after it [trial, state]."""
    weights = {n.removeprefix("cell/"): w for n, w in parameters.items() if n.startswith("cell/")}
    drive = cell.drive(weights, course.inputs)
    drive = tf.reshape(drive, [-1, state.shape[0], drive.shape[-1]])
    seen = []
    for t in range(drive.shape[0]):
        state = cell.step(weights, drive[t], state)
        state = state if course.noise is None else state + course.noise[t]
        seen.append(cell.visible(state))
    read = tf.concat(seen, axis=0) @ parameters["readout/kernel"] + parameters["readout/bias"]
    return read, state


def _blocks(
    cell: Cell, parameters: Parameters, course: _Course, start: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs [block, time x trial, output] of all blocks, and the state after them."""
    names = list(parameters)

    @tf.custom_gradient
    def loop(start: Tensor, *arrays: Tensor) -> tuple[tuple[Tensor, Tensor], Any]:
        given = dict(zip(names, arrays, strict=True))
        read, starts, last = _forward(cell, given, course, start)

        def backward(by_read: Tensor, by_last: Tensor) -> list[Tensor]:
            return _backward(cell, given, course, (starts, by_read, by_last))

        return (read, last), backward

    found: tuple[Tensor, Tensor] = loop(start, *parameters.values())
    return found


def _forward(
    cell: Cell, parameters: Parameters, course: _Course, start: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs of all blocks, the state before each [block, trial, state], and the last state."""
    count, samples, _ = course.inputs.shape

    def turn(k: Tensor, state: Tensor, starts: Tensor, found: Tensor) -> tuple[Tensor, ...]:
        read, after = _block(cell, parameters, course.block(k), state)
        return k + 1, after, starts.write(k, state), found.write(k, read)

    outputs = parameters["readout/bias"].shape[0]
    starts = tf.TensorArray(start.dtype, count, element_shape=start.shape)
    found = tf.TensorArray(start.dtype, count, element_shape=[samples, outputs])
    initial = (tf.constant(0), start, starts, found)
    _, last, starts, found = tf.while_loop(
        lambda k, *_: k < count, turn, initial, maximum_iterations=count, parallel_iterations=1
    )
    return found.stack(), starts.stack(), last


def _backward(
    cell: Cell, parameters: Parameters, course: _Course, known: tuple[Tensor, Tensor, Tensor]
) -> list[Tensor]:
    """Gradients by the first state and by each parameter array, block by block from the last."""
    starts, by_read, by_last = known
    count = course.inputs.shape[0]

    def turn(k: Tensor, later: Tensor, *sums: Tensor) -> tuple[Tensor, ...]:
        state = starts[k]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([state, *parameters.values()])
            made = _block(cell, parameters, course.block(k), state)
        earlier, *gradients = tape.gradient(
            made,
            [state, *parameters.values()],
            [by_read[k], later],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        return k - 1, earlier, *[s + g for s, g in zip(sums, gradients, strict=True)]

    zeros = [tf.zeros_like(array) for array in parameters.values()]
    _, earlier, *sums = tf.while_loop(
        lambda k, *_: k >= 0,
        turn,
        (tf.constant(count - 1), by_last, *zeros),
        maximum_iterations=count,
        parallel_iterations=1,
    )
    return [earlier, *sums]
