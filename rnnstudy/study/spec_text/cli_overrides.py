"""Settings from the command line, `path.to.key=value`, written into a spec before it is checked."""

import re
from collections.abc import Iterable
from typing import Any

from rnnstudy.study.spec_text.document import (
    Complaint,
    Document,
    Keys,
    Place,
    SpecError,
    described,
    dotted,
    quoted,
)
from rnnstudy.study.spec_text.reader import parse_document

PATH = re.compile(r"[^.\[\]=\s]+(\.[^.\[\]=\s]+|\[[0-9]+\])*")
STEP = re.compile(r"[^.\[\]]+")


def apply_settings(document: Document, settings: Iterable[str]) -> Document:
    """The same document with values replaced; SpecError if a setting cannot be read or placed.

    Values are YAML. List positions are numbers: `tasks.0.bits=2` or `tasks[0].bits=2`.
    """
    found: list[Complaint] = []
    for number, setting in enumerate(settings, start=1):
        place = Place((number, 0, 0), f"--set {setting}")
        try:
            _apply(document, setting, place)
        except SpecError as error:
            found += [Complaint(place, c.keys, c.sentence) for c in error.complaints]
    if found:
        raise SpecError(document.complaints + found)
    return document


def _apply(document: Document, setting: str, place: Place) -> None:
    path, equals, text = setting.partition("=")
    if not equals or not PATH.fullmatch(path):
        raise _refused(place, "should read path.to.key=value, like training.steps=100")
    value = parse_document(text, setting, under=path) if text.strip() else None
    if value is not None and value.complaints:
        raise SpecError(value.complaints)
    data = None if value is None else value.data
    keys = _put(document, STEP.findall(path), data, place)
    _forget(document, keys)
    document.names[keys] = document.values[keys] = place


def _put(document: Document, steps: list[str], value: Any, place: Place) -> Keys:
    """Write a value at a path, with mappings on the way where there is nothing; its keys."""
    if not isinstance(document.data, dict):
        raise _refused(place, f"the spec is {described(document.data)}, not a mapping")
    holder: Any = document.data
    keys: Keys = ()
    for step in steps[:-1]:
        keys = (*keys, _key(holder, step, keys, place))
        if isinstance(holder, dict) and holder.get(keys[-1]) is None:
            holder[keys[-1]] = {}
            document.names[keys] = document.values[keys] = place
        holder = holder[keys[-1]]
    last = _key(holder, steps[-1], keys, place)
    holder[last] = value
    return (*keys, last)


def _key(holder: Any, step: str, keys: Keys, place: Place) -> str | int:
    """The step as a key of the mapping, or a position in the list, that `keys` lead to."""
    label = dotted(keys) or "the spec"
    if isinstance(holder, dict):
        return step
    if not isinstance(holder, list):
        hint = f"; set {label} to a whole mapping first" if isinstance(holder, str) else ""
        raise _refused(place, f"{label} is {quoted(holder)} and has no key {step!r}{hint}")
    if not re.fullmatch("[0-9]{1,9}", step) or int(step) >= len(holder):
        have = f"it has {len(holder)} values, counted from 0"
        raise _refused(place, f"{label} is a list, {step!r} is not a position in it; {have}")
    return int(step)


def _forget(document: Document, keys: Keys) -> None:
    """Drop what was known about a value that a setting replaced."""
    for places in (document.names, document.values):
        for old in [old for old in places if old[: len(keys)] == keys]:
            del places[old]
    document.complaints[:] = [c for c in document.complaints if c.keys[: len(keys)] != keys]


def _refused(place: Place, sentence: str) -> SpecError:
    return SpecError([Complaint(place, (), sentence)])
