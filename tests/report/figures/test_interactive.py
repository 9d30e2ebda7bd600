"""Plots for the browser are valid for plotly, hold all points, and name them on hovering."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from rnnstudy.core.exhibit import Exhibit, Matrix, Scatter, Strip
from rnnstudy.report.figures.interactive import LARGEST_EXPLORED, plotly_data

Exhibits = Callable[[int], dict[str, Exhibit]]


def built(exhibit: Exhibit) -> dict[str, Any]:
    """The plot, checked against plotly's own schema and against strict JSON."""
    plot = plotly_data(exhibit)
    assert plot is not None
    go.Figure(plot)
    json.dumps(plot, allow_nan=False)
    return plot


def test_scatter_holds_every_point_once_per_grouping(exhibits: Exhibits) -> None:
    scatter: Any = exhibits(3)["scatter"]
    data = built(scatter)["data"]
    assert sum(len(trace["x"]) for trace in data) == 2 * len(scatter.points)
    assert sum(len(trace["x"]) for trace in data if trace["visible"]) == len(scatter.points)
    lines = ["flip_flop-vanilla-tanh-32-s000", "cell: vanilla", "activation: tanh"]
    assert data[0]["text"][0].split("<br>") == lines


def test_dots_of_a_strip_carry_their_networks(exhibits: Exhibits) -> None:
    strip: Any = exhibits(3)["strip"]
    plot = built(strip)
    dots = [trace for trace in plot["data"] if trace["mode"] == "markers"]
    found = {
        name: value
        for trace in dots
        for name, value in zip(trace["customdata"], trace["x"], strict=True)
    }
    assert list(found) == list(strip.labels)
    np.testing.assert_allclose(list(found.values()), strip.values, rtol=1e-4)
    assert plot["layout"]["xaxis"]["type"] == "log"
    assert plot["layout"]["yaxis"]["ticktext"] == list(dict.fromkeys(strip.categories))
    assert dots[0]["text"][0].startswith("flip_flop-vanilla-tanh-32-s000<br>loss: ")
    # Each row has a bar at its median, and the limit is a line over all rows.
    *bars, limit = [trace for trace in plot["data"] if trace["mode"] == "lines"]
    rows = np.array(strip.values).reshape(8, 3)
    np.testing.assert_allclose([bar["x"][0] for bar in bars], np.median(rows, axis=1), rtol=1e-4)
    assert limit["x"] == [strip.limit] * 2


def test_dots_without_a_place_on_the_axis_are_left_out() -> None:
    strip = Strip(
        title="s", values=np.array([0.0, np.nan, 2.0]), categories=["a", "a", "b"],
        labels=["x", "y", "z"], value_label="loss", log=True,
    )  # fmt: skip
    dots = [trace for trace in built(strip)["data"] if trace["mode"] == "markers"]
    assert [trace["customdata"] for trace in dots] == [["z"]]
    assert plotly_data(replace(strip, values=np.zeros(3))) is None


def test_points_of_a_panel_carry_the_network_of_its_caption(exhibits: Exhibits) -> None:
    panels: Any = exhibits(1)["panels"]
    named = [replace(part, caption=f"net{i}") for i, part in enumerate(panels.exhibits)]
    plot = built(replace(panels, exhibits=named))
    networks = [trace["customdata"] for trace in plot["data"] if trace["mode"] == "markers"]
    assert list(dict.fromkeys(name for each in networks for name in each)) == [
        f"net{i}" for i in range(8)
    ]


def test_matrix_names_both_networks(exhibits: Exhibits) -> None:
    (trace,) = built(exhibits(25)["matrix"])["data"]
    assert len(trace["z"]) == len(trace["x"]) == len(trace["y"]) == 200
    assert trace["x"][0] == "vanilla-tanh-s000"


def test_a_matrix_of_many_networks_is_a_picture_alone() -> None:
    def matrix(size: int) -> Matrix:
        labels = [f"n{i}" for i in range(size)]
        return Matrix(title="", values=np.ones((size, size)), labels=labels)

    assert plotly_data(matrix(LARGEST_EXPLORED)) is not None
    assert plotly_data(matrix(LARGEST_EXPLORED + 1)) is None


def test_spaces_share_one_view_with_a_menu(exhibits: Exhibits) -> None:
    plot = built(exhibits(1)["panels"])
    buttons = plot["layout"]["updatemenus"][0]["buttons"]
    assert [button["label"] for button in buttons][:2] == ["vanilla tanh", "vanilla relu"]
    for button in buttons:
        assert sum(button["args"][0]["visible"]) == 5
    assert sum(trace["visible"] for trace in plot["data"]) == 5


def test_lines_are_joined_with_gaps(exhibits: Exhibits) -> None:
    path = built(exhibits(1)["space"])["data"][0]
    assert [i for i, x in enumerate(path["x"]) if x is None] == [40, 81, 122]


def test_what_is_not_finite_becomes_null() -> None:
    values = np.array([[0.0, np.nan], [np.inf, 1.0]])
    (trace,) = built(Matrix(title="m", values=values, labels=["a", "b"]))["data"]
    assert trace["z"] == [[0.0, None], [None, 1.0]]


def test_markup_in_names_is_text() -> None:
    exhibit = Scatter(
        title="s", points=np.zeros((1, 2)), labels=["<b>x</b>"], groups={"g": ["<i>"]}
    )
    (trace,) = built(exhibit)["data"]
    assert trace["text"] == ["&lt;b&gt;x&lt;/b&gt;<br>g: &lt;i&gt;"]
    assert trace["name"] == "&lt;i&gt;"


def test_nothing_to_explore(exhibits: Exhibits) -> None:
    assert plotly_data(exhibits(1)["curves"]) is None
    assert plotly_data(Matrix(title="m", values=np.full((1, 1), np.nan), labels=["a"])) is None
    empty = Scatter(title="s", points=np.zeros((0, 2)), labels=[], groups={})
    assert plotly_data(empty) is None
