"""CSV gives the values back to the last digit; the page rounds them."""

import csv
import io

import numpy as np
import pytest

from rnnstudy.core.exhibit import Table
from rnnstudy.report.tables import csv_text, table_cell


def read(table: Table) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_text(table))))


def test_numbers_survive_the_round_trip() -> None:
    values = np.random.default_rng(0).normal(size=50) * 10.0 ** np.arange(-25, 25)
    given = {"double": values, "single": values.astype(np.float32), "whole": np.arange(50)}
    back = read(Table(title="t", columns=given))
    assert [float(row["double"]) for row in back] == values.tolist()
    assert [np.float32(row["single"]) for row in back] == list(values.astype(np.float32))
    assert [int(row["whole"]) for row in back] == list(range(50))


def test_text_with_commas_quotes_and_lines_survives() -> None:
    texts = ["a,b", 'say "x"', "two\nlines", "<b>", "ünïcode"]
    assert [row["x, y"] for row in read(Table(title="t", columns={"x, y": texts}))] == texts


def test_special_values_in_csv() -> None:
    values = [None, True, np.bool_(False), float("nan"), float("inf"), np.float32(0.1)]
    text = csv_text(Table(title="t", columns={"a": values, "b": [0] * 6}))
    assert text == "a,b\n,0\ntrue,0\nfalse,0\nnan,0\ninf,0\n0.1,0\n"


@pytest.mark.parametrize(
    ("value", "text", "sort", "numeric"),
    [
        (None, "", "", False),
        (True, "yes", "true", False),
        (np.bool_(False), "no", "false", False),
        (np.int64(12345), "12345", "12345", True),
        (0.123456789, "0.1235", "0.123456789", True),
        (np.float32(0.1), "0.1", "0.1", True),
        (float("nan"), "nan", "nan", True),
        ("gru", "gru", "gru", False),
    ],
)
def test_cells_of_the_page(value: object, text: str, sort: str, numeric: bool) -> None:
    assert table_cell(value) == (text, sort, numeric)
