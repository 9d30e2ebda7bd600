"""What is on a figure is what its exhibit says: counts, places, names and scales."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from rnnstudy.core.exhibit import (
    Curve,
    Curves,
    Exhibit,
    Graph,
    Matrix,
    Note,
    Panels,
    Scatter,
    Space3D,
    Strip,
)
from rnnstudy.report.figures.figures import (
    PAGE_WIDTH,
    PANEL_LAYOUTS,
    draw_figure,
    is_drawable,
    plot,
    save_figure,
)
from rnnstudy.report.figures.panels import MOST_VECTORS

Exhibits = Callable[[int], dict[str, Exhibit]]
NO_POINTS = np.zeros((0, 3))


def texts(figure: Figure) -> list[str]:
    """All that is written on a figure."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def legend_names(figure: Figure, place: int = 0) -> list[str]:
    legends = figure.legends or [ax.get_legend() for ax in figure.axes]
    return [text.get_text() for text in legends[place].get_texts()]


def test_every_kind_of_picture_is_drawn(exhibits: Exhibits) -> None:
    shown = [exhibit for exhibit in exhibits(2).values() if is_drawable(exhibit)]
    assert {type(exhibit) for exhibit in shown} == {*PANEL_LAYOUTS, Panels}
    for exhibit in shown:
        figure = draw_figure(exhibit)
        figure.draw_without_rendering()
        assert figure.get_size_inches()[0] <= PAGE_WIDTH + 1e-9


def test_scatter_has_a_panel_per_grouping_with_all_points(exhibits: Exhibits) -> None:
    scatter: Any = exhibits(3)["scatter"]
    figure = draw_figure(scatter)
    assert [ax.get_title() for ax in figure.axes] == ["by cell", "by activation"]
    for ax in figure.axes:
        drawn = np.concatenate([np.transpose(line.get_data()) for line in ax.lines])
        assert sorted(map(tuple, drawn)) == sorted(map(tuple, scatter.points))
    assert legend_names(figure, 0) == ["vanilla", "ugrnn", "gru", "lstm"]
    assert legend_names(figure, 1) == ["tanh", "relu"]


def test_scatter_leaves_out_what_is_not_finite() -> None:
    points = np.array([[0.0, 1.0], [np.nan, 1.0], [2.0, np.inf], [3.0, 4.0]])
    figure = draw_figure(Scatter(title="s", points=points, labels=list("abcd"), groups={}))
    (ax,) = figure.axes
    assert [tuple(point) for point in np.transpose(ax.lines[0].get_data())] == [(0, 1), (3, 4)]


def test_a_long_legend_counts_the_rest() -> None:
    names = [f"name {i}" for i in range(40)]
    figure = draw_figure(
        Scatter(title="s", points=np.zeros((40, 2)), labels=names, groups={"who": names})
    )
    shown = legend_names(figure)
    assert len(shown) == 13
    assert shown[-1].startswith("and ")
    assert shown[-1].endswith(" more")


def test_strip_has_a_row_per_category_and_counts_what_it_cannot_show() -> None:
    strip = Strip(
        title="p",
        values=[1e-3, 1e-2, np.nan, 0.0],
        value_label="loss",
        log=True,
        limit=0.01,
        categories=["gru tanh", "gru tanh", "vanilla tanh", "gru tanh"],
        labels=list("abcd"),
    )
    (ax,) = draw_figure(strip).axes
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["vanilla tanh", "gru tanh"]
    assert ax.get_xscale() == "log"
    dots = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert sorted(np.concatenate([dot.get_xdata() for dot in dots])) == [1e-3, 1e-2]
    assert [text.get_text() for text in ax.texts] == ["1 not shown", "1 not shown"]


def test_matrix_shows_its_values_and_names_groups_not_hundreds_of_rows(exhibits: Exhibits) -> None:
    matrix: Any = exhibits(25)["matrix"]
    figure = draw_figure(matrix)
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), matrix.values)
    words = texts(figure)
    assert words.count("gru tanh") == 2
    assert not any("s000" in word for word in words)
    assert "distance" in words


def test_matrix_of_few_rows_names_each() -> None:
    labels = ["ff-gru-s000", "ff-gru-s001", "ff-lstm-s000"]
    words = texts(draw_figure(Matrix(title="m", values=np.eye(3), labels=labels)))
    assert [words.count(name) for name in ("gru-s000", "gru-s001", "lstm-s000")] == [2, 2, 2]


