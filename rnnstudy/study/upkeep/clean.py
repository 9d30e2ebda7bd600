"""Removal of what no spec refers to: results of earlier specs, checkpoints, drafts, damage."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rnnstudy.core.files import DRAFT, refuse_links, remove_folder
from rnnstudy.core.files.removing import DRAFT_LIFETIME
from rnnstudy.core.storage.errors import NewerRecord, UnreadableRecord
from rnnstudy.core.storage.folder import ARRAYS, META, read_meta
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.checkpoints import CHECKPOINT, CHECKPOINT_FORM
from rnnstudy.study.execution.leases import is_at_work
from rnnstudy.study.results.run import Run
from rnnstudy.study.store import ADDRESS_FORM, DAMAGED, Store, folder_size
from rnnstudy.study.upkeep.index import drop_absent_rows
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

    Only what has the form of a store's own folders is returned: a spec may name any folder as its
    store. Raises RunError if their stores differ, if the folder has no file of a store, or if a run
    is at work in it. Raises LinkError if a folder that would be searched is a link.
    """
    store = runs[0].store
    for run in runs[1:]:
        if run.store.root.resolve() != store.root.resolve():
            raise RunError(
                f"{run.directory} must have the store {store.root}, got {run.store.root}; clean "
                "directories with different stores one by one"
            )
    if not store.has_format():
        # The addresses of format 1 are not those of the references.
        raise RunError(
            f"{store.root} must be a store of format 2 or later, but it has no file 'format'. "
            "Nothing is removed from it; correct 'runtime.store', or keep the store as it is"
        )
    refuse_busy(store)
    return [*_unused_records(store, runs), *_remains(store)]


def remove_leftovers(store: Store, unused: Sequence[Leftover]) -> None:
    """Remove leftovers from a store; LinkError, and nothing is removed, if one is behind a link."""
    for leftover in unused:
        refuse_links(leftover.path.parent, store.root)
    for leftover in unused:
        if leftover.key:
            store.remove(leftover.key)
        else:
            remove_folder(leftover.path)
    drop_absent_rows(store)


def is_elsewhere(runs: Sequence[Run]) -> bool:
    """Return whether the store of some runs lies outside of their directories.

    Then runs that are not named may use it.
    """
    root = runs[0].store.root.resolve()
    return not any(root.is_relative_to(run.directory.resolve()) for run in runs)


def refuse_busy(store: Store) -> None:
    """Raise RunError if a run holds a lease in the store. A killed run holds none."""
    if is_at_work(store.root):
        raise RunError(f"a run is at work in {store.root}; wait until it ends")


def _unused_records(store: Store, runs: Sequence[Run]) -> Iterator[Leftover]:
    references = [references_of(run.study, store) for run in runs]
    for key in sorted(set(filter(_is_own, store.keys()))):
        if any(each.title(key) for each in references):
            continue
        folder = store.folder(key)
        try:
            read_meta(folder)
        except (NewerRecord, UnreadableRecord):
            continue  # of a version that may still need it
        except Exception:  # damaged: nothing refers to it either way
            if not _holds_records_alone(folder):
                continue
            reason = "damaged, and no spec refers to it"
        else:
            reason = "no spec refers to it"
        if key.startswith(CHECKPOINT):
            reason = "checkpoint of networks that are trained"
        yield Leftover(folder, reason, store.size(key), key)


def _is_own(key: str) -> bool:
    """Return whether the name of a folder has the form of an address."""
    return bool(ADDRESS_FORM.fullmatch(key) or CHECKPOINT_FORM.fullmatch(key))


def _holds_records_alone(folder: Path) -> bool:
    """Return whether a folder has no other files than those of a record.

    Git and caches give such names to their folders, too.
    """
    try:
        return folder.is_symlink() or {*os.listdir(folder)} <= {ARRAYS, META}
    except OSError:
        return False


def _remains(store: Store) -> Iterator[Leftover]:
    for name in (DAMAGED, FORMER_DAMAGED):
        refuse_links(store.root / name, store.root)
        if (store.root / name).is_dir():
            for path in sorted((store.root / name).iterdir()):
                yield Leftover(path, "damaged, set aside by a run", folder_size(path))
    for path in sorted(store.root.glob(f"{DRAFT}*")):
        if time.time() - path.lstat().st_mtime > DRAFT_LIFETIME:
            yield Leftover(path, "draft of a writer that ended", folder_size(path))
