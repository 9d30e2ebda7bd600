"""Errors of checked values, located at a field."""

import difflib
from collections.abc import Collection, Iterable
from typing import Any, cast, get_args

from pydantic import (
    ValidationError,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema


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
