"""Batches of bounded memory, and pauses between them where an interrupted run may end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
