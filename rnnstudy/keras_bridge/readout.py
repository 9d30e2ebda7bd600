"""What follows the recurrent layer of a Keras model."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.float64_copies import float64_copy
from rnnstudy.keras_bridge.recurrent_layers import values_of


class Readout:
    """What a Keras model does with the output of its recurrent layer, in double precision."""

    def __init__(self, model: Any, steps: int | None) -> None:
        self.model, self.steps = float64_copy(model), steps

    def __call__(self, seen: Array) -> Array:
        """[..., unit] -> [..., output]; a model that needs a sequence sees a constant one."""
        rows = seen.reshape(-1, seen.shape[-1])
        if self.steps is not None:
            rows = np.repeat(rows[:, None], self.steps, axis=1)
        outputs = values_of(self.model(rows, training=False))
        if self.steps is not None and outputs.ndim > 2:
            outputs = outputs[:, -1]
        return outputs.reshape(*seen.shape[:-1], -1).astype(np.float64)


def readout_of(network: Any, layer: Any) -> Readout | None:
    """What follows the recurrent layer of a model, None if that is nothing or cannot be cut out."""
    if network is layer or not isinstance(network, keras.Model):
        return None
    try:
        output = layer.output[0] if isinstance(layer.output, list | tuple) else layer.output
        steps = (output.shape[1] or 1) if len(output.shape) == 3 else None
        return Readout(keras.Model(output, network.outputs[0]), steps)
    except (AttributeError, ValueError):  # not of the functional kind, or wired around the layer
        return None
