"""Interactive figures in the browser, as plain data for plotly.js; names appear on hovering."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Matrix, Panels, Scatter, Space, Space2D, Space3D, Strip
from rnnstudy.report.figures.heatmaps import MAX_LABELLED_ROWS, colour_scale
from rnnstudy.report.figures.panels import finite_rows
from rnnstudy.report.figures.plane import JITTER, MEDIAN_ARM, usable_values
from rnnstudy.report.style import GREY, PALE, VERMILION, Mark, assign_marks, shorten, varying_parts

Trace = dict[str, Any]
Plot = dict[str, Any]

SYMBOLS = {
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "v": "triangle-down",
    "P": "cross",
    "X": "x",
    "<": "triangle-left",
    ">": "triangle-right",
    "h": "hexagon",
    "p": "pentagon",
    "*": "star",
}
SOLID_SYMBOLS = {
    "o": "circle",
    "^": "cross",
    "s": "square",
    "D": "diamond",
    "v": "x",
    "P": "circle-open",
}
"""The few symbols that plotly has in three dimensions."""

SPACE_TYPES = {2: "scatter", 3: "scatter3d"}
"""Plotly's names of traces, by number of dimensions."""

CAMERA = {"eye": {"x": 1.2, "y": -2.05, "z": 1.03}, "center": {"x": 0, "y": 0, "z": -0.2}}
"""View of the printed figure, from far enough to show the axes' numbers whole."""

MATRIX_WIDTH, MATRIX_HEIGHT = 720, 600
"""Pixels: a matrix keeps its shape for any width of the page."""

ROW_HEIGHT, AROUND_ROWS, LEAST_HEIGHT = 26, 110, 540
"""Pixels of a row of dots, above and below all rows, and of a plot of few rows, as of others."""

LARGEST_EXPLORED = 400
"""Rows of a matrix that can be explored. A larger one is a picture, since a million numbers take
10 MB."""

DIVERGING = [[0, "#2166ac"], [0.5, "#f7f7f7"], [1, "#b2182b"]]

LAYOUT: Plot = {
    "margin": {"l": 60, "r": 20, "t": 40, "b": 50},
    "paper_bgcolor": "white",
    "plot_bgcolor": "white",
    "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#1c2430"},
    "hoverlabel": {"align": "left"},
}


def plotly_data(exhibit: Exhibit) -> Plot | None:
    """Return data and layout for plotly.js, or None without an interactive form or data."""
    if isinstance(exhibit, Panels):
        spaces = [part for part in exhibit.exhibits if isinstance(part, Space)]
        return space_plot(spaces, are_networks=True)
    return PLOT_BUILDERS[type(exhibit)](exhibit) if type(exhibit) in PLOT_BUILDERS else None


def scatter_plot(exhibit: Scatter) -> Plot | None:
    """Return points coloured by one grouping at a time, which buttons choose."""
    keep = np.flatnonzero(finite_rows(exhibit.points)).tolist()
    if not keep:
        return None
    groupings = exhibit.groups or {"": [""] * len(exhibit.points)}
    traces, owners = [], []
    for grouping, names in groupings.items():
        for name, mark in assign_marks(map(str, names)).items():
            chosen = [i for i in keep if str(names[i]) == name]
            traces.append(_scatter_trace(exhibit, chosen, name, mark))
            owners.append(grouping)
    layout = {
        **LAYOUT,
        "xaxis": _axis(exhibit.x_label),
        "yaxis": _axis(exhibit.y_label, square=exhibit.equal_axes),
        **_owner_menu(traces, owners, "coloured by "),
    }
    return {"data": traces, "layout": layout}


def _scatter_trace(exhibit: Scatter, chosen: Sequence[int], name: str, mark: Mark) -> Trace:
    points = exhibit.points[chosen]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape_html(name),
        "x": json_numbers(points[:, 0]),
        "y": json_numbers(points[:, 1]),
        "text": [_hover(exhibit.labels[i], exhibit.groups, i) for i in chosen],
        "hoverinfo": "text",
        "customdata": [exhibit.labels[i] for i in chosen],
        "marker": _marker(mark),
    }


def _marker(mark: Mark) -> Trace:
    return {
        "color": mark.colour,
        "symbol": SYMBOLS[mark.marker] + ("" if mark.filled else "-open"),
        "size": 9,
        "line": {"width": 1, "color": "black" if mark.filled else mark.colour},
    }


