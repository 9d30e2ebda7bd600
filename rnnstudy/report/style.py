"""One style for all figures: colour, marker and line of each name, on paper and on screen.

A cell has a hue, an activation a marker, and a protocol a line style. Numbers of unstable
directions have a scale of their own, from dark to light. Colours are those of Okabe & Ito (2008)
and four of Paul Tol's, which differ under any kind of colour vision. Markers repeat the colours
where a name is a cell alone, so that figures survive a grey printer.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

BLACK, GREY, PALE = "#000000", "#8a8f98", "#d5d8dd"
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
INDEX_SCALE = (BLACK, "#3B0F70", "#8C2981", "#DE4968", "#FE9F6D", "#FCDDA0")
"""Colours of numbers of unstable directions, 0 and above: steps of one scale, dark to light."""
INDIGO, OLIVE, WINE, TEAL = "#332288", "#999933", "#882255", "#44AA99"


@dataclass(frozen=True)
class Mark:
    """Style of one name; `marker` and `line` as in matplotlib."""

    colour: str
    marker: str = "o"
    line: str = "-"
    filled: bool = True
    on_lines: bool = False
    """True for a line that has the marker as well."""


Colours = Mapping[str, str] | Sequence[str]
"""Colours of names, or of the names in the order of the legend."""


@dataclass(frozen=True)
class Palette:
    """Colours of one figure: of its ink and its paper, and colours that the user has chosen."""

    ink: str = BLACK
    paper: str = "white"
    pane: tuple[float, ...] = (0.97, 0.97, 0.98, 1.0)
    """Colour of the walls of three axes."""
    colours: Colours = ()
    names: set[str] = field(default_factory=set, compare=False)
    """Names that the figure has, if the user has chosen colours of names."""

    def dress(self, mark: Mark, name: str, position: int) -> Mark:
        """Return a mark in the colours of the palette.

        Parameters
        ----------
        mark
            Mark of the style.
        name
            Name that it stands for.
        position
            Position of the name in the legend.
        """
        colour = self.ink if mark.colour == BLACK else mark.colour
        if isinstance(self.colours, Mapping):
            self.names.add(name)
            colour = self.colours.get(name, colour)
        elif len(self.colours):
            colour = self.colours[position % len(self.colours)]
        return mark if colour == mark.colour else replace(mark, colour=colour)


_PALETTE: ContextVar[Palette | None] = ContextVar("_PALETTE", default=None)


def palette() -> Palette:
    """Return the colours of the figure that is drawn."""
    return _PALETTE.get() or Palette()


@contextmanager
def drawn_with(colours: Palette) -> Iterator[None]:
    """Draw with other colours for the time of the context."""
    token = _PALETTE.set(colours)
    try:
        yield
    finally:
        _PALETTE.reset(token)


CELL_MARKS = {
    "vanilla": Mark(BLUE, "o"),
    "ugrnn": Mark(ORANGE, "s"),
    "gru": Mark(GREEN, "^"),
    "lstm": Mark(VERMILION, "D"),
}
ACTIVATION_MARKS = {
    "tanh": Mark(PURPLE, "o"),
    "relu": Mark(SKY, "v", "--", filled=False),
}
PROTOCOL_LINES = ("-", "--", ":", "-.")
"""Line styles of protocols, in the order of their names."""

WORD_MARKS = {
    "target": Mark(BLACK, "o", "--"),
    "output": Mark(BLUE),
    "input": Mark(GREY),
    "recording": Mark(BLACK, "*"),
}
KNOWN_MARKS = {**CELL_MARKS, **ACTIVATION_MARKS, **WORD_MARKS}
MARK_ORDER = list(KNOWN_MARKS)

UNSTABLE_MARKS = tuple(
    Mark(colour, marker) for colour, marker in zip(INDEX_SCALE, "o^sDvP", strict=True)
)
"""By number of unstable directions; the last is for its number and all above."""

SPARE_MARKS = tuple(
    Mark(colour, marker, line, filled)
    for filled, line in ((True, "-"), (False, "--"))
    for colour, marker in (
        (PURPLE, "v"), (SKY, "P"), (INDIGO, "X"), (OLIVE, "<"), (WINE, ">"), (TEAL, "h"),
        (ORANGE, "p"), (BLUE, "*"),
    )
)  # fmt: skip
"""For names without a fixed style; first the colours that no cell has."""

LEGEND_LIMIT = 12
"""Names that a legend lists; more names are only counted."""


def unstable_count(name: str) -> int | None:
    """Return the number of unstable directions in `2`, `2 unstable` or `stable`, else None."""
    digits = re.match(r"\d+\b", name)
    if digits:
        return int(digits.group())
    return 0 if name == "stable" else None


def sort_names(names: Iterable[str]) -> list[str]:
    """Return distinct names: known ones in a fixed order, numbers, then by first appearance."""
    distinct = list(dict.fromkeys(names))

    def rank(name: str) -> tuple[int, list[float]]:
        ranks: list[float] = [MARK_ORDER.index(word) for word in name.split() if word in MARK_ORDER]
        if ranks:
            return 0, ranks
        try:
            return 1, [float(name)]
        except ValueError:
            count = unstable_count(name)
            return 2, [len(distinct) if count is None else count, distinct.index(name)]

    return sorted(distinct, key=rank)


def assign_marks(names: Iterable[str], unstable: bool = False) -> dict[str, Mark]:
    """Return a mark for each distinct name, in the order of a legend.

    A cell, an activation and `cell activation` have the same mark in every figure. With `unstable`,
    so does a number of unstable directions. Other names take the remaining marks in order.
    """
    ordered = sort_names(names)
    protocols = list(dict.fromkeys(name.split()[2] for name in ordered if _has_protocol(name)))
    fixed = {name: unstable_mark(name) if unstable else None for name in ordered}
    fixed = {name: mark or known_mark(name, protocols) for name, mark in fixed.items()}
    used = {mark.colour for mark in fixed.values() if mark}
    free = [mark for mark in SPARE_MARKS if mark.colour not in used] or list(SPARE_MARKS)
    spare = (free[i % len(free)] for i in range(len(ordered)))
    marks = {name: mark or next(spare) for name, mark in fixed.items()}
    dress = palette().dress
    return {name: dress(mark, name, i) for i, (name, mark) in enumerate(marks.items())}


def unstable_mark(name: str) -> Mark | None:
    """Return the mark of a number of unstable directions, or None if `name` has no number."""
    count = unstable_count(name)
    return None if count is None else UNSTABLE_MARKS[min(count, len(UNSTABLE_MARKS) - 1)]


def known_mark(name: str, protocols: Sequence[str] = ()) -> Mark | None:
    """Return the mark of a name with a fixed style, else None.

    Parameters
    ----------
    name
        A cell, an activation, `cell activation`, or `cell activation protocol`.
    protocols
        Protocols of the figure, in the order of their line styles. Default: none.
    """
    if name in KNOWN_MARKS:
        return KNOWN_MARKS[name]
    words = name.split()
    if len(words) not in (2, 3) or words[0] not in CELL_MARKS or words[1] not in ACTIVATION_MARKS:
        return None
    cell, activation = CELL_MARKS[words[0]], ACTIVATION_MARKS[words[1]]
    mark = replace(cell, marker=activation.marker, filled=activation.filled, line=activation.line)
    if len(words) == 2:
        return mark
    number = protocols.index(words[2]) if words[2] in protocols else 0
    return replace(mark, line=PROTOCOL_LINES[number % len(PROTOCOL_LINES)], on_lines=True)


def _has_protocol(name: str) -> bool:
    """Return True for `cell activation protocol`."""
    return len(name.split()) == 3 and known_mark(name) is not None


def varying_parts(labels: Sequence[str]) -> list[str]:
    """Return labels without the hyphenated parts that all of them share."""
    parts = [label.split("-") for label in labels]
    if len(labels) < 2 or len({len(part) for part in parts}) != 1:
        return list(labels)
    varying = [i for i in range(len(parts[0])) if len({part[i] for part in parts}) > 1]
    return ["-".join(part[i] for i in varying) or "-".join(part) for part in parts]


def shorten(text: str, limit: int = 30) -> str:
    """Return text that fits into a legend or beside an axis, without its middle if too long."""
    half = (limit - 1) // 2
    return text if len(text) <= limit else f"{text[:half].rstrip()}…{text[-half:].lstrip()}"


def wrap_text(text: str, width: int, lines: int = 2) -> str:
    """Return text in at most so many lines of `width` characters, without its middle if too long.

    Long names that differ in one word stay different.
    """
    for limit in range(lines * width, width, -1):
        parts = textwrap.wrap(shorten(text, limit), width)
        if len(parts) <= lines:
            return "\n".join(parts)
    return shorten(text, width)


def format_number(value: float, digits: int = 4) -> str:
    """Return a number for people: some significant digits, `nan` and `inf` in words."""
    return f"{value:.{digits}g}"
