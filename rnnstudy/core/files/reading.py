"""Reading of files from folders that anybody may have written."""

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO


class IrregularFile(OSError):
    """A path that must be a regular file is another thing, or has too many bytes."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(errno.EINVAL, reason, str(path))


def read_file(path: str | Path, limit: int | None = None, *, follow_links: bool = False) -> bytes:
    """Return the content of a regular file.

    Parameters
    ----------
    path
        The file.
    limit
        Largest number of bytes. Default: no limit.
    follow_links
        Whether the path may be a link to the file. Default: a link is refused.

    Returns
    -------
    bytes
        The whole content.

    Raises
    ------
    IrregularFile
        The path is a link, folder, pipe, device or socket, or has more bytes than the limit.
    OSError
        The file is absent or cannot be read.

    Examples
    --------
    >>> from rnnstudy.core.files import read_file
    >>> read_file("/dev/null")
    Traceback (most recent call last):
    rnnstudy.core.files.reading.IrregularFile: [Errno 22] must be a regular file, ...
    """
    with open_file(path, follow_links=follow_links) as file:
        content = file.read() if limit is None else file.read(limit + 1)
    if limit is not None and len(content) > limit:
        raise IrregularFile(Path(path), f"must have at most {limit:,} bytes, got more")
    return content


@contextmanager
def open_file(path: str | Path, *, follow_links: bool = False) -> Iterator[BinaryIO]:
    """Open a regular file for reading, with the errors of `read_file`.

    Parameters
    ----------
    path
        The file.
    follow_links
        Whether the path may be a link to the file. Default: a link is refused.
    """
    path = Path(path)
    try:
        # A pipe without a writer would block for ever.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(path, flags if follow_links else flags | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise IrregularFile(path, "must be a regular file, got a link") from None
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise IrregularFile(path, f"must be a regular file, got a {_kind(status.st_mode)}")
        with open(handle, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(handle)


def parse_json(text: bytes | str) -> Any:
    """Return the value of a JSON text; ValueError if it is none or is nested too deeply."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON must be nested less deeply") from None


def _kind(mode: int) -> str:
    kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "device")
