"""Removal of what no spec refers to: results of earlier specs, checkpoints, drafts, damage."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rnnstudy.core.files import DRAFT, remove_folder
from rnnstudy.core.files.removing import DRAFT_LIFETIME
from rnnstudy.core.storage.errors import NewerRecord, UnreadableRecord
from rnnstudy.core.storage.folder import read_meta
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.checkpoints import CHECKPOINT
from rnnstudy.study.execution.leases import is_at_work
from rnnstudy.study.results.run import Run
from rnnstudy.study.store import DAMAGED, Store, folder_size
from rnnstudy.study.upkeep.references import references_of

FORMER_DAMAGED = ".set-aside"
"""Folder of damaged records in stores of format 2."""


class Leftover(NamedTuple):
    """A folder in a store that no spec refers to."""

    path: Path
    reason: str
    bytes: int
    key: str = ""
    """Address, if it is a record."""


def leftovers(runs: Sequence[Run]) -> list[Leftover]:
    """Return what the studies of some run directories with one store do not refer to.

    Raises RunError if their stores differ, or if a run is at work in the store.
    """
    store = runs[0].store
    for run in runs[1:]:
        if run.store.root.resolve() != store.root.resolve():
            raise RunError(
                f"{run.directory} must have the store {store.root}, got {run.store.root}; clean "
                "directories with different stores one by one"
            )
    refuse_busy(store)
    return [*_unused_records(store, runs), *_remains(store)]


def remove_leftovers(store: Store, unused: Sequence[Leftover]) -> None:
    """Remove leftovers from a store."""
    for leftover in unused:
        if leftover.key:
            store.remove(leftover.key)
        else:
            remove_folder(leftover.path)


def refuse_busy(store: Store) -> None:
    """Raise RunError if a run holds a lease in the store. A killed run holds none."""
    if is_at_work(store.root):
        raise RunError(f"a run is at work in {store.root}; wait until it ends")


def _unused_records(store: Store, runs: Sequence[Run]) -> Iterator[Leftover]:
    references = [references_of(run.study, store) for run in runs]
    for key in sorted(set(store.keys())):
        if any(each.title(key) for each in references):
            continue
        folder = store.folder(key)
        try:
            read_meta(folder)
        except (NewerRecord, UnreadableRecord):
            continue  # of a version that may still need it
        except Exception:  # damaged: nothing refers to it either way
            reason = "damaged, and no spec refers to it"
        else:
            reason = "no spec refers to it"
        if key.startswith(CHECKPOINT):
            reason = "checkpoint of networks that are trained"
        yield Leftover(folder, reason, store.size(key), key)


def _remains(store: Store) -> Iterator[Leftover]:
    for name in (DAMAGED, FORMER_DAMAGED):
        if (store.root / name).is_dir():
            for path in sorted((store.root / name).iterdir()):
                yield Leftover(path, "damaged, set aside by a run", folder_size(path))
    for path in sorted(store.root.glob(f"{DRAFT}*")):
        if time.time() - path.lstat().st_mtime > DRAFT_LIFETIME:
            yield Leftover(path, "draft of a writer that ended", folder_size(path))
