"""Batches of bounded memory."""

from collections.abc import Iterator

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
    return (slice(first, min(first + size, count)) for first in range(0, count, size))
