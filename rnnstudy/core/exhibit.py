"""Exhibits: figures and tables as plain data, which only `report/` draws.

Sizes are checked on construction (ValueError). NaN values are drawn as missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from rnnstudy.core.arrays import Array


@dataclass(frozen=True, eq=False, kw_only=True)
class Exhibit:
    """Base class of figures and tables as data."""

    title: str
    """Title above the exhibit."""
    caption: str = ""
    """Explanation below the exhibit."""
    finding: str = ""
    """Sentence with numbers on the result that the exhibit shows, computed from the records."""
    chapter: str = ""
    """Chapter of the report that it belongs to; default: that of its analysis."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Note(Exhibit):
    """Short text."""

    text: str
    """One or two sentences."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Table(Exhibit):
    """Table with named columns.

    Examples
    --------
    >>> from rnnstudy.exhibits import Table
    >>> Table(title="Radius", columns={"network": ["a", "b"], "radius": [0.9, 1.1]}).rows
    2
    """

    columns: Mapping[str, Sequence[Any]]
    """Name -> values, all of equal length: text, numbers, booleans or None (an empty cell)."""

    def __post_init__(self) -> None:
        sizes = {name: len(values) for name, values in self.columns.items()}
        _require(
            self, len(set(sizes.values())) <= 1, f"columns must have equal lengths, got {sizes}"
        )

    @property
    def rows(self) -> int:
        """Number of rows."""
        return max((len(values) for values in self.columns.values()), default=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scatter(Exhibit):
    """Scatter plot, with one panel per grouping."""

    points: Array
    """Coordinates [point, 2]."""
    labels: Sequence[str]
    """Label of each point."""
    groups: Mapping[str, Sequence[str]]
    """Name of a grouping -> group of each point, which determines its colour."""
    x_label: str = ""
    y_label: str = ""
    equal_axes: bool = True
    """One scale for both axes."""

    def __post_init__(self) -> None:
        _require_axes(self, "points", self.points, 2)
        _require_lengths(self, len(self.points), {"labels": self.labels, **self.groups})


@dataclass(frozen=True, eq=False, kw_only=True)
class Strip(Exhibit):
    """Strip plot: one number per point, with one row per category."""

    values: Array
    """Numbers [point]."""
    categories: Sequence[str]
    """Category of each point."""
    labels: Sequence[str]
    """Label of each point."""
    value_label: str
    """Label of the axis of values."""
    log: bool = False
    """Logarithmic axis of values."""
    limit: float | None = None
    """Value of a marker line, such as the criterion of a solved task."""

    def __post_init__(self) -> None:
        fields = {"categories": self.categories, "labels": self.labels}
        _require_lengths(self, len(self.values), fields)


@dataclass(frozen=True, eq=False, kw_only=True)
class StackedBars(Exhibit):
    """Stacked bars: one bar per category, with one part per name.

    Examples
    --------
    >>> counts = {"line": np.array([3, 0]), "ring": np.array([1, 4])}
    >>> bars = StackedBars(
    ...     title="Classes", categories=["gru", "lstm"], values=counts, value_label="networks"
    ... )
    >>> bars.total
    array([4, 4])
    """

    categories: Sequence[str]
    """Name of each bar."""
    values: Mapping[str, Array]
    """Name of a part -> its length in each bar, at least 0: [category]."""
    value_label: str
    """Label of the axis of lengths."""
    rest: str = ""
    """Name of the part that joins all others, which is grey; default: none."""

    def __post_init__(self) -> None:
        _require_lengths(self, len(self.categories), self.values)
        known = not self.rest or self.rest in self.values
        _require(self, known, f"rest must be a name of values, got {self.rest!r}")
        negative = [name for name, values in self.values.items() if np.any(np.asarray(values) < 0)]
        _require(self, not negative, f"values must be at least 0, got less in {negative}")

    @property
    def total(self) -> Array:
        """Length of each bar, [category]."""
        parts = [np.asarray(values) for values in self.values.values()]
        return np.sum(parts, axis=0) if parts else np.zeros(len(self.categories))


@dataclass(frozen=True, eq=False, kw_only=True)
class Intervals(Exhibit):
    """Forest plot: one value with its interval per row.

    Examples
    --------
    >>> from rnnstudy.exhibits import Intervals
    >>> effect, ends = np.array([0.2, 0.4]), np.array([0.1, 0.1])
    >>> forest = Intervals(
    ...     title="Effects", values=effect, low=effect - ends, high=effect + ends,
    ...     labels=["svcca", "cka"], value_label="effect",
    ... )
    >>> forest.high.tolist()
    [0.30000000000000004, 0.5]
    """

    values: Array
    """Values [row]."""
    low: Array
    """Lower end of each interval: [row]."""
    high: Array
    """Upper end of each interval: [row]."""
    labels: Sequence[str]
    """Label of each row. Rows of one label have one colour in all panels."""
    value_label: str
    """Label of the axis of values."""
    panels: Sequence[str] = ()
    """Title of the panel of each row; default: one panel."""
    reference: float | None = None
    """Value of a marker line, such as no effect."""

    def __post_init__(self) -> None:
        fields = {"low": self.low, "high": self.high, "labels": self.labels}
        _require_lengths(self, len(self.values), fields)
        if len(self.panels):
            _require_lengths(self, len(self.values), {"panels": self.panels})


@dataclass(frozen=True, eq=False, kw_only=True)
class SpecificationCurve(Exhibit):
    """Specification curve: effects in order of size, above the choices that lead to them.

    Examples
    --------
    >>> from rnnstudy.exhibits import SpecificationCurve
    >>> effects = np.array([0.1, 0.3])
    >>> curve = SpecificationCurve(
    ...     title="Choices", effects=effects, low=effects - 0.1, high=effects + 0.1,
    ...     supports=[False, True], choices={"metric": ["cka", "svcca"]}, effect_label="effect",
    ... )
    >>> curve.order.tolist()
    [0, 1]
    """

    effects: Array
    """Effect of each specification: [specification]."""
    low: Array
    """Lower end of each interval: [specification]."""
    high: Array
    """Upper end of each interval: [specification]."""
    supports: Sequence[bool]
    """True for a specification that supports the claim."""
    choices: Mapping[str, Sequence[str]]
    """Choice, such as the metric -> its value in each specification; empty where it has none."""
    effect_label: str
    """Label of the axis of effects."""
    reference: float | None = 0.0
    """Value of a marker line, such as no effect."""

    def __post_init__(self) -> None:
        fields = {"low": self.low, "high": self.high, "supports": self.supports, **self.choices}
        _require_lengths(self, len(self.effects), fields)

    @property
    def order(self) -> Array:
        """Positions of the specifications from the smallest effect to the largest; NaN last."""
        return np.argsort(np.asarray(self.effects, float), kind="stable")


@dataclass(frozen=True, eq=False, kw_only=True)
class Forest(Exhibit):
    """Forest plot: numbers with intervals, one row for each name and several marks in a row.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.exhibits import Forest
    >>> Forest(
    ...     title="Effects", rows=["cube"], notes=["supported"], row=[0], series=["trained"],
    ...     values=np.array([0.9]), low=np.array([0.7]), high=np.array([1.0]), value_label="share",
    ... ).rows
    ['cube']
    """

    rows: Sequence[str]
    """Name of each row, from top to bottom."""
    notes: Sequence[str]
    """Words at the right of each row."""
    row: Sequence[int]
    """Position of the row of each mark."""
    series: Sequence[str]
    """Series of each mark, which determines its colour."""
    values: Array
    """Numbers [mark]."""
    low: Array
    """Lower ends of their intervals [mark]; NaN without one."""
    high: Array
    """Upper ends of their intervals [mark]; NaN without one."""
    value_label: str
    """Label of the axis of values."""
    limits: Sequence[float] = ()
    """Values of marker lines, such as a margin."""

    def __post_init__(self) -> None:
        _require_lengths(self, len(self.rows), {"notes": self.notes})
        marks = {"series": self.series, "values": self.values, "low": self.low, "high": self.high}
        _require_lengths(self, len(self.row), marks)
        wrong = [i for i in self.row if i not in range(len(self.rows))]
        _require(self, not wrong, f"row must be below {len(self.rows)}, got {wrong[:3]}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Matrix(Exhibit):
    """Labelled square matrix as a heat map."""

    values: Array
    """Numbers [row, row]."""
    labels: Sequence[str]
    """Label of each row."""
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Name of a grouping -> group of each row, drawn as a coloured strip."""
    value_label: str = ""
    """Label of the colour scale."""

    def __post_init__(self) -> None:
        _require_axes(self, "values", self.values, len(self.labels))
        _require_lengths(self, len(self.values), {"labels": self.labels, **self.groups})


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """Line with an optional band."""

    x: Array
    """Positions [x]."""
    y: Array
    """Values [x]."""
    label: str
    """Entry in the legend. Curves of one label have one colour in all panels."""
    low: Array | None = None
    """Lower limit of the band, [x]."""
    high: Array | None = None
    """Upper limit of the band, [x]."""
    panel: str = ""
    """Title of the panel in which the curve is drawn."""
    dashed: bool = False

    def __post_init__(self) -> None:
        fields = {"y": self.y, "low": self.low, "high": self.high}
        present = {name: values for name, values in fields.items() if values is not None}
        _require_lengths(self, len(self.x), present)


