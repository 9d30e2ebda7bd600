"""Figures in the plane: scatter plots, strips of single numbers, and curves."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Scatter, StackedBars, Strip
from rnnstudy.report.figures.panels import (
    Axes,
    Legend,
    Panel,
    dot_style,
    finite_rows,
    is_dense,
    line_style,
    paint_reason,
)
from rnnstudy.report.style import GREY, PALE, Mark, assign_marks, palette, shorten, sort_names

MEDIAN_ARM = 0.36
"""Length of the bar at a median to either side, in rows."""

JITTER = 0.22
"""Half the height, in rows, over which the dots of a strip are spread."""

LABELLED_SHARE = 0.04
"""Least length of a part of a bar that has its length written on it, as a share of the longest."""

PART_BACKGROUND = {"edgecolor": "none", "alpha": 0.8, "pad": 0.6}
"""Background of the length of a part, in the colour of the paper."""


def scatter_panels(exhibit: Scatter) -> list[Panel]:
    """Return a panel per grouping: the same points, coloured by another property."""
    names = list(exhibit.groups) or [""]
    return [
        Panel(
            partial(paint_scatter, exhibit, name),
            size=(3.6, 2.7),
            title=f"by {name}" if name else "",
            own_legend=True,
        )
        for name in names
    ]


def paint_scatter(exhibit: Scatter, grouping: str, axes: Axes) -> Legend:
    """Paint finite points, coloured by one grouping."""
    axes.set(xlabel=exhibit.x_label, ylabel=exhibit.y_label)
    if exhibit.equal_axes:
        axes.set_aspect("equal", adjustable="datalim")
    keep = finite_rows(exhibit.points)
    if not keep.any():
        return paint_reason(axes)
    groups = np.asarray(exhibit.groups.get(grouping, [""] * len(exhibit.points)), dtype=str)
    looks = assign_marks(groups.tolist())
    # In the order of the legend, the last group would hide the others.
    for name in reversed(list(looks)):
        chosen = keep & (groups == name)
        style = dot_style(looks[name])
        axes.plot(*exhibit.points[chosen].T, **style, alpha=0.85, rasterized=is_dense(keep.sum()))
    axes.margins(0.08)
    # Long decimals stand on the axis of a small panel: more of them would touch.
    axes.locator_params(nbins=5)
    return Legend(looks, grouping) if grouping else Legend()


def strip_panels(exhibit: Strip) -> list[Panel]:
    """Return a single panel with one row per category."""
    rows = len(sort_names(exhibit.categories))
    return [Panel(partial(paint_strip, exhibit), size=(5.4, 0.9 + 0.28 * max(rows, 1)))]


def paint_strip(exhibit: Strip, axes: Axes) -> Legend:
    """Paint dots in rows and medians as bars; values that are not finite are counted."""
    values, usable = np.asarray(exhibit.values, float), usable_values(exhibit)
    categories = np.asarray(exhibit.categories, dtype=str)
    looks = assign_marks(categories.tolist())
    axes.set_yticks(range(len(looks)), [shorten(name) for name in looks])
    axes.set_ylim(len(looks) - 0.4, -0.6)
    axes.set_xlabel(exhibit.value_label)
    if not usable.any():
        return paint_reason(axes)
    if exhibit.log:
        axes.set_xscale("log")
    if exhibit.limit is not None:
        axes.axvline(exhibit.limit, color=GREY, linestyle=":", linewidth=1)
    for row, (name, mark) in enumerate(looks.items()):
        shown = values[usable & (categories == name)]
        _paint_row(axes, row, shown, mark, is_dense(usable.sum()))
        missing = int((~usable & (categories == name)).sum())
        if missing:
            axes.text(
                1.01, row, f"{missing} not shown", transform=axes.get_yaxis_transform(), va="center"
            )
    _few_ticks(axes, [*values[usable], *([] if exhibit.limit is None else [exhibit.limit])])
    axes.grid(axis="x", alpha=0.3)
    return Legend()


def usable_values(exhibit: Strip) -> Array:
    """Return which values have a place on the axis: finite ones, on a logarithmic axis above 0."""
    values = np.asarray(exhibit.values, float)
    return np.isfinite(values) & ((values > 0) | (not exhibit.log))


def _few_ticks(axes: Axes, shown: list[float]) -> None:
    """Set ticks that fit on a small panel: `3 x 10^-2` between decades is wide."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter

    if axes.get_xscale() != "log":
        axes.xaxis.set_major_locator(MaxNLocator(5))
        return
    decades = np.log10(max(shown) / min(shown))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if decades < 0.7:
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    else:
        between = (1.0, 3.0) if decades < 1.5 else (1.0,)
        axes.xaxis.set_major_locator(LogLocator(subs=between, numticks=6))


