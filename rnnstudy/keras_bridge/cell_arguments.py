"""What Keras's users give a cell as arguments, as the fields of a cell of ours."""

import operator
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ValidationError

from rnnstudy.cells import Cell, Initialiser
from rnnstudy.cells.base import Activation
from rnnstudy.core.errors import suggestion
from rnnstudy.core.lazy_imports import keras

PREFIXES = {"kernel": "kernel", "recurrent_kernel": "recurrent", "bias": "bias"}
"""How Keras begins the names of the arguments that concern a weight."""


def is_ours(given: Any) -> bool:
    """Whether an initialiser is one of ours, as an object or as a mapping with its `kind`."""
    return isinstance(given, Initialiser) or (isinstance(given, Mapping) and "kind" in given)


def as_integer(units: Any) -> Any:
    """NumPy's integers count as integers here, booleans do not."""
    try:
        return units if isinstance(units, bool) else operator.index(units)
    except TypeError:
        return units


def activation_name(given: Any) -> str:
    """The name of an activation, given as in Keras; ValueError if cells of ours have none such."""
    known = list(get_args(Activation))
    name = "linear" if given is None else given
    if callable(given):
        name = keras.activations.serialize(given)
    if name in known:
        return str(name)
    hint = suggestion(name, known) if isinstance(name, str) else ""
    raise ValueError(f"activation is {given!r}; known activations: {', '.join(known)}{hint}")


def make_cell(name: str, wraps: type[Cell], fields: dict[str, Any]) -> Cell:
    """A cell of ours; ValueError, with the name of the Keras cell, if a field of it is wrong."""
    try:
        return wraps(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        text = first["msg"][0].lower() + first["msg"][1:]
        raise ValueError(f"{name}: {where} is {first['input']!r}; {text}") from None


def pop_by_weight(ending: str, options: dict[str, Any]) -> dict[str, Any]:
    """Take Keras's arguments of one ending out of the options, by weight."""
    given = {weight: options.pop(f"{prefix}_{ending}", None) for weight, prefix in PREFIXES.items()}
    return {weight: value for weight, value in given.items() if value is not None}
