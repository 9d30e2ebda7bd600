"""Store of results: one folder per address, written beside and renamed when complete.

A record lies in `ab/abcdef...`, a folder of a store by the first letters of its address. Earlier
versions had no such folders; their records are read where they are. Reading changes nothing. A run
opens its store with `repairing`: then a record that does not match its checksum, or is of another
class than the result of its address, is moved to `.damaged`. So it counts as missing and is
computed again.
"""

import os
import re
import uuid
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from rnnstudy.core import files
from rnnstudy.core.component import Address
from rnnstudy.core.files import DRAFT, LinkError, make_folder, publish_folder, refuse_links
from rnnstudy.core.files.changes import remove_tree, rename, sync
from rnnstudy.core.record import Record
from rnnstudy.core.storage.errors import (
    AbsentRecord,
    DamagedRecord,
)
from rnnstudy.core.storage.folder import has_full_size, read_meta, unreadable, write_draft
from rnnstudy.core.storage.meta import FORMAT, package_version, refuse_newer

R = TypeVar("R", bound=Record)
T = TypeVar("T")

DAMAGED = ".damaged"
"""Folder of records that did not match their checksums."""

FORMAT_FILE = "format"
"""File that holds the format of a store and its writer. A store of format 1 has none."""

ADDRESS_FORM = re.compile(r"[0-9a-f]{40}")
"""Form of the addresses of results."""

SHARD = 2
"""Number of letters of an address that name its folder."""

LISTED_AFTER = 1_000
"""Look-ups after which a snapshot lists the whole store. A job has fewer, a plan has more."""


class Store:
    """A folder of records. Several processes may read and write it at once.

    Parameters
    ----------
    root
        The folder. It is created by the first record.
    repairing
        If true, damaged records that are read are moved to `.damaged`, and so are those of another
        class. Default: they stay.
    """

    def __init__(self, root: str | Path, *, repairing: bool = False) -> None:
        self.root, self.repairing = Path(root), repairing
        self._is_created = False
        self.damaged: list[str] = []
        """Addresses whose damaged records this object has set aside."""

    def has(self, key: str) -> bool:
        """Return whether the store holds a record of the full size. The contents are not read.

        Raises UnreadableRecord if the system refuses to look, NewerRecord if a later version wrote
        the record.
        """
        return has_full_size(self.folder(key))

    def read(self, key: str, kind: type[R]) -> R:
        """Return the record under a key.

        Raises CorruptRecord if it is absent, damaged, unreadable, newer or of another class.
        """
        folder = self.folder(key)
        try:
            self._refuse_linked_shard(folder)
            # Format 1 has other addresses, and none in its records.
            return kind.load(folder, key if folder.name == key else folder.name)
        except DamagedRecord:
            if self.repairing:
                self._set_aside(folder)
                self.damaged.append(key)
            raise

    def read_values(self, key: str) -> dict[str, Any]:
        """Return the fields of a record that are neither arrays nor records, by name.

        Its arrays are not read. Raises CorruptRecord like `read`.
        """
        folder = self.folder(key)
        self._refuse_linked_shard(folder)
        meta = read_meta(folder, key if folder.name == key else folder.name)
        fields: dict[str, Any] = meta["fields"]
        return {name: each["value"] for name, each in fields.items() if "value" in each}

    def write(self, key: str, record: Record) -> None:
        """Write a record, unless there is one. Readers see all of it or nothing.

        A damaged record of the same address is set aside. CorruptRecord is raised if the address
        holds a record that is whole but cannot be read, such as that of a later version.
        """
        self.create()
        draft = self._new_draft()
        try:
            write_draft(record.contents(key), draft)
            self._publish(draft, self._shard(key) / key, type(record))
        finally:
            if draft.exists():
                remove_tree(draft)

    def create(self) -> None:
        """Create the folder, with a file that holds its format."""
        if self._is_created:
            return
        make_folder(self.root)
        number, version = self._format
        refuse_newer(number, version, self.root)
        if number < FORMAT and not self._may_hold_format_1:
            text = f"{FORMAT}\nrnnstudy {package_version()}\n"
            files.write_file(self.root / FORMAT_FILE, text)
        self._is_created = True

    def refuse_unusable(self, *, may_be_absent: bool = False) -> None:
        """Raise CorruptRecord if the store is absent, cannot be read, or is of a newer format."""
        try:
            os.listdir(self.root)
            number, version = self._format
        except FileNotFoundError:
            if may_be_absent:
                return
            raise AbsentRecord(
                f"there is no store {self.root}; is its disk mounted? Create the folder to "
                "compute the results again"
            ) from None
        except NotADirectoryError:
            raise DamagedRecord(f"{self.root} must be the folder of a store, got a file") from None
        except OSError as error:
            raise unreadable(self.root, error) from None
        refuse_newer(number, version, self.root)

    def has_format(self) -> bool:
        """Return whether the folder has the file of a store.

        A store of format 1 has none, and neither has another folder that a spec names.
        """
        return bool(self._format[0])

    @property
    def _format(self) -> tuple[int, str]:
        """Number of the format, 0 if there is none, and the version that wrote it."""
        try:
            words = files.read_file(self.root / FORMAT_FILE, 4096).decode(errors="replace").split()
        except FileNotFoundError:
            return 0, ""
        number = words[0] if words else ""
        return int(number) if number.isdecimal() else 0, " ".join(words[2:])

    def folder(self, key: str) -> Path:
        """Return the folder of a record: in its shard, or where an earlier version put it."""
        folder = self._shard(key) / key
        if not self._holds_earlier_records or os.path.lexists(folder):
            return folder
        earlier = [self.root / key]
        if isinstance(key, Address) and self._may_hold_format_1:
            earlier.append(self.root / key.in_format_1)
        return next((path for path in earlier if os.path.lexists(path)), folder)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the addresses that begin with a prefix and have a folder, whole or not."""
        for name in _folders(self.root):
            if len(name) > SHARD:
                yield from [name] if name.startswith(prefix) else []
            elif name.startswith(prefix[:SHARD]):
                yield from (k for k in _folders(self.root / name) if k.startswith(prefix))

    def size(self, key: str) -> int:
        """Return the bytes of the files of a record; 0 if there is none."""
        return folder_size(self.folder(key))

    def remove(self, key: str) -> None:
        """Remove the record under a key, if there is one."""
        folder, draft = self.folder(key), self._new_draft()
        refuse_links(folder.parent, self.root)
        with suppress(FileNotFoundError):
            rename(folder, draft)
            sync(folder.parent)
            files.remove_folder(draft)

    def memoise(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return `compute()`. A snapshot computes it once for each key."""
        return compute()

    def clear_drafts(self) -> None:
        """Remove drafts of interrupted writers. A young draft may belong to a running one."""
        files.clear_drafts(self.root)

    def _shard(self, key: str) -> Path:
        return self.root / key[:SHARD]

    def _new_draft(self) -> Path:
        return self.root / f"{DRAFT}{uuid.uuid4().hex[:12]}"

    def _publish(self, draft: Path, folder: Path, kind: type[Record]) -> None:
        refuse_links(folder.parent, self.root)
        for attempts_left in (2, 1, 0):
            try:
                publish_folder(draft, folder, inside=self.root)
                return
            except OSError:
                # Another writer was first. The same address holds the same result, unless it
                # is damaged. Several writers may replace that one at once.
                if not os.path.lexists(folder):
                    raise
                if _is_whole(folder, kind):
                    return
                if not attempts_left:
                    raise
                self._set_aside(folder)

    def _set_aside(self, folder: Path) -> None:
        """Move a folder out of the way, for a person to inspect."""
        aside = self.root / DAMAGED
        make_folder(aside, inside=self.root)
        is_linked = folder.parent != self.root and folder.parent.is_symlink()
        folder = folder.parent if is_linked else folder
        with suppress(FileNotFoundError):  # another process has moved it
            rename(folder, aside / f"{folder.name}-{uuid.uuid4().hex[:8]}")
            sync(folder.parent)
            sync(aside)

    def _refuse_linked_shard(self, folder: Path) -> None:
        try:
            refuse_links(folder.parent, self.root)
        except LinkError as error:
            raise DamagedRecord(f"{folder} is damaged: {folder.parent} is a link") from error

    @cached_property
    def _may_hold_format_1(self) -> bool:
        return self._holds_earlier_records and not (self.root / FORMAT_FILE).exists()

    @cached_property
    def _holds_earlier_records(self) -> bool:
        """Is true if records of an earlier version lie beside the shards."""
        return any(len(name) > SHARD for name in _folders(self.root))


