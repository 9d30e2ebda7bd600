"""Distances between networks and a recording, with the noise ceiling."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.distances.tiles import tile_distances
from rnnstudy.comparison.distances.undefined import undefined_items
from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array
from rnnstudy.metrics import Metric, UndefinedMetric
from rnnstudy.metrics.base import Form
from rnnstudy.recordings.ceiling import NoiseCeiling, as_representation, noise_ceiling
from rnnstudy.recordings.cross_validation import cross_validated_distance
from rnnstudy.recordings.rows import RecordedRows

NETWORK, RECORDING = "network", "recording"
"""Kinds of items."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordingDistances(Distances):
    """Distances between networks and one recording, all on the rows of the recording.

    Attributes
    ----------
    recording : str
        Label of the recording, which is the last item.
    cross_validated : array [item]
        Distance of each network to one half of the trials, aligned on the other half; NaN for the
        recording, and where it is undefined.
    least_distance : float
        Smallest distance to the recording that its noise allows; NaN if it is not known.
    half_distance : float
        Mean distance between two halves of the trials; NaN if it is not known.
    note : str
        Reason why there is no noise ceiling; empty if there is one.
    sizes : dict
        Numbers of rows, times and neurons that are compared, and of trials.

    Examples
    --------
    >>> distances = RecordingDistances(
    ...     labels=("a", "b", "ape"), values=np.abs(np.subtract.outer([2.0, 1, 0], [2.0, 1, 0])),
    ...     recording="ape", cross_validated=np.array([2.1, 1.2, np.nan]),
    ...     least_distance=0.5, half_distance=0.9, note="", sizes={"neurons": 40},
    ... )
    >>> distances.nearest().index.tolist()
    ['b', 'a']
    """

    recording: str
    cross_validated: Array = array("item")
    least_distance: float
    half_distance: float
    note: str
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def kinds(self) -> list[str]:
        """Kind of each item: `network` or `recording`."""
        return [RECORDING if label == self.recording else NETWORK for label in self.labels]

    def nearest(self) -> Any:
        """Return a row per network, the nearest to the recording first: a `pandas.DataFrame`."""
        at = self.labels.index(self.recording)
        order = [i for i in np.argsort(self.values[at], kind="stable") if i != at]
        distances = {
            "distance": self.values[at, order],
            "cross-validated distance": self.cross_validated[order],
        }
        return pd.DataFrame(distances, index=[self.labels[i] for i in order])


def recording_distances(
    states: Mapping[str, Array],
    rows: RecordedRows,
    metric: Metric,
    *,
    splits: int,
    seed: int,
    strict: bool = False,
) -> RecordingDistances:
    """Return the distances between networks and a recording.

    Parameters
    ----------
    states
        Name of a network -> its states [row, time, unit] in the rows of the recording.
    rows
        The recording, without gaps.
    metric
        Metric of all distances.
    splits
        Number of splits of the trials in halves.
    seed
        Seed of the splits.
    strict
        True: a network without distances is an error. False: it is left out, with the reason.

    Raises
    ------
    ValueError
        The metric is undefined for the recording, or the recording has too few neurons.
    """
    _check_neurons(rows, metric)
    forms: dict[str, Form] = {}
    reasons: dict[str, str] = {}
    for label, values in states.items():
        form = _form_or_reason(values, rows, metric)
        if isinstance(form, str):
            reasons[label] = form
        else:
            forms[label] = form
    if strict and reasons:
        label, reason = next(iter(reasons.items()))
        raise ValueError(f"{label!r} must have distances, got none: {reason}. Leave it out.")
    name = rows.recording.name
    whole = _form_or_reason(rows.activity, rows, metric)
    if isinstance(whole, str):
        raise ValueError(
            f"'{name}' must have distances, got none: {whole}. Choose another metric or window."
        )
    labels, listed = [*forms, name], [*forms.values(), whole]
    values = tile_distances(listed, listed, metric)
    # The recording is no control, and is the last to be left out.
    lost = undefined_items(values)
    keep = [i for i in range(len(labels)) if i not in lost]
    if len(labels) - 1 in lost:
        raise ValueError(
            f"'{name}' must have distances, got undefined ones. Choose another metric."
        )
    reasons |= {labels[i]: "a distance to another item is undefined" for i in lost}
    ceiling, note = _ceiling_or_reason(rows, metric, splits, seed)
    return RecordingDistances(
        labels=tuple(labels[i] for i in keep),
        values=values[np.ix_(keep, keep)],
        left_out=reasons,
        recording=name,
        cross_validated=np.array(
            [
                cross_validated_distance(states[labels[i]], rows, metric, splits, seed)
                if i < len(labels) - 1
                else np.nan
                for i in keep
            ]
        ),
        least_distance=ceiling.least_distance if ceiling else np.nan,
        half_distance=ceiling.half_distance if ceiling else np.nan,
        note=note,
        sizes=_sizes(rows),
    )


def _check_neurons(rows: RecordedRows, metric: Metric) -> None:
    neurons, least = rows.activity.shape[-1], metric.least_units
    if neurons < least:
        raise ValueError(
            f"'{rows.recording.name}' must have at least {least} neurons for {metric.kind}, which "
            f"compares {least} directions, got {neurons} that were recorded in all rows. Lower "
            "the number of directions of the metric, or name fewer fields in condition."
        )


def _form_or_reason(activity: Array, rows: RecordedRows, metric: Metric) -> Form | str:
    """Return the metric's form of activity [row, time, unit], or the reason why there is none."""
    if not np.isfinite(activity).all():
        return "its activity is not finite"
    try:
        return metric.prepare(as_representation(activity, rows, metric))
    except UndefinedMetric as error:
        return " ".join(str(error).split()).rstrip(".")


def _ceiling_or_reason(
    rows: RecordedRows, metric: Metric, splits: int, seed: int
) -> tuple[NoiseCeiling | None, str]:
    """Return the noise ceiling and an empty text, or None and the reason why there is none."""
    try:
        return noise_ceiling(rows, metric, splits, seed), ""
    except ValueError as error:
        return None, " ".join(str(error).split())


def _sizes(rows: RecordedRows) -> dict[str, int]:
    count, times, neurons = rows.activity.shape
    noun = "conditions" if rows.average else "single trials"
    trials = rows.recording.size("trial")
    return {noun: count, "times": times, "neurons": neurons, "trials": trials}
