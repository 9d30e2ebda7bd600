"""From pydantic's errors to sentences: where, what came, what is allowed, what next."""

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ErrorType

from rnnstudy.core.errors import BOUNDS, allowed_values, suggestion
from rnnstudy.study.spec_text.document import (
    Document,
    Keys,
    SpecProblem,
    describe_value,
    dotted_path,
    quote_value,
)

ABOUT_KEYS = {"axis_set", "elsewhere", "lacks_field", "unknown_key"}
"""Errors of a key, not of its value."""


def spec_problems(error: ValidationError, document: Document) -> list[SpecProblem]:
    """Return all errors of a document, each with its location in the text.

    A value that fits none of several alternatives is one error that names them all.
    """
    by_keys: dict[Keys, list[ErrorDetails]] = {}
    for each in error.errors(include_url=False):
        by_keys.setdefault(keys_of(each, document.data), []).append(each)
    return [_problem(keys, errors, document) for keys, errors in by_keys.items()]


def keys_of(error: ErrorDetails, data: Any) -> Keys:
    """Return the path in the document: pydantic's location without the names of alternatives."""
    keys: list[str | int] = []
    last = len(error["loc"]) - 1
    for position, step in enumerate(error["loc"]):
        inside = _inside(data, step)
        if inside is not None:
            keys.append(step)
            data = inside[0]
        elif position == last and error["type"] in ("missing", "nothing_asked", "unknown_key"):
            keys.append(step)
    if error["type"] in ("former_kind", "unknown_kind", "outside_class") and isinstance(
        data, Mapping
    ):
        keys.append("kind")
    return tuple(keys)


def _inside(data: Any, step: str | int) -> tuple[Any] | None:
    """Return the part of plain data one step further, or None."""
    if isinstance(data, Mapping) and step in data:
        return (data[step],)
    if isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data):
        return (data[step],)
    return None


def _problem(keys: Keys, errors: list[ErrorDetails], document: Document) -> SpecProblem:
    first = errors[0]
    location = document.location(keys, of_name=first["type"] in ABOUT_KEYS)
    alternatives = [allowed_values(error) for error in errors]
    label = dotted_path(keys) or "the spec"
    if all(alternatives):
        allowed = " or ".join(dict.fromkeys(a for a in alternatives if a))
        of_its_type = all(error["type"] in BOUNDS for error in errors)
        received = (quote_value if of_its_type else describe_value)(_value(first, keys, document))
        return SpecProblem(location, keys, f"{label} is {received}; it should be {allowed}")
    return SpecProblem(location, keys, f"{label} {_sentence(first, keys, document)}")


def _value(error: ErrorDetails, keys: Keys, document: Document) -> Any:
    """Return the value in the document, or that of the error if the path leads nowhere."""
    data = document.data
    for step in keys:
        inside = _inside(data, step)
        if inside is None:
            return error["input"]
        data = inside[0]
    return data


def _sentence(error: ErrorDetails, keys: Keys, document: Document) -> str:
    value = _value(error, keys, document)
    if error["type"] in SENTENCES:
        return SENTENCES[error["type"]](error.get("ctx", {}), value)
    if error["type"] == "outside_class":
        return f"is {error['msg'].replace(chr(39) + ' ', chr(39) + ', which ', 1)}"
    if error["type"] in PYDANTICS_OWN:
        return f"is {describe_value(value)}: {error['msg'][:1].lower()}{error['msg'][1:]}"
    return error["msg"]


def _literal(context: Mapping[str, Any], value: Any) -> str:
    known = sorted(re.split(", | or ", context["expected"].replace("'", "")))
    hint = suggestion(value, known) if isinstance(value, str) else ""
    return f"is {quote_value(value)}; known: {', '.join(known)}{hint}"


def _kind(context: Mapping[str, Any], value: Any) -> str:
    nouns = plural(context["noun"])
    return f"is {quote_value(value)}; known {nouns}: {context['known']}{context['hint']}"


def _entry(context: Mapping[str, Any], value: Any) -> str:
    allowed = f"the name of {article(context['noun'])} or a mapping with the key 'kind'"
    return f"is {describe_value(value)}; it should be {allowed}"


def _whole(value: Any) -> str:
    return "inconsistent" if isinstance(value, Mapping | list) else quote_value(value)


def article(noun: str) -> str:
    """Return a noun with its article: `a task`, `an analysis`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def plural(noun: str) -> str:
    """Return the plural of a noun: `tasks`, `analyses`."""
    return f"{noun[:-2]}es" if noun.endswith("sis") else f"{noun}s"


PYDANTICS_OWN = frozenset(get_args(ErrorType))

Sentence = Callable[[Mapping[str, Any], Any], str]

SENTENCES: dict[str, Sentence] = {
    "entry_kind_missing": lambda c, _: (
        f"needs the key 'kind'; known {plural(c['noun'])}: {c['known']}"
    ),
    "entry_type": _entry,
    "finite_number": lambda _, value: f"is {value}; numbers here are finite",
    "literal_error": _literal,
    "missing": lambda _, __: "is missing",
    "model_entry": lambda _, value: (
        f"is {describe_value(value)}; it should be the name of a file or a mapping with 'file'"
    ),
    "unknown_kind": _kind,
    "value_error": lambda c, value: f"is {_whole(value)}: {c['error']}",
}
