"""Parts of panels: grids of axes, maps, trajectories, bands, signals and legends."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.report.figures.panels import (
    Axes,
    Legend,
    dot_style,
    finite_rows,
    legend_handles,
    line_style,
)
from rnnstudy.report.figures.space import box_sides
from rnnstudy.report.paper_figures.tables import FACTORS, groups_of
from rnnstudy.report.style import WORD_MARKS, Mark, assign_marks, palette

Frame = Any
"""Matplotlib figure, or the part of one that a panel fills."""

PC = ("pc_1", "pc_2", "pc_3")

AXIS_LABEL_PAD = -15.0
"""Points by which labels of three axes move inwards, into the room for numbers."""

CUBE_ZOOM = 0.92
"""Size of a cube in its axes, 1 being matplotlib's own. The label of the last axis needs room."""

COLOUR_MAP = "viridis"
"""Colours of ordered values, such as the frequency of a cue."""

DOT_SIZES = ((60, 4.5), (200, 3.5), (1000, 2.5))
"""Largest number of networks of a map, and the size of their dots in points; 2 above."""


def axes_grid(frame: Frame, count: int, aspect: float = 1.0, **options: Any) -> list[Axes]:
    """Return so many axes in a grid that gives each the most room.

    Parameters
    ----------
    frame
        The figure.
    count
        Number of axes.
    aspect
        Width of an axes, as a multiple of its height, that suits its contents.
    options
        Options of `subplots`.
    """
    width, height = frame.bbox.width, frame.bbox.height

    def size(columns: int) -> float:
        return float(min(width / columns / aspect, height / -(-count // columns)))

    columns = max(range(1, count + 1), key=size)
    grid = frame.subplots(-(-count // columns), columns, squeeze=False, **options).ravel()
    for empty in grid[count:]:
        empty.remove()
    return list(grid[:count])


def add_legend(owner: Any, legend: Legend, columns: int, loc: str = "outside lower center") -> None:
    """Add a legend to a figure or to axes; none without marks."""
    if legend.marks:
        handles = legend_handles(legend)
        owner.legend(handles=handles, title=legend.title or None, loc=loc, ncols=columns)


def paint_maps(frame: Frame, table: Any) -> None:
    """Paint a map of networks twice: coloured by cell, and by activation."""
    for axes, factor in zip(axes_grid(frame, len(FACTORS)), FACTORS, strict=True):
        paint_map(axes, table, factor)


def paint_map(axes: Axes, table: Any, factor: str) -> None:
    """Paint a map of networks that is coloured by one field of them, with a legend below."""
    marks = assign_marks(table[factor].astype(str))
    places, levels = table[["mds_1", "mds_2"]].to_numpy(float), table[factor].astype(str)
    size = next((size for most, size in DOT_SIZES if len(table) <= most), 2.0)
    # In the order of the legend, the last group would hide the others.
    for name in reversed(list(marks)):
        axes.plot(*places[(levels == name).to_numpy()].T, **dot_style(marks[name], size), alpha=0.8)
    axes.set(xticks=[], yticks=[], xlabel="MDS 1", ylabel="MDS 2", title=f"by {factor}")
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08)
    axes.legend(
        handles=legend_handles(Legend(marks)),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.12),
        ncols=2,
    )


def paint_bands(axes: Axes, means: Any, x: str, factor: str) -> None:
    """Paint means over networks with bands of one standard error, one line for each level."""
    rows = means[means["factor"] == factor]
    marks = assign_marks(rows["level"].astype(str))
    for level, group in groups_of(rows, "level"):
        mark, y = marks[str(level)], group["mean"].to_numpy(float)
        error = group["standard_error"].fillna(0.0).to_numpy(float)
        band = {"color": mark.colour, "alpha": 0.2, "linewidth": 0}
        axes.fill_between(group[x], y - error, y + error, **band)
        axes.plot(group[x], y, **{**line_style(mark), "linewidth": 1.0})
    axes.margins(x=0.02)
    add_legend(axes, Legend(marks, lines=True), 1, "best")


def paint_signals(axes: Axes, table: Any, signals: Sequence[str]) -> dict[str, Mark]:
    """Paint signals of one channel over time, and return their marks."""
    marks = {name: palette().dress(WORD_MARKS[name], name, 0) for name in signals}
    for name, mark in marks.items():
        rows = table[table["signal"] == name]
        on_top = {"zorder": 3} if name == "target" else {}
        axes.plot(rows["time"], rows["value"], **{**line_style(mark), "linewidth": 0.8}, **on_top)
    axes.margins(x=0.01)
    return marks


def time_label(table: Any) -> str:
    """Return the label of an axis of time."""
    return {"steps": "time step", "seconds": "time (s)"}[table["time_unit"].iloc[0]]


def paint_paths(axes: Axes, paths: Iterable[tuple[Array, Any]], points: Any = None) -> None:
    """Paint trajectories with their colours, and points as black dots.

    Parameters
    ----------
    axes
        Axes with two or three dimensions.
    paths
        Positions [time, component] and colour of each trajectory.
    points
        Positions [point, component] and colours of points. Default: none.
    """
    count = 3 if hasattr(axes, "zaxis") else 2
    drawn = [np.empty((0, count))]
    for path, colour in paths:
        axes.plot(*path[:, :count].T, color=colour, lw=0.6, alpha=0.8)
        drawn.append(path[:, :count])
    if points is not None:
        places, colours = points
        look = {"s": 9, "edgecolors": palette().ink, "linewidths": 0.4, "zorder": 5}
        deep = {"depthshade": False} if count == 3 else {}
        axes.scatter(*places[:, :count].T, c=colours, **look, **deep)
        drawn.append(places[:, :count])
    positions = np.concatenate(drawn)
    finish_space(axes, positions[finite_rows(positions)])


def finish_space(axes: Axes, positions: Array) -> None:
    """Label the axes of principal components, and give them one scale."""
    names = "xyz"[: positions.shape[1]]
    for i, name in enumerate(names):
        axes.set(**{f"{name}label": f"PC {i + 1}", f"{name}ticks": []})
    if len(names) == 2:
        axes.set_aspect("equal", adjustable="datalim")
        return
    axes.patch.set_visible(False)
    for name in names:
        axis = getattr(axes, f"{name}axis")
        axis.labelpad = AXIS_LABEL_PAD
        axis.set_pane_color(palette().pane)
    sides = box_sides(positions)
    axes.set_box_aspect(sides, zoom=CUBE_ZOOM * np.linalg.norm(sides) / np.sqrt(3))
    axes.view_init(elev=24, azim=-58)


def colour_scale_of(values: Any) -> Any:
    """Return the mapping of ordered values to colours, for lines and for a colour bar."""
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    numbers = np.asarray(values, float)
    low, high = float(numbers.min()), float(numbers.max())
    return ScalarMappable(
        Normalize(low, high if high > low else low + 1.0), mpl.colormaps[COLOUR_MAP]
    )


def paint_networks(
    frame: Frame, tables: Mapping[str, Any], colour: str, label: str, **grid: Any
) -> None:
    """Paint trajectories and points of several networks, each in its own principal components.

    Parameters
    ----------
    frame
        The figure.
    tables
        `trajectories` and `points`.
    colour
        Column that determines the colours of trajectories.
    label
        Label of the colour bar.
    grid
        Options of `axes_grid`.
    """
    paths, points = tables["trajectories"], tables["points"]
    scale = colour_scale_of(paths[colour])
    networks = list(groups_of(paths, "member"))
    grid_axes = axes_grid(frame, len(networks), **grid)
    for axes, (member, rows) in zip(grid_axes, networks, strict=True):
        its_points = points[points["member"] == member]
        colours = (
            scale.to_rgba(its_points[colour].to_numpy()) if colour in points else palette().ink
        )
        lines = (
            (path[list(PC)].to_numpy(float), scale.to_rgba(value))
            for (_, value), path in groups_of(rows, "trial", colour)
        )
        paint_paths(axes, lines, (its_points[list(PC)].to_numpy(float), colours))
        axes.set_title(f"{rows['cell'].iloc[0]} {rows['activation'].iloc[0]}")
    frame.colorbar(scale, ax=grid_axes, label=label, shrink=0.7, aspect=18, pad=0.02)
