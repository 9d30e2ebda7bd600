#!/usr/bin/env python3
"""Print the error messages that no test raises.

Usage: run the tests with coverage, then this script.

    .venv/bin/python -m pytest -n auto --dist loadfile --cov --cov-report=
    tools/untested_messages.py [DATA FILE]

Each line is a `raise` statement that was never reached: file, line, message.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import coverage

PACKAGE = Path(__file__).resolve().parents[1] / "rnnstudy"


def main(arguments: list[str] | None = None) -> int:
    """Print the messages and return 2 if there is no coverage data."""
    arguments = sys.argv[1:] if arguments is None else arguments
    data = coverage.CoverageData(arguments[0] if arguments else ".coverage")
    data.read()
    if not data.measured_files():
        sys.stderr.write("coverage data must exist, got none. Run the tests with --cov.\n")
        return 2
    for path in sorted(PACKAGE.rglob("*.py")):
        lines = set(data.lines(str(path)) or ())
        for line, message in _raises(ast.parse(path.read_text(encoding="utf-8"))):
            if line not in lines:
                sys.stdout.write(f"{path.relative_to(PACKAGE.parent)}:{line}: {message}\n")
    return 0


def _raises(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, error) of each statement that raises a new error."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            text = " ".join(ast.unparse(node.exc).split())
            # A method that a subclass must define is no message for users.
            if "NotImplementedError" not in text:
                yield node.lineno, text[:120]


if __name__ == "__main__":
    sys.exit(main())
