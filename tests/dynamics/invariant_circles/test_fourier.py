"""Rotation numbers and Fourier series of motions that are written down."""

import numpy as np
import pytest

from rnnstudy.dynamics.invariant_circles.fourier import (
    amplitude,
    birkhoff_average,
    curve_at,
    curve_distance,
    curve_error,
    fit_curve,
    fourier_series,
    match_phase,
)
from rnnstudy.dynamics.invariant_circles.rotation import rotation_number

GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
RHO = 0.1 * GOLDEN


def series(generator, harmonics, size=3):
    """Random coefficients that fall off; that of order 0 is real."""
    shape = (harmonics + 1, size)
    found = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    found[0] = found[0].real
    return found / (1.0 + np.arange(harmonics + 1))[:, None] ** 2


def test_averages_converge_faster_than_any_power():
    def error(count):
        values = np.exp(np.cos(2 * np.pi * RHO * np.arange(count)))
        return abs(birkhoff_average(values) - np.i0(1.0))

    assert error(400) < 1e-4
    assert error(4000) < 1e-13
    plain = np.exp(np.cos(2 * np.pi * RHO * np.arange(4000))).mean() - np.i0(1.0)
    assert abs(plain) > 1e-6


@pytest.mark.parametrize("rho", [RHO, 0.37 * GOLDEN, 1.0 - RHO])
def test_the_rotation_number_of_a_bent_curve(rho):
    true = series(np.random.default_rng(0), 6)
    states = curve_at(true, rho * np.arange(4096))
    # A plain average would be off by 1e-4; how far this one is depends on small denominators.
    assert rotation_number(states) == pytest.approx(min(rho, 1 - rho), abs=1e-9)


def test_a_curve_that_winds_twice_in_its_first_plane():
    phases = 2 * np.pi * RHO * np.arange(4096)
    # The second harmonic is the largest; the first one is seen in smaller components.
    parts = [np.cos(2 * phases), np.sin(2 * phases), 0.4 * np.cos(phases), 0.1 * np.sin(phases)]
    states = np.stack(parts, axis=1) @ np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    assert rotation_number(states) == pytest.approx(RHO, abs=1e-12)


def test_the_series_is_that_of_the_curve():
    true = series(np.random.default_rng(2), 5)
    states = curve_at(true, RHO * np.arange(4096))
    np.testing.assert_allclose(fourier_series(states, RHO, 5), true, atol=1e-10)
    assert curve_error(states, RHO, true) < 1e-12
    circle = curve_at(true, np.arange(64) / 64)
    spread = np.sqrt(np.mean(np.sum((circle - circle.mean(axis=0)) ** 2, axis=1)))
    assert amplitude(true) == pytest.approx(spread, rel=1e-12)


def test_as_many_harmonics_as_the_states_resolve():
    def step(states):
        """A turn of the plane, the third coordinate the cosine of five times the angle."""
        z = (states[:, 0] + 1j * states[:, 1]) * np.exp(2j * np.pi * RHO)
        return np.stack([z.real, z.imag, (z**5).real], axis=1)

    states = [np.array([[1.0, 0.0, 1.0]])]
    for _ in range(4095):
        states.append(step(states[-1]))
    found, residual = fit_curve(np.concatenate(states), RHO, 128, step)
    assert len(found) - 1 >= 5
    assert residual < 1e-10
    # With four hundred states there is no telling harmonics 128 apart.
    few, residual = fit_curve(np.concatenate(states)[:400], RHO, 128, step)
    assert len(few) - 1 < 64
    assert residual < 1e-2


def test_curves_are_compared_whatever_their_phase():
    true = series(np.random.default_rng(3), 5)
    true[1] = 0.0  # aligned by the second harmonic, of which there are two ways
    shifted = true * np.exp(2j * np.pi * 0.6 * np.arange(6))[:, None]
    assert curve_distance(shifted, true) > 0.1
    assert curve_distance(match_phase(shifted, true), true) < 1e-14
    other = series(np.random.default_rng(4), 9)
    phases = np.arange(64) / 64
    off = curve_at(other, phases) - curve_at(true, phases)
    assert curve_distance(other, true) == pytest.approx(np.sqrt(np.mean(np.sum(off**2, axis=1))))


def test_no_motion_has_no_rotation():
    assert np.isnan(rotation_number(np.zeros((512, 3))))
