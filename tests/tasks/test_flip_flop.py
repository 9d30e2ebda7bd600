import numpy as np
import pytest
from reference.tasks import flip_flop_targets

from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.flip_flop import FlipFlop, last_pulse

SEED = (11, 12)
GOLDEN = [[-1, 0, 0, 0, 0, 1], [1, 0, 1, 0, 0, 1], [-1, 0, 1, 0, 0, 0]]


@pytest.mark.parametrize("length", [2, 3, 8, 9, 100])
@pytest.mark.parametrize("force_first", [True, False])
def test_outputs_hold_the_last_pulse(length, force_first):
    task = FlipFlop(bits=2, length=length, force_first=force_first)
    trials = task.sample(tf.constant(SEED), 16)
    assert np.array_equal(trials.targets, flip_flop_targets(trials.inputs.numpy()))


def test_holding_reaches_back_to_the_first_step():
    pulses = np.zeros((1, 1000, 2), np.float32)
    pulses[0, 0], pulses[0, 999, 1] = (1.0, -1.0), 1.0
    targets = last_pulse(tf.constant(pulses)).numpy()
    assert targets[0, :, 0].tolist() == [1.0] * 1000
    assert targets[0, :, 1].tolist() == [-1.0] * 999 + [1.0]


def test_pulses_come_with_the_stated_probability_and_balanced_signs():
    task = FlipFlop(bits=4, length=50, pulse_probability=0.2, force_first=False)
    pulses = task.sample(tf.constant(SEED), 500).inputs.numpy()
    assert set(np.unique(pulses)) == {-1.0, 0.0, 1.0}
    # 100 000 draws: five standard errors are 0.006 for the rate and 0.035 for the mean sign.
    assert abs(np.abs(pulses).mean() - 0.2) < 0.006
    assert abs(pulses[pulses != 0.0].mean()) < 0.035
    assert np.abs(np.abs(pulses).mean(axis=(0, 1)) - 0.2).max() < 0.013
    assert np.abs(np.corrcoef(pulses.reshape(-1, 4).T) - np.eye(4)).max() < 0.035


def test_the_first_step_is_forced_on_every_channel_and_changes_nothing_else():
    free = FlipFlop(force_first=False).sample(tf.constant(SEED), 400).inputs.numpy()
    forced = FlipFlop().sample(tf.constant(SEED), 400).inputs.numpy()
    assert np.abs(forced[:, 0]).min() == 1.0
    assert abs(forced[:, 0].mean()) < 5 / np.sqrt(1200)
    assert np.array_equal(free[:, 1:], forced[:, 1:])


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0.0), (1.0, 1.0)])
def test_extreme_probabilities_are_exact(probability, share):
    task = FlipFlop(pulse_probability=probability, force_first=False)
    assert np.abs(task.sample(tf.constant(SEED), 50).inputs).mean() == share


def test_the_probe_has_its_own_length_and_rate():
    task = FlipFlop(length=30, pulse_probability=0.0, probe_trials=200)
    pulses = task.probe().inputs.numpy()
    assert pulses.shape == (200, 60, 3)
    assert abs(np.abs(pulses[:, 1:]).mean() - 0.1) < 0.008


def test_the_probe_does_not_depend_on_how_the_task_trains():
    one, other = FlipFlop().probe(), FlipFlop(length=40, pulse_probability=0.3).probe()
    assert np.array_equal(one.inputs, other.inputs)


def test_accuracy_is_the_share_of_right_signs_where_there_is_one():
    targets = np.array([[[0.0, 1.0], [1.0, 1.0], [-1.0, 1.0]]])
    outputs = np.array([[[9.0, 0.1], [-2.0, 0.0], [-0.1, np.nan]]])
    accuracy = FlipFlop(bits=2).accuracy
    assert accuracy(tf.constant(outputs), tf.constant(targets), np.ones((1, 3))) == 0.4
    assert accuracy(tf.constant(outputs), tf.constant(targets), np.array([[1.0, 0, 0]])) == 1.0


def test_solved_needs_both_loss_and_accuracy():
    solved = FlipFlop().is_solved(np.array([0.009, 0.011, 0.009]), np.array([0.991, 1.0, 0.99]))
    assert solved.tolist() == [True, False, False]


def test_static_input_is_silence():
    static = FlipFlop(bits=5).static_inputs()
    assert static.labels == ("no input",)
    assert np.array_equal(static.values, np.zeros((1, 5)))


def test_the_numbers_of_version_1():
    inputs = FlipFlop(length=6, pulse_probability=0.3).sample(tf.constant([3, 4]), 1).inputs
    assert FlipFlop.version == 1
    assert inputs.numpy()[0].T.astype(int).tolist() == GOLDEN
