"""Pages of the reference: sections of a spec and entries of catalogues, by their fields."""

import importlib
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

CATALOGUES = {
    "tasks": "a distribution of trials, a loss, and a criterion of a solved task",
    "losses": "the number that training makes small",
    "cells": "the step from one state to the next",
    "analyses": "a question about networks; it computes records",
    "metrics": "a distance between the representations of two networks",
    "claims": "a statement with a test, a rule and controls",
}
"""Word of `rnnstudy list` -> what an entry is."""

SECTIONS = (
    ("networks", "Networks", "rnnstudy.study.spec.networks:Networks"),
    ("training", "Training", "rnnstudy.training.protocol:Training"),
    ("protocols", "Protocol", "rnnstudy.study.spec.protocols:NamedProtocol"),
    ("selection", "Selection", "rnnstudy.study.spec.selection:Selection"),
    ("models", "Model", "rnnstudy.study.spec.imported_models:Model"),
    ("report", "Report", "rnnstudy.study.spec.options:Report"),
    ("runtime", "Runtime", "rnnstudy.study.spec.options:Runtime"),
)
"""Section of a spec, its class, and the place of the class."""

SETTINGS = (
    "rnnstudy.dynamics.fixed_points.search:FixedPointSearch",
    "rnnstudy.dynamics.periodic_orbits.search:OrbitSearch",
    "rnnstudy.dynamics.invariant_circles.search:CircleSearch",
    "rnnstudy.dynamics.continuation.settings:ContinuationSettings",
    "rnnstudy.analyses.solution_classes.thresholds:ClassThresholds",
)
"""Settings that stand in fields of analyses, or in arguments."""


INDEX = """# Fields of a spec

These pages are made of the classes themselves, as is `rnnstudy list`.
[The spec](../../guide/spec.md) explains how the parts go together.

- [Sections of a spec](sections.md)"""


def component_pages() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each page of components."""
    catalogues = importlib.import_module("rnnstudy.cli.catalogues")
    tasks = catalogues.default_tasks()
    index = [INDEX]
    for word, entries in catalogues.LISTS.items():
        index += [f"- [{word.capitalize()}]({word}.md): {CATALOGUES.get(word, word)}"]
        parts = [f"# {word.capitalize()}", _table_of_kinds(entries)]
        for kind, entry in entries.items():
            suits = ""
            if word in ("analyses", "claims"):
                names = catalogues.suitable_tasks(kind, word, tasks)
                every = len(names) == len(tasks)
                suits = f"For: {'all tasks' if every else ', '.join(f'`{n}`' for n in names)}."
            parts.append(component(f"`{kind}`", entry, suits))
        yield f"reference/components/{word}.md", "\n\n".join(parts) + "\n"
    index += ["- [Settings of searches](settings.md)"]
    yield "reference/components/index.md", "\n".join(index) + "\n"
    sections = [component(f"`{name}`", _load(place)) for name, _, place in SECTIONS]
    yield (
        "reference/components/sections.md",
        "\n\n".join(["# Sections of a spec", *sections]) + "\n",
    )
    settings = [component(f"`{place.partition(':')[2]}`", _load(place)) for place in SETTINGS]
    yield "reference/components/settings.md", "\n\n".join(["# Settings", *settings]) + "\n"


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def _table_of_kinds(entries: Mapping[str, Any]) -> str:
    rows = [f"| `{kind}` | {cell(first_line(entry))} |" for kind, entry in entries.items()]
    return "\n".join(["| kind | meaning |", "|---|---|", *rows])


def component(title: str, entry: Any, note: str = "") -> str:
    """Return the part of a page on one component: its docstring and a table of its fields.

    Parameters
    ----------
    title
        Heading.
    entry
        Class of the component.
    note
        Sentence below the docstring.
    """
    body, references = split_docstring(inspect.getdoc(entry) or "")
    parts = [f"## {title}", prose(body), note, _fields(entry)]
    if references:
        parts.append(f"**References.** {prose(' '.join(references.split()))}")
    return "\n\n".join(part for part in parts if part)


def first_line(entry: Any) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(entry) or "").partition("\n")[0]


def split_docstring(text: str) -> tuple[str, str]:
    """Return the text of a docstring before its sections, and its references."""
    parts = re.split(r"\n\n([A-Z]\w+)\n-{3,}\n", text)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return parts[0], sections.get("References", "").strip()


def prose(text: str) -> str:
    """Return a docstring's text as Markdown. Indented parts are code."""
    paragraphs = []
    for paragraph in re.split(r"\n\n(?! )", text):
        head, *blocks = re.split(r"\n\n(?= {4})", paragraph)
        paragraphs.append(_escaped_paragraph(head))
        if blocks:
            code = inspect.cleandoc("\n\n" + "\n\n".join(blocks))
            paragraphs.append(f"```python\n{code}\n```")
    return "\n\n".join(paragraphs)


def _escaped_paragraph(text: str) -> str:
    if text.lstrip().startswith("- "):
        return escape(text)
    return escape(" ".join(text.split()))


def escape(text: str) -> str:
    """Return text whose special characters mean nothing in Markdown, but for code in backticks."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"([*<$\\|_])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def cell(text: str) -> str:
    """Return text for a cell of a table, where a bar needs a backslash in code, too."""
    parts = re.split(r"(`[^`]*`)", escape(text))
    parts[1::2] = [part.replace("|", r"\|") for part in parts[1::2]]
    return "".join(parts)


def _fields(entry: Any) -> str:
    """Return the table of a component's fields."""
    schema = entry.model_json_schema()
    rows = []
    for name, field in entry.model_fields.items():
        kind = _kind_of(schema.get("properties", {}).get(name, {}), schema.get("$defs", {}))
        default = "required" if field.is_required() else _default(field.get_default())
        text = " ".join((field.description or "").split())
        rows.append(f"| `{name}` | {default} | {kind} | {cell(text)} |")
    if not rows:
        return "No fields."
    return "\n".join(["| field | default | values | meaning |", "|---|---|---|---|", *rows])


def _default(value: Any) -> str:
    if hasattr(value, "model_dump"):
        plain = value.model_dump(mode="json")
        value = plain.get("kind", plain) if isinstance(plain, dict) else plain
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f"`{text}`".replace("|", r"\|") if text else "empty"


def _kind_of(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    """Return the values that a field takes, in words, from its JSON schema."""
    if "$ref" in schema:
        return "a mapping"
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ", ".join(f"`{json.dumps(v) if not isinstance(v, str) else v}`" for v in values[:12])
    if "anyOf" in schema:
        kinds = dict.fromkeys(_kind_of(each, parts) for each in schema["anyOf"])
        if any("kind" in each.get("properties", {}) for each in schema["anyOf"]):
            return "a name, or a mapping with `kind`"
        return " or ".join(kinds)
    word = {
        "integer": "whole number", "number": "number", "string": "text", "boolean": "true, false",
        "array": "list", "object": "mapping", "null": "null",
    }.get(str(schema.get("type")), "value")  # fmt: skip
    limits = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "maximum": "to",
        "exclusiveMaximum": "below",
    }
    said = [f"{words} {schema[key]:g}" for key, words in limits.items() if key in schema]
    return " ".join([word, *said])
