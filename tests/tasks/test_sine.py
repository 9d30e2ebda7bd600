import numpy as np
import pytest
from reference.tasks import sine_targets

from rnnstudy.core.errors import SettingError
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.sine import Sine

SEED = (11, 12)
GOLDEN_CUES = [0.34, 0.72, 0.96]


def test_outputs_are_sines_of_the_cued_frequency():
    task = Sine(lowest_frequency=0.013, highest_frequency=0.21)
    trials = task.sample(tf.constant(SEED), 51)
    expected = sine_targets(trials.inputs.numpy(), 0.013, 0.21)
    # Float32 cues are off by 6e-8, which the phase multiplies by up to 2 pi 0.2 x 100.
    assert np.abs(trials.targets - expected).max() < 1e-5


def test_a_full_batch_is_every_cue_once_whatever_the_seed():
    for seed in ([0, 1], [5, 6]):
        inputs = Sine().sample(tf.constant(seed), 51).inputs.numpy()
        assert np.ptp(inputs, axis=1).max() == 0.0
        assert inputs[:, 0, 0] == pytest.approx(np.linspace(0.0, 1.0, 51), abs=1e-7)


def test_the_defaults_span_one_to_five_cycles_in_a_trial():
    targets = Sine().sample(tf.constant(SEED), 51).targets.numpy()[..., 0]
    cycles = np.abs(np.fft.rfft(targets)).argmax(axis=1)
    assert (cycles[0], cycles[-1]) == (1, 5)
    assert np.all(targets[:, 0] == 0.0)
    # A quarter of the slowest and of the fastest wave.
    assert targets[0].argmax() == 25
    assert targets[-1, 5] == pytest.approx(1.0)


@pytest.mark.parametrize("trials", [1, 4, 7, 16, 17])
def test_cues_come_equally_often(trials):
    task = Sine(frequencies=7)
    inputs = task.sample(tf.constant(SEED), trials).inputs.numpy()[:, 0, 0]
    counts = np.bincount(np.round(inputs * 6).astype(int), minlength=7)
    assert counts.sum() == trials
    assert np.ptp(counts) <= 1
    assert np.all(np.diff(inputs) >= 0.0)


def test_a_small_batch_draws_every_cue_sooner_or_later():
    task = Sine(frequencies=7)
    drawn = [task.sample(tf.constant([i, 0]), 2).inputs.numpy()[:, 0, 0] for i in range(60)]
    counts = np.bincount(np.round(np.concatenate(drawn) * 6).astype(int), minlength=7)
    # 120 draws over 7 cues: 17 each, give or take four standard deviations of 3.5.
    assert counts.min() > 3
    assert counts.max() < 32


def test_static_inputs_are_evenly_spread_cues():
    static = Sine().static_inputs()
    assert static.values[:, 0] == pytest.approx(np.linspace(0.0, 1.0, 21))
    assert static.labels[:2] + static.labels[-1:] == ("x = 0", "x = 0.05", "x = 1")


def test_frequencies_in_cycles_per_time_step():
    assert Sine().frequency(np.array([0.0, 0.5, 1.0])) == pytest.approx([0.01, 0.03, 0.05])


def test_falling_frequencies_are_refused():
    message = r"highest_frequency must be above lowest_frequency, got 0\.01 and 0\.02"
    with pytest.raises(SettingError, match=message):
        Sine(lowest_frequency=0.02, highest_frequency=0.01)


def test_the_evaluation_has_cues_between_those_of_training():
    task = Sine()
    trained = np.linspace(0.0, 1.0, 51)
    for trials, share in ((task.evaluation(), 0.5), (task.validation(), 0.25)):
        cues = trials.inputs.numpy()[:, 0, 0]
        np.testing.assert_allclose(cues, trained[:-1] + share * 0.02, atol=1e-6)
        expected = sine_targets(trials.inputs.numpy(), 0.01, 0.05)
        assert np.abs(trials.targets - expected).max() < 1e-5
    few = Sine(frequencies=3, evaluation_trials=5).evaluation().inputs.numpy()[:, 0, 0]
    assert sorted(set(few.tolist())) == [0.25, 0.75]


def test_the_numbers_of_version_2():
    trials = Sine(length=4).sample(tf.constant([3, 4]), 3)
    assert Sine.version == 2
    assert trials.inputs.numpy()[:, 0, 0] == pytest.approx(GOLDEN_CUES, abs=1e-6)
