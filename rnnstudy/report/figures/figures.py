"""Matplotlib figures of exhibits, without pyplot and its global state."""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.arguments import check_flag, summarise_value
from rnnstudy.core.exhibit import (
    Curves,
    Exhibit,
    Forest,
    Graph,
    Intervals,
    Matrix,
    Panels,
    Scatter,
    Space2D,
    Space3D,
    SpecificationCurve,
    StackedBars,
    Strip,
)
from rnnstudy.report.figures.appearance import Style, appearance, colour_context
from rnnstudy.report.figures.forest import forest_panels
from rnnstudy.report.figures.frames import frame_exhibit, is_frame
from rnnstudy.report.figures.graphs import graph_panels
from rnnstudy.report.figures.heatmaps import matrix_panels
from rnnstudy.report.figures.interactive import plotly_data
from rnnstudy.report.figures.intervals import curve_panels, interval_panels
from rnnstudy.report.figures.panels import Axes, Legend, Panel, legend_handles, merge_legends
from rnnstudy.report.figures.plane import (
    bars_panels,
    curves_panels,
    scatter_panels,
    strip_panels,
)
from rnnstudy.report.figures.space import plane_panels, space_panels
from rnnstudy.report.style import Colours

Figure = Any

PANEL_LAYOUTS: dict[type[Exhibit], Callable[[Any], list[Panel]]] = {
    Scatter: scatter_panels,
    Strip: strip_panels,
    StackedBars: bars_panels,
    Forest: forest_panels,
    Matrix: matrix_panels,
    Curves: curves_panels,
    Space2D: plane_panels,
    Space3D: space_panels,
    Graph: graph_panels,
    Intervals: interval_panels,
    SpecificationCurve: curve_panels,
}
"""Layout of each kind of exhibit; a new kind is one function and one line."""

PAGE_WIDTH = 7.4
"""Inches: the width of a page of text, which no figure exceeds."""

EMPTY_SIZE = (4.0, 0.8)

COLUMN_WIDTH = 1.4
"""Inches of a column of a legend in a figure whose size the user has chosen."""

MAX_COLUMNS = 4

MAX_COLUMNS_WITH_LEGENDS = 2
"""Panels side by side if each has its legend beside it."""

TICK_LABEL_SIDES = {"x": ["bottom"], "y": ["left"]}
"""Sides of the tick labels of an axis."""

NO_DATES: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


def is_drawable(exhibit: Exhibit) -> bool:
    """Return True for a picture; tables and notes are not drawn."""
    return type(exhibit) in PANEL_LAYOUTS or isinstance(exhibit, Panels)


def panels(exhibit: Exhibit) -> list[Panel]:
    """Return the panels of an exhibit; ValueError if it is no picture."""
    if isinstance(exhibit, Panels):
        return [panel for part in exhibit.exhibits for panel in _prefix_titles(part, panels(part))]
    if type(exhibit) not in PANEL_LAYOUTS:
        raise ValueError(
            f"'{exhibit.title}' must be a picture to be drawn, got a {type(exhibit).__name__}"
        )
    return PANEL_LAYOUTS[type(exhibit)](exhibit)


def _prefix_titles(part: Exhibit, parts: Sequence[Panel]) -> list[Panel]:
    return [
        replace(panel, title=f"{part.title}: {panel.title}" if panel.title else part.title)
        for panel in parts
    ]


def panels_across(exhibit: Exhibit, count: int) -> int:
    """Return the number of panels side by side; an exhibit of several panels has its own row."""
    if not isinstance(exhibit, Panels) or not exhibit.exhibits:
        return max(
            min(count, MAX_COLUMNS_WITH_LEGENDS if isinstance(exhibit, Scatter) else MAX_COLUMNS), 1
        )
    each = len(panels(exhibit.exhibits[0]))
    return min(each if each > 1 else exhibit.columns, max(count, 1))


