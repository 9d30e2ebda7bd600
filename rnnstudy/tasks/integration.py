"""Context-dependent integration of one of several noisy streams."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arguments.durations import STEPS
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import (
    Shift,
    StaticInputs,
    Task,
    Trials,
    check_sample,
    longer_trials,
    split_seed,
)
from rnnstudy.tasks.shifts import delays, other_values, scaled_inputs

STREAM_NOISE = 0.1
"""Standard deviation of the noise of noisy delays, as a share of that of the streams."""


class Integration(Task):
    """Integration of the stream that a context selects.

    The inputs are streams of white noise about a mean, then a one-hot context, constant over the
    trial. The target is the running sum of the stream that the context selects, times `gain`.

    References
    ----------
    Mante, Sussillo, Shenoy & Newsome (2013), "Context-dependent computation by recurrent dynamics
    in prefrontal cortex".

    Examples
    --------
    >>> from rnnstudy.tasks.integration import Integration
    >>> Integration(streams=2).static_inputs().labels
    ('context 1', 'context 2')
    """

    kind: ClassVar[str] = "integration"

    streams: Annotated[int, Field(ge=1, le=64)] = 2
    """Number of streams, and of contexts."""

    length: Annotated[int, Field(ge=2, le=100_000), STEPS] = 50
    """Number of time steps of a trial."""

    mean_range: Annotated[float, Field(ge=0)] = 0.2
    """Largest modulus of a stream's mean, which is drawn uniformly for each trial and stream."""

    sigma: Annotated[float, Field(ge=0)] = 1.0
    """Standard deviation of the noise about the mean, independent at each time step."""

    gain: Annotated[float, Field(gt=0)] = 0.1
    """Increase of the target per unit of input."""

    @property
    def title_in_words(self) -> str:
        return f"Context-dependent integration of {self.streams} streams"

    @property
    def inputs(self) -> int:
        return 2 * self.streams

    @property
    def outputs(self) -> int:
        return 1

    @property
    def standard_training(self) -> Mapping[str, Any]:
        """Training with larger batches, for the noise of the inputs, and more steps."""
        return {"steps": 2000, "batch": 64}

    def sample(self, seed: Tensor, trials: int) -> Trials:
        check_sample(seed, trials)
        means, noise, contexts = split_seed(seed, 3)
        stimulus = self._stimulus(means, noise, trials)
        attended = tf.random.stateless_uniform(
            [trials], contexts, maxval=self.streams, dtype=tf.int32, alg="philox"
        )
        context = tf.repeat(tf.one_hot(attended, self.streams)[:, None, :], self.length, axis=1)
        followed = tf.reduce_sum(stimulus * context, axis=-1, keepdims=True)
        return Trials(
            inputs=tf.concat([stimulus, context], axis=-1),
            targets=self.gain * tf.cumsum(followed, axis=1),
            mask=tf.ones([trials, self.length]),
        )

    def _stimulus(self, means: Tensor, noise: Tensor, trials: int) -> Tensor:
        """Return the streams [trial, time, stream]."""
        mean = tf.random.stateless_uniform(
            [trials, 1, self.streams], means, -1.0, 1.0, alg="philox"
        )
        shape = [trials, self.length, self.streams]
        spread = tf.random.stateless_normal(shape, noise, alg="philox")
        return self.mean_range * mean + self.sigma * spread

    def trial_fields(self, trials: Trials) -> Mapping[str, Array]:
        """Return the `context`, from 1, and the `choice`, which is the sign of the last target."""
        context = np.asarray(trials.inputs)[:, 0, self.streams :].argmax(axis=-1) + 1
        return {"context": context, **super().trial_fields(trials)}

    def static_inputs(self) -> StaticInputs:
        values = np.concatenate([np.zeros((self.streams, self.streams)), np.eye(self.streams)], 1)
        return StaticInputs(values, tuple(f"context {i + 1}" for i in range(self.streams)))

    def shifts(self) -> tuple[Shift, ...]:
        context, factors = slice(self.streams, None), (0.5, 0.75, 1.0, 1.25, 1.5)
        means, spreads = (0.0, 0.5, 1.0), (0.0, 0.5, 2.0)
        return (
            longer_trials(self),
            other_values(self, "mean_range", means, "evidence", "largest mean of a stream"),
            other_values(self, "sigma", spreads, "stream noise", "standard deviation"),
            scaled_inputs(self, context, factors, "context strength", "strengths in training"),
            delays(self, self.streams, "silent delay"),
            delays(self, self.streams, "noisy delay", noise=STREAM_NOISE * self.sigma),
        )
