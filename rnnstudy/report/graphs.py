"""Directed graphs."""

from functools import partial

import numpy as np

from rnnstudy.exhibit import Graph
from rnnstudy.report.style import GREY, in_order, marks
from rnnstudy.report.tiles import Array, Axes, Legend, Tile, dot_look, no_data

NAMED_NODES = 40
"""Most nodes of a graph that carry their names."""


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
