"""Keras's cells, its users' and stacks of them step in float64 as they do in Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from reference.dynamics import roots
from reference.dynamics import step as slow_step

from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.networks.adapters import PopulationNetworks, as_networks
from rnnstudy.dynamics.networks.state_map import StateMap, TiledJacobian, run_compiled
from rnnstudy.keras_bridge.cell_dynamics import CellStep

INPUTS, POINTS = 2, 5


class Memory(layers.Layer):
    """A cell with a vector, a matrix and a scalar as its states, and a layer inside."""

    def __init__(self, units, leak=0.5, **options):
        super().__init__(**options)
        self.units, self.leak = units, leak
        self.state_size = [units, (2, 3), 1]
        self.output_size = units
        self.mix = layers.Dense(units, dtype=self.dtype_policy)

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.offset = self.add_weight(shape=(2, 3), name="offset", trainable=False)
        self.mix.build((None, self.units))

    def get_initial_state(self, batch_size=None):
        shapes = [(self.units,), (2, 3), (1,)]
        return [ops.zeros((batch_size, *s), self.compute_dtype) for s in shapes]

    def call(self, inputs, states):
        h, matrix, scalar = states
        total = ops.sum(matrix, axis=(1, 2))[:, None] + scalar
        new = ops.tanh(self.mix(h) + inputs @ self.kernel + total)
        matrix = self.leak * matrix + 0.1 * self.offset * new[:, :1, None]
        return new, [new, matrix, ops.sigmoid(scalar - new[:, 1:2])]

    def get_config(self):
        return {**super().get_config(), "units": self.units, "leak": self.leak}


class Bare(layers.Layer):
    """The least that Keras calls a cell: no initial state, no config, one state."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1] + self.units, self.units))

    def call(self, inputs, states):
        new = ops.softsign(ops.concatenate([inputs, states[0]], axis=-1) @ self.kernel)
        return 2.0 * new, [new]


def built(cell, seed=0, scale=0.8, shape=(None, INPUTS)):
    if not cell.built:
        cell.build(shape)
        cell.built = True
    draw = np.random.default_rng(seed)
    cell.set_weights([scale * draw.standard_normal(w.shape) for w in cell.get_weights()])
    return cell


def slanted(x):
    return ops.tanh(1.5 * x) + 0.1 * x


def slanted_numpy(x):
    return np.tanh(1.5 * x) + 0.1 * x


CELLS = {
    "simple": lambda **o: layers.SimpleRNNCell(4, activation=slanted, **o),
    "simple, ours": lambda **o: layers.SimpleRNNCell(4, activation="softsign", **o),
    "gru": lambda **o: layers.GRUCell(3, recurrent_activation="hard_sigmoid", **o),
    "gru, before": lambda **o: layers.GRUCell(3, reset_after=False, activation=slanted, **o),
    "gru, ours": lambda **o: layers.GRUCell(3, **o),
    "gru before, ours": lambda **o: layers.GRUCell(3, reset_after=False, use_bias=False, **o),
    "lstm": lambda **o: layers.LSTMCell(3, recurrent_activation="tanh", implementation=1, **o),
    "lstm, ours": lambda **o: layers.LSTMCell(3, activation="gelu", **o),
    "stack": lambda **o: layers.StackedRNNCells(
        [Bare(2, **o), layers.LSTMCell(2, **o), layers.GRUCell(3, **o)], **o
    ),
    "memory": lambda **o: Memory(3, leak=0.7, **o),
    "bare": lambda **o: Bare(3, **o),
}
each_cell = pytest.mark.parametrize("kind", CELLS)


def keras_step(cell, inputs, h):
    """Output and next flat state of one call of the cell itself."""
    states = cell.get_initial_state(batch_size=1) if hasattr(cell, "get_initial_state") else None
    like = keras.tree.flatten(states or [ops.zeros((1, cell.state_size))])
    edges = np.cumsum([int(np.prod(s.shape[1:])) for s in like])[:-1]
    parts = [
        ops.convert_to_tensor(part.reshape(-1, *s.shape[1:]), cell.compute_dtype)
        for part, s in zip(np.split(h, edges, axis=1), like, strict=True)
    ]
    nested = keras.tree.pack_sequence_as(states, parts) if states else parts
    output, new = cell(ops.convert_to_tensor(inputs, cell.compute_dtype), nested)
    flat = [np.asarray(s).reshape(len(h), -1) for s in keras.tree.flatten(new)]
    return np.asarray(output), np.concatenate(flat, axis=1)


def points(networks, seed=1):
    draw = np.random.default_rng(seed)
    h = draw.uniform(-0.8, 0.8, (1, POINTS, networks.state_size))
    return draw.standard_normal((1, POINTS, networks.inputs)), h


