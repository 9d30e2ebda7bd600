"""From YAML text to a document, refusing what a spec has no use for."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rnnstudy.core.errors import suggestion
from rnnstudy.core.files import read_file
from rnnstudy.study.spec_text.document import (
    Document,
    Keys,
    SourceLocation,
    SpecError,
    SpecProblem,
    describe_value,
    dotted_path,
    quote_text,
)

NAMED = 3
"""Files of a folder that a message names."""

SIZE_LIMIT = 1 << 20
DEPTH_LIMIT = 50
NODE_LIMIT = 100_000

NULLS = {"", "~", "null", "Null", "NULL"}
TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def read_document(path: str | Path) -> Document:
    """Return the document in a file; SpecError if it cannot be read at all."""
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
        trouble = _file_trouble(error, reason, Path(path))
        raise SpecError([_about_file(document, trouble)]) from error
    parsed = parse_document(text, str(path))
    parsed.folder = Path(path).parent
    return parsed


def _bytes_of(path: Path) -> bytes:
    if path.is_dir():
        raise IsADirectoryError(path)
    return read_file(path, SIZE_LIMIT, follow_links=True)


def _file_trouble(error: Exception, reason: str, path: Path) -> str:
    known: dict[type[Exception], str] = {
        FileNotFoundError: "there is no such file",
        IsADirectoryError: "is a directory; name the YAML file in it",
        NotADirectoryError: "there is no such file",
        PermissionError: "may not be read: permission denied",
    }
    hint = ""
    if isinstance(error, IsADirectoryError) and (inside := _specs_in(path)):
        hint = f": {', '.join(inside[:NAMED])}"
    if isinstance(error, FileNotFoundError):
        hint = suggestion(path.name, _specs_in(path.parent))
    return known.get(type(error), reason) + hint


def _specs_in(folder: Path) -> list[str]:
    """Return the names of the YAML files in a folder; none if it cannot be read."""
    try:
        return sorted(path.name for path in folder.glob("*.y*ml"))
    except OSError:
        return []


def _about_file(document: Document, sentence: str) -> SpecProblem:
    return SpecProblem(document.location(()), (), sentence)


def parse_document(text: str, source: str, under: str = "") -> Document:
    """Return the document that YAML text describes; SpecError if its structure cannot be read.

    `under`: path of the value that the text is, if it is not a whole spec.
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
    """Value before aliases are written out: a scalar, a list, or a mapping with locations."""

    location: SourceLocation
    content: Any


class _Refused(yaml.YAMLError):
    """The text is YAML, but not what a spec may be."""

    def __init__(self, sentence: str, location: SourceLocation, keys: Keys = ()) -> None:
        self.problem = SpecProblem(location, keys, sentence)


