"""Networks of PyTorch, Flax and Equinox as Keras models, against the formulas of their pages."""

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from torch_formulas import random_layers, step, unroll

import rnnstudy
from rnnstudy.keras_bridge.from_torch import model_of
from rnnstudy.keras_bridge.keras_cell import population_of
from rnnstudy.keras_bridge.named_weights.parts import find_parts
from rnnstudy.keras_bridge.torch_modules import match_parts

INPUTS, UNITS, OUTPUTS = 3, 4, 2
TOLERANCE = {"float64": 1e-12, "float32": 1e-6}


def relu(a):
    return np.maximum(a, 0.0)


def readout(seed=7, dtype="float64"):
    draw = np.random.default_rng(seed)
    return {
        "fc.weight": draw.standard_normal((OUTPUTS, UNITS)).astype(dtype),
        "fc.bias": draw.standard_normal(OUTPUTS).astype(dtype),
    }


def prefixed(prefix, arrays):
    return {f"{prefix}.{name}": values for name, values in arrays.items()}


def sequences(time=4, dtype="float64"):
    return np.random.default_rng(5).standard_normal((3, time, INPUTS)).astype(dtype)


def assert_equal(values, expected, dtype="float64", factor=1.0):
    scale = np.abs(expected).max()
    assert np.abs(values - expected).max() <= factor * TOLERANCE[dtype] * scale


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("kind", "options", "activation"),
    [
        ("rnn", {}, "tanh"),
        ("rnn", {"layers": 2, "bias": False}, "relu"),
        ("gru", {}, None),
        ("gru", {"bias": False}, None),
        ("gru", {"layers": 3}, None),
        ("lstm", {}, None),
        ("lstm", {"layers": 2, "bias": False}, None),
    ],
)
def test_a_state_dict_computes_what_its_formulas_do(kind, options, activation, dtype):
    weights = random_layers(kind, INPUTS, UNITS, dtype=dtype, **options)
    head = readout(dtype=dtype)
    model = rnnstudy.from_torch(prefixed("net.rnn", weights) | head, activation=activation)
    x = sequences(time=1 if dtype == "float32" else 4, dtype=dtype)
    visible = unroll(kind, weights, x.astype(float), relu if activation == "relu" else np.tanh)
    expected = visible @ head["fc.weight"].T.astype(float) + head["fc.bias"]
    outputs = np.asarray(model(x))
    assert outputs.dtype == dtype
    assert_equal(outputs, expected, dtype)


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_fixed_points_of_a_stack_are_those_of_the_formulas(kind):
    weights = random_layers(kind, INPUTS, 3, layers=2, scale=1.0, seed=3)
    model = rnnstudy.from_torch(weights, activation="tanh")
    search = rnnstudy.FixedPointSearch(rounds=1, candidates=16)
    x = np.array([0.3, -0.2, 0.5])
    points = rnnstudy.find_fixed_points(model, inputs=x[None], search=search)
    assert len(points.state)
    np.testing.assert_allclose(step(kind, weights, x, points.state), points.state, atol=1e-10)
    for state, jacobian in zip(points.state, points.jacobian, strict=True):
        moves = 1e-6 * np.eye(len(state))
        after, before = (step(kind, weights, x, state + m) for m in (moves, -moves))
        np.testing.assert_allclose(jacobian, (after - before).T / 2e-6, atol=1e-7)


def flax_linen(kind, weights):
    """Weights of PyTorch under the names of flax.linen, whose cells have fewer biases."""
    gates = {"gru": "rzn", "lstm": "ifgo", "rnn": [""]}[kind]
    sides = {}
    for side, part in (("i", "ih"), ("h", "hh")):
        kernels = np.split(weights[f"weight_{part}_l0"].T, len(gates), axis=1)
        biases = np.split(weights[f"bias_{part}_l0"], len(gates))
        for gate, kernel, bias in zip(gates, kernels, biases, strict=True):
            sides[side + gate] = {"kernel": kernel, "bias": bias}
            if not bias.any():
                del sides[side + gate]["bias"]
    return sides


