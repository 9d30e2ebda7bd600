"""One door for networks of any make: layers, models, functions, populations; what it refuses."""

import keras
import numpy as np
import pytest
from keras import layers
from reference.dynamics import population

import rnnstudy
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.networks.adapters import PopulationNetworks, as_networks
from rnnstudy.dynamics.states.sampling import grid
from rnnstudy.population.population import Population

QUICK = FixedPointSearch(candidates=64)


def sequential(*inside, inputs=2, **options):
    keras.utils.set_random_seed(3)
    return keras.Sequential([keras.Input((None, inputs), **options), *inside])


def bit(units=1):
    """x -> tanh(2 x): two stable points and the origin, each unit on its own."""
    return population(Vanilla(units=units), [{"recurrent_kernel": 2.0 * np.eye(units)}])


def test_layer_cell_and_model_are_the_same_network_with_the_models_outputs():
    model = sequential(layers.LSTM(3, return_sequences=True), layers.Dense(2, activation="tanh"))
    of_model, of_layer, of_cell = (
        as_networks(x) for x in (model, model.layers[0], model.layers[0].cell)
    )
    inputs = np.random.default_rng(0).standard_normal((1, 7, 2)).astype("float32")
    h, states = np.zeros((1, 1, 6)), []
    for x in inputs[0]:
        steps = [n.state_map(np.array([0]), x[None, None])(h).numpy() for n in (of_model, of_layer)]
        np.testing.assert_array_equal(steps[0], steps[1])
        h = steps[0]
        states.append(h[:, 0])
    outputs = of_model.outputs_of(np.stack(states, axis=1))
    # The model itself runs in float32, over seven steps.
    np.testing.assert_allclose(outputs, model(inputs), atol=2e-6)
    assert of_layer.outputs_of(h) is None
    assert (len(of_cell), of_cell.inputs, of_cell.state_size, of_cell.bound) == (1, 2, 6, 1.0)
    assert find_fixed_points(model, search=QUICK).certificate["verdict"][0] == "consistent"


@pytest.mark.parametrize("activation", ["tanh", None])
def test_a_layer_within_other_layers_is_found_and_read_out(activation):
    gru = layers.GRU(3, recurrent_activation="hard_sigmoid", activation=activation)
    model = sequential(layers.Dense(4), gru, layers.Dense(5, "relu"), layers.Dense(2))
    networks = as_networks(model)
    assert (networks.inputs, networks.state_size, networks.bound) == (4, 3, None)
    states = np.random.default_rng(0).standard_normal((1, 6, 3))
    expected = model.layers[3](model.layers[2](states[0].astype("float32")))
    np.testing.assert_allclose(networks.outputs_of(states)[0], expected, atol=1e-5)


def test_one_of_several_recurrent_layers_is_named():
    model = sequential(
        layers.SimpleRNN(3, name="first", return_sequences=True),
        keras.Sequential([layers.GRU(2, name="second")]),
    )
    with pytest.raises(
        ValueError, match=r'must have one recurrent layer, got first, second. .* layer="first"'
    ):
        as_networks(model)
    with pytest.raises(
        ValueError, match=r"layer must be a recurrent layer of .* \(first, second\), got 'third'"
    ):
        find_fixed_points(model, layer="third")
    assert find_fixed_points(model, layer="second", search=QUICK).inputs.shape[1] == 3
    assert as_networks(model, "first").outputs_of(np.zeros((1, 1, 3))).shape == (1, 1, 2)


def test_populations_and_doors_pass():
    networks = as_networks(bit())
    assert isinstance(networks, PopulationNetworks)
    assert as_networks(networks) is networks
    states = networks.sample_visited()
    np.testing.assert_array_equal(networks.visible(states), states)
    assert networks.outputs_of(states).shape == (*states.shape[:2], 1)
    assert len(find_fixed_points(networks, search=QUICK)) == 3


def test_our_own_layers_start_from_their_trained_state():
    cell = rnnstudy.GRUCell(3, train_initial_state=True)
    model = sequential(layers.RNN(cell))
    cell.initial_state.assign([0.1, 0.2, 0.3])
    networks = as_networks(model)
    assert isinstance(networks, PopulationNetworks)
    np.testing.assert_array_equal(
        networks.population.initial_state, cell.initial_state.numpy().astype(float)[None]
    )


def test_a_cell_of_ours_that_was_changed_is_not_taken_for_ours():
    class Doubled(rnnstudy.VanillaCell):
        def call(self, inputs, states, training=False):
            output, new = super().call(inputs, states)
            return output, [2.0 * new[0]]

    cell = Doubled(2, dtype="float64")
    cell.build((None, 1))
    networks = as_networks(cell)
    x, h = np.zeros((1, 1, 1)), np.array([[[0.3, -0.2]]])
    expected = cell(x[0], [h[0]])[1][0]
    np.testing.assert_allclose(networks.state_map(np.array([0]), x)(h)[0], expected, atol=1e-15)
    assert not isinstance(networks, PopulationNetworks)


