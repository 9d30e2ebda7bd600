"""Networks whose attractors are known by hand, as cells with a readout."""

import numpy as np

from rnnstudy.cells.base import Cell, Weight
from rnnstudy.core.lazy_imports import tf
from rnnstudy.population.population import Population


class HandBuilt(Cell):
    """A map of a few units, written as a formula."""

    units: int = 2

    def weights(self, inputs):
        return {"kernel": Weight((inputs, self.units), values=np.zeros((inputs, self.units)))}

    def drive(self, w, x):
        return x + 0.0 * tf.reduce_sum(x @ w["kernel"], axis=-1, keepdims=True)


class Bistable(HandBuilt):
    """Uncoupled units tanh(2 h + 4 x): two stable points and one unstable point each."""

    units: int = 3

    def step(self, w, drive, h):
        return tf.tanh(2.0 * h + 4.0 * drive)


class Leak(HandBuilt):
    """The first `lasting` units keep a share of the inputs that they add up; others forget."""

    units: int = 3
    lasting: int = 1
    keep: float = 1.0
    forget: float = 0.5

    def step(self, w, drive, h):
        shares = [self.keep] * self.lasting + [self.forget] * (self.units - self.lasting)
        stream = drive[..., : self.lasting]
        new = [0.1 * stream, 0.0 * h[..., self.lasting :]]
        return h * tf.constant(shares, h.dtype) + tf.concat(new, axis=-1)


def radial(z_x, z_y, target=1.0):
    """Return the factor that contracts the radius to a target by one half per step."""
    radius = tf.sqrt(z_x**2 + z_y**2 + 1e-30)
    return 1.0 + 0.5 * (target - radius) / target


def rotate(x, y, angle):
    return tf.cos(angle) * x - tf.sin(angle) * y, tf.sin(angle) * x + tf.cos(angle) * y


class Ring(HandBuilt):
    """A circle of radius 1 that attracts by one half per step; inputs turn the state, and so does
    `turn` (radians per step). `locking` slows it at multiples of a third of a turn."""

    turn: float = 0.0
    locking: float = 0.0
    gain: float = 0.5

    def step(self, w, drive, h):
        x, y = tf.unstack(h, axis=-1)
        angle = self.turn + self.gain * drive[..., 0]
        if self.locking:
            angle = angle - self.locking * tf.sin(3.0 * tf.math.atan2(y, x))
        # A state at the repelling middle would stay there.
        scale = radial(x, y)
        x, y = rotate(scale * x, scale * y, angle)
        return tf.stack([x, y], axis=-1)


class HopfIntegrator(HandBuilt):
    """A discrete Hopf normal form, whose amplitude depends on an integral that is read out."""

    units: int = 3
    turn: float = 0.9
    keep: float = 1.0

    def step(self, w, drive, h):
        total, x, y = tf.unstack(h, axis=-1)
        scale = radial(x, y, 1.0 + 0.3 * tf.tanh(total))
        x, y = rotate(scale * x, scale * y, tf.constant(self.turn, h.dtype))
        total = self.keep * total + 0.1 * drive[..., 0]
        return tf.stack([total, x, y], axis=-1)


class DelayLine(HandBuilt):
    """A chain of units, each of which holds what the one before it held: an echo of the input."""

    units: int = 64

    def step(self, w, drive, h):
        return tf.concat([drive[..., :1], h[..., :-1]], axis=-1)


class Rotations(HandBuilt):
    """Planes that rotate without end, each at an angle of its own: a reservoir."""

    units: int = 8

    def step(self, w, drive, h):
        parts = []
        for plane in range(self.units // 2):
            x, y = h[..., 2 * plane], h[..., 2 * plane + 1]
            angle = tf.constant(0.4 + 0.37 * plane, h.dtype)
            parts += rotate(x + drive[..., 0], y, angle)
        return tf.stack(parts, axis=-1)


class CuedCircle(HandBuilt):
    """Rotation at the frequency of the cue where the cue is at least `onset`, else rest."""

    onset: float = 0.0

    def step(self, w, drive, h):
        x, y = tf.unstack(h, axis=-1)
        cue = drive[..., 0]
        angle = 2.0 * np.pi * (0.01 + 0.04 * cue)
        scale = tf.where(cue >= self.onset, radial(x, y), 0.5)
        x, y = rotate(scale * x, scale * y, angle)
        return tf.stack([x, y], axis=-1)


def network(cell, inputs, outputs, start=0.0):
    """Return a population of one; its first units are read out."""
    size = cell.units
    return Population(
        cell=cell,
        weights={"kernel": np.zeros((1, inputs, size), np.float32)},
        readout={
            "kernel": np.eye(size, outputs, dtype=np.float32)[None],
            "bias": np.zeros((1, outputs), np.float32),
        },
        initial_state=np.full((1, size), start, np.float32),
    )
