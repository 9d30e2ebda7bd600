"""Keras models with any cell as populations of one."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from rnnstudy.cells import Cell, Weight
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import keras, tf
from rnnstudy.core.source.plugins import REMEDY, PluginNotAllowed, import_plugin
from rnnstudy.keras_bridge.cell_dynamics import Float64Cell, float64_cell
from rnnstudy.keras_bridge.float64_copies import reason
from rnnstudy.keras_bridge.from_keras import (
    check_equal_outputs,
    equal_cell,
    from_models,
    linear_readout,
)
from rnnstudy.keras_bridge.invariant_box import largest_radius
from rnnstudy.keras_bridge.keras_layers.encoders import encoded_cell_class, encoder_of, with_encoder
from rnnstudy.keras_bridge.recurrent_layers import cell_of, recurrent_chain, stack_layers
from rnnstudy.population.population import Population

MAX_LAYERS = 64
"""Largest number of rebuilt layers in memory."""


class KerasCell(Cell):
    """Cell whose step is that of a Keras recurrent layer, for one network in float64.

    Its states are one flat vector, end to end. If the layer's output is none of them, the last
    output follows them. The fixed points stay the same, with as many zero eigenvalues more.

    Examples
    --------
    >>> cell = KerasCell(layer="{}", units=3, inputs=2, states=6, first=0)
    >>> cell.state_size
    6
    """

    layer: str
    """Configuration of the layer, as Keras serialises it, in JSON."""

    module: str | None = None
    """Module that registers its classes with Keras."""

    inputs: int
    """Number of input channels."""

    states: int
    """Length of the layer's own states."""

    first: int
    """Position of the output in the state."""

    @property
    def state_size(self) -> int:
        """Length of the states, and of the output if it is none of them."""
        return max(self.states, self.first + self.units)

    def weights(self, inputs: int) -> dict[str, Weight]:
        """Return a weight of the inputs' width. The layer has the others."""
        return {"kernel": Weight((inputs, inputs))}

    def drive(self, w: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return the inputs unchanged."""
        return x

    def step(self, w: Mapping[str, Tensor], drive: Tensor, h: Tensor) -> Tensor:
        """Return the next state in float64. All members are one network."""
        copy = self._copy
        # In a population all weights have one type. A cell may have integers among them.
        arrays = {name: tf.cast(w[name], weight.dtype) for name, weight in copy.weights.items()}
        output, new = copy.step_function.output_and_state(arrays, drive, h[..., : self.states])
        return new if self.first < self.states else tf.concat([new, output], axis=-1)

    def visible(self, h: Tensor) -> Tensor:
        """Return the layer's output."""
        return h[..., self.first : self.first + self.units]

    @property
    def radii(self) -> Array | None:
        """Radii [state] of a box that no step leaves, if one is known."""
        radii = self._copy.radii
        if radii is None:
            return None
        return np.concatenate([radii, np.full(self.state_size - self.states, np.inf)])

    @property
    def bound(self) -> float | None:
        """The largest of these radii that is finite."""
        return largest_radius(self.radii)

    @property
    def _copy(self) -> Float64Cell:
        return _rebuild(self.layer, self.module)


@lru_cache(MAX_LAYERS)
def _rebuild(layer: str, module: str | None) -> Float64Cell:
    """Return a layer in float64; ValueError if it cannot be rebuilt."""
    import_registered(module)
    encoded_cell_class()
    with tf.init_scope():  # The call may come while a program is traced.
        try:
            original = keras.saving.deserialize_keras_object(json.loads(layer))
        except Exception as error:  # A user's code may raise anything.
            raise ValueError(
                f"the recurrent layer must be rebuilt from its configuration, got: {reason(error)}"
            ) from error
        return float64_cell(cell_of(original), original)


def import_registered(module: str | None) -> None:
    """Import a module that registers classes with Keras; ValueError if that fails."""
    if module is None:
        return
    try:
        import_plugin(module)
    except PluginNotAllowed as error:
        raise ValueError(f"the module {module!r} must be allowed to run code; {REMEDY}") from error
    except Exception as error:  # A user's code may raise anything.
        raise ValueError(f"the module {module!r} must be importable, got: {error}") from error


def population_of(model: Any, layer: str | None = None, module: str | None = None) -> Population:
    """Return a Keras model as a population of one, in float64 unless its cell is of this package.

    layer: name of the recurrent layer, if the model has several that form no chain. Layers before
    it that treat each time step alone become a part of its step. Raises ValueError unless the
    model is these, a recurrent layer and a linear readout that can be separated.
    """
    chain = recurrent_chain(model, layer)
    encoder = encoder_of(model, chain[0])
    if len(chain) == 1 and not encoder and equal_cell(cell_of(chain[0])) is not None:
        return from_models([model])
    readout = linear_readout(model, [*encoder, *chain])
    whole = with_encoder(encoder, stack_layers(chain))
    copy = float64_cell(cell_of(whole), whole)
    units = readout["kernel"].shape[0]
    states, inputs = len(copy.start), int(np.prod(copy.step_function.input_shape))
    cell = KerasCell(
        layer=json.dumps(keras.saving.serialize_keras_object(whole)),
        module=module,
        units=units,
        inputs=inputs,
        states=states,
        first=states if copy.output_slice is None else copy.output_slice.start,
    )
    start = np.zeros(cell.state_size)
    start[:states] = copy.start
    population = Population(
        cell=cell,
        weights={n: w[None] for n, w in {"kernel": np.eye(inputs), **copy.weights}.items()},
        readout={name: values[None].astype(np.float64) for name, values in readout.items()},
        initial_state=start[None],
    )
    check_equal_outputs(model, population)
    return population
