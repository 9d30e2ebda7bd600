"""Checks of arrays that users pass: numbers, masks, matrices of distances."""

from typing import Any

import numpy as np

from rnnstudy.core.arguments.objects import summarise_value
from rnnstudy.core.arrays import Array


def as_real_array(name: str, values: Any, finite: bool = True) -> Array:
    """Return real numbers as an array of their own precision.

    Raises ValueError, with the argument's name, for text, booleans, complex numbers and lists of
    different lengths. With `finite`, it raises for infinite values and NaN too.
    """
    try:
        array = np.asarray(values)
    except Exception:  # Lists of different lengths; objects that refuse to be arrays.
        array = np.empty(1, object)
    if array.dtype.kind == "b":
        raise ValueError(
            f"{name} must be an array of real numbers, got booleans. Write 0.0 and 1.0."
        )
    if array.dtype.kind not in "iuf":
        raise ValueError(
            f"{name} must be an array of real numbers, got {summarise_value(values)}."
            " Pass lists of equal lengths, or an array."
        )
    if finite and not np.isfinite(array).all():
        count = int(np.count_nonzero(~np.isfinite(array)))
        raise ValueError(
            f"{name} must be finite, got {count} of {array.size} values that are not. "
            "Remove NaN and inf."
        )
    return array


def as_float_array(name: str, values: Any, finite: bool = True) -> Array:
    """Return real numbers as an array of float64, checked like `as_real_array`."""
    return as_real_array(name, values, finite).astype(np.float64)


def as_distances(values: Any, count: int | None = None) -> Array:
    """Return distances `[item, item]`, for `count` labels if it is known.

    Raises ValueError unless they are square, finite, 0 or more, symmetric and 0 on the diagonal,
    within rounding.
    """
    distances = as_real_array("distances", values, finite=False).astype(np.float64)
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1]:
        raise ValueError(
            f"distances must be square [item, item], got shape {list(distances.shape)}. "
            "Compute them by pairwise."
        )
    if count is not None and len(distances) != count:
        raise ValueError(
            f"distances must be [item, item] for {count} labels, got shape "
            f"{list(distances.shape)}. Give one label for each row."
        )
    if not np.isfinite(distances).all():
        raise ValueError("distances must be finite, got NaN or infinity. Leave these networks out.")
    rounding = 1e-9 * np.abs(distances).max(initial=0.0)
    if (distances < -rounding).any():
        raise ValueError(f"distances must be 0 or more, got {distances.min():g}. Check the metric.")
    if (np.abs(np.diag(distances)) > rounding).any():
        raise ValueError(
            f"distances must be 0 on the diagonal, got {np.abs(np.diag(distances)).max():g}. "
            "Pass distances, not similarities."
        )
    if (np.abs(distances - distances.T) > rounding).any():
        raise ValueError(
            "distances must be symmetric, got different values for two orders of a pair. "
            "Use the mean of both orders."
        )
    return distances


def as_mask(name: str, values: Any, shape: tuple[int, ...]) -> Array:
    """Return a mask of True and False; ValueError for other values or another shape."""
    mask = np.asarray(values)
    if mask.dtype != bool or mask.shape != shape:
        received = f"{mask.dtype} of shape {mask.shape}" if mask.ndim else summarise_value(values)
        raise ValueError(
            f"{name} must be True or False for each item, of shape {shape}, got {received}. "
            "Pass a comparison, such as values > 0."
        )
    return mask


def check_positions(name: str, indices: Any, count: int) -> Array:
    """Return positions on an axis of a length, as integers or as a mask; IndexError for others."""
    index = np.asarray(indices)
    index = index if index.size else index.astype(int)
    if index.dtype.kind not in "biu" or index.ndim != 1:
        raise IndexError(
            f"{name} must be chosen by whole numbers or a mask, got {summarise_value(indices)}. "
            "Pass a list of positions."
        )
    if index.dtype.kind == "b" and index.shape != (count,):
        raise IndexError(
            f"a mask of {name} must have {count} values, one for each, got {index.size}. "
            "Pass a list of positions."
        )
    beyond = index[(index < -count) | (index >= count)] if index.dtype.kind != "b" else index[:0]
    if beyond.size:
        raise IndexError(f"{name} must be 0 to {count - 1}, got {beyond[0]}. Choose one of these.")
    return index


def refuse_all_broken(name: str, states: Array) -> None:
    """Raise ValueError if none of the states `[..., state]` is finite.

    Some states that are not finite are outcomes. If all are, the call is a mistake.
    """
    if states.ndim and states.size and not np.isfinite(states).all(axis=-1).any():
        count = states.size // states.shape[-1]
        raise ValueError(
            f"{name} must have at least one finite state, got {count} of {count} with NaN or inf. "
            "Leave exploded states out."
        )
