"""Records as `xarray` datasets and NetCDF files: coordinates, units, complex numbers."""

import importlib.util
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.files import make_folder, publish_file

LONG_NAMES = {
    "member": "network",
    "time": "time step",
    "mode": "eigenvalue, largest modulus first",
    "input": "input channel",
    "output": "output channel",
    "state": "entry of the state",
    "unit": "unit",
}
"""Axis -> its description, where the name does not say it."""

Variables = Mapping[str, tuple[tuple[str, ...], Array]]
"""Name -> axes and array."""


def dataset_of(
    variables: Variables, labels: Mapping[str, Any], dt: float | None, attributes: Mapping[str, Any]
) -> Any:
    """Return an `xarray.Dataset` with a coordinate for each named axis.

    Parameters
    ----------
    variables
        Name -> axes and array.
    labels
        Axis -> its labels, such as names of networks. Other axes are numbered from 0.
    dt
        Seconds per time step; None if it is unknown.
    attributes
        Attributes of the dataset.

    Raises
    ------
    ValueError
        If there is no such axis, or the labels are not one for each of its positions.

    Examples
    --------
    >>> loss = {"loss": (("member", "time"), np.zeros((2, 3)))}
    >>> dataset_of(loss, {"member": ["a", "b"]}, 0.1, {})["time"].values.tolist()
    [0.0, 0.1, 0.2]
    """
    import xarray

    sizes = {
        axis: size
        for axes, values in variables.values()
        for axis, size in zip(axes, values.shape, strict=True)
        if "." not in axis  # a further axis, which has no name
    }
    unknown = [axis for axis in labels if axis not in sizes]
    if unknown:
        raise ValueError(
            f"coordinates must be of axes of the record ({', '.join(sizes)}), got {unknown[0]!r}"
        )
    coordinates = {
        # A Jacobian has the axis of the state twice: `state` and `state_2`.
        axis: (axis, *_coordinate(axis, size, labels.get(axis, labels.get(_first_name(axis))), dt))
        for axis, size in sizes.items()
        if axis not in variables
    }
    plain = {name: _attribute(value) for name, value in attributes.items() if value is not None}
    return xarray.Dataset(dict(variables), coordinates, plain)


def _first_name(axis: str) -> str:
    """Return the name of the first of several axes of one name: `state` of `state_2`."""
    return re.sub(r"_\d+$", "", axis)


def _coordinate(
    axis: str, size: int, labels: Any, dt: float | None
) -> tuple[Array, dict[str, str]]:
    """Return the values of a coordinate, and its attributes."""
    about = {"long_name": LONG_NAMES[axis]} if axis in LONG_NAMES else {}
    if labels is not None:
        values = np.asarray(list(labels))
        if values.shape != (size,) or values.dtype.hasobject:
            raise ValueError(
                f"coordinates of {axis!r} must be {size} texts or numbers, got {len(values)} "
                f"of type {values.dtype}"
            )
        return values, about
    if axis == "time" and dt is not None:
        return dt * np.arange(size), {"long_name": "time", "units": "s"}
    return np.arange(size), {**about, "units": "1"}


def _attribute(value: Any) -> Any:
    """Return a value as NetCDF stores it: text or a number; others as JSON."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, str | int | float) else json.dumps(value)


def write_netcdf(dataset: Any, path: Path) -> None:
    """Write a dataset as a NetCDF 4 file.

    A complex number is a compound of its parts `r` and `i`, which netCDF4 and xarray read as one.

    Parameters
    ----------
    dataset
        An `xarray.Dataset`.
    path
        The file. It is replaced if it exists.

    Raises
    ------
    ImportError
        If h5netcdf is not installed.
    """
    if importlib.util.find_spec("h5netcdf") is None:
        raise ImportError("NetCDF files need h5netcdf. Install rnnstudy[netcdf].")
    make_folder(path.parent)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".netcdf") as folder:
        draft = Path(folder, "data.nc")
        dataset.to_netcdf(draft, engine="h5netcdf")
        publish_file(draft, path)
