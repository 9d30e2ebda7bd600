"""Forest plots: numbers with intervals, row by row."""

from functools import partial

import numpy as np

from rnnstudy.core.exhibit import Forest
from rnnstudy.report.figures.panels import Axes, Legend, Panel, dot_style, paint_reason
from rnnstudy.report.style import BLACK, BLUE, GREY, PALE, Mark, assign_marks, palette, wrap_text

SERIES_MARKS = {
    "trained": Mark(BLACK, "o"),
    "before training": Mark(GREY, "o", filled=False),
    "trained minus untrained": Mark(BLUE, "D"),
    "noise, zeros, ones": Mark(BLACK, "x"),
}
"""Marks of the series of claims, from top to bottom of a row."""

LABEL_WIDTH, NOTE_WIDTH = 44, 40
"""Characters in a line of the names of rows, and of the words beside them."""


def forest_panels(exhibit: Forest) -> list[Panel]:
    """Return a single panel with one row per name."""
    return [Panel(partial(paint_forest, exhibit), size=(7.4, 0.7 + 0.42 * len(exhibit.rows)))]


def paint_forest(exhibit: Forest, axes: Axes) -> Legend:
    """Paint the marks of each row one above the other, with their intervals."""
    values = np.asarray(exhibit.values, float)
    if not np.isfinite(values).any():
        return paint_reason(axes)
    series = list(dict.fromkeys(exhibit.series))
    fixed = [(name, mark) for name, mark in SERIES_MARKS.items() if name in series]
    dressed = {name: palette().dress(mark, name, i) for i, (name, mark) in enumerate(fixed)}
    looks = {**assign_marks(series), **dressed}
    ordered = [name for name in SERIES_MARKS if name in series]
    ordered += [name for name in series if name not in SERIES_MARKS]
    for limit in exhibit.limits:
        axes.axvline(limit, color=GREY, linestyle=":", linewidth=1)
    offsets = dict(zip(ordered, np.linspace(-0.28, 0.28, len(ordered)), strict=True))
    for i, (row, name) in enumerate(zip(exhibit.row, exhibit.series, strict=True)):
        ends = (exhibit.low[i], exhibit.high[i])
        _paint_mark(axes, float(values[i]), ends, row + offsets[name], looks[name])
    _label_rows(exhibit, axes)
    return Legend({name: looks[name] for name in ordered})


def _paint_mark(
    axes: Axes, value: float, ends: tuple[float, float], height: float, look: Mark
) -> None:
    if np.isfinite(ends).all():
        axes.plot(ends, [height, height], color=look.colour, linewidth=1.4)
    if np.isfinite(value):
        axes.plot([value], [height], **dot_style(look, 4.5))


def _label_rows(exhibit: Forest, axes: Axes) -> None:
    """Write the names of the rows at the left and the words of their notes at the right."""
    count = len(exhibit.rows)
    names = [wrap_text(name, LABEL_WIDTH) for name in exhibit.rows]
    axes.set_yticks(range(count), names)
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_xlabel(exhibit.value_label)
    for row, note in enumerate(exhibit.notes):
        words = wrap_text(note, NOTE_WIDTH)
        axes.text(1.01, row, words, transform=axes.get_yaxis_transform(), va="center", fontsize=7)
    for edge in np.arange(0.5, count - 1):
        axes.axhline(edge, color=PALE, linewidth=0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", alpha=0.3)
