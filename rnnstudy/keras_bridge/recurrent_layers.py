"""Keras models of others: their recurrent layers and cells, and what is wrong with some."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import keras

Layer = Any


def require_tensorflow() -> None:
    """RuntimeError unless Keras runs on TensorFlow: networks move and are taken apart in it."""
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"rnnstudy needs Keras on TensorFlow, it runs on {keras.backend.backend()}; "
            "set KERAS_BACKEND=tensorflow before importing keras"
        )


def label(layer: Layer) -> str:
    """A layer as messages call it."""
    return f"{type(layer).__name__} '{getattr(layer, 'name', '?')}'"


def recurrent_layer(network: Layer, name: str | None = None) -> Layer:
    """The recurrent layer or cell of a Keras layer, cell or model.

    name: which one, if there are several. ValueError if there is none, several, or a kind whose
    state does not move by one rule from step to step.
    """
    require_tensorflow()
    found = list(_recurrent(network))
    if not found:
        raise ValueError(
            f"{label(network)} has no state: give a recurrent layer, a cell, or a model with one"
        )
    names = [layer.name for layer in found]
    if name is not None:
        if names.count(name) != 1:
            raise ValueError(
                f"layer is '{name}'; the recurrent layers of {label(network)}: {', '.join(names)}"
            )
        found = [found[names.index(name)]]
    if len(found) > 1:
        raise ValueError(
            f"{label(network)} has {len(found)} recurrent layers: {', '.join(names)}; "
            f'say which one is meant, as in layer="{names[0]}"'
        )
    _refuse(network, found[0])
    return found[0]


def recurrent_chain(model: Layer, name: str | None = None) -> list[Layer]:
    """All recurrent layers of a model, from inputs to outputs, or the one of a name.

    ValueError if there is none, or for a kind that `recurrent_layer` refuses.
    """
    found = list(_recurrent(model))
    if len(found) < 2 or name is not None:
        return [recurrent_layer(model, name)]
    for layer in found:
        _refuse(model, layer)
    return found


def stack_layers(layers: Sequence[Layer]) -> Layer:
    """Recurrent layers, each of which reads the one before, as one layer with the same weights."""
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
        raise ValueError(f"{label(cell)} does not say for which inputs it was built: {shape}")
    return shape[-1]


def _recurrent(layer: Layer) -> Iterator[Layer]:
    """The outermost recurrent layers and cells in a layer, each once."""
    if isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)) or is_cell(layer):
        yield layer
        return
    seen = set()
    for child in layer._flatten_layers(include_self=False, recursive=False):
        for found in _recurrent(child):
            if id(found) not in seen:
                seen.add(id(found))
                yield found


def is_cell(layer: Layer) -> bool:
    """Whether a Keras layer is a cell: it does one step, and says how large its state is."""
    return (
        not isinstance(layer, keras.layers.RNN) and getattr(layer, "state_size", None) is not None
    )


def _refuse(network: Layer, layer: Layer) -> None:
    """ValueError for what would make the rule that moves the state another one than the cell's."""
    if isinstance(layer, keras.layers.Bidirectional):
        raise ValueError(
            f"{label(layer)} reads its inputs both ways, so no one state moves from step to step; "
            "give its forward_layer or its backward_layer's cell"
        )
    for other in network._flatten_layers():
        mask = isinstance(other, keras.layers.Masking) or getattr(other, "mask_zero", False) is True
        if mask and other is not layer:
            raise ValueError(
                f"{label(other)} masks time steps, at which the state is held; "
                f"give {label(layer)} itself to leave that out"
            )
    if getattr(layer, "stateful", False):
        raise ValueError(
            f"{label(layer)} is stateful, it begins where the last batch ended; "
            "set its stateful to False, or give its cell"
        )
    if getattr(layer, "go_backwards", False):
        raise ValueError(f"{label(layer)} reads its inputs backwards; give its cell")


def cell_of(layer: Layer) -> Layer:
    """The built cell of a recurrent layer, or the cell itself; ValueError if it cannot be used.

    It cannot if it is no Keras layer, has no weights yet or some that are not finite, or if its
    step is random.
    """
    cell = layer.cell if isinstance(layer, keras.layers.RNN) else layer
    if not isinstance(cell, keras.layers.Layer):
        raise ValueError(f"the cell {type(cell).__name__} is no keras.layers.Layer: make it one")
    if not cell.built:
        raise ValueError(f"{label(layer)} has no weights yet: call it on data, or build it, first")
    for part in cell._flatten_layers():
        for name in ("dropout", "recurrent_dropout", *_rate(part)):
            rate = getattr(part, name, 0.0)
            if isinstance(rate, (int, float)) and rate > 0:
                raise ValueError(
                    f"{label(part)} has {name} {rate:g}, which moves the state at random; "
                    f"set its {name} to 0 for the network as it predicts"
                )
    for weight in cell.weights:
        values = values_of(weight)
        if values.dtype.kind not in "iub" and not np.isfinite(values.astype(np.float64)).all():
            raise ValueError(f"weight '{weight.path}' of {label(layer)} is not finite")
    return cell


def _rate(layer: Layer) -> tuple[str, ...]:
    return ("rate",) if isinstance(layer, keras.layers.Dropout) else ()


def values_of(variable: Any) -> Array:
    """A variable's or a tensor's values."""
    values: Array = keras.ops.convert_to_tensor(variable).numpy()
    return values
