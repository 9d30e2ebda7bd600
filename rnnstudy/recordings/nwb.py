"""Recordings in NWB files: spike times of units, counted in bins around an event of each trial."""

import importlib
import importlib.util
import tempfile
import warnings
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.core.arguments.durations import MILLISECONDS
from rnnstudy.core.arrays import Array
from rnnstudy.core.component import Component
from rnnstudy.recordings.record import Recording, as_labels

MILLISECONDS_PER_SECOND = 1000.0

TRIAL_TIMES = ("start_time", "stop_time")
"""Columns of times that each table of trials has."""


class NWBOptions(Component):
    """Event, window and bins by which spikes of an NWB file are counted.

    Examples
    --------
    >>> NWBOptions(event="stimulus_on", start=-100.0, stop=500.0, bin="20ms").bin
    20.0
    """

    event: str = "start_time"
    """Column of the table of trials with the time of the event, at which times are 0."""

    start: Annotated[float, MILLISECONDS] = 0.0
    """Beginning of the window in ms after the event; it may be negative."""

    stop: Annotated[float, MILLISECONDS] = 1000.0
    """End of the window in ms after the event."""

    bin: Annotated[float, Field(gt=0), MILLISECONDS] = 20.0
    """Length of a bin in ms."""

    @model_validator(mode="after")
    def _window_has_bins(self) -> "NWBOptions":
        if self.stop < self.start + 2.0 * self.bin:
            raise ValueError(
                f"the window must hold at least 2 bins of {self.bin:g} ms, got one from "
                f"{self.start:g} to {self.stop:g} ms"
            )
        return self

    @property
    def edges(self) -> Array:
        """Edges of the bins in ms after the event, [edge]."""
        count = int(np.floor((self.stop - self.start) / self.bin + 1e-9))
        return self.start + self.bin * np.arange(count + 1)


def recording_of_nwb(raw: bytes, name: str, options: NWBOptions) -> Recording:
    """Return the recording of an NWB file: rates in spikes per second.

    A unit is NaN in a trial whose window is not within its observation intervals.

    Parameters
    ----------
    raw
        Content of the file.
    name
        Name of the recording.
    options
        Event, window and bins.

    Raises
    ------
    ValueError
        pynwb is not installed, or the file has no units, no trials or no such event.
    """
    if importlib.util.find_spec("pynwb") is None:
        raise ValueError(
            "pynwb must be installed for NWB files, got none. Run: pip install 'rnnstudy[nwb]'."
        )
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries, about versions of the file's format
        path = Path(folder, "recording.nwb")
        path.write_bytes(raw)
        units, trials = _tables(path)
    return _count_spikes(units, trials, name, options)


def _tables(path: Path) -> tuple[Any, Any]:
    """Return the tables of units and of trials as data frames."""
    pynwb = importlib.import_module("pynwb")
    try:
        with pynwb.NWBHDF5IO(str(path), mode="r") as file:
            session = file.read()
            tables = {"units": session.units, "trials": session.trials}
            frames: dict[str, Any] = {
                key: None if table is None else table.to_dataframe()
                for key, table in tables.items()
            }
    except Exception as error:  # a file may be anything
        raise ValueError(
            "it must be an NWB file that pynwb can read, got one that it cannot. Write it anew."
        ) from error
    for key, frame in frames.items():
        if frame is None or not len(frame):
            raise ValueError(f"the NWB file must have a table of {key}, got none. Add it.")
    if "spike_times" not in frames["units"]:
        raise ValueError("units of the NWB file must have spike_times, got none. Add them.")
    return frames["units"], frames["trials"]


def _count_spikes(units: Any, trials: Any, name: str, options: NWBOptions) -> Recording:
    if options.event not in trials or trials[options.event].dtype.kind != "f":
        times = [each for each in trials if trials[each].dtype.kind == "f"]
        raise ValueError(
            f"event must be a column of times of the trials, got {options.event!r}. "
            f"Columns of numbers: {', '.join(times)}."
        )
    events = trials[options.event].to_numpy(float)
    happened = np.isfinite(events)
    trials, events = trials[happened], events[happened]
    if not len(trials):
        raise ValueError(f"the event {options.event!r} must have times, got none in any trial.")
    edges = options.edges / MILLISECONDS_PER_SECOND
    return Recording.of(
        np.stack([_rates(unit, events, edges) for _, unit in units.iterrows()], axis=-1),
        _fields(trials),
        time=0.5 * (options.edges[1:] + options.edges[:-1]),
        unit="ms",
        name=name,
    )


def _rates(unit: Any, events: Array, edges: Array) -> Array:
    """Return the spikes per second of a unit, [trial, bin]; NaN where it was not observed."""
    spikes = np.sort(np.asarray(unit["spike_times"], float))
    counts = np.diff(np.searchsorted(spikes, events[:, None] + edges), axis=1)
    rates = counts / np.diff(edges)
    if "obs_intervals" in unit and np.size(unit["obs_intervals"]):
        intervals = np.asarray(unit["obs_intervals"], float).reshape(-1, 2)
        starts, stops = events + edges[0], events + edges[-1]
        within = (intervals[:, 0] <= starts[:, None]) & (stops[:, None] <= intervals[:, 1])
        rates[~within.any(axis=1)] = np.nan
    return rates


def _fields(trials: Any) -> dict[str, Array]:
    """Return the columns of the trials that are no times: texts, whole numbers, true or false.

    Real numbers are fields if few values occur, such as coherences.
    """
    fields = {}
    for key in trials:
        values = trials[key].to_numpy()
        is_plain = key not in TRIAL_TIMES and all(np.ndim(each) == 0 for each in values)
        if is_plain and (values.dtype.kind != "f" or _repeats(values)):
            fields[str(key)] = as_labels(str(key), values)
    return fields


def _repeats(values: Array) -> bool:
    return bool(np.isfinite(values).all() and 2 * len(np.unique(values)) <= len(values))
