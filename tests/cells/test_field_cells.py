"""Cells of the field from training to fixed points, Keras files and back."""

import keras
import numpy as np
import pytest

import rnnstudy
from rnnstudy.cells import CELLS
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.keras_bridge.to_keras import keras_cell, to_model
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training.evaluation import evaluate
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

TASK = FlipFlop(bits=1, length=16, probe_length=12, probe_trials=4, evaluation_trials=64)
PROTOCOL = Training(steps=60, batch=8, record_every=30, learning_rate=2e-2, state_noise=0.02)
FIELDS = {
    "rate": {"dt": 20.0, "tau": 40.0, "readout": "currents"},
    "low_rank": {"rank": 2, "tau": 40.0},
    "dale": {"tau": 40.0, "inhibition": 0.4},
    "min_gru": {},
    "lru": {},
}
KERAS = {
    "rate": rnnstudy.RateCell,
    "low_rank": rnnstudy.LowRankCell,
    "dale": rnnstudy.DaleCell,
    "min_gru": rnnstudy.MinGRUCell,
    "lru": rnnstudy.LRUCell,
}
kinds = pytest.mark.parametrize("kind", FIELDS)


@pytest.mark.parametrize(
    "kind",
    [kind if kind == "rate" else pytest.param(kind, marks=pytest.mark.slow) for kind in FIELDS],
)
def test_a_trained_network_has_points_and_travels_as_a_keras_file(kind, tmp_path):
    cell = CELLS[kind](units=6, **FIELDS[kind])
    before, _ = evaluate(TASK, initial_population(cell, 1, 1, [1]))
    trained = train(cell, TASK, [PROTOCOL], [1])
    assert trained.status == ("trained",)
    assert trained.evaluation_loss[0] < 0.8 * before[0]

    population = trained.population
    search = FixedPointSearch(candidates=32, rounds=2)
    points = find_fixed_points(population, search=search)
    assert len(points)
    residual = population.as_float64().unroll(np.zeros((1, 1, 1)), points.state[:1, None])[0, 0, 0]
    np.testing.assert_allclose(residual, points.state[0], atol=1e-8)

    model = to_model(population, 0)
    model.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    x = np.random.default_rng(0).normal(size=(3, 9, 1)).astype("float32")
    np.testing.assert_array_equal(again(x), model(x))
    outputs = population.outputs_of(population.unroll(x))[0]
    np.testing.assert_allclose(model(x), outputs, rtol=0, atol=5e-6)

    # The file is a network of the same cell, with the same points.
    returned = Population.from_models([again])
    assert returned.cell == cell
    by_file = find_fixed_points(again, search=search)
    assert len(by_file) == len(points)
    np.testing.assert_allclose(by_file.state, points.state, atol=1e-6)


@kinds
def test_the_keras_class_has_the_cells_fields_and_defaults(kind):
    layer = KERAS[kind](5, seed=3, **FIELDS[kind])
    assert layer.cell == CELLS[kind](units=5, **FIELDS[kind])
    assert keras_cell(CELLS[kind]) is KERAS[kind]
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is KERAS[kind]
    assert again.cell == layer.cell
    layer.build((None, 2))
    drawn = initial_population(layer.cell, 2, 1, [3])
    for weight in layer.weights:
        np.testing.assert_array_equal(weight.numpy(), drawn.weights[weight.name][0])


@pytest.mark.parametrize("option", ["recurrent_regularizer", "recurrent_constraint"])
def test_a_keras_argument_about_an_absent_weight_is_refused(option):
    with pytest.raises(ValueError, match=r"got recurrent_\*, but it has no weight 'recurrent_k"):
        rnnstudy.LRUCell(4, **{option: "l2" if "reg" in option else "non_neg"})
