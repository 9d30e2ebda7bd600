"""Changes of the file system, one call each.

Each of them calls `before_change` first, so that a test can interrupt a program at any of them.
"""

import ctypes
import errno
import os
import shutil
from pathlib import Path

AT_FDCWD, RENAME_EXCHANGE = -100, 2


def before_change(operation: str, path: Path) -> None:
    """Do nothing. A test replaces this function by one that raises."""


def create_file(path: Path, content: bytes) -> None:
    """Write a new file; FileExistsError if there is one, or a link."""
    before_change("create", path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o666), "wb") as file:
        file.write(content)


def create_folder(path: Path) -> None:
    """Create a folder; FileExistsError if there is one."""
    before_change("create folder", path)
    os.mkdir(path)


def sync(path: Path) -> None:
    """Write a file, or the names in a folder, from memory to the disk."""
    before_change("sync", path)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some file systems cannot do so for a folder.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Write all files of a folder, and of folders in it, from memory to the disk."""
    for path, _, names in os.walk(folder, topdown=False):
        for file in (Path(path, name) for name in names):
            if not file.is_symlink():
                sync(file)
        sync(Path(path))


def rename(source: Path, target: Path) -> None:
    """Rename a file or folder. A file replaces a file, a folder an empty folder."""
    before_change("rename", target)
    os.rename(source, target)


def exchange(first: Path, second: Path) -> bool:
    """Exchange two names at once. Return False if the system cannot."""
    call = getattr(ctypes.CDLL(None), "renameat2", None)
    if call is None:
        return False
    before_change("exchange", second)
    paths = os.fsencode(first), os.fsencode(second)
    return bool(call(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE) == 0)


def unlink(path: Path) -> None:
    """Remove a file or a link."""
    before_change("unlink", path)
    os.unlink(path)


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it. Links in it are removed, what they name is not."""
    before_change("remove", path)
    shutil.rmtree(path, ignore_errors=True)
