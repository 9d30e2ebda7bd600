"""Errors of checked values, located at the field concerned."""

import difflib
from collections.abc import Collection, Iterable
from typing import Any, cast, get_args

from pydantic import (
    ValidationError,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema


def raised_again(error: ErrorDetails, loc: tuple[str | int, ...] = ()) -> InitErrorDetails:
    """An error that was caught, ready to be raised again below a location."""
    kind: str | PydanticCustomError = error["type"]
    if kind not in _PYDANTICS:
        kind = PydanticCustomError(error["type"], error["msg"], error.get("ctx"))
    context = error.get("ctx", {})
    return InitErrorDetails(type=kind, loc=(*loc, *error["loc"]), input=error["input"], ctx=context)


_PYDANTICS = set(get_args(core_schema.ErrorType))


def refused(title: str, errors: Iterable[InitErrorDetails]) -> ValidationError:
    """Errors at places inside a value, as a validator raises them."""
    return ValidationError.from_exception_data(title, list(errors))


def mistake(
    kind: str, message: str, loc: tuple[str | int, ...] = (), came: Any = None
) -> InitErrorDetails:
    """An error of our own somewhere inside the value that is being checked."""
    # Pydantic fills in {names}, and a message that quotes what came may hold braces of its own.
    error = PydanticCustomError(cast(Any, kind), "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=loc, input=came)


def unknown_key(
    key: str, known: Collection[str], came: Any = None, loc: tuple[str | int, ...] = ()
) -> InitErrorDetails:
    """The error that a key, below a location, is not one of the known ones."""
    context = {"known": ", ".join(known), "hint": suggestion(key, known)}
    message = "is not a known key; known keys: {known}{hint}"
    kind = PydanticCustomError("unknown_key", message, context)
    return InitErrorDetails(type=kind, loc=(*loc, key), input=came)


def suggestion(word: str, known: Collection[str]) -> str:
    """`; did you mean 'gru'?` for a near miss of a known word, else nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
