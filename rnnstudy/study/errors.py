"""Errors of a run, and errors of users' code in one sentence with their place."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnstudy.core.source.places import is_of_user, place_of

CALLED_FROM = re.compile(r'^File "(?P<file>[^"]+)", line (?P<line>\d+)')
"""A place in the traceback that TensorFlow writes into a message."""

NOISE = re.compile(
    r"File \"|Traceback \(|Graph execution error|Detected at node|Node: |\[\[\{\{node|"
    r"in user code:|\d+ root error|\d+ successful|\d+ derived|<stack traces|"
    r"The above exception was"
)
"""Beginnings of lines in messages of TensorFlow and Keras that say nothing to the user."""

CLASS_AND_MESSAGE = re.compile(
    r"(?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt|Iteration|Warning): \S"
)
"""Beginning of a line with an exception's class and message."""

ROOT = re.compile(r"^\(\d+\) [A-Z_ ]+: +")
"""Beginning of the line of one error among several of a graph."""

ASSERTION = re.compile(r"assertion failed: \[(?P<text>[^\]]+)\]")

DECORATIONS = re.compile(r"\x1b\[[\d;]*m|\{\{function_node [^}]*\}\} ?| ?\[Op:[^\]]*\]( name: ?)?")
"""Colours, and names of operations of TensorFlow."""


class RunError(Exception):
    """A run cannot do or does not hold what was requested. The message is for the user."""


def error_sentence(error: BaseException) -> str:
    """Return class and message of an error on one line.

    Messages of TensorFlow and Keras wrap those of users in tracebacks, which are left out. An error
    whose text cannot be formed has the name of its class alone.

    Parameters
    ----------
    error
        The exception.

    Examples
    --------
    >>> from rnnstudy.study.errors import error_sentence
    >>> error_sentence(ValueError("no finite loss"))
    'ValueError: no finite loss'
    """
    name = type(error).__name__
    try:
        text = DECORATIONS.sub("", str(error))
    except Exception:
        return name
    lines = [ROOT.sub("", line.strip()) for line in text.splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(f"{name}: ")]
    if named:
        return named[0]
    if len(lines) > 1 and lines[0].startswith("Exception encountered when calling"):
        return f"{name}: {lines[1]}"
    if any(NOISE.match(line) for line in lines):
        return _inner_sentence(name, lines)
    return f"{name}: {lines[0]}" if lines else name


class LostSchedulerError(RunError):
    """The scheduler of a cluster is lost in the middle of a run. Spec and arguments are right."""


@contextmanager
def exits_as_errors() -> Iterator[None]:
    """Raise RunError in place of an exit that code of a user requests, such as by `sys.exit`.

    Exceptions and interrupts pass.

    Raises
    ------
    RunError
        The message has file and line of the code.

    Examples
    --------
    >>> from rnnstudy.study.errors import exits_as_errors
    >>> with exits_as_errors():
    ...     raise SystemExit(3)
    Traceback (most recent call last):
    rnnstudy.study.errors.RunError: code of a class must not end the process, got SystemExit: 3
    """
    try:
        yield
    except (Exception, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        raise RunError(
            f"code of a class must not end the process, got {located_sentence(error)}"
        ) from error


def _inner_sentence(name: str, lines: list[str]) -> str:
    """Return the sentence of a message that TensorFlow has wrapped in tracebacks.

    The error of a function that TensorFlow calls, as by `tf.py_function`, is named in the message.
    """
    named = [line for line in lines if CLASS_AND_MESSAGE.match(line)]
    if named:
        return named[0]
    assertion = ASSERTION.search(" ".join(lines))
    if assertion:
        return f"{name}: {assertion['text']}"
    plain = [line for line in lines if not NOISE.match(line)]
    return f"{name}: {plain[-1]}" if plain else name


def located_sentence(error: BaseException) -> str:
    """Return class and message of an error, and the line of a user's code that led to it.

    Parameters
    ----------
    error
        The exception.

    Examples
    --------
    >>> from rnnstudy.study.errors import located_sentence
    >>> located_sentence(ValueError("no finite loss"))
    'ValueError: no finite loss'
    """
    return error_sentence(error) + users_place(error)


def users_place(error: BaseException) -> str:
    """Return file and line of the innermost code of a user in an error: ` (mine.py, line 12)`.

    Empty if there is none.
    """
    named = [
        f"{Path(file).name}, line {line}" for file, line in _places_in(error) if is_of_user(file)
    ]
    position = named[-1] if named else place_of(error)
    return f" ({position})" if position else ""


def _places_in(error: BaseException) -> Iterator[tuple[str, int]]:
    """Yield the places in the tracebacks of TensorFlow in a message, the innermost last."""
    try:
        lines = str(error).splitlines()
    except Exception:
        return
    for line in lines:
        if match := CALLED_FROM.match(line.strip()):
            yield match["file"], int(match["line"])
