"""The n-bit memory: hold the sign of the last pulse on each channel."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import PROBE_SEED, StaticInputs, Task, Trials, split_seed


class FlipFlop(Task):
    """N-bit memory: each output holds the last pulse of its channel (Sussillo & Barak 2013).

    Pulses are -1 or 1 and come at random times; between them the input is 0.
    """

    kind: ClassVar[str] = "flip_flop"

    bits: Annotated[int, Field(ge=1, le=16)] = 3
    """Number of channels, each an input with its own output."""

    length: Annotated[int, Field(ge=2, le=100_000)] = 100
    """Number of time steps of a trial."""

    pulse_probability: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Probability of a pulse, for each channel and time step."""

    force_first: bool = True
    """Whether every channel has a pulse at the first time step; otherwise its target is 0 until its
    first pulse, and some networks store that 0 as one more state."""

    probe_length: Annotated[int, Field(ge=2, le=100_000)] = 60
    """Number of time steps of the trials on which networks are compared."""

    probe_pulse_probability: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Pulse probability in the trials on which networks are compared."""

    solved_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.99
    """... and its accuracy, the share of right signs, is above this value."""

    @property
    def inputs(self) -> int:
        return self.bits

    @property
    def outputs(self) -> int:
        return self.bits

    @property
    def words(self) -> bool:
        return True

    def sample(self, seed: Tensor, trials: int) -> Trials:
        shape = [trials, self.length, self.bits]
        when, which = split_seed(seed, 2)
        pulsed = tf.random.stateless_uniform(shape, when, alg="philox") < self.pulse_probability
        if self.force_first:
            pulsed = tf.concat([tf.ones_like(pulsed[:, :1]), pulsed[:, 1:]], axis=1)
        negative = tf.random.stateless_uniform(shape, which, alg="philox") < 0.5
        pulses = tf.where(pulsed, tf.where(negative, -1.0, 1.0), 0.0)
        return Trials(pulses, held(pulses), tf.ones(shape[:2]))

    def probe(self) -> Trials:
        denser = self.changed(
            length=self.probe_length, pulse_probability=self.probe_pulse_probability
        )
        return denser.sample(tf.constant(PROBE_SEED), self.probe_trials)

    def static_inputs(self) -> StaticInputs:
        return StaticInputs(np.zeros((1, self.bits)), ("no input",))

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Share of right signs over trials, time and channels that have had a pulse.

        outputs and targets [..., trial, time, output], mask [..., trial, time] -> [...].
        """
        counted = mask[..., None] * tf.abs(targets)
        # A product, not two signs compared: an output that is NaN is wrong.
        right = tf.cast(outputs * targets > 0.0, mask.dtype)
        axes = [-3, -2, -1]
        return tf.math.divide_no_nan(
            tf.reduce_sum(counted * right, axis=axes), tf.reduce_sum(counted, axis=axes)
        )


def held(pulses: Tensor) -> Tensor:
    """The last pulse so far, 0 before the first: [trial, time, channel] -> the same axes.

    Each round doubles how far back every time step has looked, so that the number of rounds is the
    logarithm of the length.
    """
    trials, length, channels = pulses.shape
    # Time and channels in one axis: rows of a few channels are slow to move.
    flat, back = tf.reshape(pulses, [trials, length * channels]), channels
    while back < length * channels:
        earlier = tf.pad(flat[:, :-back], [[0, 0], [back, 0]])
        flat = tf.where(flat == 0.0, earlier, flat)
        back *= 2
    return tf.reshape(flat, pulses.shape)
