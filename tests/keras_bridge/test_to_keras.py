"""Our cells as Keras cells: parity with Keras's own, its conventions, and models that travel."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from reference.cells import step as slow_step

import rnnstudy
from rnnstudy.cells import CELLS, Cell, Weight, row
from rnnstudy.cells.initialisers import Identity
from rnnstudy.keras_bridge.to_keras import keras_cell, to_model
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population

UNITS, INPUTS = 6, 3
TRIALS, TIME = 4, 9

OURS = {
    "vanilla": rnnstudy.VanillaCell,
    "ugrnn": rnnstudy.UGRNNCell,
    "gru": rnnstudy.GRUCell,
    "lstm": rnnstudy.LSTMCell,
}
PAIRS = [
    (rnnstudy.VanillaCell, keras.layers.SimpleRNNCell, {}),
    (rnnstudy.GRUCell, keras.layers.GRUCell, {"reset_after": True}),
    (rnnstudy.GRUCell, keras.layers.GRUCell, {"reset_after": False}),
    (rnnstudy.LSTMCell, keras.layers.LSTMCell, {}),
]
each_cell = pytest.mark.parametrize("kind", OURS)


def sequences(dtype="float32", seed=0, width=INPUTS):
    return np.random.default_rng(seed).normal(size=(TRIALS, TIME, width)).astype(dtype)


def rnn(cell, **options):
    return keras.layers.RNN(cell, return_sequences=True, dtype=cell.dtype_policy, **options)


def random_member(kind, dtype="float32", **fields):
    """A population of two whose weights and initial state are all random."""
    cell = CELLS[kind](units=UNITS, **fields)
    drawn = initial_population(cell, INPUTS, 2, seeds=[3, 4], dtype=np.dtype(dtype))
    draw = np.random.default_rng(5)

    def noisy(values):
        return (values + 0.3 * draw.normal(size=values.shape)).astype(dtype)

    return Population(
        cell=cell,
        weights={name: noisy(values) for name, values in drawn.weights.items()},
        readout={name: noisy(values) for name, values in drawn.readout.items()},
        initial_state=noisy(drawn.initial_state),
    )


@pytest.mark.parametrize(("ours", "theirs", "options"), PAIRS)
@pytest.mark.parametrize("activation", ["tanh", "relu", "mish"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 2e-6)])
def test_the_cell_equals_keras_given_the_same_weights(
    ours, theirs, options, activation, dtype, tolerance
):
    mine = rnn(ours(UNITS, activation, dtype=dtype, **options))
    reference = rnn(theirs(UNITS, activation=activation, dtype=dtype, **options))
    x = sequences(dtype)
    mine.build(x.shape)
    reference.build(x.shape)
    draw = np.random.default_rng(1)
    weights = [0.5 * draw.normal(size=values.shape) for values in mine.get_weights()]
    mine.set_weights(weights)
    reference.set_weights(weights)
    names = [weight.name for weight in mine.weights]
    assert names == [weight.name for weight in reference.weights]
    expected = reference(x).numpy()
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(mine(x).numpy(), expected, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("vanilla", {}),
        ("ugrnn", {}),
        ("gru", {"reset_after": True}),
        ("gru", {"reset_after": False}),
        ("lstm", {"clip": 0.4}),
    ],
)
def test_the_cell_equals_the_slow_loops(kind, options):
    cell = OURS[kind](UNITS, "softsign", dtype="float64", **options)
    x = sequences("float64")[:, 0]
    h = np.random.default_rng(2).normal(size=(TRIALS, cell.state_size))
    output, states = cell(x, [h])
    weights = {weight.name: weight.numpy() for weight in cell.weights}
    expected = slow_step(kind, weights, x, h, activation="softsign", **options)
    np.testing.assert_allclose(states[0].numpy(), expected, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(output.numpy(), states[0].numpy()[:, :UNITS])


@each_cell
def test_a_model_gives_the_outputs_of_the_member(kind):
    population = random_member(kind)
    x = sequences()
    recorded = population.outputs_of(population.unroll(x))
    for member in (0, 1):
        model = to_model(population, member, name=f"member-{member}")
        # Float32 over a few steps of order-one states.
        np.testing.assert_allclose(model(x).numpy(), recorded[member], rtol=0, atol=3e-6)
    assert [layer.name for layer in model.layers[1:]] == ["recurrent", "readout"]
    assert model.name == "member-1"


def test_a_double_precision_population_makes_a_double_precision_model():
    population = random_member("gru", "float64")
    x = sequences("float64")
    model = to_model(population, 1)
    recorded = population.outputs_of(population.unroll(x))[1]
    np.testing.assert_allclose(model(x).numpy(), recorded, rtol=0, atol=1e-13)


def test_an_untrained_initial_state_is_no_weight():
    population = initial_population(CELLS["gru"](units=UNITS), INPUTS, 1, seeds=[0])
    names = [weight.name for weight in to_model(population, 0).get_layer("recurrent").weights]
    assert names == ["kernel", "recurrent_kernel", "bias"]


def test_a_member_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="member must be a whole number from -2 to 1, got 2"):
        to_model(random_member("vanilla"), 2)


LOAD = """
import numpy as np
{imports}
model = keras.models.load_model("model.keras")
saved = np.load("saved.npz")
error = np.abs(model(saved["x"]).numpy() - saved["outputs"]).max()
trained = [weight.name for weight in model.get_layer("recurrent").trainable_weights]
assert "initial_state" in trained, trained
print(float(error))
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import importlib.util, rnnstudy\nimportlib.util.find_spec('keras')\nimport keras",
        "import keras\nimport rnnstudy",
    ],
    ids=["rnnstudy first", "keras first"],
)
def test_a_saved_model_loads_in_a_new_process_and_starts_from_its_initial_state(tmp_path, imports):
    population = random_member("lstm", clip=5.0)
    x = sequences()
    to_model(population, 1).save(tmp_path / "model.keras")
    outputs = population.outputs_of(population.unroll(x))[1]
    np.savez(tmp_path / "saved.npz", x=x, outputs=outputs)
    command = [sys.executable, "-c", LOAD.format(imports=imports)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 3e-6


@each_cell
def test_fit_lowers_the_loss(kind):
    cell = OURS[kind](16, seed=1, train_initial_state=True)
    model = keras.Sequential([keras.layers.RNN(cell), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    x = sequences(width=1)
    y = x.mean(axis=1)
    history = model.fit(x, y, epochs=40, verbose=0).history["loss"]
    assert history[-1] < 0.3 * history[0]
    assert len(cell.trainable_weights) == 4
    assert np.abs(cell.initial_state.numpy()).max() > 0.01


@each_cell
def test_masked_steps_leave_the_state_alone(kind):
    layer = keras.layers.RNN(OURS[kind](UNITS, seed=0))
    x = sequences()
    x[:, 5:] = 0.0
    masked = keras.layers.Masking()(x)
    np.testing.assert_allclose(layer(masked), layer(x[:, :5]), rtol=0, atol=1e-6)


def test_cells_stack_and_run_in_both_directions():
    cells = [OURS[kind](UNITS, seed=i) for i, kind in enumerate(OURS)]
    stacked = keras.layers.RNN(cells, return_state=True)
    output, *states = stacked(sequences())
    assert output.shape == (TRIALS, UNITS)
    assert [state.shape[1] for state in keras.tree.flatten(states)] == [
        UNITS,
        UNITS,
        UNITS,
        2 * UNITS,
    ]
    both = keras.layers.Bidirectional(keras.layers.RNN(rnnstudy.GRUCell(UNITS)))
    assert both(sequences()).shape == (TRIALS, 2 * UNITS)


def test_a_stateful_layer_goes_on_where_it_stopped():
    cell = rnnstudy.GRUCell(UNITS, seed=0)
    x = sequences()
    whole = keras.layers.RNN(cell)(x)
    stateful = keras.layers.RNN(cell, stateful=True)
    stateful(x[:, :4])
    np.testing.assert_allclose(stateful(x[:, 4:]), whole, rtol=0, atol=1e-6)


def test_half_precision_policy_computes_in_half_and_keeps_single_weights():
    layer = keras.layers.RNN(rnnstudy.LSTMCell(UNITS, dtype="mixed_float16"), dtype="mixed_float16")
    assert layer(sequences()).dtype == tf.float16
    assert {weight.dtype for weight in layer.weights} == {"float32"}


@each_cell
def test_the_config_rebuilds_the_cell(kind):
    special = {"vanilla": {}, "lstm": {"clip": 2.0, "gate_bias": 0.5}}
    cell = OURS[kind](
        UNITS,
        "relu",
        kernel_initializer="glorot_uniform",
        recurrent_initializer=Identity(gain=0.5),
        kernel_regularizer=keras.regularizers.L2(0.1),
        recurrent_constraint="max_norm",
        seed=4,
        train_initial_state=True,
        name="mine",
        dtype="float64",
        **special.get(kind, {"gate_bias": -1.0}),
    )
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(cell))
    assert type(again) is OURS[kind]
    assert again.get_config() == cell.get_config()
    assert again.cell == cell.cell
    cell.build((None, INPUTS))
    again.build((None, INPUTS))
    for first, second in zip(cell.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_seed_draws_the_network_of_a_study():
    layer = rnnstudy.GRUCell(UNITS, seed=11, dtype="float64")
    layer.build((None, INPUTS))
    cell = CELLS["gru"](units=UNITS)
    network = initial_population(cell, INPUTS, 1, seeds=[7, 11], dtype=np.float64)
    for weight in layer.weights:
        np.testing.assert_array_equal(weight.numpy(), network.weights[weight.name][1])


def test_without_a_seed_keras_decides():
    def drawn():
        layer = rnnstudy.VanillaCell(UNITS)
        layer.build((None, INPUTS))
        return layer.get_weights()[0]

    keras.utils.set_random_seed(3)
    first, second = drawn(), drawn()
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(first, drawn())
    assert not np.allclose(first, second)


def test_an_initialiser_of_keras_is_used_as_it_is():
    layer = rnnstudy.VanillaCell(
        UNITS,
        kernel_initializer=keras.initializers.Constant(0.5),
        recurrent_initializer={"kind": "identity", "gain": 2.0},
        bias_initializer="ones",
    )
    layer.build((None, INPUTS))
    kernel, recurrent, bias = layer.get_weights()
    assert (kernel == 0.5).all()
    np.testing.assert_array_equal(recurrent, 2.0 * np.eye(UNITS))
    assert (bias == 1.0).all()


def test_penalties_and_constraints_are_those_of_keras():
    layer = rnnstudy.VanillaCell(
        UNITS, kernel_regularizer=keras.regularizers.L2(0.1), bias_constraint="non_neg"
    )
    layer.build((None, INPUTS))
    np.testing.assert_allclose(layer.losses[0], 0.1 * (layer.kernel.numpy() ** 2).sum(), rtol=1e-6)
    assert isinstance(layer.bias.constraint, keras.constraints.NonNeg)


def test_the_initial_state_is_repeated_for_each_trial():
    cell = rnnstudy.LSTMCell(UNITS, train_initial_state=True)
    assert not cell.get_initial_state(2)[0].numpy().any()
    cell.build((None, INPUTS))
    cell.initial_state.assign(np.arange(2.0 * UNITS))
    (start,) = cell.get_initial_state(batch_size=3)
    np.testing.assert_array_equal(start, np.tile(np.arange(2.0 * UNITS), (3, 1)))


class Leaky(Cell):
    """A cell of one's own, with a field and a weight of other names."""

    leak: float = 0.2

    def weights(self, inputs):
        return self.kernels(inputs, blocks=1) | {"offset": Weight((self.units,))}

    def drive(self, w, x):
        return x @ w["kernel"] + row(w["offset"])

    def step(self, w, drive, h):
        new = self.nonlinearity(drive + h @ w["recurrent_kernel"])
        return (1.0 - self.leak) * h + self.leak * new


def test_a_cell_of_ones_own_becomes_a_keras_cell(tmp_path):
    leaky_cell = keras_cell(Leaky)
    assert keras_cell(Leaky) is leaky_cell
    model = keras.Sequential([keras.Input((None, INPUTS)), rnn(leaky_cell(UNITS, leak=0.7))])
    model.save(tmp_path / "leaky.keras")
    again = keras.models.load_model(tmp_path / "leaky.keras")
    assert again.layers[0].cell.cell == Leaky(units=UNITS, leak=0.7)
    np.testing.assert_array_equal(again(sequences()), model(sequences()))


def test_a_model_file_does_not_make_us_import_what_it_names():
    config = rnnstudy.GRUCell(UNITS).get_config()
    config["kernel_initializer"] = {"kind": "no_such_module:Evil"}
    message = "the module of 'no_such_module:Evil' must be imported before the model is loaded"
    with pytest.raises(ValueError, match=message):
        rnnstudy.GRUCell.from_config(config)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "GRUCell: units is 0; input should be greater than or equal to 1"),
        ({"units": 2.5}, "GRUCell: units is 2.5; input should be a valid integer"),
        ({"units": True}, "GRUCell: units is True; input should be a valid integer"),
        (
            {"units": 3, "activation": "tahn"},
            "activation must be one of .* got 'tahn'; did you mean 'tanh'",
        ),
        ({"units": 3, "activation": abs}, "activation must be one of celu.*, got <built-in"),
        ({"units": 3, "gate_bias": "one"}, "GRUCell: gate_bias is 'one'; input should be a valid"),
        ({"units": 3, "clip": 3.0}, "GRUCell.*clip"),
        ({"units": 3, "kernel_initializer": "nonsense"}, "nonsense"),
        ({"units": 3, "kernel_initializer": {"kind": "norml"}}, "did you mean 'normal'"),
    ],
)
def test_a_mistake_gets_one_sentence(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        rnnstudy.GRUCell(**arguments)
    assert len(str(caught.value).splitlines()) == 1


def test_inputs_of_another_width_are_refused():
    cell = rnnstudy.VanillaCell(UNITS, name="mine")
    with pytest.raises(ValueError, match=r"VanillaCell 'mine' must have inputs of known width"):
        cell.build((None, None))
    cell.build((None, 3))
    with pytest.raises(ValueError, match="VanillaCell 'mine' must have 3 inputs, got 2"):
        cell(np.zeros((1, 2)), [np.zeros((1, UNITS))])


def test_numpy_integers_and_functions_of_keras_are_accepted():
    cell = rnnstudy.VanillaCell(np.int64(5), keras.activations.relu)
    assert (cell.units, cell.cell.activation) == (5, "relu")
    assert rnnstudy.VanillaCell(5, None).cell.activation == "linear"


def test_another_backend_than_tensorflow_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="needs Keras on TensorFlow, it runs on jax; set KERAS_"):
        rnnstudy.GRUCell(3)
