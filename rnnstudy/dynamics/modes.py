"""Eigenvalues of Jacobians: order, time constants, and what they say of a point."""

import numpy as np

Array = np.ndarray


def eigenvalues(jacobian: Array) -> Array:
    """Eigenvalues [..., mode] of Jacobians [..., state, state], complex, largest modulus first."""
    values = np.linalg.eigvals(jacobian).astype(np.complex128)
    order = np.argsort(-np.abs(values), axis=-1, kind="stable")
    return np.take_along_axis(values, order, axis=-1)


def time_constants(values: Array) -> Array:
    """-1 / ln|eigenvalue| in steps: how long a mode lasts; negative if it grows, infinite at 1."""
    with np.errstate(divide="ignore"):
        logarithm = np.log(np.abs(values))
        return np.where(logarithm == 0.0, np.inf, -1.0 / logarithm)


def kinds(values: Array, margin: float) -> Array:
    """`stable`, `saddle`, `repeller` or `marginal` per point, from its eigenvalues [point, mode].

    A point with an eigenvalue within `margin` of the unit circle is marginal, whatever the others.
    """
    modulus = np.abs(values)
    unstable = (modulus > 1.0 + margin).sum(axis=1)
    marginal = (np.abs(modulus - 1.0) <= margin).any(axis=1)
    every = unstable == values.shape[1]
    return np.select(
        [marginal, unstable == 0, every], ["marginal", "stable", "repeller"], default="saddle"
    )
