"""Keras cells of any make as step functions in float64."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import keras, tf
from rnnstudy.keras_bridge.float64_copies import float64_copy, float64_policy, reason
from rnnstudy.keras_bridge.invariant_box import cell_radii
from rnnstudy.keras_bridge.recurrent_layers import array_of, label

Layer = Any

COMPARED_STATES = 7
"""Number of random states at which a copy is compared with its cell."""

TOLERANCES = {"float64": 1e-10, "float32": 1e-4}
"""Largest difference there, as a share of 1 + |F|, by the cell's type. Half precision has 0.1."""


@dataclass(frozen=True)
class CellStep:
    """Step of a Keras cell in float64, for one network. Its states are one flat vector, end to end.

    like: its nested states. trainable: number of trainable weights, which come first.
    """

    cell: Layer
    input_shape: tuple[int, ...]
    like: Any = field(compare=False)
    trainable: int

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the inputs unchanged. Only the cell can compute what they add."""
        return x

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """Return the next state. All members of w are the same network."""
        return self.output_and_state(w, drive, h)[1]

    def output_and_state(
        self, w: Mapping[str, Tensor], x: Tensor, h: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return output and next state of inputs `[..., point, input]` and states h."""
        # A map may have arrays among its weights that are none of the cell, such as known roots.
        weights = [w[name][0] for name in _names(self.cell)]
        trained, other = weights[: self.trainable], weights[self.trainable :]
        lead = tf.shape(h)[:-1]
        count = tf.reduce_prod(lead)  # not -1: inputs may have no channels
        rows = tf.reshape(x, [count, *self.input_shape])
        states = unflatten_states(tf.reshape(h, [count, h.shape[-1]]), self.like)
        with float64_policy():
            (output, new), _ = self.cell.stateless_call(
                trained, other, rows, states, **inference_arguments(self.cell)
            )
        flat_output, flat_state = flatten_states([output]), flatten_states(new)
        for values in (flat_output, flat_state):
            if values.dtype != h.dtype:
                raise ValueError(f"its step must give float64, got {values.dtype.name}")
        if flat_state.shape[-1] != h.shape[-1]:
            raise ValueError(
                f"its step must give a state of {h.shape[-1]} numbers, got {flat_state.shape[-1]}"
            )
        return restore_leading_axes(flat_output, lead), restore_leading_axes(flat_state, lead)


def restore_leading_axes(rows: Tensor, lead: Tensor) -> Tensor:
    """Return rows `[row, n]` with leading axes of the sizes `lead`, `[..., n]`."""
    return tf.reshape(rows, tf.concat([lead, [rows.shape[-1]]], axis=0))


def inference_arguments(cell: Layer) -> dict[str, bool]:
    """Return the argument for inference, if a cell has it."""
    return {"training": False} if "training" in inspect.signature(cell.call).parameters else {}


def flatten_states(states: Any) -> Tensor:
    """Return nested states, each `[row, ...]`, end to end: `[row, state]`."""
    parts = [tf.convert_to_tensor(part) for part in keras.tree.flatten(states)]
    count = tf.shape(parts[0])[0]
    return tf.concat([tf.reshape(p, [count, int(np.prod(p.shape[1:]))]) for p in parts], axis=-1)


def unflatten_states(rows: Tensor, like: Any) -> Any:
    """Return nested states of the shapes `[1, ...]` in `like` from rows `[row, state]`."""
    parts = keras.tree.flatten(like)
    sizes = [int(np.prod(part.shape[1:])) for part in parts]
    split = tf.split(rows, sizes, axis=-1)
    count = tf.shape(rows)[0]
    shaped = [tf.reshape(s, [count, *p.shape[1:]]) for s, p in zip(split, parts, strict=True)]
    return keras.tree.pack_sequence_as(like, shaped)


@dataclass(frozen=True)
class Float64Cell:
    """Copy of a Keras cell in float64.

    step_function: its step. weights: by name. start `[state]`: state before the first step.
    output_slice: entries of the state that are the output; None if it is none of them. radii
    `[state]`: of its invariant box; None if it is unknown.
    """

    step_function: CellStep
    weights: dict[str, Array]
    start: Array
    output_slice: slice | None
    radii: Array | None


