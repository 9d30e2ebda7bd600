"""Checks of cells, which may be of users, before networks are trained with them."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from rnnstudy.cells.base import Cell, Weight, Weights, visible_entries
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf

AXES = (("trial", (3,)), ("member, trial", (2, 3)))
"""Names and sizes of leading axes. Sizes differ, so that a wrong axis is an error."""

TOLERANCE = 1e-6
"""Largest difference of two computations of the same in float64, as a share of 1 + |value|."""


def cell_error(cell: Cell, inputs: int) -> str:
    """Return the error in the weights and the state size of a cell; empty if there is none."""
    name = type(cell).__name__
    try:
        weights: Any = cell.weights(inputs)
        size: Any = cell.state_size
    except Exception as error:  # anybody's code may raise anything
        return f"{name}.weights and state_size must be computable, got {_reason(error)}"
    if not isinstance(weights, dict) or not all(isinstance(w, Weight) for w in weights.values()):
        return f"{name}.weights must return a dict of names and Weight, got {_kinds(weights)}"
    for each, weight in weights.items():
        if not _is_shape(weight.shape):
            return f"{name}.weights must give {each!r} a tuple of integers, got {weight.shape!r}"
    if "kernel" not in weights:
        listed = ", ".join(map(str, weights)) or "none"
        return f"{name}.weights must have 'kernel' [input, ...], got {listed}"
    shape = weights["kernel"].shape
    if len(shape) < 2 or shape[0] != inputs:
        return f"{name}.weights must give 'kernel' the shape [{inputs} inputs, ...], got {shape}"
    if not _is_shape((size,)):
        return f"{name}.state_size must be an integer of at least 1, got {size!r}"
    return ""


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and all(
        isinstance(n, int | np.integer) and n >= 1 for n in shape
    )


def _kinds(weights: Any) -> str:
    if not isinstance(weights, dict):
        return f"a {type(weights).__name__}"
    return f"a dict of {', '.join(sorted({type(each).__name__ for each in weights.values()}))}"


def _reason(error: Exception) -> str:
    """Return class and first line of an error, without TensorFlow's position in its graph."""
    lines = re.sub(r"\{\{.*?\}\}", "", str(error)).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def check_cell(cell: Cell, inputs: int) -> None:
    """Raise ValueError if a cell cannot be trained or analysed.

    The cell may be a user's own. One step is computed for a Keras layer's and for a population's
    axes. A cell of no catalogue is also tried as the analyses use it, see `check_analyses`.
    """
    error = cell_error(cell, inputs)
    if error:
        raise ValueError(error)
    for axes, lead in AXES:
        _check_step(cell, inputs, axes, lead, "float32")
    if not type(cell).entry_tag:
        check_analyses(cell, inputs)


def check_analyses(cell: Cell, inputs: int) -> None:
    """Raise ValueError if a cell that can be trained cannot be analysed.

    Analyses compute in float64, one state at a time or many, with Jacobians of the step and of what
    the readout reads. They pass NumPy arrays to `visible`.
    """
    for axes, lead in AXES:
        _check_step(cell, inputs, axes, lead, "float64")
    w, drive, h = _arguments(cell, inputs, (2, 3), "float64")
    h = tf.constant(np.random.default_rng(1).uniform(-0.5, 0.5, h.shape))
    new = cell.step(w, drive, h)
    _check_rows(cell, w, drive, h)
    _check_arrays(cell, new.numpy())
    for states, adjective in ((tf.zeros_like(h), "zero"), (h, "random")):
        _check_gradients(cell, w, drive, states, adjective)
    _check_jacobians(cell, w, drive, h)
    _check_noise_scale(cell)


