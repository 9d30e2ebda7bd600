"""Periodic orbits of vector fields: Hopf's normal form, Van der Pol, Lorenz, a centre."""

import numpy as np
import pytest
from reference.vector_fields import hopf, linear, lorenz, van_der_pol
from scipy.integrate import solve_ivp

from rnnstudy.dynamics.periodic_orbits.find import find_cycles
from rnnstudy.dynamics.periodic_orbits.record import Cycles
from rnnstudy.dynamics.periodic_orbits.search import OrbitSearch

PLANE = np.array([[0.4, 0.0], [2.0, -1.0]])
VAN_DER_POL_PERIOD = 6.663286859323130
"""Period at damping 1 (Amore, Boyd & Fernandez 2018 have more digits)."""


@pytest.mark.parametrize("rate", [1.0, 400.0])
def test_the_cycle_of_a_hopf_bifurcation(rate):
    growth, frequency = 0.3, 3.0

    def field(x, h):
        return rate * hopf(growth, frequency)(x, h)

    found = find_cycles(field, starts=PLANE, continuous=True)
    period = 2 * np.pi / frequency
    np.testing.assert_allclose(found.period, [period / rate], rtol=1e-9)
    np.testing.assert_allclose(np.hypot(*found.state.T), np.sqrt(growth), rtol=1e-9)
    np.testing.assert_allclose(found.multipliers, [[1.0, np.exp(-2 * growth * period)]], atol=1e-8)
    assert found.kind.tolist() == ["stable"]
    assert found.index.tolist() == [1]
    assert found.outcomes["converged"] == 2
    constants = found.to_frame()["time_constant"] * rate
    np.testing.assert_allclose(constants, [1 / (2 * growth)], rtol=1e-6)


def test_a_repelling_cycle_comes_from_backward_time():
    def reversed_hopf(x, h):
        return -hopf(0.5, 2.0)(x, h)

    found = find_cycles(reversed_hopf, starts=PLANE, continuous=True)
    np.testing.assert_allclose(found.period, [np.pi], rtol=1e-9)
    np.testing.assert_allclose(found.multipliers[0, 0], np.exp(np.pi), rtol=1e-7)
    assert found.kind.tolist() == ["repeller"]
    assert found.index.tolist() == [-1]


def test_van_der_pol_against_liouville_and_scipy(tmp_path):
    found = find_cycles(van_der_pol(), starts=PLANE, continuous=True)
    assert found.period == pytest.approx([VAN_DER_POL_PERIOD], abs=1e-9)

    # Liouville: the product of the multipliers is exp of the divergence's integral.
    def rates(t, y):
        return [y[1], (1 - y[0] ** 2) * y[1] - y[0], 1 - y[0] ** 2]

    first = [*found.orbit(0)[0], 0.0]
    path = solve_ivp(rates, (0, VAN_DER_POL_PERIOD), first, "DOP853", rtol=1e-12, atol=1e-13)
    end = path.y[:, -1]
    np.testing.assert_allclose(end[:2], first[:2], atol=1e-8)
    np.testing.assert_allclose(found.multipliers[0], [1.0, np.exp(end[2])], atol=1e-8)
    # The amplitude is 2.00861986087... at damping 1.
    assert found.state[:, 0].max() == pytest.approx(2.00862, abs=2e-3)
    found.save(tmp_path / "cycle")
    again = Cycles.load(tmp_path / "cycle")
    assert again.continuous
    assert repr(again) == "1 periodic orbit: 1 of period 6.66329"
    assert len(again.exhibits()) == 2


def test_the_shortest_orbit_of_lorenz():
    start = np.array([[-13.763610682134, -19.578751942452, 27.0]])
    found = find_cycles(lorenz, starts=start, period=1.55, continuous=True)
    # Viswanath 2003, orbit AB.
    assert found.period == pytest.approx([1.5586522107161747], abs=1e-9)
    assert found.kind.tolist() == ["saddle"]
    # Its exponent is 0.9946 (Viswanath 2003): exp(0.9946 * 1.55865) = 4.713.
    multipliers = found.multipliers[0].real
    assert multipliers[0] == pytest.approx(4.713, abs=1e-3)
    assert multipliers[1] == pytest.approx(1.0, abs=1e-7)


@pytest.mark.slow
def test_a_centre_has_no_isolated_orbit_and_a_focus_none():
    found = find_cycles(linear([[0.0, -2.0], [2.0, 0.0]]), starts=PLANE, continuous=True)
    assert len(found) == 0
    assert found.outcomes["degenerate"] == 2
    found = find_cycles(linear([[-0.5, -2.0], [2.0, -0.5]]), starts=PLANE, continuous=True)
    assert found.outcomes["fixed point"] == 2


def test_a_guess_of_two_turns_leads_to_one():
    found = find_cycles(hopf(), starts=[[1.0, 0.0]], period=4 * np.pi / 3, continuous=True)
    np.testing.assert_allclose(found.period, [2 * np.pi / 3], rtol=1e-9)


def test_guesses_of_the_period_need_starts():
    with pytest.raises(ValueError, match="starts must be states near the orbits"):
        find_cycles(hopf(), period=2.0, state_size=2, continuous=True)
    with pytest.raises(ValueError, match="A vector field takes times above 0"):
        find_cycles(hopf(), period=-1.0, starts=PLANE, continuous=True)


def test_starts_of_its_own():
    found = find_cycles(
        hopf(), state_size=2, search=OrbitSearch(candidates=4, transient=20), continuous=True
    )
    np.testing.assert_allclose(found.period, [2 * np.pi / 3], rtol=1e-9)
