"""Labelled square matrices as heat maps, with their groups marked along both sides."""

from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Matrix
from rnnstudy.report.figures.panels import Axes, Legend, Panel, paint_reason
from rnnstudy.report.style import PALE, assign_marks, shorten, sort_names, varying_parts

MAX_LABELLED_ROWS = 26
"""Largest number of rows with names; above it only groups have names."""

STRIP, GAP = 0.022, 0.008
"""Width of a group's colour strip and of the gap beside it, as shares of the matrix's side."""


class LabelRun(NamedTuple):
    """Neighbouring rows of the same groups: first row, row after the last, name."""

    start: int
    stop: int
    name: str


def matrix_panels(exhibit: Matrix) -> list[Panel]:
    """Return a single panel."""
    strips = len(useful_groups(exhibit)) * (STRIP + GAP)
    return [Panel(partial(paint_matrix, exhibit), size=(5.6, 4.8), title_pad=6 + 250 * strips)]


def paint_matrix(exhibit: Matrix, axes: Axes) -> Legend:
    """Paint a heat map with a colour bar.

    Missing values are pale; groups are strips and white lines.
    """
    size = len(exhibit.labels)
    axes.set(xticks=[], yticks=[])
    values = np.ma.masked_invalid(np.asarray(exhibit.values, float))
    if size == 0 or values.count() == 0:
        return paint_reason(axes)
    image = axes.imshow(values, interpolation="nearest", **colour_scale(values))
    label = exhibit.value_label + (" (pale: none)" if np.ma.is_masked(values) else "")
    image.get_figure().colorbar(image, ax=axes, label=label.strip(), shrink=0.8, pad=0.03)
    for side in axes.spines.values():
        side.set_visible(False)
    groups = useful_groups(exhibit)
    row_runs = label_runs(exhibit, groups)
    offset = _paint_strips(axes, groups, size)
    is_told_by_groups = len(groups) == len(varying_groups(exhibit))
    if groups and is_told_by_groups and len(row_runs) <= max(size // 2, 1):
        _paint_runs(axes, row_runs, offset)
    elif size <= MAX_LABELLED_ROWS:
        _label_rows(axes, range(size), varying_parts(exhibit.labels), offset)
    return Legend()


def colour_scale(values: Any) -> dict[str, Any]:
    """Return perceptually uniform colours from 0, or from the middle if signs differ."""
    import matplotlib as mpl

    low, high = float(values.min()), float(values.max())
    if low < 0 < high:
        high = max(-low, high)
        low, name = -high, "RdBu_r"
    else:
        name = "viridis"
        low = min(low, 0.0) if low < 0.5 * high else low
    palette = mpl.colormaps[name].with_extremes(bad=PALE)
    return {"cmap": palette, "vmin": low, "vmax": high if high > low else low + 1.0}


def varying_groups(exhibit: Matrix) -> dict[str, list[str]]:
    """Return groupings of more than one name."""
    return {
        name: [str(value) for value in values]
        for name, values in exhibit.groups.items()
        if len(set(values)) > 1
    }


def useful_groups(exhibit: Matrix) -> dict[str, list[str]]:
    """Return groupings whose names are at most half as many as the rows."""
    most = max(len(exhibit.labels) // 2, 1)
    return {
        name: values for name, values in varying_groups(exhibit).items() if len(set(values)) <= most
    }


def label_runs(exhibit: Matrix, groups: dict[str, list[str]]) -> list[LabelRun]:
    """Return neighbouring rows that share all groups, named by them."""
    names = [" ".join(row) for row in zip(*groups.values(), strict=True)]
    row_runs, start = [], 0
    for name, rows in groupby(names):
        stop = start + len(list(rows))
        row_runs.append(LabelRun(start, stop, name))
        start = stop
    return row_runs


def _paint_strips(axes: Axes, groups: dict[str, list[str]], size: int) -> float:
    """Paint colour strips above and to the left, and return their total width.

    The first grouping is outermost.
    """
    for position, (_, values) in enumerate(reversed(groups.items())):
        looks = assign_marks(values)
        order = sort_names(values)
        codes = np.array([order.index(value) for value in values])
        offset = GAP + position * (STRIP + GAP)
        for box, shape in (
            ((-offset - STRIP, 0, STRIP, 1), (size, 1)),
            ((0, 1 + offset, 1, STRIP), (1, size)),
        ):
            _strip(axes, box, codes.reshape(shape), [looks[name].colour for name in order])
    return GAP + len(groups) * (STRIP + GAP)


def _strip(axes: Axes, box: tuple[float, ...], codes: Array, palette: list[str]) -> None:
    from matplotlib.colors import ListedColormap

    strip = axes.inset_axes(box)
    last = len(palette) - 1
    strip.imshow(codes, aspect="auto", cmap=ListedColormap(palette), vmin=-0.5, vmax=last + 0.5)
    strip.set_axis_off()


def _paint_runs(axes: Axes, row_runs: list[LabelRun], offset: float) -> None:
    for run in row_runs[1:]:
        axes.axhline(run.start - 0.5, color="white", linewidth=0.7)
        axes.axvline(run.start - 0.5, color="white", linewidth=0.7)
    centres = [(run.start + run.stop - 1) / 2 for run in row_runs]
    if len(row_runs) <= MAX_LABELLED_ROWS:
        _label_rows(axes, centres, [run.name for run in row_runs], offset)


def _label_rows(axes: Axes, positions: Any, names: list[str], offset: float) -> None:
    """Write names at the left, beyond the strips, and at the bottom."""
    size = 7.5 if len(names) <= 16 else 5.5
    rows, columns = axes.get_yaxis_transform(), axes.get_xaxis_transform()
    x, y = -offset - GAP, -2 * GAP
    for position, name in zip(positions, map(shorten, names), strict=True):
        axes.text(x, position, name, transform=rows, ha="right", va="center", fontsize=size)
        axes.text(
            position, y, name, transform=columns, ha="center", va="top", rotation=90, fontsize=size
        )
