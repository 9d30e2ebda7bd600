"""Published maps as networks: what is known of them is the truth for the analysis of dynamics."""

import numpy as np

from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.networks.adapters import Networks
from rnnstudy.dynamics.networks.state_map import StateMap


class Map:
    """The dynamics of a plain function (x, h) -> h, tensors [..., input] and [..., state]."""

    def __init__(self, function):
        self.function = function

    def drive(self, w, x):
        return x

    def step(self, w, drive, h):
        return self.function(drive, h)


class Maps(Networks):
    """One or several members that all follow the same function."""

    def __init__(self, function, inputs, state_size, members=1, bound=None):
        self._map, self._members = Map(function), members
        self._inputs, self._state_size, self._bound = inputs, state_size, bound

    def __len__(self):
        return self._members

    @property
    def inputs(self):
        return self._inputs

    @property
    def state_size(self):
        return self._state_size

    @property
    def bound(self):
        return self._bound

    def state_map(self, members, inputs):
        held = tf.constant(inputs, tf.float64)
        return StateMap(self._map, {}, held, held)

    def sample_visited(self, seed=0):
        shape = (self._members, 64, self._state_size)
        return np.random.default_rng(seed).uniform(-1.0, 1.0, shape)

    def visible(self, states):
        return states

    def outputs_of(self, states):
        return None


def parts(values):
    """The columns of a tensor [..., n], each [...]."""
    return tf.unstack(values, axis=-1)


def henon(x, h):
    """Hénon (1976): (p, q)' = (1 - a p^2 + q, 0.3 p), a the input."""
    p, q = parts(h)
    return tf.stack([1.0 - x[..., 0] * p**2 + q, 0.3 * p], axis=-1)


def logistic(x, h):
    """May (1976): h' = r h (1 - h), r the input."""
    return x * h * (1.0 - h)


def delayed_logistic(x, h):
    """Maynard Smith (1968): p' = a p (1 - q), q' = p, a the input."""
    p, q = parts(h)
    return tf.stack([x[..., 0] * p * (1.0 - q), p], axis=-1)


def linear(matrix):
    """h' = A h + x."""
    return lambda x, h: x + tf.linalg.matvec(tf.constant(matrix, tf.float64), h)


def tanh_unit(weight):
    """h' = tanh(w h + x): folds where w (1 - h^2) = 1."""
    return lambda x, h: tf.tanh(weight * h + x)
