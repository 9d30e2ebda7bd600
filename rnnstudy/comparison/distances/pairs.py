"""All pairs of representations under one metric."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import sqrt
from typing import Any, TypeVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.core.threads import one_thread
from rnnstudy.metrics import Metric
from rnnstudy.metrics.base import Form, parts, stacked

R = TypeVar("R")

BLOCK_BYTES = 192 * 2**20
"""Memory for the forms and products of one block of pairs; each core works on one."""


@dataclass(frozen=True, eq=False)
class Distances(Record):
    """A labelled matrix of distances: symmetric, finite, not negative, 0 on the diagonal."""

    labels: tuple[str, ...]
    values: Array = array("item", "item")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.labels) != len(self.values):
            raise ValueError(f"{len(self.labels)} labels for {len(self.values)} items")
        if len(set(self.labels)) < len(self.labels):
            twice = next(label for label in self.labels if self.labels.count(label) > 1)
            raise ValueError(f"label {twice!r} stands for more than one item")
        self._refuse(~np.isfinite(self.values), "should be finite")
        self._refuse(self.values < 0.0, "should not be negative")
        self._refuse(np.diag(np.diag(self.values) != 0.0), "should be 0 on the diagonal")
        unequal = np.abs(self.values - self.values.T) > 1e-9 * np.max(self.values, initial=0.0)
        self._refuse(unequal, "should equal its mirror image")

    def _refuse(self, wrong: Array, rule: str) -> None:
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ValueError(
                f"the distance of {self.labels[row]!r} and {self.labels[column]!r} is "
                f"{self.values[row, column]:g}, it {rule}"
            )

    def to_frame(self) -> Any:
        """A square `pandas.DataFrame` with the labels on both sides."""
        return pd.DataFrame(self.values, index=list(self.labels), columns=list(self.labels))


def pairwise(states: Sequence[Array], metric: Metric, labels: Sequence[str] | None = None) -> Any:
    """Distances of all pairs of representations: a square, labelled `pandas.DataFrame`.

    states: one [sample, unit] each, of the same samples; units may differ. labels: default "0",
    "1", ... ValueError names the representation that does not fit.
    """
    return pairwise_distances(prepare_forms(states, metric, labels), metric, labels).to_frame()


def prepare_forms(
    states: Sequence[Array], metric: Metric, labels: Sequence[str] | None = None
) -> list[Form]:
    """The metric's form of each representation [sample, unit], ready for `pairwise_distances`."""
    names = _default_labels(labels, len(states))
    for name, x in zip(names, states, strict=True):
        if len(x) != len(states[0]) and not metric.trajectories:
            raise ValueError(
                f"{name!r} has {len(x)} samples, {names[0]!r} has {len(states[0])}; "
                "all should be of the same samples"
            )

    def form(name: str, x: Array) -> Form:
        try:
            return metric.prepare(x)
        except ValueError as error:
            raise ValueError(f"{name!r}: {error}") from error

    return _map_in_threads(form, names, states)


def pairwise_distances(
    forms: Sequence[Form],
    metric: Metric,
    labels: Sequence[str] | None = None,
    block: int | None = None,
) -> Distances:
    """Distances of all pairs of forms that `metric.prepare` has made, in square blocks of pairs.

    block: items along each side of a block; default: as many as fit into `BLOCK_BYTES`, and few
    enough to keep several cores busy.
    """
    values = np.zeros((len(forms), len(forms)))
    side = block or min(_block_side(forms, metric), max(8, -(-len(forms) // 4)))

    def fill(rows: slice, columns: slice) -> None:
        values[rows, columns] = metric.distances(stacked(forms[rows]), stacked(forms[columns]))

    _map_in_threads(fill, *zip(*_blocks(len(forms), side), strict=True))
    upper = np.triu(values, 1)
    return Distances(_default_labels(labels, len(forms)), upper + upper.T)


def _default_labels(labels: Sequence[str] | None, count: int) -> tuple[str, ...]:
    found = tuple(str(i) for i in range(count)) if labels is None else tuple(labels)
    if len(found) != count:
        raise ValueError(f"{len(found)} labels for {count} representations")
    return found


def _map_in_threads(work: Callable[..., R], *arguments: Sequence[Any]) -> list[R]:
    """`map` in as many threads as there are cores, each with one thread for linear algebra."""
    with one_thread(), ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(work, *arguments))


def form_bytes(form: Form) -> int:
    """Bytes of all arrays of a form."""
    return sum(part.nbytes for part in parts(form).values())


def _block_side(forms: Sequence[Form], metric: Metric) -> int:
    """Items along the side of a square block: two stacks of forms, and what its pairs take."""
    form = max(map(form_bytes, forms), default=1)
    pair = max((metric.pair_bytes(f) for f in forms), default=1)
    return max(1, int((sqrt(form**2 + pair * BLOCK_BYTES) - form) / pair))


def _blocks(count: int, side: int) -> list[tuple[slice, slice]]:
    """The blocks on and above the diagonal."""
    slices = [slice(start, start + side) for start in range(0, count, side)]
    return [(rows, columns) for i, rows in enumerate(slices) for columns in slices[i:]]
