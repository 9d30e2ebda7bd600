"""Checks of objects, names and labels that users pass, and values as text for messages."""

from collections.abc import Collection, Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

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
        article = "an" if kind.__name__[0] in "AEIO" else "a"
        noun = "text" if kind is str else f"{article} {kind.__name__}"
        raise TypeError(f"{name} must be {noun}, got {summarise_value(value)}. {remedy}")
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


def check_path(name: str, value: Any) -> Path:
    """Return a path; TypeError for other objects, ValueError for an empty text."""
    if not isinstance(value, str | Path):
        raise TypeError(
            f"{name} must be a path as text or pathlib.Path, got {summarise_value(value)}. "
            "Pass 'folder/name'."
        )
    if not str(value):
        raise ValueError(f"{name} must be a path, got an empty text. Pass '.' for this folder.")
    return Path(value)
