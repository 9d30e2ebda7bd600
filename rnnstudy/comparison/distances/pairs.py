"""All pairs of representations under one metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from rnnstudy.comparison.distances.tiles import DistanceTile, map_in_threads, tile_distances
from rnnstudy.core.arguments import as_real_array, check_labels, summarise_value
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Matrix
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import Record, array
from rnnstudy.metrics import Metric, UndefinedMetric, as_metric
from rnnstudy.metrics.base import Form


@dataclass(frozen=True, eq=False)
class Distances(Record):
    """Labelled matrix of distances: symmetric, finite, not negative, 0 on the diagonal.

    Attributes
    ----------
    labels : tuple of str
        Names of the items, each once.
    values : array [item, item]
        Distances, in the unit of the metric.
    left_out : dict
        Name of an item without distances -> the reason. Such an item is not among the labels.

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

    axis_labels = MappingProxyType({"item": "labels"})

    labels: tuple[str, ...]
    values: Array = array("item", "item")
    left_out: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_labels("labels", self.labels)
        as_real_array("values", self.values, finite=False)
        if len(self.labels) != len(self.values):
            raise ValueError(
                f"labels must be one for each item, got {len(self.labels)} labels for "
                f"{len(self.values)} items"
            )
        if len(set(self.labels)) < len(self.labels):
            repeated = next(label for label in self.labels if self.labels.count(label) > 1)
            raise ValueError(f"labels must differ, got {repeated!r} for more than one item")
        for label in set(self.labels).intersection(self.left_out):
            raise ValueError(f"left_out must name no item with distances, got {label!r}")
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

    def exhibits(self) -> Sequence[Exhibit]:
        """Return the matrix as a picture."""
        return [
            Matrix(
                title="Distances",
                values=self.values,
                labels=self.labels,
                value_label="distance",
            )
        ]

    def to_frame(self) -> Any:
        """Return a square `pandas.DataFrame` with the labels on both sides."""
        return pd.DataFrame(self.values, index=list(self.labels), columns=list(self.labels))


def pairwise(
    states: Sequence[Array], metric: Metric | str, labels: Sequence[str] | None = None
) -> Any:
    """Compute the distances of all pairs of representations.

    Parameters
    ----------
    states : sequence of arrays [sample, unit]
        One array for each network, of the same samples. Numbers of units may differ.
    metric : Metric or str
        Distance between two representations, or its name with default settings, such as `"cka"`.
    labels : sequence of str, optional
        Names of the networks. Default: "0", "1", ...

    Returns
    -------
    pandas.DataFrame
        Square matrix with the labels on both sides.

    Raises
    ------
    ValueError
        If a representation does not fit, or the metric is undefined for it; the message names it.
        If the name of a metric is unknown.
    TypeError
        If an argument has another type.

    Examples
    --------
    >>> import rnnstudy
    >>> x = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [2.0, 0.5]])
    >>> turned = x[:, ::-1]
    >>> table = pairwise([x, turned, x**3], rnnstudy.metrics.Procrustes(), ["x", "turned", "cubed"])
    >>> table.loc["x"].round(6).tolist()[:2]
    [0.0, 0.0]
    """
    metric = as_metric(metric)
    forms = prepare_forms(_as_representations(states), metric, labels)
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
    states = [as_real_array(f"{n!r}", x, finite=False) for n, x in zip(names, states, strict=True)]
    for name, x in zip(names, states, strict=True):
        is_listed = x.ndim and states[0].ndim and not metric.trajectories
        if is_listed and len(x) != len(states[0]):
            raise ValueError(
                f"all representations must be of the same samples, got {len(x)} samples of "
                f"{name!r} and {len(states[0])} of {names[0]!r}. Pass states of the same trials."
            )

    def form(name: str, x: Array) -> Form:
        try:
            return metric.prepare(x)
        except ValueError as error:
            kind = UndefinedMetric if isinstance(error, UndefinedMetric) else ValueError
            raise kind(f"{name!r}: {error}") from error

    return map_in_threads(form, names, states)


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
    values = tile_distances(forms, forms, metric, block)
    return Distances(_default_labels(labels, len(forms)), values)


def assemble_tiles(
    count: int,
    split: Mapping[int, Sequence[int]],
    tiles: Mapping[tuple[int, int], DistanceTile],
) -> Array:
    """Assemble the whole matrix from the tiles on and above the diagonal.

    Parameters
    ----------
    count : int
        Number of all items.
    split : mapping
        Block -> positions of its items in the matrix.
    tiles : mapping
        Tile for each pair (first block, second block).

    Returns
    -------
    array [item, item]
        Distances; NaN where a tile has NaN.

    Examples
    --------
    >>> tiles = {(0, 0): DistanceTile(np.zeros((1, 1))), (1, 1): DistanceTile(np.zeros((1, 1)))}
    >>> tiles[0, 1] = DistanceTile(np.array([[2.0]]))
    >>> assemble_tiles(2, {0: [0], 1: [1]}, tiles).tolist()
    [[0.0, 2.0], [2.0, 0.0]]
    """
    values = np.zeros((count, count))
    for (first, second), tile in tiles.items():
        values[np.ix_(split[first], split[second])] = tile.values
        values[np.ix_(split[second], split[first])] = tile.values.T
    return values


def _as_representations(states: Any) -> list[Any]:
    """Return the representations in a list; TypeError for one array of a single network."""
    is_array = isinstance(states, np.ndarray) and states.ndim < 3
    if is_array or isinstance(states, str | bytes | Mapping) or not hasattr(states, "__iter__"):
        raise TypeError(
            "states must be a list of arrays [sample, unit], one for each network, got "
            f"{summarise_value(states)}. Pass [x, y]."
        )
    representations = list(states)
    if not representations:
        raise ValueError("states must have at least one array, got an empty list. Pass [x, y].")
    return representations


def _default_labels(labels: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if labels is None:
        return tuple(str(i) for i in range(count))
    names: tuple[Any, ...] = tuple(check_labels("labels", labels))
    if len(names) != count:
        raise ValueError(
            f"labels must be {count}, one for each representation, got {len(names)}. Give all."
        )
    return names