@each_cell
@pytest.mark.parametrize(("dtype", "atol"), [("float64", 1e-12), ("float32", 1e-6)])
def test_a_step_is_that_of_keras(kind, dtype, atol):
    cell = built(CELLS[kind](dtype=dtype))
    networks = as_networks(cell)
    x, h = points(networks)
    state_map = networks.state_map(np.array([0]), x)
    new = run_compiled(StateMap.__call__, state_map, h).numpy()
    output, expected = keras_step(cell, x[0], h[0])
    # Rounding of the original's own type; ours is float64 in both cases.
    np.testing.assert_allclose(new[0], expected, rtol=0, atol=4 * atol)
    assert isinstance(networks, PopulationNetworks) == ("ours" in kind)
    if kind != "bare":  # whose output is no part of its state
        np.testing.assert_allclose(networks.visible(new)[0], output, rtol=0, atol=4 * atol)


@each_cell
def test_derivatives_are_central_differences(kind):
    networks = as_networks(built(CELLS[kind]()))
    x, h = points(networks)
    state_map = networks.state_map(np.array([0]), x)
    assert not isinstance(state_map.step_function, TiledJacobian)
    jacobian = run_compiled(StateMap.linearise, state_map, h)[1].numpy()
    by_input = run_compiled(StateMap.by_input, state_map, h).numpy()
    step = 1e-6

    def difference(by_state, by_input):
        ahead, behind = (
            networks.state_map(np.array([0]), x + sign * step * by_input)(
                h + sign * step * by_state
            )
            for sign in (1, -1)
        )
        return (ahead - behind).numpy() / (2 * step)

    # Error of a central difference: step^2 from curvature plus 1e-16 / step from rounding.
    for column in np.eye(networks.state_size):
        np.testing.assert_allclose(jacobian @ column, difference(column, np.zeros(2)), atol=1e-8)
    for channel in np.eye(INPUTS):
        np.testing.assert_allclose(
            by_input @ channel, difference(0.0 * h[0, 0], channel), atol=1e-8
        )


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("vanilla", lambda **o: layers.SimpleRNNCell(3, **o)),
        ("gru", lambda **o: layers.GRUCell(3, **o)),
        ("gru", lambda **o: layers.GRUCell(3, reset_after=False, **o)),
        ("lstm", lambda **o: layers.LSTMCell(2, **o)),
        ("vanilla", lambda **o: layers.SimpleRNNCell(3, activation=slanted, **o)),
    ],
    ids=["simple", "gru", "gru before", "lstm", "simple slanted"],
)
def test_the_points_of_keras_cells_are_those_of_scipy(kind, cell):
    cell = built(cell(dtype="float64"), seed=3, scale=1.8)
    weights = {name: getattr(cell, name).numpy() for name in ("recurrent_kernel", "bias")}
    options = {"activation": slanted_numpy if cell.activation is slanted else np.tanh}
    if kind == "gru":
        options["reset_after"] = cell.reset_after
    compare_with_scipy(cell, lambda h: slow_step(kind, weights, h, **options), starts=300)


@pytest.mark.slow
@pytest.mark.parametrize(
    "cell",
    [
        lambda **o: layers.StackedRNNCells([layers.SimpleRNNCell(2, **o) for _ in "ab"], **o),
        lambda **o: Memory(2, **o),
    ],
    ids=["stack", "memory"],
)
def test_the_points_of_other_cells_are_those_of_scipy(cell):
    cell = built(cell(dtype="float64"), seed=3, scale=1.8)
    compare_with_scipy(cell, lambda h: keras_step(cell, np.zeros((1, INPUTS)), h[None])[1][0], 40)


def test_a_cell_so_large_that_known_roots_take_in_starts():
    """Two units h' = tanh(2 h) beside 18 that forget: 3 x 3 points, by a function of the user's."""
    cell = built(layers.SimpleRNNCell(20, activation=lambda x: ops.tanh(x), dtype="float64"))
    gains = np.where(np.arange(20) < 2, 2.0, 0.5)
    cell.set_weights([np.zeros((INPUTS, 20)), np.diag(gains), np.zeros(20)])
    found = find_fixed_points(cell, search=FixedPointSearch(candidates=128))
    root = 0.9575040240772687  # of m = tanh(2 m)
    np.testing.assert_allclose(found.state[:, 2:], 0.0, atol=1e-9)
    places = found.state[:, :2].round(9) + 0.0
    expected = [[a, b] for a in (-root, 0.0, root) for b in (-root, 0.0, root)]
    np.testing.assert_allclose(places[np.lexsort(places.T[::-1])], expected, atol=1e-8)


def compare_with_scipy(cell, step, starts):
    found = find_fixed_points(cell, search=FixedPointSearch(candidates=256)).state
    drawn = np.random.default_rng(5).uniform(-1.5, 1.5, (starts, found.shape[1]))
    expected = roots(step, drawn)
    # Far out, a shut gate makes F(h) - h vanish; all these cells' points are within 5.
    expected = expected[np.abs(expected).max(axis=1) < 5.0]
    distances = np.abs(expected[:, None] - found).max(axis=-1)
    assert len(expected)
    assert distances.min(axis=1).max() < 1e-6  # none missed
    for state in found:
        assert np.abs(step(state) - state).max() < 1e-11  # none invented


