"""Lyapunov exponents of vector fields: linear ones, Hopf's cycle, and Lorenz's attractor."""

import numpy as np
import pytest
from reference.vector_fields import hopf, linear, lorenz

from rnnstudy.dynamics.lyapunov import Lyapunov, lyapunov_exponents


@pytest.mark.slow
def test_a_linear_field_has_the_real_parts_of_its_eigenvalues():
    matrix = [[-0.4, -5.0, 1.0], [5.0, -0.4, 0.0], [0.0, 0.0, -2.0]]
    found = lyapunov_exponents(
        linear(matrix), [1.0, 0.5, 0.2], steps=4000, transient=400, continuous=True
    )
    # A rotation stretches the frame periodically, by a factor that time averages away.
    np.testing.assert_allclose(found.exponents[0], [-0.4, -0.4, -2.0], atol=2e-3)
    assert found.exponents.sum() == pytest.approx(-2.8, abs=1e-8)
    assert found.continuous
    assert found.interval == 0.25  # The norm of the matrix is about 5.
    assert "nats per unit of time" in repr(found)


def test_a_cycle_is_neutral_along_itself():
    found = lyapunov_exponents(
        hopf(growth=0.7), [0.9, 0.0], steps=2000, transient=1000, continuous=True, dt=0.001
    )
    np.testing.assert_allclose(found.exponents[0], [0.0, -1.4], atol=1e-6)
    np.testing.assert_allclose(found.per_second[0, 1], -1400.0, rtol=1e-6)
    assert np.hypot(*found.end[0]) == pytest.approx(np.sqrt(0.7), abs=1e-6)


@pytest.mark.slow
def test_the_lorenz_attractor(tmp_path):
    found = lyapunov_exponents(lorenz, [1.0, 1.0, 20.0], steps=16_000, continuous=True)
    first, second, third = found.exponents[0]
    # Sprott 2003: 0.9056, 0, -14.5723. The error of a finite time is known from the stretches.
    assert abs(first - 0.9056) < 4 * found.error[0, 0] < 0.1
    assert abs(second) < 0.01
    assert abs(third + 14.5723) < 4 * found.error[0, 2] + 0.01
    # The divergence is the same everywhere, so the sum has the error of the integration alone.
    assert found.exponents.sum() == pytest.approx(-41.0 / 3.0, abs=1e-5)
    assert found.dimension[0] == pytest.approx(2.062, abs=0.01)
    found.save(tmp_path / "lorenz")
    assert Lyapunov.load(tmp_path / "lorenz").interval == found.interval


def test_an_input_is_constant_for_an_interval():
    # dh/dt = x - h with x = 0, then 1: h = 1 - exp(-t).
    inputs = np.concatenate([np.zeros((20, 1)), np.ones((20, 1))])
    found = lyapunov_exponents(
        lambda x, h: x - h, [0.0], inputs, transient=0, continuous=True, interval=0.1
    )
    assert found.end[0, 0] == pytest.approx(1.0 - np.exp(-2.0), rel=1e-8)
    assert found.exponents[0, 0] == pytest.approx(-1.0, abs=1e-8)


@pytest.mark.slow
def test_an_interval_is_one_of_a_field():
    with pytest.raises(ValueError, match="interval must be None for a map"):
        lyapunov_exponents(lambda x, h: 0.5 * h, [1.0], steps=40, interval=0.1, continuous=False)
    with pytest.raises(ValueError, match="interval must be short for the field, got 5"):
        lyapunov_exponents(hopf(), [0.9, 0.0], steps=40, continuous=True, interval=5.0)
