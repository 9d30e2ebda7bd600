"""From YAML text to plain data that remembers where each key and value stands."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

Keys = tuple[str | int, ...]

SIZE_LIMIT = 1 << 20
DEPTH_LIMIT = 50
NODE_LIMIT = 100_000

NULLS = {"", "~", "null", "Null", "NULL"}
TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


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


def read_document(path: str | Path) -> Document:
    """The document in a file; SpecError if it cannot be read at all."""
    document = Document(str(path))
    try:
        raw = _bytes_of(Path(path))
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The offset counts from the start of the file, byte-order mark included.
        at = error.start + len(raw) - len(error.object)
        reason = f"is not UTF-8 text: byte {raw[at]:#04x} at offset {at}; save it as UTF-8"
        raise SpecError([_about_file(document, reason)]) from error
    except (OSError, ValueError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise SpecError([_about_file(document, _file_trouble(error, reason))]) from error
    return parse_document(text, str(path))


def _bytes_of(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(SIZE_LIMIT + 1)
    if len(raw) > SIZE_LIMIT:
        raise ValueError(f"is larger than {SIZE_LIMIT >> 20} MiB, too large for a spec")
    return raw


def _file_trouble(error: Exception, reason: str) -> str:
    known: dict[type[Exception], str] = {
        FileNotFoundError: "there is no such file",
        IsADirectoryError: "is a directory; name the YAML file in it",
        NotADirectoryError: "there is no such file",
        PermissionError: "may not be read: permission denied",
    }
    return known.get(type(error), reason)


def _about_file(document: Document, sentence: str) -> Complaint:
    return Complaint(document.place(()), (), sentence)


def parse_document(text: str, source: str, order: int = 0) -> Document:
    """The document that YAML text describes; SpecError where its structure cannot be read.

    `order` ranks its places among those of other documents.
    """
    document = Document(source)
    reader = _Reader(document, order)
    try:
        root = reader.read(text)
        document.data = reader.expand(root, ())
    except yaml.YAMLError as error:
        raise SpecError([*document.complaints, reader.syntax(error)]) from error
    return document


@dataclass(eq=False)
class _Node:
    """A value before aliases are written out: a scalar, a list of nodes, or (key, place, node)s."""

    place: Place
    content: Any


class _Refused(yaml.YAMLError):
    """The text is YAML, but not what a spec may be."""

    def __init__(self, sentence: str, place: Place, keys: Keys = ()) -> None:
        self.complaint = Complaint(place, keys, sentence)


class _Reader:
    """Builds nodes from PyYAML's events; scalars are read by YAML 1.2's core schema."""

    def __init__(self, document: Document, order: int) -> None:
        self.document, self.order = document, order
        self.anchors: dict[str, _Node | None] = {}
        self.expanded = 0

    def place(self, mark: Any) -> Place:
        line, column = mark.line + 1, mark.column + 1
        return Place((self.order, line, column), f"{self.document.source}:{line}:{column}")

    def complain(self, place: Place, keys: Keys, sentence: str) -> None:
        self.document.complaints.append(Complaint(place, keys, sentence))

    def read(self, text: str) -> _Node:
        """The root of the only document in the text."""
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        content = (e for e in events if not isinstance(e, yaml.StreamStartEvent))
        event = next(content)
        if isinstance(event, yaml.StreamEndEvent):
            raise _Refused("is empty; a spec begins with 'study: NAME'", self.document.place(()))
        root = self.node(next(content), content, ())
        next(content)
        following = next(content)
        if isinstance(following, yaml.DocumentStartEvent):
            place = self.place(following.start_mark)
            raise _Refused("a second document begins here; a spec is one document", place)
        return root

    def node(self, event: Any, events: Iterator[Any], keys: Keys) -> _Node:
        """The node that begins with this event; takes the rest of it from `events`."""
        place = self.place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor, place, keys)
        if len(keys) > DEPTH_LIMIT:
            raise _Refused(f"is nested deeper than {DEPTH_LIMIT} levels", place)
        if event.tag is not None:
            sentence = f"has the tag {event.tag!r}; specs have no tags, write the value without it"
            self.complain(place, keys, f"{self.label(keys)} {sentence}")
        node = _Node(place, None)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node.content = self.content(event, events, keys)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, anchor: Any, place: Place, keys: Keys) -> _Node:
        if anchor not in self.anchors:
            known = ", ".join(self.anchors) or "none"
            raise _Refused(f"alias *{anchor} has no anchor before it; anchors: {known}", place)
        node = self.anchors[anchor]
        if node is None:
            raise _Refused(f"{self.label(keys)} is an alias of what it is part of", place, keys)
        return _Node(place, node.content)

    def content(self, event: Any, events: Iterator[Any], keys: Keys) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, keys)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[_Node] = []
            while not isinstance(part := next(events), yaml.SequenceEndEvent):
                items.append(self.node(part, events, (*keys, len(items))))
            return items
        return self.mapping(events, keys)

    def mapping(self, events: Iterator[Any], keys: Keys) -> dict[str, tuple[Place, _Node]]:
        members: dict[str, tuple[Place, _Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            place = self.place(event.start_mark)
            # A key that is not text is read to its end all the same, so that the rest makes sense.
            key = self.node(event, events, (*keys, "?")).content
            name = self.name(key, event, place, keys)
            value = self.node(next(events), events, (*keys, name or "?"))
            if name is not None and name in members:
                first = members[name][0].order[1:]
                label = dotted((*keys, name))
                self.complain(
                    place, (*keys, name), f"{label} is given twice, first at line {first[0]}"
                )
            elif name is not None:
                members[name] = (place, value)
        return members

    def name(self, key: Any, event: Any, place: Place, keys: Keys) -> str | None:
        """The key as text, or None after a complaint."""
        inside = f" in {dotted(keys)}" if keys else ""
        if not isinstance(key, str):
            sentence = f"{described(key)}{inside} is used as a key; keys are names of fields"
            self.complain(place, keys, sentence)
            return None
        if key == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            sentence = f"merge key '<<'{inside} is not read; write the keys out"
            self.complain(place, keys, sentence)
            return None
        return key

    def scalar(self, event: Any, keys: Keys) -> Any:
        text: str = event.value
        if not event.implicit[0] or event.style is not None:
            return text
        if NOT_FINITE.fullmatch(text):
            sentence = f"{self.label(keys)} is {text}; numbers here are finite"
            self.complain(self.place(event.start_mark), keys, sentence)
            return None
        value = plain(text)
        if isinstance(value, int | float) and not abs(value) < (
            2**63 if isinstance(value, int) else math.inf
        ):
            sentence = f"{self.label(keys)} is {shortened(text)}; numbers here fit in 64 bits"
            self.complain(self.place(event.start_mark), keys, sentence)
            return None
        return value

    def label(self, keys: Keys) -> str:
        return dotted(keys) or "the spec"

    def expand(self, node: _Node, keys: Keys) -> Any:
        """Plain data with aliases written out, each part's place noted."""
        self.expanded += 1
        if self.expanded > NODE_LIMIT:
            sentence = f"has more than {NODE_LIMIT} values once its aliases are written out"
            raise _Refused(sentence, self.document.place(()))
        if len(keys) > DEPTH_LIMIT:
            raise _Refused(f"is nested deeper than {DEPTH_LIMIT} levels", node.place)
        self.document.values[keys] = node.place
        if isinstance(node.content, list):
            return [self.expand(part, (*keys, i)) for i, part in enumerate(node.content)]
        if not isinstance(node.content, dict):
            return node.content
        data = {}
        for name, (place, part) in node.content.items():
            self.document.names[*keys, name] = place
            data[name] = self.expand(part, (*keys, name))
        return data

    def syntax(self, error: yaml.YAMLError) -> Complaint:
        """The one complaint that an exception while reading stands for."""
        if isinstance(error, _Refused):
            return error.complaint
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if isinstance(error, yaml.MarkedYAMLError) and mark is not None:
            return Complaint(self.place(mark), (), f"is not YAML: {_problem(error)}")
        # What is left is the reader's complaint about a character that YAML does not allow.
        character = getattr(error, "character", None)
        reason = f"character {character!r}" if character is not None else str(error)
        return _about_file(self.document, f"is not YAML: {reason} is not allowed in it")


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be read"
    if "'\\t'" in problem:
        return "a tab begins a value here; indent with spaces"
    if not error.context:
        return problem
    begun = error.context_mark
    since = f" that begins at line {begun.line + 1}, column {begun.column + 1}" if begun else ""
    return f"{error.context}{since}: {problem}"


def plain(text: str) -> Any:
    """A plain scalar as YAML 1.2's core schema reads it (finite or infinite numbers alike)."""
    if text in NULLS:
        return None
    if text in TRUTHS:
        return TRUTHS[text]
    if INTEGER.fullmatch(text):
        # Python refuses to convert very long decimal numbers; no field takes one.
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10)) if len(text) < 100 else 2**64
    return float(text) if FLOAT.fullmatch(text) else text


def shortened(text: str) -> str:
    """Text that fits into a message, quoted."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


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
    return "a mapping" if isinstance(value, Mapping) else "a list"
