"""Floquet multipliers of periodic orbits."""

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.linearisation.modes import eigenvalues

PRODUCT_ERROR = 1e-10
"""Absolute error of multipliers up to which they come from a product of Jacobians."""

REAL = 1e-12
"""Imaginary part, as a share of the modulus, within which a multiplier is real."""


def cyclic_matrix(jacobian: Array) -> Array:
    """Return one matrix that maps each step's displacement to the next step's.

    Parameters
    ----------
    jacobian
        dF/dh along the orbit, `[step, state, state]`.

    Returns
    -------
    array
        Matrix of size step times state.
    """
    steps, size, _ = jacobian.shape
    matrix = np.zeros((steps, size, steps, size))
    for i in range(steps):
        matrix[(i + 1) % steps, :, i] = jacobian[i]
    return matrix.reshape(steps * size, steps * size)


def orbit_certificate(jacobian: Array, residual: Array) -> tuple[float, float]:
    """Return the size of the Newton step at an orbit and the least singular value there.

    Parameters
    ----------
    jacobian
        dF/dh along the orbit, `[step, state, state]`.
    residual
        F(h_i) - h_(i+1), `[step, state]`.

    Returns
    -------
    step, singular_value
        Root mean square of the Newton step, and smallest singular value of the orbit's equations.
    """
    matrix = np.eye(residual.size) - cyclic_matrix(jacobian)
    left, values, right = np.linalg.svd(matrix)
    smallest = float(values[-1])
    if not smallest > 0:
        return float("inf"), smallest
    # Row i + 1 of the matrix is the equation of step i.
    step = right.T @ (left.T @ np.roll(residual, 1, axis=0).ravel() / values)
    return float(np.sqrt(np.mean(step**2))), smallest


def floquet_multipliers(jacobian: Array) -> Array:
    """Return the Floquet multipliers of an orbit, largest modulus first.

    They are eigenvalues of the product of the Jacobians. Where rounding of a large product hides
    the smaller ones, they are powers of the eigenvalues of the cyclic matrix.

    Parameters
    ----------
    jacobian
        dF/dh along the orbit, `[step, state, state]`.

    Returns
    -------
    array
        Multipliers, `[mode]`.

    References
    ----------
    Guckenheimer & Holmes (1983), Nonlinear oscillations, dynamical systems, and bifurcations of
    vector fields.
    """
    steps, size, _ = jacobian.shape
    growth = float(np.sum(np.log(np.maximum(np.linalg.norm(jacobian, 2, axis=(1, 2)), 1e-300))))
    if growth + np.log(steps * np.finfo(float).eps) <= np.log(PRODUCT_ERROR):
        product = np.eye(size)
        for matrix in jacobian:
            product = matrix @ product
        return eigenvalues(product)
    powers = eigenvalues(cyclic_matrix(jacobian)) ** steps
    multipliers = []
    for _ in range(size):
        # Each multiplier occurs once per step, as the power of another root.
        near = np.argsort(np.abs(powers - powers[np.abs(powers).argmax()]), kind="stable")
        multipliers.append(powers[near[:steps]].mean())
        powers = np.delete(powers, near[:steps])
    values = np.array(multipliers)
    is_real = np.abs(values.imag) <= REAL * np.abs(values)
    return np.where(is_real, values.real, values)
