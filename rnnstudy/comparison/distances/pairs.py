"""All pairs of representations under one metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from rnnstudy.comparison.distances.named_states import NamedStates, default_labels, named_states
from rnnstudy.comparison.distances.tiles import DistanceTile, map_in_threads, tile_distances
from rnnstudy.core.arguments import as_real_array, check_labels
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
    states: Any,
    metric: Metric | str,
    labels: Sequence[str] | None = None,
    *,
    others: Any = None,
    other_labels: Sequence[str] | None = None,
) -> Any:
    """Compute the distances of all pairs of representations, or of some against others.

    Parameters
    ----------
    states : list or dict of arrays [sample, unit]
        One array for each network, of the same samples. Numbers of units may differ. The keys of a
        dict are the labels. With `others`, a single array is one network.
    metric : Metric or str
        Distance between two representations, or its name with default settings, such as `"cka"`.
    labels : sequence of str, optional
        Names of the networks in a list. Default: "0", "1", ...
    others : list, dict or array, optional
        Networks to compare with, given like `states`. Default: `states` among themselves.
    other_labels : sequence of str, optional
        Names of `others` in a list. Default: "0", "1", ...

    Returns
    -------
    pandas.DataFrame
        Square matrix with the labels on both sides. With `others`: a row for each of `states`, a
        column for each of `others`.

    Raises
    ------
    ValueError
        If a representation does not fit, or the metric is undefined for it; the message names it.
        If the name of a metric is unknown, or labels do not fit.
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
    >>> pairwise(x, "procrustes", others={"turned": turned, "cubed": x**3}).round(6).shape
    (1, 2)
    """
    metric = as_metric(metric)
    rows = named_states(states, metric, labels, may_be_single=others is not None)
    if others is None:
        if other_labels is not None:
            raise ValueError(
                f"other_labels must name others, got {len(other_labels)} labels and no others. "
                "Pass others, or labels alone."
            )
        forms = prepare_forms(rows.states, metric, rows.names)
        return pairwise_distances(forms, metric, rows.names).to_frame()
    columns = named_states(others, metric, other_labels, "others", may_be_single=True)
    _check_states((*rows.names, *columns.names), [*rows.states, *columns.states], metric)
    return _rectangle(rows, columns, metric)


def _rectangle(rows: NamedStates, columns: NamedStates, metric: Metric) -> Any:
    """Return the table of the distances of rows and columns."""
    forms, other_forms = (
        prepare_forms(side.states, metric, side.names) for side in (rows, columns)
    )
    values = tile_distances(forms, other_forms, metric)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"the distance of {rows.names[row]!r} and {columns.names[column]!r} must be finite, "
            f"got {values[row, column]:g}. Leave one of them out."
        )
    return pd.DataFrame(values, index=list(rows.names), columns=list(columns.names))


def prepare_forms(
    states: Sequence[Any], metric: Metric, labels: Sequence[str] | None = None
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
    names = default_labels(labels, len(states))

    def form(name: str, x: Any) -> Form:
        try:
            return metric.prepare(x)
        except ValueError as error:
            kind = UndefinedMetric if isinstance(error, UndefinedMetric) else ValueError
            raise kind(f"{name!r}: {error}") from error

    return map_in_threads(form, names, _check_states(names, states, metric))


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
    return Distances(default_labels(labels, len(forms)), values)


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


def _check_states(names: Sequence[str], states: Sequence[Any], metric: Metric) -> list[Any]:
    """Return representations as arrays; ValueError if they are not of the same samples."""
    checked = [metric.check_states(f"{n!r}", x) for n, x in zip(names, states, strict=True)]
    if metric.trajectories:
        return checked
    for name, x in zip(names, checked, strict=True):
        if x.ndim and checked[0].ndim and len(x) != len(checked[0]):
            raise ValueError(
                f"all representations must be of the same samples, got {len(x)} samples of "
                f"{name!r} and {len(checked[0])} of {names[0]!r}. Pass states of the same trials."
            )
    return checked
