"""Settings from the command line, `path.to.key=value`, written into a spec before it is checked."""

import re
from collections.abc import Iterable
from typing import Any

from rnnstudy.study.spec_text.document import (
    Document,
    Keys,
    SourceLocation,
    SpecError,
    SpecProblem,
    describe_value,
    dotted_path,
    quote_value,
)
from rnnstudy.study.spec_text.reader import parse_document

PATH = re.compile(r"[^.\[\]=\s]+(\.[^.\[\]=\s]+|\[[0-9]+\])*")
STEP = re.compile(r"[^.\[\]]+")


def apply_settings(document: Document, settings: Iterable[str]) -> Document:
    """Return the document with values replaced; SpecError if a setting cannot be read or placed.

    Values are YAML. List positions are numbers: `tasks.0.bits=2` or `tasks[0].bits=2`.
    """
    problems: list[SpecProblem] = []
    for number, setting in enumerate(settings, start=1):
        location = SourceLocation((number, 0, 0), f"--set {setting}")
        try:
            _apply(document, setting, location)
        except SpecError as error:
            problems += [SpecProblem(location, c.keys, c.sentence) for c in error.problems]
    if problems:
        raise SpecError(document.problems + problems)
    return document


def _apply(document: Document, setting: str, location: SourceLocation) -> None:
    path, equals, text = setting.partition("=")
    if not equals or not PATH.fullmatch(path):
        raise _located_error(location, "should read path.to.key=value, like training.steps=100")
    value = parse_document(text, setting, under=path) if text.strip() else None
    if value is not None and value.problems:
        raise SpecError(value.problems)
    data = None if value is None else value.data
    keys = _put(document, STEP.findall(path), data, location)
    _forget(document, keys)
    document.names[keys] = document.values[keys] = location


def _put(document: Document, steps: list[str], value: Any, location: SourceLocation) -> Keys:
    """Write a value at a path, with new mappings on the way, and return its keys."""
    if not isinstance(document.data, dict):
        raise _located_error(
            location, f"the spec is {describe_value(document.data)}, not a mapping"
        )
    holder: Any = document.data
    keys: Keys = ()
    for step in steps[:-1]:
        keys = (*keys, _key(holder, step, keys, location))
        if isinstance(holder, dict) and holder.get(keys[-1]) is None:
            holder[keys[-1]] = {}
            document.names[keys] = document.values[keys] = location
        holder = holder[keys[-1]]
    last = _key(holder, steps[-1], keys, location)
    holder[last] = value
    return (*keys, last)


def _key(holder: Any, step: str, keys: Keys, location: SourceLocation) -> str | int:
    """Return the step as a key of the mapping, or a position in the list, at `keys`."""
    label = dotted_path(keys) or "the spec"
    if isinstance(holder, dict):
        return step
    if not isinstance(holder, list):
        hint = f"; set {label} to a whole mapping first" if isinstance(holder, str) else ""
        raise _located_error(
            location, f"{label} is {quote_value(holder)} and has no key {step!r}{hint}"
        )
    if not re.fullmatch("[0-9]{1,9}", step) or int(step) >= len(holder):
        have = f"it has {len(holder)} values, counted from 0"
        raise _located_error(
            location, f"{label} is a list, {step!r} is not a position in it; {have}"
        )
    return int(step)


def _forget(document: Document, keys: Keys) -> None:
    """Remove places and problems of a value that a setting replaced."""
    for places in (document.names, document.values):
        for old in [old for old in places if old[: len(keys)] == keys]:
            del places[old]
    document.problems[:] = [c for c in document.problems if c.keys[: len(keys)] != keys]


def _located_error(location: SourceLocation, sentence: str) -> SpecError:
    return SpecError([SpecProblem(location, (), sentence)])
