"""Rows of a recording: averages over the trials of a condition, or single trials."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.recordings.record import LEAST_TIMES, Recording, check_fields, describe_labels


@dataclass(frozen=True, eq=False)
class ConditionAverages(Record):
    """Activity averaged over the recorded trials of each condition.

    Attributes
    ----------
    labels : tuple of str
        Values of the fields of each condition.
    activity : array [condition, time, neuron]
        Averages; NaN where a neuron was recorded in no trial of the condition.
    time : array [time]
        Times in the unit of the recording.
    trials : array [condition]
        Number of trials.

    Examples
    --------
    >>> recording = Recording.of(np.arange(8.0).reshape(4, 2, 1), {"go": [0, 1, 0, 1]})
    >>> condition_averages(recording).activity[:, 0, 0].tolist()
    [2.0, 4.0]
    """

    labels: tuple[str, ...]
    activity: Array = array("condition", "time", "neuron")
    time: Array = array("time")
    trials: Array = array("condition")


EQUAL_INPUTS = 1e-6
"""Largest difference of equal inputs, as a share of the largest input and 1."""


class Half(NamedTuple):
    """Half of the trials of a recording."""

    at: Array
    """Rows of the recording that the rows of the half belong to, [row]."""
    activity: Array
    """Activity [row, time, neuron]."""


def condition_averages(
    recording: Recording, condition: Sequence[str] | None = None
) -> ConditionAverages:
    """Return the averages over trials with equal fields, in the order of the values.

    Parameters
    ----------
    recording : Recording
        The recording.
    condition : sequence of str, optional
        Fields that make a condition. Default: all.

    Returns
    -------
    ConditionAverages
        A trial in which a neuron was not recorded does not count for this neuron.

    Raises
    ------
    ValueError
        The recording has no such field.

    Examples
    --------
    >>> recording = Recording.of(np.ones((4, 2, 1)), {"go": [0, 1, 0, 1]})
    >>> condition_averages(recording).labels
    ('go=0', 'go=1')
    """
    rows = RecordedRows(recording, condition=check_fields(recording, condition))
    return ConditionAverages(
        labels=tuple(map(describe_labels, rows.labels)),
        activity=rows.activity,
        time=recording.time,
        trials=np.bincount(rows.of_trial),
    )


@dataclass(frozen=True, eq=False)
class RecordedRows:
    """A recording, and the rows in which its activity is compared."""

    recording: Recording
    condition: tuple[str, ...]
    """Fields that make a condition."""
    average: bool = True
    """A row is an average over a condition; otherwise a single trial."""

    @cached_property
    def _conditions(self) -> tuple[tuple[dict[str, Any], ...], Array]:
        fields = [self.recording.fields[name] for name in self.condition]
        coded = [np.unique(values, return_inverse=True) for values in fields]
        nothing = np.zeros((self.recording.size("trial"), 1), int)
        codes = np.column_stack([nothing, *(code.reshape(-1) for _, code in coded)])
        distinct, of_trial = np.unique(codes, axis=0, return_inverse=True)
        labels = (
            {name: values[i] for name, (values, _), i in zip(self.condition, coded, row[1:],
                                                             strict=True)}
            for row in distinct
        )  # fmt: skip
        return tuple(labels), of_trial.reshape(-1)

    @property
    def labels(self) -> tuple[dict[str, Any], ...]:
        """Field -> value, of each condition."""
        return self._conditions[0]

    @property
    def of_trial(self) -> Array:
        """Condition of each trial, [trial]."""
        return self._conditions[1]

    @property
    def condition_of_row(self) -> Array:
        """Condition of each row, [row]."""
        return np.arange(len(self.labels)) if self.average else self.of_trial

    @cached_property
    def activity(self) -> Array:
        """Activity [row, time, neuron]."""
        if not self.average:
            return self.recording.activity
        return self._averages(np.arange(len(self.of_trial)))

    @cached_property
    def inputs(self) -> Array:
        """Inputs of each row, [row, time, input]; of a condition those that its trials share.

        Raises ValueError if the trials of one condition have different inputs.
        """
        recording = self.recording
        if not self.average:
            return recording.inputs
        firsts = [int(np.argmax(self.of_trial == c)) for c in range(len(self.labels))]
        inputs: Array = recording.inputs[firsts]
        limit = EQUAL_INPUTS * (1.0 + np.abs(recording.inputs).max(initial=0.0))
        distance = np.abs(recording.inputs - inputs[self.of_trial])
        differ = distance.max(axis=(1, 2), initial=0.0) > limit
        if differ.any():
            labels = describe_labels(self.labels[self.of_trial[int(np.argmax(differ))]])
            raise ValueError(
                f"trials of one condition of '{recording.name}' must have the same inputs, got "
                f"different ones of {labels}. Compare single trials, or name more fields in "
                "condition."
            )
        return inputs

    def _averages(self, trials: Array) -> Array:
        """Return the averages of some trials, [condition, time, neuron]."""
        activity, of_trial = self.recording.activity[trials], self.of_trial[trials]
        return np.stack([_mean(activity[of_trial == c]) for c in range(len(self.labels))])

    def without_gaps(self) -> "RecordedRows":
        """Return the rows at the times and of the neurons that all of them have.

        A time without any neuron in some row is left out first, since trials differ in length. Then
        a neuron with a gap is left out.

        Raises
        ------
        ValueError
            Nothing is left.
        """
        is_missing, noun = np.isnan(self.activity), "conditions" if self.average else "trials"
        keep = ~is_missing.all(axis=2).any(axis=0)
        if keep.sum() < LEAST_TIMES:
            raise ValueError(
                f"all {noun} of '{self.recording.name}' must share {LEAST_TIMES} time points, got "
                f"{keep.sum()}. Leave out short trials."
            )
        complete = ~is_missing[:, keep].any(axis=(0, 1))
        if not complete.any():
            raise ValueError(
                f"a neuron of '{self.recording.name}' must be recorded in all {len(is_missing)} "
                f"{noun}, got none that is. "
                + ("Leave out conditions." if self.average else "Average over conditions.")
            )
        recording = self.recording.select("time", keep).select("neuron", complete)
        return RecordedRows(recording, self.condition, self.average)

    def halves(self, generator: np.random.Generator) -> tuple[Half, Half]:
        """Return two halves of the trials, drawn within each condition.

        Trials in which the same neurons were recorded are divided evenly. With averages both halves
        have all rows. With single trials a row of one half is another trial of the same condition
        than the row of the other half.

        Raises
        ------
        ValueError
            A condition has one trial, or a neuron is missing in each split.
        """
        self._refuse_single_trials()
        if not self.average:
            first, second = _pairs(self.of_trial, generator)
            return Half(first, self.activity[first]), Half(second, self.activity[second])
        is_first = _even_split(self._strata, generator)
        parts = [self._averages(np.flatnonzero(side)) for side in (is_first, ~is_first)]
        present = ~np.isnan(np.concatenate(parts)).any(axis=(0, 1))
        if not present.any():
            raise ValueError(
                f"a neuron of '{self.recording.name}' must have two trials of each condition, got "
                "none that has. A noise ceiling needs more trials."
            )
        rows = np.arange(len(self.labels))
        return Half(rows, parts[0][..., present]), Half(rows, parts[1][..., present])

    def _refuse_single_trials(self) -> None:
        counts = np.bincount(self.of_trial)
        if counts.min() < 2:
            labels = describe_labels(self.labels[int(counts.argmin())])
            raise ValueError(
                f"each condition of '{self.recording.name}' must have at least 2 trials to be "
                f"divided in halves, got 1 of {labels}. Add trials, or make wider conditions."
            )

    @cached_property
    def _strata(self) -> Array:
        """Condition and recorded neurons of each trial as one number, [trial]."""
        is_recorded = ~np.isnan(self.recording.activity).all(axis=1)
        codes = np.column_stack([self.of_trial, is_recorded])
        strata: Array = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)
        return strata


def _mean(activity: Array) -> Array:
    """Return the mean over recorded trials [time, neuron]; NaN where there is none."""
    recorded = ~np.isnan(activity)
    count = recorded.sum(axis=0)
    total = np.where(recorded, activity, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _even_split(strata: Array, generator: np.random.Generator) -> Array:
    """Return a mask [trial] of half of the trials of each stratum; the odd one goes by chance."""
    is_first = np.zeros(len(strata), bool)
    for stratum in range(strata.max() + 1):
        trials = generator.permutation(np.flatnonzero(strata == stratum))
        size = (len(trials) + generator.integers(2)) // 2
        is_first[trials[:size]] = True
    return is_first


def _pairs(of_trial: Array, generator: np.random.Generator) -> tuple[Array, Array]:
    """Return two lists of trials, paired within conditions; an odd trial is left out."""
    pairs = []
    for condition in range(of_trial.max() + 1):
        trials = generator.permutation(np.flatnonzero(of_trial == condition))
        pairs.append(trials[: 2 * (len(trials) // 2)].reshape(-1, 2))
    joined = np.concatenate(pairs)
    return joined[:, 0], joined[:, 1]
