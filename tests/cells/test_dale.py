"""Dale's law: signs and absent connections stay through training, and the start is balanced."""

import numpy as np
import pytest

from rnnstudy.cells.dale import Dale
from rnnstudy.population.initialise import initial_population
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

TASK = FlipFlop(bits=1, length=12, probe_length=10, probe_trials=4)
HARD = Training(steps=12, batch=4, record_every=12, learning_rate=0.3, l2=1e-3, state_noise=0.1)


def connections(population):
    """From unit (row) to unit (column), of each member."""
    return np.asarray(population.cell.connectivity(population.weights))


@pytest.mark.parametrize("sparsity", ["fixed", "free"])
def test_signs_and_absent_connections_stay_through_training(sparsity):
    cell = Dale(units=10, inhibition=0.3, density=0.4, sparsity=sparsity)
    trained = train(cell, TASK, [HARD] * 2, [1, 2]).population
    before, after = (
        connections(each) for each in (initial_population(cell, 1, 1, [1, 2]), trained)
    )
    assert np.abs(after - before).max() > 0.3
    assert (after[:, :7] >= 0.0).all()
    assert (after[:, 7:] <= 0.0).all()
    assert not np.diagonal(after, axis1=1, axis2=2).any()
    possible = ~np.eye(10, dtype=bool)
    share = (np.abs(before[:, possible]) > 1e-2 * np.abs(before).max()).mean()
    assert 0.2 < share < 0.6
    if sparsity == "fixed":
        np.testing.assert_array_equal(after == 0.0, before == 0.0)
    else:
        faint = np.abs(before[:, possible]) < 1e-2 * np.abs(before).max()
        assert np.abs(after[:, possible][faint]).max() > 0.1
        assert (before[:, possible] != 0.0).all()


def test_the_start_is_balanced_and_has_its_spectral_radius():
    cell = Dale(units=200, spectral_radius=1.2, recurrent_initializer={"kind": "normal"})
    (matrix,) = connections(initial_population(cell, 1, 1, [3], dtype=np.float64))
    assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(1.2)
    assert (matrix[:160] >= 0.0).all()
    assert (matrix[160:] <= 0.0).all()
    # The sums of 32,000 and of 8,000 sizes agree to about a percent.
    assert matrix[:160].sum() == pytest.approx(-matrix[160:].sum(), rel=0.05)


def test_units_may_connect_to_themselves_and_inputs_may_excite_alone():
    cell = Dale(units=6, self_connections=True, excitatory_inputs=True)
    drawn = initial_population(cell, 2, 1, [0], dtype=np.float64)
    assert np.diagonal(connections(drawn)[0]).any()
    assert (drawn.weights["kernel"] < 0.0).any()
    assert (np.asarray(cell.drive(drawn.weights, np.ones((1, 1, 2)))) > 0.0).all()
    mixed = Dale(units=6).drive(drawn.weights, np.ones((1, 1, 2)))
    np.testing.assert_allclose(mixed[0, 0], drawn.weights["kernel"][0].sum(axis=0))


@pytest.mark.parametrize(("inhibition", "count"), [(0.0, 0), (0.2, 2), (0.25, 2), (1.0, 10)])
def test_the_share_of_inhibition_is_that_of_whole_units(inhibition, count):
    cell = Dale(units=10, inhibition=inhibition)
    assert (cell.signs < 0).sum() == count
    (matrix,) = connections(initial_population(cell, 1, 1, [0]))
    assert (matrix[~np.eye(10, dtype=bool)] != 0.0).all()


def test_one_unit_without_a_connection_can_be_drawn():
    drawn = initial_population(Dale(units=1), 1, 1, [0])
    assert drawn.weights["recurrent_kernel"].tolist() == [[[0.0]]]
