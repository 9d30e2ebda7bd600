"""Sine wave whose frequency is cued by a constant input."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import StaticInputs, Task, Trials


class Sine(Task):
    """Sine wave whose frequency is cued by a constant input.

    The target for a cue x from 0 to 1 is sin(2 pi f t). The frequency f rises linearly with x, and
    t = 0 at the first time step. A batch has every cue equally often, in order. If the number of
    trials is no multiple of the number of cues, the remaining cues are a random selection without
    repetition.

    References
    ----------
    Sussillo & Barak (2013), "Opening the black box: low-dimensional dynamics in high-dimensional
    recurrent neural networks".

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.tasks.sine import Sine
    >>> Sine().frequency(np.array([0.0, 1.0])).tolist()
    [0.01, 0.05]
    """

    kind: ClassVar[str] = "sine"

    frequencies: Annotated[int, Field(ge=2, le=10_000)] = 51
    """Number of cues x, evenly spread from 0 to 1."""

    lowest_frequency: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    """Frequency at x = 0, in cycles per time step."""

    highest_frequency: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Frequency at x = 1, in cycles per time step."""

    length: Annotated[int, Field(ge=2, le=100_000)] = 100
    """Number of time steps of a trial."""

    static_cues: Annotated[int, Field(ge=2, le=10_000)] = 21
    """Number of cues, evenly spread from 0 to 1, at which fixed points are computed."""

    probe_trials: Annotated[int, Field(ge=1)] = 51
    """Number of trials on which networks are compared."""

    evaluation_trials: Annotated[int, Field(ge=1)] = 51
    """Number of noise-free trials for the evaluation of a trained network."""

    @model_validator(mode="after")
    def _frequency_rises(self) -> Self:
        if self.highest_frequency <= self.lowest_frequency:
            raise ValueError(
                f"highest_frequency must be above lowest_frequency, got "
                f"{self.highest_frequency:g} and {self.lowest_frequency:g}"
            )
        return self

    @property
    def inputs(self) -> int:
        return 1

    @property
    def outputs(self) -> int:
        return 1

    def sample(self, seed: Tensor, trials: int) -> Trials:
        chosen = self._choose(seed, trials)
        # A table, since the phase of a fast sine rounds differently in a compiled graph.
        cues = np.linspace(0.0, 1.0, self.frequencies)
        waves = np.sin(2.0 * np.pi * self.frequency(cues)[:, None] * np.arange(self.length))
        cue = tf.gather(tf.constant(cues, tf.float32), chosen)[:, None, None]
        return Trials(
            inputs=tf.repeat(cue, self.length, axis=1),
            targets=tf.gather(tf.constant(waves, tf.float32), chosen)[..., None],
            mask=tf.ones([trials, self.length]),
        )

    def _choose(self, seed: Tensor, trials: int) -> Tensor:
        """Return the index of each trial's cue, in ascending order: int32 [trial]."""
        rounds, remainder = divmod(trials, self.frequencies)
        keys = tf.random.stateless_uniform([self.frequencies], seed, alg="philox")
        extra = tf.argsort(keys)[:remainder]
        return tf.sort(tf.concat([tf.tile(tf.range(self.frequencies), [rounds]), extra], axis=0))

    def frequency(self, cue: Array) -> Array:
        """Return the target frequency of a cue x, in cycles per time step."""
        return self.lowest_frequency + (self.highest_frequency - self.lowest_frequency) * cue

    def static_inputs(self) -> StaticInputs:
        cues = np.linspace(0.0, 1.0, self.static_cues)
        return StaticInputs(cues[:, None], tuple(f"x = {cue:.4g}" for cue in cues))
