"""Plain data that remembers where in a text each key and value stands, and what is wrong there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

Keys = tuple[str | int, ...]


class Place(NamedTuple):
    """Where something stands, in an order that follows the file; `text` is what is shown."""

    order: tuple[int, int, int]
    text: str


class Complaint(NamedTuple):
    """One mistake: where it stands, the keys that lead to it, and a sentence."""

    place: Place
    keys: Keys
    sentence: str

    def __str__(self) -> str:
        return f"{self.place.text}: {self.sentence}"


class SpecError(Exception):
    """The spec is wrong: `complaints` are all its mistakes, in the order of the file."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(sorted(complaints, key=lambda complaint: complaint.place.order))
        super().__init__("\n".join(str(complaint) for complaint in self.complaints))


@dataclass(eq=False)
class Document:
    """Plain data (dicts, lists, text, numbers, truth values, None), with the place of each part."""

    source: str
    data: Any = None
    folder: Path = Path()
    """Where files that the text names are looked for."""
    names: dict[Keys, Place] = field(default_factory=dict)
    """Where the key stands that leads to a value."""
    values: dict[Keys, Place] = field(default_factory=dict)
    """Where the value stands."""
    complaints: list[Complaint] = field(default_factory=list)
    """What is wrong with the text itself although the rest of it could be read."""

    def place(self, keys: Keys, of_name: bool = False) -> Place:
        """Where a value stands (or its key), or else the nearest thing around it."""
        if of_name and keys in self.names:
            return self.names[keys]
        while keys and keys not in self.values:
            keys = keys[:-1]
        return self.values.get(keys, Place((0, 0, 0), self.source))


def document_of(data: Any, source: str) -> Document:
    """Plain data that was never text: every part stands at `source`."""
    document = Document(source, _copied(data))
    document.values[()] = Place((0, 0, 0), source)
    return document


def _copied(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _copied(part) for key, part in data.items()}
    return [_copied(part) for part in data] if isinstance(data, list | tuple) else data


def dotted(keys: Keys) -> str:
    """How messages write a path: `networks.cells[2]`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".")


def shortened(text: str) -> str:
    """Text that fits into a message, quoted."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def quoted(value: Any) -> str:
    """What came, shortly: `'abc'`, `3`, `a list`."""
    return shortened(value) if isinstance(value, str) else described(value).partition(",")[0]


def described(value: Any) -> str:
    """What came, in words: `'abc', a text`, `3, an integer`, `a list`."""
    if value is None:
        return "empty (null)"
    if isinstance(value, bool):
        return f"{str(value).lower()}, a truth value"
    if isinstance(value, int):
        return f"{value}, an integer"
    if isinstance(value, float):
        return f"{value!r}, a number"
    if isinstance(value, str):
        return f"{shortened(value)}, a text"
    kind = "mapping" if isinstance(value, Mapping) else "list"
    return f"a {kind}" if value else f"an empty {kind}"
