"""What training costs, estimated from shapes alone: memory, so that cohorts are split, and work."""

import math

from rnnstudy.cells import Cell
from rnnstudy.tasks import Task
from rnnstudy.training.kernels.choice import Kernel
from rnnstudy.training.protocol import Training

FLOAT = 4

STATE_COPIES = 8
"""Arrays of the size of all states that are alive at once at the peak of a training step."""

DRIVE_COPIES = 3
"""Likewise for the drive: itself, time first, and its gradient."""

PARAMETER_COPIES = 8
"""Parameters, two moments, gradients, and their updated values."""


OPERATIONS_PER_SECOND = 2e10
"""What one core did in training networks of 64 units; the larger ones are, the more it does."""


def cohort_bytes(cell: Cell, task: Task, training: Training, members: int, kernel: Kernel) -> int:
    """Peak memory of a training program, in bytes: of what a step computes, for one member at a
    time or for all at once, and of what each member keeps."""
    at_once = 1 if kernel == "by_member" else members
    kept = FLOAT * PARAMETER_COPIES * parameters(cell, task)
    return at_once * step_bytes(cell, task, training) + members * kept


def step_bytes(cell: Cell, task: Task, training: Training) -> int:
    """Peak memory of what a training step computes of one member, in bytes."""
    samples = training.batch * task.length
    drive = cell.weights(task.inputs)["kernel"].shape[1]
    channels = task.inputs + 4 * task.outputs
    per_sample = STATE_COPIES * cell.state_size + DRIVE_COPIES * drive + channels
    return FLOAT * samples * per_sample


def parameters(cell: Cell, task: Task) -> int:
    """Number of trained parameters of one network, its initial state included."""
    shapes = [weight.shape for weight in cell.weights(task.inputs).values()]
    readout = (cell.units + 1) * task.outputs
    return sum(math.prod(shape) for shape in shapes) + readout + cell.state_size


def trained_bytes(cell: Cell, task: Task) -> int:
    """Bytes of one trained network in the store, its curves aside."""
    return FLOAT * parameters(cell, task)


def training_flops(cell: Cell, task: Task, training: Training) -> float:
    """Floating-point operations of training one network: two per weight and sample, three passes
    (forward, recomputed forward apart, gradient by state, gradient by weight)."""
    samples = training.batch * task.length * training.steps
    return 6.0 * samples * parameters(cell, task)


def core_hours(operations: float) -> float:
    """Hours that one core takes for so many floating-point operations of training, roughly."""
    return operations / OPERATIONS_PER_SECOND / 3600.0


def widest_cohort(
    cell: Cell, task: Task, training: Training, budget: int, kernel: Kernel
) -> int:  # fmt: skip
    """Largest number of members whose training fits a memory budget in bytes; at least 1."""
    one, two = (cohort_bytes(cell, task, training, members, kernel) for members in (1, 2))
    return 1 if budget < one else 1 + (budget - one) // (two - one)
