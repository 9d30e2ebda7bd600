"""What is given beside a network: arrays of numbers, or one sentence that says why not."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.adapters import Networks


def as_float_array(name: str, given: Any, finite: bool = True) -> Array:
    """An array of float64; ValueError if it is none, or has values that are not finite."""
    try:
        found = np.asarray(given)
        real = found.dtype.kind in "biuf"
    except (TypeError, ValueError):  # lists of different lengths
        real = False
    if not real:
        raise ValueError(f"{name} should be an array of real numbers, it is {_short(given)}")
    if finite and not np.isfinite(found).all():
        raise ValueError(f"{name} has values that are not finite")
    return found.astype(np.float64)


def _short(given: Any) -> str:
    if isinstance(given, np.ndarray):
        return f"of type {given.dtype}"
    text = repr(given)
    return text if len(text) <= 40 and "\n" not in text else f"a {type(given).__name__}"


def constant_inputs(networks: Networks, given: Any) -> Array:
    """Inputs [input point, input] at which networks are held; None: one point, zeros."""
    if given is None:
        return np.zeros((1, networks.inputs))
    held = as_float_array("inputs", given)
    if held.ndim != 2 or held.shape[1] != networks.inputs or not len(held):
        raise ValueError(
            f"inputs should be [input point, {networks.inputs}], their shape is {held.shape}"
        )
    return held
