"""Places in the code of users where an error began."""

import sysconfig
import traceback
from pathlib import Path

PACKAGE_FOLDER = Path(__file__).resolve().parents[2]

INSTALLED = ("site-packages", "dist-packages")
"""Names of folders of installed packages."""


def place_of(error: BaseException) -> str:
    """Return file and line of the last call in code of a user, empty if there is none.

    Parameters
    ----------
    error
        The exception, with its traceback.

    Examples
    --------
    >>> place_of(ValueError("raised nowhere"))
    ''
    """
    frames = traceback.walk_tb(error.__traceback__)
    places = [(frame.f_code.co_filename, line) for frame, line in frames]
    last = next(((name, line) for name, line in reversed(places) if is_of_user(name)), None)
    return f"{Path(last[0]).name}, line {last[1]}" if last else ""


def is_of_user(file: str) -> bool:
    """Return whether a file is neither of this package, nor of Python, nor installed.

    Parameters
    ----------
    file
        Name of the file, as code objects have it.
    """
    path = Path(file)
    if not path.is_absolute() or any(name in path.parts for name in INSTALLED):
        return False
    folders = [
        PACKAGE_FOLDER,
        *(Path(sysconfig.get_path(n)).resolve() for n in ("stdlib", "scripts")),
    ]
    resolved = path.resolve()
    return not any(resolved.is_relative_to(folder) for folder in folders)
