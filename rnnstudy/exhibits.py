"""Figures and tables as data, for analyses of your own."""

from rnnstudy.core.exhibit import (
    Curve,
    Curves,
    Exhibit,
    Forest,
    Graph,
    Intervals,
    Matrix,
    Note,
    Panels,
    Scatter,
    Space2D,
    Space3D,
    SpecificationCurve,
    StackedBars,
    Strip,
    Table,
)

__all__ = [
    "Curve",
    "Curves",
    "Exhibit",
    "Forest",
    "Graph",
    "Intervals",
    "Matrix",
    "Note",
    "Panels",
    "Scatter",
    "Space2D",
    "Space3D",
    "SpecificationCurve",
    "StackedBars",
    "Strip",
    "Table",
]
