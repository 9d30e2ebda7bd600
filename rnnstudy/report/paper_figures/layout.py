"""Layout of the panels of a figure."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnnstudy.report.figures.appearance import Style
from rnnstudy.report.paper_figures.catalogue import PaperFigure, PaperPanel
from rnnstudy.report.paper_figures.drawing import Frame
from rnnstudy.report.paper_figures.style import MM_PER_INCH, NARROW, WIDTHS, paper_appearance
from rnnstudy.report.paper_figures.tables import Tables

LETTER_SIZE = 9
"""Size of the letters of panels in points."""

PADS: dict[str, Any] = {"w_pad": 0.03, "h_pad": 0.03, "wspace": 0.02, "hspace": 0.02}
"""Room around axes: inches, and shares of the axes."""

LABEL_ROUNDING = 1.0
"""Pixels to which the positions of labels are rounded."""

PanelRow = tuple[float, list[tuple[PaperPanel, float]]]
"""Height in millimetres, and panels with their relative widths."""


def compose(
    name: str,
    panels: Sequence[PaperPanel],
    rows: Sequence[PanelRow],
    tables: Mapping[str, Tables],
    missing: Mapping[str, str],
    width: float,
    style: Style,
) -> Any:
    """Return the figure of panels in rows, at a width in millimetres."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    from rnnstudy.report.paper_figures.saving import TabledFigure

    heights = [height for height, _ in rows]
    size = width / MM_PER_INCH, sum(heights) / MM_PER_INCH
    with paper_appearance(style):
        figure = TabledFigure(
            name, dict(named_tables(tables)), missing, style,
            figsize=size, layout=ConstrainedLayoutEngine(**PADS),
        )  # fmt: skip
        if len(panels) == 1:
            panels[0].draw(tables[panels[0].name], figure)
        else:
            for panel, frame in _frames(figure, rows, heights):
                panel.draw(tables[panel.name], frame)
                frame.suptitle(
                    panel.letter, x=0.0, ha="left", fontweight="bold", fontsize=LETTER_SIZE
                )
        settle(figure)
    return figure


def _frames(
    figure: Frame, rows: Sequence[PanelRow], heights: Sequence[float]
) -> Iterator[tuple[PaperPanel, Frame]]:
    """Yield each panel with its part of the figure."""
    strips = figure.subfigures(len(rows), 1, height_ratios=heights, squeeze=False).ravel()
    for strip, (_, parts) in zip(strips, rows, strict=True):
        widths = [width for _, width in parts]
        frames = strip.subfigures(1, len(parts), width_ratios=widths, squeeze=False).ravel()
        for (panel, _), frame in zip(parts, frames, strict=True):
            yield panel, frame


def settle(figure: Frame) -> None:
    """Lay a figure out once. If text leaves no room for the axes, they stay where they are."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "constrained_layout not applied")
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
    keep_labels_inside(figure)


def keep_labels_inside(figure: Frame) -> None:
    """Move axes of three dimensions to the left if the label of the last axis is cut.

    The layout does not know these labels. All axes of a panel move alike.
    """
    for frame in (figure, *_parts(figure)):
        spaces = [axes for axes in frame.axes if hasattr(axes, "zaxis") and axes.figure is frame]
        ends = [axes.zaxis.label.get_window_extent().x1 for axes in spaces]
        excess = max(ends, default=0.0) + LABEL_ROUNDING - figure.bbox.x1
        for axes in spaces if excess > 0 else ():
            position = axes.get_position()
            axes.set_position(position.translated(-excess / frame.bbox.width, 0.0))


def _parts(figure: Frame) -> Iterator[Frame]:
    """Yield all parts of a figure, and their parts."""
    for part in figure.subfigs:
        yield part
        yield from _parts(part)


def rows_of(figure: PaperFigure, panels: Sequence[PaperPanel], width: float) -> list[PanelRow]:
    """Return the rows of some panels of a figure: its own, or one panel a row if it is narrow."""
    if width < NARROW or len(panels) == 1:
        return [(panel.height * width / WIDTHS["single"], [(panel, 1.0)]) for panel in panels]
    rows, position = list[PanelRow](), 0
    for height, widths in figure.rows:
        parts = list(zip(figure.panels[position : position + len(widths)], widths, strict=True))
        position += len(widths)
        drawn = [(panel, share) for panel, share in parts if panel in panels]
        if drawn:
            rows.append((height * width / WIDTHS["double"], drawn))
    return rows


def named_tables(tables: Mapping[str, Tables]) -> Iterator[tuple[str, object]]:
    """Yield each table with the name of its file: `figure1a`, or `figure1c-pairs`."""
    for panel, parts in tables.items():
        for name, table in parts.items():
            yield (f"{panel}-{name}" if name else panel), table
