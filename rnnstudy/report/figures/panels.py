"""Panels of a figure, each of which paints one pair of axes, and their legends."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.report.style import LEGEND_LIMIT, Mark, palette, shorten, sort_names

Axes = Any

MOST_VECTORS = 1000
"""Dots of a figure up to which each is a vector."""


@dataclass(frozen=True)
class Legend:
    """Names of a panel's marks; `lines` shows line samples, else markers."""

    marks: Mapping[str, Mark] = field(default_factory=dict)
    title: str = ""
    lines: bool = False
    empty: bool = False
    """True if the panel is empty but for the reason."""


@dataclass(frozen=True)
class Panel:
    """One pair of axes: `paint` draws on it and returns its legend.

    `size` is (width, height) in inches of a panel that stands alone.
    """

    paint: Callable[[Axes], Legend]
    size: tuple[float, float]
    title: str = ""
    title_pad: float = 6.0
    """Points between the axes and the title."""
    projection: str | None = None
    own_legend: bool = False
    aligned: bool = False


def paint_reason(axes: Axes, reason: str = "no finite values") -> Legend:
    """Write on the axes the reason why nothing is drawn."""
    axes.set_axis_off()
    write = axes.text2D if hasattr(axes, "text2D") else axes.text
    write(0.5, 0.5, reason, transform=axes.transAxes, ha="center", va="center", style="italic")
    return Legend(empty=True)


def finite_rows(values: Array) -> Array:
    """Return True for rows of `values` [row, column] with finite numbers only."""
    return np.isfinite(np.asarray(values, float)).all(axis=-1)


def legend_handles(legend: Legend) -> list[Any]:
    """Return samples for matplotlib's legend, one per distinct mark with all its names."""
    from matplotlib.lines import Line2D

    names_of_mark: dict[Mark, list[str]] = {}
    for name, mark in legend.marks.items():
        names_of_mark.setdefault(mark, []).append(name)
    look = line_style if legend.lines else dot_style
    shown = list(names_of_mark.items())[:LEGEND_LIMIT]
    samples = [
        Line2D([], [], label=shorten(join_names(names)), **look(mark)) for mark, names in shown
    ]
    if len(names_of_mark) > len(shown):
        rest = f"and {len(names_of_mark) - len(shown)} more"
        samples.append(Line2D([], [], linestyle="none", label=rest))
    return samples


def join_names(names: Sequence[str]) -> str:
    """Return one to three names in a row, or the first and the last of more."""
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} to {names[-1]}"


def line_style(mark: Mark) -> dict[str, Any]:
    """Return matplotlib's arguments for a line of this mark."""
    line = {"color": mark.colour, "linestyle": mark.line, "linewidth": 1.4}
    if not mark.on_lines:
        return line
    face = mark.colour if mark.filled else palette().paper
    return {**line, "marker": mark.marker, "markersize": 4, "markevery": 0.15,
            "markerfacecolor": face}  # fmt: skip


def dot_style(mark: Mark, size: float = 5.5) -> dict[str, Any]:
    """Return matplotlib's arguments for single points of this mark."""
    return {
        "linestyle": "none",
        "marker": mark.marker,
        "markersize": size,
        "markerfacecolor": mark.colour if mark.filled else palette().paper,
        "markeredgecolor": palette().ink if mark.filled else mark.colour,
        "markeredgewidth": 0.4 if mark.filled else 1.2,
    }


def is_dense(count: int) -> bool:
    """Return whether so many dots of a figure are pixels, also in a file of vectors.

    A browser draws thousands of vectors slowly, and programs for slides do as well.
    """
    return bool(count > MOST_VECTORS)


def merge_legends(legends: Iterable[Legend]) -> Legend:
    """Return one legend for several panels."""
    present = [legend for legend in legends if legend.marks]
    if not present:
        return Legend()
    marks = {name: mark for legend in present for name, mark in legend.marks.items()}
    marks = {name: marks[name] for name in sort_names(marks)}
    return Legend(marks, present[0].title, present[0].lines)
