"""Cross-validated distances against an alignment by hand."""

import numpy as np
import pytest
from recordings_made import recording_of, signals

from rnnstudy.metrics import CKA, Procrustes
from rnnstudy.recordings.cross_validation import cross_validated_distance
from rnnstudy.recordings.rows import RecordedRows


class Turning(Procrustes):
    """Procrustes analysis whose rotation is learnt from some samples."""

    def fit(self, x, y):
        left, _, right = np.linalg.svd((x - x.mean(0)).T @ (y - y.mean(0)), full_matrices=False)
        vars(self)["turn"] = left @ right
        return self

    def score(self, x, y):
        x, y = (x - x.mean(0)) @ vars(self)["turn"], y - y.mean(0)
        return float((x * y).sum() / np.linalg.norm(x) / np.linalg.norm(y))


@pytest.fixture(scope="module")
def rows():
    return RecordedRows(recording_of(signals(), repeats=6, noise=0.6), ("condition",))


def test_the_alignment_of_one_half_is_measured_on_the_other(rows):
    states = signals()
    x = states.reshape(-1, 3)
    halves = [half.activity.reshape(-1, 12) for half in rows.halves(np.random.default_rng(0))]
    expected = [
        np.arccos(Turning().fit(x, one).score(x, other)) for one, other in (halves, halves[::-1])
    ]
    distance = cross_validated_distance(states, rows, Turning(), splits=1)
    assert distance == pytest.approx(np.mean(expected), rel=1e-9)


def test_noise_that_was_fitted_does_not_count(rows):
    # An alignment cannot score better on other trials than the best alignment of these trials.
    states = signals()
    flat = states.reshape(-1, 3)
    halves = rows.halves(np.random.default_rng(0))
    best = np.mean([Procrustes().distance(flat, h.activity.reshape(-1, 12)) for h in halves])
    assert cross_validated_distance(states, rows, Turning(), splits=1) > best


def test_single_trials_are_held_out_with_their_own_rows(rows):
    single = RecordedRows(rows.recording, rows.condition, average=False)
    states = signals()[single.of_trial]
    own = cross_validated_distance(states, single, Turning(), splits=2)
    other = cross_validated_distance(signals(seed=9)[single.of_trial], single, Turning(), splits=2)
    assert own < other


def test_there_is_none_for_a_single_trial_of_a_condition(rows):
    few = RecordedRows(rows.recording.select("trial", [0, 1, 2, 3]), rows.condition)
    assert np.isnan(cross_validated_distance(signals(), few, Turning()))


def test_a_metric_without_samples_in_common_is_undefined(rows):
    assert np.isnan(cross_validated_distance(np.zeros_like(signals()), rows, Turning()))
    assert np.isfinite(CKA().distance(signals().reshape(-1, 3), rows.activity.reshape(-1, 12)))
