"""Index of a store in plain text: what each address holds."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rnnstudy.core.files import read_file, write_file
from rnnstudy.core.storage.errors import CorruptRecord
from rnnstudy.core.storage.folder import read_meta
from rnnstudy.study.execution.checkpoints import CHECKPOINT
from rnnstudy.study.store import Store
from rnnstudy.study.upkeep.references import References

INDEX = "index.csv"
"""File in a store that lists its records."""


class IndexRow(NamedTuple):
    """A record in a store.

    Examples
    --------
    >>> IndexRow("ab12", "network a", "trained_networks", 4096).holds
    'network a'
    """

    address: str
    """Name of its folder."""
    holds: str
    """Result that it is in the study that computed it."""
    tag: str
    """Tag of its class."""
    bytes: int
    """Size of its files."""


def write_index(store: Store, references: References) -> None:
    """Write `index.csv` of a store: one row per record, in the order of addresses.

    Rows of records of other studies stay as they are.
    """
    _write_rows(store, index_rows(store, references))


def drop_absent_rows(store: Store) -> None:
    """Remove the rows of records that the store does not hold any more from its index."""
    keys, rows = {*store.keys()}, read_index(store)
    if rows.keys() - keys:
        _write_rows(store, (row for key, row in rows.items() if key in keys))


def _write_rows(store: Store, rows: Iterable[IndexRow]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([IndexRow._fields, *sorted(rows)])
    write_file(store.root / INDEX, text.getvalue(), inside=store.root)


def index_rows(store: Store, references: References) -> Iterator[IndexRow]:
    """Yield the records of a store that are whole as far as their descriptions tell."""
    former = read_index(store)
    for key in set(store.keys()):
        if key.startswith(CHECKPOINT):
            continue
        row, title = former.get(key), references.title(key)
        if row is None:
            try:
                meta = read_meta(store.folder(key), key)
            except CorruptRecord:
                continue
            row = IndexRow(key, title, str(meta.get("tag", meta.get("class"))), store.size(key))
        yield row._replace(holds=title or row.holds)


def read_index(store: Store) -> Mapping[str, IndexRow]:
    """Return address -> row of `index.csv`; nothing if there is none that can be read."""
    try:
        text = read_file(store.root / INDEX).decode()
        parsed = list(csv.DictReader(io.StringIO(text)))
        rows = [IndexRow(r["address"], r["holds"], r["tag"], int(r["bytes"])) for r in parsed]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return {}
    return {row.address: row for row in rows}