def test_rows_that_their_groups_do_not_tell_apart_have_their_names() -> None:
    cells, activations = ["rate", "rate", "dale", "gru"], ["tanh", "tanh", "relu", "tanh"]
    matrix = Matrix(title="m", values=np.eye(4), labels=[f"net{i}-s0" for i in range(4)],
                    groups={"activation": activations, "cell": cells})  # fmt: skip
    # Three cells of four rows are too many for a strip. Names of activations alone would mislead.
    assert any("net2" in word for word in texts(draw_figure(matrix)))
    known = dataclasses.replace(matrix, groups={"activation": ["tanh", "tanh", "relu", "relu"]})
    words = texts(draw_figure(known))
    assert {"tanh", "relu"} <= set(words)
    assert not any("net2" in word for word in words)


def test_missing_entries_of_a_matrix_are_masked_and_said() -> None:
    values = np.array([[0.0, np.nan], [np.nan, 0.0]])
    figure = draw_figure(Matrix(title="m", values=values, labels=["a", "b"], value_label="d"))
    assert figure.axes[0].images[0].get_array().mask.tolist() == [[False, True], [True, False]]
    assert "d (pale: none)" in texts(figure)


def test_matrix_with_both_signs_has_zero_in_the_middle() -> None:
    figure = draw_figure(
        Matrix(title="m", values=np.array([[1.0, -3.0], [0.5, 1.0]]), labels=["a", "b"])
    )
    assert figure.axes[0].images[0].get_clim() == (-3.0, 3.0)


def test_curves_have_panels_lines_bands_and_one_legend(exhibits: Exhibits) -> None:
    figure = draw_figure(exhibits(1)["curves"])
    assert [ax.get_title() for ax in figure.axes] == ["vanilla", "ugrnn", "gru", "lstm"]
    for ax in figure.axes:
        assert (len(ax.lines), len(ax.collections), ax.get_yscale()) == (2, 2, "log")
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    assert legend_names(figure) == ["tanh", "relu"]


def test_a_label_has_one_colour_in_all_panels(exhibits: Exhibits) -> None:
    axes = draw_figure(exhibits(1)["curves"]).axes
    assert len({ax.lines[0].get_color() for ax in axes}) == 1


def test_panels_of_unlike_scale_keep_their_own() -> None:
    curves = [Curve(x=[0, 1], y=[0, 10.0**i], label="y", panel=str(i)) for i in range(3)]
    figure = draw_figure(Curves(title="c", curves=curves, x_label="x", y_label="y"))
    assert len({ax.get_ylim() for ax in figure.axes}) == 3


def test_what_a_log_axis_cannot_show_is_a_gap() -> None:
    curve = Curve(x=np.arange(4), y=np.array([1.0, 0.0, np.nan, 2.0]), label="y")
    (ax,) = draw_figure(Curves(title="c", curves=[curve], x_label="", y_label="", log_y=True)).axes
    assert np.isnan(ax.lines[0].get_ydata()).tolist() == [False, True, True, False]


def test_a_single_finite_value_is_a_dot() -> None:
    curve = Curve(x=[0, 1], y=[np.nan, 2.0], label="y")
    (ax,) = draw_figure(Curves(title="c", curves=[curve], x_label="", y_label="")).axes
    assert ax.lines[0].get_marker() == "."


def test_space_has_trajectories_and_points_by_class(exhibits: Exhibits) -> None:
    (ax,) = draw_figure(exhibits(1)["space"]).axes
    markers = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert len(ax.lines) - len(markers) == 3
    assert [len(line.get_data_3d()[0]) for line in markers] == [8, 12, 6, 1]


def test_points_far_from_all_trajectories_are_counted_not_drawn() -> None:
    points = np.array([[0.5, 0, 0], [90.0, 0, 0], [np.nan, 0, 0]])
    line = np.array([[0.0, 0, 0], [1.0, 1, 1]])
    space = Space3D(title="s", lines=[line], points=points, point_groups=["0", "0", "3"])
    figure = draw_figure(space)
    assert [len(mark.get_data_3d()[0]) for mark in figure.axes[0].lines] == [2, 1]
    assert "2 outside the view" in texts(figure)
    assert legend_names(figure) == ["0"]


