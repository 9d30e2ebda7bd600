"""Trajectories and fixed points in three dimensions, and directed graphs."""

from functools import partial

import numpy as np

from rnnstudy.exhibit import Graph, Space3D
from rnnstudy.report.style import GREY, Mark, in_order, marks
from rnnstudy.report.tiles import Array, Axes, Legend, Tile, dot_look, finite_rows, no_data

FLATTEST = 0.45
"""Least height of the box along its shortest side: flat data stay readable, if not to scale."""

REACH = 0.6
"""How far from the trajectories a point may lie, in units of their extent, to be drawn."""

LABEL_PAD = -13.5
"""Points by which axis labels move inwards, where matplotlib leaves room for numbers."""

ZOOM = 1.08
"""Size of a cube in its axes, 1 being matplotlib's own, which leaves wide margins."""

NAMED_NODES = 40
"""Most nodes of a graph that carry their names."""


def space_tiles(exhibit: Space3D) -> list[Tile]:
    """A single tile with three axes."""
    return [Tile(partial(paint_space, exhibit), size=(4.2, 4.0), projection="3d")]


def paint_space(exhibit: Space3D, axes: Axes) -> Legend:
    """Thin grey trajectories, marked points by class; a ValueError unless `axes` has three."""
    if not hasattr(axes, "zaxis"):
        raise ValueError(f"'{exhibit.title}' needs three-dimensional axes (projection='3d')")
    axes.patch.set_visible(False)  # else a neighbour's background hides the labels
    for axis, label in zip("xyz", exhibit.axis_labels, strict=True):
        axes.set(**{f"{axis}label": label, f"{axis}ticks": []})
        getattr(axes, f"{axis}axis").labelpad = LABEL_PAD
        getattr(axes, f"{axis}axis").set_pane_color((0.97, 0.97, 0.98, 1.0))
    near = in_view(exhibit)
    seen = np.concatenate([_path(exhibit), exhibit.points[near]])
    if len(seen) == 0:
        return no_data(axes, "nothing found")
    for line in exhibit.lines:
        axes.plot(*np.where(np.isfinite(line), line, np.nan).T, color=GREY, lw=0.5, alpha=0.55)
    looks = _paint_points(exhibit, near, axes)
    far = int((~near).sum())
    if far:
        axes.text2D(0.5, 0.0, f"{far} outside the view", transform=axes.transAxes, ha="center")
    sides = box(seen)
    # Matplotlib keeps the box's diagonal, so that a flat box would outgrow its axes.
    axes.set_box_aspect(sides, zoom=ZOOM * np.linalg.norm(sides) / np.sqrt(3))
    axes.view_init(elev=24, azim=-58)
    return Legend(looks, exhibit.group_label)


def _paint_points(exhibit: Space3D, near: Array, axes: Axes) -> dict[str, Mark]:
    names = np.asarray(exhibit.point_groups, dtype=str)
    looks = marks(names[near].tolist(), unstable=True)
    for name, mark in looks.items():
        axes.plot(*exhibit.points[near & (names == name)].T, **dot_look(mark, 5.0), zorder=5)
    return looks


def _path(exhibit: Space3D) -> Array:
    """All finite positions [position, 3] of the trajectories."""
    every = np.concatenate([np.empty((0, 3)), *exhibit.lines])
    return every[finite_rows(every)]


def in_view(exhibit: Space3D) -> Array:
    """Which points [point] are drawn: those not far from where the trajectories pass.

    A fixed point that no trajectory comes near would shrink all that matters to a dot.
    """
    near, path = finite_rows(exhibit.points), _path(exhibit)
    if len(path) < 2:
        return near
    reach = REACH * np.ptp(path, axis=0).max()
    low, high = path.min(axis=0) - reach, path.max(axis=0) + reach
    # Comparisons with NaN are False, as they should be here.
    return near & ((exhibit.points >= low) & (exhibit.points <= high)).all(axis=1)


def box(positions: Array) -> Array:
    """Sides [3] of the box around positions [position, 3], the longest 1."""
    if len(positions) == 0:
        return np.ones(3)
    spread = np.ptp(positions, axis=0)
    return np.maximum(spread / max(float(spread.max()), 1e-12), FLATTEST)


def graph_tiles(exhibit: Graph) -> list[Tile]:
    """A single tile with the nodes in layers, one layer per group."""
    return [Tile(partial(paint_graph, exhibit), size=(5.2, 3.6))]


def paint_graph(exhibit: Graph, axes: Axes) -> Legend:
    """Nodes as marks, edges as arrows whose width grows with their weight."""
    axes.set_axis_off()
    if not exhibit.nodes:
        return no_data(axes, "no nodes")
    places = layers(exhibit)
    heaviest = max((abs(edge[2]) for edge in exhibit.edges), default=1.0) or 1.0
    for source, target, weight in exhibit.edges:
        arrow = {
            "arrowstyle": "-|>",
            "color": GREY,
            "shrinkA": 6,
            "shrinkB": 6,
            "lw": 0.4 + 1.2 * abs(weight) / heaviest,
            "connectionstyle": "arc3,rad=0.08",
        }
        axes.annotate("", places[target], places[source], arrowprops=arrow)
    looks = marks(exhibit.groups, unstable=True)
    middle = places[:, 1].mean()
    for place, name, group in zip(places, exhibit.nodes, exhibit.groups, strict=True):
        axes.plot(*place, **dot_look(looks[group], 9))
        if len(exhibit.nodes) <= NAMED_NODES:
            away, side = (8, "bottom") if place[1] > middle else (-8, "top")
            axes.annotate(name, place, (0, away), textcoords="offset points", ha="center", va=side)
    axes.margins(0.1, 0.15)
    return Legend(looks)


def layers(exhibit: Graph) -> Array:
    """Positions [node, 2]: a circle if there is one group, else one row per group, first below."""
    order = in_order(exhibit.groups)
    if len(order) == 1:
        angle = 2 * np.pi * np.arange(len(exhibit.nodes)) / len(exhibit.nodes)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places = np.zeros((len(exhibit.nodes), 2))
    for row, group in enumerate(order):
        inside = [i for i, name in enumerate(exhibit.groups) if name == group]
        places[inside, 0] = (np.arange(len(inside)) + 0.5) / len(inside)
        places[inside, 1] = row
    return places
