"""From YAML text to a document, refusing what a spec has no use for."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rnnstudy.study.spec_text.document import (
    Document,
    Keys,
    SourceLocation,
    SpecError,
    SpecProblem,
    described,
    dotted,
    shortened,
)

SIZE_LIMIT = 1 << 20
DEPTH_LIMIT = 50
NODE_LIMIT = 100_000

NULLS = {"", "~", "null", "Null", "NULL"}
TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


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
    parsed = parse_document(text, str(path))
    parsed.folder = Path(path).parent
    return parsed


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


def _about_file(document: Document, sentence: str) -> SpecProblem:
    return SpecProblem(document.place(()), (), sentence)


def parse_document(text: str, source: str, under: str = "") -> Document:
    """The document that YAML text describes; SpecError where its structure cannot be read.

    `under`: path of the value that the text is, where it is not a whole spec.
    """
    document = Document(source)
    reader = _Reader(document, text, under)
    try:
        root = reader.read()
        document.data = reader.expand(root, ())
    except yaml.YAMLError as error:
        raise SpecError([*document.problems, reader.syntax(error)]) from error
    return document


@dataclass(eq=False)
class _Node:
    """A value before aliases are written out: a scalar, a list of nodes, or (key, place, node)s."""

    place: SourceLocation
    content: Any


class _Refused(yaml.YAMLError):
    """The text is YAML, but not what a spec may be."""

    def __init__(self, sentence: str, place: SourceLocation, keys: Keys = ()) -> None:
        self.problem = SpecProblem(place, keys, sentence)


class _Reader:
    """Builds nodes from PyYAML's events; scalars are read by YAML 1.2's core schema."""

    def __init__(self, document: Document, text: str, under: str) -> None:
        self.document, self.text, self.under = document, text, under
        self.anchors: dict[str, _Node | None] = {}
        self.expanded = 0

    def place(self, mark: Any) -> SourceLocation:
        return self.at(mark.line + 1, mark.column + 1)

    def at(self, line: int, column: int) -> SourceLocation:
        return SourceLocation((0, line, column), f"{self.document.source}:{line}:{column}")

    def report_problem(self, place: SourceLocation, keys: Keys, sentence: str) -> None:
        self.document.problems.append(SpecProblem(place, keys, sentence))

    def read(self) -> _Node:
        """The root of the only document in the text."""
        events = yaml.parse(self.text, Loader=yaml.SafeLoader)
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
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            sentence = f"{self.label(keys)} has the tag {tag}; write the value without it"
            self.report_problem(place, keys, sentence)
        node = _Node(place, None)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node.content = self.content(event, events, keys)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, anchor: Any, place: SourceLocation, keys: Keys) -> _Node:
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

    def mapping(self, events: Iterator[Any], keys: Keys) -> dict[str, tuple[SourceLocation, _Node]]:
        members: dict[str, tuple[SourceLocation, _Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            place = self.place(event.start_mark)
            # A key that is not text is read to its end all the same, so that the rest makes sense.
            key = self.node(event, events, (*keys, "?")).content
            name = self.name(key, event, place, keys)
            value = self.node(next(events), events, (*keys, name or "?"))
            if name is not None and name in members:
                first = members[name][0].order[1:]
                label = dotted((*keys, name))
                self.report_problem(
                    place, (*keys, name), f"{label} is given twice, first at line {first[0]}"
                )
            elif name is not None:
                members[name] = (place, value)
        return members

    def name(self, key: Any, event: Any, place: SourceLocation, keys: Keys) -> str | None:
        """The key as text, or None after a problem."""
        inside = f" in {dotted(keys)}" if keys else ""
        if not isinstance(key, str):
            sentence = f"a key{inside} is {described(key)}; keys are names of fields"
            self.report_problem(place, keys, sentence)
            return None
        if key == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            sentence = f"merge key '<<'{inside} is not read; write the keys out"
            self.report_problem(place, keys, sentence)
            return None
        return key

    def scalar(self, event: Any, keys: Keys) -> Any:
        text: str = event.value
        if not event.implicit[0] or event.style is not None:
            return text
        if NOT_FINITE.fullmatch(text):
            sentence = f"{self.label(keys)} is {text}; numbers here are finite"
            self.report_problem(self.place(event.start_mark), keys, sentence)
            return None
        value = plain(text)
        if isinstance(value, int | float) and not abs(value) < (
            2**63 if isinstance(value, int) else math.inf
        ):
            sentence = f"{self.label(keys)} is {shortened(text)}; numbers here fit in 64 bits"
            self.report_problem(self.place(event.start_mark), keys, sentence)
            return None
        return value

    def label(self, keys: Keys) -> str:
        inside = dotted(keys)
        dot = "." if self.under and isinstance((*keys, 0)[0], str) else ""
        return f"{self.under}{dot}{inside}" or "the spec"

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

    def syntax(self, error: yaml.YAMLError) -> SpecProblem:
        """The one problem that an exception while reading stands for."""
        if isinstance(error, _Refused):
            return error.problem
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if isinstance(error, yaml.MarkedYAMLError) and mark is not None:
            return SpecProblem(self.place(mark), (), f"is not YAML: {_problem(error)}")
        # What is left is PyYAML's reader, about a character that YAML does not allow.
        position = getattr(error, "position", 0)
        before = self.text[:position].split("\n")
        place = self.at(len(before), len(before[-1]) + 1)
        code = ord(self.text[position])
        return SpecProblem(
            place, (), f"is not YAML: the character U+{code:04X} may not stand in it"
        )


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be read"
    if "'\\t'" in problem:
        return "a tab begins a value here; indent with spaces"
    if not error.context:
        return problem
    begun, since = error.context_mark, ""
    if begun and (error.problem_mark is None or begun.index != error.problem_mark.index):
        since = f" that begins at line {begun.line + 1}, column {begun.column + 1}"
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