def without_bias(kind, weights):
    """Weights without the biases that the cells of Flax do not have."""
    weights = {name: values.copy() for name, values in weights.items()}
    if kind == "gru":
        weights["bias_hh_l0"][: 2 * UNITS] = 0.0
    else:
        weights["bias_ih_l0" if kind == "lstm" else "bias_hh_l0"][:] = 0.0
    return weights


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_flax_names_are_read(kind):
    weights = without_bias(kind, random_layers(kind, INPUTS, UNITS))
    head = readout()
    variables = {
        "params": {
            "cell": flax_linen(kind, weights),
            "Dense_0": {"kernel": head["fc.weight"].T, "bias": head["fc.bias"]},
        }
    }
    expected = unroll(kind, weights, sequences()) @ head["fc.weight"].T + head["fc.bias"]
    activation = "tanh" if kind == "rnn" else None
    assert_equal(
        np.asarray(rnnstudy.from_torch(variables, activation=activation)(sequences())), expected
    )


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_names_of_nnx_are_read(kind):
    weights = without_bias(kind, random_layers(kind, INPUTS, UNITS))
    if kind == "gru":
        weights["bias_hh_l0"][:] = 0.0
    state = {
        f"dense_{side}": {
            "kernel": weights[f"weight_{side}h_l0"].T,
            "bias": weights[f"bias_{side}h_l0"],
        }
        for side in "ih"
    }
    model = rnnstudy.from_torch({"cell": state})
    assert_equal(np.asarray(model(sequences())), unroll(kind, weights, sequences()))


class RandomKeys:
    """Keys of JAX's random numbers, as nnx.RNN has them: NumPy cannot hold them."""

    dtype = "key<fry>"

    def __array__(self, dtype=None, copy=None):
        raise TypeError("JAX array with PRNGKey dtype cannot be converted to a NumPy array.")


def test_random_keys_and_counts_are_no_weights():
    weights = random_layers("gru", INPUTS, UNITS)
    streams = {"key": RandomKeys(), "count": np.array(3, np.uint32)}
    model = rnnstudy.from_torch({"rnn": {"cell": weights, "rngs": {"default": streams}}})
    assert_equal(np.asarray(model(sequences())), unroll("gru", weights, sequences()))
    with pytest.raises(ValueError, match=r"got rnn.rngs.gain beside them"):
        rnnstudy.from_torch({"rnn": {"cell": weights, "rngs": {"gain": np.ones(3)}}})


def filled(leaf, draw):
    """Random values in place of an array of weights; other leaves as they are."""
    is_weight = getattr(leaf, "dtype", None) == np.float32
    return (0.6 * draw.standard_normal(leaf.shape)).astype("float32") if is_weight else leaf


@pytest.mark.parametrize("name", ["GRUCell", "LSTMCell", "OptimizedLSTMCell", "SimpleCell"])
@pytest.mark.parametrize("form", ["state", "pure", "params"])
def test_modules_of_flax_nnx_compute_the_same(name, form):
    nnx, jax = pytest.importorskip("flax.nnx"), pytest.importorskip("jax")

    class Network(nnx.Module):
        def __init__(self, rngs):
            cell = getattr(nnx, name)(in_features=INPUTS, hidden_features=UNITS, rngs=rngs)
            self.rnn = nnx.RNN(cell)
            self.head = nnx.Linear(UNITS, OUTPUTS, rngs=rngs)

        def __call__(self, x):
            return self.head(self.rnn(x))

    network, draw = Network(nnx.Rngs(0)), np.random.default_rng(1)
    nnx.update(network, jax.tree.map(lambda leaf: filled(leaf, draw), nnx.state(network)))
    state = nnx.state(network, nnx.Param) if form == "params" else nnx.state(network)
    given = nnx.to_pure_dict(state) if form == "pure" else state
    model = rnnstudy.from_torch(given, activation="tanh" if name == "SimpleCell" else None)
    x = sequences(dtype="float32")
    expected = np.asarray(network(x))
    assert expected.std() > 0.05  # the weights are not those of the start
    assert_equal(np.asarray(model(x)), expected, "float32")
    with pytest.raises(ValueError, match=r"got a Network. .* nnx.state\(module\) of Flax"):
        rnnstudy.from_torch(network)


