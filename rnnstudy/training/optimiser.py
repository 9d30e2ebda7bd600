"""Adam and gradient clipping, for each member by itself."""

from collections.abc import Mapping

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf

Parameters = Mapping[str, Tensor]

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def initial_moments(parameters: Parameters) -> tuple[Parameters, Parameters]:
    """Return the first and second moments before any step."""
    zeros = {name: tf.zeros_like(value) for name, value in parameters.items()}
    return zeros, dict(zeros)


def norms(gradients: Parameters) -> Tensor:
    """Return the norm of each member's whole gradient: arrays [member, ...] -> [member]."""
    squares = [
        tf.reduce_sum(tf.square(g), axis=list(range(1, len(g.shape)))) for g in gradients.values()
    ]
    return tf.sqrt(tf.add_n(squares))


def clip_gradients(gradients: Parameters, norm: Tensor, largest: Tensor) -> Parameters:
    """Return gradients scaled down to norms of at most `largest`; norm and largest are [member]."""
    scale = tf.minimum(1.0, largest / tf.maximum(norm, 1e-30))
    return {name: along(scale, g) * g for name, g in gradients.items()}


def adam_step(
    parameters: Parameters,
    gradients: Parameters,
    moments: tuple[Parameters, Parameters],
    step: Tensor,
    rate: Tensor,
) -> tuple[Parameters, tuple[Parameters, Parameters]]:
    """Return parameters and moments after one step of Adam (Kingma & Ba 2015, algorithm 1).

    `step` counts from 0; `rate` is [member].
    """
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


def replace_where(mask: Tensor, new: Parameters, old: Parameters) -> Parameters:
    """Return new arrays for the members of a mask [member], old ones for the others."""
    return {name: tf.where(along(mask, value), value, old[name]) for name, value in new.items()}


def along(values: Tensor, array: Tensor) -> Tensor:
    """Return a vector [member] shaped to broadcast over an array [member, ...]."""
    return tf.reshape(values, [-1] + [1] * (len(array.shape) - 1))
