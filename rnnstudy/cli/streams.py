"""Output streams of the command that end no run: a closed pipe, a full disk, an ASCII terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class SteadyStream:
    """Text stream that loses what it cannot write, and raises nothing.

    The reader of a pipe may be gone, the disk of a redirected output full, or the terminal closed.
    Characters that the encoding lacks are written as escapes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write a text, or nothing if the stream cannot be written to."""
        with suppress(OSError, ValueError):  # ValueError: the stream has been closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, unless it cannot be written to."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def release(self) -> None:
        """Write what is buffered for the last time, so that Python's own flush at exit succeeds."""
        try:
            self._stream.flush()
        except ValueError:
            return
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def steady_streams() -> Iterator[None]:
    """Replace stdout and stderr by streams that raise nothing, in this context."""
    _open_closed_descriptors()
    before = {name: getattr(sys, name) for name in ("stdout", "stderr")}
    steady = {
        name: SteadyStream(open(os.devnull, "w") if stream is None else stream)  # noqa: SIM115
        for name, stream in before.items()
    }
    for name, stream in steady.items():
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in steady.items():
            stream.release()
            setattr(sys, name, before[name])


def _open_closed_descriptors() -> None:
    """Open descriptors 0 to 2 if they are closed: a file that took their number would be output."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
