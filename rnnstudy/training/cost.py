"""Memory and work of training, estimated from shapes alone."""

import math

from rnnstudy.cells import Cell
from rnnstudy.tasks import Task
from rnnstudy.training.kernels.choice import Kernel
from rnnstudy.training.protocol import Training

FLOAT32_BYTES = 4

STATE_COPIES = 8
"""Arrays of the size of all states in memory at the peak of a training step."""

DRIVE_COPIES = 3
"""Arrays of the size of all drives at the same time: the drive, time first, and its gradient."""

PARAMETER_COPIES = 8
"""Arrays of the size of all parameters: parameters, two moments, gradients, updated values."""

OPERATIONS_PER_SECOND = 2e10
"""Floating-point operations per second of one core that trains networks of 64 units."""


def cohort_bytes(cell: Cell, task: Task, training: Training, members: int, kernel: Kernel) -> int:
    """Return the peak memory of a training program in bytes.

    It is the memory of a step, for one member or for all members at once, and each member's
    parameters.
    """
    at_once = 1 if kernel == "per_member" else members
    stored = FLOAT32_BYTES * PARAMETER_COPIES * parameters(cell, task)
    return at_once * step_bytes(cell, task, training) + members * stored


def step_bytes(cell: Cell, task: Task, training: Training) -> int:
    """Return the peak memory of one member's training step in bytes."""
    samples = training.batch * task.length
    drive = cell.weights(task.inputs)["kernel"].shape[1]
    channels = task.inputs + 4 * task.outputs
    per_sample = STATE_COPIES * cell.state_size + DRIVE_COPIES * drive + channels
    return FLOAT32_BYTES * samples * per_sample


def parameters(cell: Cell, task: Task) -> int:
    """Return the number of trained parameters of one network, its initial state included."""
    shapes = [weight.shape for weight in cell.weights(task.inputs).values()]
    readout = (cell.units + 1) * task.outputs
    return sum(math.prod(shape) for shape in shapes) + readout + cell.state_size


CURVE_BYTES = 24
"""Bytes of one point of the curves: its step, loss and accuracy."""


def trained_bytes(cell: Cell, task: Task, training: Training) -> int:
    """Return the bytes of the parameters and curves of one trained network in the store."""
    points = -(-training.steps // training.record_every)
    return FLOAT32_BYTES * parameters(cell, task) + CURVE_BYTES * points


def training_flops(cell: Cell, task: Task, training: Training) -> float:
    """Return the floating-point operations of training one network.

    The estimate is two operations per weight and sample in each of three passes: forward, gradient
    by state, gradient by weight.
    """
    samples = training.batch * task.length * training.steps
    return 6.0 * samples * parameters(cell, task)


def core_hours(operations: float) -> float:
    """Return the approximate hours of one core for a number of floating-point operations."""
    return operations / OPERATIONS_PER_SECOND / 3600.0


def widest_cohort(
    cell: Cell, task: Task, training: Training, budget: int, kernel: Kernel
) -> int:  # fmt: skip
    """Return the largest number of members whose training fits a budget in bytes; at least 1."""
    one, two = (cohort_bytes(cell, task, training, members, kernel) for members in (1, 2))
    return 1 if budget < one else 1 + (budget - one) // (two - one)
