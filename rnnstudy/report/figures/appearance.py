"""Appearance of figures: the settings of this package, a style and colours of the user."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rnnstudy.core.errors import suggestion
from rnnstudy.report.style import Colours, Palette, drawn_with

Style = Any
"""A style of matplotlib: its name, its settings as a mapping, or a list of these."""

STYLE_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "legend.title_fontsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Widths of hinted text differ between screen and paper: labels would be cropped.
    "text.hinting": "none",
    # Fixed, since matplotlib would otherwise draw identifiers at random for every file.
    "svg.hashsalt": "rnnstudy",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
}

DARK = 0.4
"""Luminance, 0 to 1, below which a background is dark."""

DARK_PALETTE = {"ink": "#ffffff", "paper": "#000000", "pane": (0.12, 0.12, 0.13, 1.0)}


@contextmanager
def appearance(style: Style = None, colours: Colours = ()) -> Iterator[float]:
    """Draw with the settings of this package alone, and those of a style, in this context.

    Matplotlib reads a file `matplotlibrc` of the working directory, which may be anybody's.

    Parameters
    ----------
    style
        Style of matplotlib. Default: none.
    colours
        Colours that the user has chosen.

    Yields
    ------
    float
        Size of the text, 1 for that of this package.
    """
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE_SETTINGS)
        if style is not None:
            _use_style(style)
        background = [mpl.rcParams["axes.facecolor"], mpl.rcParams["figure.facecolor"]]
        with colour_context(background, colours):
            yield mpl.rcParams["font.size"] / STYLE_SETTINGS["font.size"]


def _use_style(style: Style) -> None:
    """Add a style to the settings. Sizes of text that it leaves follow its general size."""
    import matplotlib as mpl
    import matplotlib.style as mpl_style

    try:
        mpl_style.use(style)
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        hint = suggestion(style, mpl_style.available) if isinstance(style, str) else ""
        raise ValueError(
            f"style must be a style of matplotlib or a dict of its settings, got {style!r}"
            f"{hint or '.'} matplotlib.style.available lists them."
        ) from error
    scale = mpl.rcParams["font.size"] / STYLE_SETTINGS["font.size"]
    for name, size in STYLE_SETTINGS.items():
        if name.endswith("size") and name != "font.size" and mpl.rcParams[name] == size:
            mpl.rcParams[name] = size * scale


@contextmanager
def colour_context(background: Iterable[Any], colours: Colours) -> Iterator[None]:
    """Draw in the user's colours, with ink that is seen on a background.

    Parameters
    ----------
    background
        Colours of the axes and of the figure behind them. The first that is opaque counts.
    colours
        Colours that the user has chosen.

    Raises
    ------
    ValueError
        If a colour is none, or a name is not in the figure.
    """
    _check_colours(colours)
    dark: Any = DARK_PALETTE if _is_dark(background) else {}
    palette = Palette(colours=colours, **dark)
    with drawn_with(palette):
        yield
    if isinstance(colours, Mapping):
        unknown = [name for name in colours if name not in palette.names]
        if unknown:
            known = sorted(palette.names)
            raise ValueError(
                f"colours must be of names in the figure ({', '.join(known) or 'it has none'}), "
                f"got {unknown[0]!r}{suggestion(str(unknown[0]), known)}"
            )


def _check_colours(colours: Colours) -> None:
    from matplotlib.colors import is_color_like

    is_listed = isinstance(colours, Mapping | list | tuple)
    values = list(colours.values() if isinstance(colours, Mapping) else colours)
    wrong = [value for value in values if not is_color_like(value)]
    if wrong or not is_listed:
        raise ValueError(
            "colours must be a list of colours, or a dict from names in the figure to colours, got "
            f"{wrong[0] if is_listed else colours!r}. Write colours as '#0072B2' or 'red'."
        )


def _is_dark(background: Iterable[Any]) -> bool:
    from matplotlib.colors import to_rgba

    for colour in background:
        red, green, blue, alpha = to_rgba(colour)
        if alpha > 0:
            return 0.2126 * red + 0.7152 * green + 0.0722 * blue < DARK
    return False
