"""Sine wave whose frequency is cued by a constant input."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.core.arguments.durations import STEPS
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import (
    EVALUATION_SEED,
    SHIFT_SEED,
    VALIDATION_SEED,
    Shift,
    StaticInputs,
    Task,
    Trials,
    check_sample,
    longer_trials,
)

SHOWN_CUES = 11
"""Cues between those of training that are evaluated one by one."""

BEYOND_CUES = (-0.2, -0.1, -0.05, 1.05, 1.1, 1.2)
"""Cues below and above those of training."""


class Sine(Task):
    """Sine wave whose frequency is cued by a constant input.

    The target for a cue x from 0 to 1 is sin(2 pi f t). The frequency f rises linearly with x, and
    t = 0 at the first time step. A batch has every cue equally often, in order. If the number of
    trials is no multiple of the number of cues, the remaining cues are a random selection without
    repetition. Cues of the evaluation are midway between neighbouring cues of training. Cues of the
    validation are a quarter of the way.

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
    version: ClassVar[int] = 2

    frequencies: Annotated[int, Field(ge=2, le=10_000)] = 51
    """Number of cues x, evenly spread from 0 to 1."""

    lowest_frequency: Annotated[float, Field(gt=0, lt=0.5)] = 0.01
    """Frequency at x = 0, in cycles per time step."""

    highest_frequency: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    """Frequency at x = 1, in cycles per time step."""

    length: Annotated[int, Field(ge=2, le=100_000), STEPS] = 100
    """Number of time steps of a trial."""

    static_cues: Annotated[int, Field(ge=2, le=10_000)] = 21
    """Number of cues, evenly spread from 0 to 1, at which fixed points are computed."""

    probe_trials: Annotated[int, Field(ge=1)] = 51
    """Number of trials on which networks are compared."""

    evaluation_trials: Annotated[int, Field(ge=1)] = 50
    """Number of trials, without state noise, for the evaluation of a trained network. Their cues
    lie between those of training."""

    @model_validator(mode="after")
    def _frequency_rises(self) -> Self:
        if self.highest_frequency <= self.lowest_frequency:
            raise ValueError(
                f"highest_frequency must be above lowest_frequency, got "
                f"{self.highest_frequency:g} and {self.lowest_frequency:g}"
            )
        return self

    @property
    def title_in_words(self) -> str:
        return f"Sine waves of {self.frequencies} frequencies"

    @property
    def inputs(self) -> int:
        return 1

    @property
    def outputs(self) -> int:
        return 1

    @property
    def standard_training(self) -> Mapping[str, Any]:
        """Training with a lower rate, more steps, and a batch of one trial per cue."""
        return {"learning_rate": 3e-3, "steps": 2000, "batch": self.frequencies}

    def sample(self, seed: Tensor, trials: int) -> Trials:
        check_sample(seed, trials)
        return self._sample(np.linspace(0.0, 1.0, self.frequencies), seed, trials)

    def evaluation(self) -> Trials:
        return self._sample(
            self._between(0.5), tf.constant(EVALUATION_SEED), self.evaluation_trials
        )

    def validation(self) -> Trials:
        return self._sample(
            self._between(0.25), tf.constant(VALIDATION_SEED), self.evaluation_trials
        )

    def _between(self, share: float) -> Array:
        """Return a cue in each interval between neighbouring cues of training, [cue]."""
        return (np.arange(self.frequencies - 1) + share) / (self.frequencies - 1)

    def _sample(self, cues: Array, seed: Tensor, trials: int) -> Trials:
        """Return trials of some cues [cue], each equally often."""
        chosen = _choose(len(cues), seed, trials)
        # A table, since the phase of a fast sine rounds differently in a compiled graph.
        waves = np.sin(2.0 * np.pi * self.frequency(cues)[:, None] * np.arange(self.length))
        cue = tf.gather(tf.constant(cues, tf.float32), chosen)[:, None, None]
        return Trials(
            inputs=tf.repeat(cue, self.length, axis=1),
            targets=tf.gather(tf.constant(waves, tf.float32), chosen)[..., None],
            mask=tf.ones([trials, self.length]),
        )

    def shifts(self) -> tuple[Shift, ...]:
        return (longer_trials(self), self._unseen_cues(), self._noisy_cues())

    def _unseen_cues(self) -> Shift:
        """Return the shift to cues between those of training, and beyond them."""
        between = self._between(0.5)
        inner = between[np.linspace(0, len(between) - 1, SHOWN_CUES).round().astype(int)]
        cues = np.unique(np.concatenate([inner, BEYOND_CUES]))
        usable = (self.frequency(cues) > 0.0) & (self.frequency(cues) < 0.5)

        def sample(cue: float, trials: int) -> Trials:
            return self._sample(np.array([cue]), tf.constant(SHIFT_SEED), 1)

        return Shift("unseen cues", "cue", tuple(cues[usable].tolist()), sample)

    def _noisy_cues(self) -> Shift:
        """Return the shift to white noise on the cue."""

        def sample(deviation: float, trials: int) -> Trials:
            drawn = self._sample(self._between(0.5), tf.constant(SHIFT_SEED), trials)
            seed = tf.constant(SHIFT_SEED)
            noise = tf.random.stateless_normal(drawn.inputs.shape, seed, alg="philox")
            return drawn._replace(inputs=drawn.inputs + deviation * noise)

        unit = "standard deviation in units of the cue"
        return Shift("cue noise", unit, (0.0, 0.05, 0.1, 0.2, 0.5), sample, trained=0.0)

    def frequency(self, cue: Array) -> Array:
        """Return the target frequency of a cue x, in cycles per time step."""
        return self.lowest_frequency + (self.highest_frequency - self.lowest_frequency) * cue

    def trial_fields(self, trials: Trials) -> Mapping[str, Array]:
        """Return the `cue` x of each trial."""
        return {"cue": np.asarray(trials.inputs)[:, 0, 0].astype(float)}

    def static_inputs(self) -> StaticInputs:
        cues = np.linspace(0.0, 1.0, self.static_cues)
        return StaticInputs(cues[:, None], tuple(f"x = {cue:.4g}" for cue in cues))


def _choose(count: int, seed: Tensor, trials: int) -> Tensor:
    """Return one of `count` positions per trial, each equally often, in order: int32 [trial]."""
    rounds, remainder = divmod(trials, count)
    keys = tf.random.stateless_uniform([count], seed, alg="philox")
    extra = tf.argsort(keys)[:remainder]
    return tf.sort(tf.concat([tf.tile(tf.range(count), [rounds]), extra], axis=0))
