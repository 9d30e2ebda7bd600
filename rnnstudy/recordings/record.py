"""Recording: activity of neurons on trials with labels of conditions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rnnstudy.core.arguments import as_float_array, check_instance, check_name
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array, arrays

MILLISECONDS_PER_UNIT = {"ms": 1.0, "s": 1000.0}
"""Unit of time -> its milliseconds."""

TIME_UNITS = ("ms", "s", "step")
"""Units in which times may be written."""

LEAST_TIMES = 2
"""Smallest number of time points of a recording."""


@dataclass(frozen=True, eq=False)
class Recording(Record):
    """Activity of recorded neurons on trials, with the fields that make conditions.

    `Recording.of` takes arrays and fills in the rest.

    Attributes
    ----------
    name : str
        Name of the recording.
    unit : str
        Unit of times: `ms`, or `step` for time steps of a task.
    activity : array [trial, time, neuron]
        Rates, counts or fluorescence; NaN where a neuron was not recorded.
    time : array [time]
        Times in ascending order; 0 is the event to which trials are aligned.
    inputs : array [trial, time, input]
        Inputs of the task in each trial; no channels if they are unknown.
    fields : dict of arrays [trial]
        Name of a field, such as `choice`, to its value on each trial.

    Raises
    ------
    ValueError
        The arrays do not fit together, or hold values that no recording has.

    Examples
    --------
    >>> recording = Recording.of(np.zeros((4, 10, 3)), {"choice": ["left", "right"] * 2})
    >>> recording
    Recording: 4 trial, 10 time, 3 neuron, 0 input
    >>> recording.fields["choice"].tolist()
    ['left', 'right', 'left', 'right']
    """

    name: str
    unit: str
    activity: Array = array("trial", "time", "neuron")
    time: Array = array("time")
    inputs: Array = array("trial", "time", "input")
    fields: dict[str, Array] = arrays("trial")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name("unit", self.unit, ("ms", "step"))
        _check_activity(self.activity)
        if not np.isfinite(self.time).all() or (np.diff(self.time) <= 0.0).any():
            raise ValueError(
                "time must ascend from sample to sample, got times that do not. Sort the samples."
            )
        if not np.isfinite(self.inputs).all():
            raise ValueError("inputs must be finite, got NaN or inf. Write 0 for no input.")
        for name, values in self.fields.items():
            if values.ndim != 1:
                raise ValueError(
                    f"the field '{name}' must have one value for each trial, got shape "
                    f"{values.shape}. Write one field for each property of a trial."
                )

    @classmethod
    def of(
        cls,
        activity: Any,
        fields: Mapping[str, Any] | None = None,
        *,
        time: Any = None,
        unit: str = "ms",
        inputs: Any = None,
        name: str = "recording",
    ) -> Self:
        """Return a recording of arrays or lists.

        Parameters
        ----------
        activity : array [trial, time, neuron]
            Rates, counts or fluorescence; NaN where a neuron was not recorded.
        fields : dict, optional
            Name of a field to its value on each trial, as text or numbers. Default: none, so that
            all trials are of one condition.
        time : array [time], optional
            Times after the event to which trials are aligned. Default: time steps from 0.
        unit : str, default "ms"
            Unit of the times: `ms`, `s` or `step`.
        inputs : array [trial, time, input], optional
            Inputs of the task in each trial. Default: unknown.
        name : str, default "recording"
            Name of the recording.

        Returns
        -------
        Recording
            Checked arrays; times in seconds have become milliseconds.

        Raises
        ------
        ValueError
            The arrays do not fit together, or hold values that no recording has.
        """
        values = as_float_array("activity", activity, finite=False)
        if values.ndim != 3:
            raise ValueError(
                f"activity must be [trial, time, neuron], got shape {values.shape}. "
                "Add the axes that are missing."
            )
        unit = check_name("unit", unit, TIME_UNITS) if time is not None else "step"
        times = np.arange(values.shape[1]) if time is None else as_float_array("time", time)
        no_inputs = np.zeros((*values.shape[:2], 0))
        return cls(
            name=check_instance("name", name, str, "Write a text."),
            unit="step" if unit == "step" else "ms",
            activity=values,
            time=times * MILLISECONDS_PER_UNIT.get(unit, 1.0),
            inputs=no_inputs if inputs is None else as_float_array("inputs", inputs, finite=False),
            fields={str(key): as_labels(str(key), each) for key, each in (fields or {}).items()},
        )

    @property
    def has_inputs(self) -> bool:
        """True if the inputs of the task are known."""
        return self.inputs.shape[-1] > 0

    def crop(self, start: float = -np.inf, stop: float = np.inf) -> Self:
        """Return the samples from one time to another, of which the last is left out.

        Parameters
        ----------
        start, stop : float
            Times in the unit of the recording. Default: the whole recording.

        Raises
        ------
        ValueError
            Fewer than two samples are left.
        """
        keep = (self.time >= start) & (self.time < stop)
        if keep.sum() < LEAST_TIMES:
            raise ValueError(
                f"the window must hold at least {LEAST_TIMES} samples of '{self.name}', got "
                f"{keep.sum()} from {start:g} to {stop:g} {self.unit}; it was recorded from "
                f"{self.time[0]:g} to {self.time[-1]:g} {self.unit}. Widen the window."
            )
        return self.select("time", keep)


def as_labels(name: str, values: Any) -> Array:
    """Return the values of a field [trial] as texts or numbers; ValueError for other values."""
    labels = np.asarray(values if isinstance(values, np.ndarray) else list(values))
    if labels.dtype.kind == "O":
        labels = np.asarray([_text(each) for each in labels.tolist()])
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8")
    if labels.dtype.kind not in "biufU":
        raise ValueError(
            f"the field '{name}' must hold texts or numbers, got values of type {labels.dtype}. "
            "Write texts."
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        raise ValueError(
            f"the field '{name}' must have a value on each trial, got NaN or inf. "
            "Leave out these trials."
        )
    return labels


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _check_activity(activity: Array) -> None:
    trials, times, neurons = activity.shape
    if not trials or not neurons or times < LEAST_TIMES:
        raise ValueError(
            f"activity must have at least 1 trial, {LEAST_TIMES} time points and 1 neuron, got "
            f"{trials}, {times} and {neurons}. The axes are [trial, time, neuron]."
        )
    if np.isinf(activity).any():
        raise ValueError(
            "activity must be finite, or NaN where a neuron was not recorded, got inf. Write NaN."
        )
    if np.isnan(activity).all():
        raise ValueError("activity must have recorded values, got NaN alone. Check the file.")


def describe_labels(labels: Mapping[str, Any]) -> str:
    """Return labels of a condition as text: `context=1, choice=left`; `all trials` for none.

    Examples
    --------
    >>> describe_labels({"context": np.int64(1), "choice": "left"})
    'context=1, choice=left'
    """
    parts = (f"{name}={_plain(value)}" for name, value in labels.items())
    return ", ".join(parts) or "all trials"


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def check_fields(recording: Recording, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the fields that make conditions, all by default; ValueError for unknown ones."""
    known = tuple(recording.fields)
    chosen = known if names is None else tuple(names)
    for name in chosen:
        if name not in known:
            raise ValueError(
                f"condition must name fields of '{recording.name}', got {name!r}. It has: "
                f"{', '.join(known) or 'none'}."
            )
    return chosen
