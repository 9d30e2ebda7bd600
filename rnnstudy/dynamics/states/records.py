"""What records of things that lie end to end have in common: indexing, joining, showing."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record

SHOWN = 12
"""Rows in a notebook."""


@dataclass(frozen=True, eq=False)
class SearchRecord(Record):
    """Things of many networks, at many inputs, one after the other along `axis`.

    A subclass has the fields `member` and `input_index`, each [axis].
    """

    axis: ClassVar[str]
    """What one thing is called."""

    def __len__(self) -> int:
        return self.size(self.axis)

    def __getitem__(self, index: Any) -> Self:
        """Those at a position, positions, a slice or a mask, as a record; IndexError beyond."""
        return self.select(self.axis, resolve_index(index, len(self), self.axis))

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def of(self, member: int | None = None, input_index: int | None = None) -> Self:
        """What belongs to one member, one input, or both."""
        mine = follow(self, "member"), follow(self, "input_index")
        return self[ownership_mask(*mine, member, input_index)]

    def shift_indices(self, members: int = 0, inputs: int = 0) -> Self:
        """The same with so much added to the numbers of members and of inputs."""
        changed: dict[str, Any] = {
            "member": follow(self, "member") + members,
            "input_index": follow(self, "input_index") + inputs,
        }
        return replace(self, **changed)

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with one row each."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """A line and the first rows, for notebooks."""
        frame = self[:SHOWN].to_frame()
        rows = frame.to_html(border=0, index=False, escape=True, float_format="{:.4g}".format)
        more = f"<p>and {len(self) - SHOWN} more</p>" if len(self) > SHOWN else ""
        return f"<p>{html.escape(repr(self))}</p>{rows if len(self) else ''}{more}"


def resolve_index(index: Any, count: int, name: str) -> Array:
    """Positions that an index stands for; IndexError if one is beyond, or a mask does not fit."""
    if isinstance(index, slice):
        return np.arange(count)[index]
    given = np.atleast_1d(np.asarray(index))
    given = given if given.size else given.astype(int)
    if given.ndim != 1 or given.dtype.kind not in "biu":
        raise IndexError(
            f"{name} should be chosen by integers, a slice or a mask, not by values of type "
            f"{given.dtype} and shape {np.shape(index)}"
        )
    if given.dtype == bool:
        if len(given) != count:
            raise IndexError(f"a mask of {len(given)} does not fit a record of {count}")
        return np.flatnonzero(given)
    beyond = given[(given >= count) | (given < -count)]
    if len(beyond):
        raise IndexError(f"{name} {beyond[0]} is beyond the end of a record of {count}")
    return np.where(given < 0, given + count, given)


def ownership_mask(
    members: Array, inputs: Array, member: int | None, input_index: int | None
) -> Array:
    """Mask of what belongs to a member and an input; None: to any."""
    mask = np.ones(len(members), bool)
    mask &= True if member is None else members == member
    mask &= True if input_index is None else inputs == input_index
    return mask


def follow(record: Record, name: str) -> Array:
    """The array in a field that only the subclass knows."""
    found: Array = getattr(record, name)
    return found


def count_noun(count: int, one: str, many: str) -> str:
    """A count with its noun."""
    return f"{count or 'no'} {one if count == 1 else many}"


def check_equal_sizes(records: Sequence[Record]) -> None:
    """ValueError unless the records' states and inputs have the same sizes."""
    for axis in ("state", "input"):
        sizes = sorted({record.size(axis) for record in records})
        if len(sizes) > 1:
            raise ValueError(
                f"records should be of networks of one shape, their {axis} sizes are "
                f"{', '.join(map(str, sizes))}: keep one record of each shape"
            )
