"""Specs with mistakes: shipped specs that are changed in a few places, as data and as text."""

import io
import re
import warnings
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from rnnstudy.cli.summaries.plan_summary import show_plan
from rnnstudy.cli.terminal import SafeConsole
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import store_of
from rnnstudy.study.spec.study import load_study
from rnnstudy.study.spec_text.document import SpecError

SMALL = """\
study: small
tasks: [{kind: flip_flop, bits: 2, length: 12}, sine]
networks: {cells: [vanilla, {kind: gru, reset_after: false}], activations: [tanh, relu], units: 4,
           seeds: 2, include: [{cell: gru}], l2: [0, 1e-6]}
training: {steps: 20, batch: 4, learning_rate: 1e-3, stop: solved}
overrides:
  - {where: {cell: gru}, set: {training: {batch: 8}, cell: {kernel_initializer: normal}}}
analyses:
  - {kind: fixed_points, search: {candidates: 16, rounds: 1}}
  - {kind: pairs, metric: {kind: svcca, dimensions: 2}}
  - {kind: pairs, metric: cka, weights: untrained, name: before}
  - {kind: embedding, of: svcca}
  - topology
claims: [{kind: cube, tasks: [flip_flop]}, {kind: geometry_depends_on, factor: cell, of: svcca}]
report: {models: ["*-gru-*"]}
runtime: {workers: 1, checkpoint: 60}
"""

CHOOSING = """\
study: choosing
tasks: [flip_flop]
networks: {cells: [gru, lstm], units: [3, 4], seeds: [0, 3]}
protocols: [standard, {name: noisy, training: {state_noise: 0.1}}]
selection: {learning_rate: [1e-3, 1e-2], seeds: 2, steps: 10}
analyses: [fixed_points, {kind: representations, networks: solved}]
"""

BASES = [yaml.safe_load(SMALL), yaml.safe_load(CHOOSING)]

WORDS = [
    "", " ", "gru", "gruu", "flip_flop", "svcca", "relu", "all", "none", "trained", "standard",
    "own:Class", "os:system", "builtins:object", "rnnstudy.tasks.base:Task", "rnnstudy:run",
    "a:b:c", ":", "../../up", "/etc/passwd", "~", "*", "**/*", "[", "{0}", "{known}", "%s",
    "\x1b[2J", "\x00", "\u202e", "\ud7ff", "💯", ":100:", "[bold]", "a\nb", "é" * 5, "x" * 5000,
    "a.b[0]", "1e400", "0x10", "yes", "2026-11-30", "1:30", "<<", "&a", "*a",
    "!!python/object:os.system", "kind", "seed",
]  # fmt: skip

NUMBERS = [
    0, 1, -1, 2, 3, 7, 0.5, -0.0, 1e-300, 1e300, 10**6, 10**9, 2**31, 2**63 - 1, 2**63, -(2**63),
    10**30, 0.1, float("nan"), float("inf"),
]  # fmt: skip

KEYS = [
    "kind", "name", "where", "set", "cell", "cells", "task", "tasks", "units", "seeds", "steps",
    "of", "metric", "networks", "training", "models", "include", "exclude", "loss", "batch", "",
    "a b", "x", "\x1b", "multiverse", "per", "search", "factor", "weights", "stop", "data",
]  # fmt: skip

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(-5, 70000),
    st.floats(),
    st.sampled_from(WORDS),
    st.text(max_size=8),
)
junk = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=4)), inner, max_size=4),
    ),
    max_leaves=8,
)


def _holders(data: Any) -> list[Any]:
    """Return all mappings and lists in plain data that hold something."""
    if not isinstance(data, dict | list):
        return []
    parts = list(data.values()) if isinstance(data, dict) else data
    return [data] * bool(data) + [holder for part in parts for holder in _holders(part)]


def _copy(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _copy(part) for key, part in data.items()}
    return [_copy(part) for part in data] if isinstance(data, list) else data


def _change(draw: Any, spec: Any) -> None:
    """Make one mistake in plain data."""
    holders = _holders(spec)
    if not holders:
        return
    holder = draw(st.sampled_from(range(len(holders))))
    other = holders[draw(st.sampled_from(range(len(holders))))]
    holder = holders[holder]
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = draw(st.sampled_from(keys))
    mistake = draw(st.sampled_from(["value", "value", "drop", "key", "repeat", "move", "scale"]))
    if mistake == "drop":
        del holder[key]
    elif mistake == "key" and isinstance(holder, dict):
        name = draw(st.one_of(st.sampled_from(KEYS), st.text(max_size=6), st.just(f"{key}s")))
        holder[name] = holder.pop(key) if draw(st.booleans()) else draw(junk)
    elif mistake == "repeat" and isinstance(holder, list):
        holder.append(_copy(holder[key]))
    elif mistake == "move":
        parts = list(other.values()) if isinstance(other, dict) else other
        holder[key] = _copy(parts[0])
    elif mistake == "scale" and isinstance(holder[key], int | float):
        holder[key] = holder[key] * draw(st.sampled_from([0, -1, 0.5, 10, 10**3, 10**6, 10**12]))
    else:
        holder[key] = draw(junk)


SNIPPETS = [
    "\t", "\n", " ", "  ", "- ", ": ", ":", "? ", "[", "]", "{", "}", ",", "#", "&a ", "*a",
    "!!set ", "!!binary ", "|\n", ">\n", "'", '"', "---\n", "...\n", "%YAML 1.1\n", "\ufeff",
    "\x85", "<<: *a\n", "0o7", ".nan", "~", "\x07", "`", "@",
]  # fmt: skip


@st.composite
def specs(draw: Any) -> str:
    """Return the text of a spec with at least one change."""
    spec = _copy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(0, 3))):
        _change(draw, spec)
    flow = draw(st.sampled_from([None, False, True]))
    text = yaml.dump(spec, sort_keys=False, allow_unicode=True, default_flow_style=flow)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(text)))
        if draw(st.booleans()):
            text = text[:at] + draw(st.sampled_from(SNIPPETS)) + text[at:]
        else:
            text = text[:at] + text[at + draw(st.integers(1, 30)) :]
    return text


def sentences_of(path: Path) -> list[str]:
    """Return the errors of a spec, or none. Any other exception is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            study = load_study(path)
            show = SafeConsole(file=io.StringIO(), width=100)
            show_plan(study, make_plan(study, store_of(study, path.parent / "none")), show)
        except SpecError as error:
            return [str(problem) for problem in error.problems]
    return []


def check_sentence(sentence: str, path: Path) -> None:
    """Check that a sentence is one line that begins with the file, and with the line in it."""
    assert sentence.isprintable(), repr(sentence)
    assert re.match(re.escape(str(path)) + r"(:\d+:\d+)?: \S", sentence), repr(sentence)
    assert len(sentence) < 3000, sentence
