"""Readout of a Keras model after its recurrent layer."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.float64_copies import float64_copy
from rnnstudy.keras_bridge.recurrent_layers import array_of


class Readout:
    """The part of a Keras model after its recurrent layer, in float64.

    steps: length of the sequence that it expects; None if it expects single states.
    """

    def __init__(self, model: Any, steps: int | None) -> None:
        self.model, self.steps = float64_copy(model), steps

    def __call__(self, visible: Array) -> Array:
        """Return outputs `[..., output]` of visible states `[..., unit]`.

        A model that expects a sequence gets a constant one.
        """
        rows = visible.reshape(-1, visible.shape[-1])
        if self.steps is not None:
            rows = np.repeat(rows[:, None], self.steps, axis=1)
        outputs = array_of(self.model(rows, training=False))
        if self.steps is not None and outputs.ndim > 2:
            outputs = outputs[:, -1]
        return outputs.reshape(*visible.shape[:-1], -1).astype(np.float64)


def readout_of(network: Any, layer: Any) -> Readout | None:
    """Return the readout of a model; None if there is none or it cannot be separated."""
    if network is layer or not isinstance(network, keras.Model):
        return None
    try:
        output = layer.output[0] if isinstance(layer.output, list | tuple) else layer.output
        steps = (output.shape[1] or 1) if len(output.shape) == 3 else None
        return Readout(keras.Model(output, network.outputs[0]), steps)
    except (AttributeError, ValueError):  # Not functional, or wired around the layer.
        return None
