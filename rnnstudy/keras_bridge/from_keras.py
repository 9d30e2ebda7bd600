"""Keras models as populations: equal cells of this package, and linear readouts."""

import operator
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.cells.base import Activation
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras, keras_models, tf
from rnnstudy.keras_bridge.from_torch import from_torch
from rnnstudy.keras_bridge.keras_layers.encoders import ENCODERS, active_layers, encoder_of
from rnnstudy.keras_bridge.recurrent_layers import array_of, cell_of, label, recurrent_layer
from rnnstudy.keras_bridge.torch_modules import module_label, torch_module
from rnnstudy.population.population import Population, population_of_one

Layer = Any

INITIAL_FIELDS = (
    "kernel_initializer", "recurrent_initializer", "gate_bias", "density", "sparsity",
    "spectral_radius", "min_radius", "max_radius", "max_phase",
)  # fmt: skip
"""Fields of a cell about its first weights. They do not change its step."""

PRECISION = {"float64": 1e-12, "float32": 1e-4}
"""Largest difference of two orders of summation after some steps. Half precision has 0.1."""

TRIALS, TIME = 3, 5
"""Size of the random sequences on which a population is compared with its models."""


def equal_cell(cell: Layer) -> tuple[Cell, dict[str, Array]] | None:
    """Return the cell of this package that equals a Keras cell, with its weights by name, or None.

    Equal cells are this package's own classes and Keras's SimpleRNNCell, GRUCell and LSTMCell, with
    a known activation and sigmoid gates. A missing bias is zero.
    """
    if isinstance(cell, keras_models.CellLayer):
        if type(cell).call is not keras_models.CellLayer.call:
            return None
        return cell.cell, {name: array_of(getattr(cell, name)) for name in cell._weight_names}
    equal = _keras_equal(cell)
    if equal is None:
        return None
    weights = {
        "kernel": array_of(cell.kernel),
        "recurrent_kernel": array_of(cell.recurrent_kernel),
    }
    shape = equal.weights(weights["kernel"].shape[0])["bias"].shape
    dtype = weights["kernel"].dtype
    bias = np.zeros(shape, dtype) if cell.bias is None else array_of(cell.bias)
    return equal, weights | {"bias": bias}


def _keras_equal(cell: Layer) -> Cell | None:
    kinds = (keras.layers.SimpleRNNCell, keras.layers.GRUCell, keras.layers.LSTMCell)
    activation = _known_activation(cell) if type(cell) in kinds else None
    if activation is None or cell.dtype_policy.quantization_mode is not None:
        return None
    fields: dict[str, Any] = {"units": cell.units, "activation": activation}
    if type(cell) is keras.layers.SimpleRNNCell:
        return Vanilla(**fields)
    if cell.recurrent_activation is not keras.activations.sigmoid:
        return None
    if type(cell) is keras.layers.LSTMCell:
        return LSTM(**fields)
    return GRU(**fields, reset_after=cell.reset_after)


def _known_activation(cell: Layer) -> str | None:
    names = get_args(Activation)
    return next((n for n in names if keras.activations.get(n) is cell.activation), None)


def initial_state(cell: Layer, size: int) -> Array:
    """Return the state `[state]` before the first step of a cell of this package or Keras."""
    variable = getattr(cell, "initial_state", None)
    return np.zeros(size, np.float32) if variable is None else array_of(variable)


def from_models(models: Sequence[Any]) -> Population:
    """Return Keras models of one shape as a population, member after member.

    Each model is a recurrent layer, then a Dense readout without activation. Its cell is one of
    this package or equals one: SimpleRNN, GRU or LSTM of Keras. A PyTorch module counts as the
    Keras model that `from_torch` makes of it. Raises ValueError for other models, and for models
    that differ in cell, activation, units, inputs or outputs.
    """
    if not isinstance(models, list | tuple):
        raise ValueError(f"models must be a list of Keras models, got a {type(models).__name__}")
    if not len(models):
        raise ValueError("models must have at least one Keras model, got none")
    populations = [_single_model(model) for model in models]
    first = populations[0]
    for model, other in zip(models[1:], populations[1:], strict=True):
        for field, value, other_value in _differences(first, other):
            raise ValueError(
                f"networks of a population must have one {field}, got {value} for "
                f"{_label(models[0])} and {other_value} for {_label(model)}"
            )
    dtype = np.result_type(*(p.initial_state.dtype for p in populations))

    def stack(parts: Sequence[dict[str, Array]]) -> dict[str, Array]:
        return {name: np.concatenate([p[name] for p in parts]).astype(dtype) for name in parts[0]}

    return Population(
        cell=first.cell,
        weights=stack([p.weights for p in populations]),
        readout=stack([p.readout for p in populations]),
        initial_state=np.concatenate([p.initial_state for p in populations]).astype(dtype),
    )


