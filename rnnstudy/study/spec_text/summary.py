"""A study in ten lines."""

import html
from collections.abc import Iterable
from typing import Any

Study = Any

LINE_WIDTH = 88
"""Most characters of a line; longer lines end with dots."""

NAMES_PER_LINE = 8
"""Most names in a line."""


def study_rows(study: Study) -> list[tuple[str, str]]:
    """Return the parts of a study, each with what it holds in one line; at most ten.

    Parameters
    ----------
    study
        The study.
    """
    networks, grid = study.expand(), study.networks
    trained, training = len(networks) - len(study.models), study.training
    rows = [
        ("study", f"{study.study}: {_count(len(networks), 'network')}"),
        ("tasks", _names(task.title for task in study.tasks)),
    ]
    if study.models:
        rows.append(("models", _names(model.title for model in study.models)))
    if grid is not None:
        fields = [member.fields for member, _ in networks[:trained]]
        axes = [
            _names(str(each[name]) for each in fields) for name in ("cell", "activation", "units")
        ]
        size = f"{', '.join(axes[:2])}; {axes[2]} units; {_count(len(grid.seeds), 'seed')}"
        rows.append(("networks", size))
        steps = f"{training.steps} steps of {training.batch} trials"
        rows.append(("training", f"{steps}, learning rate {training.learning_rate:g}"))
    if study.protocols:
        rows.append(("protocols", _names(each.name for each in study.protocols)))
    if study.selection is not None:
        rows.append(("selection", _names(study.selection.grid)))
    if study.overrides:
        rows.append(("overrides", str(len(study.overrides))))
    rows.append(("analyses", _names(analysis.title for analysis in study.analyses)))
    rows.append(("claims", _names(claim.title for claim in study.claims)))
    return rows


def study_text(study: Study) -> str:
    """Return a study in at most ten lines of text."""
    rows = study_rows(study)
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {_cut(line)}" for name, line in rows)


def study_html(study: Study) -> str:
    """Return a study as a table of at most ten rows, for notebooks."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{name}</th>"
        f"<td style='text-align:left'>{html.escape(line)}</td></tr>"
        for name, line in study_rows(study)
    )
    return f"<table>{rows}</table>"


def _names(names: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(names))
    more = len(distinct) - NAMES_PER_LINE
    words = [*distinct[:NAMES_PER_LINE], *([f"and {more} more"] if more > 0 else [])]
    return ", ".join(words) or "none"


def _cut(line: str) -> str:
    return line if len(line) <= LINE_WIDTH else f"{line[: LINE_WIDTH - 3].rstrip()}..."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