def strip_plot(exhibit: Strip) -> Plot | None:
    """Return dots in a row for each category, as on paper; None without a number to show."""
    usable = usable_values(exhibit)
    if not usable.any():
        return None
    categories = np.asarray(exhibit.categories, dtype=str)
    looks = assign_marks(categories.tolist())
    rows = [
        (row, np.flatnonzero(usable & (categories == name)), mark)
        for row, (name, mark) in enumerate(looks.items())
    ]
    traces = [
        trace
        for row, chosen, mark in rows
        if len(chosen)
        for trace in (_dots(exhibit, chosen, row, mark), _median(exhibit, chosen, row, mark))
    ]
    bottom, top = len(looks) - 0.4, -0.6
    if exhibit.limit is not None:
        style = {"color": GREY, "dash": "dot", "width": 1}
        traces.append(_upright(exhibit.limit, (top, bottom), style))
    layout = {
        **LAYOUT,
        "height": max(LEAST_HEIGHT, AROUND_ROWS + ROW_HEIGHT * len(looks)),
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": {**_axis(exhibit.value_label), "type": "log" if exhibit.log else "linear"},
        "yaxis": {
            **_axis(""),
            "range": [bottom, top],
            "tickvals": list(range(len(looks))),
            "ticktext": [escape_html(shorten(name)) for name in looks],
            "automargin": True,
        },
    }
    return {"data": traces, "layout": layout}


def _dots(exhibit: Strip, chosen: Array, row: int, mark: Mark) -> Trace:
    values = np.asarray(exhibit.values, float)[chosen]
    name = str(exhibit.categories[chosen[0]])
    spread = np.linspace(-JITTER, JITTER, len(chosen)) * (len(chosen) > 1)
    groups = {exhibit.value_label or "value": [f"{value:.4g}" for value in values]}
    labels = [exhibit.labels[i] for i in chosen]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": escape_html(name),
        "x": json_numbers(values),
        "y": json_numbers(row + spread),
        "text": [_hover(label, groups, i) for i, label in enumerate(labels)],
        "hoverinfo": "text",
        "customdata": labels,
        "marker": _marker(mark),
    }


def _median(exhibit: Strip, chosen: Array, row: int, mark: Mark) -> Trace:
    median = float(np.median(np.asarray(exhibit.values, float)[chosen]))
    return _upright(
        median, (row - MEDIAN_ARM, row + MEDIAN_ARM), {"color": mark.colour, "width": 2}
    )


def _upright(value: float, ends: tuple[float, float], line: Plot) -> Trace:
    """Return an upright line at a value."""
    x = json_numbers(np.array([value, value]))
    look = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": line}
    return {**look, "x": x, "y": json_numbers(np.array(ends))}


def matrix_plot(exhibit: Matrix) -> Plot | None:
    """Return a heat map that names both networks and their value on hovering; None if too large."""
    values = np.asarray(exhibit.values, float)
    if len(values) > LARGEST_EXPLORED or not np.isfinite(values).any():
        return None
    look = colour_scale(np.ma.masked_invalid(values))
    names = [escape_html(name) for name in varying_parts(exhibit.labels)]
    trace = {
        "type": "heatmap",
        "z": [json_numbers(row) for row in values],
        "zmin": look["vmin"],
        "zmax": look["vmax"],
        "colorscale": "Viridis" if look["cmap"].name == "viridis" else DIVERGING,
        "colorbar": {"title": {"text": escape_html(exhibit.value_label), "side": "right"}},
        "x": names,
        "y": names,
        "hovertemplate": "%{y}<br>%{x}<br>%{z:.4g}<extra></extra>",
        "hoverongaps": False,
    }
    axis = {
        "showticklabels": len(names) <= MAX_LABELLED_ROWS,
        "type": "category",
        "automargin": True,
    }
    layout = {
        **LAYOUT,
        "width": MATRIX_WIDTH,
        "height": MATRIX_HEIGHT,
        "plot_bgcolor": PALE,
        "meta": {"networks": list(exhibit.labels)},
        "xaxis": {**axis, "constrain": "domain"},
        "yaxis": {**axis, "autorange": "reversed", "scaleanchor": "x", "constrain": "domain"},
    }
    return {"data": [trace], "layout": layout}