def logistic(inputs, state):
    return 3.2 * state * (1.0 - state)


def henon(inputs, state):
    x, y = state[:, :1], state[:, 1:]
    return tf.concat([1.0 - 1.4 * x**2 + y, 0.3 * x], axis=1)


def test_the_fixed_points_of_published_maps():
    found = find_fixed_points(logistic, state_size=1, search=QUICK)
    # May (1976): 0 and 1 - 1/r, with slopes r and 2 - r.
    np.testing.assert_allclose(np.sort(found.state[:, 0]), [0.0, 1.0 - 1.0 / 3.2], atol=1e-12)
    np.testing.assert_allclose(np.sort(found.jacobian.ravel()), [2.0 - 3.2, 3.2], atol=1e-12)
    found = find_fixed_points(henon, starts=grid(-2.0, 2.0, 6, 2), search=QUICK)
    # Henon (1976): x = (-(1 - b) +- sqrt((1 - b)^2 + 4 a)) / 2a, y = b x.
    x = (-0.7 + np.array([-1.0, 1.0]) * np.sqrt(0.7**2 + 4 * 1.4)) / 2.8
    order = np.argsort(found.state[:, 0])
    np.testing.assert_allclose(found.state[order], np.stack([x, 0.3 * x], axis=1), atol=1e-12)
    assert found.n_unstable.tolist() == [1, 1]


def test_a_function_of_inputs_has_points_at_each():
    inputs = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, -5.0]])
    found = find_fixed_points(
        lambda x, h: tf.tanh(2.0 * h + x), inputs=inputs, state_size=2, search=QUICK
    )
    assert [len(found.of(input_index=i)) for i in range(3)] == [9, 3, 3]
    networks = as_networks(lambda x, h: h, state_size=2)
    assert (networks.inputs, networks.state_size, networks.bound) == (0, 2, None)
    assert networks.outputs_of(np.zeros((1, 2))) is None


def test_a_function_sees_what_it_closes_over_at_each_search():
    gain = 0.5

    def leaky(x, h):
        return tf.tanh(gain * h)

    assert len(find_fixed_points(leaky, state_size=1, search=QUICK)) == 1
    gain = 2.0
    assert len(find_fixed_points(leaky, state_size=1, search=QUICK)) == 3


def test_default_starts_of_an_exploding_map_stay_near():
    states = as_networks(lambda x, h: 4.0 * h, state_size=1).sample_visited()
    assert np.isfinite(states).all()
    assert np.abs(states).max() <= 2e3
    found = find_fixed_points(lambda x, h: 4.0 * h - 3.0, state_size=1, search=QUICK)
    np.testing.assert_allclose(found.state, [[1.0]], atol=1e-12)


def test_states_of_one_network_may_come_as_they_are():
    trajectories = np.random.default_rng(0).uniform(-1, 1, (4, 50, 2))
    found = [
        find_fixed_points(bit(2), visited=visited, search=QUICK).state
        for visited in (trajectories, trajectories.reshape(200, 2), trajectories.reshape(1, 200, 2))
    ]
    assert len(found[0]) == 9
    for state in found[1:]:
        np.testing.assert_array_equal(state, found[0])


def test_starts_on_a_grid():
    starts = grid([0.0, 1.0], 2.0, 3, 2)
    assert starts.tolist()[:4] == [[0.0, 1.0], [0.0, 1.5], [0.0, 2.0], [1.0, 1.0]]
    assert starts.shape == (9, 2)
    with pytest.raises(ValueError, match=r"1 to \d+ starts, got 3 values along 64 axes"):
        grid(-1.0, 1.0, 3, 64)


def lstm(**options):
    return layers.LSTM(3, name="lstm", **options)


def seen(layer, shape=(1, 4, 2)):
    layer(np.zeros(shape, "float32"))
    return layer


def poisoned():
    model = sequential(lstm())
    model.set_weights([w * np.where(np.arange(w.size) == 3, np.nan, 1.0).reshape(w.shape)
                       for w in model.get_weights()])  # fmt: skip
    return model


