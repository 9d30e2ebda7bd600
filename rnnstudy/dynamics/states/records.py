"""Base of the records of searches: items of many networks, one after the other."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self, cast

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record

NOTEBOOK_ROWS = 12
"""Number of rows that a notebook shows."""


@dataclass(frozen=True, eq=False)
class SearchRecord(Record):
    """Base of records of items of many networks at many inputs, one after the other.

    A subclass declares its axes. The methods that select, shift and join follow from them.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from rnnstudy.core.record import array
    >>> @dataclass(frozen=True, eq=False)
    ... class Peaks(SearchRecord):
    ...     axis = "peak"
    ...     owners = {"peak": ("member", "input_index")}
    ...     member: np.ndarray = array("peak")
    ...     input_index: np.ndarray = array("peak")
    >>> peaks = Peaks(member=np.array([0, 0, 1]), input_index=np.array([0, 1, 0]))
    >>> len(peaks.of(member=0)), peaks.single_member(1).member.tolist()
    (2, [0])
    """

    axis: ClassVar[str]
    """Axis of the items. `len` and indices count along it."""

    owners: ClassVar[Mapping[str, tuple[str, str]]]
    """Axis -> the fields with the member and the input index of its rows. The text `table.column`
    names a column of a table."""

    references: ClassVar[Mapping[str, str]] = {}
    """Field -> axis on which its values are positions, or -1 for none."""

    parts: ClassVar[Mapping[str, str]] = {}
    """Axis -> field of `references` with the item that each of its rows is part of. The rows are
    selected with their item."""

    def __len__(self) -> int:
        return self.size(self.axis)

    def __getitem__(self, index: Any) -> Self:
        """Return the items at a position, positions, a slice or a mask; IndexError beyond."""
        return self.select(self.axis, resolve_index(index, len(self), self.axis))

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def of(self, member: int | None = None, input_index: int | None = None) -> Self:
        """Return the rows of one member, one input, or both."""
        record = self
        for axis, (members, inputs) in self.owners.items():
            mask = np.ones(self.size(axis), bool)
            mask &= True if member is None else self._column(members) == member
            mask &= True if input_index is None else self._column(inputs) == input_index
            record = record.select(axis, mask)
        nested = {
            name: each.of(member, input_index) for name, each in self._inner_records().items()
        }
        return replace(record, **cast(dict[str, Any], nested))

    def single_member(self, member: int) -> Self:
        """Return one member's rows as those of member 0."""
        return self.of(member=member).shift_indices(members=-member)

    def shift_indices(self, members: int = 0, inputs: int = 0) -> Self:
        """Return the same rows with a number added to their members and input indices."""
        record = self
        for columns in self.owners.values():
            for name, offset in zip(columns, (members, inputs), strict=True):
                record = record._with_column(name, record._column(name) + offset)
        nested = {
            name: each.shift_indices(members, inputs)
            for name, each in self._inner_records().items()
        }
        return replace(record, **cast(dict[str, Any], nested))

    def select(self, axis: str, indices: Any) -> Self:
        """Return the record at some positions of an axis.

        Parts are selected with their items, and positions on the axis are counted anew.
        """
        names = [name for name, target in self.references.items() if target == axis]
        if not names:
            return super().select(axis, indices)
        count = self.size(axis)
        chosen = resolve_index(indices, count, axis)
        record = super().select(axis, chosen)
        new_position = np.full(count + 1, -1)
        new_position[chosen] = np.arange(len(chosen))
        for name in names:
            record = record._with_column(name, new_position[self._column(name)])
        for part, name in self.parts.items():
            if name in names:
                rows, item = _rows_of(self._column(name), chosen, count)
                record = Record.select(record, part, rows)._with_column(name, item)
        return record

    @classmethod
    def join(cls, records: Sequence[Self], axis: str | None = None) -> Self:
        """Return records end to end along one axis, or along all of them if it is None.

        Raises ValueError if there are none, or if they differ in sizes or settings.
        """
        if axis is not None or not records:
            return super().join(records, axis or cls.axis)
        check_equal_sizes(records)
        _check_equal_settings(records)
        shifted = cls._with_shifted_references(records)
        joined: dict[str, Any] = {
            name: type(each).join([record._inner_records()[name] for record in records])
            for name, each in records[0]._inner_records().items()
        }
        for each in dict.fromkeys((cls.axis, *cls.owners, *cls.parts)):
            along = super().join(shifted, each)
            joined |= {
                field.name: getattr(along, field.name)
                for field in fields(cls)
                if each in field.metadata.get("axes", ())
            }
        return replace(records[0], **joined)

    @classmethod
    def _with_shifted_references(cls, records: Sequence[Self]) -> list[Self]:
        """Return the records with positions that hold once they are end to end."""
        shifted = list(records)
        for name, axis in cls.references.items():
            first = np.cumsum([0, *(record.size(axis) for record in records[:-1])])
            columns = (record._column(name) for record in records)
            shifted = [
                record._with_column(name, np.where(column >= 0, column + offset, column))
                for record, column, offset in zip(shifted, columns, first, strict=True)
            ]
        return shifted

    def _inner_records(self) -> "dict[str, SearchRecord]":
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: each for name, each in values.items() if isinstance(each, SearchRecord)}

    def _column(self, name: str) -> Array:
        table, _, column = name.partition(".")
        values: Array = getattr(self, table)[column] if column else getattr(self, table)
        return values

    def _with_column(self, name: str, values: Array) -> Self:
        table, _, column = name.partition(".")
        changed: dict[str, Any] = {
            table: {**getattr(self, table), column: values} if column else values
        }
        return replace(self, **changed)

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with one row per item."""
        raise NotImplementedError

    def _repr_html_(self) -> str:
        """Return a line and the first rows, for notebooks."""
        frame = self[:NOTEBOOK_ROWS].to_frame()
        rows = frame.to_html(border=0, index=False, escape=True, float_format="{:.4g}".format)
        more = f"<p>and {len(self) - NOTEBOOK_ROWS} more</p>" if len(self) > NOTEBOOK_ROWS else ""
        return f"<p>{html.escape(repr(self))}</p>{rows if len(self) else ''}{more}"


def _rows_of(item: Array, chosen: Array, count: int) -> tuple[Array, Array]:
    """Return the rows [row] of chosen items, item after item, and the item [row] of each.

    item [row]: item of each row of the whole record. Returned items are positions among the chosen.
    """
    order = np.argsort(item, kind="stable")
    sizes = np.bincount(item, minlength=count)[: count or 1]
    first = np.cumsum(sizes) - sizes
    lengths = sizes[chosen]
    position = np.repeat(np.arange(len(chosen)), lengths)
    within = np.arange(len(position)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return order[first[chosen][position] + within], position


def resolve_index(index: Any, count: int, name: str) -> Array:
    """Return the positions that an index selects.

    Raises IndexError if one is beyond the end, or a mask does not fit.
    """
    if isinstance(index, slice):
        return np.arange(count)[index]
    values = np.atleast_1d(np.asarray(index))
    values = values if values.size else values.astype(int)
    if values.ndim != 1 or values.dtype.kind not in "biu":
        raise IndexError(
            f"{name} should be chosen by integers, a slice or a mask, not by values of type "
            f"{values.dtype} and shape {np.shape(index)}"
        )
    if values.dtype == bool:
        if len(values) != count:
            raise IndexError(f"a mask of {len(values)} does not fit a record of {count}")
        return np.flatnonzero(values)
    beyond = values[(values >= count) | (values < -count)]
    if len(beyond):
        raise IndexError(f"{name} {beyond[0]} is beyond the end of a record of {count}")
    return np.where(values < 0, values + count, values)


def count_noun(count: int, one: str, many: str) -> str:
    """Return a count with its noun."""
    return f"{count or 'no'} {one if count == 1 else many}"


def _has_axis(record: Record, axis: str) -> bool:
    return any(axis in field.metadata.get("axes", ()) for field in fields(record))


def _sort_distinct(values: Sequence[Any]) -> list[Any]:
    return sorted(set(values), key=lambda value: (value is None, value))


def check_equal_sizes(records: Sequence[Record]) -> None:
    """Raise ValueError unless the records' states and inputs have the same sizes."""
    for axis in ("state", "input"):
        sizes = sorted({record.size(axis) for record in records if _has_axis(record, axis)})
        if len(sizes) > 1:
            raise ValueError(
                f"records must be of networks of one shape, got {axis} sizes "
                f"{', '.join(map(str, sizes))}. Keep one record of each shape."
            )


def _check_equal_settings(records: Sequence[Record]) -> None:
    """Raise ValueError unless fields that are plain values are the same."""
    for field in fields(records[0]):
        values = [getattr(record, field.name) for record in records]
        plain = "axes" not in field.metadata and not isinstance(values[0], Record)
        if plain and len(set(values)) > 1:
            raise ValueError(
                f"records must have one {field.name}, got {_sort_distinct(values)}. "
                "Search them with the same settings."
            )
