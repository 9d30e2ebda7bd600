"""Errors of checked values, located at a field, their sentences, and text for messages."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast, get_args

from pydantic import (
    ValidationError,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "float_type": "a number",
    "frozen_set_type": "a list",
    "int_from_float": "an integer",
    "int_type": "an integer",
    "list_type": "a list",
    "mapping_type": "a mapping",
    "model_attributes_type": "a mapping",
    "model_type": "a mapping",
    "none_required": "empty (null)",
    "set_type": "a list",
    "string_type": "a text",
    "tuple_type": "a list",
}
"""Error of a wrong type -> values that the field takes."""

BOUNDS = {
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_pattern_mismatch": "a text that matches {pattern}",
    "string_too_long": "at most {max_length} characters long",
    "string_too_short": "at least {min_length} characters long",
    "too_long": "a list of at most {max_length}",
    "too_short": "a list of at least {min_length}",
}
"""Error of a value out of range -> values that the field takes."""


def reraise_below(error: ErrorDetails, loc: tuple[str | int, ...] = ()) -> InitErrorDetails:
    """Return a caught error for raising it again below a location."""
    kind: str | PydanticCustomError = error["type"]
    if kind not in _PYDANTICS:
        kind = PydanticCustomError(error["type"], error["msg"], error.get("ctx"))
    context = error.get("ctx", {})
    return InitErrorDetails(type=kind, loc=(*loc, *error["loc"]), input=error["input"], ctx=context)


_PYDANTICS = set(get_args(core_schema.ErrorType))


def validation_error(title: str, errors: Iterable[InitErrorDetails]) -> ValidationError:
    """Return an exception of errors at locations inside a value, for a validator."""
    return ValidationError.from_exception_data(title, list(errors))


def spec_error(
    kind: str, message: str, loc: tuple[str | int, ...] = (), received: Any = None
) -> InitErrorDetails:
    """Return an error with a message at a location inside the value that is checked."""
    # Pydantic fills in {names}, and a message that quotes a value may hold braces of its own.
    error = PydanticCustomError(cast(Any, kind), "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=loc, input=received)


def unknown_key(
    key: str, known: Collection[str], received: Any = None, loc: tuple[str | int, ...] = ()
) -> InitErrorDetails:
    """Return the error of an unknown key below a location."""
    context = {"known": ", ".join(known), "hint": suggestion(key, known)}
    message = "is not a known key; known keys: {known}{hint}"
    kind = PydanticCustomError("unknown_key", message, context)
    return InitErrorDetails(type=kind, loc=(*loc, key), input=received)


def suggestion(word: str, known: Collection[str]) -> str:
    """Return `; did you mean 'gru'?` for a word close to a known one, else an empty text."""
    matches = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{matches[0]}'?" if matches else ""


class SettingError(ValueError):
    """Fields of a component that are unknown or do not fit, in one sentence for each field.

    Attributes
    ----------
    validation : pydantic.ValidationError
        The same errors, with the path of each.
    """

    def __init__(self, title: str, fields: Mapping[str, Any], validation: ValidationError) -> None:
        super().__init__("; ".join(_sentences(title, fields, validation)))
        self.validation = validation


def _sentences(title: str, fields: Mapping[str, Any], error: ValidationError) -> list[str]:
    """Return a sentence for each field; alternatives of one field are one sentence."""
    by_path: dict[str, list[ErrorDetails]] = {}
    for each in error.errors(include_url=False):
        by_path.setdefault(_path(each["loc"], fields), []).append(each)
    return [_sentence(f"{title}{path}", errors) for path, errors in by_path.items()]


def _path(loc: tuple[str | int, ...], data: Any) -> str:
    """Return the part of a location that exists in the data: `.cells[2]`."""
    path = ""
    for position, step in enumerate(loc):
        is_index = isinstance(step, int) and isinstance(data, list | tuple) and step < len(data)
        if is_index or (isinstance(data, Mapping) and step in data):
            data = data[step]
        elif position:
            continue
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path


def _sentence(name: str, errors: list[ErrorDetails]) -> str:
    first = errors[0]
    allowed = [allowed_values(each) for each in errors]
    if all(allowed):
        alternatives = " or ".join(dict.fromkeys(each for each in allowed if each))
        return f"{name} must be {alternatives}, got {_shorten(first['input'])}"
    if first["type"] == "missing":
        return f"{name} must be given, got nothing"
    if first["type"] == "finite_number":
        return f"{name} must be a finite number, got {first['input']}"
    if first["type"] == "literal_error":
        words = first["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        hint = suggestion(first["input"], words) if isinstance(first["input"], str) else ""
        return f"{name} must be one of {', '.join(words)}, got {_shorten(first['input'])}{hint}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{name} {message}" if message.startswith("is ") else f"{name}: {message}"


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 and text.isprintable() else f"a {type(value).__name__}"


def allowed_values(error: ErrorDetails) -> str | None:
    """Return the values that a field takes as a phrase; None if there is no single phrase."""
    if error["type"] in EXPECTED:
        return EXPECTED[error["type"]]
    if error["type"] in BOUNDS:
        limits = {name: _number(limit) for name, limit in error["ctx"].items()}
        return BOUNDS[error["type"]].format(**limits)
    return None


def _number(limit: Any) -> Any:
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def printable(text: str) -> str:
    r"""Return a text on one line, with control characters as Python escapes them.

    Parameters
    ----------
    text
        Any text, also with parts of a path that are no UTF-8.

    Returns
    -------
    str
        The text with escapes for characters that move the cursor, change colours, reorder letters
        or look like a space.

    Examples
    --------
    >>> from rnnstudy.core.errors import printable
    >>> printable("a\x1b[2J")
    'a\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
