"""Plain data with the location of each key and value in a text, and the errors of the text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rnnstudy.core.errors import printable

Keys = tuple[str | int, ...]


class SourceLocation(NamedTuple):
    """Location in a text: its order in the file, and its text for messages."""

    order: tuple[int, int, int]
    text: str


class SpecProblem(NamedTuple):
    """Error of a spec: its location, the keys that lead to it, and a sentence."""

    location: SourceLocation
    keys: Keys
    sentence: str

    def __str__(self) -> str:
        return printable(f"{self.location.text}: {self.sentence}")


class SpecError(Exception):
    """Error of a spec. `problems` are all its errors, in the order of the file.

    Examples
    --------
    >>> from rnnstudy import SpecError
    >>> from rnnstudy.study.spec_text.reader import parse_document
    >>> try:
    ...     parse_document("study: [a", "a.yaml")
    ... except SpecError as error:
    ...     len(error.problems)
    1
    """

    def __init__(self, problems: Sequence[SpecProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.location.order))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(eq=False)
class Document:
    """Plain data (dicts, lists, text, numbers, truth values, None) with locations of its parts."""

    source: str
    data: Any = None
    folder: Path = Path()
    """Folder of the files that the text names."""
    names: dict[Keys, SourceLocation] = field(default_factory=dict)
    """Locations of keys."""
    values: dict[Keys, SourceLocation] = field(default_factory=dict)
    """Locations of values."""
    problems: list[SpecProblem] = field(default_factory=list)
    """Errors of the text itself. The rest of it could be read."""

    def location(self, keys: Keys, of_name: bool = False) -> SourceLocation:
        """Return the location of a value or of its key, or of the nearest part around it."""
        if of_name and keys in self.names:
            return self.names[keys]
        while keys and keys not in self.values:
            keys = keys[:-1]
        return self.values.get(keys, SourceLocation((0, 0, 0), self.source))


def document_of(data: Any, source: str) -> Document:
    """Return plain data as a document. All parts have the location `source`."""
    document = Document(source, _copy(data))
    document.values[()] = SourceLocation((0, 0, 0), source)
    return document


def _copy(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _copy(part) for key, part in data.items()}
    return [_copy(part) for part in data] if isinstance(data, list | tuple) else data


def dotted_path(keys: Keys) -> str:
    """Return a path as text: `networks.cells[2]`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".")


def quote_text(text: str) -> str:
    """Return quoted text that fits into a message."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def quote_value(value: Any) -> str:
    """Return a value in short: `'abc'`, `3`, `a list`."""
    return quote_text(value) if isinstance(value, str) else describe_value(value).partition(",")[0]


def describe_value(value: Any) -> str:
    """Return a value with its type: `'abc', a text`, `3, an integer`, `a list`."""
    if value is None:
        return "empty (null)"
    if isinstance(value, bool):
        return f"{str(value).lower()}, a truth value"
    if isinstance(value, int):
        return f"{value}, an integer"
    if isinstance(value, float):
        return f"{value!r}, a number"
    if isinstance(value, str):
        return f"{quote_text(value)}, a text"
    kind = "mapping" if isinstance(value, Mapping) else "list"
    return f"a {kind}" if value else f"an empty {kind}"
