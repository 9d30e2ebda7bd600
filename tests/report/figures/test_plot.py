"""Pictures of records in Python and in notebooks: sizes, colours, styles, tables."""

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Matrix, Note, Scatter
from rnnstudy.report.figures.figures import draw_figure, is_drawable, panels, plot

Exhibits = Callable[[int], dict[str, Exhibit]]

STYLES: list[Any] = ["dark_background", "ggplot", {"font.size": 24}, ["classic", {"font.size": 5}]]


def lines() -> Curves:
    x = np.arange(4.0)
    named = [Curve(x=x, y=x * k, label=name) for k, name in enumerate(("gru", "target"), 1)]
    return Curves(title="Lines", curves=named, x_label="x", y_label="y")


def pixels(figure: Figure) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor=figure.get_facecolor())
    buffer.seek(0)
    return mpl.image.imread(buffer)


@pytest.mark.parametrize("style", STYLES, ids=str)
def test_every_picture_survives_styles_and_small_sizes(exhibits: Exhibits, style: Any) -> None:
    for exhibit in exhibits(2).values():
        if is_drawable(exhibit):
            for figsize in (None, (1.2, 0.8)):
                figure = plot(exhibit, style=style, figsize=figsize)
                assert len(pixels(figure)) > 20
                if figsize:
                    assert tuple(figure.get_size_inches()) == figsize


def test_every_picture_of_one_panel_survives_small_axes(exhibits: Exhibits) -> None:
    for exhibit in exhibits(2).values():
        if not is_drawable(exhibit):
            continue
        figure = Figure(figsize=(3, 2))
        projection = "3d" if type(exhibit).__name__ == "Space3D" else None
        ax = figure.add_axes((0.4, 0.4, 0.05, 0.05), projection=projection)
        if len(panels(exhibit)) > 1 and not isinstance(exhibit, Scatter):
            with pytest.raises(ValueError, match="axes, got one"):
                plot(exhibit, ax)
            continue
        assert plot(exhibit, ax) is figure
        assert len(pixels(figure)) == 200


def test_colours_are_given_by_name_or_in_order() -> None:
    def drawn(figure: Figure) -> list[str]:
        return [to_hex(line.get_color()) for line in figure.axes[0].get_lines()]

    assert drawn(plot(lines(), colours={"gru": "red"})) == ["#ff0000", "#000000"]
    # The legend lists cells first.
    assert drawn(plot(lines(), colours=["blue", "#00ff00"])) == ["#0000ff", "#00ff00"]
    labels = [text.get_text() for text in plot(lines()).legends[0].get_texts()]
    assert labels == ["gru", "target"]
    figure = Figure()
    plot(lines(), figure.add_subplot(), colours={"target": "red"})
    assert drawn(figure)[1] == "#ff0000"
    # The next figure has the colours of the package again.
    assert drawn(plot(lines()))[1] == "#000000"


def test_ink_is_seen_on_dark_paper() -> None:
    def ink(figure: Figure) -> str:
        return to_hex(figure.axes[0].get_lines()[1].get_color())

    figure = plot(lines(), style="dark_background")
    assert ink(figure) == "#ffffff"
    assert to_hex(figure.get_facecolor()) == "#000000"
    dark = Figure(facecolor="#111111")
    ax = dark.add_subplot()
    ax.set_facecolor("none")
    plot(lines(), ax)
    assert ink(dark) == "#ffffff"
    assert ink(plot(lines())) == "#000000"


def test_text_grows_with_the_size_of_the_style() -> None:
    small, large = plot(lines()), plot(lines(), style={"font.size": 16})
    sizes = [f.axes[0].xaxis.get_ticklabels()[0].get_fontsize() for f in (small, large)]
    assert sizes[1] == pytest.approx(2 * sizes[0])
    assert large.get_size_inches() == pytest.approx(2 * small.get_size_inches())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"style": "dark_backgruond"},
            r"must be a style .* did you mean 'dark_background'\? mat",
        ),
        ({"style": {"no.such": 1}}, "style must be a style of matplotlib or a dict"),
        ({"colours": {"grux": "red"}}, r"names in the figure \(gru, target\), got 'grux'; did you"),
        ({"colours": ["rde"]}, "got 'rde'. Write colours as"),
        ({"colours": "red"}, "colours must be a list of colours, .* got 'red'"),
        ({"figsize": 3}, r"figsize must be width and height in inches, got 3\. Use \(5, 3\)"),
        ({"figsize": (0, 1)}, "figsize must be width and height in inches"),
        ({"figsize": (3, 3), "interactive": True}, "figsize must be left out for an interactive"),
        ({"style": "ggplot", "ax": Figure().add_subplot()}, "style must be left out for axes of"),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plot(lines(), **options)


def test_a_notebook_shows_a_figure_as_an_image() -> None:
    figure = plot(lines())
    image = figure._repr_png_()
    assert image.startswith(b"\x89PNG")
    # The report's files are those of a plain figure.
    assert isinstance(draw_figure(lines()), Figure)


NAMES = ["a", "b", "c"]


def test_a_square_table_is_a_matrix_and_a_map_is_a_scatter_plot() -> None:
    values = np.array([[0.0, 1, 2], [1, 0, 3], [2, 3, 0]])
    frame = pd.DataFrame(values, index=NAMES, columns=NAMES)
    image = plot(frame).axes[0].images[0]
    np.testing.assert_array_equal(image.get_array(), values)
    cells = dict(zip(NAMES, ("gru", "gru", "lstm"), strict=True))
    frame.attrs["rnnstudy"] = {"title": "By cell", "groups": {"cell": cells, "lost": {"a": "x"}}}
    # Rows that a user leaves out or reorders keep their groups.
    part = frame.loc[["c", "a"], ["c", "a"]]
    assert plot(part).axes[0].get_title() == "By cell"
    points = pd.DataFrame(values[:, :2], index=NAMES, columns=["one", "two"])
    points.attrs["rnnstudy"] = {"form": "map", "groups": {"cell": cells}}
    (ax,) = plot(points).axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("one", "two")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["gru", "lstm"]
    del points.attrs["rnnstudy"]
    with pytest.raises(ValueError, match=r"square matrix .* got 3 rows and 2 columns\. Use frame"):
        plot(points)


def test_the_first_picture_of_a_list_is_drawn() -> None:
    note = Note(title="n", text="no picture")
    matrix = Matrix(title="m", values=np.eye(2), labels=["a", "b"])
    assert plot([note, matrix, lines()]).axes[0].get_title() == "m"
    with pytest.raises(ValueError, match="must have exhibits, got list"):
        plot([note])
    scatter = Scatter(title="s", points=np.eye(2), labels=["a", "b"], groups={})
    assert plot((scatter,)).axes[0].get_title() == "s"