@pytest.mark.parametrize("name", ["GRUCell", "LSTMCell", "OptimizedLSTMCell", "SimpleCell"])
def test_variables_of_flax_linen_compute_the_same(name):
    nn, jax = pytest.importorskip("flax.linen"), pytest.importorskip("jax")

    class Network(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(OUTPUTS)(nn.RNN(getattr(nn, name)(UNITS))(x))

    network, x, draw = Network(), sequences(dtype="float32"), np.random.default_rng(1)
    variables = network.init(jax.random.key(0), x)
    variables = jax.tree.map(lambda leaf: filled(leaf, draw), variables)
    activation = "tanh" if name == "SimpleCell" else None
    model = rnnstudy.from_torch(variables, activation=activation)
    assert_equal(np.asarray(model(x)), np.asarray(network.apply(variables, x)), "float32")


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_names_of_equinox_are_read(kind):
    weights = random_layers(kind, INPUTS, UNITS)
    cell = {"weight_ih": weights["weight_ih_l0"], "weight_hh": weights["weight_hh_l0"]}
    if kind == "gru":
        weights["bias_hh_l0"][: 2 * UNITS] = 0.0
        cell |= {"bias": weights["bias_ih_l0"], "bias_n": weights["bias_hh_l0"][2 * UNITS :]}
    else:
        cell["bias"] = weights["bias_ih_l0"] + weights["bias_hh_l0"]
    head = readout()
    linear = {"weight": head["fc.weight"], "bias": head["fc.bias"]}
    model = rnnstudy.from_torch({"cell": cell, "linear": linear, "hidden_size": UNITS})
    expected = unroll(kind, weights, sequences()) @ head["fc.weight"].T + head["fc.bias"]
    assert_equal(np.asarray(model(sequences())), expected)


def test_parts_are_taken_by_name():
    first = random_layers("gru", INPUTS, UNITS, seed=1)
    second = random_layers("gru", UNITS, UNITS, seed=2)
    state = prefixed("b", second) | prefixed("a", first) | readout()
    state |= {"value.weight": np.ones((1, UNITS)), "value.bias": np.zeros(1)}
    model = rnnstudy.from_torch(
        {"model_state_dict": state, "optimizer": {"lr": 0.1, "m": np.ones(3)}},
        layer=["a", "b"],
        readout="fc",
    )
    both = first | {name.replace("_l0", "_l1"): values for name, values in second.items()}
    head = readout()
    expected = unroll("gru", both, sequences()) @ head["fc.weight"].T + head["fc.bias"]
    assert_equal(np.asarray(model(sequences())), expected)


ACTIVATIONS = {"linear": lambda a: a, "relu": relu, "tanh": np.tanh}


def encoded(activation, seed=3):
    """A GRU that reads five inputs through a linear layer, and its outputs by the formulas."""
    draw = np.random.default_rng(seed)
    weights = random_layers("gru", INPUTS, UNITS, seed=seed)
    arrays = prefixed("rnn", weights) | readout()
    arrays |= {
        "enc.weight": draw.standard_normal((INPUTS, 5)),
        "enc.bias": draw.standard_normal(INPUTS),
    }

    def outputs(x):
        read = ACTIVATIONS[activation](x @ arrays["enc.weight"].T + arrays["enc.bias"])
        return unroll("gru", weights, read) @ arrays["fc.weight"].T + arrays["fc.bias"]

    return arrays, outputs


class Pretended:
    """A module as `match_parts` reads it, whose outputs are a function of NumPy arrays."""

    training = False

    def __init__(self, function):
        self.function = function

    def parameters(self):
        yield np.zeros(1)

    def modules(self):
        return [self]

    def eval(self):
        return self

    def __call__(self, x):
        return self.function(x)


PRETENDED_TORCH = SimpleNamespace(tensor=lambda x, **_: np.asarray(x), no_grad=nullcontext)


def matched(arrays, function):
    parts = find_parts(arrays)
    chain = tuple(replace(each, activation="tanh") for each in parts.chains["rnn"])
    recurrent = {"rnn": SimpleNamespace(batch_first=True)}
    return match_parts(
        PRETENDED_TORCH, Pretended(function), recurrent, [*parts.linear.values()], chain
    )


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_encoder_is_taken_along_if_the_outputs_are_those_with_it(activation):
    arrays, outputs = encoded(activation)
    weights = matched(arrays, outputs)
    assert (weights.encoder.name, weights.readout.name) == ("enc", "fc")
    model = model_of(weights)
    x = np.random.default_rng(6).standard_normal((3, 4, 5))
    assert_equal(np.asarray(model(x)), outputs(x))
    # A study reads the same model, encoder included.
    population = population_of(model)
    assert population.inputs == 5
    assert_equal(population.outputs_of(population.unroll(x))[0], outputs(x))


def test_other_encoders_are_refused_with_what_is_taken_along():
    arrays, outputs = encoded("tanh")
    with pytest.raises(ValueError, match=r"got other outputs.* one Linear is taken along"):
        matched(arrays, lambda x: outputs(np.sin(x)))
    with pytest.raises(ValueError, match="If 'enc' processes the inputs, only the module tells"):
        rnnstudy.from_torch(arrays)


def changed(**changes):
    weights = prefixed("rnn", random_layers("gru", INPUTS, UNITS)) | readout()
    weights |= {name.replace("__", "."): values for name, values in changes.items()}
    return {name: values for name, values in weights.items() if values is not None}


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        ({}, {}, "must have a recurrent layer of PyTorch, Flax or Equinox .* got none"),
        ({"a.weight": np.ones((2, 2))}, {}, "must have a recurrent layer .*, got a. Wrap one step"),
        (changed(rnn__weight_hh_l0_reverse=np.ones((12, 4))), {}, "in one direction, got both"),
        (changed(rnn__weight_hr_l0=np.ones((2, 4))), {}, "must have no projection, got proj_size"),
        (changed(rnn__weight_hh_l0=None), {}, "must have weight_ih and weight_hh for each"),
        (changed(rnn__weight_hh_l0=np.ones((8, 4))), {}, r"1, 3 or 4 rows .* of shape \(8, 4\)"),
        (changed(rnn__bias_hh_l0=np.ones(5)), {}, r"biases of .*'rnn' must have 12 entries"),
        (changed(rnn__bias_hh_l0=np.full(12, np.nan)), {}, "'rnn.bias_hh_l0' must be finite"),
        (changed(norm__weight=np.ones(4)), {}, "got norm.weight beside them. Pass the module, or"),
        (changed(emb__weight=np.ones((9, 4))), {}, "got emb beside them"),
        (
            changed(value__weight=np.ones((1, 4)), value__bias=np.ones(1)),
            {},
            "must have one readout, got fc, value. Name it: readout='fc'",
        ),
        (changed(), {"readout": "fd"}, r"readout must be .* \(fc\), got 'fd'"),
        (changed(), {"layer": "rn"}, r"layer must be .* \(rnn\), got 'rn'"),
        (changed(fc__weight=np.ones((2, 5))), {"readout": "fc"}, "'fc' must read 4 units"),
        (
            changed(**{f"cell__{n}": a for n, a in random_layers("gru", 2, 2).items()}),
            {},
            "must have one recurrent layer, got rnn, cell. Name those in use",
        ),
        (
            changed(**{f"cell__{n}": a for n, a in random_layers("gru", 2, 2).items()}),
            {"layer": ["rnn", "cell"]},
            "'cell' must read the 4 units of 'rnn', got a layer of 2 inputs",
        ),
        (random_layers("rnn", 2, 3), {}, "activation must be given for 'weights'"),
        (random_layers("rnn", 2, 3), {"activation": "tahn"}, "activation must be one of .*'tahn'"),
        (
            3,
            {},
            "network must be a PyTorch module, its weights by name, or a file of them, got a int",
        ),
        ("a.h5", {}, r"got a.h5, which does not end in .npz, .safetensors, .pt, .pth"),
        ("no.npz", {}, r"got no.npz, which does not exist"),
        (changed(), {"dtype": "float16"}, "dtype must be None, 'float32' or 'float64'"),
    ],
)
def test_what_is_no_such_network_is_refused_in_a_sentence(weights, options, message):
    with pytest.raises(ValueError, match=message):
        rnnstudy.from_torch(weights, **options)
