"""Keras layers of any make, rebuilt from their configs in float64 with the same weights."""

import threading
import types
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rnnstudy.core.lazy_imports import keras
from rnnstudy.keras_bridge.recurrent_layers import label, values_of

Layer = Any

MAX_COPIES = 64
"""Copies kept, so that networks of one make share compiled programs."""


KERAS_LOCK = threading.RLock()
"""Keras's type is one for all threads: who depends on it holds this."""


@contextmanager
def float64_policy() -> Iterator[None]:
    """Within it, whatever of Keras's that is not told a type is float64."""
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
    """A copy of a built Keras layer, from its config, in float64 with the same weights.

    shared: layers of one make may get one copy, which has the weights of the last, so that they
    share compiled programs to which weights are given. ValueError if a copy cannot be had.
    """
    with float64_policy(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of every lambda that it writes down.
        try:
            config = _typed(keras.saving.serialize_keras_object(layer))
            key = _make(layer, config) if shared else None
            twin = _TWINS.pop(key, None) or _read(layer, config)
        except Exception as error:  # anybody's code may raise anything
            raise ValueError(
                f"{label(layer)} cannot be rebuilt in float64 from its get_config: {reason(error)}"
            ) from error
    _hand_over(layer, twin)
    if key is not None:
        _TWINS[key] = twin
        while len(_TWINS) > MAX_COPIES:
            _TWINS.pop(next(iter(_TWINS)))
    return twin


_TWINS: dict[Any, Layer] = {}


def _make(layer: Layer, config: Any) -> Any:
    """What layers have in common that are copied alike; None if that cannot be told.

    It cannot with functions of the user's: what they close over may change.
    """
    parts = layer._flatten_layers()
    functions = [f for part in parts for f in _functions(part).values()]
    if not all(f.__module__.startswith("keras.") for f in functions):
        return None
    return tuple(type(part) for part in parts), repr(_without("name", config))


def _without(name: str, config: Any) -> Any:
    """A serialised layer without one key, at any depth."""
    if isinstance(config, Mapping):
        return {key: _without(name, value) for key, value in config.items() if key != name}
    return [_without(name, c) for c in config] if isinstance(config, list | tuple) else config


def _read(layer: Layer, config: Any) -> Layer:
    names = _names_of(layer)
    unbuilt = _without("build_config", config)  # made first, since reading uses a config up

    def read(config: Any) -> Layer:
        twin = keras.saving.deserialize_keras_object(config, custom_objects=names, safe_mode=False)
        if not twin.built:
            twin.build_from_config(layer.get_build_config())
        return twin

    try:
        return read(config)
    except ValueError:  # a layer may build its parts itself, which Keras has done by then
        return read(unbuilt)


def _typed(config: Any) -> Any:
    """A serialised layer, with float64 for each floating type that it names, at any depth.

    Lambdas, which cannot be read back everywhere, give way to a name that can, to be replaced.
    """
    if isinstance(config, list | tuple):
        return type(config)(_typed(part) for part in config)
    if not isinstance(config, Mapping):
        return config
    if config.get("class_name") == "__lambda__" or list(config) == ["value"]:
        return "linear"
    return {
        key: "float64" if key == "dtype" and _is_floating(value) else _typed(value)
        for key, value in config.items()
    }


def _is_floating(dtype: Any) -> bool:
    if isinstance(dtype, Mapping):
        return dtype.get("class_name") == "DTypePolicy"
    return isinstance(dtype, str) and dtype.startswith(("float", "bfloat", "mixed"))


def _names_of(layer: Layer) -> dict[str, Any]:
    """The classes and functions that a layer is made of, by the names that its config may use."""
    found: dict[str, Any] = {}
    for part in layer._flatten_layers():
        for value in (type(part), *_functions(part).values()):
            found[value.__name__] = found[keras.saving.get_registered_name(value)] = value
    return found


def _functions(layer: Layer) -> dict[str, Any]:
    """The plain functions among a layer's attributes, such as an activation; Keras wraps methods
    of some names in functions, which are left out."""
    methods = dir(type(layer))
    own = {name: value for name, value in vars(layer).items() if name not in methods}
    return {name: value for name, value in own.items() if isinstance(value, types.FunctionType)}


def _hand_over(layer: Layer, twin: Layer) -> None:
    """Give the copy the original's functions, of which lambdas are lost on the way, and weights."""
    for mine, its in zip(layer._flatten_layers(), twin._flatten_layers(), strict=False):
        for name, function in _functions(mine).items():
            if type(mine) is type(its) and name in vars(its):
                setattr(its, name, function)
    shapes = [tuple(w.shape) for w in layer.weights], [tuple(w.shape) for w in twin.weights]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"{label(layer)} cannot be rebuilt from its get_config: its weights have the shapes "
            f"{shapes[0]}, the copy's {shapes[1]}"
        )
    for weight, own in zip(layer.weights, twin.weights, strict=True):
        if str(own.dtype) in ("float32", "float16", "bfloat16"):
            raise ValueError(
                f"weight '{weight.path}' of {label(layer)} stays {own.dtype} in a float64 layer: "
                "leave its dtype to the layer's policy"
            )
        own.assign(values_of(weight).astype(str(own.dtype)))


def reason(error: Exception) -> str:
    """The first line of an error, or its class; of one that Keras passes on, the inner one's."""
    text = str(error).split("Exception encountered:")[-1]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
