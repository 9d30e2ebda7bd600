"""All pairs in tiles: blocks of networks against blocks, each by itself, in bounded memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from math import sqrt
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import pause_point
from rnnstudy.core.record import Record, array, arrays
from rnnstudy.core.threads import available_cores, one_thread
from rnnstudy.metrics import Metric
from rnnstudy.metrics.base import Form, form_arrays, stack_forms

R = TypeVar("R")

PAIR_BLOCK_BYTES = 192 * 2**20
"""Memory for the forms and products of one block of pairs. Each core works on one block."""

STACKS = 4
"""Least number of stacks along the side of a large tile, so that several cores are busy."""

SMALL_STACK = 8
"""Items of a stack that is not divided for the sake of the cores."""


FORM_CACHE_BYTES = 512 * 2**20
"""Memory for the forms that were made last, in bytes: those of a few blocks of networks."""


class FormCache:
    """Forms that were used last, by key, within a number of bytes. Threads share it.

    Examples
    --------
    >>> cache = FormCache(memory=8)
    >>> cache.get("a", lambda: np.zeros(1)).shape
    (1,)
    >>> cache.get("a", lambda: np.zeros(2)).shape
    (1,)
    """

    def __init__(self, memory: int = FORM_CACHE_BYTES) -> None:
        self._memory, self._bytes, self._lock = memory, 0, Lock()
        self._forms: dict[str, Form] = {}

    def get(self, key: str, make: Callable[[], Form]) -> Form:
        """Return the form under a key; `make` returns it if it is not in memory.

        Two threads may make the same form at once.
        """
        with self._lock:
            if key in self._forms:
                form = self._forms[key] = self._forms.pop(key)  # the last to be dropped
                return form
        form = make()
        with self._lock:
            if key not in self._forms:
                self._forms[key] = form
                self._bytes += form_bytes(form)
            while self._bytes > self._memory:
                self._bytes -= form_bytes(self._forms.pop(next(iter(self._forms))))
        return form

    def clear(self) -> None:
        """Drop all forms."""
        with self._lock:
            self._forms.clear()
            self._bytes = 0


FORMS = FormCache()
"""Forms of this process."""


@dataclass(frozen=True, eq=False)
class PreparedForm(Record):
    """Metric's form of one network, as a record.

    Attributes
    ----------
    parts : dict of arrays
        Arrays of the form by name; a form that is one array has the name `form`.

    Examples
    --------
    >>> PreparedForm.of(np.eye(2)).form.shape
    (2, 2)
    """

    parts: dict[str, Array] = arrays()

    @classmethod
    def of(cls, form: Form) -> "PreparedForm":
        """Return the record of a form."""
        return cls({name: np.asarray(part) for name, part in form_arrays(form).items()})

    @property
    def form(self) -> Form:
        """Form as the metric made it."""
        return self.parts["form"] if list(self.parts) == ["form"] else self.parts


@dataclass(frozen=True, eq=False)
class DistanceTile(Record):
    """Distances between the networks of two blocks, or of one block with itself.

    Attributes
    ----------
    values : array [item, other]
        Distances, in the unit of the metric.

    Examples
    --------
    >>> DistanceTile(np.zeros((3, 2))).values.shape
    (3, 2)
    """

    values: Array = array("item", "other")


def split_into_blocks(count: int, size: int) -> list[range]:
    """Split positions 0 to `count` into blocks of `size`; the last block may be smaller.

    Positions that are added at the end leave all full blocks as they are.
    """
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def tile_distances(
    rows: Sequence[Form], columns: Sequence[Form], metric: Metric, block: int | None = None
) -> Array:
    """Compute the distances between two blocks of forms.

    A form is read when it is needed, and not kept. If the sequences read from a disk, memory stays
    within a few times `PAIR_BLOCK_BYTES`. Forms of columns are read several times.

    Parameters
    ----------
    rows : sequence
        Forms of the first block.
    columns : sequence
        Forms of the second block. The same object as `rows`: a block with itself.
    metric : Metric
        Distance that made the forms.
    block : int, optional
        Items along a side of a block of pairs. Default: as many as `PAIR_BLOCK_BYTES` allow, and
        few enough for several cores.

    Returns
    -------
    array [row, column]
        Distances, in the unit of the metric.

    Examples
    --------
    >>> from rnnstudy.metrics import METRICS
    >>> metric = METRICS["cka"]()
    >>> block = [metric.prepare(np.eye(4, 3)), metric.prepare(np.eye(4, 2))]
    >>> tile_distances(block, block[:1], metric).shape
    (2, 1)
    """
    values, same = np.zeros((len(rows), len(columns))), rows is columns
    most = block or max(SMALL_STACK, -(-max(len(rows), len(columns)) // STACKS))
    running: deque[tuple[slice, slice, Future[Array]]] = deque()

    cores = available_cores()

    def collect() -> None:
        row_slice, column_slice, future = running.popleft()
        values[row_slice, column_slice] = future.result()

    with one_thread(), ThreadPoolExecutor(cores) as threads:
        for row_slice, first in _form_stacks(rows, metric, most):
            start = row_slice.start if same else 0
            for column_slice, second in _form_stacks(columns, metric, most, start):
                pause_point()
                if len(running) >= cores:
                    collect()
                future = threads.submit(metric.distances, first, second)
                running.append((row_slice, column_slice, future))
        while running:
            collect()
    if same:
        upper = np.triu(values, 1)
        return upper + upper.T
    return values


def map_in_threads(work: Callable[..., R], *arguments: Sequence[Any]) -> list[R]:
    """Apply a function in one thread per core, each with one thread for linear algebra."""
    with one_thread(), ThreadPoolExecutor(available_cores()) as threads:
        return list(threads.map(work, *arguments))


def _form_stacks(
    forms: Sequence[Form], metric: Metric, most: int, start: int = 0
) -> Iterator[tuple[slice, Form]]:
    """Stack consecutive forms, as many as fit: two stacks and the products of their pairs."""
    stack: list[Form] = []
    form = pair = 0
    for i in range(start, len(forms)):
        new = forms[i]
        form, pair = max(form, form_bytes(new)), max(pair, metric.pair_bytes(new))
        if stack and len(stack) >= min(most, _block_side(form, pair)):
            yield slice(i - len(stack), i), stack_forms(stack)
            stack, form, pair = [], form_bytes(new), metric.pair_bytes(new)
        stack.append(new)
    if stack:
        yield slice(len(forms) - len(stack), len(forms)), stack_forms(stack)


def form_bytes(form: Form) -> int:
    """Return the bytes of all arrays of a form."""
    return sum(part.nbytes for part in form_arrays(form).values())


def _block_side(form: int, pair: int) -> int:
    """Return the side of a block whose two stacks of forms and products fit into memory.

    form, pair: bytes of the largest form, and of the products of one pair.
    """
    return max(1, int((sqrt(form**2 + pair * PAIR_BLOCK_BYTES) - form) / pair))
