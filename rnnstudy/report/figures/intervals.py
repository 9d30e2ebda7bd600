"""Figures of intervals: forest plots and specification curves."""

from functools import partial
from typing import Any

import numpy as np

from rnnstudy.core.exhibit import Intervals, SpecificationCurve
from rnnstudy.report.figures.panels import Axes, Legend, Panel, dot_style, paint_reason
from rnnstudy.report.style import BLUE, GREY, Mark, assign_marks, palette, shorten

ROW = 0.26
"""Inches per row of a forest plot."""

CHOICE_ROW = 0.15
"""Inches per row of the choices below a specification curve."""

CURVE_HEIGHT = 1.7
"""Inches of the effects of a specification curve."""

CURVE_LEGEND = 0.25
"""Inches of the legend above them."""


def interval_panels(exhibit: Intervals) -> list[Panel]:
    """Return one panel for each title, with one row for each value."""
    titles = list(exhibit.panels) or [""] * len(exhibit.values)
    looks = assign_marks(exhibit.labels)
    parts = []
    for title in dict.fromkeys(titles):
        rows = [i for i, other in enumerate(titles) if other == title]
        height = 0.55 + ROW * max(len(rows), 2)
        paint = partial(paint_intervals, exhibit, rows, looks)
        parts.append(Panel(paint, size=(3.7, height), title=title, aligned=True))
    return parts or [Panel(paint_reason, size=(3.7, 1.0))]


def paint_intervals(
    exhibit: Intervals, rows: list[int], looks: dict[str, Mark], axes: Axes
) -> Legend:
    """Paint values as dots and intervals as lines, from top to bottom."""
    axes.set_yticks(range(len(rows)), [shorten(exhibit.labels[i]) for i in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(exhibit.value_label)
    shown = [i for i in rows if np.isfinite(exhibit.values[i])]
    if not shown:
        return paint_reason(axes)
    if exhibit.reference is not None:
        axes.axvline(exhibit.reference, color=GREY, linestyle=":", linewidth=1)
    for position, i in enumerate(rows):
        if i not in shown:
            axes.text(0.5, position, "no value", transform=axes.get_yaxis_transform(),
                      ha="center", va="center", style="italic")  # fmt: skip
            continue
        mark = looks[exhibit.labels[i]]
        axes.plot([exhibit.low[i], exhibit.high[i]], [position] * 2, color=mark.colour, linewidth=2)
        axes.plot([exhibit.values[i]], [position], **dot_style(mark, 5.0))
    axes.locator_params(axis="x", nbins=5)
    axes.grid(axis="x", alpha=0.3)
    return Legend()


def curve_panels(exhibit: SpecificationCurve) -> list[Panel]:
    """Return a single panel with two parts: effects above, choices below."""
    return [
        Panel(
            partial(paint_specification_curve, exhibit),
            size=(6.6, CURVE_LEGEND + CURVE_HEIGHT + CHOICE_ROW * (_choice_rows(exhibit) + 1)),
        )
    ]


def _choice_rows(exhibit: SpecificationCurve) -> int:
    """Return the number of values of all choices, and one row between two choices."""
    return sum(len({*values} - {""}) + 1 for values in exhibit.choices.values())


def paint_specification_curve(exhibit: SpecificationCurve, axes: Axes) -> Legend:
    """Paint effects in order of size with their intervals, and a matrix of choices below."""
    order = [i for i in exhibit.order if np.isfinite(exhibit.effects[i])]
    if not order:
        return paint_reason(axes)
    axes.set_axis_off()
    below = CHOICE_ROW * _choice_rows(exhibit)
    height = below + CURVE_HEIGHT + CURVE_LEGEND
    share = below / height
    top = axes.inset_axes((0.0, share + 0.02, 1.0, 0.98 - share - CURVE_LEGEND / height))
    matrix = axes.inset_axes((0.0, 0.0, 1.0, share), sharex=top)
    _paint_effects(exhibit, order, top)
    _paint_choices(exhibit, order, matrix)
    return Legend()


def _paint_effects(exhibit: SpecificationCurve, order: list[int], axes: Any) -> None:
    x = np.arange(len(order))
    supports = np.array([exhibit.supports[i] for i in order], bool)
    effects, low, high = (
        np.asarray(v)[order] for v in (exhibit.effects, exhibit.low, exhibit.high)
    )
    if exhibit.reference is not None:
        axes.axhline(exhibit.reference, color=GREY, linestyle=":", linewidth=1)
    marks = (("supports the claim", supports, BLUE), ("does not support it", ~supports, GREY))
    for name, chosen, colour in marks:
        if chosen.any():
            axes.vlines(x[chosen], low[chosen], high[chosen], color=colour, linewidth=1.2)
            axes.plot(x[chosen], effects[chosen], "o", color=colour, markersize=3.2, label=name)
    axes.set_ylabel(exhibit.effect_label)
    axes.tick_params(axis="x", labelbottom=False, bottom=False)
    axes.set_xlim(-0.8, len(order) - 0.2)
    axes.spines["bottom"].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.0)


def _paint_choices(exhibit: SpecificationCurve, order: list[int], axes: Any) -> None:
    ticks, names, row = [], [], 0
    for choice, values in exhibit.choices.items():
        axes.text(-0.01, row, choice, transform=axes.get_yaxis_transform(), ha="right", va="center",
                  weight="bold")  # fmt: skip
        for value in (each for each in dict.fromkeys(values) if each):
            row += 1
            at = [x for x, i in enumerate(order) if values[i] == value]
            axes.plot(at, [row] * len(at), "s", color=palette().ink, markersize=2.6)
            axes.axhline(row, color=GREY, linewidth=0.3, alpha=0.5, zorder=0)
            ticks.append(row)
            names.append(shorten(str(value)))
        row += 1
    axes.set_yticks(ticks, names)
    axes.set_ylim(row - 0.4, -0.6)
    axes.tick_params(axis="both", length=0, labelbottom=False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(f"{len(order)} specifications, in order of the effect")
