"""Adam and gradient clipping, each member on its own."""

from collections.abc import Mapping

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf

Parameters = Mapping[str, Tensor]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def start(parameters: Parameters) -> tuple[Parameters, Parameters]:
    """First and second moments before any step."""
    zeros = {name: tf.zeros_like(value) for name, value in parameters.items()}
    return zeros, dict(zeros)


def norms(gradients: Parameters) -> Tensor:
    """Norm of each member's whole gradient: arrays [member, ...] -> [member]."""
    squares = [
        tf.reduce_sum(tf.square(g), axis=list(range(1, len(g.shape)))) for g in gradients.values()
    ]
    return tf.sqrt(tf.add_n(squares))


def clipped(gradients: Parameters, norm: Tensor, largest: Tensor) -> Parameters:
    """Gradients scaled so that no member's norm [member] exceeds its largest [member]."""
    scale = tf.minimum(1.0, largest / tf.maximum(norm, 1e-30))
    return {name: along(scale, g) * g for name, g in gradients.items()}


def adam(
    parameters: Parameters,
    gradients: Parameters,
    moments: tuple[Parameters, Parameters],
    step: Tensor,
    rate: Tensor,
) -> tuple[Parameters, tuple[Parameters, Parameters]]:
    """One step of Adam (Kingma & Ba 2015, algorithm 1), step counted from 0, rate [member]."""
    count = tf.cast(step + 1, tf.float32)
    rate = rate * tf.sqrt(1.0 - BETA2**count) / (1.0 - BETA1**count)
    # The correction of the second moment moves into the rate; epsilon is scaled to match.
    epsilon = EPSILON * tf.sqrt(1.0 - BETA2**count)
    first = {n: BETA1 * m + (1.0 - BETA1) * gradients[n] for n, m in moments[0].items()}
    second = {n: BETA2 * m + (1.0 - BETA2) * tf.square(gradients[n]) for n, m in moments[1].items()}
    moved = {
        name: value - along(rate, value) * first[name] / (tf.sqrt(second[name]) + epsilon)
        for name, value in parameters.items()
    }
    return moved, (first, second)


def kept_where(alive: Tensor, new: Parameters, old: Parameters) -> Parameters:
    """New arrays for members that are alive [member], old ones for the rest."""
    return {name: tf.where(along(alive, value), value, old[name]) for name, value in new.items()}


def along(values: Tensor, array: Tensor) -> Tensor:
    """A vector [member] shaped to broadcast over an array [member, ...]."""
    return tf.reshape(values, [-1] + [1] * (len(array.shape) - 1))
