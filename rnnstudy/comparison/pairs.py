"""All pairs of representations under one metric."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np

from rnnstudy.lazy import pd
from rnnstudy.metrics import Metric
from rnnstudy.record import Array, Record, array

BLOCK_BYTES = 64 * 2**20
"""Memory for the products of one block of pairs."""


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
    labels = _labels(labels, len(states))
    for label, x in zip(labels, states, strict=True):
        if len(x) != len(states[0]):
            raise ValueError(
                f"{label!r} has {len(x)} samples, {labels[0]!r} has {len(states[0])}; "
                "all should be of the same samples"
            )
    forms = [_prepared(metric, x, label) for label, x in zip(labels, states, strict=True)]
    return distances(forms, metric, labels).to_frame()


def _labels(labels: Sequence[str] | None, count: int) -> tuple[str, ...]:
    found = tuple(str(i) for i in range(count)) if labels is None else tuple(labels)
    if len(found) != count:
        raise ValueError(f"{len(found)} labels for {count} representations")
    return found


def _prepared(metric: Metric, states: Array, label: str) -> Array:
    try:
        return metric.prepare(states)
    except ValueError as error:
        raise ValueError(f"{label!r}: {error}") from error


def distances(
    forms: Sequence[Array],
    metric: Metric,
    labels: Sequence[str] | None = None,
    block: int | None = None,
) -> Distances:
    """Distances of all pairs of forms that `metric.prepare` has made, in square blocks of pairs.

    block: items along each side of a block; default: as many as fit into `BLOCK_BYTES`.
    """
    values = np.zeros((len(forms), len(forms)))
    for rows, columns in _blocks(len(forms), block or _side(forms)):
        first, second = _stacked(forms, rows), _stacked(forms, columns)
        found = metric.to_distance(metric.compare(first[:, None], second[None]))
        values[rows, columns] = found
        values[columns, rows] = found.T
    upper = np.triu(values, 1)
    return Distances(_labels(labels, len(forms)), upper + upper.T)


def _side(forms: Sequence[Array]) -> int:
    """Items along the side of a block, if a pair's products are no larger than a form."""
    largest = max((form.nbytes for form in forms), default=1)
    return max(1, isqrt(BLOCK_BYTES // max(largest, 1)))


def _blocks(count: int, side: int) -> list[tuple[slice, slice]]:
    """The blocks on and above the diagonal."""
    slices = [slice(start, start + side) for start in range(0, count, side)]
    return [(rows, columns) for i, rows in enumerate(slices) for columns in slices[i:]]


def _stacked(forms: Sequence[Array], part: slice) -> Array:
    """Some forms as one array [item, *form], padded with zeros to the largest of them."""
    chosen = forms[part]
    shape = np.max([form.shape for form in chosen], axis=0)
    stack = np.zeros((len(chosen), *shape))
    for item, form in zip(stack, chosen, strict=True):
        item[tuple(slice(size) for size in form.shape)] = form
    return stack
