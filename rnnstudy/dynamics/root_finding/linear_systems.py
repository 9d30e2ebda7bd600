"""Batched linear systems in which singular or non-finite matrices do not fail the others."""

from collections.abc import Callable

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf

RIDGE = 1e-14
"""Relative diagonal shift that keeps one exactly singular matrix from failing a whole batch."""

TINY = 1e-290
"""Absolute shift of matrices that are zero."""


def factorise_damped(gram: Tensor, damping: Tensor, right: Tensor) -> Callable[[Tensor], Tensor]:
    """Return a function b -> x that solves (gram + damping I) x = b from one factorisation.

    gram `[..., state, state]` is J'J: its diagonal shows its size and whether it is finite. A
    system is replaced by the identity if that or `right` `[..., state]` is not finite.
    """
    diagonal = tf.linalg.diag_part(gram)
    shift = damping + RIDGE * tf.reduce_max(diagonal, axis=-1) + TINY
    is_finite = tf.math.is_finite(shift) & tf.reduce_all(tf.math.is_finite(right), axis=-1)
    shifted = tf.linalg.set_diag(gram, diagonal + shift[..., None])
    eye = tf.eye(gram.shape[-1], dtype=gram.dtype)
    upper, order = tf.linalg.lu(tf.where(is_finite[..., None, None], shifted, eye))
    lower = tf.linalg.set_diag(upper, tf.ones_like(diagonal))

    def solve_damped(right: Tensor) -> Tensor:
        ordered = tf.gather(right, order, batch_dims=2)[..., None]
        forward = tf.linalg.triangular_solve(lower, ordered)
        return tf.linalg.triangular_solve(upper, forward, lower=False)[..., 0]

    return solve_damped


def solve_linear(matrix: Tensor, right: Tensor) -> Tensor:
    """Return x with matrix x = right, for `[..., state, state]` and `[..., state]`.

    Singular matrices give huge x. Non-finite ones give x = right.
    """
    is_finite = tf.reduce_all(tf.math.is_finite(right), -1)[..., None, None]
    eye = tf.eye(matrix.shape[-1], dtype=matrix.dtype)
    return tf.linalg.solve(tf.where(is_finite, regularise(matrix), eye), right[..., None])[..., 0]


def regularise(matrix: Tensor) -> Tensor:
    """Return invertible matrices `[..., state, state]`.

    Singular ones are shifted by a rounding. Non-finite ones are replaced by the identity.
    """
    scale = tf.reduce_max(tf.abs(matrix), axis=[-2, -1], keepdims=True)
    eye = tf.eye(matrix.shape[-1], dtype=matrix.dtype)
    return tf.where(tf.math.is_finite(scale), matrix + (RIDGE * scale + TINY) * eye, eye)
