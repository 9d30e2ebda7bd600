"""A store whose writer ends at any change of the file system: whole records or none, none lost."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rnnstudy.core.arrays import Array
from rnnstudy.core.files import changes
from rnnstudy.core.record import Record, array
from rnnstudy.core.storage.errors import DamagedRecord
from rnnstudy.study.store import Store

KEYS = ("aa11", "aa22", "bb33")


@dataclass(frozen=True, eq=False)
class Numbers(Record):
    values: Array = array("sample")


class PowerFailure(BaseException):
    """The end of a program."""


def numbers(key: str) -> Numbers:
    return Numbers(np.frombuffer(key.encode(), np.uint8))


def write(root: Path) -> None:
    """Write records, the last of them to a shard that there is."""
    store = Store(root)
    for key in KEYS:
        store.write(key, numbers(key))


def mend(root: Path) -> None:
    """Write a store with a damaged record, read that as a run does, and compute it again."""
    write(root)
    (root / "aa" / "aa11" / "arrays.npz").write_bytes(b"cut")
    store = Store(root, repairing=True)
    try:
        store.read("aa11", Numbers)
    except DamagedRecord:
        store.write("aa11", numbers("aa11"))


def write_over_damage(root: Path) -> None:
    """Write to an address whose record is damaged, without having read it."""
    write(root)
    (root / "bb" / "bb33" / "meta.json").unlink()
    Store(root).write("bb33", numbers("bb33"))


def renew(root: Path) -> None:
    """Remove a record and write it again, as for the outcome of a network."""
    write(root)
    store = Store(root)
    store.remove("aa22")
    store.write("aa22", numbers("aa22"))


def crash(action: Callable[[Path], None], root: Path, n: int, *, torn: bool) -> list[str]:
    """Interrupt an action before its n-th change. Return the changes.

    If `torn`, what was written and not flushed yet is lost, as after a power failure.
    """
    seen: list[str] = []
    unflushed: set[Path] = set()

    def before(operation: str, path: Path) -> None:
        if len(seen) == n:
            raise PowerFailure
        seen.append(operation)
        if operation == "create":
            unflushed.add(path)
        elif operation == "sync":
            unflushed.discard(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "before_change", before)
        try:
            action(root)
        except PowerFailure:
            for path in unflushed if torn else ():
                if path.exists():
                    os.truncate(path, path.stat().st_size // 2)
    return seen


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("action", [write, mend, write_over_damage, renew])
def test_a_crash_at_any_change_leaves_whole_records_and_a_store_that_goes_on(
    tmp_path: Path, action: Callable[[Path], None], torn: bool
) -> None:
    n_changes = len(crash(action, tmp_path / "whole", -1, torn=False))
    assert n_changes >= 25
    for n in range(n_changes):
        root = tmp_path / str(n)
        seen = crash(action, root, n, torn=torn)
        assert len(seen) == n
        reader = Store(root)
        for key in list(reader.keys()):
            try:
                found = reader.read(key, Numbers)
            except DamagedRecord:
                assert action in (mend, write_over_damage)
                continue
            np.testing.assert_array_equal(found.values, numbers(key).values)
        # The next run writes what is missing, and ends with a whole store.
        store = Store(root, repairing=True)
        for key in KEYS:
            try:
                store.read(key, Numbers)
            except Exception:
                store.write(key, numbers(key))
        for draft in root.glob(".draft-*"):
            os.utime(draft, (0, 0), follow_symlinks=False)
        store.clear_drafts()
        for key in KEYS:
            np.testing.assert_array_equal(store.read(key, Numbers).values, numbers(key).values)
        assert sorted(store.keys()) == sorted(KEYS)
        visible = {path.name for path in root.iterdir()} - {".damaged"}
        assert visible == {"aa", "bb", "format"}
