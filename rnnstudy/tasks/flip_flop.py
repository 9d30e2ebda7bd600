"""N-bit memory: the sign of the last pulse on each channel."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arguments.durations import STEPS
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import (
    PROBE_SEED,
    Shift,
    StaticInputs,
    Task,
    Trials,
    check_sample,
    longer_trials,
    split_seed,
)
from rnnstudy.tasks.shifts import delays, other_values, scaled_inputs

PULSE_NOISE = 0.3
"""Standard deviation of the noise of noisy delays, in heights of a pulse."""


class FlipFlop(Task):
    """N-bit memory: the target of each output is the last pulse of its channel.

    Pulses are -1 or 1 at random times. Between pulses the input is 0.

    References
    ----------
    Sussillo & Barak (2013), "Opening the black box: low-dimensional dynamics in high-dimensional
    recurrent neural networks".

    Examples
    --------
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> FlipFlop(bits=2, length=10).evaluation().targets.shape.as_list()
    [256, 10, 2]
    """

    kind: ClassVar[str] = "flip_flop"

    bits: Annotated[int, Field(ge=1, le=16)] = 3
    """Number of channels, each with one input and one output."""

    length: Annotated[int, Field(ge=2, le=100_000), STEPS] = 100
    """Number of time steps of a trial."""

    pulse_probability: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Probability of a pulse, for each channel and time step."""

    force_first: bool = True
    """Give every channel a pulse at the first time step. Otherwise its target is 0 until its first
    pulse, and some networks store this 0 as a further state."""

    probe_length: Annotated[int, Field(ge=2, le=100_000), STEPS] = 60
    """Number of time steps of the trials on which networks are compared."""

    probe_pulse_probability: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Probability of a pulse in the trials on which networks are compared."""

    solved_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.99
    """Smallest accuracy (share of correct signs) of a network that has solved the task."""

    @property
    def title_in_words(self) -> str:
        return f"{self.bits}-bit flip-flop memory"

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
        check_sample(seed, trials)
        shape = [trials, self.length, self.bits]
        time_seed, sign_seed = split_seed(seed, 2)
        pulsed = (
            tf.random.stateless_uniform(shape, time_seed, alg="philox") < self.pulse_probability
        )
        if self.force_first:
            pulsed = tf.concat([tf.ones_like(pulsed[:, :1]), pulsed[:, 1:]], axis=1)
        negative = tf.random.stateless_uniform(shape, sign_seed, alg="philox") < 0.5
        pulses = tf.where(pulsed, tf.where(negative, -1.0, 1.0), 0.0)
        return Trials(pulses, last_pulse(pulses), tf.ones(shape[:2]))

    def probe(self) -> Trials:
        denser = self.replace(
            length=self.probe_length, pulse_probability=self.probe_pulse_probability
        )
        return denser.sample(tf.constant(PROBE_SEED), self.probe_trials)

    def trial_fields(self, trials: Trials) -> Mapping[str, Array]:
        """Return no field: pulses come at random times. A recording must have inputs."""
        return {}

    def static_inputs(self) -> StaticInputs:
        return StaticInputs(np.zeros((1, self.bits)), ("no input",))

    def shifts(self) -> tuple[Shift, ...]:
        rates, heights = (0.01, 0.1, 0.2, 0.4), (0.5, 0.75, 1.0, 1.5, 2.0)
        return (
            longer_trials(self),
            other_values(
                self, "pulse_probability", rates, "pulse probability", "pulses per step and channel"
            ),
            scaled_inputs(self, slice(None), heights, "pulse height", "heights in training"),
            delays(self, self.bits, "silent delay"),
            delays(self, self.bits, "noisy delay", noise=PULSE_NOISE),
        )

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the share of correct signs [...] over trials, time and channels with a pulse.

        outputs and targets are [..., trial, time, output], mask is [..., trial, time].
        """
        counted = mask[..., None] * tf.abs(targets)
        # A product, so that a NaN output is wrong.
        correct = tf.cast(outputs * targets > 0.0, mask.dtype)
        axes = [-3, -2, -1]
        return tf.math.divide_no_nan(
            tf.reduce_sum(counted * correct, axis=axes), tf.reduce_sum(counted, axis=axes)
        )


def last_pulse(pulses: Tensor) -> Tensor:
    """Return the last pulse at each time step, 0 before the first: [trial, time, channel].

    Each round doubles the range of earlier time steps, so that the number of rounds is the
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