class StoreSnapshot(Store):
    """A store as it is at one time. Each address is looked up once."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.root, repairing=store.repairing)
        self.damaged, self._store = store.damaged, store
        self._may_hold_format_1 = store._may_hold_format_1
        self._present: dict[str, bool] = {}
        self._values: dict[Hashable, Any] = {}

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(self._store.keys())

    def has(self, key: str) -> bool:
        """Return whether the store held a whole record at the first call with this key."""
        if key not in self._present:
            is_listed = len(self._present) < LISTED_AFTER or key in self._listed
            self._present[key] = (is_listed or self._may_hold_format_1) and self._store.has(key)
        return self._present[key]

    def read(self, key: str, kind: type[R]) -> R:
        """Return the record under a key, see `Store.read`."""
        return self._store.read(key, kind)

    def read_values(self, key: str) -> dict[str, Any]:
        """Return the plain fields of a record, see `Store.read_values`."""
        return self._store.read_values(key)

    def write(self, key: str, record: Record) -> None:
        """Write a record to the store. The snapshot does not see it."""
        self._store.write(key, record)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the addresses that the store holds now."""
        yield from self._store.keys(prefix)

    def remove(self, key: str) -> None:
        """Remove a record from the store."""
        self._store.remove(key)

    def memoise(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return `compute()`, computed once for each key."""
        if key not in self._values:
            self._values[key] = compute()
        value: T = self._values[key]
        return value


def snapshot_of(store: Store) -> StoreSnapshot:
    """Return a snapshot of a store; a snapshot is returned as it is."""
    return store if isinstance(store, StoreSnapshot) else StoreSnapshot(store)


def folder_size(folder: Path) -> int:
    """Return the bytes of the files below a folder. Links are not followed."""
    size = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size += os.lstat(os.path.join(path, name)).st_size
    return size


def _folders(folder: Path) -> Iterator[str]:
    """Yield the names of folders, and of links to folders, that are not hidden."""
    try:
        with os.scandir(folder) as entries:
            yield from (e.name for e in entries if not e.name.startswith(".") and e.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise unreadable(folder, error) from error


def _is_whole(folder: Path, kind: type[Record]) -> bool:
    """Return whether a folder holds a record; CorruptRecord if that is whole but unreadable."""
    try:
        kind.load(folder, folder.name)
    except (AbsentRecord, DamagedRecord):
        return False
    return True
