"""Keras models of others as populations: the cell of ours that theirs equals, their readout."""

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
from rnnstudy.keras_bridge.recurrent_layers import cell_of, label, recurrent_layer, values_of
from rnnstudy.population.population import Population

Layer = Any

FIRST_VALUES_ONLY = ("kernel_initializer", "recurrent_initializer", "gate_bias")
"""Fields of a cell that say how its weights began and nothing of how it moves."""

PRECISION = {"float64": 1e-12, "float32": 1e-4}
"""How closely two ways to sum the same agree after some steps; half precision: a tenth."""

TRIALS, TIME = 3, 5
"""Size of the random sequences on which a population is compared with the models it came from."""


def equal_cell(cell: Layer) -> tuple[Cell, dict[str, Array]] | None:
    """The cell of ours that computes the same as a Keras cell, and its weights by name, or None.

    That is one of our own classes, or exactly Keras's SimpleRNNCell, GRUCell or LSTMCell with an
    activation that we know and sigmoid gates; a missing bias is zero.
    """
    if isinstance(cell, keras_models.CellLayer):
        if type(cell).call is not keras_models.CellLayer.call:
            return None
        return cell.cell, {name: values_of(getattr(cell, name)) for name in cell._weight_names}
    equal = _keras_equal(cell)
    if equal is None:
        return None
    weights = {
        "kernel": values_of(cell.kernel),
        "recurrent_kernel": values_of(cell.recurrent_kernel),
    }
    shape = equal.weights(weights["kernel"].shape[0])["bias"].shape
    dtype = weights["kernel"].dtype
    bias = np.zeros(shape, dtype) if cell.bias is None else values_of(cell.bias)
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
    """The state [state] before the first step of a cell that equals one of ours."""
    own = getattr(cell, "initial_state", None)
    return np.zeros(size, np.float32) if own is None else values_of(own)


def from_models(models: Sequence[Any]) -> Population:
    """Keras models of one shape as a population, member after member.

    Each is a recurrent layer whose cell is one of ours or equals one (SimpleRNN, GRU, LSTM of
    Keras), then a Dense readout without activation. ValueError for anything else, and for models
    that differ in cell, activation, or number of units, inputs or outputs.
    """
    if not isinstance(models, list | tuple):
        raise ValueError(
            f"models should be a list of Keras models, it is a {type(models).__name__}"
        )
    if not len(models):
        raise ValueError("models is empty: give at least one Keras model")
    populations = [_one(model) for model in models]
    first = populations[0]
    for model, other in zip(models[1:], populations[1:], strict=True):
        for what, mine, its in _differences(first, other):
            raise ValueError(
                f"{label(model)} has {what} {its}, {label(models[0])} has {mine}: "
                "a population's networks are of one shape"
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


def _differences(first: Population, other: Population) -> Iterator[tuple[str, Any, Any]]:
    if type(first.cell) is not type(other.cell):
        yield "cell", type(first.cell).__name__, type(other.cell).__name__
        return
    for field in type(first.cell).model_fields:
        mine, its = getattr(first.cell, field), getattr(other.cell, field)
        if field not in FIRST_VALUES_ONLY and mine != its:
            yield field, mine, its
    for what in ("inputs", "outputs"):
        mine, its = getattr(first, what), getattr(other, what)
        if mine != its:
            yield what, mine, its


def _one(model: Any) -> Population:
    """One model as a population of one."""
    if not isinstance(model, keras.Model):
        raise ValueError(f"a {type(model).__name__} is no Keras model")
    layer = recurrent_layer(model)
    cell = cell_of(layer)
    equal = equal_cell(cell)
    if equal is None:
        raise ValueError(
            f"{label(cell)} of {label(model)} is none of our cells, nor a SimpleRNN, GRU or LSTM "
            "that equals one; find_fixed_points takes the model itself"
        )
    start, readout = initial_state(cell, equal[0].state_size), linear_readout(model, [layer])
    population = population_of_one(*equal, start, readout)
    check_equal_outputs(model, population)
    return population


def population_of_one(
    cell: Cell, weights: dict[str, Array], start: Array, readout: dict[str, Array] | None = None
) -> Population:
    """A population of one network; without a readout it has no outputs."""
    readout = readout or {"kernel": np.zeros((cell.units, 0)), "bias": np.zeros(0)}
    dtype = np.result_type(*(w.dtype for w in weights.values()))
    return Population(
        cell=cell,
        weights={name: w[None].astype(dtype) for name, w in weights.items()},
        readout={name: w[None].astype(dtype) for name, w in readout.items()},
        initial_state=start[None].astype(dtype),
    )


def linear_readout(model: Any, chain: Sequence[Layer]) -> dict[str, Array]:
    """Kernel [unit, output] and bias [output] of the Dense layer after the recurrent ones.

    ValueError if the model has other layers that do something, or the readout an activation.
    """
    others = [x for x in model.layers if not isinstance(x, _idle())]
    last = others[-1]
    dense = last.layer if isinstance(last, keras.layers.TimeDistributed) else last
    before = others[:-1]
    as_said = len(before) == len(chain) and all(map(operator.is_, before, chain))
    if not as_said or not isinstance(dense, keras.layers.Dense):
        listed = ", ".join(label(x) for x in others)
        raise ValueError(
            f"{label(model)} should be a recurrent layer and a Dense readout, it is {listed}"
        )
    if dense.activation is not keras.activations.linear:
        name = getattr(dense.activation, "__name__", dense.activation)
        raise ValueError(f"the readout of {label(model)} has activation {name}, not linear")
    kernel = values_of(dense.kernel)
    bias = np.zeros(kernel.shape[1]) if dense.bias is None else values_of(dense.bias)
    return {"kernel": kernel, "bias": bias}


def _idle() -> tuple[type, ...]:
    """Layers that do nothing to a network that predicts."""
    noises = (keras.layers.GaussianNoise, keras.layers.GaussianDropout)
    return keras.layers.InputLayer, keras.layers.Dropout, *noises


def check_equal_outputs(model: Any, population: Population) -> None:
    """ValueError unless the population computes what the model does: it may be wired otherwise."""
    steps = getattr(model, "input_shape", (None, None))[1]  # only functional models know theirs
    shape = (TRIALS, steps or TIME, population.inputs)
    inputs = np.random.default_rng(0).standard_normal(shape)
    outputs = population.outputs_of(population.unroll(inputs))[0]
    theirs = values_of(model(tf.constant(inputs, model.compute_dtype), training=False))
    ours = outputs if theirs.ndim == 3 else outputs[:, -1]
    tolerance = PRECISION.get(model.compute_dtype, 0.1)
    if ours.shape != theirs.shape or not np.allclose(ours, theirs, tolerance, tolerance):
        raise ValueError(
            f"{label(model)} computes something else than its recurrent layer and its readout alone"
        )
