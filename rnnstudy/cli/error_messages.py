"""Errors that end a command, as one message and an exit code."""

import errno
import traceback
from pathlib import Path
from typing import Any

from rnnstudy.core.lazy_imports import BackendError
from rnnstudy.core.source.places import place_of
from rnnstudy.core.storage.errors import CorruptRecord
from rnnstudy.study.errors import LostSchedulerError, RunError, error_sentence, users_place
from rnnstudy.study.spec.study import SpecError

DISK_FAILURES = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""Errors of the disk, which no change of the arguments mends."""


def error_message(error: BaseException) -> tuple[str, int]:
    """Return the message of an error that ends a command, and the exit code.

    Parameters
    ----------
    error
        The exception. One that is not an error of the user has the file and line of its origin.

    Returns
    -------
    str
        The message.
    int
        2 for an error in the spec or the arguments, else 1.

    Examples
    --------
    >>> from rnnstudy.cli.error_messages import error_message
    >>> error_message(FileNotFoundError(2, "No such file or directory", "a.yaml"))
    ('rnnstudy: a.yaml: no such file or directory', 2)
    """
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):
        return _usage_sentence(error), error.exit_code
    if isinstance(error, SpecError):
        return str(error), 2
    if isinstance(error, RunError | BackendError | CorruptRecord):
        return f"rnnstudy: {error}", 1 if isinstance(error, LostSchedulerError) else 2
    if isinstance(error, OSError):
        reason = str(error)
        if error.filename and error.strerror:
            reason = f"{error.filename}: {error.strerror.lower()}"
        reason += f" ({origin})" if (origin := place_of(error)) else ""
        if error.errno in DISK_FAILURES:
            return f"rnnstudy: {reason}. Run the same command again once the disk is mended.", 1
        return f"rnnstudy: {reason}", 2
    origin = users_place(error) or _origin(error)
    return f"rnnstudy: {error_sentence(error)}{origin}. -vv shows the traceback.", 1


def _usage_sentence(error: Any) -> str:
    """Return the sentence of wrong words on the command line, and how to see the right ones.

    The classes of these errors are Click's or Typer's, by the version of Typer.
    """
    text = " ".join(error.format_message().split())
    text += "" if text.endswith((".", "?")) else "."
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "rnnstudy"
    hint = f"`{command} --help` shows what it takes."
    if "unexpected extra argument" in text:
        hint = f"Quote a path that has spaces. {hint}"
    return f"rnnstudy: {text[:1].lower()}{text[1:]} {hint}"


def is_exit_of_command(error: BaseException) -> bool:
    """Return whether an exception ends the command as planned, and not by code of a user.

    Parameters
    ----------
    error
        The exception.
    """
    if isinstance(error, KeyboardInterrupt):
        return True
    return isinstance(error, SystemExit) and not place_of(error)


def _origin(error: BaseException) -> str:
    """Return the file and line that raised an error, the last ones of a user if there are any."""
    frames = traceback.extract_tb(error.__traceback__)
    last = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    origin = place_of(error) or last
    return f" ({origin})" if origin else ""
