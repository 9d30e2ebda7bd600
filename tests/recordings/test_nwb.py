"""Spikes of NWB files against counts by hand."""

from datetime import UTC, datetime

import numpy as np
import pytest

from rnnstudy.recordings.files import read_recording
from rnnstudy.recordings.nwb import NWBOptions

pynwb = pytest.importorskip("pynwb")

OPTIONS = NWBOptions(event="cue", start=-100.0, stop=200.0, bin=100.0)


@pytest.fixture
def path(tmp_path):
    """Write two units and three trials; the second unit was lost before the last trial."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    session = pynwb.NWBFile(session_description="a", identifier="a", session_start_time=start)
    session.add_trial_column("cue", "time of the cue")
    session.add_trial_column("choice", "choice")
    for begin, choice in ((0.0, "left"), (1.0, "right"), (2.0, "left")):
        session.add_trial(start_time=begin, stop_time=begin + 0.9, cue=begin + 0.2, choice=choice)
    session.add_unit(spike_times=[0.15, 0.25, 0.26, 1.35], obs_intervals=[[0.0, 3.0]])
    session.add_unit(spike_times=[0.25, 1.15], obs_intervals=[[0.0, 2.0]])
    with pynwb.NWBHDF5IO(tmp_path / "a.nwb", mode="w") as file:
        file.write(session)
    return tmp_path / "a.nwb"


def test_spikes_are_counted_around_the_event(path):
    recording = read_recording(path, nwb=OPTIONS)
    np.testing.assert_allclose(recording.time, [-50.0, 50.0, 150.0])
    # One spike in 0.1 s is 10 per second.
    np.testing.assert_allclose(recording.activity[0], [[10, 0], [20, 10], [0, 0]])
    np.testing.assert_allclose(recording.activity[1], [[0, 10], [0, 0], [10, 0]])
    np.testing.assert_allclose(recording.activity[2, :, 0], 0.0)
    assert np.isnan(recording.activity[2, :, 1]).all()
    assert recording.fields["choice"].tolist() == ["left", "right", "left"]


def test_an_unknown_event_comes_with_the_columns_of_numbers(path):
    with pytest.raises(ValueError, match="Columns of numbers: start_time, stop_time, cue"):
        read_recording(path, nwb=OPTIONS.replace(event="go"))
