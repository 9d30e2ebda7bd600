"""What you get: frozen dataclasses of arrays with named axes, that write themselves to a folder.

Fields are declared with `array("member", "state")` (one array), `arrays("member")` (a dict of
arrays that share leading axes), a nested `Record`, a `Component`, or plain JSON values.
Axis names, in this order: member, trial, time, point, mode, unit (state), input, output.
"""

import dataclasses
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from rnnstudy.component import Component, class_path, find_class, restore

Array = np.ndarray


def array(*axes: str) -> Any:
    """A field that holds one array with exactly these axes."""
    return dataclasses.field(metadata={"axes": axes})


def arrays(*axes: str) -> Any:
    """A field that holds a dict of arrays that begin with these axes; the rest is free."""
    return dataclasses.field(metadata={"axes": axes, "many": True})


class CorruptRecord(Exception):
    """A folder does not hold the record that it claims to hold."""


@dataclasses.dataclass(frozen=True, eq=False)
class Record:
    """Base of all results: axis sizes agree between fields, or construction raises ValueError."""

    def __post_init__(self) -> None:
        sizes: dict[str, tuple[int, str]] = {}
        for name, axes, exact, values in self._arrays():
            if values.ndim < len(axes) or (exact and values.ndim != len(axes)):
                raise ValueError(
                    f"{type(self).__name__}.{name} should have axes [{', '.join(axes)}], "
                    f"its shape is {values.shape}"
                )
            for axis, size in zip(axes, values.shape, strict=False):
                seen, first = sizes.setdefault(axis, (size, name))
                if seen != size:
                    raise ValueError(
                        f"{type(self).__name__}.{name} has {size} along '{axis}', "
                        f"{first} has {seen}"
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
        """Length of a named axis; KeyError if no field has it."""
        for _, axes, _, values in self._arrays():
            if axis in axes:
                return int(values.shape[axes.index(axis)])
        raise KeyError(f"{type(self).__name__} has no axis '{axis}'")

    def select(self, axis: str, indices: Any) -> Self:
        """The record at some positions of an axis (integers or a mask)."""
        index = np.asarray(indices)
        return self._along(axis, lambda value, at, _: value[(slice(None),) * at + (index,)])

    @classmethod
    def join(cls, records: Sequence[Self], axis: str) -> Self:
        """Records end to end along an axis; fields without that axis come from the first."""
        if not records:
            raise ValueError(f"{cls.__name__}.join needs at least one record")

        def joined(value: Array, at: int, path: tuple[str, ...]) -> Array:
            return np.concatenate([_follow(record, path) for record in records], axis=at)

        return records[0]._along(axis, joined)

    def _along(
        self,
        axis: str,
        change: Callable[[Array, int, tuple[str, ...]], Array],
        path: tuple[str, ...] = (),
    ) -> Self:
        changed: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value, here = getattr(self, field.name), (*path, field.name)
            axes = field.metadata.get("axes", ())
            if isinstance(value, Record):
                changed[field.name] = value._along(axis, change, here)
            elif axis not in axes:
                changed[field.name] = value
            elif field.metadata.get("many"):
                at = axes.index(axis)
                changed[field.name] = {k: change(v, at, (*here, k)) for k, v in value.items()}
            else:
                changed[field.name] = change(value, axes.index(axis), here)
        return type(self)(**changed)

    def to_xarray(self) -> Any:
        """The record's own arrays as an `xarray.Dataset` with named dimensions."""
        import xarray

        variables = {}
        for name, axes, _, values in self._arrays():
            free = tuple(f"{name}_{i}" for i in range(len(axes), values.ndim))
            variables[name] = (_distinct((*axes, *free)), values)
        return xarray.Dataset(variables)

    def save(self, folder: str | Path) -> None:
        """Write `arrays.npz` (no pickle) and `meta.json` (fields, class, checksum)."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        found: dict[str, Array] = {}
        meta = self._describe("", found)
        with open(folder / "arrays.npz", "wb") as file:
            np.savez(file, **found)  # type: ignore[arg-type]
        content = (folder / "arrays.npz").read_bytes()
        meta["bytes"], meta["sha256"] = len(content), hashlib.sha256(content).hexdigest()
        (folder / "meta.json").write_text(json.dumps(meta, indent=1, allow_nan=True) + "\n")

    def _describe(self, prefix: str, found: dict[str, Array]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value, name = getattr(self, field.name), prefix + field.name
            if isinstance(value, Record):
                fields[field.name] = {"record": value._describe(name + "/", found)}
            elif isinstance(value, Component):
                fields[field.name] = {"component": value.stored()}
            elif field.metadata.get("many"):
                fields[field.name] = {"arrays": list(value)}
                found.update({f"{name}/{part}": values for part, values in value.items()})
            elif "axes" in field.metadata:
                fields[field.name] = {"array": field.name}
                found[name] = value
            else:
                fields[field.name] = {"value": value}
        return {"class": class_path(type(self)), "fields": fields}

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote; CorruptRecord says what is missing or damaged."""
        folder = Path(folder)
        try:
            meta = json.loads((folder / "meta.json").read_text())
            content = (folder / "arrays.npz").read_bytes()
            if hashlib.sha256(content).hexdigest() != meta["sha256"]:
                raise CorruptRecord(f"{folder}/arrays.npz does not match its checksum")
            with np.load(io.BytesIO(content), allow_pickle=False) as found:
                record = _rebuild(meta, "", dict(found))
        except (OSError, ValueError, KeyError, AttributeError, ImportError, TypeError) as error:
            raise CorruptRecord(f"{folder}: {error}") from error
        if not isinstance(record, cls):
            raise CorruptRecord(f"{folder} holds a {type(record).__name__}, not a {cls.__name__}")
        return record


def _rebuild(meta: dict[str, Any], prefix: str, found: dict[str, Array]) -> Record:
    values: dict[str, Any] = {}
    for name, stored in meta["fields"].items():
        (form, content), path = next(iter(stored.items())), prefix + name
        if form == "record":
            values[name] = _rebuild(content, path + "/", found)
        elif form == "component":
            values[name] = restore(content)
        elif form == "arrays":
            values[name] = {part: found[f"{path}/{part}"] for part in content}
        elif form == "array":
            values[name] = found[path]
        else:
            values[name] = tuple(content) if isinstance(content, list) else content
    record: Record = find_class(meta["class"])(**values)
    return record


def _follow(value: Any, path: tuple[str, ...]) -> Array:
    for name in path:
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    found: Array = value
    return found


def _distinct(axes: tuple[str, ...]) -> tuple[str, ...]:
    """A Jacobian has the state axis twice; labelled arrays need two names for it."""
    return tuple(
        axis if axis not in axes[:i] else f"{axis}_{axes[:i].count(axis) + 1}"
        for i, axis in enumerate(axes)
    )
