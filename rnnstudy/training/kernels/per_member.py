"""Training step of one network, compiled by XLA, with working arrays that fit the core's cache.

On a CPU a cohort is trained member by member. Time is divided into short blocks. XLA fuses the
input products, steps and readout of a block, and all of its gradients. A member's arithmetic does
not depend on the cohort, so that its bits are the same alone and among others.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.compile import custom_gradient
from rnnstudy.training.kernels.split_step import Shape, SplitStep, split_step

Tensors = Sequence[Tensor]
Parameters = Mapping[str, Tensor]

BLOCK_STEPS = 2
"""Time steps per turn of the loops. One, two and four differ by a few percent. Long blocks are
slow, since XLA computes sums along their steps anew at each step."""


def outputs(
    cell: Cell,
    parameters: Parameters,
    inputs: Tensor,
    noise: Tensor | None,
    with_activity: bool = False,
) -> Tensor:
    """Return the readout [time, trial, output] of one network.

    With `with_activity`, a last output is the mean square of the units that the readout sees.

    inputs [time, trial, input]. noise [time, trial, state] is added to each new state, if present.
    parameters: `cell/...`, `readout/kernel` and `readout/bias`, `initial_state`, without a member
    axis.
    """
    time, trials, _ = inputs.shape
    state = tf.repeat(parameters["initial_state"][None], trials, axis=0)
    arrays = [parameters[f"cell/{name}"] for name in cell.weights(1)]
    arrays += [parameters["readout/kernel"], parameters["readout/bias"]]
    whole, parts = time - time % BLOCK_STEPS, []
    for first, last, length in ((0, whole, BLOCK_STEPS), (whole, time, time - whole)):
        if first < last:
            part_noise = None if noise is None else noise[first:last]
            drivers = _Drivers.of(inputs[first:last], part_noise, length)
            read, state = _outputs(cell, arrays, drivers, state, with_activity)
            parts.append(tf.reshape(read, [last - first, trials, -1]))
    return tf.concat(parts, axis=0)


class _Drivers(NamedTuple):
    """Inputs [block, time x trial, input] of one network, and its noise [time, trial x state]."""

    inputs: Tensor
    noise: Tensor | None

    @classmethod
    def of(cls, inputs: Tensor, noise: Tensor | None, length: int) -> "_Drivers":
        time, trials, width = inputs.shape
        blocked = tf.reshape(inputs, [time // length, length * trials, width])
        return cls(blocked, None if noise is None else tf.reshape(noise, [time, -1]))


class _ForwardCache(NamedTuple):
    """Arrays of the forward pass that the backward pass reads.

    They are the states before each step [time, trial x state] and the last state [trial, state].
    Cached arrays of steps are [time, number] each, mostly [time, trial x unit]. XLA reads a row of
    these at the speed of memory, and the same numbers out of a larger slice one by one.
    """

    before: Tensor
    last: Tensor
    cached: list[Tensor]


def _outputs(
    cell: Cell, arrays: Tensors, drivers: _Drivers, start: Tensor, with_activity: bool
) -> tuple[Tensor, Tensor]:
    """Return the readout [block, time x trial, output] and the last state.

    arrays: the cell's weights, then the readout's.
    """

    @custom_gradient
    def loop(start: Tensor, *arrays: Tensor) -> tuple[tuple[Tensor, Tensor], Any]:
        block = _Block.of(cell, arrays, drivers, start, with_activity)
        read, cache = _forward(block, drivers, start)

        def backward(by_read: Tensor, by_last: Tensor) -> list[Tensor]:
            return _backward(block, drivers, cache, (by_read, by_last))

        return (read, cache.last), backward

    read_and_last: tuple[Tensor, Tensor] = loop(start, *arrays)
    return read_and_last


@dataclass(frozen=True)
class _Block:
    """Time steps of one network, forward and backward."""

    cell: Cell
    weights: list[Tensor]
    readout: list[Tensor]
    step: SplitStep
    shared: list[Tensor]
    """Arguments of `step` that are the same at all time steps."""
    trials: int
    length: int
    new_state_index: int | None
    """Index of the new state among the cached arrays, if it is the state before the next step."""
    with_activity: bool

    @classmethod
    def of(
        cls, cell: Cell, arrays: Tensors, drivers: _Drivers, start: Tensor, with_activity: bool
    ) -> "_Block":
        (*weights, kernel, bias), trials = arrays, start.shape[0]
        drive = _drive(cell, weights, drivers.inputs[0, :trials])
        step = split_step(cell, weights, drive, start)
        shared = [*weights, *step.prepare(*weights)]
        index = step.new_state_index if drivers.noise is None else None
        length = drivers.inputs.shape[1] // trials
        readout = [kernel, bias]
        return cls(cell, weights, readout, step, shared, trials, length, index, with_activity)

    @property
    def outputs(self) -> int:
        """Number of outputs of `read`."""
        return int(self.readout[1].shape[0]) + self.with_activity

    def read(self, state: Tensor) -> Tensor:
        """Return the readout of states, and the mean square of their units if that is read."""
        visible, (kernel, bias) = self.cell.visible(state), self.readout
        read = visible @ kernel + bias
        if not self.with_activity:
            return read
        activity = tf.reduce_mean(tf.square(visible), axis=-1, keepdims=True)
        return tf.concat([read, activity], axis=-1)

    @property
    def shapes(self) -> list[Shape]:
        """Shapes of the cached arrays of a step, without the state."""
        shapes = enumerate(self.step.cached)
        return [shape for index, shape in shapes if index != self.new_state_index]

    def times(self, k: Tensor) -> list[Tensor]:
        """Return the time steps of block k."""
        return [k * self.length + t for t in range(self.length)]

    def rows(self, values: Tensor) -> Tensor:
        """Split trials and units: [trial x unit] -> [trial, unit]."""
        return tf.reshape(values, [self.trials, -1])

    def forward(self, drive: Tensor, state: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the noise-free state after one step, and the cached arrays."""
        new, *cached = self.step.forward(*self.shared, drive, state)
        if self.new_state_index is not None:
            del cached[self.new_state_index]
        return new, cached

    def backward(self, drive: Tensor, around: Tensors, cached: Tensors, by_new: Tensor) -> Tensors:
        """Return gradients as `SplitStep.backward`, from the states before and after one step."""
        before, after = around
        cached = [tf.reshape(each, shape) for each, shape in zip(cached, self.shapes, strict=True)]
        if self.new_state_index is not None:
            cached.insert(self.new_state_index, after)
        return self.step.backward(*self.shared, drive, before, *cached, by_new)

    def zeros(self) -> list[Tensor]:
        """Return zero gradients by readout, weights, and second factors of products with states."""
        like = [tf.zeros_like(array) for array in (*self.readout, *self.weights)]
        return [*like, *(tf.zeros(shape, like[0].dtype) for shape in self.step.factors)]

    def by_arrays(self, sums: Tensors) -> list[Tensor]:
        """Return gradients by all weights, then by the readout; `sums` are ordered as `zeros`."""
        by_readout, by_weights = sums[:2], sums[2 : 2 + len(self.weights)]
        by_products = self.step.by_weights(*self.weights, *sums[2 + len(self.weights) :])
        return [*(a + b for a, b in zip(by_weights, by_products, strict=True)), *by_readout]


