"""Results by address: each in a folder named by its key, written beside and renamed when whole."""

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

from rnnstudy.record import CorruptRecord, Record

R = TypeVar("R", bound=Record)
T = TypeVar("T")

DRAFT_LIFETIME = 3600.0
"""Seconds after which nobody can still be writing a draft."""


class Store:
    """A folder of records. Several processes may read and write it at once."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def has(self, key: str) -> bool:
        """Whether a whole record stands under this key (sizes agree; contents are read later)."""
        try:
            meta = json.loads((self.root / key / "meta.json").read_text())
            return bool((self.root / key / "arrays.npz").stat().st_size == meta["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def read(self, key: str, kind: type[R]) -> R:
        """The record under a key; CorruptRecord if it is absent, damaged or of another kind.

        A damaged one is removed, so that it counts as missing from then on.
        """
        try:
            return kind.load(self.root / key)
        except CorruptRecord as error:
            # A disk that fails or a class that is not on the path says nothing against the record.
            if not isinstance(error.__cause__, OSError | ImportError):
                shutil.rmtree(self.root / key, ignore_errors=True)
            raise

    def write(self, key: str, record: Record) -> None:
        """Keep a record; readers see all of it or nothing."""
        self.root.mkdir(parents=True, exist_ok=True)
        draft = self.root / f".draft-{key}-{uuid.uuid4().hex[:8]}"
        try:
            record.save(draft)
            self._place(draft, self.root / key)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _place(self, draft: Path, place: Path) -> None:
        for attempts_left in (2, 1, 0):
            try:
                os.rename(draft, place)
                return
            except OSError:
                # Somebody was there first. The same address holds the same result, unless damaged;
                # a damaged one may be replaced by several at once.
                if self.has(place.name):
                    return
                if not attempts_left:
                    raise
                shutil.rmtree(place, ignore_errors=True)

    def once(self, about: Hashable, answer: Callable[[], T]) -> T:
        """What there is to say of a thing; a store that does not change says it once."""
        return answer()

    def clear_drafts(self) -> None:
        """Remove what interrupted writers left behind; a young draft may be somebody's at work."""
        for draft in self.root.glob(".draft-*"):
            with suppress(FileNotFoundError):
                if time.time() - draft.stat().st_mtime > DRAFT_LIFETIME:
                    shutil.rmtree(draft, ignore_errors=True)


class Glance(Store):
    """A store as it is at one time: each of the many questions of a plan is looked up once."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.root)
        self._there: dict[str, bool] = {}
        self._said: dict[Hashable, Any] = {}

    @cached_property
    def _listed(self) -> frozenset[str]:
        try:
            return frozenset(os.listdir(self.root))
        except OSError:
            return frozenset()

    def has(self, key: str) -> bool:
        """Whether a whole record stood under this key when the store was first asked."""
        if key not in self._there:
            self._there[key] = key in self._listed and super().has(key)
        return self._there[key]

    def once(self, about: Hashable, answer: Callable[[], T]) -> T:
        """What there is to say of a thing, found when it is first asked."""
        if about not in self._said:
            self._said[about] = answer()
        found: T = self._said[about]
        return found
