"""All pairs in tiles: blocks of networks against blocks, each by itself, in bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.distances.pairs import BLOCK_BYTES, Distances, form_bytes
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array, arrays
from rnnstudy.core.threads import one_thread
from rnnstudy.metrics import Metric
from rnnstudy.metrics.base import Form, parts, stacked


@dataclass(frozen=True, eq=False)
class PreparedForm(Record):
    """A metric's form of one network, as it is kept."""

    parts: dict[str, Array] = arrays()

    @classmethod
    def of(cls, form: Form) -> "PreparedForm":
        """A form in a record."""
        return cls({name: np.asarray(part) for name, part in parts(form).items()})

    @property
    def form(self) -> Form:
        """The form as the metric made it."""
        return self.parts["form"] if list(self.parts) == ["form"] else self.parts


@dataclass(frozen=True, eq=False)
class DistanceTile(Record):
    """Distances between the networks of two blocks, or of one block with itself."""

    values: Array = array("item", "other")


def split_into_blocks(count: int, size: int) -> list[range]:
    """Positions 0 to `count` in blocks of `size`; the last may be smaller. What is added to the end
    leaves all full blocks as they are."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def tile_distances(rows: Sequence[Form], columns: Sequence[Form], metric: Metric) -> Array:
    """Distances [row, column] of two blocks of forms; of a block with itself if they are the same.

    Forms are asked for as they are needed, those of columns several times, and not kept: given a
    sequence that reads them from a disk, memory stays within some `BLOCK_BYTES`.
    """
    values, same = np.zeros((len(rows), len(columns))), rows is columns
    with one_thread():
        for these, first in _form_stacks(rows, metric):
            for others, second in _form_stacks(columns, metric, these.start if same else 0):
                values[these, others] = metric.distances(first, second)
    if same:
        upper = np.triu(values, 1)
        return upper + upper.T
    return values


def assemble_tiles(
    labels: Sequence[str],
    split: Sequence[Sequence[int]],
    tiles: Mapping[tuple[int, int], DistanceTile],
) -> Distances:
    """The whole matrix from the tiles [first block, second block] on and above the diagonal.

    split: positions of each block's items among the labels.
    """
    values = np.zeros((len(labels), len(labels)))
    for (first, second), found in tiles.items():
        values[np.ix_(split[first], split[second])] = found.values
        values[np.ix_(split[second], split[first])] = found.values.T
    return Distances(tuple(labels), values)


def _form_stacks(
    forms: Sequence[Form], metric: Metric, start: int = 0
) -> Iterator[tuple[slice, Form]]:
    """Stacks of as many forms in a row as fit, two of them and the products of their pairs."""
    held: list[Form] = []
    form = pair = 0
    for i in range(start, len(forms)):
        new = forms[i]
        form, pair = max(form, form_bytes(new)), max(pair, metric.pair_bytes(new))
        size = len(held) + 1
        if held and 2 * size * form + size**2 * pair > BLOCK_BYTES:
            yield slice(i - len(held), i), stacked(held)
            held, form, pair = [], form_bytes(new), metric.pair_bytes(new)
        held.append(new)
    if held:
        yield slice(len(forms) - len(held), len(forms)), stacked(held)