def _drive(cell: Cell, weights: Tensors, inputs: Tensor) -> Tensor:
    return cell.drive(dict(zip(cell.weights(1), weights, strict=True)), inputs)


def _forward(block: _Block, drivers: _Drivers, start: Tensor) -> tuple[Tensor, _ForwardCache]:
    """Return the readout of all blocks, and the cache."""
    count, samples, _ = drivers.inputs.shape

    def turn(k: Tensor, state: Tensor, read: Tensor, *buffers: Tensor) -> tuple[Tensor, ...]:
        drives = tf.split(_drive(block.cell, block.weights, drivers.inputs[k]), block.length)
        after = []
        for t, drive in zip(block.times(k), drives, strict=True):
            new, cached = block.forward(drive, state)
            rows = [tf.reshape(each, [-1]) for each in (state, *cached)]
            buffers = tuple(array.write(t, row) for array, row in zip(buffers, rows, strict=True))
            state = new if drivers.noise is None else new + block.rows(drivers.noise[t])
            after.append(state)
        outputs = block.read(tf.concat(after, axis=0))
        return k + 1, state, read.write(k, outputs), *buffers

    read = tf.TensorArray(start.dtype, count, element_shape=[samples, block.outputs])
    buffers = [
        tf.TensorArray(start.dtype, count * block.length, element_shape=[math.prod(shape)])
        for shape in (start.shape, *block.shapes)
    ]
    _, last, read, *buffers = _turns(count, turn, (tf.constant(0), start, read, *buffers))
    before, *cached = (array.stack() for array in buffers)
    return read.stack(), _ForwardCache(before, last, cached)


