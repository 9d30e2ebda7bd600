"""Certificates of stacks and of cells of anybody: boxes that no step leaves."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from reference.dynamics import population
from reference.keras_models import sequential

from rnnstudy.cells.lstm import LSTM
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.networks.adapters import as_networks
from rnnstudy.keras_bridge.keras_cell import population_of

QUICK = FixedPointSearch(candidates=64)
ROOT = 0.9575040240772687
"""The positive root of m = tanh(2 m)."""


@keras.saving.register_keras_serializable("test_box")
class Squashed(layers.Layer):
    """h' = tanh(W x + 2 h), of which half is seen; `bound` as given."""

    def __init__(self, units, bound=None, **options):
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units
        self.bound = bound

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")

    def call(self, inputs, states):
        new = ops.tanh(inputs @ self.kernel + 2.0 * states[0])
        return new / 2.0, [new]

    def get_config(self):
        return {**super().get_config(), "units": self.units, "bound": self.bound}


def built(cell):
    cell.build((None, 1))
    cell.built = True
    return cell


def stack(*cells):
    made = layers.StackedRNNCells(cells)
    made.build((None, 1))
    return made


def two_memories():
    """Two cells m' = tanh(2 m), the second deaf to the first."""
    cells = stack(layers.SimpleRNNCell(1), layers.SimpleRNNCell(1))
    cells.set_weights([np.zeros((1, 1)), np.eye(1) * 2, np.zeros(1)] * 2)
    return cells


def test_the_points_of_a_stack_are_complete_by_their_indices():
    """3 x 3 points: 4 stable, 4 saddles, 1 repeller, and 4 - 4 + 1 = 1."""
    found = find_fixed_points(two_memories(), search=QUICK)
    values = np.sort(np.unique(found.state.round(9)))
    np.testing.assert_allclose(values, [-ROOT, 0.0, ROOT], atol=1e-9)
    assert sorted(found.kind) == ["repeller"] + 4 * ["saddle"] + 4 * ["stable"]
    assert found.certificate["verdict"].tolist() == ["consistent"]


def test_a_stack_of_which_points_are_withheld_is_found_out():
    corners = ROOT * np.array([[1.0, 1.0], [-1.0, 1.0]])
    found = find_fixed_points(two_memories(), starts=corners, search=QUICK.replace(rounds=1))
    assert (len(found), found.certificate["index_sum"][0]) == (2, 2)
    assert found.certificate["verdict"].tolist() == ["points missing"]


def test_where_one_point_of_a_stack_is_known_others_are_looked_for_without_it():
    found = find_fixed_points(two_memories(), starts=ROOT * np.ones((1, 2)), search=QUICK)
    assert len(found) > 1


def test_each_cell_of_a_stack_has_its_box():
    cells = [layers.LSTMCell(2), layers.GRUCell(3, activation="relu6"), layers.SimpleRNNCell(1)]
    networks = as_networks(stack(*cells))
    assert networks.bound == 6.0
    inf = np.inf
    np.testing.assert_array_equal(networks.radii, [1, 1, inf, inf, 6, 6, 6, 1])
    inside = np.array([1.0, 1.0, 50.0, 50.0, 6.0, 6.0, 6.0, 1.0])
    beyond = np.where(np.arange(8) == 7, 1.1, inside)
    assert networks.within(np.stack([inside, -inside, beyond])).tolist() == [True, True, False]


def test_one_unbounded_cell_leaves_a_stack_without_a_box():
    cells = [layers.SimpleRNNCell(1), layers.SimpleRNNCell(1, activation="relu")]
    assert as_networks(stack(*cells)).bound is None


def test_no_step_of_a_bounded_stack_leaves_its_box():
    cells = stack(layers.LSTMCell(2), layers.GRUCell(3), layers.SimpleRNNCell(2))
    draw = np.random.default_rng(3)
    cells.set_weights([3.0 * draw.standard_normal(w.shape) for w in cells.get_weights()])
    networks = as_networks(cells)
    h = draw.uniform(-1, 1, (1, 50, networks.state_size))
    state_map = networks.state_map(np.array([0]), draw.standard_normal((1, 50, 1)))
    for _ in range(10):
        h = state_map(h).numpy()
        assert networks.within(h).all()


@pytest.mark.parametrize(("bound", "verdict"), [(1.0, "consistent"), (None, "not applicable")])
def test_a_cell_of_ones_own_says_its_box(bound, verdict):
    cell = built(Squashed(1, bound))
    found = find_fixed_points(cell, search=QUICK)
    np.testing.assert_allclose(np.sort(found.state[:, 0]), [-ROOT, 0.0, ROOT], atol=1e-9)
    assert found.certificate["verdict"].tolist() == [verdict]


def test_a_function_says_its_box():
    def step(x, h):
        return tf.tanh(2.0 * h)

    assert as_networks(step, state_size=2).bound is None
    step.bound = [1.0, 1.0]
    found = find_fixed_points(step, state_size=2, search=QUICK)
    assert (len(found), found.certificate["verdict"][0]) == (9, "consistent")


def test_a_clipped_lstm_has_a_certificate_though_its_activation_is_unbounded():
    """With gates at one half c rests where c = relu(3 c - 1): at 0, at 1/2, and held by the clip at
    2; h is half of it. At 0 the step has a kink, which leaves det(I - J) alone: c's row is its own.
    """
    weights = {
        "recurrent_kernel": np.array([[0.0, 0.0, 6.0, 0.0]]),
        "bias": np.array([0.0, 0.0, -1.0, 0.0]),
    }
    network = population(LSTM(units=1, activation="relu", clip=2.0), [weights])
    found = find_fixed_points(network, search=QUICK)
    order = np.argsort(found.state[:, 1])
    np.testing.assert_allclose(found.state[order], [[0, 0], [0.25, 0.5], [1, 2]], atol=1e-9)
    assert found.kind[order].tolist() == ["stable", "saddle", "stable"]
    assert found.index[order].tolist() == [1, -1, 1]
    assert found.certificate["verdict"].tolist() == ["consistent"]


def test_a_model_of_ones_own_keeps_its_box_as_a_population():
    """The output is no state: it stands at the end of it, and has no radius of its own."""
    model = sequential(layers.RNN(Squashed(2, 1.0), return_sequences=True))
    population = population_of(model)
    assert (population.cell.bound, population.cell.state_size) == (1.0, 4)
    networks = as_networks(population)
    states = np.array([[1.0, -1.0, 0.5, -0.5], [1.5, 0.0, 0.5, 0.0]])
    assert networks.within(states).tolist() == [True, False]
    assert (
        population_of(sequential(layers.RNN(Squashed(2), return_sequences=True))).cell.bound is None
    )


@pytest.mark.parametrize(
    ("bound", "sentence"),
    [
        (0.5, r"'squashed.*' has bound 0\.5 and must stay within it, got a step to 0\.\d+"),
        (-1.0, r"must be a positive number r such that no step leads out.* got -1\.0"),
        ("wide", r"or one for each of its 2 entries, got 'wide'"),
        ([1.0, 1.0, 1.0], r"or one for each of its 2 entries, got \[1\.0, 1\.0, 1\.0\]"),
        (np.inf, r"must be a positive number .* got inf"),
    ],
)
def test_a_bound_that_is_none_is_refused(bound, sentence):
    with pytest.raises(ValueError, match=sentence):
        as_networks(built(Squashed(2, bound)))
