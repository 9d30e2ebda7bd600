"""Tables as CSV (every digit) and as cells for the page (digits for people)."""

import csv
import io
import numbers
from typing import Any, NamedTuple

from rnnstudy.core.exhibit import Table
from rnnstudy.report.style import format_number


class TableCell(NamedTuple):
    """Cell of the page: its text, the text that sorts it, and a mark for numbers."""

    text: str
    sort: str
    numeric: bool


def csv_text(table: Table) -> str:
    """Return the table as CSV with a header row and LF line ends; numbers keep every digit.

    None is empty, booleans are `true` and `false`, missing and infinite numbers `nan` and `inf`.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table_rows(table):
        writer.writerow([machine_text(value) for value in row])
    return stream.getvalue()


def table_rows(table: Table) -> list[tuple[Any, ...]]:
    """Return the values row by row."""
    return list(zip(*table.columns.values(), strict=True))


def machine_text(value: Any) -> str:
    """Return the shortest text from which the same number of its type is read."""
    if value is None:
        return ""
    if is_boolean(value):
        return "true" if value else "false"
    return str(value)


def is_boolean(value: Any) -> bool:
    """Return True for a truth value of Python or NumPy."""
    return isinstance(value, bool) or type(value).__name__ == "bool"


def table_cell(value: Any) -> TableCell:
    """Return a value for people: 4 significant digits, `yes` and `no`."""
    if value is None:
        return TableCell("", "", False)
    if is_boolean(value):
        return TableCell("yes" if value else "no", machine_text(value), False)
    if isinstance(value, numbers.Integral):
        return TableCell(str(value), str(value), True)
    if isinstance(value, numbers.Real):
        return TableCell(format_number(float(value)), machine_text(value), True)
    return TableCell(str(value), str(value), False)
