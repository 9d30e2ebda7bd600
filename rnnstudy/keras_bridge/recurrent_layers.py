"""Recurrent layers and cells of Keras models, and the kinds that cannot be analysed."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras

Layer = Any


def require_tensorflow() -> None:
    """Raise RuntimeError unless Keras runs on TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"rnnstudy needs Keras on TensorFlow, it runs on {keras.backend.backend()}; "
            "set KERAS_BACKEND=tensorflow before importing keras"
        )


def label(layer: Layer) -> str:
    """Return the name of a layer in messages."""
    return f"{type(layer).__name__} '{getattr(layer, 'name', '?')}'"


def recurrent_layer(network: Layer, name: str | None = None) -> Layer:
    """Return the recurrent layer or cell of a Keras layer, cell or model.

    name: that of the layer, if there are several. Raises ValueError if there is none, if there are
    several, or if the state does not follow one rule from step to step.
    """
    require_tensorflow()
    layers = list(_recurrent(network))
    if not layers:
        raise ValueError(
            f"{label(network)} must have a state, got none. "
            "Use a recurrent layer, a cell, or a model with one."
        )
    names = [layer.name for layer in layers]
    if name is not None:
        if names.count(name) != 1:
            raise ValueError(
                f"layer must be a recurrent layer of {label(network)} ({', '.join(names)}), "
                f"got '{name}'"
            )
        layers = [layers[names.index(name)]]
    if len(layers) > 1:
        raise ValueError(
            f"{label(network)} must have one recurrent layer, got {', '.join(names)}. "
            f'Name one, as in layer="{names[0]}".'
        )
    _require_one_rule(network, layers[0])
    return layers[0]


def recurrent_chain(model: Layer, name: str | None = None) -> list[Layer]:
    """Return all recurrent layers of a model, from inputs to outputs, or the named one.

    Raises ValueError if there is none, or for a kind that `recurrent_layer` refuses.
    """
    layers = list(_recurrent(model))
    if len(layers) < 2 or name is not None:
        return [recurrent_layer(model, name)]
    for layer in layers:
        _require_one_rule(model, layer)
    return layers


def stack_layers(layers: Sequence[Layer]) -> Layer:
    """Return recurrent layers that read each other in order as one layer with the same weights."""
    if len(layers) == 1:
        return layers[0]
    cells = [cell_of(layer) for layer in layers]
    policy = layers[0].dtype_policy
    whole = keras.layers.RNN(keras.layers.StackedRNNCells(cells, dtype=policy), dtype=policy)
    whole.build((None, None, _inputs_of(cells[0])))
    return whole


def _inputs_of(cell: Layer) -> int:
    shape = (cell.get_build_config() or {}).get("input_shape")
    if shape is None or not isinstance(shape[-1], int):
        raise ValueError(
            f"build config of {label(cell)} must have the input shape, got {shape}. "
            "Build the cell on inputs of known width."
        )
    return shape[-1]


def _recurrent(layer: Layer) -> Iterator[Layer]:
    """Yield the outermost recurrent layers and cells in a layer, each once."""
    if isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)) or is_cell(layer):
        yield layer
        return
    inner: dict[int, Layer] = {}
    for child in layer._flatten_layers(include_self=False, recursive=False):
        inner |= {id(each): each for each in _recurrent(child) if id(each) not in inner}
    yield from inner.values()


def is_cell(layer: Layer) -> bool:
    """Return whether a Keras layer is a cell: one step, with a state of known size."""
    return (
        not isinstance(layer, keras.layers.RNN) and getattr(layer, "state_size", None) is not None
    )


def _require_one_rule(network: Layer, layer: Layer) -> None:
    """Raise ValueError if the state does not follow the cell's rule at every step."""
    if isinstance(layer, keras.layers.Bidirectional):
        raise ValueError(
            f"{label(layer)} must read its inputs in one direction, got both. "
            "Use its forward_layer or its backward_layer's cell."
        )
    for other in network._flatten_layers():
        mask = isinstance(other, keras.layers.Masking) or getattr(other, "mask_zero", False) is True
        if mask and other is not layer:
            raise ValueError(
                f"{label(layer)} must update its state at every step, but "
                f"{label(other)} masks time steps. Use {label(layer)} itself to ignore the mask."
            )
    if getattr(layer, "stateful", False):
        raise ValueError(
            f"{label(layer)} must start each batch anew, but it is stateful. "
            "Set its stateful to False, or use its cell."
        )
    if getattr(layer, "go_backwards", False):
        raise ValueError(
            f"{label(layer)} must read its inputs forwards, but it reads them backwards. "
            "Use its cell."
        )


def cell_of(layer: Layer) -> Layer:
    """Return the built cell of a recurrent layer, or the cell itself.

    Raises ValueError if it is no Keras layer, has no weights yet, or has weights that are not
    finite. It raises too if its step is random.
    """
    cell = layer.cell if isinstance(layer, keras.layers.RNN) else layer
    if not isinstance(cell, keras.layers.Layer):
        raise ValueError(
            f"the cell must be a keras.layers.Layer, got {type(cell).__name__}. "
            "Derive it from Layer."
        )
    if not cell.built:
        raise ValueError(
            f"{label(layer)} must have weights, got none. Call it on data, or build it, first."
        )
    for part in cell._flatten_layers():
        for name in ("dropout", "recurrent_dropout", *_rate(part)):
            rate = getattr(part, name, 0.0)
            if isinstance(rate, (int, float)) and rate > 0:
                raise ValueError(
                    f"{label(part)} must not change the state at random, got {name} {rate:g}. "
                    f"Set its {name} to 0."
                )
    for weight in cell.weights:
        values = array_of(weight)
        if values.dtype.kind not in "iub" and not np.isfinite(values.astype(np.float64)).all():
            raise ValueError(
                f"weight '{weight.path}' of {label(layer)} must be finite, got NaN or inf. "
                "Train the network anew."
            )
    return cell


def _rate(layer: Layer) -> tuple[str, ...]:
    return ("rate",) if isinstance(layer, keras.layers.Dropout) else ()


def array_of(variable: Any) -> Array:
    """Return the values of a variable or tensor."""
    values: Array = keras.ops.convert_to_tensor(variable).numpy()
    return values
