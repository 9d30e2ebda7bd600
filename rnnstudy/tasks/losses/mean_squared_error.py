"""Mean squared error of the outputs."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array, Tensor
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
    missing_target_remedy: ClassVar[str] = (
        "If NaN means that there is no target, set partial_targets of the loss."
    )
    added_fields: ClassVar[Mapping[str, Any]] = {"partial_targets": False}

    output_weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    """Weight of each output; an output of weight 0 is not trained. Default: all weigh the same."""

    partial_targets: bool = False
    """True: a target may be NaN. Its output does not count at this time step."""

    @property
    def allows_nan(self) -> bool:
        return self.partial_targets

    def of_steps(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if not self.partial_targets:
            return self._mean((outputs - targets) ** 2)
        known, targets = _known(targets)
        error = self._mean(known * (outputs - targets) ** 2)
        return tf.math.divide_no_nan(error, self._mean(known))

    def weights(self, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the mask, times the share of the outputs whose targets are known."""
        return mask * self._mean(_known(targets)[0]) if self.partial_targets else mask

    def _mean(self, values: Tensor) -> Tensor:
        """Return the weighted mean over the last axis."""
        if self.output_weights is None:
            return tf.reduce_mean(values, axis=-1)
        shares = np.array(self.output_weights) / np.sum(self.output_weights)
        return tf.reduce_sum(tf.cast(shares, values.dtype) * values, axis=-1)

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the share [...] of the target's variance that is explained, at least 0."""
        weight = mask[..., None]
        if self.partial_targets:
            known, targets = _known(targets)
            weight = weight * known
        count = tf.reduce_sum(weight, axis=[-3, -2], keepdims=True)
        mean = tf.reduce_sum(weight * targets, axis=[-3, -2], keepdims=True) / count
        if self.output_weights is not None:
            weight = weight * tf.cast(np.array(self.output_weights), mask.dtype)
        missed = tf.reduce_sum(weight * (outputs - targets) ** 2, axis=[-3, -2, -1])
        total = tf.reduce_sum(weight * (targets - mean) ** 2, axis=[-3, -2, -1])
        return tf.maximum(1.0 - missed / total, 0.0)

    def misfit(self, targets: Array, mask: Array) -> str:
        if not self.partial_targets:
            return ""
        if np.isinf(targets).any():
            return (
                "targets must be finite or NaN, got inf. Write NaN for an output without a target."
            )
        counts = (~np.isnan(targets) & (mask > 0.0)[..., None]).sum(axis=(0, 1))
        if not counts.all():
            return (
                f"each output must have a target somewhere, got none of output {counts.argmin()}. "
                "Leave the output out, or give it targets."
            )
        return ""

    def size_error(self, outputs: int) -> str:
        return weights_error("output_weights", self.output_weights, outputs)


def _known(targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return 1 for known targets, 0 for NaN, and the targets with 0 in place of NaN."""
    targets = tf.convert_to_tensor(targets)
    is_known = ~tf.math.is_nan(targets)
    return tf.cast(is_known, targets.dtype), tf.where(is_known, targets, tf.zeros_like(targets))


def mean_squared_error(outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the masked mean squared error [...].

    outputs and targets are [..., trial, time, output], mask is [..., trial, time].
    """
    return MeanSquaredError().value(outputs, targets, mask)