def float64_cell(cell: Layer, layer: Layer) -> Float64Cell:
    """Return a copy in float64 of a built Keras cell, alone or of a recurrent layer.

    Raises ValueError unless the copy computes the same.
    """
    copy = _copy(cell, layer)
    with float64_policy():
        like = _nested_start(copy)
    step_function = CellStep(copy, _input_shape(cell), like, len(copy.trainable_variables))
    variables = [*copy.trainable_variables, *copy.non_trainable_variables]
    weights = dict(zip(_names(copy), map(array_of, variables), strict=True))
    start = flatten_states(like).numpy()[0].astype(np.float64)
    output_slice = _compare(cell, step_function, weights, start)
    radii = cell_radii(cell, len(start))
    return Float64Cell(step_function, weights, start, output_slice, radii)


def _names(cell: Layer) -> list[str]:
    """Return names of the weights of a cell, the trainable ones first."""
    count = len(cell.trainable_variables) + len(cell.non_trainable_variables)
    return [str(i) for i in range(count)]


def _copy(cell: Layer, layer: Layer) -> Layer:
    try:
        return float64_copy(cell, shared=True)
    except ValueError:
        if layer is cell:
            raise
        return float64_copy(layer).cell  # Some cells, as of ConvLSTM1D, exist in their layer only.


def _nested_start(cell: Layer) -> list[Any]:
    """Return the nested states before the first step, each `[1, ...]`, as an RNN layer does."""
    get_initial_state = getattr(cell, "get_initial_state", None)
    if get_initial_state is not None:
        states = get_initial_state(batch_size=1)
        return list(states) if keras.tree.is_nested(states) else [states]
    size = cell.state_size
    sizes = [size] if isinstance(size, int) else list(size)
    return [tf.zeros([1, *np.atleast_1d(n).tolist()], tf.float64) for n in sizes]


def _input_shape(cell: Layer) -> tuple[int, ...]:
    config = cell.get_build_config() or {}
    shape = config.get("input_shape") or next(iter(config.get("shapes_dict", {}).values()), None)
    if shape is None or not all(isinstance(n, int) for n in shape[1:]):
        raise ValueError(
            f"build config of {label(cell)} must have the input shape, got {shape}. "
            "Build the cell on inputs of known width."
        )
    return tuple(shape[1:])


def _compare(
    cell: Layer, step_function: CellStep, weights: dict[str, Array], start: Array
) -> slice | None:
    """Return the output's entries of the state; ValueError unless cell and copy step alike."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-1.0, 1.0, (COMPARED_STATES, int(np.prod(step_function.input_shape))))
    h = start + generator.uniform(-0.5, 0.5, (COMPARED_STATES, len(start)))
    w = {name: tf.constant(values[None]) for name, values in weights.items()}
    try:
        output, new = (
            v.numpy() for v in step_function.output_and_state(w, tf.constant(x), tf.constant(h))
        )
    except Exception as error:
        raise ValueError(f"{label(cell)} must work in float64, got: {reason(error)}") from error
    rows = tf.reshape(tf.cast(x, cell.compute_dtype), [-1, *step_function.input_shape])
    states = unflatten_states(tf.cast(h, cell.compute_dtype), step_function.like)
    before = [array_of(v) for v in _other_weights(cell)]
    try:
        _, original_state = cell(rows, states, **inference_arguments(cell))
    except Exception as error:
        raise ValueError(f"{label(cell)} must work in its type, got: {reason(error)}") from error
    if any((array_of(v) != old).any() for v, old in zip(_other_weights(cell), before, strict=True)):
        raise ValueError(
            f"a step of {label(cell)} must change its state only, got changes of other weights"
        )
    original_state = tf.cast(flatten_states(original_state), tf.float64).numpy()
    tolerance = TOLERANCES.get(str(cell.compute_dtype), 0.1)
    if new.shape != original_state.shape or not np.allclose(
        new, original_state, tolerance, tolerance
    ):
        raise ValueError(
            f"{label(cell)} rebuilt from its get_config must compute the same, got other states. "
            "Return all arguments of __init__ from get_config, and use nothing random in its step."
        )
    return _output_slice(output, new)


def _other_weights(cell: Layer) -> Sequence[Any]:
    return [v for v in cell.non_trainable_variables if v.dtype != "string"]


def _output_slice(output: Array, state: Array) -> slice | None:
    """Return the first entries of the state `[row, state]` that equal the output `[row, unit]`."""
    width = output.shape[1]
    for first in range(state.shape[1] - width + 1):
        if np.array_equal(state[:, first : first + width], output):
            return slice(first, first + width)
    return None
