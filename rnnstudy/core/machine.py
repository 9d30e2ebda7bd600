"""Cores and memory that this process may use: a batch job or a container has a part of its machine.

Linux limits the memory of a group of processes by control groups, in one of two versions. The limit
may be that of a group around the one of this process.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OWN_GROUPS = Path("/proc/self/cgroup")
"""File that names the control groups of this process."""

GROUPS = Path("/sys/fs/cgroup")
"""Folder of all control groups."""


def available_cores() -> int:
    """Return the number of cores that this process may use.

    Examples
    --------
    >>> from rnnstudy.core.machine import available_cores
    >>> 1 <= available_cores()
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_memory() -> int:
    """Return the bytes of memory that this process may use, with those that share its limits.

    Examples
    --------
    >>> from rnnstudy.core.machine import available_memory, physical_memory
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
        lines = OWN_GROUPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        root = GROUPS / "memory" if controllers else GROUPS
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        parts = Path(path.lstrip("/")).parts
        for depth in range(len(parts) + 1):
            yield root.joinpath(*parts[:depth], name)
