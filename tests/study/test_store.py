"""The store: whole records or none, whatever happens to the writer or the disk."""

import json
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import rnnstudy
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.core.storage.errors import CorruptRecord, ForeignRecord, UnreadableRecord
from rnnstudy.study import store as module
from rnnstudy.study.store import DAMAGED, Store, StoreSnapshot

KEY = "0123456789abcdef"


@dataclass(frozen=True, eq=False)
class Numbers(Record):
    values: Array = array("sample")


def numbers(start: int = 0) -> Numbers:
    return Numbers(values=np.arange(start, start + 5.0))


def visible(root: Path) -> list[str]:
    """Names in a store, with the records in its shards."""
    shards = [path for path in root.iterdir() if path.is_dir()]
    records = [f"{shard.name}/{path.name}" for shard in shards for path in shard.iterdir()]
    return sorted([*records, *(path.name for path in root.iterdir() if path.is_file())])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert not store.has(KEY)
    store.write(KEY, numbers())
    assert store.has(KEY)
    np.testing.assert_array_equal(store.read(KEY, Numbers).values, numbers().values)


def test_a_snapshot_sees_the_store_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    empty = StoreSnapshot(store)
    assert not empty.has(KEY)
    store.write(KEY, numbers())
    assert not empty.has(KEY)
    full = StoreSnapshot(store)
    assert full.has(KEY)
    np.testing.assert_array_equal(full.read(KEY, Numbers).values, numbers().values)
    (store.folder(KEY) / "arrays.npz").write_bytes(b"")
    assert full.has(KEY)
    assert not StoreSnapshot(store).has(KEY)


def test_a_snapshot_lists_the_store_after_many_look_ups_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    keys = Store.keys
    monkeypatch.setattr(Store, "keys", lambda *a: listed.append("all") or keys(*a))
    monkeypatch.setattr(module, "LISTED_AFTER", 3)
    store = Store(tmp_path)
    store.write(KEY, numbers())
    snapshot = StoreSnapshot(store)
    assert [snapshot.has(key) for key in (KEY, "ff00", "ff01")] == [True, False, False]
    assert listed == []
    assert [snapshot.has(key) for key in (KEY, "ff02", "ff03")] == [True, False, False]
    assert listed == ["all"]


def test_a_snapshot_computes_once_and_a_store_each_time(tmp_path: Path) -> None:
    asked: list[str] = []

    def size(of: Store) -> int:
        return of.memoise("size", lambda: asked.append("size") or len(asked))

    snapshot, store = StoreSnapshot(Store(tmp_path)), Store(tmp_path)
    assert [size(snapshot), size(snapshot)] == [1, 1]
    assert [size(store), size(store)] == [2, 3]
    assert snapshot.memoise("other", lambda: 0) == 0


def test_a_cut_file_counts_as_missing_and_is_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(KEY, numbers())
    path = store.folder(KEY) / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-3])
    assert not store.has(KEY)
    store.write(KEY, numbers(3))
    np.testing.assert_array_equal(store.read(KEY, Numbers).values, numbers(3).values)


def test_a_flipped_byte_is_found_on_reading_and_set_aside_by_a_run(tmp_path: Path) -> None:
    store = Store(tmp_path, repairing=True)
    store.write(KEY, numbers())
    path = store.folder(KEY) / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    assert store.has(KEY)
    with pytest.raises(CorruptRecord, match="does not match its checksum"):
        store.read(KEY, Numbers)
    assert not store.has(KEY)


def test_a_record_of_another_kind_is_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True, eq=False)
    class Other(Record):
        values: Array = array("sample")

    store = Store(tmp_path)
    store.write(KEY, numbers())
    with pytest.raises(CorruptRecord, match="must hold a Other, got a Numbers"):
        store.read(KEY, Other)


def test_a_run_sets_a_record_of_another_class_aside(tmp_path: Path) -> None:
    @dataclass(frozen=True, eq=False)
    class Other(Record):
        values: Array = array("sample")

    store = Store(tmp_path, repairing=True)
    store.write(KEY, numbers())
    with pytest.raises(ForeignRecord, match="must hold a Other, got a Numbers"):
        store.read(KEY, Other)
    assert store.damaged == [KEY]
    assert not store.has(KEY)
    assert [path.name[: len(KEY)] for path in (tmp_path / DAMAGED).iterdir()] == [KEY]
    store.write(KEY, numbers())
    store.write(KEY, Other(np.zeros(2)))  # without having read it
    assert store.folder(KEY).is_dir()
    assert len(list((tmp_path / DAMAGED).iterdir())) == 2
    assert Store(tmp_path).has(KEY)


def test_the_first_of_two_writers_wins_and_nothing_is_left_behind(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(KEY, numbers())
    store.write(KEY, numbers(9))
    np.testing.assert_array_equal(store.read(KEY, Numbers).values, numbers().values)
    assert visible(tmp_path) == ["01/0123456789abcdef", "format"]


def test_many_writers_at_once_leave_one_whole_record(tmp_path: Path) -> None:
    store = Store(tmp_path)
    writers = [threading.Thread(target=store.write, args=(KEY, numbers())) for _ in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    np.testing.assert_array_equal(store.read(KEY, Numbers).values, numbers().values)
    assert visible(tmp_path) == ["01/0123456789abcdef", "format"]


def test_what_an_interrupted_writer_left_is_not_a_record_and_is_cleared(tmp_path: Path) -> None:
    store = Store(tmp_path)
    draft = tmp_path / f".draft-{KEY}-1234"
    numbers().save(draft)
    assert not store.has(KEY)
    store.clear_drafts()
    # It may be another process's, which is about to rename it.
    assert list(tmp_path.iterdir()) == [draft]
    os.utime(draft, (0, 0))
    store.clear_drafts()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("trouble", [OSError("too many open files"), PermissionError(13, "denied")])
def test_a_record_that_the_system_does_not_let_read_is_told_from_a_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: OSError
) -> None:
    store = Store(tmp_path, repairing=True)
    store.write(KEY, numbers())

    def fail(*_: object, **__: object) -> None:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr("rnnstudy.core.files.reading.os.open", fail)
        with pytest.raises(UnreadableRecord, match=r"cannot be read: (too many open files|denied)"):
            store.read(KEY, Numbers)
        with pytest.raises(UnreadableRecord, match="cannot be read"):
            store.has(KEY)
    np.testing.assert_array_equal(store.read(KEY, Numbers).values, numbers().values)


def test_meta_is_plain_json(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(KEY, numbers())
    meta = json.loads((store.folder(KEY) / "meta.json").read_text())
    assert meta["tag"].endswith(":Numbers")
    assert (meta["format"], meta["address"]) == (3, KEY)
    assert meta["rnnstudy"] == rnnstudy.__version__
    assert meta["bytes"] == (store.folder(KEY) / "arrays.npz").stat().st_size
