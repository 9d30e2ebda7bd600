"""Frequencies, centres and carrying modes of oscillations that are known."""

import numpy as np
import pytest

from rnnstudy.analyses.oscillations.carrying_modes import carrying_pairs, frequencies_of, turns
from rnnstudy.dynamics.linearisation.modes import frequencies, modes

TIME = np.arange(2000)


def wave(frequency, phase=0.3):
    return np.sin(2.0 * np.pi * frequency * TIME + phase)


@pytest.mark.parametrize("frequency", [0.0101, 0.04, 1 / 25, np.pi / 100, 0.2371, 0.49])
def test_frequencies_of_pure_and_distorted_waves(frequency):
    pure, low = wave(frequency), wave(frequency) ** 3 + 5.0
    found = frequencies_of(np.stack([pure, low]))
    # The window's side lobes at this distance are below 1e-9; a distorted wave's are larger.
    np.testing.assert_allclose(found, frequency, atol=1e-6)


def test_the_strongest_oscillation_counts():
    found = frequencies_of((wave(0.03) + 0.5 * wave(0.11))[None])
    assert found[0] == pytest.approx(0.03, abs=1e-6)


def test_rest_and_explosion_have_no_frequency():
    blown = wave(0.1)
    blown[-1] = np.inf
    found = frequencies_of(np.stack([wave(0.1), 1e-9 * wave(0.1) + 2.0, blown]))
    assert found[0] == pytest.approx(0.1, abs=1e-6)
    assert np.isnan(found[1:]).all()
    assert np.isnan(frequencies_of(np.ones((1, 32)))).all()


def test_short_signals_are_refused():
    with pytest.raises(ValueError, match="at least 16 steps"):
        frequencies_of(np.zeros((1, 8)))


def turning(modulus, frequency):
    angle = 2.0 * np.pi * frequency
    cos, sin = np.cos(angle), np.sin(angle)
    return modulus * np.array([[cos, -sin], [sin, cos]])


def two_rotations(seed=0):
    """A slow rotation that the orbit follows and the readout sees, and a faster, more unstable one,
    in a basis that is not orthogonal."""
    inner = np.zeros((5, 5))
    inner[:2, :2], inner[2:4, 2:4], inner[4, 4] = turning(1.05, 0.03), turning(1.3, 0.2), 0.5
    basis = np.eye(5) + 0.2 * np.random.default_rng(seed).standard_normal((5, 5))
    orbit = np.zeros((300, 5))
    orbit[:, 0] = np.cos(2.0 * np.pi * 0.025 * np.arange(300))
    orbit[:, 1] = np.sin(2.0 * np.pi * 0.025 * np.arange(300))
    return basis @ inner @ np.linalg.inv(basis), orbit @ basis.T


def test_the_pair_of_the_orbits_plane_carries_it_not_the_one_that_grows_fastest():
    jacobian, orbit = two_rotations()
    found = modes(jacobian[None])
    (pair,) = carrying_pairs(found, orbit[None], np.zeros((1, 5)), np.ones((5, 1)))
    assert frequencies(found.eigenvalues[0, pair]) == pytest.approx(0.03)
    assert frequencies(found.eigenvalues[0, 0]) == pytest.approx(0.2)
    assert found.eigenvalues[0, pair].imag > 0


def test_a_pair_that_is_not_read_out_carries_nothing():
    jacobian, orbit = two_rotations()
    found = modes(jacobian[None])
    slow = np.stack([found.right[0, 2].real, found.right[0, 2].imag])
    blind = np.ones(5) - np.linalg.pinv(slow) @ slow @ np.ones(5)
    # A trace of the fast rotation in the orbit is all that this readout sees.
    traced = orbit + 0.01 * np.outer(np.cos(0.4 * np.pi * TIME[:300]), found.right[0, 0].real)
    (pair,) = carrying_pairs(found, traced[None], np.zeros((1, 5)), blind[:, None])
    assert frequencies(found.eigenvalues[0, pair]) == pytest.approx(0.2)


def test_unstable_pairs_come_first_and_real_eigenvalues_carry_nothing():
    damped = np.zeros((4, 4))
    damped[:2, :2], damped[2:, 2:] = turning(0.9, 0.03), turning(1.01, 0.1)
    orbit = np.zeros((2, 50, 4))
    orbit[:, :, 0] = 1.0
    real = np.diag([1.2, 0.5, -0.3, 0.1])
    found = modes(np.stack([damped, real]))
    pairs = carrying_pairs(found, orbit, np.zeros((2, 4)), np.ones((4, 1)))
    assert frequencies(found.eigenvalues[0, pairs[0]]) == pytest.approx(0.1)
    assert pairs[1] == -1


def test_turns_count_the_rounds_about_a_point():
    jacobian, orbit = two_rotations()
    found = modes(jacobian[None])
    pair = np.array([int(np.flatnonzero(np.isclose(frequencies(found.eigenvalues[0]), 0.03))[0])])
    inside, outside = np.zeros((1, 5)), orbit[:1] * 3.0
    assert turns(found, orbit[None], inside, pair)[0] == pytest.approx(0.025, rel=1e-6)
    # Seen from beyond the cycle, it swings to and fro.
    assert turns(found, orbit[None], outside, pair)[0] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(turns(found, orbit[None], inside, np.array([-1]))).all()
