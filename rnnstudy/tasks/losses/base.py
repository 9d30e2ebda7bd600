"""Base class of losses: the cost of outputs at each time step, and the accuracy of outputs."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.component import Entry
from rnnstudy.core.lazy_imports import tf


class Loss(Entry):
    """Base class of losses. A subclass defines `of_steps`, `accuracy` and `title`.

    The loss of a network is the mean of `of_steps` over trials and time steps, weighted by
    `weights`. All methods are TensorFlow operations, which XLA must be able to compile.

    Examples
    --------
    >>> from rnnstudy.tasks.losses import LOSSES
    >>> LOSSES["cross_entropy"]().title
    'cross-entropy'
    """

    noun: ClassVar[str] = "loss"

    title: ClassVar[str] = "loss"
    """Name of the loss in the report."""

    accuracy_title: ClassVar[str] = "accuracy"
    """Name of the accuracy in the report."""

    display_title: ClassVar[str] = "output"
    """Name of the curves of `display` in the report."""

    missing_target_remedy: ClassVar[str] = (
        "If NaN means that there is no target, write a finite one, and 0 in the mask."
    )
    """Advice to the author of a task whose targets are not finite."""

    @property
    def allows_nan(self) -> bool:
        """True if a target may be NaN, whose output does not count at that time step."""
        return False

    @abstractmethod
    def of_steps(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss [..., trial, time] of each time step.

        Parameters
        ----------
        outputs, targets
            [..., trial, time, output]. The first two axes of one network may be swapped.
        """

    @abstractmethod
    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the accuracy [...], 0 to 1, of a task that defines none of its own.

        Parameters
        ----------
        outputs, targets
            [..., trial, time, output].
        mask
            [..., trial, time].
        """

    def weights(self, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the weight [..., trial, time] of each time step; by default the mask."""
        return mask

    def value(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the loss [...]: the weighted mean over trials and time steps.

        Parameters
        ----------
        outputs, targets
            [..., trial, time, output].
        mask
            [..., trial, time].
        """
        weights = self.weights(targets, mask)
        total = tf.reduce_sum(weights * self.of_steps(outputs, targets), axis=[-2, -1])
        return total / tf.reduce_sum(weights, axis=[-2, -1])

    def display(self, outputs: Array) -> Array:
        """Return outputs [..., output] as the report draws them beside targets."""
        return outputs

    def misfit(self, targets: Array, mask: Array) -> str:
        """Return why targets cannot be learned with this loss; empty if they can.

        Parameters
        ----------
        targets
            [trial, time, output].
        mask
            [trial, time].
        """
        return ""

    def size_error(self, outputs: int) -> str:
        """Return why a number of outputs does not fit the loss; empty if it does."""
        return ""


def weights_error(name: str, weights: tuple[float, ...] | None, outputs: int) -> str:
    """Return why weights do not fit a number of outputs; empty if they do."""
    if weights is None:
        return ""
    if len(weights) != outputs:
        return f"{name} must have one weight for each of {outputs} outputs, got {len(weights)}"
    if not np.sum(weights) > 0.0:
        return f"{name} must have a weight above 0, got zeros alone"
    return ""
