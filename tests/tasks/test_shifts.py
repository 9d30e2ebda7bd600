"""Distribution shifts: trials differ from those of training in the property that they name."""

import numpy as np
import pytest

from rnnstudy.tasks import TASKS
from rnnstudy.tasks.flip_flop import PULSE_NOISE, FlipFlop
from rnnstudy.tasks.integration import STREAM_NOISE, Integration
from rnnstudy.tasks.sine import Sine


def shift_of(task, name):
    (shift,) = (each for each in task.shifts() if each.name == name)
    return shift


def drawn(task, name, value, trials=16):
    return [np.asarray(part) for part in shift_of(task, name).sample(value, trials)]


@pytest.mark.parametrize("kind", sorted(set(TASKS) - {"neurogym"}))
def test_trials_of_all_shifts_fit_their_task(kind):
    task = TASKS[kind]()
    assert len({shift.name for shift in task.shifts()}) == len(task.shifts())
    for shift in task.shifts():
        assert list(shift.values) == sorted(set(shift.values))
        assert np.isnan(shift.trained) or shift.trained in shift.values
        for value in (shift.values[0], shift.values[-1]):
            inputs, targets, mask = (np.asarray(part) for part in shift.sample(value, 6))
            assert inputs.shape == (*mask.shape, task.inputs), shift.name
            assert targets.shape == (*mask.shape, task.outputs), shift.name
            assert (mask.sum(axis=1) > 0).all()
            assert np.isfinite(inputs).all()
        again = [np.asarray(part) for part in shift.sample(value, 6)]
        assert all(map(np.array_equal, (inputs, targets, mask), again))


@pytest.mark.parametrize("kind", [k for k in TASKS if "length" in TASKS[k].model_fields])
def test_longer_trials_are_longer(kind):
    task = TASKS[kind](length=20)
    inputs, targets, mask = drawn(task, "longer trials", 5.0)
    assert inputs.shape[1] == targets.shape[1] == mask.shape[1] == 100
    assert (mask == 1.0).all()


def test_other_rates_of_pulses():
    for rate in (0.01, 0.4):
        inputs = drawn(FlipFlop(), "pulse probability", rate, 64)[0]
        share = np.mean(inputs[:, 1:] != 0.0)
        # 19,008 draws.
        assert share == pytest.approx(rate, abs=5 * np.sqrt(rate * (1 - rate) / 19_008))
    assert 0.07 in shift_of(FlipFlop(pulse_probability=0.07), "pulse probability").values


def test_pulses_of_other_heights_have_the_same_targets():
    inputs, targets, _ = drawn(FlipFlop(), "pulse height", 0.5)
    trained = drawn(FlipFlop(), "pulse height", 1.0)
    assert set(np.unique(inputs)) == {-0.5, 0.0, 0.5}
    np.testing.assert_array_equal(targets, trained[1])
    np.testing.assert_array_equal(inputs, 0.5 * trained[0])


@pytest.mark.parametrize(
    ("task", "signals", "noise"),
    [(FlipFlop(length=10), 3, PULSE_NOISE), (Integration(length=10), 2, STREAM_NOISE)],
)
def test_delays_keep_the_last_target_and_their_noise_is_in_none(task, signals, noise):
    inputs, targets, mask = drawn(task, "silent delay", 5.0, 200)
    assert inputs.shape[1] == 60
    assert (inputs[:, 10:, :signals] == 0.0).all()
    assert (inputs[:, 10:, signals:] == inputs[:, 9:10, signals:]).all()
    assert (targets[:, 10:] == targets[:, 9:10]).all()
    assert (mask[:, :-1] == 0.0).all()
    assert (mask[:, -1] == 1.0).all()
    noisy = drawn(task, "noisy delay", 5.0, 200)
    np.testing.assert_array_equal(noisy[1], targets)
    np.testing.assert_array_equal(noisy[0][:, :10], inputs[:, :10])
    np.testing.assert_array_equal(noisy[0][:, :, signals:], inputs[:, :, signals:])
    # At least 20,000 normal numbers: a standard error of 0.5 %.
    assert noisy[0][:, 10:, :signals].std() == pytest.approx(noise, rel=0.03)
    assert drawn(task, "silent delay", 0.0)[0].shape[1] == 10


def test_streams_with_other_evidence_noise_and_contexts():
    task = Integration()
    means = drawn(task, "evidence", 1.0, 500)[0][..., :2].mean(axis=1)
    # Uniform means from -1 to 1 and the mean of 50 normal numbers.
    assert means.std() == pytest.approx(np.sqrt(1 / 3 + 1 / 50), rel=0.1)
    silent = drawn(task, "stream noise", 0.0)[0][..., :2]
    assert np.ptp(silent, axis=1).max() == 0.0
    inputs, targets, _ = drawn(task, "context strength", 1.5)
    trained = drawn(task, "context strength", 1.0)
    np.testing.assert_array_equal(targets, trained[1])
    np.testing.assert_array_equal(inputs[..., 2:], 1.5 * trained[0][..., 2:])
    np.testing.assert_array_equal(inputs[..., :2], trained[0][..., :2])


def test_unseen_cues_are_between_those_of_training_or_beyond():
    task, step = Sine(), 1 / 50
    shift = shift_of(task, "unseen cues")
    cues = np.array(shift.values)
    inner = cues[(cues > 0) & (cues < 1)]
    np.testing.assert_allclose(np.mod(inner / step, 1.0), 0.5, atol=1e-9)
    assert cues[0] == -0.2
    assert cues[-1] == 1.2
    inputs, targets, _ = drawn(task, "unseen cues", 1.2)
    assert inputs.shape == (1, 100, 1)
    np.testing.assert_allclose(inputs, 1.2, rtol=1e-6)
    np.testing.assert_allclose(
        targets[0, :, 0], np.sin(2 * np.pi * 0.058 * np.arange(100)), atol=1e-6
    )
    narrow = shift_of(Sine(lowest_frequency=0.001, highest_frequency=0.45), "unseen cues")
    assert narrow.values[0] == 0.01
    assert narrow.values[-1] == 1.1


def test_noise_on_the_cue_changes_no_target():
    inputs, targets, _ = drawn(Sine(), "cue noise", 0.5)
    clean = drawn(Sine(), "cue noise", 0.0)
    np.testing.assert_array_equal(targets, clean[1])
    assert (inputs - clean[0]).std() == pytest.approx(0.5, rel=0.1)
