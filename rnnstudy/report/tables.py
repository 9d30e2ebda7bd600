"""Tables as CSV (every digit) and as cells for the page (digits for people)."""

import csv
import io
import numbers
from typing import Any, NamedTuple

from rnnstudy.core.exhibit import Table
from rnnstudy.report.style import format_number


class TableCell(NamedTuple):
    """A cell of the page: what is read, what it is sorted by, and whether it is a number."""

    text: str
    sort: str
    numeric: bool


def csv_text(table: Table) -> str:
    """The table with a header row and LF line ends; numbers so that reading gives them back.

    None is empty, booleans are `true` and `false`, missing and infinite numbers `nan`, `inf`.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table_rows(table):
        writer.writerow([machine_text(value) for value in row])
    return stream.getvalue()


def table_rows(table: Table) -> list[tuple[Any, ...]]:
    """The values row by row."""
    return list(zip(*table.columns.values(), strict=True))


def machine_text(value: Any) -> str:
    """A value for machines. The shortest text that gives the same number of its type again."""
    if value is None:
        return ""
    if is_boolean(value):
        return "true" if value else "false"
    return str(value)


def is_boolean(value: Any) -> bool:
    """Whether a value is a truth value, Python's or NumPy's."""
    return isinstance(value, bool) or type(value).__name__ == "bool"


def table_cell(value: Any) -> TableCell:
    """A value for people: 4 significant digits, `yes` and `no`."""
    if value is None:
        return TableCell("", "", False)
    if is_boolean(value):
        return TableCell("yes" if value else "no", machine_text(value), False)
    if isinstance(value, numbers.Integral):
        return TableCell(str(value), str(value), True)
    if isinstance(value, numbers.Real):
        return TableCell(format_number(float(value)), machine_text(value), True)
    return TableCell(str(value), str(value), False)
