"""Delayed match to sample: a second stimulus is compared with the first."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import StaticInputs, Trials, check_sample, split_seed
from rnnstudy.tasks.epochs.base import Steps, during, show
from rnnstudy.tasks.epochs.choices import ChoiceTask


class DelayedMatch(ChoiceTask):
    """Delayed match to sample.

    The inputs are fixation and one channel for each stimulus. A sample is shown, then a delay, then
    a test. Half of the tests match the sample; all other stimuli are equally likely. The classes
    are to fixate, match, and no match.

    References
    ----------
    Meyer, Qi, Stanford & Constantinidis (2011), "Stimulus selectivity in dorsal and ventral
    prefrontal cortex after training in working memory tasks".

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.delayed_match import DelayedMatch
    >>> DelayedMatch(stimuli=3).static_inputs().labels
    ('delay', 'stimulus 1', 'stimulus 2', 'stimulus 3', 'response')
    """

    kind: ClassVar[str] = "delayed_match"
    parts: ClassVar[tuple[str, ...]] = ("fixation", "sample_steps", "delay", "test", "response")

    stimuli: Annotated[int, Field(ge=2, le=64)] = 2
    """Number of stimuli, each with one input."""

    fixation: Steps = 5
    """Time steps before the sample."""

    sample_steps: Steps = 10
    """Time steps of the sample."""

    delay: Steps = 20
    """Time steps between sample and test."""

    test: Steps = 10
    """Time steps of the test."""

    response: Steps = 10
    """Time steps of the response, which follows the test."""

    @property
    def inputs(self) -> int:
        return 1 + self.stimuli

    @property
    def outputs(self) -> int:
        return 3

    @property
    def standard_training(self) -> Mapping[str, Any]:
        """Training with a lower rate and more steps, for the two events to be combined."""
        return {"learning_rate": 3e-3, "steps": 3000, "batch": 64}

    def sample(self, seed: Tensor, trials: int) -> Trials:
        check_sample(seed, trials)
        first_seed, match_seed, other_seed, noise_seed = split_seed(seed, 4)
        first = _integers(first_seed, trials, self.stimuli)
        is_match = tf.random.stateless_uniform([trials], match_seed, alg="philox") < 0.5
        step = 1 + _integers(other_seed, trials, self.stimuli - 1)
        second = (first + tf.where(is_match, 0, step)) % self.stimuli
        shown = [
            show(tf.one_hot(stimulus, self.stimuli), self.epochs, epoch)
            for stimulus, epoch in ((first, "sample"), (second, "test"))
        ]
        return self.assemble(tf.add_n(shown), noise_seed, self.choices(tf.where(is_match, 1, 2)))

    def trial_fields(self, trials: Trials) -> Mapping[str, Array]:
        """Return the stimuli `sample` and `test`, from 1, and the `choice`, from 0."""
        shown = np.asarray(trials.inputs)[..., 1:]
        stimuli = {
            part: (shown * during(self.epochs, part)[:, None]).sum(axis=1).argmax(axis=-1) + 1
            for part in ("sample", "test")
        }
        return {**stimuli, **super().trial_fields(trials)}

    def static_inputs(self) -> StaticInputs:
        stimuli = {f"stimulus {i + 1}": row for i, row in enumerate(np.eye(self.stimuli))}
        return self.fixed_inputs({"delay": np.zeros(self.stimuli), **stimuli})


def _integers(seed: Tensor, trials: int, count: int) -> Tensor:
    """Return whole numbers from 0 to count - 1, int32 [trial]."""
    return tf.random.stateless_uniform([trials], seed, maxval=count, dtype=tf.int32, alg="philox")
