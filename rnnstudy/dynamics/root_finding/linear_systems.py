"""Systems of linear equations in batches, of which singular and broken ones fail nobody else."""

from collections.abc import Callable

from rnnstudy.core.arrays import Tensor
from rnnstudy.core.lazy_imports import tf

RIDGE = 1e-14
"""Relative diagonal shift that keeps one exactly singular matrix from failing a whole batch."""


def factorise_damped(gram: Tensor, damping: Tensor, right: Tensor) -> Callable[[Tensor], Tensor]:
    """b -> x with (gram + damping I) x = b, as `solve_linear`, from one factorisation.

    gram: J'J, whose diagonal says of the rest whether it is finite, and how large: cheaper than to
    look at all of it. right: what else has to be finite.
    """
    diagonal = tf.linalg.diag_part(gram)
    shift = damping + RIDGE * tf.reduce_max(diagonal, axis=-1) + 1e-290
    known = tf.math.is_finite(shift) & tf.reduce_all(tf.math.is_finite(right), axis=-1)
    shifted = tf.linalg.set_diag(gram, diagonal + shift[..., None])
    eye = tf.eye(gram.shape[-1], dtype=gram.dtype)
    upper, order = tf.linalg.lu(tf.where(known[..., None, None], shifted, eye))
    lower = tf.linalg.set_diag(upper, tf.ones_like(diagonal))

    def solution(right: Tensor) -> Tensor:
        ordered = tf.gather(right, order, batch_dims=2)[..., None]
        forward = tf.linalg.triangular_solve(lower, ordered)
        return tf.linalg.triangular_solve(upper, forward, lower=False)[..., 0]

    return solution


def solve_linear(matrix: Tensor, right: Tensor) -> Tensor:
    """x with matrix x = right: [..., state, state] and [..., state] -> [..., state].

    Singular matrices give huge x, non-finite ones x = right: never an error for the whole batch.
    """
    known = tf.reduce_all(tf.math.is_finite(right), -1)[..., None, None]
    eye = tf.eye(matrix.shape[-1], dtype=matrix.dtype)
    return tf.linalg.solve(tf.where(known, regularise(matrix), eye), right[..., None])[..., 0]


def regularise(matrix: Tensor) -> Tensor:
    """Matrices [..., state, state] that can be inverted: singular ones shifted by a rounding, and
    the identity for those that are not finite."""
    scale = tf.reduce_max(tf.abs(matrix), axis=[-2, -1], keepdims=True)
    eye = tf.eye(matrix.shape[-1], dtype=matrix.dtype)
    return tf.where(tf.math.is_finite(scale), matrix + (RIDGE * scale + 1e-290) * eye, eye)
