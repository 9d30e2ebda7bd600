"""Cells of anybody: each promise that is broken is named in one sentence, before training."""

import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from rnnstudy.cells import CELLS, Cell, Weight, row
from rnnstudy.cells.check import cell_error, check_analyses, check_cell
from rnnstudy.cells.dale import POSITIVE_ACTIVATIONS
from rnnstudy.cells.initialisers import Normal
from rnnstudy.cells.vanilla import Vanilla


class Crooked(Cell):
    """A vanilla cell, wrong in a chosen way."""

    units: int = 4
    wrong: str = ""

    def weights(self, inputs: int) -> Any:
        good = self.kernels(inputs, blocks=1) | {"bias": Weight((self.units,))}
        if self.wrong == "raises":
            raise ZeroDivisionError("nothing\nat all")
        if self.wrong == "list":
            return list(good)
        if self.wrong == "arrays":
            return {"kernel": np.zeros((inputs, self.units))}
        if self.wrong == "name":
            return {"w": good["kernel"], "bias": good["bias"]}
        if self.wrong == "rows":
            return self.kernels(inputs + 1, blocks=1)
        if self.wrong == "flat":
            return good | {"kernel": Weight((inputs,))}
        if self.wrong == "number":
            return good | {"bias": Weight(4)}  # type: ignore[arg-type]
        if self.wrong == "draw":
            return good | {"bias": Weight((self.units,), Normal())}
        return good

    def drive(self, w: Any, x: Any) -> Any:
        bias = w["bias"] if self.wrong == "bias" else row(w["bias"])
        return (x @ w["kernel"] + bias)[..., 0 if self.wrong == "drive" else slice(None)]

    def step(self, w: Any, drive: Any, h: Any) -> Any:
        new = tf.tanh(drive + h @ w["recurrent_kernel"])
        if self.wrong == "width":
            return new[..., 1:]
        if self.wrong == "precision":
            return tf.cast(new, tf.float64)
        if self.wrong == "broken":
            raise KeyError("gate")
        if self.wrong == "constant":
            return tf.tanh(new * tf.constant(0.5))
        if self.wrong == "mixes":
            return new - tf.reduce_mean(new, axis=-2, keepdims=True)
        if self.wrong == "kink":
            return new + tf.sqrt(h**2)
        if self.wrong == "loop":
            return tf.py_function(lambda values: values, [new], new.dtype)
        return new / h if self.wrong == "zero" else new

    def visible(self, h: Any) -> Any:
        if self.wrong == "tensors":
            return h.__abs__() if isinstance(h, np.ndarray) else tf.tanh(h)
        return h[..., :3] if self.wrong == "visible" else h

    @property
    def noise_scale(self) -> Any:
        return [1.0, 2.0] if self.wrong == "noise" else 1.0

    @property
    def state_size(self) -> Any:
        return 4.0 if self.wrong == "size" else self.units


DECLARED = {
    "raises": "Crooked.weights and state_size must be computable, got ZeroDivisionError: nothing",
    "list": "Crooked.weights must return a dict of names and Weight, got a list",
    "arrays": "Crooked.weights must return a dict of names and Weight, got a dict of ndarray",
    "name": "Crooked.weights must have 'kernel' [input, ...], got w, bias",
    "rows": "Crooked.weights must give 'kernel' the shape [2 inputs, ...], got (3, 4)",
    "flat": "Crooked.weights must give 'kernel' the shape [2 inputs, ...], got (2,)",
    "number": "Crooked.weights must give 'bias' a tuple of integers, got 4",
    "size": "Crooked.state_size must be an integer of at least 1, got 4.0",
}
COMPUTED = {
    "draw": (
        "Crooked.weights['bias'] must be drawable, got "
        "ValueError: not enough values to unpack (expected 2, got 1)"
    ),
    # A bias [member, unit] fits [trial, unit] as one number per unit, but no population.
    "bias": "Crooked.drive on [member, trial, input] must not fail, got InvalidArgumentError: ",
    "drive": "Crooked.drive on [trial, input] must return shape (3, drive), got (3,)",
    "width": "Crooked.step on [trial, state] must return shape (3, 4), got (3, 3)",
    "precision": "Crooked.step on [trial, state] must return float32, got float64",
    "broken": "Crooked.step on [trial, state] must not fail, got KeyError: 'gate'",
    "zero": "Crooked.step on [trial, state] must return finite values, got inf or nan",
    "visible": "Crooked.visible on [trial, state] must return shape (3, 4), got (3, 3)",
}


ANALYSED = {
    "constant": "Crooked.step on [trial, state] in float64 must not fail, got Invalid",
    "mixes": (
        "Crooked.step must compute each state alone, got results that mix the states of a batch. "
        "Remove operations over trials."
    ),
    "tensors": (
        "Crooked.visible on [point, state] of NumPy must equal that on tensors, got other values"
    ),
    "kink": ("Crooked.step and visible must have finite gradients, got inf or nan at zero states"),
    "loop": "Crooked.step must have a Jacobian that TensorFlow can vectorise, got ",
    "noise": (
        "Crooked.noise_scale must be one finite number of at least 0, or one for each of 4 "
        "entries, got [1.0, 2.0]"
    ),
}
"""Faults of cells that can be trained, and then fail in analyses."""


@pytest.mark.parametrize("wrong", DECLARED)
def test_what_is_wrong_with_the_weights_is_said_without_tensorflow(wrong: str) -> None:
    assert cell_error(Crooked(wrong=wrong), 2) == DECLARED[wrong]
    with pytest.raises(ValueError, match=f"^{re.escape(DECLARED[wrong])}$"):
        check_cell(Crooked(wrong=wrong), 2)


@pytest.mark.parametrize("wrong", COMPUTED)
def test_what_is_wrong_with_a_step_is_said(wrong: str) -> None:
    assert cell_error(Crooked(wrong=wrong), 2) == ""
    with pytest.raises(ValueError, match=f"^{re.escape(COMPUTED[wrong])}") as caught:
        check_cell(Crooked(wrong=wrong), 2)
    assert "\n" not in str(caught.value)
    assert "{{" not in str(caught.value)


@pytest.mark.parametrize("wrong", ANALYSED)
def test_what_analyses_would_trip_over_is_said_before_training(wrong: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(ANALYSED[wrong])}") as caught:
        check_cell(Crooked(wrong=wrong), 2)
    assert "\n" not in str(caught.value)
    assert "{{" not in str(caught.value)


class Misled(Vanilla):
    """A vanilla cell whose formula of the Jacobian is transposed."""

    units: int = 3

    def linearise(self, w: Any, drive: Any, h: Any) -> Any:
        new, jacobian = super().linearise(w, drive, h)
        return new, tf.linalg.matrix_transpose(jacobian)


def test_a_formula_that_is_not_the_derivative_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^Misled\.linearise must return the derivative, got"):
        check_cell(Misled(), 2)


@pytest.mark.parametrize("activation", ["tanh", "relu", "exponential", "mish"])
def test_good_cells_pass(activation: str) -> None:
    check_cell(Crooked(), 2)
    for kind, cell in CELLS.items():
        if kind != "dale" or activation in POSITIVE_ACTIVATIONS:
            check_cell(cell(units=4, activation=activation), 3)
    check_cell(CELLS["gru"](units=1, reset_after=False), 1)


@pytest.mark.parametrize("kind", CELLS)
def test_every_shipped_cell_can_be_analysed(kind: str) -> None:
    check_analyses(CELLS[kind](units=4), 3)
