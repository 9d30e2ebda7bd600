"""Entry of the `rnnstudy` command. An interrupt during its imports ends it without a traceback."""

import importlib
import sys


def main() -> None:
    """Import the command line and run it."""
    try:
        importlib.import_module("rnnstudy.cli.commands").main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