def draw_figure(
    exhibit: Exhibit,
    figsize: tuple[float, float] | None = None,
    colours: Colours = (),
    style: Style = None,
    *,
    is_titled: bool = False,
) -> Figure:
    """Return a matplotlib figure of one exhibit; ValueError for tables and notes.

    Parameters
    ----------
    exhibit
        The picture.
    figsize
        Width and height in inches. Default: those that suit the exhibit.
    colours
        Colours of names, or of the names in the order of the legend.
    style
        Style of matplotlib.
    is_titled
        If true, a single panel has the title of the exhibit. Default: the page has it.
    """
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from rnnstudy.report.figures.notebook import NotebookFigure

    with appearance(style, colours) as text_size:
        parts = panels(exhibit)
        across = panels_across(exhibit, len(parts))
        down = max(-(-len(parts) // across), 1)
        layout = ConstrainedLayoutEngine(w_pad=0.06, h_pad=0.06)
        size = _size(parts, across, down)
        if style is not None:
            size = size[0] * max(text_size, 1.0), size[1] * max(text_size, 1.0)
        figure = NotebookFigure(figsize=figsize or size, layout=layout)
        axes = [
            figure.add_subplot(down, across, position, projection=panel.projection)
            for position, panel in enumerate(parts, 1)
        ]
        legends = [panel.paint(ax) for panel, ax in zip(parts, axes, strict=True)]
        for panel, ax in zip(parts, axes, strict=True):
            title = exhibit.title if is_titled and len(parts) == 1 else panel.title
            ax.set_title(title, pad=panel.title_pad)
        if all(legend.empty for legend in legends) and figsize is None:
            figure.set_size_inches(*EMPTY_SIZE)
        _label_outer(axes, across, all(panel.aligned for panel in parts))
        columns = None if figsize is None else max(int(figsize[0] // COLUMN_WIDTH), 1)
        _add_legends(figure, parts, axes, legends, columns)
        if figsize is not None or style is not None:
            _settle(figure)
    return figure


def _settle(figure: Figure) -> None:
    """Lay a figure out once. If text leaves no room for the axes, they stay where they are."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        figure.draw_without_rendering()
    figure.set_layout_engine("none")


def _size(parts: Sequence[Panel], across: int, down: int) -> tuple[float, float]:
    """Return width and height in inches: panels at their size, or shrunk to the page."""
    width, height = np.max([(4.0, 1.0), *(panel.size for panel in parts)], axis=0)
    shrink = min(1.0, PAGE_WIDTH / (across * width))
    room = 0.2 + (0.45 if len(parts) > 1 else 0.25)
    # Many rows of curves are read one against the other: they may be flat.
    least = 1.05 if down > 3 and parts[0].aligned else 1.45
    return across * width * shrink, down * min(max(height * shrink, least), 9 / down + least) + room


def _label_outer(axes: Sequence[Axes], across: int, aligned: bool) -> None:
    """Keep common axis labels at the left and the bottom only, and make like scales equal."""
    if len(axes) < 2 or hasattr(axes[0], "zaxis"):
        return
    for name in ("x", "y"):
        inner = [
            ax
            for i, ax in enumerate(axes)
            if (i % across != 0 if name == "y" else i + across < len(axes))
        ]
        same = aligned and _align(axes, name)
        if len({getattr(ax, f"get_{name}label")() for ax in axes}) == 1:
            for ax in inner:
                ax.set(**{f"{name}label": ""})
                ax.tick_params(
                    axis=name, **{f"label{side}": False for side in TICK_LABEL_SIDES[name] if same}
                )


def _align(axes: Sequence[Axes], name: str) -> bool:
    """Give all axes the same limits and return True, unless that would squeeze one of them."""
    filled = [ax for ax in axes if ax.lines]
    limits = [getattr(ax, f"get_{name}lim")() for ax in filled]
    if not limits:
        return False
    low, high = min(limit[0] for limit in limits), max(limit[1] for limit in limits)
    log = getattr(axes[0], f"get_{name}scale")() == "log"
    if not log and high - low > 3 * min(limit[1] - limit[0] for limit in limits):
        return False
    for ax in axes:
        ax.set(**{f"{name}lim": (low, high)})
    return True


def _add_legends(
    figure: Figure,
    parts: Sequence[Panel],
    axes: Sequence[Axes],
    legends: Sequence[Legend],
    columns: int | None,
) -> None:
    """Add one legend below all panels, or one beside each.

    Parameters
    ----------
    figure
        The figure.
    parts
        Its panels.
    axes
        Axes of the panels.
    legends
        Legends of the panels.
    columns
        Most columns of a legend below; None for those that fit a page.
    """
    if parts and parts[0].own_legend:
        for ax, legend in zip(axes, legends, strict=True):
            if legend.marks:
                ax.legend(
                    handles=legend_handles(legend),
                    title=legend.title,
                    loc="upper left",
                    bbox_to_anchor=(1.0, 1.0),
                    borderaxespad=0.2,
                    alignment="left",
                )
        return
    shared = merge_legends(legends)
    if shared.marks:
        figure.legend(
            handles=legend_handles(shared),
            title=shared.title,
            loc="outside lower center",
            ncols=min(len(shared.marks), columns or (8 if parts[0].title else 4)),
        )


def plot(
    record: Any,
    ax: Axes | None = None,
    *,
    interactive: bool = False,
    figsize: tuple[float, float] | None = None,
    colours: Colours = (),
    style: Style = None,
    **view: Any,
) -> Figure:
    """Draw an exhibit, or the first picture of a record.

    A notebook shows the figure if the call is the last line of a cell.

    Parameters
    ----------
    record : Exhibit, record with exhibits, list of exhibits, or pandas.DataFrame
        Data to draw, for example the result of `find_fixed_points`, of `Run.distances`, of
        `Run.embedding` or of `Run.exhibits`.
    ax : matplotlib axes, optional
        Axes to draw on. Default: a new figure.
    interactive : bool, default False
        True returns a plotly figure.
    figsize : tuple of float, optional
        Width and height of a new figure, in inches. Default: those that suit the exhibit.
    colours : list or dict, optional
        Colours of the names in the legend, in order or by name: `{"gru": "red"}`.
    style : str, dict or list, optional
        Style of matplotlib for a new figure, such as "dark_background" or `{"font.size": 12}`.
    **view
        Options of the record's `exhibits`. Fixed points have `dimensions` (2 or 3) and
        `trajectories`.

    Returns
    -------
    matplotlib or plotly figure
        Figure with the exhibit.

    Raises
    ------
    ValueError
        If the record has no picture, an option is unknown, or the exhibit needs several axes.

    Examples
    --------
    >>> from rnnstudy.core.exhibit import Curve, Curves
    >>> curve = Curve(x=np.arange(3), y=np.arange(3), label="line")
    >>> lines = Curves(title="A line", curves=[curve], x_label="x", y_label="y")
    >>> plot(lines, figsize=(3, 2), colours=["red"]).axes[0].get_title()
    'A line'
    """
    check_flag("interactive", interactive)
    if ax is not None and not hasattr(ax, "get_figure"):
        raise TypeError(
            f"ax must be matplotlib axes, got {summarise_value(ax)}. Leave it out for a new figure."
        )
    _check_options(ax, interactive, figsize, style)
    if ax is not None and "dimensions" in _view_options(record):
        view = {"dimensions": 3 if hasattr(ax, "zaxis") else 2, **view}
    exhibit = first_picture(record, view)
    if interactive:
        with colour_context((), colours):
            return _plotly_figure(exhibit)
    if ax is not None:
        return _paint_on(ax, exhibit, colours)
    return draw_figure(exhibit, figsize, colours, style, is_titled=True)


def _check_options(
    ax: Axes | None, interactive: bool, figsize: tuple[float, float] | None, style: Style
) -> None:
    """Raise ValueError for a size or style of a figure that is not made by matplotlib here."""
    names = [name for name, value in (("figsize", figsize), ("style", style)) if value is not None]
    if names and (interactive or ax is not None):
        owner = "an interactive figure" if interactive else "axes of yours"
        raise ValueError(f"{names[0]} must be left out for {owner}, got a value. Omit it.")
    if figsize is None:
        return
    sides = list(figsize) if isinstance(figsize, list | tuple) else []
    if len(sides) != 2 or not all(isinstance(each, int | float) and each > 0 for each in sides):
        raise ValueError(
            f"figsize must be width and height in inches, got {summarise_value(figsize)}. "
            "Use (5, 3)."
        )


def _paint_on(ax: Axes, exhibit: Exhibit, colours: Colours) -> Figure:
    """Paint an exhibit of one panel on axes of the user, and return their figure."""
    with colour_context((ax.get_facecolor(), ax.get_figure().get_facecolor()), colours):
        parts = panels(exhibit)
        if isinstance(exhibit, Scatter):
            parts = parts[:1]
        if len(parts) != 1:
            raise ValueError(
                f"'{exhibit.title}' must have {len(parts)} axes, got one. Call plot without ax."
            )
        legend = parts[0].paint(ax)
        ax.set_title(exhibit.title)
        if legend.marks:
            ax.legend(handles=legend_handles(legend), title=legend.title)
    return ax.get_figure()


def _plotly_figure(exhibit: Exhibit) -> Any:
    """Return a plotly figure; ValueError without an interactive form or data."""
    import plotly.graph_objects as go

    data = plotly_data(exhibit)
    if data is None:
        raise ValueError(
            f"'{exhibit.title}' must have finite data and an interactive form, got none. Call plot "
            "without interactive."
        )
    figure = go.Figure(data)
    # In the middle, because a menu is at the left.
    figure.update_layout(title={"text": exhibit.title, "x": 0.5, "xanchor": "center"})
    return figure


def first_picture(record: Any, view: Mapping[str, Any] | None = None) -> Exhibit:
    """Return the exhibit itself, or the first picture of a record; ValueError without one."""
    kind = type(record).__name__
    if is_frame(record):
        record = frame_exhibit(record)
    if isinstance(record, list | tuple) and record:
        drawable = [each for each in record if isinstance(each, Exhibit) and is_drawable(each)]
        record = drawable[0] if drawable else record
    if isinstance(record, Exhibit):
        if view:
            name = next(iter(view))
            raise ValueError(f"options of a plot of {kind} must be none, got {name!r}. Omit it.")
        return record
    if not hasattr(record, "exhibits"):
        raise ValueError(
            f"an object to plot must have exhibits, got {kind}. Pass a record or an exhibit."
        )
    known = _view_options(record)
    unknown = [name for name in view or {} if name not in known]
    if unknown:
        options = ", ".join(known) or "no options"
        raise ValueError(f"options of a plot of {kind} must be {options}, got {unknown[0]!r}")
    pictures = [exhibit for exhibit in record.exhibits(**view or {}) if is_drawable(exhibit)]
    if not pictures:
        raise ValueError(f"a record to plot must have a picture, got {kind} without one")
    return pictures[0]


def _view_options(record: Any) -> list[str]:
    """Return the names of the options of a record's exhibits."""
    # Panels have exhibits that are no method.
    if isinstance(record, Exhibit) or not hasattr(record, "exhibits"):
        return []
    return list(inspect.signature(record.exhibits).parameters)


def save_figure(
    exhibit: Exhibit, folder: Path, name: str, formats: Sequence[str] = ("svg", "pdf")
) -> None:
    """Write `folder/name.<format>` in each format; the same exhibit gives the same bytes."""
    figure = draw_figure(exhibit)
    folder.mkdir(parents=True, exist_ok=True)
    with appearance():
        # Laid out once and cropped: the layout costs more than the drawing.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        box = figure.get_tightbbox().padded(0.05)
        for form in formats:
            figure.savefig(
                folder / f"{name}.{form}",
                format=form,
                dpi=200,
                bbox_inches=box,
                metadata=NO_DATES.get(form),
            )
