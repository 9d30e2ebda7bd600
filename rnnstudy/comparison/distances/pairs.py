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

PAIR_BLOCK_BYTES = 192 * 2**20
"""Memory for the forms and products of one block of pairs. Each core works on one block."""


@dataclass(frozen=True, eq=False)
class Distances(Record):
    """Labelled matrix of distances: symmetric, finite, not negative, 0 on the diagonal.

    Attributes
    ----------
    labels : tuple of str
        Names of the items, each once.
    values : array [item, item]
        Distances, in the unit of the metric.

    Raises
    ------
    ValueError
        If labels do not fit the values, or the values are no distances.

    Examples
    --------
    >>> Distances(("a", "b"), np.array([[0.0, 2.0], [2.0, 0.0]])).to_frame()
         a    b
    a  0.0  2.0
    b  2.0  0.0
    """

    labels: tuple[str, ...]
    values: Array = array("item", "item")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.labels) != len(self.values):
            raise ValueError(
                f"labels must be one for each item, got {len(self.labels)} labels for "
                f"{len(self.values)} items"
            )
        if len(set(self.labels)) < len(self.labels):
            repeated = next(label for label in self.labels if self.labels.count(label) > 1)
            raise ValueError(f"labels must differ, got {repeated!r} for more than one item")
        self._check_values(np.isfinite(self.values), "finite")
        self._check_values(self.values >= 0.0, "0 or more")
        self._check_values(np.diag(np.diag(self.values)) == 0.0, "0 on the diagonal")
        asymmetry = np.abs(self.values - self.values.T)
        limit = 1e-9 * np.max(self.values, initial=0.0)
        self._check_values(asymmetry <= limit, "equal to its mirror image")

    def _check_values(self, is_valid: Array, rule: str) -> None:
        if not is_valid.all():
            row, column = np.argwhere(~is_valid)[0]
            raise ValueError(
                f"the distance of {self.labels[row]!r} and {self.labels[column]!r} must be "
                f"{rule}, got {self.values[row, column]:g}"
            )

    def to_frame(self) -> Any:
        """Return a square `pandas.DataFrame` with the labels on both sides."""
        return pd.DataFrame(self.values, index=list(self.labels), columns=list(self.labels))


def pairwise(states: Sequence[Array], metric: Metric, labels: Sequence[str] | None = None) -> Any:
    """Compute the distances of all pairs of representations.

    Parameters
    ----------
    states : sequence of arrays [sample, unit]
        One array for each network, of the same samples. Numbers of units may differ.
    metric : Metric
        Distance between two representations.
    labels : sequence of str, optional
        Names of the networks. Default: "0", "1", ...

    Returns
    -------
    pandas.DataFrame
        Square matrix with the labels on both sides.

    Raises
    ------
    ValueError
        If a representation does not fit; the message names it.

    Examples
    --------
    >>> import rnnstudy
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 0.5]])
    >>> turned = x[:, ::-1]
    >>> table = pairwise([x, turned, x**3], rnnstudy.metrics.Procrustes(), ["x", "turned", "cubed"])
    >>> table.loc["x"].round(6).tolist()[:2]
    [0.0, 0.0]
    """
    forms = prepare_forms(states, metric, labels)
    return pairwise_distances(forms, metric, labels).to_frame()


def prepare_forms(
    states: Sequence[Array], metric: Metric, labels: Sequence[str] | None = None
) -> list[Form]:
    """Compute the metric's form of each representation, ready for `pairwise_distances`.

    Parameters
    ----------
    states : sequence of arrays [sample, unit]
        One array for each network, of the same samples unless the metric compares trajectories.
    metric : Metric
        Distance whose forms are computed.
    labels : sequence of str, optional
        Names for error messages. Default: "0", "1", ...

    Returns
    -------
    list
        One form for each network.

    Raises
    ------
    ValueError
        If a representation does not fit; the message names it.

    Examples
    --------
    >>> from rnnstudy.metrics import METRICS
    >>> len(prepare_forms([np.eye(4), np.ones((4, 2)) - np.eye(4, 2)], METRICS["cka"]()))
    2
    """
    names = _default_labels(labels, len(states))
    for name, x in zip(names, states, strict=True):
        if len(x) != len(states[0]) and not metric.trajectories:
            raise ValueError(
                f"all representations must be of the same samples, got {len(x)} samples of "
                f"{name!r} and {len(states[0])} of {names[0]!r}"
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
    """Compute the distances of all pairs of forms, in square blocks of pairs.

    Parameters
    ----------
    forms : sequence
        Results of `prepare_forms`.
    metric : Metric
        Distance that made the forms.
    labels : sequence of str, optional
        Names of the networks. Default: "0", "1", ...
    block : int, optional
        Items along a side of a block. Default: as many as `PAIR_BLOCK_BYTES` allow, and few enough
        for several cores.

    Returns
    -------
    Distances
        Labelled matrix.

    Examples
    --------
    >>> from rnnstudy.metrics import METRICS
    >>> metric = METRICS["cka"]()
    >>> forms = prepare_forms([np.eye(4, 3), 2 * np.eye(4, 3)], metric)
    >>> float(pairwise_distances(forms, metric).values.round(6).max())
    0.0
    """
    values = np.zeros((len(forms), len(forms)))
    side = block or min(_block_side(forms, metric), max(8, -(-len(forms) // 4)))

    def fill(rows: slice, columns: slice) -> None:
        values[rows, columns] = metric.distances(stacked(forms[rows]), stacked(forms[columns]))

    _map_in_threads(fill, *zip(*_blocks(len(forms), side), strict=True))
    upper = np.triu(values, 1)
    return Distances(_default_labels(labels, len(forms)), upper + upper.T)


def _default_labels(labels: Sequence[str] | None, count: int) -> tuple[str, ...]:
    names = tuple(str(i) for i in range(count)) if labels is None else tuple(labels)
    if len(names) != count:
        raise ValueError(f"labels must be {count}, one for each representation, got {len(names)}")
    return names


def _map_in_threads(work: Callable[..., R], *arguments: Sequence[Any]) -> list[R]:
    """Apply a function in one thread per core, each with one thread for linear algebra."""
    with one_thread(), ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(work, *arguments))


def form_bytes(form: Form) -> int:
    """Return the bytes of all arrays of a form."""
    return sum(part.nbytes for part in parts(form).values())


def _block_side(forms: Sequence[Form], metric: Metric) -> int:
    """Return the side of a block whose two stacks of forms and products fit into memory."""
    form = max(map(form_bytes, forms), default=1)
    pair = max((metric.pair_bytes(f) for f in forms), default=1)
    return max(1, int((sqrt(form**2 + pair * PAIR_BLOCK_BYTES) - form) / pair))


def _blocks(count: int, side: int) -> list[tuple[slice, slice]]:
    """Return the blocks on and above the diagonal."""
    slices = [slice(start, start + side) for start in range(0, count, side)]
    return [(rows, columns) for i, rows in enumerate(slices) for columns in slices[i:]]
