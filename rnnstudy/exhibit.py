"""What can be shown, as plain data. Analyses return exhibits; only `report/` draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class Exhibit:
    """One thing to show: a title, and a caption that says how to read it."""

    title: str
    caption: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Note(Exhibit):
    """A sentence or two."""

    text: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Table(Exhibit):
    """Named columns of equal length; values are text, numbers, booleans or None (shown empty)."""

    columns: Mapping[str, Sequence[Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scatter(Exhibit):
    """Points in the plane: `points` [point, 2], named groupings [point] that may colour them."""

    points: Array
    labels: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    x_label: str = ""
    y_label: str = ""
    equal_axes: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class Matrix(Exhibit):
    """A labelled matrix `values` [row, column]; `groups` are the row labels' named groupings."""

    values: Array
    labels: Sequence[str]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    value_label: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """A line: `y` [x], with an optional band `low`..`high`; `panel` says on which axes it is drawn.

    Curves of the same `label` share a colour across panels.
    """

    x: Array
    y: Array
    label: str
    low: Array | None = None
    high: Array | None = None
    panel: str = ""
    dashed: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Curves(Exhibit):
    """Lines on one or several panels (small multiples in the order of first appearance)."""

    curves: Sequence[Curve]
    x_label: str
    y_label: str
    log_y: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Space3D(Exhibit):
    """Trajectories and marked points in three dimensions (principal components).

    `lines`: each [time, 3]; `points` [point, 3] with a class name per point in `point_groups`.
    """

    lines: Sequence[Array]
    points: Array
    point_groups: Sequence[str]
    axis_labels: tuple[str, str, str] = ("PC 1", "PC 2", "PC 3")
    point_labels: Sequence[str] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Panels(Exhibit):
    """Several exhibits of one kind side by side, each under its own title (one per combination)."""

    exhibits: Sequence[Exhibit]
    columns: int = 4


@dataclass(frozen=True, eq=False, kw_only=True)
class Graph(Exhibit):
    """A directed graph: node names with a group each, edges (source, target, weight)."""

    nodes: Sequence[str]
    groups: Sequence[str]
    edges: Sequence[tuple[int, int, float]]
