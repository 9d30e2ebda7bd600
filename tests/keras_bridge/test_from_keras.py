"""Keras models as populations: the same outputs, there and back, and what is no such model."""

import keras
import numpy as np
import pytest
from keras import layers

import rnnstudy
from rnnstudy.population.population import Population

INPUTS, UNITS, OUTPUTS = 2, 4, 3


def model(kind, seed=0, units=UNITS, head=None, **options):
    keras.utils.set_random_seed(seed)
    options = {"return_sequences": True} | options
    made = keras.Sequential(
        [keras.Input((None, INPUTS)), kind(units, **options), head or layers.Dense(OUTPUTS)]
    )
    randomise(made, seed)
    return made


def randomise(layer, seed=0, scale=0.7):
    draw = np.random.default_rng(seed)
    layer.set_weights([scale * draw.standard_normal(w.shape) for w in layer.get_weights()])


def sequences():
    return np.random.default_rng(9).standard_normal((3, 6, INPUTS)).astype("float32")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (layers.SimpleRNN, {"activation": "softplus"}),
        (layers.GRU, {"reset_after": True}),
        (layers.GRU, {"reset_after": True, "use_bias": False}),
        (layers.GRU, {"reset_after": False, "activation": "relu"}),
        (layers.LSTM, {}),
        (layers.LSTM, {"activation": None, "use_bias": False}),
        (layers.LSTM, {"return_sequences": False}),
        (layers.LSTM, {"head": layers.TimeDistributed(layers.Dense(OUTPUTS, use_bias=False))}),
    ],
)
def test_a_population_computes_what_its_models_do(kind, options):
    models = [model(kind, seed, **options) for seed in (0, 1)]
    population = Population.from_models(models)
    outputs = population.outputs_of(population.unroll(sequences()))
    assert (len(population), population.inputs, population.outputs) == (2, INPUTS, OUTPUTS)
    for member, original in enumerate(models):
        expected = np.asarray(original(sequences()))
        ours = outputs[member] if expected.ndim == 3 else outputs[member, :, -1]
        # Float32 on both sides, six steps.
        np.testing.assert_allclose(ours, expected, atol=1e-5)
        back = np.asarray(population.model(member)(sequences()))
        np.testing.assert_allclose(back, outputs[member], atol=1e-5)


def test_our_cells_come_back_with_their_initial_state_and_type():
    cell = rnnstudy.LSTMCell(UNITS, clip=0.5, train_initial_state=True, dtype="float64")
    rnn = layers.RNN(cell, return_sequences=True, dtype="float64")
    net = keras.Sequential(
        [keras.Input((None, INPUTS), dtype="float64"), rnn, layers.Dense(1, dtype="float64")]
    )
    randomise(net, 4)
    population = Population.from_models([net])
    assert population.cell.clip == 0.5
    assert population.initial_state.dtype == np.float64
    np.testing.assert_array_equal(population.initial_state[0], cell.initial_state.numpy())
    again = Population.from_models([population.model(0)])
    for name, values in population.weights.items():
        np.testing.assert_array_equal(again.weights[name], values)


def test_a_first_bias_does_not_tell_networks_apart_but_the_shape_does():
    def ours(**fields):
        cell = rnnstudy.GRUCell(UNITS, **fields)
        return keras.Sequential(
            [keras.Input((5, INPUTS)), layers.RNN(cell, return_sequences=True), layers.Dense(1)]
        )

    assert len(Population.from_models([ours(gate_bias=1.0), ours(gate_bias=2.0)])) == 2
    with pytest.raises(
        ValueError, match=r"must have one reset_after, got True for .* and False for"
    ):
        Population.from_models([ours(), ours(reset_after=False)])


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (list, "models must have at least one"),
        (lambda: model(layers.GRU), "models must be a list of Keras models, got a Sequential"),
        (lambda: [layers.Dense(2)], "must be Keras models or PyTorch modules, got a Dense"),
        (
            lambda: [model(layers.GRU), model(layers.LSTM)],
            "must have one cell, got GRU for .* and LSTM for",
        ),
        (
            lambda: [model(layers.GRU), model(layers.GRU, units=5)],
            "must have one units, got 4 for .* and 5 for",
        ),
        (
            lambda: [model(layers.GRU), model(layers.GRU, head=layers.Dense(1))],
            "must have one outputs, got 3 for .* and 1 for",
        ),
        (
            lambda: [
                keras.Sequential(
                    [
                        keras.Input((5, INPUTS)),
                        layers.Dense(3, name="enc"),
                        *model(layers.GRU).layers,
                    ]
                )
            ],
            "must begin with its recurrent layer to be one of a population, got Dense 'enc' before",
        ),
        (
            lambda: [model(layers.GRU, recurrent_activation="tanh")],
            "GRUCell 'gru_cell' of .* must be a cell of this package, or a SimpleRNN, GRU or LSTM",
        ),
        (
            lambda: [model(layers.GRU, head=layers.Dense(2, activation="softmax"))],
            "the readout of Sequential '.*' must have a linear activation, got softmax",
        ),
        (
            lambda: [model(layers.GRU, head=layers.Activation("tanh"))],
            "must be a recurrent layer and a Dense readout, got GRU '.*', Activation '.*'",
        ),
    ],
)
def test_what_makes_no_population_is_refused(models, message):
    with pytest.raises(ValueError, match=message):
        Population.from_models(models())


def test_a_model_wired_otherwise_is_refused():
    inputs = keras.Input((None, INPUTS))
    shifted = layers.SimpleRNN(UNITS, return_sequences=True)(inputs) + 1.0
    with pytest.raises(ValueError, match="must compute what its recurrent layer"):
        Population.from_models([keras.Model(inputs, layers.Dense(OUTPUTS)(shifted))])

    class Around(keras.Model):
        def __init__(self):
            super().__init__()
            self.rnn = layers.SimpleRNN(UNITS, return_sequences=True)
            self.readout = layers.Dense(OUTPUTS)

        def call(self, x):
            return 2.0 * self.readout(self.rnn(x))

    net = Around()
    net(sequences())
    with pytest.raises(ValueError, match="must compute what its recurrent layer"):
        Population.from_models([net])