def _turns(count: int, turn: Any, initial: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Run `count` turns of a loop whose first variable counts up or down."""
    variables: tuple[Tensor, ...] = tf.while_loop(
        lambda k, *_: (k >= 0) & (k < count),
        turn,
        initial,
        maximum_iterations=count,
        parallel_iterations=1,
    )
    return variables


def _backward(
    block: _Block, drivers: _Drivers, cache: _ForwardCache, upstream: tuple[Tensor, Tensor]
) -> list[Tensor]:
    """Return gradients by the first state and by each array, block by block from the last."""
    count, (by_read, by_last) = drivers.inputs.shape[0], upstream

    def turn(k: Tensor, later: Tensor, after: Tensor, *sums: Tensor) -> tuple[Tensor, ...]:
        times = block.times(k)
        states = [*(block.rows(cache.before[t]) for t in times), after]
        cached = [[each[t] for each in cache.cached] for t in times]
        by_states, by_readout = _through_readout(block, states[1:], by_read[k])
        steps = states, cached, by_states
        earlier, by_shared = _through_steps(block, drivers.inputs[k], steps, later)
        more = zip(sums, [*by_readout, *by_shared], strict=True)
        return k - 1, earlier, states[0], *(total + gradient for total, gradient in more)

    initial = tf.constant(count - 1), by_last, cache.last, *block.zeros()
    _, earlier, _, *sums = _turns(count, turn, initial)
    return [earlier, *block.by_arrays(sums)]


def _through_readout(
    block: _Block, states: Tensors, by_read: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Return gradients by each of a block's states, and by the readout's arrays."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        joined = tf.concat(states, axis=0)
        tape.watch([joined, *block.readout])
        read = block.read(joined)
    by_states, *by_readout = tape.gradient(read, [joined, *block.readout], by_read)
    return tf.split(by_states, len(states)), by_readout


def _through_steps(
    block: _Block, inputs: Tensor, steps: tuple[Tensors, Sequence[Tensors], Tensors], later: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Return the gradient by the state before a block, and the gradients by shared arrays.

    The latter are by the weights outside of products with states, then by the second factors of
    those products. steps: states around each step, cached arrays, gradients by new states.
    """
    states, cached, by_states = steps
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(block.weights)
        drive = _drive(block.cell, block.weights, inputs)
    drives = tf.split(drive, block.length)
    gradients: list[list[Tensor]] = []
    for t in reversed(range(block.length)):
        by_new = later + by_states[t]
        later, *others = block.backward(drives[t], states[t : t + 2], cached[t], by_new)
        gradients.insert(0, others)
    by_drive, *rest = zip(*gradients, strict=True)
    count = len(block.step.direct_weights)
    by_direct, products = rest[:count], rest[count:]
    by_weights = tape.gradient(
        drive,
        block.weights,
        tf.concat(by_drive, axis=0),
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    for index, each in zip(block.step.direct_weights, by_direct, strict=True):
        by_weights[index] += tf.add_n(each)
    joined = [tf.concat(each, axis=0) for each in products]
    by_factors = [
        tf.matmul(first, by_product, transpose_a=True)
        for first, by_product in zip(joined[::2], joined[1::2], strict=True)
    ]
    return later, [*by_weights, *by_factors]
