"""Layers of a Keras model before its recurrent layer, which process its inputs."""

import importlib
from collections.abc import Sequence
from typing import Any

from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.recurrent_layers import cell_of

Layer = Any

ENCODERS = ("Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Rescaling")
"""Layers of Keras that treat each time step alone, by the last axis of their inputs."""


def active_layers(model: Any) -> list[Layer]:
    """Return the layers of a model that do something in inference, in their order."""
    noises = (keras.layers.GaussianNoise, keras.layers.GaussianDropout)
    inactive = (keras.layers.InputLayer, keras.layers.Dropout, *noises)
    return [layer for layer in model.layers if not isinstance(layer, inactive)]


def encoder_of(model: Any, first: Layer) -> list[Layer]:
    """Return the layers of a model that process the inputs of its first recurrent layer.

    Empty if there are none, or if one of them mixes time steps.
    """
    layers = active_layers(model)
    before = layers[: next((i for i, layer in enumerate(layers) if layer is first), 0)]
    return before if all(_is_encoder(layer) for layer in before) else []


def _is_encoder(layer: Layer) -> bool:
    return any(type(_inner(layer)) is getattr(keras.layers, name) for name in ENCODERS)


def _inner(layer: Layer) -> Layer:
    """Return the layer that is applied to each time step."""
    return layer.layer if type(layer) is keras.layers.TimeDistributed else layer


def with_encoder(encoder: Sequence[Layer], layer: Layer) -> Layer:
    """Return a recurrent layer that processes its inputs by other layers, with the same weights."""
    if not encoder:
        return layer
    policy = layer.dtype_policy
    inner = [_inner(each) for each in encoder]
    cell = encoded_cell_class()(inner, cell_of(layer), dtype=policy)
    whole = keras.layers.RNN(cell, dtype=policy)
    whole.build((None, None, _width(inner, cell.cell)))
    return whole


def encoded_cell_class() -> Any:
    """Return the class `EncodedCell`, which Keras finds by its name afterwards."""
    return importlib.import_module("rnnstudy.keras_bridge.keras_layers.encoded_cell").EncodedCell


def _width(encoder: Sequence[Layer], cell: Layer) -> int:
    """Return the number of inputs of an encoder: only a Dense layer changes it."""
    dense = [layer for layer in encoder if type(layer) is keras.layers.Dense]
    return int((dense[0] if dense else cell).kernel.shape[0])
