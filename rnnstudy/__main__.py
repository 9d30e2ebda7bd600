"""Entry of the `rnnstudy` command. An interrupt during its imports ends it without a traceback."""

import importlib
import os
import sys
import warnings
from contextlib import suppress

from rnnstudy.cli.streams import steady_streams


def main() -> None:
    """Import the command line and run it."""
    with steady_streams():
        try:
            os.getcwd()
        except OSError:
            sys.stderr.write(
                "rnnstudy: the working directory must exist, but it has been deleted. "
                "Change to another folder.\n"
            )
            sys.exit(2)
        keep_warnings()
        try:
            importlib.import_module("rnnstudy.cli.commands").main()
        except KeyboardInterrupt:
            sys.exit(130)


def keep_warnings() -> None:
    """Remove the filters of `python -W error`: warnings of libraries must not end a command."""
    warnings.filters[:] = [entry for entry in warnings.filters if entry[0] != "error"]  # type: ignore[index]


if __name__ == "__main__":
    # Python has put the working directory first. No file in it may replace a library.
    with suppress(OSError):
        if sys.path[:1] == [os.getcwd()]:
            del sys.path[0]
    main()
