"""Cross-entropy of classes, and the share of correct choices."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array, Tensor
from rnnstudy.core.lazy_imports import tf
from rnnstudy.tasks.losses.base import Loss, weights_error

SUM_TOLERANCE = 1e-3
"""Largest deviation from 1 of the sum of a target's probabilities."""


class CrossEntropy(Loss):
    """Cross-entropy between the targets and the softmax of the outputs, in nats.

    Each output is the logit of a class, and targets are probabilities of classes, mostly 0 and 1.
    Time steps with a mask of 1 are the decision period. Those with a smaller mask count in the
    loss by that weight, and not in the accuracy.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.tasks.losses import CrossEntropy
    >>> logits, targets = np.zeros((1, 1, 2), "float32"), np.array([[[1, 0]]], "float32")
    >>> loss = CrossEntropy().value(logits, targets, np.ones((1, 1), "float32"))
    >>> round(float(loss), 4) == round(float(np.log(2.0)), 4)
    True
    """

    kind: ClassVar[str] = "cross_entropy"
    title: ClassVar[str] = "cross-entropy"
    accuracy_title: ClassVar[str] = "accuracy in the decision period"
    display_title: ClassVar[str] = "probability of a class"

    class_weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    """Weight of the time steps of each class; default: all weigh the same."""

    def of_steps(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return -tf.reduce_sum(targets * tf.nn.log_softmax(outputs), axis=-1)

    def weights(self, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the mask times the weight of the target's class, [..., trial, time]."""
        if self.class_weights is None:
            return mask
        each = tf.cast(np.array(self.class_weights), mask.dtype)
        return mask * tf.reduce_sum(each * tf.cast(targets, mask.dtype), axis=-1)

    def accuracy(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Return the share of correct choices [...] in the decision period."""
        return correct_choices(outputs, targets, mask)

    def display(self, outputs: Array) -> Array:
        """Return the probabilities of classes, [..., output]."""
        raised = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
        shares: Array = raised / raised.sum(axis=-1, keepdims=True)
        return shares

    def misfit(self, targets: Array, mask: Array) -> str:
        counted = targets[mask > 0.0]
        sums = counted.sum(axis=-1)
        if (counted < 0.0).any() or (np.abs(sums - 1.0) > SUM_TOLERANCE).any():
            lowest, highest = float(counted.min()), float(counted.max())
            return (
                "targets of cross_entropy must be probabilities of classes that sum to 1, got "
                f"numbers from {lowest:.3g} to {highest:.3g}. Use loss: mean_squared_error, or "
                "return one-hot targets."
            )
        if not (mask >= 1.0).any():
            return (
                "the mask of a task with classes must be 1 in the decision period, got at most "
                f"{float(mask.max()):.3g}. Scale the mask."
            )
        return ""

    def size_error(self, outputs: int) -> str:
        if outputs < 2:
            return f"cross_entropy must have two outputs or more, got {outputs}"
        return weights_error("class_weights", self.class_weights, outputs)


def correct_choices(outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the share [...] of time steps of the decision period with the correct choice.

    The choice is the output that is larger than all others. Equal outputs, and outputs that are
    not finite, are no choice.

    Parameters
    ----------
    outputs, targets
        [..., trial, time, output]; the correct choice is the largest target.
    mask
        [..., trial, time]; 1 in the decision period.
    """
    outputs = tf.convert_to_tensor(outputs)
    lowest = tf.constant(-np.inf, outputs.dtype)
    correct = tf.one_hot(tf.argmax(targets, axis=-1), targets.shape[-1], True, False)
    chosen = tf.reduce_max(tf.where(correct, outputs, lowest), axis=-1)
    others = tf.reduce_max(tf.where(correct, lowest, outputs), axis=-1)
    is_choice = tf.reduce_all(tf.math.is_finite(outputs), axis=-1)
    counted = tf.cast(mask >= 1.0, mask.dtype)
    right = counted * tf.cast(is_choice & (chosen > others), mask.dtype)
    axes = [-2, -1]
    return tf.math.divide_no_nan(tf.reduce_sum(right, axis=axes), tf.reduce_sum(counted, axis=axes))
