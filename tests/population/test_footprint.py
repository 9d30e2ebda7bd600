"""Estimates of memory against what is measured; counts of parameters against Keras's."""

import os
import subprocess
import sys

import numpy as np
import pytest

from rnnstudy.cells import CELLS
from rnnstudy.cells.gru import GRU
from rnnstudy.population.footprint import (
    member_bytes,
    parameters,
    training_flops,
    widest_cohort,
)
from rnnstudy.population.keras import to_model
from rnnstudy.population.population import Population, initial_population
from rnnstudy.population.protocol import Training
from rnnstudy.tasks import TASKS

TASK = TASKS["flip_flop"]()
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
    twice = TASK.changed(length=2 * TASK.length)
    assert training_flops(GRU(), twice, Training(steps=1, batch=1)) == 2 * once


def test_the_widest_cohort_fits_the_budget_and_one_member_more_does_not():
    each = member_bytes(GRU(), TASK, Training())
    for members in (1, 7, 40):
        assert widest_cohort(GRU(), TASK, Training(), members * each) == members
        assert widest_cohort(GRU(), TASK, Training(), members * each - 1) == max(1, members - 1)
    assert widest_cohort(GRU(), TASK, Training(), 0) == 1


MEASURE = """
import resource, sys
from rnnstudy.cells import CELLS
from rnnstudy.population.protocol import Training
from rnnstudy.population.training import train
from rnnstudy.tasks import TASKS
kind, members = sys.argv[1], int(sys.argv[2])
task = TASKS["flip_flop"](evaluation_trials=8)
protocol = Training(steps=4, history=2, state_noise=0.05)
train(CELLS[kind](), task, [protocol] * members, range(members))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(kind, members):
    """Peak memory of a process that trains so many members, in bytes."""
    found = subprocess.run(
        [sys.executable, "-c", MEASURE, kind, str(members)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(found.stdout) * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="measures memory by getrusage")
@pytest.mark.parametrize("kind", CELLS)
def test_the_estimate_of_a_members_memory_is_near_what_is_measured(kind):
    few, many = 4, 24
    measured = (peak(kind, many) - peak(kind, few)) / (many - few)
    estimate = member_bytes(CELLS[kind](), TASK, Training())
    assert measured / 3 < estimate < measured * 3
