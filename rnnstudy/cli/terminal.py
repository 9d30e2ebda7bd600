"""Output to the terminal: text of others is printed as it is, and cannot control the terminal."""

import logging
import re
from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from rnnstudy.core.errors import printable


class SafeConsole(Console):
    """Console without markup, emoji codes and highlighting, which escapes control characters.

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
        super().__init__(markup=False, emoji=False, highlight=False, **options)

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
