"""Floquet multipliers of periodic orbits."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.linearisation.modes import eigenvalues

SAFE = 1e-10
"""Absolute error of multipliers up to which they are taken from a product of Jacobians."""


def cyclic(jacobian: Array) -> Array:
    """Jacobians [step, state, state] as one matrix that takes each step's state to the next's."""
    steps, size, _ = jacobian.shape
    whole = np.zeros((steps, size, steps, size))
    for i in range(steps):
        whole[(i + 1) % steps, :, i] = jacobian[i]
    return whole.reshape(steps * size, steps * size)


def certificate(jacobian: Array, residual: Array) -> tuple[float, float]:
    """Root mean square of the Newton step at an orbit and the smallest singular value of its
    equations, from Jacobians [step, state, state] and residuals [step, state]."""
    matrix = np.eye(residual.size) - cyclic(jacobian)
    left, weights, right = np.linalg.svd(matrix)
    smallest = float(weights[-1])
    if not smallest > 0:
        return float("inf"), smallest
    # Row i + 1 of the matrix is the equation of step i.
    step = right.T @ (left.T @ np.roll(residual, 1, axis=0).ravel() / weights)
    return float(np.sqrt(np.mean(step**2))), smallest


def multipliers(jacobian: Array) -> Array:
    """Floquet multipliers [mode] of an orbit, largest modulus first, from [step, state, state].

    Eigenvalues of the product of the Jacobians, or, where the product is so large that the smaller
    ones drown in its rounding, powers of those of the cyclic matrix, which knows no product.
    """
    steps, size, _ = jacobian.shape
    growth = float(np.sum(np.log(np.maximum(np.linalg.norm(jacobian, 2, axis=(1, 2)), 1e-300))))
    if growth + np.log(steps * np.finfo(float).eps) <= np.log(SAFE):
        product = np.eye(size)
        for matrix in jacobian:
            product = matrix @ product
        return eigenvalues(product)
    powers = eigenvalues(cyclic(jacobian)) ** steps
    found = []
    for _ in range(size):
        # Each multiplier is there once per step, as the power of another root.
        near = np.argsort(np.abs(powers - powers[np.abs(powers).argmax()]), kind="stable")
        found.append(powers[near[:steps]].mean())
        powers = np.delete(powers, near[:steps])
    values = np.array(found)
    real = np.abs(values.imag) <= 1e-12 * np.abs(values)
    return np.where(real, values.real, values)
