"""Errors of a run."""

from collections.abc import Iterator
from contextlib import contextmanager

from rnnstudy.core.source.places import place_of


class RunError(Exception):
    """A run cannot do or does not hold what was requested. The message is for the user."""


def error_sentence(error: BaseException) -> str:
    """Return class and message of an error on one line.

    Messages of TensorFlow begin with its traceback, which is left out. An error whose text cannot
    be formed has the name of its class alone.

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
        text = str(error)
    except Exception:
        return name
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(f"{name}: ")]
    if named:
        return named[0]
    return f"{name}: {lines[0]}" if lines else name


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
        origin = place_of(error)
        raise RunError(
            f"code of a class must not end the process, got {error_sentence(error)}"
            + (f" ({origin})" if origin else "")
        ) from error
