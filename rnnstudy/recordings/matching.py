"""States of networks in the rows and at the times of a recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.metrics import Metric
from rnnstudy.population.population import Population
from rnnstudy.recordings.record import LEAST_TIMES, Recording, check_fields, describe_labels
from rnnstudy.recordings.rows import RecordedRows
from rnnstudy.recordings.windows import Between, milliseconds_per_step, onset_of, window_of
from rnnstudy.tasks import Task, Trials

STEP_TOLERANCE = 1e-6
"""Largest relative difference of equal time steps."""

LABEL_TOLERANCE = 1e-5
"""Largest relative difference of equal numbers in fields of trials."""


@dataclass(frozen=True, eq=False)
class RecordingMatch:
    """A recording, the rows and times in which it is compared, and the task of the networks.

    If the recording has inputs of the task, these drive the networks. Otherwise the task's probe
    drives them, and its trials are averaged by the fields that the recording has, too.
    """

    whole: RecordedRows
    """All times of the recording."""
    rows: RecordedRows
    """Times and neurons that are compared, without gaps."""
    task: Task | None
    onset: int
    """Time step of a trial of the task at which the time of the recording is 0."""

    def states(self, population: Population) -> Array:
        """Return the visible states of networks, [member, row, time, unit].

        Raises ValueError if the networks, the task and the recording do not fit together.
        """
        if self.whole.recording.has_inputs:
            return self._driven_states(population)
        return self._condition_means(population)

    def crop(self, states: Array, name: str) -> Array:
        """Return states [row, time, unit] of a network at the compared times.

        Raises ValueError unless they are in the rows and at the times of the recording.
        """
        shape = self.whole.activity.shape[:2]
        if states.ndim != 3 or states.shape[:2] != shape:
            raise ValueError(
                f"states of {name!r} must be [row, time, unit] with {shape[0]} rows and {shape[1]} "
                f"times like '{self._name}', got shape {states.shape}. Compute them on its "
                "conditions and times."
            )
        cropped: Array = states[:, self._positions]
        return cropped

    def rows_for(self, metric: Metric) -> RecordedRows:
        """Return the rows that are compared, with inputs if the metric needs them."""
        return self.driven_rows if metric.driven else self.rows

    @cached_property
    def driven_rows(self) -> RecordedRows:
        """The rows that are compared, with inputs, for metrics of driven networks.

        Without inputs of the recording they are averages of those of the task's probe, like the
        states. Raises ValueError unless the samples are one time step apart.
        """
        _check_equal_steps(self.rows.recording, self.task)
        if self.rows.recording.has_inputs:
            return self.rows
        task, probe = self._probe()
        inputs = self._averages(task, probe, np.asarray(probe.inputs)[None])[0]
        recording = replace(self.rows.recording, inputs=inputs[self.rows.of_trial])
        return replace(self.rows, recording=recording)

    def _driven_states(self, population: Population) -> Array:
        _check_equal_steps(self.whole.recording, self.task)
        inputs = self.whole.inputs
        if inputs.shape[-1] != population.inputs:
            raise ValueError(
                f"inputs of '{self._name}' must have {population.inputs} channels like the "
                f"networks, got {inputs.shape[-1]}. Write the inputs of the task."
            )
        return population.visible(population.unroll(inputs))[:, :, self._positions]

    @property
    def _name(self) -> str:
        return self.whole.recording.name

    @property
    def _positions(self) -> Array:
        """Positions of the compared times in the whole recording."""
        return np.searchsorted(self.whole.recording.time, self.rows.recording.time)

    def _condition_means(self, population: Population) -> Array:
        task, probe = self._probe()
        visible = population.visible(population.unroll(np.asarray(probe.inputs)))
        return self._averages(task, probe, visible)[:, self.rows.condition_of_row]

    def _probe(self) -> tuple[Task, Trials]:
        """Return the task and the trials of its probe."""
        task = _require_task(self.task, f"'{self._name}' has no inputs")
        return task, task.probe()

    def _averages(self, task: Task, probe: Trials, values: Array) -> Array:
        """Return averages over trials of the probe at the times of the recording.

        values `[member, trial, step, ...]` -> `[member, condition, time, ...]`.
        """
        members = matching_trials(
            self.rows, task.trial_fields(probe), task.title, task.probe_trials
        )
        averages = np.stack([values[:, each].mean(axis=1) for each in members], axis=1)
        return _at_steps(averages, steps_of(self.rows.recording, task, self.onset))


def match_recording(
    recording: Recording,
    task: Task | None = None,
    condition: Sequence[str] | None = None,
    *,
    average: bool = True,
    align: str | None = None,
    between: Between | None = None,
) -> RecordingMatch:
    """Return a recording with the rows and times in which networks are compared with it.

    Parameters
    ----------
    recording : Recording
        The recording.
    task : Task, optional
        Task of the networks. It is needed if the recording has no inputs, and for parts of trials.
    condition : sequence of str, optional
        Fields that make a condition. Default: all.
    average : bool, default True
        True for averages over conditions, False for single trials.
    align : str, optional
        Part of the task's trials at whose beginning the time of the recording is 0. Default: the
        beginning of the trial.
    between : pair, optional
        Beginning and end of the window that is compared: names of parts of a trial, time steps or
        texts such as `80ms`, from the beginning of the trial. Default: all times.

    Returns
    -------
    RecordingMatch
        Rows without gaps. Times before and after the probe of the task are left out.

    Raises
    ------
    ValueError
        The recording, the task and the window do not fit together.

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.go_no_go import GoNoGo
    >>> recording = Recording.of(np.ones((4, 40, 3)), {"choice": [0, 1, 0, 1]})
    >>> match_recording(recording, GoNoGo(), between=("delay", "delay")).rows.activity.shape
    (2, 15, 3)
    """
    whole = RecordedRows(recording, check_fields(recording, condition), average)
    onset = 0
    if align is not None:
        onset = onset_of(_require_task(task, "align names a part of its trials"), align)
    keep = np.ones(recording.size("time"), bool)
    if not recording.has_inputs:
        task = _require_task(task, f"'{recording.name}' has no inputs")
        steps, last = steps_of(recording, task, onset), _probe_length(task) - 1
        keep &= (steps >= -STEP_TOLERANCE) & (steps <= last + STEP_TOLERANCE)
    if between is not None:
        task = _require_task(task, "between is a window of its trials")
        steps, (start, stop) = steps_of(recording, task, onset), window_of(between, task)
        keep &= (steps >= start - STEP_TOLERANCE) & (steps < stop - STEP_TOLERANCE)
    if keep.sum() < LEAST_TIMES:
        raise ValueError(
            f"'{recording.name}' must have at least {LEAST_TIMES} times in the window, got "
            f"{keep.sum()}; it was recorded from {recording.time[0]:g} to "
            f"{recording.time[-1]:g} {recording.unit}. Change align or between."
        )
    cropped = RecordedRows(recording.select("time", keep), whole.condition, average)
    return RecordingMatch(whole, cropped.without_gaps(), task, onset)


def _require_task(task: Task | None, reason: str) -> Task:
    if task is None:
        raise ValueError(f"task must be given, since {reason}, got None. Pass the task.")
    return task


def _probe_length(task: Task) -> int:
    length: int = getattr(task, "probe_length", task.length)
    return length


def steps_of(recording: Recording, task: Task, onset: int) -> Array:
    """Return the times of a recording in time steps from the beginning of a trial, [time]."""
    if recording.unit == "step":
        return recording.time + onset
    return recording.time / milliseconds_per_step(task, f"'{recording.name}' is in ms") + onset


def matching_trials(
    rows: RecordedRows, fields: Mapping[str, Array], title: str, count: int
) -> list[Array]:
    """Return the positions of the task's trials for each condition of a recording.

    Parameters
    ----------
    rows
        The recording.
    fields
        Field -> its value on each trial of the task, [trial].
    title
        Name of the task.
    count
        Number of its trials.

    Raises
    ------
    ValueError
        The task has no such field, or no trial of a condition.
    """
    for name in rows.condition:
        if name not in fields:
            raise ValueError(
                f"{title} must have the field {name!r} of '{rows.recording.name}', got trials "
                f"with the fields: {', '.join(fields) or 'none'}. Rename it, name in condition "
                "the fields of both, or write inputs of the task into the file."
            )
    if not rows.condition:
        return [np.arange(count)]
    return [_trials_of(labels, fields, rows.recording.name, title) for labels in rows.labels]


def _trials_of(
    labels: Mapping[str, Any], fields: Mapping[str, Array], name: str, title: str
) -> Array:
    matches = [equal_labels(fields[field], value) for field, value in labels.items()]
    at = np.flatnonzero(np.all(matches, axis=0))
    if not len(at):
        values = (
            f"{field}: {', '.join(map(str, np.unique(fields[field])[:12]))}" for field in labels
        )
        raise ValueError(
            f"{title} must have a trial with {describe_labels(labels)} of '{name}' in its probe, "
            f"got none. It has {'; '.join(values)}. Rename the values, or raise 'probe_trials' of "
            "the task."
        )
    return at


def equal_labels(values: Array, wanted: Any) -> Array:
    """Return whether values [trial] equal a label: as numbers if both are, else as texts.

    Examples
    --------
    >>> equal_labels(np.array([1, 2]), 1.0).tolist(), equal_labels(np.array(["1", "2"]), 1).tolist()
    ([True, False], [True, False])
    """
    if values.dtype.kind in "biuf" and isinstance(
        wanted, bool | int | float | np.number | np.bool_
    ):
        same: Array = np.isclose(values, float(wanted), rtol=LABEL_TOLERANCE, atol=LABEL_TOLERANCE)
        return same
    return np.array([str(each) == str(wanted) for each in values.tolist()], bool)


def _at_steps(states: Array, steps: Array) -> Array:
    """Return states [member, row, step, unit] at fractions of steps, by linear interpolation."""
    last = states.shape[2] - 1
    steps = np.clip(steps, 0.0, last)
    before = np.minimum(np.floor(steps + STEP_TOLERANCE).astype(int), last)
    after = np.minimum(before + 1, last)
    share = np.maximum(steps - before, 0.0)[:, None]
    return np.asarray(states[:, :, before] * (1.0 - share) + states[:, :, after] * share)


def _check_equal_steps(recording: Recording, task: Task | None) -> None:
    """Raise ValueError unless the samples with inputs are one time step of the task apart."""
    steps = np.diff(recording.time)
    dt = 1.0 if recording.unit == "step" else getattr(task, "dt", None) or steps[0]
    if (np.abs(steps - dt) > STEP_TOLERANCE * dt).any():
        raise ValueError(
            f"samples of '{recording.name}' must be {dt:g} {recording.unit} apart, one step of the "
            f"networks, got {steps.min():g} to {steps.max():g}. Bin the recording anew."
        )
