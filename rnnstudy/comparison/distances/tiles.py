"""All pairs in tiles: blocks of networks against blocks, each by itself, in bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.distances.pairs import PAIR_BLOCK_BYTES, Distances, form_bytes
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array, arrays
from rnnstudy.core.threads import one_thread
from rnnstudy.metrics import Metric
from rnnstudy.metrics.base import Form, parts, stacked


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
        return cls({name: np.asarray(part) for name, part in parts(form).items()})

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


def tile_distances(rows: Sequence[Form], columns: Sequence[Form], metric: Metric) -> Array:
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
    with one_thread():
        for row_slice, first in _form_stacks(rows, metric):
            start = row_slice.start if same else 0
            for column_slice, second in _form_stacks(columns, metric, start):
                values[row_slice, column_slice] = metric.distances(first, second)
    if same:
        upper = np.triu(values, 1)
        return upper + upper.T
    return values


def assemble_tiles(
    labels: Sequence[str],
    split: Sequence[Sequence[int]],
    tiles: Mapping[tuple[int, int], DistanceTile],
) -> Distances:
    """Assemble the whole matrix from the tiles on and above the diagonal.

    Parameters
    ----------
    labels : sequence of str
        Names of all networks.
    split : sequence of sequences of int
        Positions of each block's networks among the labels.
    tiles : mapping
        Tile for each pair (first block, second block).

    Returns
    -------
    Distances
        Labelled matrix.

    Examples
    --------
    >>> tiles = {(0, 0): DistanceTile(np.zeros((1, 1))), (1, 1): DistanceTile(np.zeros((1, 1)))}
    >>> tiles[0, 1] = DistanceTile(np.array([[2.0]]))
    >>> assemble_tiles(["a", "b"], [[0], [1]], tiles).values.tolist()
    [[0.0, 2.0], [2.0, 0.0]]
    """
    values = np.zeros((len(labels), len(labels)))
    for (first, second), tile in tiles.items():
        values[np.ix_(split[first], split[second])] = tile.values
        values[np.ix_(split[second], split[first])] = tile.values.T
    return Distances(tuple(labels), values)


def _form_stacks(
    forms: Sequence[Form], metric: Metric, start: int = 0
) -> Iterator[tuple[slice, Form]]:
    """Stack consecutive forms, as many as fit: two stacks and the products of their pairs."""
    stack: list[Form] = []
    form = pair = 0
    for i in range(start, len(forms)):
        new = forms[i]
        form, pair = max(form, form_bytes(new)), max(pair, metric.pair_bytes(new))
        size = len(stack) + 1
        if stack and 2 * size * form + size**2 * pair > PAIR_BLOCK_BYTES:
            yield slice(i - len(stack), i), stacked(stack)
            stack, form, pair = [], form_bytes(new), metric.pair_bytes(new)
        stack.append(new)
    if stack:
        yield slice(len(forms) - len(stack), len(forms)), stacked(stack)
