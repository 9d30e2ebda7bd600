"""Parametric working memory: a second frequency is compared with the first."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import SHIFT_SEED, Shift, StaticInputs, Trials, check_sample, split_seed
from rnnstudy.tasks.epochs.base import Steps, during, show
from rnnstudy.tasks.epochs.choices import ChoiceTask
from rnnstudy.tasks.shifts import longer_delays


class ParametricMemory(ChoiceTask):
    """Comparison of two frequencies over a delay.

    The inputs are fixation and the frequency of a vibration, in units of the highest one. The first
    frequency is one of `frequencies`. The second is higher or lower by `difference`. The classes
    are to fixate, first higher, and second higher.

    References
    ----------
    Romo, Brody, Hernandez & Lemus (1999), "Neuronal correlates of parametric working memory in the
    prefrontal cortex".

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.parametric_memory import ParametricMemory
    >>> ParametricMemory().first_frequencies().tolist()
    [10.0, 14.0, 18.0, 22.0, 26.0, 30.0, 34.0]
    """

    kind: ClassVar[str] = "parametric_memory"
    parts: ClassVar[tuple[str, ...]] = ("fixation", "first", "delay", "second", "response")

    frequencies: Annotated[int, Field(ge=2, le=10_000)] = 7
    """Number of first frequencies, evenly spread."""

    lowest_frequency: Annotated[float, Field(gt=0)] = 10.0
    """Lowest first frequency in hertz."""

    highest_frequency: Annotated[float, Field(gt=0)] = 34.0
    """Highest first frequency in hertz."""

    difference: Annotated[float, Field(gt=0)] = 8.0
    """Difference between the two frequencies in hertz."""

    input_noise: Annotated[float, Field(ge=0)] = 0.02
    """Standard deviation of white noise on the frequency, in units of the highest one."""

    fixation: Steps = 5
    """Time steps before the first vibration."""

    first: Steps = 10
    """Time steps of the first vibration."""

    delay: Steps = 20
    """Time steps between the vibrations."""

    second: Steps = 10
    """Time steps of the second vibration."""

    response: Steps = 10
    """Time steps of the response, which follows the second vibration."""

    @model_validator(mode="after")
    def _frequencies_are_positive(self) -> Self:
        if self.highest_frequency <= self.lowest_frequency:
            raise ValueError(
                f"highest_frequency must be above lowest_frequency, got "
                f"{self.highest_frequency:g} and {self.lowest_frequency:g}"
            )
        if self.difference >= self.lowest_frequency:
            raise ValueError(
                f"difference must be below lowest_frequency, got {self.difference:g} and "
                f"{self.lowest_frequency:g}"
            )
        return self

    @property
    def inputs(self) -> int:
        return 2

    @property
    def outputs(self) -> int:
        return 3

    @property
    def standard_training(self) -> Mapping[str, Any]:
        """Training with a lower rate and more steps, for the graded memory."""
        return {"learning_rate": 3e-3, "steps": 3000, "batch": 64}

    def first_frequencies(self) -> Array:
        """Return the first frequencies in hertz, [frequency]."""
        return np.linspace(self.lowest_frequency, self.highest_frequency, self.frequencies)

    def amplitude(self, frequency: Array) -> Array:
        """Return frequencies in units of the highest one."""
        return frequency / (self.highest_frequency + self.difference)

    def sample(self, seed: Tensor, trials: int) -> Trials:
        check_sample(seed, trials)
        return self._sample(self.first_frequencies(), seed, trials)

    def _sample(self, frequencies: Array, seed: Tensor, trials: int) -> Trials:
        """Return trials whose first frequency is one of these, each equally likely."""
        first_seed, choice_seed, noise_seed = split_seed(seed, 3)
        chosen = tf.random.stateless_uniform(
            [trials], first_seed, maxval=len(frequencies), dtype=tf.int32, alg="philox"
        )
        is_higher = tf.random.stateless_uniform([trials], choice_seed, alg="philox") < 0.5
        first = tf.gather(tf.constant(self.amplitude(frequencies), tf.float32), chosen)
        change = float(self.amplitude(np.array(self.difference)))
        second = first + tf.where(is_higher, change, -change)
        shown = show(first[:, None], self.epochs, "first")
        shown += show(second[:, None], self.epochs, "second")
        return self.assemble(shown, noise_seed, self.choices(tf.where(is_higher, 2, 1)))

    def trial_fields(self, trials: Trials) -> Mapping[str, Array]:
        """Return the frequency `first` in hertz, the nearest of the task's, and the `choice`."""
        within = during(self.epochs, "first")
        shown = np.asarray(trials.inputs)[..., 1] @ within / within.sum()
        known = self.first_frequencies()
        nearest = np.abs(shown[:, None] - self.amplitude(known)).argmin(axis=-1)
        return {"first": known[nearest], **super().trial_fields(trials)}

    def static_inputs(self) -> StaticInputs:
        vibrations = {
            f"{f:.3g} Hz": self.amplitude(np.array([f])) for f in self.first_frequencies()
        }
        return self.fixed_inputs({"delay": np.zeros(1), **vibrations})

    def shifts(self) -> tuple[Shift, ...]:
        return (longer_delays(self), self._unseen_frequencies())

    def _unseen_frequencies(self) -> Shift:
        """Return the shift to first frequencies between those of training."""
        known = self.first_frequencies()
        between = tuple(((known[1:] + known[:-1]) / 2.0).tolist())

        def sample(frequency: float, trials: int) -> Trials:
            return self._sample(np.array([frequency]), tf.constant(SHIFT_SEED), trials)

        return Shift("unseen frequencies", "hertz", between, sample)
