"""Thousands of mutated records: every one is found, none is moved or deleted by a reader.

Each record of a small store is changed in every way that a disk, a person or another program may:
bytes flipped, files cut, emptied, removed, exchanged, replaced, edited, and things that are no
files. A reader then either refuses the record in one sentence, or returns what was written.
"""

import json
import os
import random
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from resealed import reseal

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.core.storage.errors import CorruptRecord
from rnnstudy.study.store import DAMAGED, Store

KEYS = tuple(f"{n:02x}{'0123456789abcdef' * 2}{n:06x}" for n in range(6))

COURSES = tuple(f"course-{'ab' * 15}{n:02d}-000000100" for n in range(2))
"""Addresses of checkpoints of two cohorts."""

Mutation = Callable[[Path, Path, random.Random], object]
"""Function that changes a record's folder. It gets the folder of another record, and chance."""


@dataclass(frozen=True, eq=False)
class Verdict(Record):
    p: float
    words: tuple[str, ...]
    effect: Array = array("member")
    steps: Array = array("member")


@dataclass(frozen=True, eq=False)
class Loss(Record):
    p: float
    words: tuple[str, ...]
    effect: Array = array("member")
    steps: Array = array("member")


def record(n: int, kind: type[Verdict] | type[Loss] = Verdict) -> Verdict | Loss:
    values = np.arange(4.0) + n
    return kind(p=0.04 + n, words=("effect", str(n)), effect=values, steps=np.arange(4) * n)


def same(first: Record, second: Record) -> bool:
    """Compare class, fields and arrays."""
    return type(first) is type(second) and first.contents("x") == second.contents("x")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole") / "store"
    store = Store(root)
    for n, key in enumerate([*KEYS, *COURSES]):
        store.write(key, record(n))
    return root


def file_of(folder: Path, chance: random.Random) -> Path:
    return folder / chance.choice(["arrays.npz", "meta.json"])


