"""Copies of Keras layers in float64, from their configs, with the same weights."""

import threading
import types
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.recurrent_layers import array_of, label

Layer = Any

MAX_COPIES = 64
"""Largest number of shared copies. Networks of one kind share compiled programs through them."""


KERAS_LOCK = threading.RLock()
"""Lock of Keras's global type, which all threads share."""


@contextmanager
def float64_policy() -> Iterator[None]:
    """Set Keras's default type to float64."""
    with KERAS_LOCK:
        before = keras.config.floatx(), keras.config.dtype_policy()
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("float64")
        try:
            yield
        finally:
            keras.config.set_floatx(before[0])
            keras.config.set_dtype_policy(before[1])


def float64_copy(layer: Layer, shared: bool = False) -> Layer:
    """Return a copy of a built Keras layer, from its config, in float64 with the same weights.

    shared: layers of one kind may share one copy, which has the weights of the last of them. They
    then share compiled programs, which take weights as arguments. Raises ValueError if the layer
    cannot be copied.
    """
    with float64_policy(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns about every lambda that it serialises.
        try:
            config = _as_float64(keras.saving.serialize_keras_object(layer))
            key = _shared_key(layer, config) if shared else None
            copy = _COPIES.pop(key, None) or _read(layer, config)
        except Exception as error:  # A user's code may raise anything.
            raise ValueError(
                f"{label(layer)} must be rebuilt in float64 from its get_config, got: "
                f"{reason(error)}"
            ) from error
    _transfer(layer, copy)
    if key is not None:
        _COPIES[key] = copy
        while len(_COPIES) > MAX_COPIES:
            _COPIES.pop(next(iter(_COPIES)))
    return copy


_COPIES: dict[Any, Layer] = {}


def _shared_key(layer: Layer, config: Any) -> Any:
    """Return a key that is equal for layers of one kind; None for layers that cannot share.

    Layers with a user's functions cannot share, since these may close over changing values.
    """
    parts = layer._flatten_layers()
    functions = [f for part in parts for f in _functions(part).values()]
    if not all(f.__module__.startswith("keras.") for f in functions):
        return None
    return tuple(type(part) for part in parts), repr(_without("name", config))


def _without(name: str, config: Any) -> Any:
    """Return a serialised layer without one key, at any depth."""
    if isinstance(config, Mapping):
        return {key: _without(name, value) for key, value in config.items() if key != name}
    return [_without(name, c) for c in config] if isinstance(config, list | tuple) else config


def _read(layer: Layer, config: Any) -> Layer:
    names = _names_of(layer)
    unbuilt = _without("build_config", config)  # Before reading, which changes the config.

    def read(config: Any) -> Layer:
        copy = keras.saving.deserialize_keras_object(config, custom_objects=names, safe_mode=False)
        if not copy.built:
            copy.build_from_config(layer.get_build_config())
        return copy

    try:
        return read(config)
    except ValueError:  # A layer may build its parts itself, after Keras has built them.
        return read(unbuilt)


def _as_float64(config: Any) -> Any:
    """Return a serialised layer with float64 for each floating type, at any depth.

    Lambdas cannot be deserialised everywhere. A name stands in their place until `_transfer`.
    """
    if isinstance(config, list | tuple):
        return type(config)(_as_float64(part) for part in config)
    if not isinstance(config, Mapping):
        return config
    if config.get("class_name") == "__lambda__" or list(config) == ["value"]:
        return "linear"
    return {
        key: "float64" if key == "dtype" and _is_floating(value) else _as_float64(value)
        for key, value in config.items()
    }


def _is_floating(dtype: Any) -> bool:
    if isinstance(dtype, Mapping):
        return dtype.get("class_name") == "DTypePolicy"
    return isinstance(dtype, str) and dtype.startswith(("float", "bfloat", "mixed"))


def _names_of(layer: Layer) -> dict[str, Any]:
    """Return the classes and functions of a layer, by the names that its config may use."""
    objects: dict[str, Any] = {}
    for part in layer._flatten_layers():
        for value in (type(part), *_functions(part).values()):
            objects[value.__name__] = objects[keras.saving.get_registered_name(value)] = value
    return objects


def _functions(layer: Layer) -> dict[str, Any]:
    """Return the plain functions among a layer's attributes, such as an activation.

    Methods that Keras wraps in functions are omitted.
    """
    methods = dir(type(layer))
    return {
        name: value
        for name, value in vars(layer).items()
        if name not in methods and isinstance(value, types.FunctionType)
    }


def _transfer(layer: Layer, copy: Layer) -> None:
    """Give the copy the original's functions, of which lambdas are missing, and its weights."""
    for source, target in zip(layer._flatten_layers(), copy._flatten_layers(), strict=False):
        for name, function in _functions(source).items():
            if type(source) is type(target) and name in vars(target):
                setattr(target, name, function)
    shapes = [tuple(w.shape) for w in layer.weights], [tuple(w.shape) for w in copy.weights]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"weights of {label(layer)} rebuilt from its get_config must have the shapes "
            f"{shapes[0]}, got {shapes[1]}. Return all arguments of __init__ from get_config."
        )
    for weight, target in zip(layer.weights, copy.weights, strict=True):
        if str(target.dtype) in ("float32", "float16", "bfloat16"):
            raise ValueError(
                f"weight '{weight.path}' of {label(layer)} must be float64 in a float64 layer, got "
                f"{target.dtype}. Leave its dtype to the layer's policy."
            )
        target.assign(array_of(weight).astype(str(target.dtype)))


def reason(error: Exception) -> str:
    """Return the first line of an error, or its class.

    Keras's wrapper around it is removed, and the configuration that Keras adds.
    """
    text = str(error).split("Exception encountered:")[-1].split("Full object config:")[0]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
