"""Vector fields dh/dt = f(x, h) whose dynamics are known on paper or from the literature."""

import numpy as np

from rnnstudy.core.lazy_imports import tf


def linear(matrix):
    """dh/dt = A h."""
    return lambda x, h: tf.linalg.matmul(h, np.asarray(matrix, float).T)


def pitchfork(x, h):
    """dh/dt = x h - h^3."""
    return x * h - h**3


def hopf(growth=1.0, frequency=3.0):
    """Hopf's normal form: r' = r (growth - r^2), angle' = frequency.

    Its cycle has radius sqrt(growth), period 2 pi / frequency, and the multiplier
    exp(-2 growth period).
    """

    def field(x, h):
        p, q = h[:, :1], h[:, 1:]
        radial = growth - p**2 - q**2
        return tf.concat([radial * p - frequency * q, frequency * p + radial * q], axis=1)

    return field


def van_der_pol(damping=1.0):
    """Van der Pol's oscillator p'' = damping (1 - p^2) p' - p."""

    def field(x, h):
        p, q = h[:, :1], h[:, 1:]
        return tf.concat([q, damping * (1.0 - p**2) * q - p], axis=1)

    return field


def lorenz(x, h):
    """Lorenz's system with sigma 10, rho 28, beta 8/3. Its divergence is -41/3 everywhere."""
    p, q, r = h[:, :1], h[:, 1:2], h[:, 2:]
    return tf.concat([10.0 * (q - p), p * (28.0 - r) - q, p * q - 8.0 / 3.0 * r], axis=1)
