"""The linear algebra around a cycle, against matrices that are written out."""

import functools
from fractions import Fraction

import numpy as np
import pytest

from rnnstudy.dynamics.periodic_orbits.floquet import (
    cyclic_matrix,
    floquet_multipliers,
    orbit_certificate,
)
from rnnstudy.dynamics.periodic_orbits.shooting import _damped_step, multiple_shooting


def written_out(jacobian):
    """The equations A_i d_i - d_(i+1) of an orbit as one matrix, row i that of step i."""
    steps, size, _ = jacobian.shape
    whole = np.zeros((steps, size, steps, size))
    for i in range(steps):
        whole[i, :, i] += jacobian[i]
        whole[i, :, (i + 1) % steps] -= np.eye(size)
    return whole.reshape(steps * size, steps * size)


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_a_damped_step_is_that_of_the_whole_matrix(steps):
    generator = np.random.default_rng(steps)
    jacobian = generator.standard_normal((4, steps, 3, 3))
    residual = generator.standard_normal((4, steps, 3))
    shift = generator.uniform(0.01, 1.0, 4)
    moves, _ = _damped_step(jacobian, residual, shift)
    for a, r, mu, move in zip(jacobian, residual, shift, moves, strict=True):
        whole = written_out(a)
        gram = whole.T @ whole + mu * np.eye(len(whole))
        np.testing.assert_allclose(
            move.ravel(), np.linalg.solve(gram, -whole.T @ r.ravel()), atol=1e-10
        )


def test_the_certificate_is_the_newton_step_of_the_whole_matrix():
    generator = np.random.default_rng(0)
    jacobian, residual = generator.standard_normal((4, 3, 3)), generator.standard_normal((4, 3))
    size, smallest = orbit_certificate(jacobian, residual)
    step = np.linalg.solve(written_out(jacobian), -residual.ravel())
    assert size == pytest.approx(np.sqrt(np.mean(step**2)), rel=1e-10)
    weights = np.linalg.svd(written_out(jacobian), compute_uv=False)
    assert smallest == pytest.approx(weights[-1], rel=1e-10)


def of_known_multipliers(diagonals, generator):
    """Jacobians [step, state, state] with the product of the diagonals [step, state] as its
    eigenvalues: each changes from one basis to the next."""
    size = diagonals.shape[1]
    bases = [np.linalg.qr(generator.standard_normal((size, size)))[0] for _ in diagonals]
    return np.array(
        [
            bases[(i + 1) % len(bases)] @ np.diag(values) @ basis.T
            for i, (values, basis) in enumerate(zip(diagonals, bases, strict=True))
        ]
    )


def test_multipliers_of_a_tame_orbit():
    generator = np.random.default_rng(1)
    diagonals = generator.uniform(0.5, 1.5, (6, 4)) * [1.0, -1.0, 1.0, 1.0]
    found = floquet_multipliers(of_known_multipliers(diagonals, generator))
    want = diagonals.prod(axis=0)
    np.testing.assert_allclose(found, want[np.argsort(-np.abs(want))], rtol=1e-9)


def characteristic_coefficients(matrix):
    """Return the exact trace, sum of principal 2-minors and determinant of a 3x3 of fractions."""

    def minor(i, j, k, m):
        return matrix[i, k] * matrix[j, m] - matrix[i, m] * matrix[j, k]

    determinant = (
        matrix[0, 0] * minor(1, 2, 1, 2)
        - matrix[0, 1] * minor(1, 2, 0, 2)
        + matrix[0, 2] * minor(1, 2, 0, 1)
    )
    return matrix.trace(), minor(0, 1, 0, 1) + minor(0, 2, 0, 2) + minor(1, 2, 1, 2), determinant


def test_small_multipliers_survive_beside_huge_ones():
    diagonals = np.array([[1e3, -1.5, 1e-2]] * 11)
    jacobian = of_known_multipliers(diagonals, np.random.default_rng(2))
    computed = floquet_multipliers(jacobian)
    # Relative errors are those of the roots, 1e3 * eps / modulus, times the period.
    np.testing.assert_allclose(computed, [1e33, -(1.5**11), 1e-22], rtol=1e-8)
    # The product in exact fractions has these eigenvalues: far apart, each is the ratio of two
    # coefficients, to 1.5**11 / 1e33 and 1e-22 / 1.5**11.
    fractions = np.vectorize(Fraction, otypes=[object])
    product = functools.reduce(lambda before, step: step.dot(before), fractions(jacobian))
    trace, minors, determinant = characteristic_coefficients(product)
    ratios = [float(trace), float(minors / trace), float(determinant / minors)]
    np.testing.assert_allclose(computed, ratios, rtol=1e-8)
    # The same product has lost the two small ones once it is rounded to the nearest floats: their
    # product is 1.5**11 * 1e-22 before and some (1e33 * eps)**2 after.
    trace, _, determinant = characteristic_coefficients(fractions(product.astype(float)))
    assert float(trace) == pytest.approx(1e33)
    assert abs(determinant / trace) > 1e20
    # The cyclic matrix takes the state of a step to that of the next one.
    states = np.random.default_rng(3).standard_normal((11, 3))
    moved = np.einsum("ijk,ik->ij", jacobian, states)
    np.testing.assert_allclose(
        cyclic_matrix(jacobian) @ states.ravel(), np.roll(moved, 1, axis=0).ravel()
    )


def test_complex_multipliers_of_a_huge_product():
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
    block = np.zeros((3, 3))
    block[:2, :2], block[2, 2] = 2.0 * turn, 1e4
    found = floquet_multipliers(np.array([block] * 7))
    pair = 2.0**7 * np.exp(2.1j)
    np.testing.assert_allclose(sorted(found[1:], key=np.imag), [pair.conj(), pair], rtol=1e-8)


def test_an_orbit_that_is_not_finite_does_not_cost_the_others():
    def linearise(states):
        """h' = -h (3 - h^2), of which sqrt(2), -sqrt(2) is an orbit."""
        with np.errstate(over="ignore", invalid="ignore"):
            return -states * (3 - states**2), (3 * states**2 - 3)[..., None]

    starts = np.array([[[np.nan], [1.0]], [[1.3], [-1.5]], [[1e200], [1.0]]])
    shots = multiple_shooting(linearise, starts, 60)
    assert shots.diverged.tolist() == [True, False, True]
    np.testing.assert_allclose(shots.state[1].ravel(), [np.sqrt(2), -np.sqrt(2)], atol=1e-14)
