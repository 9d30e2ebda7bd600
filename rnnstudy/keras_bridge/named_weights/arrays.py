"""Nested containers of weights as one mapping of names to arrays."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array

CHECKPOINT_KEYS = ("state_dict", "model_state_dict", "model", "net", "network", "params")
"""Names under which checkpoints hold the weights, beside an optimiser and counters."""


def flatten_arrays(nested: Any) -> dict[str, Array]:
    """Return the arrays in nested mappings, lists and dataclasses by their dotted names.

    Arrays of PyTorch and JAX are copied to NumPy. Other leaves are omitted, and so are keys of
    JAX's random numbers and single whole numbers, which count something.
    """
    arrays: dict[str, Array] = {}
    for name, value in _leaves("", nested):
        values = _as_numpy(value)
        if values is not None:
            arrays[name] = values
    return arrays


def weights_of_checkpoint(nested: Any) -> Any:
    """Return the weights in a checkpoint, or in Flax's variables, without what lies beside them."""
    if isinstance(nested, Mapping):
        for key in CHECKPOINT_KEYS:
            if isinstance(nested.get(key), Mapping):
                return weights_of_checkpoint(nested[key])
    return nested


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        children = value.items()
    elif isinstance(value, list | tuple):
        children = {str(i): part for i, part in enumerate(value)}.items()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        children = vars(value).items()
    else:
        yield name, value
        return
    for key, part in children:
        inner = str(key).replace("/", ".")
        yield from _leaves(f"{name}.{inner}" if name else inner, part)


def _as_numpy(value: Any) -> Array | None:
    """Return an array of any library as a NumPy array; None for other objects."""
    if hasattr(value, "detach"):  # a tensor of PyTorch, perhaps on a device or in bfloat16
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        values: Array = value.numpy()
        return values
    if isinstance(value, np.generic) or not hasattr(value, "__array__"):
        return None
    if str(getattr(value, "dtype", "")).startswith("key<"):  # of jax.random, in Flax's modules
        return None
    values = np.asarray(value)
    if values.ndim == 0 and values.dtype.kind in "iu":
        return None
    return values.astype(np.float32) if values.dtype.name == "bfloat16" else values
