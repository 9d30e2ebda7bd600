"""Keras cell with layers before it that have no state, such as a Dense encoder of the inputs.

The module imports Keras. `keras_layers.encoders` imports it where it is needed.
"""

from collections.abc import Sequence
from typing import Any

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import keras


@keras.saving.register_keras_serializable("rnnstudy")
class EncodedCell(keras.layers.Layer):
    """Keras cell that reads its inputs through layers without a state.

    Parameters
    ----------
    encoder
        Layers that act on the last axis of their inputs, from the inputs to the cell.
    cell
        The recurrent cell.
    **options
        Options of a Keras layer.

    Examples
    --------
    >>> import keras
    >>> EncodedCell([keras.layers.Dense(8)], keras.layers.GRUCell(4)).state_size
    4
    """

    def __init__(self, encoder: Sequence[Any], cell: Any, **options: Any) -> None:
        super().__init__(**options)
        self.encoder, self.cell = list(encoder), cell

    @property
    def state_size(self) -> Any:
        """Sizes of the cell's states."""
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        """Size of the cell's output."""
        return self.cell.output_size

    def build(self, input_shape: Any) -> None:
        """Build the layers that have no weights yet, for inputs `[trial, input]`."""
        for layer in self.encoder:
            if not layer.built:
                layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)
        if not self.cell.built:
            self.cell.build(input_shape)

    def call(self, inputs: Tensor, states: Any) -> tuple[Tensor, Any]:
        """Return output `[trial, unit]` and new states of inputs `[trial, input]` and states."""
        for layer in self.encoder:
            inputs = layer(inputs)
        output, new = self.cell(inputs, states)
        return output, new

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """Return the cell's states before the first step: zeros, unless it has others."""
        if hasattr(self.cell, "get_initial_state"):
            return self.cell.get_initial_state(batch_size)
        sizes = keras.tree.flatten(self.state_size)
        return [keras.ops.zeros((batch_size, size), self.compute_dtype) for size in sizes]

    def get_config(self) -> dict[str, Any]:
        """Return all arguments, from which `from_config` rebuilds this cell."""
        return {
            **super().get_config(),
            "encoder": [keras.saving.serialize_keras_object(layer) for layer in self.encoder],
            "cell": keras.saving.serialize_keras_object(self.cell),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return the cell of a configuration by `get_config`."""
        read = keras.saving.deserialize_keras_object
        encoder = [read(each) for each in config["encoder"]]
        return cls(**{**config, "encoder": encoder, "cell": read(config["cell"])})
