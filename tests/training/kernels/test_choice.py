"""Cells that XLA cannot compile train in another form, and say so."""

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.cells import CELLS, Cell, Weight, row
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.training import train as training
from rnnstudy.training.kernels.choice import uncompilable
from rnnstudy.training.protocol import Training

MEMORY = FlipFlop(bits=1, length=6, pulse_probability=0.3, evaluation_trials=8)
PROTOCOL = Training(steps=30, batch=4, record_every=15, learning_rate=5e-2)


class Rippled(Cell):
    """h' = J1(W x + R h + b), a Bessel function that TensorFlow knows and XLA does not."""

    units: int = 3
    plain: bool = False

    def weights(self, inputs):
        return self.kernels(inputs, blocks=1) | {"bias": Weight((self.units,))}

    def drive(self, w, x):
        return x @ w["kernel"] + row(w["bias"])

    def step(self, w, drive, h):
        pressed = drive + h @ w["recurrent_kernel"]
        return tf.tanh(pressed) if self.plain else tf.math.special.bessel_j1(pressed)


def test_what_cannot_be_compiled_is_named():
    assert uncompilable(Rippled(), 1).startswith("it has no BesselJ")
    assert uncompilable(Rippled(plain=True), 1) == ""
    assert [uncompilable(cell(), 1) for cell in CELLS.values()] == [""] * len(CELLS)


def test_a_cell_that_cannot_be_compiled_trains_in_another_form(monkeypatch):
    """The form that a GPU trains in; its evaluation is that of the network by plain loops."""
    sentence = (
        r"Rippled cannot be compiled by XLA \(it has no BesselJ\d.*\)\. Its networks are trained"
    )
    with pytest.warns(UserWarning, match=sentence):
        found = training.train(Rippled(), MEMORY, [PROTOCOL] * 2, [1, 2])
    assert (found.loss[:, 1] < 0.9 * found.loss[:, 0]).all()
    trials = [part.numpy() for part in MEMORY.evaluation()]
    outputs = found.population.outputs_of(found.population.unroll(trials[0]))
    expected = ((outputs - trials[1]) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found.evaluation_loss, expected, rtol=1e-5)
    monkeypatch.setattr(training, "kernel_for", lambda device: "batched")
    again = training.train(Rippled(), MEMORY, [PROTOCOL] * 2, [1, 2])
    np.testing.assert_array_equal(again.loss, found.loss)
