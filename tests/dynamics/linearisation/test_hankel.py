"""Hankel singular values against sums of Gramians, rank-one systems and integrators by hand."""

import numpy as np
import pytest
from reference.linearisation import BASES, hankel_by_gramians, integrator, outputs

from rnnstudy.dynamics.linearisation.hankel import cumulative_energy, hankel_singular_values
from rnnstudy.dynamics.linearisation.impulse_response import n_modes_for_share

APART = (1.0, 0.8, -0.7, 0.55, -0.45)


def values_of(jacobian, pulse, readout, steps=None):
    return hankel_singular_values(jacobian[None], pulse[None, :, None], readout[:, None], steps)[0]


@pytest.mark.parametrize("steps", [1, 7, 30])
@pytest.mark.parametrize(("inputs", "readouts"), [(1, 1), (2, 3), (3, 1)])
def test_a_horizon_gives_the_values_of_its_gramians(inputs, readouts, steps):
    generator = np.random.default_rng(1)
    jacobian = generator.standard_normal((2, 5, 5)) / 2.0
    effect = generator.standard_normal((2, 5, inputs))
    readout = generator.standard_normal((5, readouts))
    found = hankel_singular_values(jacobian, effect, readout, steps)
    assert found.shape == (2, min(5, steps * inputs, steps * readouts))
    for point in range(2):
        expected = hankel_by_gramians(jacobian[point], effect[point], readout, steps)
        # Square roots of eigenvalues: those below 1e-8 of the largest are rounding errors.
        size = expected[0]
        np.testing.assert_allclose(found[point], expected[: found.shape[1]], atol=1e-6 * size)


def test_without_a_horizon_they_are_those_of_a_long_one():
    generator = np.random.default_rng(2)
    jacobian = generator.standard_normal((6, 6))
    jacobian *= 0.8 / np.abs(np.linalg.eigvals(jacobian)).max()
    pulse, readout = generator.standard_normal((2, 6))
    # 0.8^300 is 1e-29.
    expected = values_of(jacobian, pulse, readout, 300)
    found = values_of(jacobian, pulse, readout)
    np.testing.assert_allclose(found, expected, atol=1e-7 * expected[0])


def test_one_mode_by_hand():
    # One value: weight sum_t value^2t.
    found = values_of(np.diag([0.9, 0.5]), np.array([2.0, 0.0]), np.array([3.0, 1.0]))
    np.testing.assert_allclose(found, [6.0 / (1.0 - 0.81), 0.0], atol=1e-9)
    found = values_of(np.diag([0.9, 0.5]), np.array([2.0, 0.0]), np.array([3.0, 1.0]), 5)
    np.testing.assert_allclose(found, [6.0 * np.sum(0.81 ** np.arange(5)), 0.0], atol=1e-12)


def test_modes_on_or_outside_the_unit_circle_take_a_horizon():
    jacobian = np.stack([np.diag([value, 0.5]) for value in (1.0, 1.1, -1.0, 0.9)])
    effect, readout = np.ones((4, 2, 1)), np.ones((2, 1))
    without = hankel_singular_values(jacobian, effect, readout)
    assert np.isnan(without).all(axis=1).tolist() == [True, True, True, False]
    assert np.isfinite(hankel_singular_values(jacobian, effect, readout, 20)).all()
    huge = hankel_singular_values(1e200 * jacobian, effect, readout, 20)
    assert np.isnan(huge).all()


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_their_number_is_that_of_modes_which_are_reached_and_read_out(count, basis):
    jacobian, pulse, readout = integrator(count, False, basis, slow=APART)
    found = values_of(jacobian, pulse, readout, 40)
    # Rounding leaves values of 1e-15 of the largest, times the condition number of the basis.
    assert np.sum(found > 1e-9 * found[0]) == count


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_they_depend_on_the_response_alone(count, basis):
    jacobian, pulse, readout = integrator(count, True, basis)
    response = outputs(jacobian, pulse, readout, 39)
    matrix = np.array([response[start : start + 20] for start in range(20)])
    expected = np.linalg.svd(matrix, compute_uv=False)[: len(jacobian)]
    found = values_of(jacobian, pulse, readout, 20)
    np.testing.assert_allclose(found, expected, atol=1e-9 * expected[0])
    # Modes that cancel each other add less than a thousandth of the energy.
    clean = values_of(*integrator(count, False, basis), 20)
    counts = [n_modes_for_share(cumulative_energy(each), 0.99) for each in (found, clean)]
    assert counts[0] == counts[1]


def test_a_share_that_modes_cross_by_accident_is_not_one_value():
    """The first mode alone gives 91 % of the response, which has two values of weight."""
    jacobian, pulse = np.diag([0.95, -0.94]), np.array([1.0, 0.3])
    found = values_of(jacobian, pulse, np.ones(2), 20)
    expected = hankel_by_gramians(jacobian, pulse[:, None], np.ones((2, 1)), 20)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert n_modes_for_share(cumulative_energy(found), 0.99) == 2


def test_energies():
    np.testing.assert_allclose(
        cumulative_energy(np.array([[3.0, 1.0], [1.0, 1.0]]))[:, 0], [0.9, 0.5]
    )
    assert np.isnan(cumulative_energy(np.zeros(3))).all()


@pytest.mark.parametrize(
    ("jacobian", "effect", "readout", "steps", "message"),
    [
        (np.ones((1, 2, 3)), np.ones((1, 2, 1)), np.ones((2, 1)), 5, "jacobian must be"),
        (np.ones((1, 2, 2)), np.ones((1, 3, 1)), np.ones((2, 1)), 5, r"effect must be \[1, 2"),
        (np.ones((1, 2, 2)), np.ones((1, 2)), np.ones((2, 1)), 5, "effect must be"),
        (np.ones((1, 2, 2)), np.ones((1, 2, 1)), np.ones((3, 1)), 5, r"readout must be \[2"),
        (np.ones((1, 2, 2)), np.ones((1, 2, 1)), np.ones((2, 1)), 0, "steps must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(jacobian, effect, readout, steps, message):
    with pytest.raises(ValueError, match=message):
        hankel_singular_values(jacobian, effect, readout, steps)
