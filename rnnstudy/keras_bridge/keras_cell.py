"""A Keras model of the user's own as a population of one, whatever its cell is."""

import importlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from rnnstudy.cells import Cell, Weight
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import keras, tf
from rnnstudy.keras_bridge.cell_dynamics import Float64Cell, float64_cell
from rnnstudy.keras_bridge.float64_copies import reason
from rnnstudy.keras_bridge.from_keras import (
    check_equal_outputs,
    equal_cell,
    from_models,
    linear_readout,
)
from rnnstudy.keras_bridge.invariant_box import largest_radius
from rnnstudy.keras_bridge.recurrent_layers import cell_of, recurrent_chain, stack_layers
from rnnstudy.population.population import Population

MOST_LIVE = 64
"""Layers kept in memory, ready to be called."""


class KerasCell(Cell):
    """A recurrent layer of Keras as a cell: the step of one network, in double precision.

    Its states are one flat vector, end to end. If the layer's output is none of them, that of the
    last step stands at their end: the fixed points stay the same, with as many eigenvalues zero.
    """

    layer: str
    """The layer's configuration, as Keras writes it down, in JSON."""

    module: str | None = None
    """Module that registers its classes with Keras."""

    inputs: int
    """Number of input channels."""

    states: int
    """Length of the layer's own states."""

    first: int
    """Where the output begins in the state."""

    @property
    def state_size(self) -> int:
        """Length of the states, and of the output if it is none of them."""
        return max(self.states, self.first + self.units)

    def weights(self, inputs: int) -> dict[str, Weight]:
        """Only the width of the inputs: the rest is the layer's own affair."""
        return {"kernel": Weight((inputs, inputs))}

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """The inputs as they are."""
        return x

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """The next state, in float64; all members are one network."""
        live = self._live
        # In a population all weights are of one type; a cell may have integers among them.
        arrays = {name: tf.cast(w[name], own.dtype) for name, own in live.weights.items()}
        output, new = live.step_function.both(arrays, drive, h[..., : self.states])
        return new if self.first < self.states else tf.concat([new, output], axis=-1)

    def visible(self, h: Tensor) -> Tensor:
        """The layer's output."""
        return h[..., self.first : self.first + self.units]

    @property
    def radii(self) -> Array | None:
        """Radii [state] of a box that no step leaves, if one is known."""
        radii = self._live.radii
        if radii is None:
            return None
        return np.concatenate([radii, np.full(self.state_size - self.states, np.inf)])

    @property
    def bound(self) -> float | None:
        """The largest of these radii that is finite."""
        return largest_radius(self.radii)

    @property
    def _live(self) -> Float64Cell:
        return _live(self.layer, self.module)


@lru_cache(MOST_LIVE)
def _live(layer: str, module: str | None) -> Float64Cell:
    """A layer ready to be called; ValueError if it cannot be made here."""
    import_registered(module)
    with tf.init_scope():  # it may be asked for while a program is written down
        try:
            made = keras.saving.deserialize_keras_object(json.loads(layer))
        except Exception as error:  # anybody's code may raise anything
            raise ValueError(f"the recurrent layer cannot be made: {reason(error)}") from error
        return float64_cell(cell_of(made), made)


def import_registered(module: str | None) -> None:
    """Import a module that registers classes with Keras; ValueError if that fails."""
    if module is None:
        return
    try:
        importlib.import_module(module)
    except Exception as error:  # it is the user's, and may raise anything
        raise ValueError(f"the module {module!r} cannot be imported: {error}") from error


def population_of(model: Any, layer: str | None = None, module: str | None = None) -> Population:
    """A Keras model as a population of one, in double precision if its cell is not one of ours.

    layer: which recurrent layer, if the model has several that are no chain. ValueError for what
    cannot be taken apart, or is no recurrent layer and a linear readout.
    """
    chain = recurrent_chain(model, layer)
    if len(chain) == 1 and equal_cell(cell_of(chain[0])) is not None:
        return from_models([model])
    whole = stack_layers(chain)
    found = float64_cell(cell_of(whole), whole)
    readout = linear_readout(model, chain)
    units = readout["kernel"].shape[0]
    states, inputs = len(found.start), int(np.prod(found.step_function.input_shape))
    cell = KerasCell(
        layer=json.dumps(keras.saving.serialize_keras_object(whole)),
        module=module,
        units=units,
        inputs=inputs,
        states=states,
        first=states if found.seen is None else found.seen.start,
    )
    start = np.zeros(cell.state_size)
    start[:states] = found.start
    population = Population(
        cell=cell,
        weights={n: w[None] for n, w in {"kernel": np.eye(inputs), **found.weights}.items()},
        readout={name: values[None].astype(np.float64) for name, values in readout.items()},
        initial_state=start[None],
    )
    check_equal_outputs(model, population)
    return population
