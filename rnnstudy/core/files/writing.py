"""Writing of whole files and folders."""

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from rnnstudy.core.files.changes import (
    create_file,
    create_folder,
    exchange,
    rename,
    sync,
    sync_folder,
)
from rnnstudy.core.files.removing import draft_beside, remove_file, remove_folder


class LinkError(OSError):
    """A link stands where a file or folder is to be written."""

    def __init__(self, path: Path) -> None:
        reason = "a link must not stand here, since links are not followed; remove it"
        super().__init__(errno.ELOOP, reason, str(path))


def write_file(path: str | Path, content: bytes | str, *, inside: str | Path | None = None) -> None:
    """Write a whole file, or leave the file of before.

    Parameters
    ----------
    path
        The file. Its folder is created if it is absent.
    content
        Bytes, or text that is encoded as UTF-8.
    inside
        Folder below which no part of the path may be a link. Default: the folder of the file.

    Raises
    ------
    LinkError
        The file, or a folder between it and `inside`, is a link.
    OSError
        The file cannot be written. The file of before is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rnnstudy.core.files import write_file
    >>> path = Path(tempfile.mkdtemp(), "note.txt")
    >>> write_file(path, "whole")
    >>> path.read_text()
    'whole'
    """
    path = Path(path)
    refuse_links(path, inside)
    make_folder(path.parent)
    draft = draft_beside(path)
    try:
        create_file(draft, content.encode() if isinstance(content, str) else content)
        publish_file(draft, path)
    except BaseException:
        with suppress(OSError):
            remove_file(draft)
        raise


def publish_file(draft: Path, path: Path, *, inside: str | Path | None = None) -> None:
    """Rename a complete draft to a path, where it replaces a file."""
    refuse_links(path, inside)
    sync(draft)
    rename(draft, path)
    sync(path.parent)


def publish_folder(draft: Path, folder: Path, *, inside: str | Path | None = None) -> None:
    """Rename a complete draft to a folder; OSError if there is one that is not empty."""
    refuse_links(folder, inside)
    make_folder(folder.parent)
    sync_folder(draft)
    rename(draft, folder)
    sync(folder.parent)


def replace_folder(draft: Path, folder: Path, *, inside: str | Path | None = None) -> None:
    """Swap a complete draft in for a folder, whose former content is then removed.

    Where the file system can exchange two names, there is a whole folder at every time. Elsewhere
    there is none for the moment between two renames. An error between them leaves the former one.
    """
    refuse_links(folder, inside)
    if not folder.exists():
        try:
            publish_folder(draft, folder)
            return
        except OSError:
            if not folder.is_dir():
                raise
            # Another writer was first. What it wrote is swapped out.
    sync_folder(draft)
    former = draft
    if not exchange(draft, folder):
        former = draft_beside(folder)
        _rename_twice(draft, folder, former)
    sync(folder.parent)
    remove_folder(former)


def _rename_twice(draft: Path, folder: Path, former: Path) -> None:
    """Rename a folder to a former one and a draft to the folder, or leave both names as before."""
    try:
        rename(folder, former)
        rename(draft, folder)
    except BaseException:
        with suppress(OSError):
            if not os.path.lexists(folder):
                rename(former, folder)
        raise


def write_folder(folder: str | Path, contents: Mapping[str, bytes]) -> None:
    """Write a whole folder, or leave the folder of before.

    Parameters
    ----------
    folder
        The folder. One of before is replaced with all that it holds.
    contents
        Path of each file in the folder, and its bytes.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rnnstudy.core.files import write_folder
    >>> folder = Path(tempfile.mkdtemp(), "code")
    >>> write_folder(folder, {"a.py": b"", "b/c.py": b""})
    >>> sorted(path.name for path in folder.iterdir())
    ['a.py', 'b']
    """
    folder = Path(folder)
    make_folder(folder.parent)
    draft = draft_beside(folder)
    create_folder(draft)
    try:
        for name, content in contents.items():
            make_folder((draft / name).parent)
            create_file(draft / name, content)
        replace_folder(draft, folder)
    except BaseException:
        with suppress(OSError):
            remove_folder(draft)
        raise


def make_folder(folder: str | Path, *, inside: str | Path | None = None) -> None:
    """Create a folder and those above it; NotADirectoryError if a file stands there."""
    folder = Path(folder)
    if inside is not None:
        refuse_links(folder, inside)
    if folder.is_dir():
        return
    if folder.is_symlink():
        raise LinkError(folder)
    make_folder(folder.parent)
    try:
        create_folder(folder)
    except FileExistsError:
        if not folder.is_dir():
            reason = "a folder must stand here, got a file"
            raise NotADirectoryError(errno.ENOTDIR, reason, str(folder)) from None
    sync(folder.parent)


def refuse_links(path: str | Path, inside: str | Path | None = None) -> None:
    """Raise LinkError if a path, or a folder between it and `inside`, is a link.

    `inside` itself may be a link: users keep runs on other disks.
    """
    path = Path(path)
    part = path.parent if inside is None else Path(inside)
    for name in path.relative_to(part).parts:
        part = part / name
        if part.is_symlink():
            raise LinkError(part)
