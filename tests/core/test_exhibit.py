"""Exhibits refuse what does not fit together, and say which exhibit and which field."""

from collections.abc import Callable

import numpy as np
import pytest

from rnnstudy.core.exhibit import (
    Curve,
    Curves,
    Graph,
    Matrix,
    Note,
    Panels,
    Scatter,
    Space3D,
    Strip,
    Table,
)

WRONG: list[tuple[Callable[[], object], str]] = [
    (
        lambda: Table(title="t", columns={"a": [1], "b": []}),
        "Table 't': columns must have equal lengths",
    ),
    (
        lambda: Scatter(title="s", points=np.zeros((3, 3)), labels=["a"] * 3, groups={}),
        r"Scatter 's': points must have shape \[n, 2\], got \[3, 3\]",
    ),
    (
        lambda: Scatter(title="s", points=np.zeros((3, 2)), labels=["a"] * 3, groups={"cell": []}),
        "Scatter 's': cell must have 3 entries, got 0",
    ),
    (
        lambda: Strip(title="p", values=[1], categories=[], labels=["a"], value_label=""),
        "Strip 'p': categories must have 1 entries, got 0",
    ),
    (
        lambda: Matrix(title="m", values=np.zeros((2, 3)), labels=["a", "b"]),
        r"Matrix 'm': values must have shape \[n, 2\], got \[2, 3\]",
    ),
    (
        lambda: Matrix(title="m", values=np.zeros((3, 2)), labels=["a", "b"]),
        "Matrix 'm': labels must have 3 entries, got 2",
    ),
    (
        lambda: Curve(x=np.zeros(3), y=np.zeros(3), high=np.zeros(2), label="loss"),
        "Curve 'loss': high must have 3 entries, got 2",
    ),
    (
        lambda: Space3D(
            title="x", lines=[np.zeros((4, 2))], points=np.zeros((0, 3)), point_groups=[]
        ),
        r"Space3D 'x': lines must have shape \[n, 3\], got \[4, 2\]",
    ),
    (
        lambda: Space3D(
            title="x",
            lines=[],
            points=np.zeros((1, 3)),
            point_groups=["0"],
            point_labels=["a", "b"],
        ),
        "Space3D 'x': point_labels must have 1 entries, got 2",
    ),
    (
        lambda: Panels(
            title="p",
            exhibits=[
                Note(title="n", text=""),
                Curves(title="c", curves=[], x_label="", y_label=""),
            ],
        ),
        "Panels 'p': exhibits must be of one class, got Curves, Note",
    ),
    (
        lambda: Graph(title="g", nodes=["a"], groups=["0"], edges=[(0, 1, 1.0)]),
        r"Graph 'g': edges must be between 1 nodes, got \[\(0, 1, 1.0\)\]",
    ),
]


@pytest.mark.parametrize(("build", "message"), WRONG)
def test_refuses_what_does_not_fit(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_a_grouping_may_have_any_name() -> None:
    for name in ("labels", "size", "exhibit", "self"):
        assert Scatter(title="s", points=np.zeros((1, 2)), labels=["a"], groups={name: ["x"]})


def test_rows_of_a_table() -> None:
    assert Table(title="t", columns={"a": [1, 2], "b": [3, 4]}).rows == 2
    assert Table(title="t", columns={}).rows == 0
