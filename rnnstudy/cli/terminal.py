"""Output to the terminal: text of others is printed as it is, and cannot control the terminal."""

import logging
import re
from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from rnnstudy.core.errors import printable

UNLIMITED = 1_000_000
"""Width of output that is no terminal, in characters: a pipe or a file."""


class SafeConsole(Console):
    """Console without markup, emoji codes and highlighting, which escapes control characters.

    Output that is no terminal has no width: nothing is wrapped or cut there.

    Parameters
    ----------
    **options
        Options of `rich.console.Console`.

    Examples
    --------
    >>> SafeConsole().print("x.yaml:100: [bold]")
    x.yaml:100: [bold]
    """

    def __init__(self, **options: Any) -> None:
        self._has_width = "width" in options or bool(options.get("force_terminal"))
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    @property
    def is_wide(self) -> bool:
        """Is true if the width of the output has no limit."""
        # Settings of the environment may say that a pipe is a terminal, for the sake of colours.
        if self._has_width:
            return False
        try:
            return not self.file.isatty()
        except ValueError:  # it has been closed
            return True

    @property
    def size(self) -> ConsoleDimensions:
        """Width and height of the output."""
        size = super().size
        return ConsoleDimensions(UNLIMITED, size.height) if self.is_wide else size

    @size.setter
    def size(self, size: tuple[int, int]) -> None:
        self._width, self._height = size
        self._has_width = True

    def say(self, line: str) -> None:
        """Print a line, which a terminal may wrap where it likes."""
        self.print(line, soft_wrap=True)

    def print_table(self, table: Table) -> None:
        """Print a table; where nothing is wrapped, lines end with their last word."""
        if not self.is_wide:
            self.print(table)
            return
        for segments in self.render_lines(table, pad=False):
            line = Text.assemble(*((each.text, each.style or "") for each in segments))
            line.rstrip()
            self.print(line, soft_wrap=True)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text with control characters escaped, so that its width is the printed one."""
        return super().render_str(printable_lines(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Yield the segments of a renderable, with control characters in texts escaped."""
        for segment in super().render(renderable, options):
            text = printable_lines(segment.text)
            if segment.control or text == segment.text:
                yield segment
            else:
                yield Segment(text, segment.style)


class SafeFormatter(logging.Formatter):
    """Formatter of log messages that escapes control characters."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a message, and of its traceback."""
        return printable_lines(super().format(record))


def printable_lines(text: str) -> str:
    """Return text with its line breaks and tabs, and with all other control characters escaped."""
    return "".join(
        part if part in ("\n", "\t") else printable(part) for part in re.split("([\n\t])", text)
    )


def make_table(*headings: str, labels: int) -> Table:
    """Return an empty table without lines. Cells that are too wide are folded, never cut.

    Parameters
    ----------
    *headings
        Headings of the columns.
    labels
        Number of columns from the left whose text is aligned to the left; numbers follow.

    Examples
    --------
    >>> table = make_table("task", "networks", labels=1)
    >>> table.add_row("sine", "3")
    >>> SafeConsole().print(table)
    task  networks
    sine         3
    """
    table = Table(box=None, pad_edge=False)
    for i, heading in enumerate(headings):
        justify: Any = "left" if i < labels else "right"
        table.add_column(heading, justify=justify, overflow="fold")
    return table
