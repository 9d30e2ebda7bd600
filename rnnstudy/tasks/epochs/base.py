"""Base class of tasks whose trials have parts, of which the last is the response."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arguments.durations import STEPS
from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import Shift, StaticInputs, Task, Trials
from rnnstudy.tasks.shifts import longer_delays

Steps = Annotated[int, Field(ge=1, le=100_000), STEPS]
"""Number of time steps of a part of a trial, or with `dt` text such as `200ms`."""

Epochs = Mapping[str, int]
"""Name of each part of a trial -> its number of time steps, in order."""


class EpochTask(Task):
    """Base class of tasks whose trials have parts, the last of which is the response.

    A subclass names its `parts`. The first input is 1 until the response, then 0. All others carry
    stimuli.

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.go_no_go import GoNoGo
    >>> task = GoNoGo(fixation=2, stimulus=3, delay=4, response=1)
    >>> task.length, list(task.epochs)
    (10, ['fixation', 'stimulus', 'delay', 'response'])
    """

    fixation_weight: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Weight in the loss of the time steps before the response; those of the response weigh 1."""

    input_noise: Annotated[float, Field(ge=0)] = 0.1
    """Standard deviation of white noise on the inputs that carry stimuli."""

    parts: ClassVar[tuple[str, ...]]
    """Fields with the number of time steps of each part of a trial, in order."""

    @property
    def epochs(self) -> Epochs:
        """Name of each part of a trial -> its number of time steps; the last is `response`."""
        return {name.removesuffix("_steps"): getattr(self, name) for name in self.parts}

    @property
    def length(self) -> int:
        return sum(self.epochs.values())

    def shifts(self) -> tuple[Shift, ...]:
        return (longer_delays(self),) if "delay" in type(self).model_fields else ()

    def assemble(self, stimuli: Tensor, noise_seed: Tensor, targets: Tensor) -> Trials:
        """Return trials with a fixation input, noise on the stimuli, and a mask.

        Parameters
        ----------
        stimuli
            Inputs without noise, [trial, time, stimulus].
        noise_seed
            Seed of the noise, int32 [2].
        targets
            Targets [trial, time, output].
        """
        noise = tf.random.stateless_normal(stimuli.shape, noise_seed, alg="philox")
        response = during(self.epochs, "response")
        trials = stimuli.shape[0]
        fixation = np.tile(1.0 - response[None, :, None], [trials, 1, 1])
        weights = response + np.float32(self.fixation_weight) * (1.0 - response)
        return Trials(
            inputs=tf.concat([fixation, stimuli + self.input_noise * noise], axis=-1),
            targets=targets,
            mask=tf.constant(np.tile(weights, [trials, 1])),
        )

    def fixed_inputs(self, stimuli: Mapping[str, Array]) -> StaticInputs:
        """Return constant inputs: fixation with each of these stimuli, and that of the response.

        Parameters
        ----------
        stimuli
            Label -> inputs [stimulus].
        """
        rows = [np.concatenate([[1.0], values]) for values in stimuli.values()]
        rows.append(np.zeros_like(rows[0]))
        return StaticInputs(np.array(rows), (*stimuli, "response"))


def during(epochs: Epochs, *names: str) -> Array:
    """Return 1 at the time steps of these parts, 0 at all others: float32 [time].

    Raises KeyError if there is no part of a name.

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.base import during
    >>> during({"sample": 1, "delay": 2, "response": 1}, "sample", "response").tolist()
    [1.0, 0.0, 0.0, 1.0]
    """
    if unknown := sorted(set(names) - set(epochs)):
        raise KeyError(f"epochs must be of {', '.join(epochs)}, got {', '.join(unknown)}")
    parts = [np.full(steps, name in names, np.float32) for name, steps in epochs.items()]
    return np.concatenate(parts)


def show(stimuli: Tensor, epochs: Epochs, *names: str) -> Tensor:
    """Return stimuli [trial, stimulus] as inputs [trial, time, stimulus], 0 outside these parts."""
    return stimuli[:, None, :] * during(epochs, *names)[None, :, None]
