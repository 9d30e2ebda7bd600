"""Store of results: one folder per address, written beside and renamed when complete."""

import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from rnnstudy.core.component import Address
from rnnstudy.core.record import FORMAT, CorruptRecord, DamagedRecord, Record

R = TypeVar("R", bound=Record)
T = TypeVar("T")

DRAFT_LIFETIME = 3600.0
"""Seconds after which no writer can still be at work on a draft."""

SET_ASIDE = ".set-aside"
"""Folder of records that could not be read."""

FORMAT_FILE = "format"
"""File that holds the format of a store. A store of format 1 has none."""


def _loads(folder: Path, kind: type[Record]) -> bool:
    try:
        kind.load(folder)
    except CorruptRecord:
        return False
    return True


class Store:
    """A folder of records. Several processes may read and write it at once."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.damaged: list[str] = []
        """Addresses whose damaged records this object has set aside."""

    def has(self, key: str) -> bool:
        """Return whether the store holds a record of the full size. The contents are not read."""
        folder = self._folder(key)
        try:
            meta = json.loads((folder / "meta.json").read_text())
            return bool((folder / "arrays.npz").stat().st_size == meta["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def read(self, key: str, kind: type[R]) -> R:
        """Return the record under a key.

        Raises CorruptRecord if it is absent, damaged or of another class. A damaged record is set
        aside, so that it counts as missing from then on.
        """
        try:
            return kind.load(self._folder(key))
        except DamagedRecord:
            self._set_aside(self._folder(key))
            self.damaged.append(key)
            raise

    def write(self, key: str, record: Record) -> None:
        """Write a record. Readers see all of it or nothing."""
        self._create()
        draft = self.root / f".draft-{key}-{uuid.uuid4().hex[:8]}"
        try:
            record.save(draft)
            self._publish(draft, self.root / key, type(record))
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _create(self) -> None:
        """Create the folder, with a file that holds its format."""
        if not self.root.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            (self.root / FORMAT_FILE).write_text(f"{FORMAT}\n")

    def _publish(self, draft: Path, folder: Path, kind: type[Record]) -> None:
        for attempts_left in (2, 1, 0):
            try:
                os.rename(draft, folder)
                return
            except OSError:
                # Another writer was first. The same address holds the same result, unless it
                # cannot be loaded. Several writers may replace that one at once.
                if _loads(folder, kind):
                    return
                if not attempts_left:
                    raise
                self._set_aside(folder)

    def _set_aside(self, folder: Path) -> None:
        """Move a folder out of the way, for a person to inspect."""
        aside = self.root / SET_ASIDE
        aside.mkdir(exist_ok=True)
        with suppress(OSError):  # another process has moved it
            os.rename(folder, aside / f"{folder.name}-{uuid.uuid4().hex[:8]}")

    def _folder(self, key: str) -> Path:
        """Return the folder of a record, that of the previous version if only that one exists."""
        folder = self.root / key
        if isinstance(key, Address) and self._may_hold_format_1 and not folder.exists():
            earlier = self.root / key.in_format_1
            return earlier if earlier.exists() else folder
        return folder

    @cached_property
    def _may_hold_format_1(self) -> bool:
        return self.root.exists() and not (self.root / FORMAT_FILE).exists()

    def remove(self, key: str) -> None:
        """Remove the record under a key, if there is one."""
        shutil.rmtree(self._folder(key), ignore_errors=True)

    def memoise(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return `compute()`. A snapshot computes it once for each key."""
        return compute()

    def clear_drafts(self) -> None:
        """Remove drafts of interrupted writers. A young draft may belong to a running one."""
        for draft in self.root.glob(".draft-*"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > DRAFT_LIFETIME:
                    shutil.rmtree(draft, ignore_errors=True)


class StoreSnapshot(Store):
    """A store as it is at one time. Each address is looked up once."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.root)
        self.damaged = store.damaged
        self._present: dict[str, bool] = {}
        self._values: dict[Hashable, Any] = {}

    @cached_property
    def _listed(self) -> frozenset[str]:
        try:
            return frozenset(os.listdir(self.root))
        except OSError:
            return frozenset()

    def has(self, key: str) -> bool:
        """Return whether the store held a whole record at the first call with this key."""
        if key not in self._present:
            listed = key in self._listed or self._may_hold_format_1
            self._present[key] = listed and super().has(key)
        return self._present[key]

    def memoise(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return `compute()`, computed once for each key."""
        if key not in self._values:
            self._values[key] = compute()
        value: T = self._values[key]
        return value
