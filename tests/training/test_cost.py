"""Estimates of memory against what is measured; counts of parameters against Keras's."""

import os
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest

from rnnstudy.cells import CELLS
from rnnstudy.cells.gru import GRU
from rnnstudy.keras_bridge.to_keras import to_model
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population
from rnnstudy.tasks import TASKS
from rnnstudy.training.cost import (
    cohort_bytes,
    parameters,
    step_bytes,
    training_flops,
    widest_cohort,
)
from rnnstudy.training.kernels.choice import Kernel
from rnnstudy.training.protocol import Training

TASK = TASKS["flip_flop"]()
KERNELS = get_args(Kernel)
NETWORKS = [*(cell(units=5) for cell in CELLS.values()), GRU(units=4, reset_after=False)]


@pytest.mark.parametrize("cell", NETWORKS, ids=lambda cell: cell.kind)
def test_parameters_are_those_of_the_keras_model(cell):
    found = initial_population(cell, TASK.inputs, TASK.outputs, [0])
    started = Population(
        cell, found.weights, found.readout, np.ones((1, cell.state_size), "float32")
    )
    assert to_model(started, 0).count_params() == parameters(cell, TASK)
    # An initial state that was not trained is no weight of the model.
    assert to_model(found, 0).count_params() == parameters(cell, TASK) - cell.state_size


def test_work_grows_with_steps_batch_and_length():
    once = training_flops(GRU(), TASK, Training(steps=1, batch=1))
    assert once == 6.0 * TASK.length * parameters(GRU(), TASK)
    assert training_flops(GRU(), TASK, Training(steps=3, batch=4)) == 12 * once
    twice = TASK.replace(length=2 * TASK.length)
    assert training_flops(GRU(), twice, Training(steps=1, batch=1)) == 2 * once


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_widest_cohort_fits_the_budget_and_one_member_more_does_not(kernel):
    for members in (1, 7, 40):
        room = cohort_bytes(GRU(), TASK, Training(), members, kernel)
        assert widest_cohort(GRU(), TASK, Training(), room, kernel) == members
        assert widest_cohort(GRU(), TASK, Training(), room - 1, kernel) == max(1, members - 1)
    assert widest_cohort(GRU(), TASK, Training(), 0, kernel) == 1


def test_members_one_by_one_share_the_memory_of_a_step():
    """A thousand of them take that of one, beside what each keeps."""
    step = step_bytes(GRU(), TASK, Training())
    together, each = (
        cohort_bytes(GRU(), TASK, Training(), 1000, kernel) for kernel in ("batched", "per_member")
    )
    assert each == together - 999 * step
    assert each < together / 10


MEASURE = """
import resource, sys
from rnnstudy.cells import CELLS
from rnnstudy.training import train as training
from rnnstudy.training.protocol import Training
from rnnstudy.tasks import TASKS
kind, kernel = sys.argv[1:3]
units, length, members = map(int, sys.argv[3:])
training.kernel_for = lambda device: kernel
task = TASKS["flip_flop"](length=length, evaluation_trials=8)
protocol = Training(steps=4, record_every=2, state_noise=0.05)
training.train(CELLS[kind](units=units), task, [protocol] * members, range(members))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(kind, kernel, *sizes):
    """Peak memory of a process that trains (units, time steps, members), in bytes."""
    found = subprocess.run(
        [sys.executable, "-c", MEASURE, kind, kernel, *map(str, sizes)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(found.stdout) * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="measures memory by getrusage")
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(
    ("kernel", "units", "length"), [("batched", 32, 100), ("per_member", 256, 10)]
)
def test_the_estimate_of_a_members_memory_is_near_what_is_measured(kind, kernel, units, length):
    """Sizes at which what a member adds stands out: a step's arrays, or its parameters."""
    few, many = 4, 24
    measured = peak(kind, kernel, units, length, many) - peak(kind, kernel, units, length, few)
    shape = CELLS[kind](units=units), TASK.replace(length=length), Training()
    estimate = cohort_bytes(*shape, many, kernel) - cohort_bytes(*shape, few, kernel)
    assert measured / 3 < estimate < measured * 3
