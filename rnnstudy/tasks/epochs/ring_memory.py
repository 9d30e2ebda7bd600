"""Ring memory: report an angle after a delay."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.base import StaticInputs, Trials, check_sample, split_seed
from rnnstudy.tasks.epochs.angles import nearest_angle, within_tolerance
from rnnstudy.tasks.epochs.base import EpochTask, Steps, show


class RingMemory(EpochTask):
    """Memory of an angle, such as the direction of a saccade.

    The inputs are fixation, and cosine and sine of the angle during the stimulus. The outputs are
    cosine and sine of the angle in the response, 0 before it. Angles are uniform on the circle.

    References
    ----------
    Compte, Brunel, Goldman-Rakic & Wang (2000), "Synaptic mechanisms and network dynamics
    underlying spatial working memory in a cortical network model".

    Examples
    --------
    >>> from rnnstudy.tasks.epochs.ring_memory import RingMemory
    >>> RingMemory(static_angles=4).static_inputs().labels
    ('delay', '0 degrees', '90 degrees', '180 degrees', '270 degrees', 'response')
    """

    kind: ClassVar[str] = "ring_memory"
    parts: ClassVar[tuple[str, ...]] = ("fixation", "stimulus", "delay", "response")

    fixation: Steps = 5
    """Time steps before the stimulus."""

    stimulus: Steps = 10
    """Time steps of the stimulus."""

    delay: Steps = 20
    """Time steps between stimulus and response."""

    response: Steps = 10
    """Time steps of the response."""

    tolerance: Annotated[float, Field(gt=0, le=180)] = 15.0
    """Largest error of a correct angle, in degrees."""

    static_angles: Annotated[int, Field(ge=1, le=10_000)] = 4
    """Number of angles, evenly spread, whose stimuli are constant inputs for fixed points."""

    solved_loss: Annotated[float, Field(gt=0)] | None = 0.02
    """Largest evaluation loss of a network that has solved the task; null for no bound."""

    solved_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Smallest share of correct angles of a network that has solved the task."""

    @property
    def inputs(self) -> int:
        return 3

    @property
    def outputs(self) -> int:
        return 2

    @property
    def standard_training(self) -> Mapping[str, Any]:
        """Training with a lower rate and more steps, for the graded memory."""
        return {"learning_rate": 3e-3, "steps": 3000, "batch": 64}

    def sample(self, seed: Tensor, trials: int) -> Trials:
        check_sample(seed, trials)
        angle_seed, noise_seed = split_seed(seed, 2)
        angle = tf.random.stateless_uniform([trials], angle_seed, maxval=2.0 * np.pi, alg="philox")
        point = tf.stack([tf.cos(angle), tf.sin(angle)], axis=-1)
        return self.assemble(
            show(point, self.epochs, "stimulus"), noise_seed, show(point, self.epochs, "response")
        )

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the share of time steps [...] of the response with an angle within `tolerance`.

        outputs and targets are [..., trial, time, output], mask is [..., trial, time].
        """
        correct = tf.cast(within_tolerance(outputs, targets, self.tolerance), mask.dtype)
        counted = mask * tf.cast(tf.reduce_any(targets != 0.0, axis=-1), mask.dtype)
        axes = [-2, -1]
        return tf.math.divide_no_nan(
            tf.reduce_sum(counted * correct, axis=axes), tf.reduce_sum(counted, axis=axes)
        )

    def trial_fields(self, trials: Trials) -> Mapping[str, Array]:
        """Return the `angle` in degrees, rounded to the nearest of the static angles."""
        return {"angle": nearest_angle(np.asarray(trials.targets)[:, -1], self.static_angles)}

    def static_inputs(self) -> StaticInputs:
        degrees = 360.0 * np.arange(self.static_angles) / self.static_angles
        points = np.stack([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))], axis=-1)
        stimuli = {f"{d:.4g} degrees": point for d, point in zip(degrees, points, strict=True)}
        return self.fixed_inputs({"delay": np.zeros(2), **stimuli})
