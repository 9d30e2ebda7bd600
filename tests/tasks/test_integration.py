import numpy as np
import pytest
from reference.tasks import integration_targets

from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.integration import Integration

SEED = (11, 12)
GOLDEN_TARGETS = [0.069582, -0.060409, -0.037415, 0.034515, -0.024583, -0.171423]


@pytest.mark.parametrize("streams", [1, 2, 5])
def test_outputs_sum_the_attended_stream(streams):
    task = Integration(streams=streams, gain=0.3, length=20)
    trials = task.sample(tf.constant(SEED), 16)
    expected = integration_targets(trials.inputs.numpy(), streams, 0.3)
    # Sums of 20 values in float32.
    assert np.abs(trials.targets - expected).max() < 1e-5


def test_the_context_is_one_hot_constant_and_balanced():
    context = Integration(streams=3).sample(tf.constant(SEED), 3000).inputs.numpy()[..., 3:]
    assert np.ptp(context, axis=1).max() == 0.0
    assert np.array_equal(context.sum(axis=-1), np.ones((3000, 50)))
    # Five standard errors of a third among 3000.
    assert np.abs(context[:, 0].mean(axis=0) - 1 / 3).max() < 0.043


def test_streams_are_white_noise_about_a_uniform_mean():
    task = Integration(length=400, mean_range=2.0, sigma=0.5)
    stimulus = task.sample(tf.constant(SEED), 400).inputs.numpy()[..., :2].astype(float)
    means = stimulus.mean(axis=1)
    noise = stimulus - means[:, None]
    # The mean of 400 values is known to 0.025, so that means overshoot their range by little.
    assert 1.95 < np.abs(means).max() < 2.1
    assert abs(means.var() - 4.0 / 3.0) < 0.25
    assert noise.std() == pytest.approx(0.5, rel=0.01)
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < 0.25 * (5 / 400 + 1 / 400)
    assert abs(np.corrcoef(noise[..., 0].ravel(), noise[..., 1].ravel())[0, 1]) < 5 / 400
    assert abs(np.corrcoef(means.T)[0, 1]) < 5 / 20


def test_without_noise_the_output_is_a_ramp():
    trials = Integration(sigma=0.0, length=10).sample(tf.constant(SEED), 4)
    slopes = np.diff(trials.targets, axis=1)
    assert np.abs(slopes).max() <= 0.02 + 1e-6
    assert np.ptp(slopes, axis=1).max() < 1e-6


def test_static_inputs_are_the_contexts_without_stimulus():
    static = Integration(streams=3).static_inputs()
    assert static.labels == ("context 1", "context 2", "context 3")
    assert np.array_equal(static.values, np.hstack([np.zeros((3, 3)), np.eye(3)]))


def test_the_numbers_of_version_1():
    trials = Integration(length=3).sample(tf.constant([3, 4]), 2)
    assert Integration.version == 1
    assert trials.targets.numpy()[..., 0].ravel() == pytest.approx(GOLDEN_TARGETS, abs=1e-5)
