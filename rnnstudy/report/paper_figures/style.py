"""Sizes and settings of figures for papers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Literal, get_args

from rnnstudy.core.arguments import summarise_value
from rnnstudy.core.errors import suggestion
from rnnstudy.report.figures.appearance import Style, appearance
from rnnstudy.study.errors import RunError

Column = Literal["single", "double"]

WIDTHS: Mapping[str, float] = MappingProxyType({"single": 85.0, "double": 174.0})
"""Width of a figure in one column of a journal, and across both, in millimetres."""

MM_PER_INCH = 25.4

NARROW = 120.0
"""Width in millimetres below which the panels of a figure stand one below the other."""

PAPER_SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "font.size": 7,
        "legend.handlelength": 1.4,
        "legend.handletextpad": 0.5,
        "legend.columnspacing": 1.0,
        "legend.borderaxespad": 0.2,
        "axes.linewidth": 0.5,
        "xtick.major.width": 0.5,
        "ytick.major.width": 0.5,
        "xtick.major.size": 2,
        "ytick.major.size": 2,
        "axes.labelpad": 2,
        "axes.titlepad": 3,
    }
)
"""Settings of matplotlib beside those of the report. Sizes of text follow `font.size`."""

UNSET: Mapping[str, Any] = MappingProxyType({"figure.figsize": (0.123, 0.123)})
"""Setting that shows whether a style sets the size of figures."""


@contextmanager
def paper_appearance(style: Style = None) -> Iterator[None]:
    """Draw and write with the settings of papers, and a style of the user, in this context."""
    with appearance([dict(PAPER_SETTINGS), *_styles(style)]):
        yield


def _styles(style: Style) -> list[Style]:
    styles = list(style) if isinstance(style, list | tuple) else [style]
    return [each for each in styles if each is not None]


def style_width(style: Style) -> float | None:
    """Return the width in millimetres that a style sets by `figure.figsize`, else None.

    Raises ValueError if it is no style of matplotlib.
    """
    import matplotlib as mpl

    with appearance(style):
        pass  # refuses what is no style, by the name that the user gave
    with appearance([dict(UNSET), *_styles(style)]):
        size = tuple(mpl.rcParams["figure.figsize"])
    return None if size == UNSET["figure.figsize"] else MM_PER_INCH * float(size[0])


def width_of(column: Column | None, default: Column, style: Style) -> float:
    """Return the width of a figure in millimetres: of the column, else of the style or default."""
    if column is None:
        return style_width(style) or WIDTHS[default]
    style_width(style)  # refuses what is no style
    if column not in get_args(Column):
        hint = suggestion(column, get_args(Column)) if isinstance(column, str) else ""
        raise RunError(
            f"width must be single ({WIDTHS['single']:g} mm) or double ({WIDTHS['double']:g} mm), "
            f"got {summarise_value(column)}{hint}"
        )
    return WIDTHS[column]
