"""Entry of the `rnnstudy` command. An interrupt during its imports ends it without a traceback."""

import importlib
import os
import sys
from contextlib import suppress


def main() -> None:
    """Import the command line and run it."""
    try:
        importlib.import_module("rnnstudy.cli.commands").main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    # Python has put the working directory first. No file in it may replace a library.
    with suppress(OSError):
        if sys.path[:1] == [os.getcwd()]:
            del sys.path[0]
    main()
