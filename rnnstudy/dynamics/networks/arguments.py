"""Checks of arrays and constant inputs that users pass."""

from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.interface import Networks

LONGEST_TEXT = 40
"""Largest number of characters of a value in a message."""


def as_float_array(name: str, values: Any, finite: bool = True) -> Array:
    """Return an array of float64.

    Raises ValueError, with the argument's name, if the values are not real numbers. With `finite`,
    it raises for infinite values and NaN too.
    """
    try:
        array = np.asarray(values)
        is_real = array.dtype.kind in "biuf"
    except (TypeError, ValueError):  # Lists of different lengths.
        is_real = False
    if not is_real:
        raise ValueError(f"{name} must be an array of real numbers, got {_summary(values)}")
    if finite and not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got values that are not. Remove NaN and inf.")
    return array.astype(np.float64)


def _summary(values: Any) -> str:
    if isinstance(values, np.ndarray):
        return f"type {values.dtype}"
    text = repr(values)
    is_short = len(text) <= LONGEST_TEXT and "\n" not in text
    return text if is_short else f"a {type(values).__name__}"


def constant_inputs(networks: Networks, values: Any) -> Array:
    """Return constant inputs `[input point, input]`; None stands for one point, zeros."""
    if values is None:
        return np.zeros((1, networks.inputs))
    inputs = as_float_array("inputs", values)
    if inputs.ndim != 2 or inputs.shape[1] != networks.inputs or not len(inputs):
        raise ValueError(
            f"inputs must be [input point, {networks.inputs}], got shape {inputs.shape}. "
            "Give one row per constant input."
        )
    return inputs
