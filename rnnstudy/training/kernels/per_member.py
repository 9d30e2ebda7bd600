"""A training step of one network, compiled by XLA: what it needs at a time stays in the cache.

On a CPU a cohort is trained member after member. Each member's time runs in short blocks; a block's
input products, steps and readout, and on the way back all of its gradients, are one piece of work
on arrays that fit the core's cache, with the gates' arithmetic fused. A member's arithmetic does
not know the cohort, so that it becomes the same network, bit for bit, in any company.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.training.kernels.split_step import Halves, halves

Tensors = Sequence[Tensor]
Parameters = Mapping[str, Tensor]

BLOCK = 2
"""Time steps per turn of the loops. One, two and four differ by a few percent. Long blocks are
slow: XLA computes sums along their steps anew at each (with ten, a UGRNN took twice as long)."""


def outputs(cell: Cell, parameters: Parameters, inputs: Tensor, noise: Tensor | None) -> Tensor:
    """Readout over time [time, trial, output] of one network.

    inputs [time, trial, input]; noise [time, trial, state] is added to each new state, if any.
    parameters: `cell/...`, `readout/kernel` and `readout/bias`, `initial_state`, without a member
    axis.
    """
    time, trials, _ = inputs.shape
    state = tf.repeat(parameters["initial_state"][None], trials, axis=0)
    arrays = [parameters[f"cell/{name}"] for name in cell.weights(1)]
    arrays += [parameters["readout/kernel"], parameters["readout/bias"]]
    whole, parts = time - time % BLOCK, []
    for first, last, length in ((0, whole, BLOCK), (whole, time, time - whole)):
        if first < last:
            some = None if noise is None else noise[first:last]
            read, state = _outputs(
                cell, arrays, _Course.of(inputs[first:last], some, length), state
            )
            parts.append(tf.reshape(read, [last - first, trials, -1]))
    return tf.concat(parts, axis=0)


class _Course(NamedTuple):
    """What drives one network: inputs [block, time x trial, input], and noise [time, trial x state]
    if any."""

    inputs: Tensor
    noise: Tensor | None

    @classmethod
    def of(cls, inputs: Tensor, noise: Tensor | None, length: int) -> "_Course":
        time, trials, width = inputs.shape
        blocked = tf.reshape(inputs, [time // length, length * trials, width])
        return cls(blocked, None if noise is None else tf.reshape(noise, [time, -1]))


class _Trace(NamedTuple):
    """What the way back needs of the way there: states before each step [time, trial x state] and
    after the last [trial, state], and what steps keep beside them, each [time, trial x unit].

    XLA reads a row of these at the speed of memory, and the same numbers out of a larger slice one
    by one.
    """

    before: Tensor
    last: Tensor
    kept: list[Tensor]


def _outputs(cell: Cell, arrays: Tensors, course: _Course, start: Tensor) -> tuple[Tensor, Tensor]:
    """Readout [block, time x trial, output], and the last state; arrays: weights, then readout."""

    @tf.custom_gradient
    def loop(start: Tensor, *arrays: Tensor) -> tuple[tuple[Tensor, Tensor], Any]:
        block = _Block.of(cell, arrays, course, start)
        read, trace = _forward(block, course, start)

        def backward(by_read: Tensor, by_last: Tensor) -> list[Tensor]:
            return _backward(block, course, trace, (by_read, by_last))

        return (read, trace.last), backward

    found: tuple[Tensor, Tensor] = loop(start, *arrays)
    return found


@dataclass(frozen=True)
class _Block:
    """Some time steps of one network, forward and backward."""

    cell: Cell
    weights: list[Tensor]
    readout: list[Tensor]
    step: Halves
    shared: list[Tensor]
    """What `step` is given at all time steps."""
    trials: int
    length: int
    known: int | None
    """Place of the new state among what a step keeps, if that is the next step's state before."""

    @classmethod
    def of(cls, cell: Cell, arrays: Tensors, course: _Course, start: Tensor) -> "_Block":
        (*weights, kernel, bias), trials = arrays, start.shape[0]
        drive = _drive(cell, weights, course.inputs[0, :trials])
        step = halves(cell, weights, drive, start)
        shared = [*weights, *step.prepared(*weights)]
        known = step.new if course.noise is None else None
        length = course.inputs.shape[1] // trials
        return cls(cell, weights, [kernel, bias], step, shared, trials, length, known)

    @property
    def widths(self) -> list[int]:
        """Units of what a step keeps beside the state."""
        return [shape[1] for place, shape in enumerate(self.step.kept) if place != self.known]

    def times(self, k: Tensor) -> list[Tensor]:
        """The time steps of block k."""
        return [k * self.length + t for t in range(self.length)]

    def rows(self, values: Tensor) -> Tensor:
        """[trial x unit] -> [trial, unit]."""
        return tf.reshape(values, [self.trials, -1])

    def forward(self, drive: Tensor, state: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The state after one step without noise, and what is kept."""
        new, *kept = self.step.forward(*self.shared, drive, state)
        if self.known is not None:
            del kept[self.known]
        return new, kept

    def backward(self, drive: Tensor, around: Tensors, kept: Tensors, by_new: Tensor) -> Tensors:
        """As `Halves.backward`, with the states before and after one step."""
        before, after = around
        kept = [self.rows(each) for each in kept]
        if self.known is not None:
            kept.insert(self.known, after)
        return self.step.backward(*self.shared, drive, before, *kept, by_new)

    def zeros(self) -> list[Tensor]:
        """Gradients of nothing by readout, weights, and second factors of products with states."""
        like = [tf.zeros_like(array) for array in (*self.readout, *self.weights)]
        return [*like, *(tf.zeros(shape, like[0].dtype) for shape in self.step.factors)]

    def by_arrays(self, sums: Tensors) -> list[Tensor]:
        """Gradients by all weights, then by the readout, from sums in the order of `zeros`."""
        by_readout, by_weights = sums[:2], sums[2 : 2 + len(self.weights)]
        through = self.step.by_weights(*self.weights, *sums[2 + len(self.weights) :])
        return [*(a + b for a, b in zip(by_weights, through, strict=True)), *by_readout]


def _drive(cell: Cell, weights: Tensors, inputs: Tensor) -> Tensor:
    return cell.drive(dict(zip(cell.weights(1), weights, strict=True)), inputs)


def _read(cell: Cell, readout: Tensors, state: Tensor) -> Tensor:
    return cell.visible(state) @ readout[0] + readout[1]


def _forward(block: _Block, course: _Course, start: Tensor) -> tuple[Tensor, _Trace]:
    """Readout of all blocks, and the trace."""
    count, samples, _ = course.inputs.shape

    def turn(k: Tensor, state: Tensor, read: Tensor, *found: Tensor) -> tuple[Tensor, ...]:
        drive = tf.split(_drive(block.cell, block.weights, course.inputs[k]), block.length)
        after = []
        for t, drive_now in zip(block.times(k), drive, strict=True):
            new, kept = block.forward(drive_now, state)
            rows = [tf.reshape(each, [-1]) for each in (state, *kept)]
            found = tuple(array.write(t, row) for array, row in zip(found, rows, strict=True))
            state = new if course.noise is None else new + block.rows(course.noise[t])
            after.append(state)
        seen = _read(block.cell, block.readout, tf.concat(after, axis=0))
        return k + 1, state, read.write(k, seen), *found

    outputs = block.readout[1].shape[0]
    read = tf.TensorArray(start.dtype, count, element_shape=[samples, outputs])
    found = [
        tf.TensorArray(start.dtype, count * block.length, element_shape=[block.trials * width])
        for width in (start.shape[1], *block.widths)
    ]
    _, last, read, *found = _turns(count, turn, (tf.constant(0), start, read, *found))
    before, *kept = (array.stack() for array in found)
    return read.stack(), _Trace(before, last, kept)


def _turns(count: int, turn: Any, initial: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """As many turns of a loop, forward or backward."""
    found: tuple[Tensor, ...] = tf.while_loop(
        lambda k, *_: (k >= 0) & (k < count),
        turn,
        initial,
        maximum_iterations=count,
        parallel_iterations=1,
    )
    return found


def _backward(
    block: _Block, course: _Course, trace: _Trace, by: tuple[Tensor, Tensor]
) -> list[Tensor]:
    """Gradients by the first state and by each array, block by block from the last."""
    count, (by_read, by_last) = course.inputs.shape[0], by

    def turn(k: Tensor, later: Tensor, after: Tensor, *sums: Tensor) -> tuple[Tensor, ...]:
        times = block.times(k)
        states = [*(block.rows(trace.before[t]) for t in times), after]
        kept = [[each[t] for each in trace.kept] for t in times]
        by_states, by_readout = _through_readout(block, states[1:], by_read[k])
        known = states, kept, by_states
        earlier, by_shared = _through_steps(block, course.inputs[k], known, later)
        more = zip(sums, [*by_readout, *by_shared], strict=True)
        return k - 1, earlier, states[0], *(before + found for before, found in more)

    initial = tf.constant(count - 1), by_last, trace.last, *block.zeros()
    _, earlier, _, *sums = _turns(count, turn, initial)
    return [earlier, *block.by_arrays(sums)]


def _through_readout(
    block: _Block, states: Tensors, by_read: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """Gradients by each of a block's states, and by the readout's arrays."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        joined = tf.concat(states, axis=0)
        tape.watch([joined, *block.readout])
        read = _read(block.cell, block.readout, joined)
    by_states, *by_readout = tape.gradient(read, [joined, *block.readout], by_read)
    return tf.split(by_states, len(states)), by_readout


def _through_steps(
    block: _Block, inputs: Tensor, known: tuple[Tensors, Sequence[Tensors], Tensors], later: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Gradients by the state before a block; by the weights other than as factors of products with
    states, and by the second factors of those.

    Known of each step: the states around it, what it kept, and the gradient by its new state.
    """
    states, kept, by_states = known
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(block.weights)
        drive = _drive(block.cell, block.weights, inputs)
    parts = tf.split(drive, block.length)
    found: list[list[Tensor]] = []
    for t in reversed(range(block.length)):
        by_new = later + by_states[t]
        later, *rest = block.backward(parts[t], states[t : t + 2], kept[t], by_new)
        found.insert(0, rest)
    by_drive, *rest = zip(*found, strict=True)
    others, products = rest[: len(block.step.others)], rest[len(block.step.others) :]
    by_weights = tape.gradient(
        drive,
        block.weights,
        tf.concat(by_drive, axis=0),
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    for place, each in zip(block.step.others, others, strict=True):
        by_weights[place] += tf.add_n(each)
    joined = [tf.concat(each, axis=0) for each in products]
    by_factors = [
        tf.matmul(first, by_product, transpose_a=True)
        for first, by_product in zip(joined[::2], joined[1::2], strict=True)
    ]
    return later, [*by_weights, *by_factors]
