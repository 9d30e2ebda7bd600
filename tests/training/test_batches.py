"""Noise against SciPy's normal distribution."""

import numpy as np
import tensorflow as tf
from scipy import stats

from rnnstudy.training.batches import normal_of


def test_noise_is_standard_normal():
    seed = tf.constant([3, 4])
    drawn = normal_of((40, 50, 20))(seed).numpy().ravel()
    assert stats.kstest(drawn, "norm").pvalue > 0.01
    bits = tf.random.stateless_uniform([40, 50, 20], seed, None, None, tf.uint32, alg="philox")
    share = ((bits.numpy().ravel() >> 8) + 0.5) / 2**24
    # Float32 near 1 resolves 6e-8 of probability, which the tails magnify.
    np.testing.assert_allclose(drawn, stats.norm.ppf(share), rtol=1e-3, atol=1e-5)
