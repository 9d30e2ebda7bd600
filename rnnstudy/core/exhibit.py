"""What can be shown, as plain data. Analyses return exhibits; only `report/` draws them.

Sizes are checked on construction (ValueError); values need not be: NaN is drawn as missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from rnnstudy.core.arrays import Array


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

    def __post_init__(self) -> None:
        sizes = {name: len(values) for name, values in self.columns.items()}
        _require(self, len(set(sizes.values())) <= 1, f"columns differ in length: {sizes}")

    @property
    def rows(self) -> int:
        """Number of rows."""
        return max((len(values) for values in self.columns.values()), default=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scatter(Exhibit):
    """Points in the plane: `points` [point, 2], with a panel for each named grouping [point]."""

    points: Array
    labels: Sequence[str]
    groups: Mapping[str, Sequence[str]]
    x_label: str = ""
    y_label: str = ""
    equal_axes: bool = True

    def __post_init__(self) -> None:
        _require_axes(self, "points", self.points, 2)
        _require_lengths(self, len(self.points), {"labels": self.labels, **self.groups})


@dataclass(frozen=True, eq=False, kw_only=True)
class Strip(Exhibit):
    """One number per network, `values` [point], in a row for each of the categories [point]."""

    values: Array
    categories: Sequence[str]
    labels: Sequence[str]
    value_label: str
    log: bool = False
    limit: float | None = None
    """A value to mark by a line, such as the criterion for `solved`."""

    def __post_init__(self) -> None:
        given = {"categories": self.categories, "labels": self.labels}
        _require_lengths(self, len(self.values), given)


@dataclass(frozen=True, eq=False, kw_only=True)
class Matrix(Exhibit):
    """A labelled square matrix `values` [row, row]; `groups` are the labels' named groupings."""

    values: Array
    labels: Sequence[str]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    value_label: str = ""

    def __post_init__(self) -> None:
        _require_axes(self, "values", self.values, len(self.labels))
        _require_lengths(self, len(self.values), {"labels": self.labels, **self.groups})


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

    def __post_init__(self) -> None:
        given = {"y": self.y, "low": self.low, "high": self.high}
        present = {name: values for name, values in given.items() if values is not None}
        _require_lengths(self, len(self.x), present)


@dataclass(frozen=True, eq=False, kw_only=True)
class Curves(Exhibit):
    """Lines on one or several panels (small multiples in the order of first appearance)."""

    curves: Sequence[Curve]
    x_label: str
    y_label: str
    log_y: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Space(Exhibit):
    """Trajectories and marked points in two or three dimensions (principal components).

    `lines`: each [time, axis]; `points` [point, axis] with a class name per point in
    `point_groups`; `directions`: each [end, axis], a short line through a point.
    """

    dimensions: ClassVar[int]

    lines: Sequence[Array]
    points: Array
    point_groups: Sequence[str]
    directions: Sequence[Array] = ()
    axis_labels: tuple[str, ...] = ("PC 1", "PC 2", "PC 3")
    point_labels: Sequence[str] = ()
    group_label: str = "unstable directions"
    """What the class names say; numbers of unstable directions have colours of their own."""

    def __post_init__(self) -> None:
        _require_axes(self, "points", self.points, self.dimensions)
        for name in ("lines", "directions"):
            for line in getattr(self, name):
                _require_axes(self, name, line, self.dimensions)
        _require_lengths(self, len(self.points), {"point_groups": self.point_groups})
        if len(self.point_labels):
            _require_lengths(self, len(self.points), {"point_labels": self.point_labels})


@dataclass(frozen=True, eq=False, kw_only=True)
class Space2D(Space):
    """In the plane."""

    dimensions: ClassVar[int] = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Space3D(Space):
    """In three dimensions."""

    dimensions: ClassVar[int] = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Panels(Exhibit):
    """Several exhibits of one kind side by side, each under its own title (one per combination)."""

    exhibits: Sequence[Exhibit]
    columns: int = 4

    def __post_init__(self) -> None:
        kinds = sorted({type(exhibit).__name__ for exhibit in self.exhibits})
        _require(self, len(kinds) <= 1, f"exhibits are of several kinds: {', '.join(kinds)}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Graph(Exhibit):
    """A directed graph: node names with a group each, edges (source, target, weight).

    `positions` [node, 2]: where nodes are drawn; None: in layers, one for each group.
    """

    nodes: Sequence[str]
    groups: Sequence[str]
    edges: Sequence[tuple[int, int, float]]
    positions: Array | None = None
    group_label: str = ""
    """What the class names say."""

    def __post_init__(self) -> None:
        _require_lengths(self, len(self.nodes), {"groups": self.groups})
        if self.positions is not None:
            _require_axes(self, "positions", self.positions, 2)
            _require_lengths(self, len(self.nodes), {"positions": self.positions})
        known = range(len(self.nodes))
        wrong = [edge for edge in self.edges if edge[0] not in known or edge[1] not in known]
        _require(self, not wrong, f"edges name nodes that do not exist: {wrong[:3]}")


def _require(exhibit: Any, holds: bool, complaint: str) -> None:
    if not holds:
        name = getattr(exhibit, "title", getattr(exhibit, "label", ""))
        raise ValueError(f"{type(exhibit).__name__} '{name}': {complaint}")


def _require_lengths(exhibit: Any, size: int, fields: Mapping[str, Any]) -> None:
    for name, values in fields.items():
        _require(exhibit, len(values) == size, f"{name} has {len(values)} entries, expected {size}")


def _require_axes(exhibit: Any, name: str, values: Array, columns: int) -> None:
    shape = np.shape(values)
    fits = len(shape) == 2 and shape[1] == columns
    _require(exhibit, fits, f"{name} should have shape [n, {columns}], it has {list(shape)}")