class _Reader:
    """Builds nodes from PyYAML's events; scalars are read by YAML 1.2's core schema."""

    def __init__(self, document: Document, text: str, under: str) -> None:
        self.document, self.text, self.under = document, text, under
        self.anchors: dict[str, _Node | None] = {}
        self.expanded = 0

    def location(self, mark: Any) -> SourceLocation:
        return self.at(mark.line + 1, mark.column + 1)

    def at(self, line: int, column: int) -> SourceLocation:
        return SourceLocation((0, line, column), f"{self.document.source}:{line}:{column}")

    def report_problem(self, location: SourceLocation, keys: Keys, sentence: str) -> None:
        self.document.problems.append(SpecProblem(location, keys, sentence))

    def read(self) -> _Node:
        """Return the root of the only document in the text."""
        events = yaml.parse(self.text, Loader=yaml.SafeLoader)
        content = (e for e in events if not isinstance(e, yaml.StreamStartEvent))
        event = next(content)
        if isinstance(event, yaml.StreamEndEvent):
            raise _Refused("is empty; a spec begins with 'study: NAME'", self.document.location(()))
        root = self.node(next(content), content, ())
        next(content)
        following = next(content)
        if isinstance(following, yaml.DocumentStartEvent):
            location = self.location(following.start_mark)
            raise _Refused("a second document begins here; a spec is one document", location)
        return root

    def node(self, event: Any, events: Iterator[Any], keys: Keys) -> _Node:
        """Return the node that begins with this event. The rest of it comes from `events`."""
        location = self.location(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor, location, keys)
        if len(keys) > DEPTH_LIMIT:
            raise _Refused(f"is nested deeper than {DEPTH_LIMIT} levels", location)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            sentence = f"{self.label(keys)} has the tag {tag}; write the value without it"
            self.report_problem(location, keys, sentence)
        node = _Node(location, None)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node.content = self.content(event, events, keys)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, anchor: Any, location: SourceLocation, keys: Keys) -> _Node:
        if anchor not in self.anchors:
            known = ", ".join(self.anchors) or "none"
            raise _Refused(f"alias *{anchor} has no anchor before it; anchors: {known}", location)
        node = self.anchors[anchor]
        if node is None:
            raise _Refused(f"{self.label(keys)} is an alias of what it is part of", location, keys)
        return _Node(location, node.content)

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
            location = self.location(event.start_mark)
            # A key that is not text is read to its end all the same, so that the rest makes sense.
            key = self.node(event, events, (*keys, "?")).content
            name = self.name(key, event, location, keys)
            value = self.node(next(events), events, (*keys, name or "?"))
            if name is not None and name in members:
                first = members[name][0].order[1:]
                label = dotted_path((*keys, name))
                self.report_problem(
                    location, (*keys, name), f"{label} is given twice, first at line {first[0]}"
                )
            elif name is not None:
                members[name] = (location, value)
        return members

    def name(self, key: Any, event: Any, location: SourceLocation, keys: Keys) -> str | None:
        """Return the key as text, or None after a problem."""
        inside = f" in {dotted_path(keys)}" if keys else ""
        if not isinstance(key, str):
            sentence = f"a key{inside} is {describe_value(key)}; keys are names of fields"
            self.report_problem(location, keys, sentence)
            return None
        if key == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            sentence = f"merge key '<<'{inside} is not read; write the keys out"
            self.report_problem(location, keys, sentence)
            return None
        return key

    def scalar(self, event: Any, keys: Keys) -> Any:
        text: str = event.value
        if not event.implicit[0] or event.style is not None:
            return text
        if NOT_FINITE.fullmatch(text):
            sentence = f"{self.label(keys)} is {text}; numbers here are finite"
            self.report_problem(self.location(event.start_mark), keys, sentence)
            return None
        value = plain(text)
        if isinstance(value, int | float) and not abs(value) < (
            2**63 if isinstance(value, int) else math.inf
        ):
            sentence = f"{self.label(keys)} is {quote_text(text)}; numbers here fit in 64 bits"
            self.report_problem(self.location(event.start_mark), keys, sentence)
            return None
        return value

    def label(self, keys: Keys) -> str:
        inside = dotted_path(keys)
        dot = "." if self.under and isinstance((*keys, 0)[0], str) else ""
        return f"{self.under}{dot}{inside}" or "the spec"

    def expand(self, node: _Node, keys: Keys) -> Any:
        """Return plain data with aliases written out, and record the location of each part."""
        self.expanded += 1
        if self.expanded > NODE_LIMIT:
            sentence = f"has more than {NODE_LIMIT} values once its aliases are written out"
            raise _Refused(sentence, self.document.location(()))
        if len(keys) > DEPTH_LIMIT:
            raise _Refused(f"is nested deeper than {DEPTH_LIMIT} levels", node.location)
        self.document.values[keys] = node.location
        if isinstance(node.content, list):
            return [self.expand(part, (*keys, i)) for i, part in enumerate(node.content)]
        if not isinstance(node.content, dict):
            return node.content
        data = {}
        for name, (location, part) in node.content.items():
            self.document.names[*keys, name] = location
            data[name] = self.expand(part, (*keys, name))
        return data

    def syntax(self, error: yaml.YAMLError) -> SpecProblem:
        """Return the problem that an exception of the parser stands for."""
        if isinstance(error, _Refused):
            return error.problem
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if isinstance(error, yaml.MarkedYAMLError) and mark is not None:
            return SpecProblem(self.location(mark), (), f"is not YAML: {_problem(error)}")
        # What is left is PyYAML's reader, about a character that YAML does not allow.
        position = getattr(error, "position", 0)
        before = self.text[:position].split("\n")
        location = self.at(len(before), len(before[-1]) + 1)
        code = ord(self.text[position])
        return SpecProblem(
            location, (), f"is not YAML: the character U+{code:04X} may not stand in it"
        )


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be read"
    if "'\\t'" in problem:
        return "a tab begins a value here; indent with spaces"
    if not error.context:
        return problem
    start, since = error.context_mark, ""
    if start and (error.problem_mark is None or start.index != error.problem_mark.index):
        since = f" that begins at line {start.line + 1}, column {start.column + 1}"
    return f"{error.context}{since}: {problem}"


def plain(text: str) -> Any:
    """Return the value of a plain scalar by YAML 1.2's core schema, infinite numbers included."""
    if text in NULLS:
        return None
    if text in TRUTHS:
        return TRUTHS[text]
    if INTEGER.fullmatch(text):
        # Python refuses to convert very long decimal numbers; no field takes one.
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10)) if len(text) < 100 else 2**64
    return float(text) if FLOAT.fullmatch(text) else text