class NoLayer:
    state_size = 2

    def call(self, inputs, states):
        return states[0], states


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            lambda: layers.Dense(2, name="d"),
            "Dense 'd' must have a state, got none. Use a recurrent layer, a",
        ),
        (
            lambda: sequential(layers.Dense(2)),
            "Sequential '.*' must have a state, got none. Use a recurrent",
        ),
        (lambda: layers.Masking(name="m"), "Masking 'm' must have a state"),
        (
            lambda: sequential(layers.Masking(name="m"), lstm()),
            "Masking 'm' masks time steps. Use LSTM 'lstm' itself",
        ),
        (
            lambda: keras.Sequential(
                [keras.Input((None,)), layers.Embedding(3, 2, mask_zero=True, name="e"), lstm()]
            ),
            "Embedding 'e' masks time steps",
        ),
        (poisoned, "weight '.*lstm_cell/kernel' of LSTM 'lstm' must be finite"),
        (
            lambda: seen(lstm(stateful=True)),
            "LSTM 'lstm' must start each batch anew, .* Set its stateful to",
        ),
        (
            lambda: seen(lstm(go_backwards=True)),
            "'lstm' must read its inputs forwards, .* Use its cell",
        ),
        (
            lambda: seen(lstm(dropout=0.2)),
            "LSTMCell '.*' must not .*, got dropout 0.2. Set its dropout to 0",
        ),
        (lambda: seen(lstm(recurrent_dropout=0.1)), "at random, got recurrent_dropout 0.1"),
        (lstm, "LSTM 'lstm' must have weights, got none. Call it on data"),
        (lambda: layers.GRUCell(2, name="g"), "GRUCell 'g' must have weights"),
        (
            lambda: seen(layers.Bidirectional(lstm(), name="both")),
            "Bidirectional 'both' must read its inputs in one direction",
        ),
        (lambda: layers.RNN(NoLayer()), "the cell must be a keras.layers.Layer, got NoLayer"),
        (lambda: [bit(), bit()], "got a list. Combine the models first: Population"),
        (lambda: layers.LSTM, "got the class LSTM. Construct it first"),
        (lambda: "lstm.keras", "must be a Population, a Keras cell, layer or .* got a str"),
        (lambda: henon, "the state size of function 'henon' must be known, .* Give starts or"),
    ],
)
def test_what_is_no_network_is_refused_in_one_sentence(network, message):
    with pytest.raises(ValueError, match=message) as caught:
        find_fixed_points(network())
    assert "\n" not in str(caught.value)


def test_only_layers_of_keras_have_names():
    with pytest.raises(
        ValueError, match="layer must be None for a function, which has no layers, got 'a'"
    ):
        find_fixed_points(henon, layer="a", state_size=2)
    with pytest.raises(
        ValueError, match="layer must be None for a Population, which has no layers, got 'a'"
    ):
        find_fixed_points(population(Vanilla(units=1), [{}]), layer="a")


@pytest.mark.parametrize("size", [0, -1, "two"])
def test_a_state_has_a_size(size):
    with pytest.raises(ValueError, match="state_size must be a whole number of at least 1, got"):
        find_fixed_points(lambda x, h: h, state_size=size)


def test_a_model_of_another_backend_is_refused(monkeypatch):
    model = sequential(lstm())
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="needs Keras on TensorFlow, it runs on jax; set KERAS_"):
        find_fixed_points(model)


def test_a_random_layer_inside_a_cell_is_refused():
    class Dropping(rnnstudy.VanillaCell):
        def build(self, shape):
            super().build(shape)
            self.drop = layers.Dropout(0.3, name="drop")

    cell = Dropping(2)
    cell.build((None, 1))
    with pytest.raises(
        ValueError, match=r"Dropout 'drop' must not change the state at random, got rate 0\.3"
    ):
        as_networks(cell)


def test_inputs_and_starts_that_do_not_fit_are_refused():
    model = sequential(lstm())
    with pytest.raises(ValueError, match=r"inputs must be \[input point, 2\], .* \(1, 3\)"):
        find_fixed_points(model, inputs=np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"starts must be \[start, state\], .* \(0, 6\)"):
        find_fixed_points(model, starts=np.zeros((0, 6)))
    with pytest.raises(ValueError, match=r"starts must be \[start, 6\], .* \(4, 3\)"):
        find_fixed_points(model, starts=np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"starts must be \[start, state\], .* \(0, 2\)"):
        find_fixed_points(henon, starts=np.zeros((0, 2)))


def test_a_broken_member_of_a_population_is_an_outcome():
    models = [sequential(layers.SimpleRNN(2, return_sequences=True), layers.Dense(1)) for _ in "ab"]
    whole = Population.from_models(models)
    whole.weights["kernel"][1] = np.nan
    found = find_fixed_points(whole, search=QUICK)
    assert len(found.of(member=0)) >= 1
    assert found.of(member=1).outcomes["diverged"] == len(found.of(member=1).outcome)
