"""Where the `rnnstudy` command begins: an interrupt while its parts are read ends it in silence."""

import importlib
import sys


def main() -> None:
    """Read the command's parts, and let it run."""
    try:
        importlib.import_module("rnnstudy.cli.commands").main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
