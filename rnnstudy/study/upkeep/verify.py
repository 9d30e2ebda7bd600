"""Verification of a run: every record of its store, and the tables that were made of them."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from rnnstudy.core.files import read_file, short_name
from rnnstudy.core.storage.errors import CorruptRecord
from rnnstudy.core.storage.folder import read_meta
from rnnstudy.study.results.files import model_address
from rnnstudy.study.results.run import Run
from rnnstudy.study.store import Store
from rnnstudy.study.upkeep.index import INDEX, read_index
from rnnstudy.study.upkeep.references import references_of


@dataclass
class Verification:
    """Result of the verification of a run."""

    records: int = 0
    """Number of records that match their checksums."""
    unbound: list[str] = field(default_factory=list)
    """Addresses of records of formats 1 and 2, which are not bound to an address."""
    problems: list[str] = field(default_factory=list)
    """Sentences on what is wrong."""


def verify(run: Run) -> Verification:
    """Check every record of a run's store and the tables of the run directory. Nothing is changed.

    A record is read as a whole. Its checksums, address, fields and class are checked. Records that
    the study does not refer to are checked as well. The index of the store, which a run writes at
    its end, says which records there must be.
    """
    result, references = Verification(), references_of(run.study, run.store)
    keys = set(run.store.keys())
    for key in sorted(keys):
        title = references.title(key) or "no result of this study"
        try:
            run.store.read(key, references.kind(key))
        except CorruptRecord as error:
            result.problems.append(f"{title}: {error}")
            continue
        result.records += 1
        if "checksum" not in read_meta(run.store.folder(key)):
            result.unbound.append(key)
    result.problems += _index_problems(run.store, keys)
    result.problems += _misplaced_problems(run.store)
    result.problems += _table_problems(run)
    result.problems += _model_problems(run)
    return result


def _index_problems(store: Store, keys: Collection[str]) -> Iterator[str]:
    """Yield sentences on records that the index of a store lists, and that are not there."""
    rows = read_index(store)
    if keys and not rows and os.path.lexists(store.root / INDEX):
        yield f"{store.root / INDEX} cannot be read; run the study to write it again"
    for key, row in rows.items():
        if key not in keys:
            title = row.holds or "a record"
            yield f"{title}: there is no record {store.folder(key)}, but {INDEX} lists it"


def _misplaced_problems(store: Store) -> Iterator[str]:
    """Yield sentences on records that lie in the shard of another address."""
    for shard in sorted(store.root.glob("??")):
        for path in sorted(shard.iterdir()) if shard.is_dir() else ():
            if not path.name.startswith(shard.name):
                yield f"{path} lies in the folder of other addresses; it is never read"


def _table_problems(run: Run) -> Iterator[str]:
    """Yield sentences on tables that differ from the records that they show."""
    tables = {"members.csv": run.members}
    if run.study.selection is not None:
        tables["selection.csv"] = run.selection
    for name, table in tables.items():
        path = run.directory / name
        try:
            text = read_file(path).decode(errors="replace")
        except OSError as error:
            yield f"{path} cannot be read: {(error.strerror or str(error)).lower()}"
            continue
        if text != table.to_csv(index=False, lineterminator="\n"):
            yield f"{path} differs from the records of the store; run the study to write it again"


def _model_problems(run: Run) -> Iterator[str]:
    """Yield sentences on model files of other networks than those of their names."""
    networks = {short_name(name): n for name, n in run.index.selected.network.items()}
    for path in sorted((run.directory / "models").glob("*.keras")):
        network = networks.get(path.stem)
        if network is not None and model_address(path) != network.key():
            yield f"{path} is not the model of the network of that name"
