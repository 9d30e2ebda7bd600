"""Files of recordings: `.npz`, NetCDF and NWB. None of them runs code."""

import hashlib
import importlib.util
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from rnnstudy.core.arguments import check_path
from rnnstudy.core.arrays import Array
from rnnstudy.core.files import read_file
from rnnstudy.recordings.nwb import NWBOptions, recording_of_nwb
from rnnstudy.recordings.record import TIME_UNITS, Recording

ACTIVITY_AXES = ("trial", "time", "neuron")
"""Axes of the activity, in order."""

RECORDING_SUFFIXES = (".npz", ".nc", ".nwb")
"""Endings of files of recordings."""

TIME_UNIT_WORDS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("step", "steps", "1", "time step"), "step"),
}
"""Unit of time in a file -> one of `TIME_UNITS`."""

MOST_RATIO, LEAST_LIMIT = 1000, 1 << 30
"""Largest ratio of unpacked to packed bytes of an archive, and bytes that are never too many."""


class RecordingFileError(ValueError):
    """A file that holds no recording. Its text goes on after the name of the file."""


def read_recording(
    path: str | Path, *, name: str | None = None, nwb: NWBOptions | None = None
) -> Recording:
    """Return the recording in a file.

    An `.npz` file has the arrays `activity` [trial, time, neuron], `time` [time] and `time_unit`,
    and for each field of the trials an array [trial]; `inputs` [trial, time, input] are optional.
    A NetCDF file has the same as variables with the dimensions `trial`, `time`, `neuron` and
    `input`; the unit is the attribute `units` of `time`. An NWB file has spike times, which are
    counted in bins, and a table of trials, whose columns are the fields (extra `nwb`).

    Parameters
    ----------
    path : path
        The file, which ends in `.npz`, `.nc` or `.nwb`.
    name : str, optional
        Name of the recording. Default: that of the file, without its ending.
    nwb : NWBOptions, optional
        Event, window and bins of an NWB file.

    Returns
    -------
    Recording
        Checked arrays. Nothing is unpickled.

    Raises
    ------
    ValueError
        The file cannot be read, or holds no recording; the sentence begins with its name.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "ape.npz")
    >>> np.savez(path, activity=np.zeros((2, 5, 3)), choice=["left", "right"])
    >>> read_recording(path)
    Recording: 2 trial, 5 time, 3 neuron, 0 input
    """
    path = check_path("path", path)
    return recording_of_bytes(read_recording_bytes(path), path, name, nwb)


def read_recording_bytes(path: Path, sha256: str | None = None) -> bytes:
    """Return the content of a file; ValueError if it cannot be read or has another checksum."""
    if path.is_dir():
        raise ValueError(f"{path.name}: it must be a file, got a folder. Name a file in it.")
    try:
        raw = read_file(path, follow_links=True)
    except FileNotFoundError:
        raise ValueError(
            f"{path.name}: it must exist, got no file {path}. Check the path."
        ) from None
    except OSError as error:
        raise ValueError(
            f"{path.name}: {(error.strerror or str(error)).lower()}: {path}"
        ) from error
    if sha256 is not None and checksum(raw) != sha256:
        raise ValueError(
            f"{path.name}: the file must be as it was when the spec was read, got other content. "
            "Run the spec again."
        )
    return raw


def checksum(raw: bytes) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(raw).hexdigest()


