"""Condition averages, gaps, and halves of trials."""

import numpy as np
import pytest
from recordings_made import recording_of, signals

from rnnstudy.recordings.record import Recording
from rnnstudy.recordings.rows import RecordedRows, condition_averages


def test_averages_are_those_of_numpy_over_recorded_trials():
    generator = np.random.default_rng(0)
    activity = generator.standard_normal((12, 4, 3))
    activity[generator.random(activity.shape) < 0.2] = np.nan
    side, rule = np.tile(["l", "r"], 6), np.repeat([1, 2, 3], 4)
    averages = condition_averages(Recording.of(activity, {"side": side, "rule": rule}))
    assert averages.labels[:3] == ("side=l, rule=1", "side=l, rule=2", "side=l, rule=3")
    assert averages.trials.tolist() == [2] * 6
    for row, (s, r) in enumerate((s, r) for s in "lr" for r in (1, 2, 3)):
        trials = activity[(side == s) & (rule == r)]
        expected = [
            [np.nanmean(x) if np.isfinite(x).any() else np.nan for x in step]
            for step in np.moveaxis(trials, 0, -1)
        ]
        np.testing.assert_allclose(averages.activity[row], expected)


def test_fields_that_make_no_condition_are_averaged_over():
    recording = Recording.of(np.ones((4, 2, 1)), {"a": [0, 0, 1, 1], "b": [0, 1, 0, 1]})
    assert condition_averages(recording, ["b"]).labels == ("b=0", "b=1")
    assert condition_averages(recording, []).labels == ("all trials",)


def test_an_unknown_field_comes_with_those_that_there_are():
    recording = Recording.of(np.ones((2, 2, 1)), {"side": [0, 1]})
    with pytest.raises(ValueError, match="It has: side"):
        condition_averages(recording, ["rule"])


def test_ends_of_short_trials_are_left_out_before_neurons():
    activity = np.ones((2, 5, 3))
    activity[0, 4] = np.nan  # the first trial is shorter
    activity[1, :, 2] = np.nan  # the last neuron was lost
    rows = RecordedRows(Recording.of(activity, {"side": [0, 1]}), ("side",)).without_gaps()
    assert rows.activity.shape == (2, 4, 2)


@pytest.mark.parametrize("average", [True, False])
def test_no_common_neuron_is_an_error(average):
    activity = np.ones((2, 3, 2))
    activity[0, :, 0] = activity[1, :, 1] = np.nan
    rows = RecordedRows(Recording.of(activity, {"side": [0, 1]}), ("side",), average)
    with pytest.raises(ValueError, match="must be recorded in all 2"):
        rows.without_gaps()


def test_no_common_time_is_an_error():
    activity = np.ones((2, 3, 1))
    activity[0, :2] = np.nan
    with pytest.raises(ValueError, match="must share 2 time points, got 1"):
        RecordedRows(Recording.of(activity, {"side": [0, 1]}), ("side",)).without_gaps()


def test_halves_share_no_trial_and_lose_none():
    recording = recording_of(signals(conditions=3, times=2), repeats=5)
    recording = Recording.of(np.arange(30.0).reshape(15, 2, 1) ** 2, recording.fields)
    rows = RecordedRows(recording, ("condition",))
    for seed in range(5):
        first, second = rows.halves(np.random.default_rng(seed))
        for row in range(3):
            trials = recording.activity[rows.of_trial == row, 0, 0]
            sizes = [(k, 5 - k) for k in (2, 3)]
            # Sums of both halves add up to the sum of all trials for one of the two divisions.
            sums = [
                k * first.activity[row, 0, 0] + n * second.activity[row, 0, 0] for k, n in sizes
            ]
            assert np.isclose(sums, trials.sum()).any()


def test_halves_of_neurons_that_were_recorded_in_other_trials_are_whole():
    recording = recording_of(signals(), repeats=8, neurons=4)
    activity = recording.activity.copy()
    second_day = recording.fields["condition"].size // 2
    activity[:second_day, :, :2] = activity[second_day:, :, 2:] = np.nan
    rows = RecordedRows(Recording.of(activity, recording.fields), ("condition",))
    for half in rows.halves(np.random.default_rng(0)):
        assert half.activity.shape == (4, 30, 4)
        assert np.isfinite(half.activity).all()


def test_halves_of_single_trials_are_pairs_of_one_condition():
    rows = RecordedRows(recording_of(signals(), repeats=5), ("condition",), average=False)
    first, second = rows.halves(np.random.default_rng(0))
    np.testing.assert_array_equal(rows.of_trial[first.at], rows.of_trial[second.at])
    assert not set(first.at) & set(second.at)
    assert len(first.at) == 4 * 2


def test_a_condition_of_one_trial_has_no_halves():
    rows = RecordedRows(Recording.of(np.ones((3, 2, 1)), {"side": [0, 0, 1]}), ("side",))
    with pytest.raises(ValueError, match="to be divided in halves, got 1 of side=1"):
        rows.halves(np.random.default_rng(0))