def test_spaces_side_by_side_share_a_legend(exhibits: Exhibits) -> None:
    figure = draw_figure(exhibits(1)["panels"])
    assert len(figure.axes) == 8
    assert figure.axes[0].get_title() == "vanilla tanh"
    assert legend_names(figure) == ["0", "1", "2", "3"]
    assert "unstable directions" in texts(figure)


def test_panels_of_curves_have_a_row_each() -> None:
    rows = [
        Curves(
            title=name,
            x_label="time",
            y_label="output",
            curves=[
                Curve(x=[0, 1], y=[0, 1], label="target", panel=f"bit {bit}") for bit in range(3)
            ],
        )
        for name in ("gru", "lstm")
    ]
    figure = draw_figure(Panels(title="p", exhibits=rows))
    assert [ax.get_title() for ax in figure.axes][2:4] == ["gru: bit 2", "lstm: bit 0"]
    assert figure.axes[0].get_gridspec().get_geometry() == (2, 3)
    assert [bool(ax.get_xlabel()) for ax in figure.axes] == [False] * 3 + [True] * 3


def test_graph_has_its_nodes_and_edges(exhibits: Exhibits) -> None:
    (ax,) = draw_figure(exhibits(1)["graph"]).axes
    assert len(ax.lines) == 3
    assert [text.get_text() for text in ax.texts] == ["", "", "a", "b", "c"]


def test_a_graph_whose_nodes_have_places_is_drawn_there() -> None:
    places = np.array([[0.0, 1.0], [3.0, 0.5]])
    graph = Graph(title="g", nodes=["a", ""], groups=["0", "1"], edges=[(1, 0, 1.0)],
                  positions=places, group_label="unstable directions")  # fmt: skip
    figure = draw_figure(graph)
    (ax,) = figure.axes
    np.testing.assert_array_equal([line.get_xydata()[0] for line in ax.lines], places)
    assert figure.legends[0].get_title().get_text() == "unstable directions"
    with pytest.raises(ValueError, match="positions must have shape"):
        Graph(title="g", nodes=["a"], groups=["0"], edges=[], positions=np.zeros((1, 3)))
    with pytest.raises(ValueError, match="positions must have 1 entries, got 2"):
        Graph(title="g", nodes=["a"], groups=["0"], edges=[], positions=places)


EMPTY: list[Exhibit] = [
    Scatter(title="e", points=np.zeros((0, 2)), labels=[], groups={"cell": []}),
    Scatter(title="e", points=np.full((2, 2), np.nan), labels=["a", "b"], groups={}),
    Strip(title="e", values=[], categories=[], labels=[], value_label="loss", log=True),
    Strip(title="e", values=[np.nan], categories=["a"], labels=["a"], value_label="loss"),
    Matrix(title="e", values=np.zeros((0, 0)), labels=[]),
    Matrix(title="e", values=np.full((2, 2), np.nan), labels=["a", "b"]),
    Curves(title="e", curves=[], x_label="x", y_label="y"),
    Curves(title="e", curves=[Curve(x=[0], y=[np.inf], label="a")], x_label="x", y_label="y"),
    Space3D(title="e", lines=[], points=NO_POINTS, point_groups=[]),
    Space3D(title="e", lines=[np.full((3, 3), np.nan)], points=NO_POINTS, point_groups=[]),
    Graph(title="e", nodes=[], groups=[], edges=[]),
]


@pytest.mark.parametrize("exhibit", EMPTY)
def test_nothing_to_show_is_said(exhibit: Exhibit, tmp_path: Path) -> None:
    words = texts(draw_figure(exhibit))
    assert {"no finite values", "nothing found", "no nodes"} & set(words)
    save_figure(exhibit, tmp_path, "empty")


def test_files_are_the_same_every_time(exhibits: Exhibits, tmp_path: Path) -> None:
    # One with lines, one with markers and an image: the formats are alike for the rest.
    for name, exhibit in exhibits(2).items():
        if name in ("curves", "scatter", "matrix"):
            for folder in ("one", "two"):
                save_figure(exhibit, tmp_path / folder, name)
            for form in ("svg", "pdf"):
                one, two = (tmp_path / f / f"{name}.{form}" for f in ("one", "two"))
                assert one.read_bytes() == two.read_bytes(), f"{name}.{form}"