@dataclass(frozen=True, eq=False, kw_only=True)
class Curves(Exhibit):
    """Line plot with one or more panels, in the order of their first curve."""

    curves: Sequence[Curve]
    """Lines of all panels."""
    x_label: str
    y_label: str
    log_y: bool = False
    """Logarithmic y axis."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Space(Exhibit):
    """Trajectories and marked points in principal components; base of `Space2D` and `Space3D`."""

    dimensions: ClassVar[int]
    """Number of axes."""

    lines: Sequence[Array]
    """Trajectories, each [time, axis]."""
    points: Array
    """Marked points [point, axis]."""
    point_groups: Sequence[str]
    """Group of each point, which determines its colour."""
    directions: Sequence[Array] = ()
    """Short lines through points, each [end, axis]."""
    axis_labels: tuple[str, ...] = ("PC 1", "PC 2", "PC 3")
    """Label of each axis."""
    point_labels: Sequence[str] = ()
    """Label of each point; default: none."""
    group_label: str = "unstable directions"
    """Meaning of the groups. Numbers of unstable directions have their own colours."""

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
    """Trajectories and marked points in two principal components."""

    dimensions: ClassVar[int] = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Space3D(Space):
    """Trajectories and marked points in three principal components."""

    dimensions: ClassVar[int] = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Panels(Exhibit):
    """Several exhibits of one kind side by side, each under its own title."""

    exhibits: Sequence[Exhibit]
    """Exhibits of one class."""
    columns: int = 4
    """Largest number of exhibits in a row."""

    def __post_init__(self) -> None:
        kinds = sorted({type(exhibit).__name__ for exhibit in self.exhibits})
        _require(self, len(kinds) <= 1, f"exhibits must be of one class, got {', '.join(kinds)}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Graph(Exhibit):
    """Directed graph."""

    nodes: Sequence[str]
    """Name of each node."""
    groups: Sequence[str]
    """Group of each node, which determines its colour."""
    edges: Sequence[tuple[int, int, float]]
    """Edges (source, target, weight), with positions of nodes."""
    positions: Array | None = None
    """Coordinates of the nodes, [node, 2]; None: one layer per group."""
    group_label: str = ""
    """Meaning of the groups."""

    def __post_init__(self) -> None:
        _require_lengths(self, len(self.nodes), {"groups": self.groups})
        if self.positions is not None:
            _require_axes(self, "positions", self.positions, 2)
            _require_lengths(self, len(self.nodes), {"positions": self.positions})
        known = range(len(self.nodes))
        wrong = [edge for edge in self.edges if edge[0] not in known or edge[1] not in known]
        count = len(self.nodes)
        _require(self, not wrong, f"edges must be between {count} nodes, got {wrong[:3]}")


def _require(exhibit: Any, condition: bool, message: str) -> None:
    if not condition:
        name = getattr(exhibit, "title", getattr(exhibit, "label", ""))
        raise ValueError(f"{type(exhibit).__name__} '{name}': {message}")


def _require_lengths(exhibit: Any, size: int, fields: Mapping[str, Any]) -> None:
    for name, values in fields.items():
        _require(
            exhibit, len(values) == size, f"{name} must have {size} entries, got {len(values)}"
        )


def _require_axes(exhibit: Any, name: str, values: Array, columns: int) -> None:
    shape = np.shape(values)
    fits = len(shape) == 2 and shape[1] == columns
    _require(exhibit, fits, f"{name} must have shape [n, {columns}], got {list(shape)}")
