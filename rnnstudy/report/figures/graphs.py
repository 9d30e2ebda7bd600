"""Directed graphs."""

from functools import partial
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Graph
from rnnstudy.report.figures.panels import Axes, Legend, Panel, dot_style, paint_reason
from rnnstudy.report.style import GREY, assign_marks, palette, sort_names

MAX_NAMED_NODES = 40
"""Most nodes of a graph that carry their names."""

NAME_BACKGROUND = {"edgecolor": "none", "alpha": 0.7, "pad": 0.4}
"""Background of names that arrows pass, in the colour of the paper."""


def graph_panels(exhibit: Graph) -> list[Panel]:
    """Return a single panel: nodes in layers, one per group, or at the exhibit's positions."""
    if exhibit.positions is None:
        return [Panel(partial(paint_graph, exhibit), size=(5.2, 3.6))]
    return [Panel(partial(paint_positioned, exhibit, exhibit.positions), size=(3.9, 3.6))]


def paint_graph(exhibit: Graph, axes: Axes) -> Legend:
    """Paint nodes as marks, edges as arrows whose width grows with their weight."""
    axes.set_axis_off()
    if not exhibit.nodes:
        return paint_reason(axes, "no nodes")
    positions = layer_positions(exhibit)
    bent = {"connectionstyle": "arc3,rad=0.08", "shrinkA": 6, "shrinkB": 6}
    for edge in exhibit.edges:
        _arrow(axes, exhibit, edge, positions, 1.2, {"color": GREY, **bent})
    marks = assign_marks(exhibit.groups, unstable=True)
    middle = positions[:, 1].mean()
    for position, name, group in zip(positions, exhibit.nodes, exhibit.groups, strict=True):
        axes.plot(*position, **dot_style(marks[group], 9))
        if len(exhibit.nodes) <= MAX_NAMED_NODES:
            offset, side = (8, "bottom") if position[1] > middle else (-8, "top")
            axes.annotate(
                name, position, (0, offset), textcoords="offset points", ha="center", va=side
            )
    axes.margins(0.1, 0.15)
    return Legend(marks, exhibit.group_label)


def paint_positioned(exhibit: Graph, positions: Array, axes: Axes) -> Legend:
    """Paint nodes at positions [node, 2] that have a meaning.

    Arrows are straight, in the colour of their source. Names point away from the middle.
    """
    axes.set_axis_off()
    if not exhibit.nodes:
        return paint_reason(axes, "no nodes")
    marks = assign_marks(exhibit.groups, unstable=True)
    straight = {"mutation_scale": 6, "shrinkA": 3, "shrinkB": 3.5, "alpha": 0.75}
    for edge in exhibit.edges:
        style = {"color": marks[exhibit.groups[edge[0]]].colour, **straight}
        _arrow(axes, exhibit, edge, positions, 0.8, style)
    middle = positions.mean(axis=0)
    for position, name, group in zip(positions, exhibit.nodes, exhibit.groups, strict=True):
        axes.plot(*position, **dot_style(marks[group], 5), zorder=3)
        direction = position - middle
        offset = 9 * direction / max(float(np.linalg.norm(direction)), 1e-12)
        axes.annotate(
            name, position, tuple(offset), textcoords="offset points", ha="center", va="center",
            fontsize=7, zorder=2.5, bbox={**NAME_BACKGROUND, "facecolor": palette().paper},
        )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.12)
    return Legend(marks, exhibit.group_label)


def _arrow(
    axes: Axes, exhibit: Graph, edge: tuple[int, int, float], positions: Array, width: float,
    look: dict[str, Any],
) -> None:  # fmt: skip
    source, target, weight = edge
    if source == target:
        return
    heaviest = max((abs(each[2]) for each in exhibit.edges), default=1.0) or 1.0
    line = {"arrowstyle": "-|>", "lw": 0.4 + width * abs(weight) / heaviest, **look}
    axes.annotate("", positions[target], positions[source], arrowprops=line)


def layer_positions(exhibit: Graph) -> Array:
    """Return positions [node, 2]: a circle for one group, else a row per group, first below."""
    order = sort_names(exhibit.groups)
    if len(order) == 1:
        angle = 2 * np.pi * np.arange(len(exhibit.nodes)) / len(exhibit.nodes)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    positions = np.zeros((len(exhibit.nodes), 2))
    for row, group in enumerate(order):
        inside = [i for i, name in enumerate(exhibit.groups) if name == group]
        positions[inside, 0] = (np.arange(len(inside)) + 0.5) / len(inside)
        positions[inside, 1] = row
    return positions