def space_plot(exhibits: Sequence[Space], are_networks: bool = False) -> Plot | None:
    """Return one view of several exhibits, among which a menu chooses.

    `are_networks`: each exhibit shows the network that its caption names.
    """
    traces: list[Trace] = []
    owners: list[str] = []
    for exhibit in exhibits:
        new = _space_traces(exhibit, exhibit.caption if are_networks else "")
        traces += new
        owners += [exhibit.title] * len(new)
    if not traces:
        return None
    titles = [{"title": {"text": escape_html(label)}} for label in exhibits[0].axis_labels]
    if exhibits[0].dimensions == 3:
        named = zip(("xaxis", "yaxis", "zaxis"), titles, strict=True)
        view: Plot = {"scene": {**dict(named), "aspectmode": "data", "camera": CAMERA}}
    else:
        view = {"xaxis": titles[0], "yaxis": {**titles[1], "scaleanchor": "x"}}
    layout = {
        **LAYOUT,
        **view,
        "legend": {"title": {"text": escape_html(exhibits[0].group_label)}},
        **_owner_menu(traces, owners, ""),
    }
    return {"data": traces, "layout": layout}


def _space_traces(exhibit: Space, network: str) -> list[Trace]:
    """Return lines and points. Each point leads to the network."""
    traces = []
    if len(exhibit.lines):
        traces.append(_lines(exhibit, exhibit.lines, "trajectories", GREY, 1.5))
    if len(exhibit.directions):
        traces.append(_lines(exhibit, exhibit.directions, "directions", VERMILION, 4))
    names = np.asarray(exhibit.point_groups, dtype=str)
    labels = np.asarray(exhibit.point_labels or names, dtype=str)
    keep = finite_rows(exhibit.points)
    for name, mark in assign_marks(names.tolist(), unstable=True).items():
        chosen = keep & (names == name)
        traces.append(
            {
                **_coordinates(exhibit.points[chosen]),
                "type": SPACE_TYPES[exhibit.dimensions],
                "mode": "markers",
                "name": escape_html(name),
                "text": [
                    f"{escape_html(label)}<br>{escape_html(name)}" for label in labels[chosen]
                ],
                "hoverinfo": "text",
                "customdata": [network] * int(chosen.sum()),
                "marker": {
                    "color": mark.colour,
                    "size": 5 if exhibit.dimensions == 3 else 9,
                    "line": {"width": 1, "color": "black"},
                    "symbol": SOLID_SYMBOLS.get(mark.marker, "circle"),
                },
            }
        )
    return traces


def _lines(exhibit: Space, lines: Sequence[Array], name: str, colour: str, width: float) -> Trace:
    """Return one trace with gaps instead of one per line: fewer objects, the same picture."""
    gap = np.full((1, exhibit.dimensions), np.nan)
    path = np.concatenate([part for line in lines for part in (line, gap)])
    return {
        **_coordinates(path),
        "type": SPACE_TYPES[exhibit.dimensions],
        "mode": "lines",
        "name": name,
        "line": {"color": colour, "width": width},
        "hoverinfo": "skip",
        "connectgaps": False,
    }


def _owner_menu(traces: Sequence[Trace], owners: Sequence[str], prefix: str) -> Plot:
    """Return a menu that shows the traces of one owner at a time, the first at first."""
    names = list(dict.fromkeys(owners))
    for trace, owner in zip(traces, owners, strict=True):
        trace["visible"] = owner == names[0]
    if len(names) < 2:
        return {}
    buttons = [
        {
            "label": escape_html(prefix + name),
            "method": "restyle",
            "args": [{"visible": [owner == name for owner in owners]}],
        }
        for name in names
    ]
    return {"updatemenus": [{"buttons": buttons, "x": 0, "xanchor": "left", "y": 1.12}]}


def _axis(label: str, square: bool = False) -> Plot:
    axis: Plot = {"title": {"text": escape_html(label)}, "zeroline": False, "gridcolor": "#e6e8eb"}
    return {**axis, "scaleanchor": "x"} if square else axis


def _hover(label: str, groups: Mapping[str, Sequence[str]], index: int) -> str:
    lines = [label, *(f"{name}: {values[index]}" for name, values in groups.items())]
    return "<br>".join(escape_html(str(line)) for line in lines)


def _coordinates(points: Array) -> Trace:
    return {axis: json_numbers(values) for axis, values in zip("xyz", points.T, strict=False)}


def json_numbers(values: Array) -> list[float | None]:
    """Return numbers for JSON with 5 significant digits; not finite ones become null."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]


def escape_html(text: str) -> str:
    """Return text that plotly shows as it is, although it reads HTML tags in labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


PLOT_BUILDERS: dict[type[Exhibit], Callable[[Any], Plot | None]] = {
    Scatter: scatter_plot,
    Strip: strip_plot,
    Matrix: matrix_plot,
    Space2D: lambda exhibit: space_plot([exhibit]),
    Space3D: lambda exhibit: space_plot([exhibit]),
}
"""Builder for each kind of exhibit; `Panels` of Space3D share one view."""
