"""Cells of Keras and its users in double precision, and plain functions, as dynamics."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import keras, tf
from rnnstudy.keras_bridge.float64_copies import float64_copy, float64_policy, reason
from rnnstudy.keras_bridge.invariant_box import cell_radii
from rnnstudy.keras_bridge.recurrent_layers import label, values_of

Layer = Any

PROBES = 7
"""Number of random states at which a rebuilt cell is compared with the original."""

ROUNDING = {"float64": 1e-10, "float32": 1e-4}
"""Largest difference there, as a share of 1 + |F|, by the original's type; half precision: 0.1."""


@dataclass(frozen=True)
class CellStep:
    """A Keras cell in double precision: one network, its states end to end in one flat vector.

    like: its nested states; trained: how many of the weights are trainable, the first ones.
    """

    cell: Layer
    input_shape: tuple[int, ...]
    like: Any = field(compare=False)
    trained: int

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """The inputs as they are: only the cell knows what they add."""
        return x

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """The next state; all of w's members are the same network."""
        return self.both(w, drive, h)[1]

    def both(self, w: Mapping[str, Tensor], x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """Output and next state, from inputs [..., point, input] and states [..., point, state]."""
        # By name: a flow may hold what is no weight of the cell's, such as known roots.
        weights = [w[name][0] for name in _names(self.cell)]
        trained, other = weights[: self.trained], weights[self.trained :]
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
                raise ValueError(f"its step gives {values.dtype.name} for float64")
        if flat_state.shape[-1] != h.shape[-1]:
            raise ValueError(
                f"its step gives a state of {flat_state.shape[-1]} numbers for one of {h.shape[-1]}"
            )
        return _led(flat_output, lead), _led(flat_state, lead)


def _led(rows: Tensor, lead: Tensor) -> Tensor:
    """Rows [row, n] along leading axes: [..., n]."""
    return tf.reshape(rows, tf.concat([lead, [rows.shape[-1]]], axis=0))


def inference_arguments(cell: Layer) -> dict[str, bool]:
    """The argument that tells a cell that it is not being trained, if it takes one."""
    return {"training": False} if "training" in inspect.signature(cell.call).parameters else {}


def flatten_states(states: Any) -> Tensor:
    """Nested states, each [row, ...], end to end: [row, state]."""
    parts = [tf.convert_to_tensor(part) for part in keras.tree.flatten(states)]
    count = tf.shape(parts[0])[0]
    return tf.concat([tf.reshape(p, [count, int(np.prod(p.shape[1:]))]) for p in parts], axis=-1)


def unflatten_states(rows: Tensor, like: Any) -> Any:
    """The nested states in rows [row, state], each of the shape (its own [1, ...]) in `like`."""
    parts = keras.tree.flatten(like)
    sizes = [int(np.prod(part.shape[1:])) for part in parts]
    split = tf.split(rows, sizes, axis=-1)
    count = tf.shape(rows)[0]
    shaped = [tf.reshape(s, [count, *p.shape[1:]]) for s, p in zip(split, parts, strict=True)]
    return keras.tree.pack_sequence_as(like, shaped)


@dataclass(frozen=True)
class Float64Cell:
    """A cell rebuilt: its dynamics, weights by name, start [state], which entries of the state are
    its output, None if it is none of them, and the radii [state] of its invariant box, if known."""

    step_function: CellStep
    weights: dict[str, Array]
    start: Array
    seen: slice | None
    radii: Array | None


def float64_cell(cell: Layer, layer: Layer) -> Float64Cell:
    """A built Keras cell, alone or of a recurrent layer, in double precision.

    ValueError unless it computes the same.
    """
    twin = _twin(cell, layer)
    with float64_policy():
        like = _initial(twin)
    step_function = CellStep(twin, _input_shape(cell), like, len(twin.trainable_variables))
    variables = [*twin.trainable_variables, *twin.non_trainable_variables]
    weights = dict(zip(_names(twin), map(values_of, variables), strict=True))
    start = flatten_states(like).numpy()[0].astype(np.float64)
    seen = _compared(cell, step_function, weights, start)
    return Float64Cell(step_function, weights, start, seen, cell_radii(cell, len(start)))


def _names(cell: Layer) -> list[str]:
    """What the weights of a cell are called, the trainable ones first."""
    count = len(cell.trainable_variables) + len(cell.non_trainable_variables)
    return [str(i) for i in range(count)]


def _twin(cell: Layer, layer: Layer) -> Layer:
    try:
        return float64_copy(cell, shared=True)
    except ValueError:
        if layer is cell:
            raise
        return float64_copy(layer).cell  # some cells, as of ConvLSTM1D, only their layer can make


def _initial(cell: Layer) -> list[Any]:
    """The nested states before the first step, each [1, ...], as an RNN layer would make them."""
    own = getattr(cell, "get_initial_state", None)
    if own is not None:
        given = own(batch_size=1)
        return list(given) if keras.tree.is_nested(given) else [given]
    size = cell.state_size
    sizes = [size] if isinstance(size, int) else list(size)
    return [tf.zeros([1, *np.atleast_1d(n).tolist()], tf.float64) for n in sizes]


def _input_shape(cell: Layer) -> tuple[int, ...]:
    config = cell.get_build_config() or {}
    shape = config.get("input_shape") or next(iter(config.get("shapes_dict", {}).values()), None)
    if shape is None or not all(isinstance(n, int) for n in shape[1:]):
        raise ValueError(f"{label(cell)} does not say for which inputs it was built: {shape}")
    return tuple(shape[1:])


def _compared(
    cell: Layer, step_function: CellStep, weights: dict[str, Array], start: Array
) -> slice | None:
    """Where the output stands in the state; ValueError unless cell and copy step alike."""
    generator = np.random.default_rng(0)
    x = generator.uniform(-1.0, 1.0, (PROBES, int(np.prod(step_function.input_shape))))
    h = start + generator.uniform(-0.5, 0.5, (PROBES, len(start)))
    w = {name: tf.constant(values[None]) for name, values in weights.items()}
    try:
        output, new = (v.numpy() for v in step_function.both(w, tf.constant(x), tf.constant(h)))
    except Exception as error:
        raise ValueError(f"{label(cell)} fails in float64: {reason(error)}") from error
    rows = tf.reshape(tf.cast(x, cell.compute_dtype), [-1, *step_function.input_shape])
    states = unflatten_states(tf.cast(h, cell.compute_dtype), step_function.like)
    before = [values_of(v) for v in _memory(cell)]
    try:
        _, theirs = cell(rows, states, **inference_arguments(cell))
    except Exception as error:
        raise ValueError(f"{label(cell)} fails in its own type: {reason(error)}") from error
    if any((values_of(v) != old).any() for v, old in zip(_memory(cell), before, strict=True)):
        raise ValueError(f"a step of {label(cell)} changes weights that are no part of its state")
    theirs = tf.cast(flatten_states(theirs), tf.float64).numpy()
    tolerance = ROUNDING.get(str(cell.compute_dtype), 0.1)
    if new.shape != theirs.shape or not np.allclose(new, theirs, tolerance, tolerance):
        raise ValueError(
            f"{label(cell)} rebuilt from its get_config computes something else: have get_config "
            "return all that __init__ takes, and nothing random in its step"
        )
    return _within(output, new)


def _memory(cell: Layer) -> Sequence[Any]:
    return [v for v in cell.non_trainable_variables if v.dtype != "string"]


def _within(output: Array, state: Array) -> slice | None:
    """The entries of the state [row, state] that the output [row, unit] repeats, the first ones."""
    width = output.shape[1]
    for first in range(state.shape[1] - width + 1):
        if np.array_equal(state[:, first : first + width], output):
            return slice(first, first + width)
    return None