@pytest.mark.parametrize("more", [0, 1])
def test_thousands_of_dots_are_pixels_and_words_stay_vectors(more: int, tmp_path: Path) -> None:
    count = MOST_VECTORS + more
    values = np.random.default_rng(0).uniform(size=(count, 2))
    cells, names = ["gru"] * count, [f"net{i}" for i in range(count)]
    strip = Strip(
        title="loss", values=values[:, 0], categories=cells, labels=names, value_label="loss"
    )
    scatter = Scatter(title="map", points=values, groups={"cell": cells}, labels=names)
    for name, exhibit in (("map", scatter), ("strip", strip)):
        save_figure(exhibit, tmp_path, name, ["svg"])
        text = (tmp_path / f"{name}.svg").read_text()
        # Each dot that is a vector is a copy of one marker.
        assert text.count("<image") == more
        assert (text.count("<use") > count) == (not more)
        assert ">gru<" in text or "<!-- gru -->" in text


def test_plot_takes_exhibits_and_records(exhibits: Exhibits) -> None:
    found = exhibits(1)
    record = SimpleNamespace(exhibits=lambda: [found["note"], found["space"], found["matrix"]])
    assert plot(record).axes[0].get_title() == "States"
    assert plot(found["strip"]).axes[0].get_title() == "Losses"


def test_plot_draws_where_it_is_told(exhibits: Exhibits) -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot(exhibits(1)["scatter"], ax=left) is figure
    assert left.lines
    assert not right.lines
    assert next(text.get_text() for text in left.get_legend().get_texts()) == "vanilla"


def test_plot_says_what_it_cannot_draw(exhibits: Exhibits) -> None:
    found, ax = exhibits(1), Figure().subplots()
    with pytest.raises(
        ValueError, match=r"'Training' must have 4 axes, got one\. Call plot without ax"
    ):
        plot(found["curves"], ax=ax)
    with pytest.raises(ValueError, match="axes of 'States' must have three dimensions"):
        plot(found["space"], ax=ax)
    with pytest.raises(ValueError, match="'Remark' must be a picture to be drawn, got a Note"):
        plot(found["note"])
    with pytest.raises(ValueError, match="must have exhibits, got int"):
        plot(3)
    with pytest.raises(ValueError, match="must have a picture, got SimpleNamespace"):
        plot(SimpleNamespace(exhibits=lambda: [Note(title="n", text="")]))


@pytest.mark.parametrize("across", [1, 4])
@pytest.mark.parametrize(("low", "high"), [(0.51, 0.58), (0.012, 0.03), (0.004, 0.2), (1e-7, 1.0)])
@pytest.mark.parametrize("log", [True, False])
def test_numbers_along_a_strip_do_not_touch(across, low, high, log):
    strip = Strip(
        title="one", values=np.array([low, high]), categories=["a", "b"], labels=["x", "y"],
        value_label="loss", log=log,
    )  # fmt: skip
    figure = draw_figure(Panels(title="all", exhibits=[strip] * across, columns=across))
    figure.draw_without_rendering()
    for axes in figure.axes:
        left, right = axes.get_xlim()
        ticks = [t for t in axes.xaxis.get_ticklabels() + axes.xaxis.get_ticklabels(minor=True)
                 if t.get_text() and left <= t.get_position()[0] <= right]  # fmt: skip
        boxes = sorted((t.get_window_extent() for t in ticks), key=lambda box: box.x0)
        assert len(boxes) >= 2
        assert all(a.x1 + 2 <= b.x0 for a, b in itertools.pairwise(boxes))


def test_settings_of_the_working_directory_change_no_figure(tmp_path: Path) -> None:
    exhibit = Scatter(title="s", points=np.eye(3, 2), labels=list("pqr"), groups={})
    save_figure(exhibit, tmp_path, "plain", ["svg"])
    # As a file `matplotlibrc` would set them.
    with mpl.rc_context({"text.usetex": True, "axes.facecolor": "red", "lines.marker": "x"}):
        save_figure(exhibit, tmp_path, "other", ["svg"])
        assert mpl.rcParams["text.usetex"]
    assert (tmp_path / "plain.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
