"""The frequency-cued sine: a static input says how fast to oscillate."""

from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import StaticInputs, Task, Trials


class Sine(Task):
    """Sine wave whose frequency is cued by a constant input (Sussillo & Barak 2013).

    A cue x from 0 to 1 asks for sin(2 pi f t), where f rises linearly with x and t = 0 at the first
    time step. A batch holds every cue equally often, in order: as many trials as there are
    frequencies are simply all of them, whatever the seed. What is left over when the number of
    trials is no multiple is a random choice without repetition.
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
    """Number of cues, evenly spread from 0 to 1, at which fixed points are sought."""

    probe_trials: Annotated[int, Field(ge=1)] = 51
    """Number of trials on which networks are compared."""

    evaluation_trials: Annotated[int, Field(ge=1)] = 51
    """Number of noise-free trials on which a trained network is judged."""

    @model_validator(mode="after")
    def _frequency_rises(self) -> Self:
        if self.highest_frequency <= self.lowest_frequency:
            raise ValueError(
                f"highest_frequency {self.highest_frequency:g} should be above "
                f"lowest_frequency {self.lowest_frequency:g}"
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
        # Looked up, not computed in the graph: compiled, the phase of a fast sine rounds otherwise.
        cues = np.linspace(0.0, 1.0, self.frequencies)
        waves = np.sin(2.0 * np.pi * self.frequency(cues)[:, None] * np.arange(self.length))
        cue = tf.gather(tf.constant(cues, tf.float32), chosen)[:, None, None]
        return Trials(
            inputs=tf.repeat(cue, self.length, axis=1),
            targets=tf.gather(tf.constant(waves, tf.float32), chosen)[..., None],
            mask=tf.ones([trials, self.length]),
        )

    def _choose(self, seed: Tensor, trials: int) -> Tensor:
        """Index of each trial's cue, in rising order: int32 [trial]."""
        rounds, rest = divmod(trials, self.frequencies)
        lots = tf.random.stateless_uniform([self.frequencies], seed, alg="philox")
        extra = tf.argsort(lots)[:rest]
        return tf.sort(tf.concat([tf.tile(tf.range(self.frequencies), [rounds]), extra], axis=0))

    def frequency(self, cue: Array) -> Array:
        """Frequency that a cue x asks for, in cycles per time step."""
        return self.lowest_frequency + (self.highest_frequency - self.lowest_frequency) * cue

    def static_inputs(self) -> StaticInputs:
        cues = np.linspace(0.0, 1.0, self.static_cues)
        return StaticInputs(cues[:, None], tuple(f"x = {cue:.4g}" for cue in cues))
