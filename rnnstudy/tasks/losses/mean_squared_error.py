"""Mean squared error of the outputs."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.losses.base import Loss, weights_error


class MeanSquaredError(Loss):
    """Mean squared error over outputs, time steps and trials.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.tasks.losses import MeanSquaredError
    >>> outputs, targets = np.array([[[1.0, 2.0]]]), np.zeros((1, 1, 2))
    >>> float(MeanSquaredError(output_weights=(3, 1)).value(outputs, targets, np.ones((1, 1))))
    1.75
    """

    kind: ClassVar[str] = "mean_squared_error"
    title: ClassVar[str] = "mean squared error"

    output_weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    """Weight of each output; an output of weight 0 is not trained. Default: all weigh the same."""

    def of_steps(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self._mean((outputs - targets) ** 2)

    def _mean(self, values: Tensor) -> Tensor:
        """Return the weighted mean over the last axis."""
        if self.output_weights is None:
            return tf.reduce_mean(values, axis=-1)
        shares = np.array(self.output_weights) / np.sum(self.output_weights)
        return tf.reduce_sum(tf.cast(shares, values.dtype) * values, axis=-1)

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the share [...] of the target's variance that is explained, at least 0."""
        weight = mask[..., None]
        count = tf.reduce_sum(weight, axis=[-3, -2], keepdims=True)
        mean = tf.reduce_sum(weight * targets, axis=[-3, -2], keepdims=True) / count
        if self.output_weights is not None:
            weight = weight * tf.cast(np.array(self.output_weights), mask.dtype)
        missed = tf.reduce_sum(weight * (outputs - targets) ** 2, axis=[-3, -2, -1])
        total = tf.reduce_sum(weight * (targets - mean) ** 2, axis=[-3, -2, -1])
        return tf.maximum(1.0 - missed / total, 0.0)

    def size_error(self, outputs: int) -> str:
        return weights_error("output_weights", self.output_weights, outputs)


def mean_squared_error(outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the masked mean squared error [...].

    outputs and targets are [..., trial, time, output], mask is [..., trial, time].
    """
    return MeanSquaredError().value(outputs, targets, mask)
