"""Responses by modes against powers of the Jacobian, and systems whose modes are known."""

import numpy as np
import pytest
from reference.linearisation import BASES, integrator, modes_in_turn

from rnnstudy.dynamics.linearisation.impulse_response import (
    mode_response,
    n_modes_for_share,
    n_modes_within,
)
from rnnstudy.dynamics.linearisation.modes import modes


def system(*blocks, seed=0):
    """A Jacobian with these diagonal blocks in a random (not orthogonal) basis, and that basis."""
    size = sum(len(block) for block in blocks)
    inner, at = np.zeros((size, size)), 0
    for block in blocks:
        inner[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    generator = np.random.default_rng(seed)
    basis = np.eye(size) + 0.3 * generator.standard_normal((size, size))
    return basis @ inner @ np.linalg.inv(basis), basis


def rotation(modulus, angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return modulus * turn


def one(value):
    return np.array([[value]])


def responses(jacobian, pulse, steps):
    """d, J d, J^2 d, ...: [time, state]."""
    states = [pulse]
    for _ in range(steps - 1):
        states.append(jacobian @ states[-1])
    return np.array(states)


@pytest.mark.parametrize("outputs", [None, 2])
def test_all_modes_together_are_the_powers_of_the_jacobian(outputs):
    generator = np.random.default_rng(3)
    jacobian = generator.standard_normal((2, 6, 6)) / 3.0
    pulse = generator.standard_normal((2, 6))
    readout = None if outputs is None else generator.standard_normal((6, outputs))
    found = mode_response(modes(jacobian), pulse, readout, steps=9)
    for point in range(2):
        expected = responses(jacobian[point], pulse[point], 9)
        expected = expected if readout is None else expected @ readout
        assert found.total[point] == pytest.approx(np.sum(expected**2))
    np.testing.assert_array_equal(found.missed[:, -1], 0.0)
    np.testing.assert_array_equal(found.share[:, -1], 1.0)
    np.testing.assert_array_equal(found.mean_error[:, -1], 0.0)


def test_a_perfect_integrator_needs_one_mode():
    jacobian, basis = system(one(1.0), one(0.5), one(0.2))
    found = mode_response(modes(jacobian[None]), basis[None, :, 0], steps=20)
    np.testing.assert_allclose(found.share, [[1.0, 1.0, 1.0]], atol=1e-12)
    assert n_modes_for_share(found.share) == 1


def test_two_slow_modes_share_a_response_in_proportion():
    # Orthogonal modes, read out as they are: the shares are those of the squared weights.
    jacobian = np.diag([1.0, 0.9999999, 0.1])
    pulse = np.array([[2.0, 1.0, 0.0]])
    share = mode_response(modes(jacobian[None]), pulse, steps=20).share[0]
    np.testing.assert_allclose(share, [0.8, 1.0, 1.0], atol=1e-5)
    assert n_modes_for_share(share) == 2
    assert n_modes_for_share(share, 0.7) == 1


def test_a_rotation_is_one_pair_of_modes():
    jacobian, basis = system(rotation(0.99, 0.4), one(0.3))
    pulse = basis[None] @ np.array([1.0, 2.0, 0.5])
    share = mode_response(modes(jacobian[None]), pulse, steps=20).share[0]
    assert share[0] == 0.0
    assert 0.9 < share[1] < 1.0
    assert n_modes_for_share(share) == 2


def test_modes_kept_are_the_slowest_by_brute_force():
    generator = np.random.default_rng(5)
    jacobian = generator.standard_normal((7, 7)) / 3.0
    pulse, readout = generator.standard_normal(7), generator.standard_normal((7, 1))
    values, right = np.linalg.eig(jacobian)
    order = np.argsort(-np.abs(values), kind="stable")
    values, right = values[order], right[:, order]
    weights = np.linalg.solve(right, pulse.astype(complex))
    full = responses(jacobian, pulse, 15) @ readout
    share = mode_response(modes(jacobian[None]), pulse[None], readout, 15).share[0]
    whole = 0
    for count in range(1, 8):
        part = [right[:, :count] @ (values[:count] ** time * weights[:count]) for time in range(15)]
        kept = np.array(part) @ readout
        if np.abs(kept.imag).max() > 1e-9:  # a pair is parted: the share is that before it
            assert share[count - 1] == (share[count - 2] if count > 1 else 0.0)
            continue
        whole += 1
        expected = 1.0 - np.sum((full - kept.real) ** 2) / np.sum(full**2)
        assert share[count - 1] == pytest.approx(expected, abs=1e-9)
    assert whole >= 4


def test_each_point_has_its_own_share():
    jacobian = np.stack([np.diag([1.0, 0.5]), np.diag([1.0, 0.5])])
    pulse = np.array([[3.0, 0.0], [0.0, 1e-9]])
    share = mode_response(modes(jacobian), pulse).share
    np.testing.assert_allclose(share, [[1.0, 1.0], [0.0, 1.0]], atol=1e-12)


def test_points_that_are_defective_or_do_not_respond_are_unknown():
    jacobian = np.stack([np.array([[0.5, 1.0], [0.0, 0.5]]), *2 * [np.diag([0.9, 0.1])]])
    pulse = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    found = mode_response(modes(jacobian), pulse)
    assert np.isnan(found.share).all(axis=1).tolist() == [True, False, True]
    assert np.isnan(found.mean_error).all(axis=1).tolist() == [True, False, True]
    assert np.isnan(n_modes_for_share(found.share)).tolist() == [True, False, True]


def test_the_number_of_modes_is_the_first_that_is_enough():
    shares = np.array([[0.95, 0.2, 0.97, 1.0], [0.2, 0.3, 0.4, 0.5], [np.nan] * 4])
    np.testing.assert_array_equal(n_modes_for_share(shares), [1.0, np.inf, np.nan])
    assert n_modes_for_share(np.array([0.9])) == 1
    np.testing.assert_array_equal(n_modes_within(1.0 - shares, 0.1), [1.0, np.inf, np.nan])


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("cancelling", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_integrators_with_so_many_modes_need_so_many(count, cancelling, basis):
    jacobian, pulse, readout = integrator(count, cancelling, basis)
    found = mode_response(modes(jacobian[None]), pulse[None], readout[:, None], 20)
    # The last slow mode is at least 2 % of the squared response, and 10 % of its mean.
    assert n_modes_for_share(found.share, 0.99).tolist() == [count]
    assert n_modes_within(found.mean_error, 0.05).tolist() == [count]
    share, error = modes_in_turn(jacobian, pulse, readout, 20)
    # Cancelling modes are fifty times the response; the basis multiplies rounding errors by 1e6.
    np.testing.assert_allclose(found.share[0], share, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.mean_error[0], error, rtol=1e-6, atol=1e-6)
    if cancelling:
        assert found.share[0, count] < 0.0


@pytest.mark.parametrize(
    ("pulse", "readout", "steps", "message"),
    [
        (np.ones((1, 2)), None, 20, r"pulse must be \[1, 3\]"),
        (np.ones((1, 3)), np.ones((2, 1)), 20, r"readout must be \[3, output\]"),
        (np.ones((1, 3)), None, 0, "steps must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(pulse, readout, steps, message):
    with pytest.raises(ValueError, match=message):
        mode_response(modes(np.eye(3)[None] * 0.5), pulse, readout, steps)