def test_networks_of_one_make_share_programs_and_not_weights():
    cells = [built(Memory(3), seed) for seed in (1, 2)]
    networks = [as_networks(cell) for cell in cells]
    assert networks[0].step_function == networks[1].step_function
    x, h = points(networks[0])
    for cell, each in zip(cells, networks, strict=True):
        new = run_compiled(StateMap.__call__, each.state_map(np.array([0]), x), h).numpy()[0]
        np.testing.assert_allclose(new, keras_step(cell, x[0], h[0])[1], atol=4e-6)


def test_weights_are_those_of_the_moment_when_the_network_was_given():
    cell = built(Bare(3))
    networks = as_networks(cell)
    x, h = points(networks)
    before = networks.state_map(np.array([0]), x)(h).numpy()
    built(cell, seed=8)
    np.testing.assert_array_equal(networks.state_map(np.array([0]), x)(h).numpy(), before)
    after = as_networks(cell).state_map(np.array([0]), x)(h).numpy()
    assert np.abs(after - before).max() > 0.1


def test_images_as_inputs_and_states():
    layer = layers.ConvLSTM1D(2, 3, padding="same")
    layer(np.zeros((1, 2, 4, 1), "float32"))
    networks = as_networks(built(layer))
    assert (networks.inputs, networks.state_size) == (4, 16)
    x, h = points(networks)
    new = run_compiled(StateMap.__call__, networks.state_map(np.array([0]), x), h).numpy()[0]
    states = [h[0, :, part].reshape(POINTS, 4, 2) for part in (slice(8), slice(8, None))]
    _, expected = layer.cell(
        ops.convert_to_tensor(x[0].reshape(POINTS, 4, 1), "float32"),
        [ops.convert_to_tensor(s, "float32") for s in states],
    )
    flat = np.concatenate([np.asarray(s).reshape(POINTS, -1) for s in expected], axis=1)
    np.testing.assert_allclose(new, flat, atol=4e-6)


def test_a_trained_initial_state_is_where_trajectories_begin():
    class Begun(Bare):
        def build(self, shape):
            super().build(shape)
            self.begin = self.add_weight(shape=(self.units,))

        def get_initial_state(self, batch_size=None):
            return [ops.broadcast_to(self.begin, (batch_size, self.units))]

    cell = built(Begun(3))
    np.testing.assert_array_equal(as_networks(cell).start, cell.begin.numpy().astype(float))


class Counting(Bare):
    """Keeps a count of its steps beside its state."""

    def build(self, shape):
        super().build(shape)
        self.count = self.add_weight(shape=(1,), trainable=False)

    def call(self, inputs, states):
        self.count.assign_add([1.0])
        output, new = super().call(inputs, states)
        return output, [new[0] * ops.cos(self.count)]


class Stretched(Bare):
    """Does not say in its config what it was given."""

    def __init__(self, units, gain=1.0, **options):
        super().__init__(units, **options)
        self.gain = gain

    def call(self, inputs, states):
        return super().call(inputs, [self.gain * states[0]])

    def get_config(self):
        return {"units": self.units}


class Noisy(Bare):
    def call(self, inputs, states):
        output, new = super().call(inputs, states)
        return output, [new[0] + keras.random.normal(ops.shape(new[0]), dtype=new[0].dtype)]


class Rounding(Bare):
    def call(self, inputs, states):
        output, new = super().call(inputs, states)
        return output, [ops.cast(ops.cast(new[0], "float32"), new[0].dtype)]


class Single(Bare):
    def call(self, inputs, states):
        output, new = super().call(inputs, states)
        return output, [ops.cast(new[0], "float32")]


class Short(Bare):
    def call(self, inputs, states):
        output, new = super().call(inputs, states)
        return output, [new[0][:, :1]]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            lambda: Short(3),
            "must work in float64, got: its step must give a state of 3 numbers, got 1",
        ),
        (lambda: Stretched(3, 0.5), "rebuilt from its get_config must compute the same"),
        (lambda: Counting(3), "a step of Counting '.*' must change its state only"),
        (lambda: Noisy(3), "nothing random in its step"),
        (lambda: Rounding(3), "Compute all of it in float64"),
        (
            lambda: Single(3),
            "Single '.*' must work in float64, got: its step must give float64, got float32",
        ),
    ],
)
def test_cells_that_are_no_function_of_their_state_in_float64_are_refused(cell, message):
    with pytest.raises(ValueError, match=message):
        as_networks(built(cell(), seed=2))


def test_an_operation_without_vectorised_derivative_takes_the_tiled_way():
    class Opaque(Bare):
        def call(self, inputs, states):
            output, new = super().call(inputs, states)
            return output, [opaque(new[0])]

    networks = as_networks(built(Opaque(3)))
    assert isinstance(networks.step_function, TiledJacobian)
    assert isinstance(networks.step_function.step_function, CellStep)
    smooth = as_networks(built(Bare(3)))
    x, h = points(networks)
    ours, same = (
        run_compiled(StateMap.linearise, each.state_map(np.array([0]), x), h)[1]
        for each in (networks, smooth)
    )
    np.testing.assert_allclose(ours, same, atol=1e-15)


@tf.custom_gradient
def opaque(h):
    def backward(upstream):
        return tf.ensure_shape(tf.numpy_function(lambda u: u, [upstream], upstream.dtype), h.shape)

    return tf.identity(h), backward
