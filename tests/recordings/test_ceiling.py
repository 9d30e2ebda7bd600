"""Noise ceilings against the theory of reliability."""

import numpy as np
import pytest
from recordings_made import recording_of, signals

from rnnstudy.metrics import CKA, DSA, METRICS, SVCCA, Procrustes
from rnnstudy.recordings.ceiling import as_representation, noise_ceiling
from rnnstudy.recordings.record import Recording
from rnnstudy.recordings.rows import RecordedRows

SPREAD = 2.0


@pytest.fixture(scope="module")
def one_neuron():
    """A neuron with a signal of variance 1 and noise of variance 4, in 8 trials of 8 conditions."""
    generator = np.random.default_rng(0)
    signal = generator.standard_normal((8, 500, 1))
    of_trial = np.repeat(np.arange(8), 8)
    noise = SPREAD * generator.standard_normal((64, 500, 1))
    return Recording.of(signal[of_trial] + noise, {"condition": of_trial})


@pytest.mark.parametrize(("average", "trials"), [(True, 8), (False, 1)])
def test_the_ceiling_of_a_correlation_is_the_root_of_the_reliability(one_neuron, average, trials):
    # The correlation of a signal of variance 1 with itself plus noise of variance s^2 / n is
    # 1 / sqrt(1 + s^2 / n). Errors of correlations over 4000 samples and more are below 0.016 each;
    # 0.03 is twice the error of the root.
    rows = RecordedRows(one_neuron, ("condition",), average)
    ceiling = noise_ceiling(rows, Procrustes())
    expected = 1.0 / np.sqrt(1.0 + SPREAD**2 / trials)
    assert np.cos(ceiling.least_distance) == pytest.approx(expected, abs=0.03)
    halves = 1.0 / (1.0 + SPREAD**2 / (trials / 2 if average else trials))
    assert np.cos(ceiling.halves).mean() == pytest.approx(halves, abs=0.04)


@pytest.mark.parametrize("name", ["svcca", "cka", "procrustes", "rsa", "cca"])
def test_the_system_itself_is_not_nearer_than_the_ceiling(name):
    states = signals(conditions=6, times=40, latent=3)
    recording = recording_of(states, repeats=8, neurons=12, noise=0.5)
    rows = RecordedRows(recording, ("condition",))
    metric = METRICS[name](**({"dimensions": 3} if name == "svcca" else {}))
    ceiling = noise_ceiling(rows, metric)
    clean, noisy = (as_representation(each, rows, metric) for each in (states, rows.activity))
    # The limit is a mean over ten splits. Its error is that of the mean of the distances of halves.
    error = 3.0 * ceiling.halves.std() / np.sqrt(len(ceiling.halves))
    assert metric.distance(clean, noisy) >= ceiling.least_distance - error
    assert ceiling.least_distance < ceiling.half_distance


def test_more_trials_lower_the_ceiling():
    states, metric = signals(), SVCCA(dimensions=3)
    least = [
        noise_ceiling(RecordedRows(recording_of(states, repeats=n), ("condition",)), metric)
        for n in (4, 64)
    ]
    assert least[1].least_distance < 0.5 * least[0].least_distance


def test_a_recording_without_noise_has_distance_zero():
    rows = RecordedRows(recording_of(signals(), noise=0.0), ("condition",))
    assert noise_ceiling(rows, CKA()).least_distance == pytest.approx(0.0, abs=1e-9)


def test_metrics_of_trajectories_get_trials():
    rows = RecordedRows(recording_of(signals(times=40), neurons=6), ("condition",), average=False)
    ceiling = noise_ceiling(rows, DSA(delays=2, rank=4, starts=0), splits=2)
    assert ceiling.halves.shape == (2,)
    assert 0.0 < ceiling.least_distance < ceiling.half_distance


def test_the_same_seed_makes_the_same_splits():
    rows = RecordedRows(recording_of(signals()), ("condition",))
    one, same, other = (noise_ceiling(rows, CKA(), splits=2, seed=s).halves for s in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