def recording_of_bytes(
    raw: bytes, path: Path, name: str | None = None, nwb: NWBOptions | None = None
) -> Recording:
    """Return the recording in the content of a file; ValueError as `read_recording`."""
    name, suffix = name or path.stem, path.suffix.lower()
    try:
        if suffix == ".nwb":
            return recording_of_nwb(raw, name, nwb or NWBOptions())
        if nwb is not None:
            raise RecordingFileError("it must be an NWB file to take an event, a window and bins")
        if suffix not in RECORDING_SUFFIXES:
            raise RecordingFileError(f"it must end in {', '.join(RECORDING_SUFFIXES)}")
        return _recording_of(_npz(raw) if suffix == ".npz" else _netcdf(raw), name)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _npz(raw: bytes) -> dict[str, Any]:
    """Return the arrays of an archive by name. The unit of time is under `time_unit`."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > max(LEAST_LIMIT, MOST_RATIO * len(raw)):
            raise RecordingFileError(f"the archive must not unpack to {unpacked:,} bytes")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            return {key: _array_of(arrays, key) for key in arrays.files}
    except RecordingFileError:
        raise
    except Exception as error:  # a file may be anything
        raise RecordingFileError(
            "it must be an archive of numpy.savez, got one that is damaged, or another file. "
            "Write it anew."
        ) from error


def _array_of(arrays: Any, key: str) -> Array:
    try:
        values: Array = arrays[key]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise RecordingFileError(
            f"the array '{key}' must hold numbers or texts, got Python objects, which are not "
            "loaded, since they may run code. Convert it, for texts by np.array(values, str)."
        ) from error
    return values


def _netcdf(raw: bytes) -> dict[str, Any]:
    """Return the variables of a NetCDF file, with the axes of an archive."""
    import xarray

    engine = {b"CDF": "scipy", b"\x89HD": "h5netcdf"}.get(raw[:3])
    if engine is None:
        raise RecordingFileError(
            "it must be a NetCDF file, got other content. Write it by xarray's to_netcdf."
        )
    if engine == "h5netcdf" and importlib.util.find_spec("h5netcdf") is None:
        raise RecordingFileError(
            "NetCDF 4 needs h5netcdf, got none. Run: pip install 'rnnstudy[netcdf]'."
        )
    try:
        with xarray.open_dataset(
            io.BytesIO(raw), engine=engine, decode_times=False, decode_timedelta=False
        ) as dataset:
            dataset.load()
    except Exception as error:  # a file may be anything
        raise RecordingFileError(
            "it must be a NetCDF file that xarray can read, got one that is damaged. Write it anew."
        ) from error
    return _variables(dataset)


def _variables(dataset: Any) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    for key, axes in (("activity", ACTIVITY_AXES), ("inputs", ("trial", "time", "input"))):
        if key in dataset:
            if set(dataset[key].dims) != set(axes):
                raise RecordingFileError(
                    f"'{key}' must have the dimensions {', '.join(axes)}, got "
                    f"{', '.join(map(str, dataset[key].dims)) or 'none'}. Rename them."
                )
            parts[key] = dataset[key].transpose(*axes).values
    if "time" in dataset.variables:
        parts["time"] = dataset["time"].values
        parts["time_unit"] = dataset["time"].attrs.get("units", "")
    for key, variable in dataset.variables.items():
        # Further variables describe neurons or time, and make no conditions.
        if variable.dims == ("trial",) and key != "trial":
            parts[str(key)] = variable.values
    return parts


def _recording_of(parts: dict[str, Any], name: str) -> Recording:
    """Return the recording of named arrays."""
    if "activity" not in parts:
        raise RecordingFileError(
            "it must hold 'activity' [trial, time, neuron], got "
            f"{', '.join(map(repr, parts)) or 'nothing'}. Rename the array."
        )
    known = {"activity", "time", "time_unit", "inputs"}
    activity = np.asarray(parts["activity"])
    for key, values in parts.items():
        if key not in known and np.shape(values) != activity.shape[:1]:
            raise RecordingFileError(
                f"'{key}' must have one value for each of {activity.shape[0]} trials, got shape "
                f"{np.shape(values)}. Remove it, or correct it."
            )
    return Recording.of(
        activity,
        {key: values for key, values in parts.items() if key not in known},
        time=parts.get("time"),
        unit=_unit(parts) if "time" in parts else "step",
        inputs=parts.get("inputs"),
        name=name,
    )


def _unit(parts: dict[str, Any]) -> str:
    unit = str(np.asarray(parts.get("time_unit", ""))).strip().lower()
    if unit not in TIME_UNIT_WORDS:
        raise RecordingFileError(
            f"the unit of 'time' must be {', '.join(TIME_UNITS)}, got {unit or 'none'}. Write "
            "'time_unit' in an npz file, the attribute 'units' of 'time' in a NetCDF file."
        )
    return TIME_UNIT_WORDS[unit]
