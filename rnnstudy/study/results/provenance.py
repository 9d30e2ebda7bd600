"""Provenance of a run: what `provenance.json` says about its last execution."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rnnstudy.core.arguments import summarise_value
from rnnstudy.core.files import parse_json, read_file
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.failures import Failure

PROVENANCE = "provenance.json"
"""File in a run directory."""

PROVENANCE_LIMIT = 1 << 28
"""Largest number of bytes of a provenance that is read."""


def provenance(directory: str | Path) -> dict[str, Any]:
    """Return the provenance of the last execution in a run directory; empty if there is none.

    Parameters
    ----------
    directory
        The run directory.

    Raises
    ------
    RunError
        A part of it has another shape than `rnnstudy run` writes.
    """
    path = Path(directory) / PROVENANCE
    try:
        data = parse_json(read_file(path, PROVENANCE_LIMIT))
    except (OSError, ValueError):
        return {}
    if not isinstance(data, dict):
        return {}
    for name, (is_right, words) in SHAPES.items():
        if name in data and not is_right(data[name]):
            raise RunError(
                f"{path}: '{name}' must be {words}, got {summarise_value(data[name])}. Remove the "
                "file and run the study again"
            )
    return data


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_failures(value: object) -> bool:
    """Return whether a value lists failed jobs. An earlier version wrote label -> reason."""
    if isinstance(value, Mapping):
        return all(isinstance(reason, str) for reason in value.values())
    return isinstance(value, list) and all(map(_is_failure, value))


def _is_failure(value: object) -> bool:
    if not isinstance(value, dict) or {*value} - {*Failure._fields}:
        return False
    texts = {"scope": "", **value}
    members = texts.pop("members", None)
    return (
        {*texts, "members"} == {*Failure._fields}
        and all(isinstance(text, str) for text in texts.values())
        and _is_texts(members)
    )


SHAPES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "failures": (_is_failures, "a list of failed jobs"),
    "command": (_is_texts, "a list of words"),
    "devices": (_is_texts, "a list of names"),
    "versions": (lambda value: isinstance(value, dict), "an object"),
}
"""Part of a provenance -> check of its shape, and the shape in words."""