def _arguments(
    cell: Cell, inputs: int, lead: tuple[int, ...], dtype: str
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Return weights, drive and a state of zeros, with leading axes of these sizes."""
    arrays = {name: _draw(cell, name, weight) for name, weight in cell.weights(inputs).items()}
    w = {
        name: tf.constant(np.broadcast_to(values, (*lead[:-1], *values.shape)), dtype)
        for name, values in arrays.items()
    }
    x, h = tf.ones([*lead, inputs], dtype), tf.zeros([*lead, cell.state_size], dtype)
    axes = {len(sizes): names for names, sizes in AXES}[len(lead)]
    drive = _compute(cell, "drive", f"[{axes}, input]", (*lead, "drive"), w, x)
    return w, drive, h


def _check_step(cell: Cell, inputs: int, axes: str, lead: tuple[int, ...], dtype: str) -> None:
    """Raise ValueError if a step has other shapes than declared, or leaves the invariant box."""
    w, drive, h = _arguments(cell, inputs, lead, dtype)
    states = f"[{axes}, state]"
    new = _compute(cell, "step", states, (*lead, cell.state_size), w, drive, h)
    _compute(cell, "visible", states, (*lead, cell.units), new)
    if cell.has_ungated_map:
        visible = cell.visible(h)
        _compute(cell, "ungated", states, (*lead, cell.state_size), w, drive, visible)
    if cell.bound is not None:
        _check_bound(cell, w, drive, h)


def _check_bound(cell: Cell, w: Weights, drive: Tensor, h: Tensor) -> None:
    """Raise ValueError if a step leaves the invariant box of a cell."""
    bound = cell.bound
    if not (isinstance(bound, int | float) and bound > 0):
        raise ValueError(f"{type(cell).__name__}.bound must be positive or None, got {bound!r}")
    if bound == np.inf:
        return
    for corner in (bound, -bound):
        far = float(tf.reduce_max(tf.abs(cell.visible(cell.step(w, drive, h + corner)))))
        if far > bound * (1.0 + 1e-5):
            raise ValueError(
                f"{type(cell).__name__}.bound must bound every step from within it, got {far:.3g} "
                f"for bound {bound:g}. Return a larger bound, or None."
            )


def _check_rows(cell: Cell, w: Weights, drive: Tensor, h: Tensor) -> None:
    """Raise ValueError if the result at a state depends on the other states of a batch."""
    first = cell.step(w, drive[:, :1], h[:, :1])
    pairs = {
        "step": (first, cell.step(w, drive, h)[:, :1]),
        "visible": (cell.visible(h[:, :1]), cell.visible(h)[:, :1]),
    }
    for part, (alone, among) in pairs.items():
        if not _are_equal(alone, among):
            raise ValueError(
                f"{type(cell).__name__}.{part} must compute each state alone, got results that mix "
                "the states of a batch. Remove operations over trials."
            )


def _check_arrays(cell: Cell, states: Array) -> None:
    """Raise ValueError unless `visible` computes the same of NumPy arrays as of tensors."""
    for dtype in ("float32", "float64"):
        for axes, array in (
            ("point, state", states[0].astype(dtype)),
            ("member, trial, time, state", states[:, :, None].astype(dtype)),
        ):
            name = f"[{axes}] of NumPy"
            sizes = (*array.shape[:-1], cell.units)
            values = _compute(cell, "visible", name, sizes, array, dtype=dtype)
            expected = cell.visible(tf.constant(array))
            if not np.allclose(values, expected, 1e-5, 1e-5):
                raise ValueError(
                    f"{type(cell).__name__}.visible on {name} must equal that on tensors, got "
                    "other values"
                )


def _check_gradients(cell: Cell, w: Weights, drive: Tensor, h: Tensor, adjective: str) -> None:
    """Raise ValueError if gradients through a step cannot be computed or are not finite."""
    name = f"{type(cell).__name__}.step and visible"
    try:
        with tf.GradientTape() as tape:
            tape.watch((w, drive, h))
            visible = cell.visible(cell.step(w, drive, h))
        gradients = tape.gradient(
            visible, (w, drive, h), unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
    except Exception as error:
        raise ValueError(f"{name} must have gradients, got {_reason(error)}") from error
    if not all(np.isfinite(values).all() for values in tf.nest.flatten(gradients)):
        raise ValueError(f"{name} must have finite gradients, got inf or nan at {adjective} states")


def _check_jacobians(cell: Cell, w: Weights, drive: Tensor, h: Tensor) -> None:
    """Raise ValueError if Jacobians fail, or are not those of the cell's formulas."""
    name = type(cell).__name__
    jacobian = _jacobian(f"{name}.step", lambda state: cell.step(w, drive, state), h)
    if cell.has_derivative("linearise", "step"):
        _compare(f"{name}.linearise", jacobian, lambda: cell.linearise(w, drive, h)[1])
    if visible_entries(cell) is None:
        _jacobian(f"{name}.visible", cell.visible, h)
    if not cell.has_ungated_map:
        return
    visible = tf.convert_to_tensor(cell.visible(h))
    ungated = _jacobian(
        f"{name}.ungated", lambda v: cell.visible(cell.ungated(w, drive, v)), visible
    )
    if cell.has_derivative("linearise_ungated", "ungated"):
        formula = f"{name}.linearise_ungated"
        _compare(formula, ungated, lambda: cell.linearise_ungated(w, drive, visible)[1])


def _jacobian(name: str, function: Callable[[Tensor], Tensor], h: Tensor) -> Tensor:
    """Return derivatives [member, trial, row, column] as analyses compute them, vectorised."""
    try:
        # A partial, since TensorFlow counts all closures of one function as retracings of it.
        rows = tf.function(partial(_pull_back, function), autograph=False)(h)
    except Exception as error:
        raise ValueError(
            f"{name} must have a Jacobian that TensorFlow can vectorise, got {_reason(error)}"
        ) from error
    return tf.transpose(rows, [1, 2, 0, 3])


def _pull_back(function: Callable[[Tensor], Tensor], h: Tensor) -> Tensor:
    """Return derivatives [row, member, trial, column] of a function's image."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(h)
        image = function(h)

    def pull(unit: Tensor) -> Tensor:
        return tape.gradient(
            image,
            h,
            tf.broadcast_to(unit, tf.shape(image)),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )

    basis = tf.eye(image.shape[-1], dtype=image.dtype)
    return tf.vectorized_map(pull, basis, fallback_to_while_loop=False)


def _compare(name: str, expected: Tensor, formula: Callable[[], Tensor]) -> None:
    """Raise ValueError unless the Jacobian by a formula is the derivative."""
    try:
        jacobian = tf.convert_to_tensor(formula())
    except Exception as error:
        raise ValueError(f"{name} must not fail, got {_reason(error)}") from error
    if jacobian.shape != expected.shape or not _are_equal(jacobian, expected):
        raise ValueError(
            f"{name} must return the derivative, got other values. Correct it, or remove it: the "
            "Jacobian is then derived automatically."
        )


def _check_noise_scale(cell: Cell) -> None:
    scale = np.asarray(cell.noise_scale)
    fits = scale.shape in ((), (cell.state_size,)) and np.issubdtype(scale.dtype, np.number)
    if not fits or not (np.isfinite(scale) & (scale >= 0.0)).all():
        raise ValueError(
            f"{type(cell).__name__}.noise_scale must be one finite number of at least 0, or one "
            f"for each of {cell.state_size} entries, got {cell.noise_scale!r}"
        )


def _are_equal(values: Tensor, expected: Tensor) -> bool:
    return bool(np.allclose(values, expected, TOLERANCE, TOLERANCE, equal_nan=True))


def _draw(cell: Cell, name: str, weight: Weight) -> Array:
    try:
        return weight.draw(np.random.default_rng(0)).astype(np.float32)
    except Exception as error:
        weight_name = f"{type(cell).__name__}.weights[{name!r}]"
        raise ValueError(f"{weight_name} must be drawable, got {_reason(error)}") from error


def _compute(
    cell: Cell, part: str, axes: str, sizes: tuple[int | str, ...], *values: Any, dtype: str = ""
) -> Tensor:
    """Return the result of a method of a cell, in `dtype` or else that of the last argument.

    Raises ValueError unless it has these sizes (a text stands for any size) and is finite.
    """
    dtype = dtype or values[-1].dtype.name
    name = f"{type(cell).__name__}.{part} on {axes}" + " in float64" * (dtype == "float64")
    try:
        result = tf.convert_to_tensor(getattr(cell, part)(*values))
    except Exception as error:
        raise ValueError(f"{name} must not fail, got {_reason(error)}") from error
    shape = tuple(result.shape)
    fits = [isinstance(n, str) or n == m for n, m in zip(sizes, shape, strict=False)]
    if len(shape) != len(sizes) or not all(fits):
        expected = ", ".join(map(str, sizes))
        raise ValueError(f"{name} must return shape ({expected}), got {shape}")
    if result.dtype.name != dtype:
        raise ValueError(f"{name} must return {dtype}, got {result.dtype.name}")
    if not bool(tf.reduce_all(tf.math.is_finite(result))):
        raise ValueError(f"{name} must return finite values, got inf or nan")
    return result
