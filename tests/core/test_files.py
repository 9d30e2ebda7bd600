"""Durable files: whole or as before, wherever a writer is interrupted; no link is followed."""

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnstudy.core import files
from rnnstudy.core.files import changes


class PowerFailure(BaseException):
    """The end of a program."""


def crash_at(n: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Interrupt the program before the n-th change of the file system. Return the changes."""
    seen: list[str] = []

    def before(operation: str, path: Path) -> None:
        if len(seen) == n:
            raise PowerFailure
        seen.append(operation)

    monkeypatch.setattr(changes, "before_change", before)
    return seen


def crash_everywhere(
    action: Callable[[Path], None], check: Callable[[Path], None], tmp_path: Path
) -> list[str]:
    """Interrupt an action at each change of the file system in turn, and check what is left."""
    for n in range(100):
        folder = tmp_path / str(n)
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            seen = crash_at(n, patch)
            try:
                action(folder)
            except PowerFailure:
                patch.undo()
                check(folder)
                continue
        check(folder)
        return seen
    raise AssertionError("the action has no end")


def test_a_file_is_the_old_one_or_the_new_one_at_every_interruption(tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        path = folder / "run" / "members.csv"
        path.parent.mkdir()
        path.write_text("old")
        files.write_file(path, "new and longer")

    def check(folder: Path) -> None:
        content = (folder / "run" / "members.csv").read_text()
        assert content in ("old", "new and longer")

    seen = crash_everywhere(write, check, tmp_path)
    assert seen == ["create", "sync", "rename", "sync"]


def test_an_exception_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: Path, target: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("rnnstudy.core.files.writing.rename", fail)
    with pytest.raises(OSError, match="no space left"):
        files.write_file(tmp_path / "a.txt", "text")
    assert list(tmp_path.iterdir()) == []


def draft_of(folder: Path, text: str) -> Path:
    draft = files.draft_beside(folder)
    (draft / "deep").mkdir(parents=True)
    (draft / "deep" / "page.html").write_text(text)
    (draft / "index.html").write_text(text)
    return draft


def test_a_folder_is_flushed_before_and_after_it_is_renamed(tmp_path: Path) -> None:
    def publish(folder: Path) -> None:
        draft = draft_of(folder / "ab" / "record", "new") if (folder / "ab").mkdir() is None else 0
        files.publish_folder(draft, folder / "ab" / "record")

    def check(folder: Path) -> None:
        record = folder / "ab" / "record"
        if record.exists():
            assert (record / "deep" / "page.html").read_text() == "new"

    seen = crash_everywhere(publish, check, tmp_path)
    # Two files and two folders, then the rename, then the folder above.
    assert seen == ["sync"] * 4 + ["rename", "sync"]


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_is_swapped_in_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_exchange: bool
) -> None:
    if not can_exchange:
        monkeypatch.setattr("rnnstudy.core.files.writing.exchange", lambda *paths: False)

    def replace(folder: Path) -> None:
        report = folder / "report"
        draft_of(report, "old").rename(report)
        files.replace_folder(draft_of(report, "new"), report)

    def check(folder: Path) -> None:
        reports = [path for path in folder.iterdir() if (path / "index.html").exists()]
        texts = [{(p / n).read_text() for n in ("index.html", "deep/page.html")} for p in reports]
        assert {"old"} in texts or {"new"} in texts
        assert all(len(text) == 1 for text in texts)
        if can_exchange:
            assert (folder / "report" / "index.html").exists()

    seen = crash_everywhere(replace, check, tmp_path)
    assert ("exchange" in seen) == can_exchange
    assert [path.name for path in (tmp_path / str(len(seen))).iterdir()] == ["report"]


def test_of_two_writers_of_a_folder_the_slower_one_swaps_its_own_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, others = tmp_path / "code", ["other"]

    def before(operation: str, path: Path) -> None:
        if operation == "rename" and others:
            files.write_folder(code, {others.pop(): b"other"})

    monkeypatch.setattr(changes, "before_change", before)
    files.write_folder(code, {"own": b"own"})
    assert not others
    assert [path.name for path in tmp_path.iterdir()] == ["code"]
    assert [path.name for path in code.iterdir()] == ["own"]


@pytest.mark.parametrize("error", [OSError("disk fails"), KeyboardInterrupt()])
def test_a_folder_stays_if_it_cannot_be_replaced_without_an_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    report = tmp_path / "report"
    files.write_folder(report, {"index.html": b"old"})
    errors, renames = [error], list[Path]()

    def before(operation: str, path: Path) -> None:
        if operation == "rename":
            renames.append(path)
            if len(renames) == 2:
                raise errors.pop()

    monkeypatch.setattr("rnnstudy.core.files.writing.exchange", lambda *paths: False)
    monkeypatch.setattr(changes, "before_change", before)
    with pytest.raises(type(error)):
        files.write_folder(report, {"index.html": b"new"})
    assert renames[1] == renames[2] == report
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert (report / "index.html").read_bytes() == b"old"


def test_writers_do_not_follow_links(tmp_path: Path) -> None:
    outside, run = tmp_path / "outside", tmp_path / "run"
    outside.mkdir()
    run.mkdir()
    (outside / "precious").write_text("precious")
    (run / "members.csv").symlink_to(outside / "precious")
    (run / "dangling").symlink_to(outside / "absent")
    (run / "report").symlink_to(outside)
    for name in ("members.csv", "dangling"):
        with pytest.raises(files.LinkError, match="a link must not stand here"):
            files.write_file(run / name, "text")
    with pytest.raises(files.LinkError, match="not followed"):
        files.write_file(run / "report" / "precious", "text", inside=run)
    with pytest.raises(files.LinkError, match="not followed"):
        files.make_folder(run / "report" / "tables", inside=run)
    draft = draft_of(run / "report", "new")
    with pytest.raises(files.LinkError, match="not followed"):
        files.replace_folder(draft, run / "report")
    with pytest.raises(files.LinkError, match="not followed"):
        files.publish_folder(draft, run / "report" / "deep", inside=run)
    assert [path.name for path in outside.iterdir()] == ["precious"]
    assert (outside / "precious").read_text() == "precious"


def test_a_run_directory_may_be_a_link_to_another_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    files.write_file(tmp_path / "run" / "a.txt", "a", inside=tmp_path / "run")
    assert (tmp_path / "disk" / "a.txt").read_text() == "a"


def test_removal_does_not_follow_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    (tmp_path / "link").symlink_to(outside)
    files.remove_folder(tmp_path / "link")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    files.remove_folder(folder)
    files.remove_folder(tmp_path / "absent")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert (outside / "precious").read_text() == "precious"


def test_old_drafts_are_cleared_and_young_ones_kept(tmp_path: Path) -> None:
    old, young = files.draft_beside(tmp_path / "a.csv"), files.draft_beside(tmp_path / "b")
    old.write_text("")
    young.mkdir()
    os.utime(old, (0, 0))
    files.clear_drafts(tmp_path)
    assert list(tmp_path.iterdir()) == [young]


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert files.read_file(tmp_path / "file", limit=7) == b"content"
        for name, kind in [("link", "link"), ("pipe", "pipe"), ("", "folder")]:
            with pytest.raises(files.IrregularFile, match=f"got a {kind}"):
                files.read_file(tmp_path / name)
        with pytest.raises(OSError, match="No such device or address"):
            files.read_file(tmp_path / "socket")
    with pytest.raises(files.IrregularFile, match="got a device"):
        files.read_file("/dev/zero")
    with pytest.raises(files.IrregularFile, match="at most 6 bytes, got more"):
        files.read_file(tmp_path / "file", limit=6)
    with pytest.raises(FileNotFoundError, match="absent"):
        files.read_file(tmp_path / "absent")


def test_deep_json_is_refused_in_a_sentence() -> None:
    assert files.parse_json(b'{"a": [1]}') == {"a": [1]}
    with pytest.raises(ValueError, match="nested less deeply"):
        files.parse_json("[" * 200_000 + "]" * 200_000)


def test_many_writers_make_the_same_folders(tmp_path: Path) -> None:
    def write(n: int) -> None:
        files.write_file(tmp_path / "a" / "b" / str(n), str(n))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(os.listdir(tmp_path / "a" / "b"), key=int) == [str(n) for n in range(16)]


def test_a_file_where_a_folder_must_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(NotADirectoryError, match="a folder must stand here, got a file"):
        files.write_file(tmp_path / "a" / "b", "")
