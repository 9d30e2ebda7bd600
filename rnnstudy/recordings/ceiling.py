"""Noise ceilings: the smallest distance to a recording that its noise allows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnstudy.core.arguments import check_whole
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.metrics import Metric
from rnnstudy.metrics.base import Form
from rnnstudy.recordings.rows import RecordedRows

SPLITS = 10
"""Number of splits of the trials in halves."""


@dataclass(frozen=True, eq=False)
class NoiseCeiling(Record):
    """Distances between halves of the trials, and the smallest distance that noise allows.

    Attributes
    ----------
    least_distance : float
        Distance that a copy of the recorded system without noise is expected to have at the least.
    halves : array [split]
        Distance between two halves of the trials.

    Examples
    --------
    >>> from rnnstudy.recordings.ceiling import NoiseCeiling
    >>> NoiseCeiling(0.2, np.array([0.39, 0.41])).half_distance
    0.4
    """

    least_distance: float
    halves: Array = array("split")

    @property
    def half_distance(self) -> float:
        """Mean distance between two halves of the trials."""
        return float(self.halves.mean())


def noise_ceiling(
    rows: RecordedRows, metric: Metric, splits: int = SPLITS, seed: int = 0
) -> NoiseCeiling:
    """Return the noise ceiling of a recording under a metric, from split halves.

    Let r be the mean similarity of two halves. The similarity of all trials to as many others is
    2 r / (1 + r) (Spearman 1910, Brown 1910). That to the system without noise is its root. Single
    trials are not averaged, so that it is the root of r. The formulas hold for correlations whose
    errors are independent and of equal size in both halves. Errors that both halves share
    make the true distance larger. The same holds for an alignment of their noise, and for means of
    several correlations. So this distance is a lower limit.

    Parameters
    ----------
    rows
        Recording without gaps.
    metric
        Metric, whose similarity is 1 for equal representations.
    splits
        Number of splits of the trials, at least 1.
    seed
        Seed of the splits.

    Returns
    -------
    NoiseCeiling
        Distances in the unit of the metric.

    Raises
    ------
    ValueError
        A condition has one trial, or the metric is undefined for a half.

    References
    ----------
    Spearman (1910), "Correlation calculated from faulty data"; Brown (1910), "Some experimental
    results in the correlation of mental abilities".

    Examples
    --------
    >>> from rnnstudy.metrics import CKA
    >>> from rnnstudy.recordings.record import Recording
    >>> still = np.random.default_rng(0).standard_normal((1, 9, 3)).repeat(4, axis=0)
    >>> noise_ceiling(RecordedRows(Recording.of(still), ()), CKA()).least_distance
    0.0
    """
    check_whole("splits", splits, least=1)
    generator = np.random.default_rng(seed)
    similarities, distances = [], []
    for _ in range(splits):
        first, second = (
            metric.prepare(as_representation(half.activity, rows, metric, half.at))
            for half in rows.halves(generator)
        )
        similarity = metric.compare(first, second)
        similarities.append(float(similarity))
        distances.append(float(metric.to_distance(similarity, first, second)))
    reliability = max(float(np.mean(similarities)), 0.0)
    if rows.average:
        reliability = 2.0 * reliability / (1.0 + reliability)
    whole = metric.prepare(as_representation(rows.activity, rows, metric))
    least = distance_of(np.sqrt(reliability), whole, metric)
    return NoiseCeiling(least, np.array(distances))


def distance_of(similarity: float, form: Form, metric: Metric) -> float:
    """Return the distance of a similarity between two representations of one form."""
    return float(metric.to_distance(np.asarray(similarity), form, form))


def as_representation(
    activity: Array, rows: RecordedRows, metric: Metric, at: Array | None = None
) -> Any:
    """Return activity in the shape that a metric takes; a metric of driven networks takes inputs.

    Parameters
    ----------
    activity
        Activity [row, time, unit] of a network or of neurons in rows of the recording.
    rows
        The recording.
    metric
        The metric.
    at
        Rows of the recording, [row]; None for all.
    """
    if metric.driven:
        return activity, rows.inputs if at is None else rows.inputs[at]
    return activity if metric.trajectories else activity.reshape(-1, activity.shape[-1])
