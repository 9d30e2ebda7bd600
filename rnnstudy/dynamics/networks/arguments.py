"""Checks of constant inputs that users pass."""

from typing import Any

import numpy as np

from rnnstudy.core.arguments import as_float_array
from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.networks.interface import Networks


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
