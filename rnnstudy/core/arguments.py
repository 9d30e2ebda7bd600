"""Checks of arguments that users pass: arrays, numbers, levels, names, labels, objects.

Every check returns the checked value, or raises one sentence: the argument's name, what it must be,
what was received, and what to do. A value that does not fit is a ValueError, and an object of
another class is a TypeError. An unknown name comes with the nearest known one.
"""

from collections.abc import Collection, Hashable, Sequence
from math import isfinite
from typing import Any, TypeVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.errors import suggestion

T = TypeVar("T")

LONGEST_TEXT = 40
"""Largest number of characters of a value in a message."""


def summarise_value(value: Any) -> str:
    """Return a value as a short text for a message, or its class if it is long."""
    if isinstance(value, np.ndarray):
        return f"an array of type {value.dtype} and shape {value.shape}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    text = repr(value)
    is_short = len(text) <= LONGEST_TEXT and text.isprintable() and " at 0x" not in text
    return text if is_short else f"a {type(value).__name__}"


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


def check_whole(
    name: str, value: Any, least: int = 0, most: int | None = None, remedy: str = ""
) -> int:
    """Return a whole number from `least` to `most`; booleans and fractions are none."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(
            f"{name} must be a whole number {limits}, got {summarise_value(value)}."
            + (f" {remedy}" if remedy else "")
        )
    return int(value)


def check_number(
    name: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    remedy: str = "",
) -> float:
    """Return a finite number within limits; `above` is a limit that the number itself exceeds."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    number = float(value) if is_number and not isinstance(value, bool) else float("nan")
    fits = isfinite(number)
    fits = fits and (least is None or number >= least) and (above is None or number > above)
    if not fits or (most is not None and number > most):
        limits = [
            f"{word} {limit:g}"
            for word, limit in (("at least", least), ("above", above), ("at most", most))
            if limit is not None
        ]
        wanted = f"a finite number {' and '.join(limits)}".rstrip()
        raise ValueError(
            f"{name} must be {wanted}, got {summarise_value(value)}."
            + (f" {remedy}" if remedy else "")
        )
    return number


def check_level(name: str, value: Any) -> float:
    """Return a level of intervals or tests: a number between 0 and 1, both excluded."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool) or not 0.0 < value < 1.0:
        raise ValueError(
            f"{name} must be a number between 0 and 1, got {summarise_value(value)}. 95 % is 0.95."
        )
    return float(value)


def check_flag(name: str, value: Any) -> bool:
    """Return True or False; other values are none."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {summarise_value(value)}.")
    return bool(value)


def check_name(name: str, value: Any, known: Collection[str], noun: str = "name") -> str:
    """Return a known name; ValueError with the nearest known one for another."""
    if not isinstance(value, str):
        raise TypeError(
            f"{name} must be the {noun} as text, got {summarise_value(value)}. "
            f"Use one of {', '.join(known)}."
        )
    if value not in known:
        raise ValueError(
            f"{name} must be one of {', '.join(known)}, got {summarise_value(value)}"
            f"{suggestion(value, known)}"
        )
    return value


def check_instance(name: str, value: Any, kind: type[T], remedy: str) -> T:
    """Return an object of a class; TypeError for another."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, got {summarise_value(value)}. {remedy}")
    return value


def check_labels(name: str, values: Any) -> Sequence[Hashable]:
    """Return labels as a list; TypeError for one text and for labels that cannot be compared."""
    remedy = "Give one label for each item, in a list."
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name} must be a list of labels, got {summarise_value(values)}. {remedy}")
    labels = list(values)
    for label in labels:
        try:
            hash(label)
        except TypeError:
            raise TypeError(
                f"{name} must be texts or numbers, got {summarise_value(label)}. {remedy}"
            ) from None
    return labels
