"""Errors of a run."""


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
