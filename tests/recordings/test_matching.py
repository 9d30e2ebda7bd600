"""Networks in the conditions and at the times of a recording."""

import re

import numpy as np
import pytest
from hand_built_networks import Leak, network

from rnnstudy.recordings.matching import equal_labels, match_recording
from rnnstudy.recordings.record import Recording
from rnnstudy.tasks.epochs.go_no_go import GoNoGo
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration

TASK = Integration(streams=1, length=20, probe_trials=16)


def recorded(trials=4, times=20, channels=0, **more):
    """Return a recording of ones, with random inputs if there are channels."""
    inputs = np.random.default_rng(0).standard_normal((2, times, channels))
    of_trial = np.arange(trials) % 2
    parts = {"inputs": inputs[of_trial]} if channels else {}
    fields = more.pop("fields", {"choice": np.array([-1, 1])[of_trial]})
    return Recording.of(np.ones((trials, times, 3)), fields, **parts, **more)


def leaky(inputs):
    """Return the sum of the first input, times 0.1, [row, time]: what unit 0 of a leak holds."""
    return 0.1 * np.cumsum(inputs[..., 0], axis=1)


def test_inputs_of_the_recording_drive_the_networks():
    recording = recorded(channels=2)
    states = match_recording(recording).states(network(Leak(), 2, 1))
    assert states.shape == (1, 2, 20, 3)
    np.testing.assert_allclose(states[0, ..., 0], leaky(recording.inputs[:2]), atol=1e-5)


def test_single_trials_have_inputs_of_their_own():
    recording = recorded(channels=2)
    match = match_recording(recording, average=False)
    states = match.states(network(Leak(), 2, 1))
    np.testing.assert_allclose(states[0, ..., 0], leaky(recording.inputs), atol=1e-5)


def test_a_window_keeps_the_history_before_it():
    recording = recorded(channels=2)
    match = match_recording(recording, TASK, between=(10, 15))
    assert match.rows.recording.time.tolist() == [10, 11, 12, 13, 14]
    states = match.states(network(Leak(), 2, 1))
    np.testing.assert_allclose(states[0, ..., 0], leaky(recording.inputs[:2])[:, 10:15], atol=1e-5)


def test_without_inputs_trials_of_the_probe_are_averaged_by_their_fields():
    match = match_recording(recorded(), TASK)
    probe = TASK.probe()
    total = leaky(np.asarray(probe.inputs))
    expected = [total[np.sign(total[:, -1]) == side].mean(axis=0) for side in (-1, 1)]
    states = match.states(network(Leak(), 2, 1))
    np.testing.assert_allclose(states[0, ..., 0], expected, atol=1e-5)


def test_milliseconds_are_steps_after_the_part_that_is_aligned():
    task = GoNoGo(fixation=5, stimulus=10, delay=15, response=10, dt=20.0, probe_trials=8)
    times = np.arange(-60.0, 240.0, 30.0)
    recording = recorded(times=10, time=times, fields={"choice": [0, 1, 0, 1]})
    match = match_recording(recording, task, align="stimulus")
    states = match.states(network(Leak(), 3, 1))[0, ..., 0]
    fields = task.trial_fields(task.probe())["choice"]
    whole = leaky(np.asarray(task.probe().inputs))
    for row, choice in enumerate((0, 1)):
        mean = whole[fields == choice].mean(axis=0)
        expected = np.interp(5.0 + times / 20.0, np.arange(40), mean)
        np.testing.assert_allclose(states[row], expected, atol=1e-5)


def test_times_outside_of_the_trial_are_left_out():
    match = match_recording(recorded(times=30), TASK)
    assert match.rows.recording.time.tolist() == list(range(20))


@pytest.mark.parametrize(
    ("recording", "task", "options", "sentence"),
    [
        (recorded(), None, {}, "task must be given, since 'recording' has no inputs, got None"),
        (recorded(), TASK, {"align": "delay"}, "must have the part 'delay'"),
        (recorded(), TASK, {"between": (5, 90), "condition": ["side"]}, "It has: choice"),
        (recorded(time=np.arange(20.0)), TASK, {}, "must have a 'dt', the milliseconds"),
        (
            recorded(times=5, time=np.arange(50, 55), unit="step"),
            TASK,
            {},
            "got 0; it was",
        ),
    ],
)
def test_a_recording_that_does_not_fit_the_task_is_refused(recording, task, options, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        match_recording(recording, task, **options)


@pytest.mark.parametrize(
    ("recording", "task", "sentence"),
    [
        (
            recorded(fields={"side": [0, 1, 0, 1]}),
            TASK,
            "must have the field 'side'",
        ),
        (recorded(fields={"side": [0, 1, 0, 1]}), FlipFlop(bits=2), "with the fields: none"),
        (recorded(fields={"choice": [1, 3, 1, 3]}), TASK, "a trial with choice=3 of 'recording'"),
        (recorded(channels=3), TASK, "must have 2 channels like the networks, got 3"),
    ],
)
def test_conditions_that_the_task_does_not_have_are_named(recording, task, sentence):
    inputs = task.inputs
    match = match_recording(recording, task)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        match.states(network(Leak(), inputs, 1))


def test_trials_of_one_condition_have_the_same_inputs():
    recording = recorded(channels=2, fields={"choice": [1, 1, 1, 1]})
    with pytest.raises(ValueError, match="got different ones of choice=1"):
        match_recording(recording).states(network(Leak(), 2, 1))


def test_samples_with_inputs_are_one_step_apart():
    task = TASK.replace(dt=10.0)
    recording = recorded(channels=2, time=20.0 * np.arange(20))
    with pytest.raises(ValueError, match="one step of the networks, got 20 to 20"):
        match_recording(recording, task).states(network(Leak(), 2, 1))


def test_labels_are_compared_as_numbers_or_as_texts():
    assert equal_labels(np.array(["go", "anti"]), "anti").tolist() == [False, True]
    assert equal_labels(np.array([0.1, 0.2], np.float32), 0.1).tolist() == [True, False]
