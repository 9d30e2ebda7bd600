"""Synthetic recordings: noisy random neurons of known signals."""

import numpy as np

from rnnstudy.recordings.record import Recording


def signals(conditions=4, times=30, latent=3, seed=0):
    """Return smooth signals [condition, time, latent], different for each condition."""
    generator = np.random.default_rng(seed)
    phases = generator.uniform(0.0, 2.0 * np.pi, (conditions, 1, latent))
    rates = generator.uniform(0.1, 0.4, (conditions, 1, latent))
    return np.sin(rates * np.arange(times)[:, None] + phases)


def recording_of(states, repeats=6, neurons=12, noise=0.3, seed=0, **more):
    """Return `repeats` trials of each row of states [row, time, unit] through random neurons.

    The weights are a random rotation into the space of neurons, so that without noise the
    distance of the recording from the states is 0 in every metric that ignores rotations.
    """
    generator = np.random.default_rng(seed)
    units = states.shape[-1]
    rotation = np.linalg.qr(generator.standard_normal((neurons, units)))[0].T
    weights = rotation * np.sqrt(neurons / units)
    of_trial = np.tile(np.arange(len(states)), repeats)
    clean = (states @ weights)[of_trial]
    activity = clean + noise * generator.standard_normal(clean.shape)
    return Recording.of(activity, {"condition": of_trial}, **more)
