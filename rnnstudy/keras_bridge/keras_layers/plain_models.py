"""Models of Keras's own layers with the outputs of a network, which load without this package."""

from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.arguments import check_whole
from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.from_keras import INITIAL_FIELDS, check_equal_outputs, equal_cell
from rnnstudy.population.population import Population

PLAIN: dict[type[Cell], str] = {Vanilla: "SimpleRNN", GRU: "GRU", LSTM: "LSTM"}
"""Cell -> layer of Keras that computes the same."""


def plain_model(population: Population, member: int, name: str | None = None) -> Any:
    """Return one network as a model of Keras's own layers: `[trial, time, input]` -> outputs.

    It loads without this package. Its outputs are compared with those of the network.

    Parameters
    ----------
    population
        Networks of one shape.
    member
        Position of the network.
    name
        Name of the model. Default: one of Keras.

    Returns
    -------
    keras.Model
        A SimpleRNN, GRU or LSTM, and a Dense readout.

    Raises
    ------
    ValueError
        If Keras has no equal layer, or there is no such member.

    Examples
    --------
    >>> layers = [keras.Input((None, 2)), keras.layers.GRU(3), keras.layers.Dense(1)]
    >>> population = Population.from_models([keras.Sequential(layers)])
    >>> [type(layer).__name__ for layer in plain_model(population, 0).layers]
    ['InputLayer', 'GRU', 'Dense']
    """
    check_whole("member", member, least=-len(population), most=len(population) - 1)
    cell, start = population.cell, population.initial_state[member]
    if type(cell) not in PLAIN:
        raise ValueError(
            f"cell must be {', '.join(each.kind for each in PLAIN)} for layers of Keras alone, got "
            f"{cell.kind}. Export it without --plain."
        )
    if np.any(start):
        raise ValueError(
            "initial state must be 0 for layers of Keras alone, got a trained one. Export it "
            "without --plain."
        )
    dtype = start.dtype.name
    recurrent = _layer(cell, dtype)
    readout = keras.layers.Dense(population.outputs, name="readout", dtype=dtype)
    inputs = keras.Input((None, population.inputs), name="inputs", dtype=dtype)
    model = keras.Model(inputs, readout(recurrent(inputs)), name=name)
    _refuse_other(cell, recurrent)
    weights = population.weights
    recurrent.set_weights(
        [weights[part][member] for part in ("kernel", "recurrent_kernel", "bias")]
    )
    readout.set_weights([population.readout[part][member] for part in ("kernel", "bias")])
    check_equal_outputs(model, population.select("member", [member]))
    return model


def _layer(cell: Cell, dtype: str) -> Any:
    """Return the layer of Keras for a cell."""
    options = {"reset_after": cell.reset_after} if isinstance(cell, GRU) else {}
    layer = getattr(keras.layers, PLAIN[type(cell)])
    return layer(
        cell.units,
        activation=cell.activation,
        return_sequences=True,
        name="recurrent",
        dtype=dtype,
        **options,
    )


def _refuse_other(cell: Cell, layer: Any) -> None:
    """Raise ValueError if the layer of Keras lacks a field of the cell that changes its step."""
    equal = equal_cell(layer.cell)
    fields = {} if equal is None else equal[0].model_dump()
    for name, value in cell.model_dump().items():
        if name in INITIAL_FIELDS or fields.get(name) == value:
            continue
        raise ValueError(
            f"{name} of the cell must be {fields.get(name)} for layers of Keras alone, "
            f"got {value}. Export it without --plain."
        )
