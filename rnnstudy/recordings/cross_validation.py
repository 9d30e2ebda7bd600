"""Cross-validated distances: aligned on one half of the trials, measured on the other."""

from typing import Any, Protocol, runtime_checkable

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.metrics import Metric
from rnnstudy.recordings.ceiling import SPLITS, as_representation
from rnnstudy.recordings.rows import Half, RecordedRows


@runtime_checkable
class FittedMetric(Protocol):
    """Metric with the conventions of scikit-learn: a fit to some samples, a score of others."""

    def fit(self, x: Array, y: Array) -> Any:
        """Fit the alignment of x with y [sample, unit], and return the metric."""

    def score(self, x: Array, y: Array) -> float:
        """Return the similarity of other samples x and y under the alignment."""


def cross_validated_distance(
    states: Array, rows: RecordedRows, metric: Metric, splits: int = SPLITS, seed: int = 0
) -> float:
    """Return the distance of a network to held-out trials of a recording.

    The metric is fitted to the network and one half of the trials, and scored on the other half.
    Both halves take both parts. A distance to all trials profits from an alignment with their
    noise, and this one does not.

    Parameters
    ----------
    states : array [row, time, unit]
        States of the network in the rows of the recording.
    rows : RecordedRows
        The recording, without gaps.
    metric : Metric
        Metric with `fit` and `score`.
    splits : int, default 10
        Number of splits of the trials in halves.
    seed : int, default 0
        Seed of the splits.

    Returns
    -------
    float
        Mean distance in the unit of the metric; NaN if the metric has no `fit`, is undefined for a
        half, or a condition has one trial.

    Examples
    --------
    >>> from rnnstudy.metrics import Procrustes
    >>> from rnnstudy.recordings.record import Recording
    >>> x = np.random.default_rng(0).standard_normal((1, 20, 3))
    >>> rows = RecordedRows(Recording.of(2.0 * x.repeat(4, axis=0)), ())
    >>> cross_validated_distance(x, rows, Procrustes()) < 1e-6  # doctest: +SKIP
    True
    """
    if not isinstance(metric, FittedMetric):
        return float("nan")
    generator = np.random.default_rng(seed)
    try:
        halves = [rows.halves(generator) for _ in range(splits)]
        distances = [
            _held_out_distance(states, rows, *pair, metric)
            for first, second in halves
            for pair in ((first, second), (second, first))
        ]
    except ValueError:
        return float("nan")
    return float(np.mean(distances))


def _held_out_distance(
    states: Array, rows: RecordedRows, fitted: Half, other: Half, metric: Metric
) -> float:
    x, y = _both(states, rows, other, metric)
    forms = metric.prepare(x), metric.prepare(y)
    # A copy, since a fit is kept in the metric.
    aligned: Any = metric.replace()
    aligned.fit(*_both(states, rows, fitted, metric))
    return float(metric.to_distance(np.asarray(aligned.score(x, y)), *forms))


def _both(states: Array, rows: RecordedRows, half: Half, metric: Metric) -> tuple[Any, Any]:
    """Return the network and the recording on the rows of a half."""
    return (
        as_representation(states[half.at], rows, metric, half.at),
        as_representation(half.activity, rows, metric, half.at),
    )
