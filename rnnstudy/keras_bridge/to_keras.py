"""Cells of this package as Keras cells, and trained networks as Keras models.

This module imports Keras. Use `rnnstudy.core.lazy_imports.keras_models` to import it late.
"""

import functools
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.cells.dale import Dale
from rnnstudy.cells.gru import GRU
from rnnstudy.cells.low_rank import LowRank
from rnnstudy.cells.lru import LRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.min_gru import MinGRU
from rnnstudy.cells.rate import Rate
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.arguments import check_whole
from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.cell_layer import CellLayer as CellLayer
from rnnstudy.population.population import Population


@keras.saving.register_keras_serializable("rnnstudy")
class VanillaCell(CellLayer):
    """Keras cell h' = f(W x + R h + b) (Elman 1990).

    Examples
    --------
    >>> VanillaCell(32, activation="relu").units
    32
    """

    wraps = Vanilla


@keras.saving.register_keras_serializable("rnnstudy")
class UGRNNCell(CellLayer):
    """Keras cell of the update-gate RNN (Collins, Sohl-Dickstein & Sussillo 2017).

    gate_bias: first bias of the update gate.

    Examples
    --------
    >>> UGRNNCell(32, gate_bias=1.0).state_size
    32
    """

    wraps = UGRNN


@keras.saving.register_keras_serializable("rnnstudy")
class GRUCell(CellLayer):
    """Keras cell of the gated recurrent unit (Cho et al. 2014).

    reset_after: as in Keras. gate_bias: first bias of the update gate.

    Examples
    --------
    >>> GRUCell(32, reset_after=False).state_size
    32
    """

    wraps = GRU


@keras.saving.register_keras_serializable("rnnstudy")
class LSTMCell(CellLayer):
    """Keras cell of the long short-term memory (Hochreiter & Schmidhuber 1997).

    Its state is one vector, h and c. clip: bound of c. gate_bias: first bias of the forget gate.

    Examples
    --------
    >>> LSTMCell(32).state_size
    64
    """

    wraps = LSTM


@keras.saving.register_keras_serializable("rnnstudy")
class RateCell(CellLayer):
    """Keras cell of the leaky rate network (Song, Yang & Wang 2016).

    dt, tau: time step and time constant in ms. readout: `rates` or `currents`.

    Examples
    --------
    >>> RateCell(32, dt=10.0, tau=50.0).cell.share
    0.2
    """

    wraps = Rate


@keras.saving.register_keras_serializable("rnnstudy")
class LowRankCell(CellLayer):
    """Keras cell of the low-rank rate network (Mastrogiuseppe & Ostojic 2018).

    rank: rank of the connections. Further arguments as those of `RateCell`.

    Examples
    --------
    >>> LowRankCell(32, rank=2).state_size
    32
    """

    wraps = LowRank


@keras.saving.register_keras_serializable("rnnstudy")
class DaleCell(CellLayer):
    """Keras cell of the rate network with Dale's law (Song, Yang & Wang 2016).

    inhibition: share of inhibitory units. Further arguments are the fields of the cell `dale`, and
    those of `RateCell`.

    Examples
    --------
    >>> DaleCell(5, inhibition=0.4).cell.signs.tolist()
    [1.0, 1.0, 1.0, -1.0, -1.0]
    """

    wraps = Dale


@keras.saving.register_keras_serializable("rnnstudy")
class MinGRUCell(CellLayer):
    """Keras cell of the minimal GRU with a nonlinear readout (Feng et al. 2024).

    Its state is one vector, s and y; y is the output. gate_bias: first bias of the gate.

    Examples
    --------
    >>> MinGRUCell(32).state_size
    64
    """

    wraps = MinGRU


@keras.saving.register_keras_serializable("rnnstudy")
class LRUCell(CellLayer):
    """Keras cell of the linear recurrent unit with a nonlinear readout (Orvieto et al. 2023).

    Its state is one vector: real parts of s, imaginary parts of s, and y, which is the output.

    Examples
    --------
    >>> LRUCell(32, max_radius=0.99).state_size
    96
    """

    wraps = LRU


LAYERS: tuple[type[CellLayer], ...] = (
    VanillaCell,
    UGRNNCell,
    GRUCell,
    LSTMCell,
    RateCell,
    LowRankCell,
    DaleCell,
    MinGRUCell,
    LRUCell,
)

OURS: dict[type[Cell], type[CellLayer]] = {layer.wraps: layer for layer in LAYERS}


@functools.cache
def keras_cell(wraps: type[Cell]) -> type[CellLayer]:
    """Return the Keras class around a cell, the same one at each call.

    It is registered with Keras under the cell's module. So a saved model loads in any process that
    has made this call before.

    Parameters
    ----------
    wraps
        Class of the cell.

    Returns
    -------
    type
        A class of Keras cells.

    Examples
    --------
    >>> keras_cell(Vanilla)(8).units
    8
    """
    if wraps in OURS:
        return OURS[wraps]
    name = f"{wraps.__name__}Cell"
    body = {"wraps": wraps, "__doc__": wraps.__doc__, "__module__": wraps.__module__}
    layer: type[CellLayer] = keras.saving.register_keras_serializable(wraps.__module__, name)(
        type(name, (CellLayer,), body)
    )
    return layer


def to_model(population: Population, member: int, name: str | None = None) -> Any:
    """Return one network as a `keras.Model`: `[trial, time, input]` -> `[trial, time, output]`.

    It has the layers "recurrent" (keras.layers.RNN around a cell of this package) and "readout"
    (Dense). It starts from the member's initial state. That stays trainable if it was trained.

    Parameters
    ----------
    population
        Networks of one shape.
    member
        Position of the network.
    name
        Name of the model.

    Returns
    -------
    keras.Model
        The network.

    Raises
    ------
    ValueError
        If there is no such member.

    Examples
    --------
    >>> layers = [keras.Input((None, 2)), keras.layers.GRU(3), keras.layers.Dense(1)]
    >>> model = keras.Sequential(layers)
    >>> to_model(Population.from_models([model]), 0).output_shape
    (None, None, 1)
    """
    check_whole("member", member, least=-len(population), most=len(population) - 1)
    start = population.initial_state[member]
    dtype = start.dtype.name
    fields = {field: getattr(population.cell, field) for field in _fields(type(population.cell))}
    cell = keras_cell(type(population.cell))(
        **fields, train_initial_state=bool(np.any(start)), dtype=dtype
    )
    inputs = keras.Input((None, population.inputs), name="inputs", dtype=dtype)
    recurrent = keras.layers.RNN(cell, return_sequences=True, name="recurrent", dtype=dtype)
    readout = keras.layers.Dense(population.outputs, name="readout", dtype=dtype)
    model = keras.Model(inputs, readout(recurrent(inputs)), name=name)
    for weight, values in population.weights.items():
        getattr(cell, weight).assign(values[member])
    if cell.initial_state is not None:
        cell.initial_state.assign(start)
    readout.set_weights([population.readout["kernel"][member], population.readout["bias"][member]])
    return model


def _fields(wraps: type[Cell]) -> list[str]:
    return list(wraps.model_fields)