def _label(model: Any) -> str:
    return label(model) if torch_module(model) is None else module_label(model)


def _differences(first: Population, other: Population) -> Iterator[tuple[str, Any, Any]]:
    if type(first.cell) is not type(other.cell):
        yield "cell", type(first.cell).__name__, type(other.cell).__name__
        return
    for field in type(first.cell).model_fields:
        values = getattr(first.cell, field), getattr(other.cell, field)
        if field not in INITIAL_FIELDS and values[0] != values[1]:
            yield field, *values
    for field in ("inputs", "outputs"):
        values = getattr(first, field), getattr(other, field)
        if values[0] != values[1]:
            yield field, *values


def _single_model(model: Any) -> Population:
    """Return one model as a population of one."""
    if torch_module(model) is not None:
        model = from_torch(model)
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"models must be Keras models or PyTorch modules, got a {type(model).__name__}"
        )
    layer = recurrent_layer(model)
    cell = cell_of(layer)
    before = encoder_of(model, layer)
    if before:
        raise ValueError(
            f"{label(model)} must begin with its recurrent layer to be one of a population, got "
            f"{', '.join(map(label, before))} before it. Pass the model itself to "
            "find_fixed_points, or list its Keras file under 'models' in a spec."
        )
    equal = equal_cell(cell)
    if equal is None:
        raise ValueError(
            f"{label(cell)} of {label(model)} must be a cell of this package, or a "
            "SimpleRNN, GRU or LSTM that equals one. Pass the model itself to find_fixed_points."
        )
    start, readout = initial_state(cell, equal[0].state_size), linear_readout(model, [layer])
    population = population_of_one(*equal, start, readout)
    check_equal_outputs(model, population)
    return population


def linear_readout(model: Any, chain: Sequence[Layer]) -> dict[str, Array]:
    """Return kernel `[unit, output]` and bias `[output]` of the Dense layer of a model.

    The layer follows the others, `chain`: those before the recurrent layers, and these.

    Raises ValueError if the model has other active layers, several inputs or outputs, or if the
    readout has an activation.
    """
    for ends in ("inputs", "outputs"):
        if len(getattr(model, ends, None) or [None]) > 1:
            raise ValueError(
                f"{label(model)} must have one array of {ends}, got {len(getattr(model, ends))}. "
                "Build a model with one, [trial, time, channel]."
            )
    layers = active_layers(model)
    last = layers[-1]
    dense = last.layer if isinstance(last, keras.layers.TimeDistributed) else last
    before = layers[:-1]
    is_chain = len(before) == len(chain) and all(map(operator.is_, before, chain))
    if not is_chain or not isinstance(dense, keras.layers.Dense):
        listed = ", ".join(label(x) for x in layers)
        raise ValueError(
            f"{label(model)} must be a recurrent layer and a Dense readout, got {listed}. Before "
            f"the recurrent layer only {', '.join(ENCODERS)} can be taken along."
        )
    if dense.activation is not keras.activations.linear:
        name = getattr(dense.activation, "__name__", dense.activation)
        raise ValueError(f"the readout of {label(model)} must have a linear activation, got {name}")
    kernel = array_of(dense.kernel)
    bias = np.zeros(kernel.shape[1]) if dense.bias is None else array_of(dense.bias)
    return {"kernel": kernel, "bias": bias}


def check_equal_outputs(model: Any, population: Population) -> None:
    """Raise ValueError unless the population's outputs equal the model's.

    A model may connect the same layers in another way.
    """
    steps = getattr(model, "input_shape", (None, None))[1]  # Only functional models have it.
    shape = (TRIALS, steps or TIME, population.inputs)
    inputs = np.random.default_rng(0).standard_normal(shape)
    outputs = population.outputs_of(population.unroll(inputs))[0]
    expected = array_of(model(tf.constant(inputs, model.compute_dtype), training=False))
    outputs = outputs if expected.ndim == 3 else outputs[:, -1]
    # A loaded model has Keras's policy; its layers have their own.
    computed = {model.compute_dtype, *(layer.compute_dtype for layer in active_layers(model))}
    tolerance = max(PRECISION.get(each, 0.1) for each in computed)
    if outputs.shape != expected.shape or not np.allclose(outputs, expected, tolerance, tolerance):
        raise ValueError(
            f"{label(model)} must compute what its recurrent layer and its readout "
            "compute, got other outputs"
        )
