"""Arguments of Keras cells as fields of this package's cells."""

import operator
from collections.abc import Mapping
from typing import Any, get_args

from rnnstudy.cells import Cell, Initialiser
from rnnstudy.cells.base import Activation
from rnnstudy.core.errors import SettingError, suggestion
from rnnstudy.core.lazy_imports import keras

PREFIXES = {"kernel": "kernel", "recurrent_kernel": "recurrent", "bias": "bias"}
"""Weight -> prefix of Keras's arguments about it."""


def is_ours(initialiser: Any) -> bool:
    """Return whether an initialiser is one of this package, as an object or a mapping."""
    is_mapping = isinstance(initialiser, Mapping) and "kind" in initialiser
    return isinstance(initialiser, Initialiser) or is_mapping


def as_integer(units: Any) -> Any:
    """Convert NumPy's integers to int. Booleans and other values stay."""
    try:
        return units if isinstance(units, bool) else operator.index(units)
    except TypeError:
        return units


def activation_name(activation: Any) -> str:
    """Return the name of a Keras activation; ValueError if this package's cells lack it."""
    known = list(get_args(Activation))
    name = "linear" if activation is None else activation
    if callable(activation):
        name = keras.activations.serialize(activation)
    if name in known:
        return str(name)
    hint = suggestion(name, known) if isinstance(name, str) else ""
    raise ValueError(f"activation must be one of {', '.join(known)}, got {activation!r}{hint}")


def make_cell(name: str, wraps: type[Cell], fields: dict[str, Any]) -> Cell:
    """Return a cell of class `wraps`; ValueError, with the Keras cell's name, for a wrong field."""
    try:
        return wraps(**fields)
    except SettingError as error:
        first = error.validation.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        text = first["msg"][0].lower() + first["msg"][1:]
        raise ValueError(f"{name}: {field} is {first['input']!r}; {text}") from None


def pop_by_weight(ending: str, options: dict[str, Any]) -> dict[str, Any]:
    """Remove Keras's arguments with one ending from the options, and return them by weight."""
    values = {
        weight: options.pop(f"{prefix}_{ending}", None) for weight, prefix in PREFIXES.items()
    }
    return {weight: value for weight, value in values.items() if value is not None}


def refuse_absent_weights(name: str, cell: Cell, *arguments: Mapping[str, Any]) -> None:
    """Raise ValueError for arguments, by weight, about a weight that the cell does not have."""
    named = {weight for values in arguments for weight in values}
    absent = named - set(cell.weights(1)) if named else set()
    if absent:
        first = min(absent)
        raise ValueError(
            f"{name}: Keras arguments must be about weights of the cell, got {PREFIXES[first]}_*, "
            f"but it has no weight '{first}'. Its weights are {', '.join(cell.weights(1))}."
        )
