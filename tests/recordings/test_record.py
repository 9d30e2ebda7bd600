"""The arrays of a recording, its fields and its windows."""

import re

import numpy as np
import pytest

from rnnstudy.recordings.record import Recording


def recording(**changes):
    parts = {"activity": np.ones((3, 5, 2)), "fields": {"choice": ["a", "b", "a"]}}
    return Recording.of(**{**parts, **changes})


def test_seconds_become_milliseconds():
    times = recording(time=[0.0, 0.1, 0.2, 0.3, 0.4], unit="s")
    np.testing.assert_allclose(times.time, [0.0, 100.0, 200.0, 300.0, 400.0])
    assert times.unit == "ms"


def test_without_times_a_sample_is_a_time_step():
    assert recording().time.tolist() == [0, 1, 2, 3, 4]
    assert recording().unit == "step"


def test_a_window_has_its_beginning_and_not_its_end():
    assert recording().crop(1.0, 3.0).time.tolist() == [1, 2]
    assert recording().crop(1.0, 3.0).activity.shape == (3, 2, 2)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"activity": np.ones((3, 5))}, "activity must be [trial, time, neuron], got shape (3, 5)"),
        (
            {"activity": np.ones((3, 1, 2))},
            "at least 1 trial, 2 time points and 1 neuron, got 3, 1",
        ),
        ({"activity": np.full((3, 5, 2), np.nan)}, "must have recorded values, got NaN alone"),
        ({"activity": np.full((3, 5, 2), np.inf)}, "NaN where a neuron was not recorded, got inf"),
        ({"activity": [["a"]]}, "activity must be an array of real numbers"),
        ({"time": [0, 2, 1, 3, 4]}, "time must ascend from sample to sample"),
        ({"time": [0, 1, 2]}, "must have length 5 along 'time' like activity, got 3"),
        ({"time": [0, 1, 2, 3, 4], "unit": "min"}, "unit must be one of ms, s, step, got 'min'"),
        ({"fields": {"choice": ["a", "b"]}}, "must have length 3 along 'trial'"),
        ({"fields": {"side": [1.0, np.nan, 2.0]}}, "'side' must have a value on each trial"),
        ({"fields": {"side": np.ones(3, complex)}}, "'side' must hold texts or numbers"),
        ({"fields": {"side": np.ones((3, 2))}}, "'side' must have one value for each trial"),
        ({"inputs": np.full((3, 5, 1), np.nan)}, "inputs must be finite"),
        ({"inputs": np.ones((3, 4, 1))}, "must have length 5 along 'time'"),
    ],
)
def test_a_wrong_array_is_named(changes, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        recording(**changes)


def test_a_window_outside_of_the_recording_says_when_it_was_recorded():
    with pytest.raises(ValueError, match="7 to 9 step; it was recorded from 0 to 4 step"):
        recording().crop(7, 9)


def test_a_recording_is_kept_by_a_store(tmp_path):
    recording().save(tmp_path / "a")
    loaded = Recording.load(tmp_path / "a")
    assert loaded.fields["choice"].tolist() == ["a", "b", "a"]
    np.testing.assert_array_equal(loaded.activity, recording().activity)