def _paint_row(axes: Axes, row: int, values: Any, mark: Mark, in_pixels: bool) -> None:
    if len(values) == 0:
        return
    heights = row + np.linspace(-JITTER, JITTER, len(values)) * (len(values) > 1)
    axes.plot(values, heights, **dot_style(mark, 4.5), alpha=0.85, rasterized=in_pixels)
    median = float(np.median(values))
    ends = [row - MEDIAN_ARM, row + MEDIAN_ARM]
    axes.plot([median, median], ends, color=mark.colour, linewidth=2)


def bars_panels(exhibit: StackedBars) -> list[Panel]:
    """Return a single panel with one bar per category."""
    rows = max(len(exhibit.categories), 1)
    return [Panel(partial(paint_bars, exhibit), size=(4.6, 0.9 + 0.28 * rows), own_legend=True)]


def paint_bars(exhibit: StackedBars, axes: Axes) -> Legend:
    """Paint stacked bars in the order of the categories, with the length of each part."""
    total = np.asarray(exhibit.total, float)
    axes.set_xlabel(exhibit.value_label)
    if not np.isfinite(total).all() or not (total > 0).any():
        return paint_reason(axes)
    rows = np.arange(len(exhibit.categories))
    axes.set_yticks(rows, [shorten(name) for name in exhibit.categories])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    looks = assign_marks(name for name in exhibit.values if name != exhibit.rest)
    looks |= {exhibit.rest: Mark(PALE)} if exhibit.rest else {}
    start = np.zeros(len(rows))
    for name, values in exhibit.values.items():
        lengths = np.asarray(values, float)
        _paint_parts(axes, rows[lengths > 0], lengths[lengths > 0], start[lengths > 0], looks[name])
        for row in np.flatnonzero(lengths > LABELLED_SHARE * total.max()):
            axes.text(
                start[row] + 0.5 * lengths[row], row, f"{lengths[row]:g}", ha="center", va="center",
                fontsize=6.5, bbox={**PART_BACKGROUND, "facecolor": palette().paper},
            )  # fmt: skip
        start = start + lengths
    axes.set_xlim(0, 1.02 * total.max())
    axes.locator_params(axis="x", nbins=6, integer=bool((total == np.rint(total)).all()))
    return Legend({name: replace(looks[name], marker="s") for name in exhibit.values})


def _paint_parts(axes: Axes, rows: Any, lengths: Any, start: Any, mark: Mark) -> None:
    """Paint the parts of one name, hatched where its mark is open."""
    axes.barh(
        rows, lengths, 0.72, start, facecolor=mark.colour if mark.filled else palette().paper,
        edgecolor=mark.colour, hatch=None if mark.filled else "////", linewidth=0.8,
    )  # fmt: skip


def curves_panels(exhibit: Curves) -> list[Panel]:
    """Return the panels in the order of first appearance."""
    panels = list(dict.fromkeys(curve.panel for curve in exhibit.curves)) or [""]
    looks = assign_marks(curve.label for curve in exhibit.curves)
    return [
        Panel(
            partial(paint_curves, exhibit, panel, looks),
            size=(4.8, 2.7),
            title=panel,
            aligned=True,
        )
        for panel in panels
    ]


def paint_curves(exhibit: Curves, panel: str, looks: dict[str, Mark], axes: Axes) -> Legend:
    """Paint the curves of one panel with their bands; values that are not finite are gaps."""
    axes.set(xlabel=exhibit.x_label, ylabel=exhibit.y_label)
    if exhibit.log_y:
        axes.set_yscale("log")
    curves = [curve for curve in exhibit.curves if curve.panel == panel]
    drawn = [curve for curve in curves if _paint_curve(axes, curve, looks, exhibit.log_y)]
    axes.margins(x=0)
    if not drawn:
        return paint_reason(axes)
    names = {curve.label for curve in drawn}
    return Legend({n: look for n, look in looks.items() if n in names and n}, lines=True)


def _paint_curve(axes: Axes, curve: Curve, looks: dict[str, Mark], log: bool) -> bool:
    y = _finite_values(curve.y, log)
    if not np.isfinite(y).any():
        return False
    look = line_style(looks[curve.label])
    if curve.dashed:
        # On top and thin: a target that the output follows closely would be hidden otherwise.
        look |= {"linestyle": "--", "linewidth": 0.9, "zorder": 3}
    if curve.low is not None and curve.high is not None:
        low, high = _finite_values(curve.low, log), _finite_values(curve.high, log)
        axes.fill_between(curve.x, low, high, color=look["color"], alpha=0.18, linewidth=0)
    # A line needs two neighbours: a lone finite value would vanish without its dot.
    lone = {"marker": ".", "markersize": 4} if np.isfinite(y).sum() == 1 else {}
    axes.plot(curve.x, y, **look, **lone)
    return True


def _finite_values(values: Any, log: bool) -> Any:
    values = np.asarray(values, float)
    return np.where(np.isfinite(values) & ((values > 0) | (not log)), values, np.nan)
