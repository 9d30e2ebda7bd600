"""Memory of this process, batches of bounded memory, and pauses between them.

A batch job or a container has a part of the memory of its machine. Linux limits that of a group of
processes by control groups, in one of two versions. The limit may be that of a group around the one
of this process.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OWN_CONTROL_GROUPS = Path("/proc/self/cgroup")
"""File that names the control groups of this process."""

CONTROL_GROUPS = Path("/sys/fs/cgroup")
"""Folder of all control groups."""

BATCH_BYTES = 256 * 2**20
"""Memory of one batch, in bytes, where a caller sets no other."""


def batch_size(bytes_each: float, memory: int | None = None) -> int:
    """Return the number of items of so many bytes that one batch may have, at least 1.

    `memory` is that of one batch, in bytes. None stands for BATCH_BYTES.
    """
    available = BATCH_BYTES if memory is None else memory
    return max(1, int(available // max(1, bytes_each)))


def batches(count: int, bytes_each: float, memory: int | None = None) -> Iterator[slice]:
    """Yield consecutive slices of `count` items, each within the memory of one batch.

    An interrupted run may end before each of them.

    Parameters
    ----------
    count
        Number of items.
    bytes_each
        Memory of one item at its peak, in bytes.
    memory
        Memory of one batch, in bytes. None stands for BATCH_BYTES. A batch has at least one item.

    Examples
    --------
    >>> list(batches(5, bytes_each=8, memory=16))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    size = batch_size(bytes_each, memory)
    for first in range(0, count, size):
        pause_point()
        yield slice(first, min(first + size, count))


_thread = threading.local()


def pause_point() -> None:
    """End the computation here if the run has been interrupted; else do nothing.

    Long loops call it between two pieces of work. Outside of a run it does nothing.

    Examples
    --------
    >>> from rnnstudy.core.batches import pause_point
    >>> for _ in range(3):
    ...     pause_point()
    """
    check: Callable[[], None] | None = getattr(_thread, "check", None)
    if check is not None:
        check()


@contextmanager
def pauses(check: Callable[[], None]) -> Iterator[None]:
    """Call `check` at each pause point of this thread, in this context.

    Parameters
    ----------
    check
        Function that raises an exception if the computation is to end.

    Examples
    --------
    >>> from rnnstudy.core.batches import pause_point, pauses
    >>> with pauses(lambda: print("pause")):
    ...     pause_point()
    pause
    """
    before = getattr(_thread, "check", None)
    _thread.check = check
    try:
        yield
    finally:
        _thread.check = before


def available_memory() -> int:
    """Return the bytes of memory that this process may use, with those that share its limits.

    Examples
    --------
    >>> from rnnstudy.core.batches import available_memory, physical_memory
    >>> 0 < available_memory() <= physical_memory()
    True
    """
    return min([physical_memory(), *_group_limits()])


def physical_memory() -> int:
    """Return the bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _group_limits() -> Iterator[int]:
    """Yield the limits of memory of the control groups around this process, as far as set."""
    for file in _limit_files():
        with suppress(OSError, ValueError):  # absent, or without a limit: `max`
            yield int(file.read_text(encoding="ascii"))


def _limit_files() -> Iterator[Path]:
    """Yield the files that may hold a limit: of each group of this process, and those around it."""
    try:
        lines = OWN_CONTROL_GROUPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        root = CONTROL_GROUPS / "memory" if controllers else CONTROL_GROUPS
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        parts = Path(path.lstrip("/")).parts
        for depth in range(len(parts) + 1):
            yield root.joinpath(*parts[:depth], name)
