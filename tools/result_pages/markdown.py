"""Markdown tables and numbers, and marks in a page that tables replace."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines]) + "\n"


def folded(summary: str, text: str) -> str:
    """Return text that a page shows after a click."""
    return f"<details><summary>{summary}</summary>\n\n{text}\n</details>\n"


def number(value: Any, digits: str = ".2f") -> str:
    """Return a number for people; empty if it is missing."""
    return "" if value is None or pd.isna(value) else f"{value:{digits}}"


def probability(value: Any) -> str:
    """Return a p for people; empty if it is missing."""
    if value is None or pd.isna(value):
        return ""
    return f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def interval(value: Any, low: Any, high: Any) -> str:
    """Return a number with its interval: `0.67 (0.49 to 0.84)`."""
    if value is None or pd.isna(value):
        return ""
    ends = "" if pd.isna(low) or pd.isna(high) else f" ({low:.2f} to {high:.2f})"
    return f"{value:.2f}{ends}"


MARK = re.compile(r"<!-- ([\w-]+) -->\n.*?<!-- end -->", flags=re.DOTALL)
"""Mark of a page with its contents."""


def check_marks(text: str, parts: Collection[str]) -> None:
    """Raise LookupError for a mark of a page that no part has."""
    for name in MARK.findall(text):
        if name not in parts:
            known = ", ".join(sorted(parts))
            raise LookupError(f"no table '{name}' for the page; there are: {known}")


def fill(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return a page whose marks `<!-- NAME -->` ... `<!-- end -->` hold the texts of parts.

    Raises LookupError for a mark that no part has.
    """
    check_marks(text, parts)

    def part(match: re.Match[str]) -> str:
        body = parts[match[1]]().strip()
        return "\n".join([f"<!-- {match[1]} -->", *([body] if body else []), "<!-- end -->"])

    return MARK.sub(part, text)
