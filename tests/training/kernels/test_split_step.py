"""A step taken apart, against TensorFlow's gradients of the step as it is."""

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.cells.base import Cell, Weight, row
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.training.kernels.split_step import split_step

TRIALS, INPUTS, UNITS = 5, 2, 3


class Odd(Cell):
    """A base for cells that use their weights in some unusual way."""

    def weights(self, inputs):
        return self.kernels(inputs, blocks=1) | {
            "bias": Weight((self.units,)),
            "extra": Weight((self.units,), values=np.full(self.units, 0.5)),
        }

    def drive(self, w, x):
        return x @ w["kernel"] + row(w["bias"])


class LowRank(Odd):
    """The state times a product of weights."""

    def step(self, w, drive, h):
        return tf.tanh(drive + h @ (w["recurrent_kernel"] @ tf.transpose(w["recurrent_kernel"])))


class Twice(Odd):
    """One kernel in two products, one with an image of the state; a weight in no product."""

    def step(self, w, drive, h):
        once = tf.tanh(drive + h @ w["recurrent_kernel"])
        return w["extra"] * h + (1.0 - w["extra"]) * tf.tanh(once @ w["recurrent_kernel"])


class Vectors(Odd):
    """A product that is written in another way."""

    def step(self, w, drive, h):
        return tf.nn.relu(drive + tf.linalg.matvec(tf.transpose(w["recurrent_kernel"]), h))


class Squared(Odd):
    """Products of states among each other, and of weights with both sides."""

    def step(self, w, drive, h):
        inner = tf.einsum("bi,bi->b", h, h)[:, None]
        return tf.tanh(drive + inner * (h @ tf.square(w["recurrent_kernel"]))) - 0.1 * h


class Branching(Odd):
    """A step with a condition and a loop of its own."""

    def step(self, w, drive, h):
        h = tf.cond(tf.reduce_sum(h) > 0.0, lambda: tf.tanh(h), lambda: 0.5 * h)
        return tf.while_loop(
            lambda k, h: k < 3,
            lambda k, h: (k + 1, h + 0.1 * (tf.tanh(drive + h @ w["recurrent_kernel"]) - h)),
            (0, h),
            maximum_iterations=3,
        )[1]


class Deaf(Odd):
    """A step that hears no input and does not read its kernel."""

    def step(self, w, drive, h):
        return row(w["extra"]) * tf.sin(h)


CELLS = [
    Vanilla(units=UNITS),
    Vanilla(units=UNITS, activation="relu"),
    Vanilla(units=UNITS, activation="gelu"),
    UGRNN(units=UNITS, activation="softsign"),
    GRU(units=UNITS),
    GRU(units=UNITS, reset_after=False, activation="relu"),
    LSTM(units=UNITS),
    LSTM(units=UNITS, activation="relu", clip=0.5),
    *(cls(units=UNITS) for cls in (LowRank, Twice, Vectors, Squared, Branching, Deaf)),
]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{type(cell).__name__}-{cell.activation}")
def test_the_way_back_is_the_gradient_of_the_step(cell):
    random = np.random.default_rng(0)
    weights = [
        tf.constant(random.normal(size=weight.shape)) for weight in cell.weights(INPUTS).values()
    ]
    names = list(cell.weights(INPUTS))
    inputs, state, by_new = (
        tf.constant(random.normal(size=(TRIALS, size)))
        for size in (INPUTS, cell.state_size, cell.state_size)
    )
    drive = cell.drive(dict(zip(names, weights, strict=True)), inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([state, drive, *weights])
        expected = cell.step(dict(zip(names, weights, strict=True)), drive, state)
    slopes = tape.gradient(expected, [state, drive, *weights], by_new, unconnected_gradients="zero")

    parts = split_step(cell, weights, drive, state)
    shared = [*weights, *parts.prepare(*weights)]
    new, *kept = parts.forward(*shared, drive, state)
    by_state, by_drive, *rest = parts.backward(*shared, drive, state, *kept, by_new)
    others, products = rest[: len(parts.direct_weights)], rest[len(parts.direct_weights) :]
    by_factors = [tf.transpose(a) @ b for a, b in zip(products[::2], products[1::2], strict=True)]
    by_weights = parts.by_weights(*weights, *by_factors)
    for place, other in zip(parts.direct_weights, others, strict=True):
        by_weights[place] += other

    assert [tuple(array.shape) for array in kept] == list(parts.cached)
    if parts.new_state_index is not None:
        np.testing.assert_array_equal(kept[parts.new_state_index], new)
    np.testing.assert_allclose(new, expected, rtol=1e-12)
    # Float64 sums in another order.
    for found, slope in zip([by_state, by_drive, *by_weights], slopes, strict=True):
        np.testing.assert_allclose(found, slope, rtol=1e-9, atol=1e-12)


def test_products_with_states_are_cut_out():
    for cell, products in ((Vanilla(units=3), 1), (GRU(units=3, reset_after=False), 2)):
        weights = [tf.zeros(weight.shape) for weight in cell.weights(INPUTS).values()]
        drive = cell.drive(dict(zip(cell.weights(INPUTS), weights, strict=True)), tf.zeros((4, 2)))
        parts = split_step(cell, weights, drive, tf.zeros((4, 3)))
        assert len(parts.factors) == products
        assert parts.direct_weights == ()
