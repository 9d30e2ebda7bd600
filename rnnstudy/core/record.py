"""Records: results as frozen dataclasses of arrays with named axes, stored in a folder each.

A field is one array (`array("member", "state")`), a dict of arrays with common leading axes
(`arrays("member")`), a nested `Record`, a `Component` or a JSON value. Axis names, in this order:
member, trial, time, point, mode, unit (state), input, output.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from rnnstudy.core import format_1
from rnnstudy.core.arguments import check_path, check_positions, summarise_value
from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Component, restore
from rnnstudy.core.storage.datasets import dataset_of, write_netcdf
from rnnstudy.core.storage.errors import CorruptRecord, ForeignRecord
from rnnstudy.core.storage.folder import read_contents, record_files, write_contents
from rnnstudy.core.storage.meta import written_by
from rnnstudy.core.tags import class_of, tag_of


def array(*axes: str) -> Any:
    """Declare a field for one array with exactly these axes.

    Parameters
    ----------
    *axes
        Names of all axes, in order.

    Returns
    -------
    dataclasses.Field
        The default of a field of a `Record`.

    Examples
    --------
    >>> from rnnstudy import array
    >>> array("member", "state").metadata["axes"]
    ('member', 'state')
    """
    return dataclasses.field(metadata={"axes": axes})


def arrays(*axes: str) -> Any:
    """Declare a field for a dict of arrays whose first axes are these; further axes are free.

    Parameters
    ----------
    *axes
        Names of the first axes of each array, in order.

    Returns
    -------
    dataclasses.Field
        The default of a field of a `Record`.

    Examples
    --------
    >>> from rnnstudy import arrays
    >>> arrays("member").metadata["axes"]
    ('member',)
    """
    return dataclasses.field(metadata={"axes": axes, "many": True})


@dataclasses.dataclass(frozen=True, eq=False)
class Record:
    """Base class of results: arrays with named axes.

    A subclass is a frozen dataclass with `eq=False`. Axes of one name have one length.

    Raises
    ------
    ValueError
        An array lacks an axis, has Python objects, or differs from another array in the length of
        an axis.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from rnnstudy import Record, array
    >>> @dataclass(frozen=True, eq=False)
    ... class Radius(Record):
    ...     radius: np.ndarray = array("member")
    >>> Radius(np.array([0.9, 1.1])).select("member", [1]).size("member")
    1
    """

    axis_labels = MappingProxyType[str, str]({})
    """Axis -> field that has a label for each of its positions."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__repr__ = cls.__repr__  # type: ignore[method-assign]  # else dataclasses write theirs

    def __repr__(self) -> str:
        """Return the class and the lengths of its axes, without the arrays."""
        sizes = {
            axis: values.shape[axes.index(axis)]
            for _, axes, _, values in self._arrays()
            for axis in axes
        }
        return f"{type(self).__name__}: {', '.join(f'{n} {axis}' for axis, n in sizes.items())}"

    def __post_init__(self) -> None:
        sizes: dict[str, tuple[int, str]] = {}
        for name, axes, exact, values in self._arrays():
            if not hasattr(values, "dtype"):
                raise TypeError(
                    f"{type(self).__name__}.{name} must be an array, got {summarise_value(values)}."
                    " Use numpy.asarray."
                )
            if values.dtype.hasobject:
                raise ValueError(
                    f"{type(self).__name__}.{name} must be numbers, got Python objects"
                )
            if values.ndim < len(axes) or (exact and values.ndim != len(axes)):
                raise ValueError(
                    f"{type(self).__name__}.{name} must have axes [{', '.join(axes)}], "
                    f"got shape {values.shape}"
                )
            for axis, size in zip(axes, values.shape, strict=False):
                length, first = sizes.setdefault(axis, (size, name))
                if length != size:
                    raise ValueError(
                        f"{type(self).__name__}.{name} must have length {length} along '{axis}' "
                        f"like {first}, got {size}"
                    )

    def _arrays(self) -> Iterator[tuple[str, tuple[str, ...], bool, Array]]:
        for field in dataclasses.fields(self):
            axes = field.metadata.get("axes")
            if axes is None:
                continue
            value = getattr(self, field.name)
            if field.metadata.get("many"):
                for part, values in value.items():
                    yield f"{field.name}.{part}", axes, False, values
            else:
                yield field.name, axes, True, value

    def size(self, axis: str) -> int:
        """Return the length of a named axis; KeyError if no field has it."""
        for _, axes, _, values in self._arrays():
            if axis in axes:
                return int(values.shape[axes.index(axis)])
        raise KeyError(f"{type(self).__name__} has no axis '{axis}'")

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, those of nested records included."""
        values = (getattr(self, field.name) for field in dataclasses.fields(self))
        nested = sum(value.nbytes for value in values if isinstance(value, Record))
        return nested + sum(array.nbytes for *_, array in self._arrays())

    def select(self, axis: str, indices: Any) -> Self:
        """Return the record at positions of an axis, as integers or as a mask [axis]."""
        self._require(axis)
        lengths = [a.shape[axes.index(axis)] for _, axes, _, a in self._arrays() if axis in axes]
        index = check_positions(axis, indices, lengths[0]) if lengths else np.asarray(indices)
        return self._along(axis, lambda value, at, _: value[(slice(None),) * at + (index,)])

    @classmethod
    def join(cls, records: Sequence[Self], axis: str) -> Self:
        """Return records concatenated along an axis; other fields are those of the first record."""
        if not isinstance(records, Sequence) or not all(isinstance(r, Record) for r in records):
            raise TypeError(
                f"{cls.__name__}.join must have a list of records, got {summarise_value(records)}. "
                "Pass [a, b]."
            )
        if not records:
            raise ValueError(f"{cls.__name__}.join must have at least one record, got none")
        records[0]._require(axis)

        def concatenate(value: Array, at: int, path: tuple[str, ...]) -> Array:
            return np.concatenate([_follow(record, path) for record in records], axis=at)

        return records[0]._along(axis, concatenate)

    def _require(self, axis: str) -> None:
        if not self._has(axis):
            raise KeyError(f"{type(self).__name__} has no axis '{axis}'")

    def _has(self, axis: str) -> bool:
        """Return True if a field, or a field of a nested record, has this axis."""
        values = ((field, getattr(self, field.name)) for field in dataclasses.fields(self))
        return any(
            value._has(axis)
            if isinstance(value, Record)
            else axis in field.metadata.get("axes", ())
            for field, value in values
        )

    def _along(
        self,
        axis: str,
        change: "Change",
        path: tuple[str, ...] = (),
    ) -> Self:
        changed: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value, name_path = getattr(self, field.name), (*path, field.name)
            axes = field.metadata.get("axes", ())
            if isinstance(value, Record):
                changed[field.name] = value._along(axis, change, name_path)
            elif axis not in axes:
                changed[field.name] = value
            elif field.metadata.get("many"):
                changed[field.name] = {
                    part: _at_each(axes, axis, change, values, (*name_path, part))
                    for part, values in value.items()
                }
            else:
                changed[field.name] = _at_each(axes, axis, change, value, name_path)
        return type(self)(**changed)

    def to_xarray(
        self, coordinates: Mapping[str, Any] | None = None, dt: float | None = None
    ) -> Any:
        """Return the record's arrays, without nested records, as an `xarray.Dataset`.

        Parameters
        ----------
        coordinates : dict, optional
            Labels of axes, such as `{"member": names}`. Default: those that the record has, and
            else numbers from 0.
        dt : float, optional
            Seconds per time step, for the coordinate `time`. Default: time in steps.

        Returns
        -------
        xarray.Dataset
            Variables with named dimensions. Its attributes are the plain fields of the record.

        Raises
        ------
        ValueError
            If the record has no such axis, or labels are not one for each position.
        """
        labels = {axis: getattr(self, name) for axis, name in self.axis_labels.items()}
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        attributes = {
            name: value
            for name, value in values.items()
            if isinstance(value, str | int | float | tuple)
            and name not in self.axis_labels.values()
        }
        attributes = {"record": type(self).__name__, **attributes}
        return dataset_of(self._variables(), labels | dict(coordinates or {}), dt, attributes)

    def _variables(self) -> dict[str, tuple[tuple[str, ...], Array]]:
        """Return name -> dimensions and values of the arrays."""
        variables = {}
        for name, axes, _, values in self._arrays():
            free = tuple(f"{name}_{i}" for i in range(len(axes), values.ndim))
            variables[name] = (_distinct((*axes, *free)), values)
        return variables

    def to_netcdf(
        self,
        path: str | Path,
        coordinates: Mapping[str, Any] | None = None,
        dt: float | None = None,
    ) -> Path:
        """Write the dataset of `to_xarray` as a NetCDF 4 file, which `xarray.open_dataset` reads.

        A complex number is a compound of its parts `r` and `i`. The extra `netcdf` is needed.

        Parameters
        ----------
        path : path
            The file. It is replaced if it exists.
        coordinates, dt
            As in `to_xarray`.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ImportError
            If h5netcdf is not installed.
        """
        check_path("path", path)
        write_netcdf(self.to_xarray(coordinates, dt), Path(path))
        return Path(path)

    def save(self, folder: str | Path) -> None:
        """Write `arrays.npz` (no pickle) and `meta.json` (fields, class, checksums)."""
        write_contents(self.contents(), Path(folder))

    def contents(self, address: str | None = None) -> dict[str, bytes]:
        """Return name -> content of the files of this record, at an address of a store."""
        return record_files(*self.describe(), address)

    def describe(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return class and fields as plain data, and the arrays by their paths in the record."""
        stored: dict[str, Array] = {}
        return self._describe("", stored), stored

    def _describe(self, prefix: str, stored: dict[str, Array]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value, name = getattr(self, field.name), prefix + field.name
            if isinstance(value, Record):
                fields[field.name] = {"record": value._describe(name + "/", stored)}
            elif isinstance(value, Component):
                fields[field.name] = {"component": value.serialise()}
            elif field.metadata.get("many"):
                fields[field.name] = {"arrays": list(value)}
                stored.update({f"{name}/{part}": values for part, values in value.items()})
            elif "axes" in field.metadata:
                fields[field.name] = {"array": field.name}
                stored[name] = value
            else:
                fields[field.name] = {"value": value}
        return {"tag": tag_of(type(self)), "fields": fields}

    @classmethod
    def load(cls, folder: str | Path, address: str | None = None) -> Self:
        """Read a record from the folder that `save` wrote.

        Parameters
        ----------
        folder
            The folder.
        address
            Address in a store that the record must have. Default: any.

        Raises
        ------
        CorruptRecord
            It cannot be read. Subclasses tell apart what is absent, damaged, unreadable or newer.
        """
        folder = Path(folder)
        meta, stored = read_contents(folder, address)
        try:
            record = _rebuild(meta, "", stored)
        except Exception as error:  # classes of the user, and classes that have changed
            raise CorruptRecord(f"{folder}{written_by(meta)}: {error}") from error
        if not isinstance(record, cls):
            raise ForeignRecord(
                f"{folder} must hold a {cls.__name__}, got a {type(record).__name__}"
            )
        return record


def _rebuild(meta: dict[str, Any], prefix: str, arrays: dict[str, Array]) -> Record:
    values: dict[str, Any] = {}
    for name, description in meta["fields"].items():
        ((form, content),), path = description.items(), prefix + name
        if form == "record":
            values[name] = _rebuild(content, path + "/", arrays)
        elif form == "component":
            values[name] = restore(content)
        elif form == "arrays":
            values[name] = {part: arrays[f"{path}/{part}"] for part in content}
        elif form == "array":
            values[name] = arrays[path]
        else:
            values[name] = _tuples(content)
    tag = meta["tag"] if "tag" in meta else format_1.tag_of_path(meta["class"])
    cls = class_of(tag)
    if not issubclass(cls, Record):
        raise TypeError(f"{tag} must be a record, got a {cls.__name__}")
    return cls(**(values if "tag" in meta else format_1.rename_fields(tag, values)))


def _tuples(value: Any) -> Any:
    """Return lists as tuples, which JSON does not have."""
    if isinstance(value, list):
        return tuple(_tuples(part) for part in value)
    if isinstance(value, dict):
        return {name: _tuples(part) for name, part in value.items()}
    return value


Change = Callable[[Array, int, tuple[str, ...]], Array]
"""Array, position of an axis in it, and path of the array in the record -> new array."""


def _at_each(
    axes: tuple[str, ...], axis: str, change: Change, values: Array, path: tuple[str, ...]
) -> Array:
    """Apply a change at every position of an axis; a Jacobian has the state axis twice."""
    for at, name in enumerate(axes):
        values = change(values, at, path) if name == axis else values
    return values


def _follow(value: Any, path: tuple[str, ...]) -> Array:
    for name in path:
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    values: Array = value
    return values


def _distinct(axes: tuple[str, ...]) -> tuple[str, ...]:
    """Return different names for repeated axes; a Jacobian has the state axis twice."""
    return tuple(
        axis if axis not in axes[:i] else f"{axis}_{axes[:i].count(axis) + 1}"
        for i, axis in enumerate(axes)
    )