def flip(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 3])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def lengthen(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    path.write_bytes(path.read_bytes() + chance.choice([b"\0", b"\n", b" " * 100]))


def empty(folder: Path, other: Path, chance: random.Random) -> None:
    file_of(folder, chance).write_bytes(b"")


def delete(folder: Path, other: Path, chance: random.Random) -> None:
    file_of(folder, chance).unlink()


def delete_all(folder: Path, other: Path, chance: random.Random) -> None:
    for path in folder.iterdir():
        path.unlink()


def remove(folder: Path, other: Path, chance: random.Random) -> None:
    shutil.rmtree(folder)


def swap_folders(folder: Path, other: Path, chance: random.Random) -> None:
    aside = folder.with_name("aside")
    folder.rename(aside)
    other.rename(folder)
    aside.rename(other)


def swap_files(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    content = path.read_bytes()
    path.write_bytes((other / path.name).read_bytes())
    (other / path.name).write_bytes(content)


def copy_folder(folder: Path, other: Path, chance: random.Random) -> None:
    shutil.rmtree(folder)
    shutil.copytree(other, folder)


def copy_file(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    shutil.copyfile(other / path.name, path)


def replace_by_noise(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    path.write_bytes(chance.randbytes(path.stat().st_size))


def edit(folder: Path, other: Path, chance: random.Random) -> None:
    """Edit one value of `meta.json`, as a person does."""
    path = folder / "meta.json"
    meta = json.loads(path.read_text())
    changes: list[Callable[[], object]] = [
        lambda: meta["fields"].update(p={"value": chance.random()}),
        lambda: meta["fields"].update(words={"value": ["other"]}),
        lambda: meta.update(tag=meta["tag"].replace("Verdict", "Loss")),
        lambda: meta.update(address=other.name),
        lambda: meta.update(format=2),
        lambda: meta.update(rnnstudy="0.0.1"),
        lambda: meta["fields"].pop("p"),
        lambda: meta["fields"].update(extra={"value": 1}),
        lambda: meta.pop("address"),
        lambda: meta.update(sha256="0" * 64),
        lambda: meta.update(bytes=meta["bytes"] + 1),
        lambda: meta.update(checksum="0" * 64),
        lambda: meta.update(checksum=None),
        lambda: meta.update(fields=[]),
        lambda: meta.pop(chance.choice(sorted(meta))),
    ]
    chance.choice(changes)()
    path.write_text(json.dumps(meta, indent=1) + "\n")


def link_file(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    target = path.rename(folder.with_name(f"{folder.name}-{path.name}"))
    path.symlink_to(target)


def link_folder(folder: Path, other: Path, chance: random.Random) -> None:
    target = folder.rename(folder.parent.parent / "elsewhere")
    folder.symlink_to(target)


def link_to_other(folder: Path, other: Path, chance: random.Random) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(other)


def dangle(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    path.unlink()
    path.symlink_to("absent")


def other_class(folder: Path, other: Path, chance: random.Random) -> None:
    """Write a record of another class, with right checksums, for this address."""
    shutil.rmtree(folder)
    folder.mkdir()
    for name, content in record(1, Loss).contents(folder.name).items():
        (folder / name).write_bytes(content)


def without_address(folder: Path, other: Path, chance: random.Random) -> None:
    """Write a record as `save` does, which has no address."""
    record(1).save(folder)


def pipe(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    path.unlink()
    os.mkfifo(path)


def folder_for_file(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    path.unlink()
    path.mkdir()


def file_for_folder(folder: Path, other: Path, chance: random.Random) -> None:
    shutil.rmtree(folder)
    folder.write_text("a file")


def device(folder: Path, other: Path, chance: random.Random) -> None:
    path = file_of(folder, chance)
    path.unlink()
    path.symlink_to("/dev/zero")


def deepen(folder: Path, other: Path, chance: random.Random) -> None:
    depth = chance.choice([500, 2_000, 50_000])
    text = (folder / "meta.json").read_text()
    (folder / "meta.json").write_text(text.replace('"value": ', f'"value": {"[" * depth}', 1))


def bomb(folder: Path, other: Path, chance: random.Random) -> None:
    """Compress ten megabytes of zeros into an archive, with right checksums."""
    with zipfile.ZipFile(folder / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("effect.npy", bytes(10**7))
    reseal(folder, lambda meta: None)


def newer(folder: Path, other: Path, chance: random.Random) -> None:
    reseal(folder, lambda meta: meta.update(format=4, rnnstudy="9.9"))


MUTATIONS: tuple[Mutation, ...] = (
    flip, flip, flip, cut, cut, lengthen, empty, delete, delete_all, remove, swap_folders,
    swap_files, copy_folder, copy_file, replace_by_noise, edit, edit, edit, link_file, link_folder,
    link_to_other, dangle, other_class, without_address, pipe, folder_for_file, file_for_folder,
    device, deepen, bomb, newer,
)  # fmt: skip


def mutations(root: Path, number: int) -> Iterator[tuple[str, str, str, Path]]:
    """Yield mutated copies of a store: kind, address that was mutated, other address, root."""
    chance = random.Random(0)
    for n in range(number):
        mutation = MUTATIONS[n % len(MUTATIONS)]
        keys = COURSES if chance.random() < 0.2 else KEYS
        key, other = chance.sample(keys, 2)
        copy = root.parent / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        for each in (key, other):
            shutil.copytree(root / each[:2] / each, copy / each[:2] / each)
        shutil.copyfile(root / "format", copy / "format")
        mutation(copy / key[:2] / key, copy / other[:2] / other, chance)
        yield mutation.__name__, key, other, copy


def paths(root: Path) -> dict[str, tuple[int, int]]:
    """Return path -> inode and size of all below a folder, without following links."""
    return {
        os.path.join(folder, name): (status.st_ino, status.st_size)
        for folder, folders, names in os.walk(root)
        for name in (*folders, *names)
        for status in [os.lstat(os.path.join(folder, name))]
    }


def silent(root: Path, key: str, original: Record) -> str:
    """Read a record. Return why a mutation was not found; empty if it was, or did no harm."""
    before = paths(root)
    store = Store(root)
    try:
        store.has(key)
        found = store.read(key, Verdict)
    except CorruptRecord as error:
        if "\n" in str(error) or key not in str(error):
            return f"not one sentence: {error}"
    else:
        if not same(found, original):
            return "read as another record"
    return "" if paths(root) == before else "the reader changed the store"


@pytest.mark.parametrize("number", [900, pytest.param(5100, marks=pytest.mark.slow)])
def test_every_mutation_is_found_and_readers_change_nothing(whole: Path, number: int) -> None:
    originals = {key: record(n) for n, key in enumerate([*KEYS, *COURSES])}
    failures: Counter[str] = Counter()
    for kind, key, other, root in mutations(whole, number):
        for each in (key, other):
            if reason := silent(root, each, originals[each]):
                failures[f"{kind}: {reason}"] += 1
    assert failures == {}


def harmless(kind: str) -> bool:
    """Return whether a mutation leaves a whole record, which only another version can read."""
    return kind == "newer"


def test_a_run_sets_damaged_records_aside_and_mends_the_store(whole: Path) -> None:
    originals = {key: record(n) for n, key in enumerate([*KEYS, *COURSES])}
    mended: Counter[str] = Counter()
    for kind, key, _, root in mutations(whole, 150):
        store = Store(root, repairing=True)
        before = sorted(size for ino, size in paths(root / key[:2]).values())
        try:
            store.read(key, Verdict)
        except CorruptRecord:
            if harmless(kind):
                assert store.damaged == []
                with pytest.raises(CorruptRecord, match=r"9\.9"):
                    store.write(key, originals[key])
                continue
        store.write(key, originals[key])
        assert same(Store(root).read(key, Verdict), originals[key])
        if store.damaged:
            (aside,) = (root / DAMAGED).iterdir()
            assert aside.name.startswith(key)
            assert len(before) >= len(paths(root / DAMAGED)) - 1
        mended[kind] += 1
    assert len(mended) >= 20
