"""Validation: hand-made networks, in blocks, against plain numpy; what is not finite."""

import numpy as np
import pytest

from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training.evaluation import VALIDATION_BLOCK, validation_loss

TASK = FlipFlop(bits=2, length=15, evaluation_trials=7)


def by_hand(population: Population, member: int) -> float:
    """Mean squared error of one network, step by step in double precision."""
    trials = [np.asarray(part, float) for part in TASK.validation()]
    w = {name: values[member].astype(float) for name, values in population.weights.items()}
    readout = {name: values[member].astype(float) for name, values in population.readout.items()}
    h, error = np.zeros((7, population.cell.units)), 0.0
    for t in range(15):
        h = np.tanh(trials[0][:, t] @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])
        missed = h @ readout["kernel"] + readout["bias"] - trials[1][:, t]
        error += (trials[2][:, t] * (missed**2).mean(axis=1)).sum()
    return float(error / trials[2].sum())


@pytest.mark.parametrize("members", [1, VALIDATION_BLOCK + 3])
def test_the_loss_is_the_mean_over_what_the_mask_counts(members: int) -> None:
    population = initial_population(Vanilla(units=5), 2, 2, range(members))
    expected = [by_hand(population, i) for i in range(members)]
    # Float32 over 15 steps.
    np.testing.assert_allclose(validation_loss(TASK, population), expected, rtol=1e-5)


def test_an_explosion_is_an_infinite_loss_and_costs_nobody_else() -> None:
    calm = initial_population(Vanilla(units=5, activation="relu"), 2, 2, range(3))
    wild = calm.weights | {"recurrent_kernel": calm.weights["recurrent_kernel"].copy()}
    wild["recurrent_kernel"][1] = 1e30
    wild["bias"] = np.ones_like(calm.weights["bias"])
    mixed = Population(
        cell=calm.cell, weights=wild, readout=calm.readout, initial_state=calm.initial_state
    )
    assert np.isinf(validation_loss(TASK, mixed)).tolist() == [False, True, False]
