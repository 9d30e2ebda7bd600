"""The time loop: input products before it, nothing but the recurrence inside."""

from typing import Any

from rnnstudy.cells import Cell
from rnnstudy.cells.base import Weights
from rnnstudy.lazy import tf

Tensor = Any

BLOCK = 10
"""Time steps unrolled per turn of the loop. Measured on 2 cores (32 units, 32 trials, 100 steps, 3
members): 10 compiles in about a second and runs as fast as a fully unrolled graph, which takes 4."""


def unroll(
    cell: Cell, weights: Weights, inputs: Tensor, start: Tensor, noise: Tensor | None = None
) -> Tensor:
    """States over time.

    inputs [..., trial, time, input], start [..., trial, state], noise [time, ..., trial, state] added
    to each new state, or None. Returns [..., trial, time, state]. Differentiable.

    The backward pass recomputes each block of steps from its first state, so that memory holds the
    states and not every intermediate of every step (Chen et al. 2016).
    """
    time_axis = len(inputs.shape) - 2
    drive = _drive(cell, weights, inputs)
    drive = tf.transpose(drive, _to_front(time_axis, len(drive.shape)))
    states = _recur(cell, weights, drive, start, noise)
    return tf.transpose(states, _from_front(time_axis, len(states.shape)))


def _drive(cell: Cell, weights: Weights, inputs: Tensor) -> Tensor:
    """The cell's drive of all trials and times, as one product per member."""
    *lead, trials, time, width = inputs.shape
    trials = tf.shape(inputs)[-3] if trials is None else trials
    flat = cell.drive(weights, tf.reshape(inputs, [*lead, trials * time, width]))
    return tf.reshape(flat, [*lead, trials, time, flat.shape[-1]])
