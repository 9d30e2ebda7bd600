"""Periodic orbits of published maps and of networks that are solved by hand."""

import numpy as np
import pytest
from numpy.polynomial import Polynomial
from reference.dynamics import population, random_weights, step
from reference.maps import Maps, henon, linear, logistic
from scipy.optimize import brentq

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.periodic_orbits.find import find_cycles
from rnnstudy.dynamics.periodic_orbits.record import Cycles
from rnnstudy.dynamics.periodic_orbits.search import OrbitSearch

LINE = np.linspace(0.01, 0.99, 60)[:, None]
SQUARE = np.random.default_rng(0).uniform(-1.3, 1.3, (200, 2))


def iterated(rate, times):
    """The logistic map's iterate as a polynomial."""
    x = Polynomial([0.0, 1.0])
    for _ in range(times):
        x = rate * x * (1 - x)
    return x


def test_the_period_three_orbits_of_the_logistic_map():
    found = find_cycles(Maps(logistic, 1, 1), [[3.83]], 3, LINE)
    thrice = iterated(3.83, 3)
    roots = (thrice - Polynomial([0.0, 1.0])).roots()
    own = np.sort(roots[(np.abs(roots.imag) < 1e-9) & (np.abs(3.83 * (1 - roots) - 1) > 1e-6)].real)
    own = own[own > 1e-6]
    np.testing.assert_allclose(np.sort(found.state.ravel()), own, atol=1e-12)
    assert found.period.tolist() == [3, 3]
    assert found.kind.tolist() == ["stable", "repeller"]
    slopes = thrice.deriv()(np.array([found.orbit(i)[0, 0] for i in range(2)]))
    np.testing.assert_allclose(found.multipliers[:, 0], slopes, atol=1e-10)
    # In the order of the map.
    for i in range(2):
        states = found.orbit(i)[:, 0]
        np.testing.assert_allclose(3.83 * states * (1 - states), np.roll(states, -1), atol=1e-14)
    assert found.outcomes["fixed point"] > 0
    assert found.n_starts.sum() == found.outcomes["converged"]


def test_all_periods_of_the_henon_map():
    found = find_cycles(Maps(henon, 1, 2), [[1.4]], range(1, 8), SQUARE)
    # Biham & Wenzel (1989): 2, 1, 0, 1, 0, 2, 4 orbits of periods 1 to 7; all are saddles.
    assert np.bincount(found.period, minlength=8)[1:].tolist() == [2, 1, 0, 1, 0, 2, 4]
    assert set(found.kind) == {"saddle"}
    # det dF/dh = -b everywhere.
    np.testing.assert_allclose(found.multipliers.prod(axis=1), (-0.3) ** found.period, rtol=1e-9)
    assert found.index.tolist() == np.sign(np.prod(1 - found.multipliers, axis=1).real).tolist()


def test_the_henon_orbit_of_period_two_by_hand():
    found = find_cycles(henon, [[1.4]], 2, SQUARE[:40])
    # p, p' solve a^2 p^2 - a (1 - b) p + (1 - b)^2 - a = 0; q = b p'.
    a, b = 1.4, 0.3
    first, second = np.roots([a**2, -a * (1 - b), (1 - b) ** 2 - a])
    low, high = sorted([first, second])
    np.testing.assert_allclose(found.state, [[low, b * high], [high, b * low]], atol=1e-13)
    jacobians = [np.array([[-2 * a * p, 1.0], [b, 0.0]]) for p in (low, high)]
    want = np.linalg.eigvals(jacobians[1] @ jacobians[0])
    np.testing.assert_allclose(np.sort(found.multipliers[0].real), np.sort(want), atol=1e-12)


def test_a_period_that_divides_the_one_sought_is_known():
    found = find_cycles(Maps(henon, 1, 2), [[1.4]], 4, SQUARE)
    assert found.period.tolist() == [4]
    assert found.outcomes["shorter period"] > 0
    assert found.outcomes["fixed point"] > 0
    both = find_cycles(Maps(henon, 1, 2), [[1.4]], (2, 4), SQUARE)
    assert both.period.tolist() == [2, 4]
    assert both.outcomes["shorter period"] == 0
    # Those that shooting for four states led to the orbit of two count as its hits.
    assert both.n_starts.sum() == both.outcomes["converged"]


def test_an_orbit_just_after_it_was_born_is_no_fixed_point():
    rate = 3.0001
    found = find_cycles(Maps(logistic, 1, 1), [[rate]], (1, 2), LINE)
    spread = np.sqrt((rate - 3) * (rate + 1))
    want = (rate + 1 + np.array([-spread, spread])) / (2 * rate)
    assert found.period.tolist() == [1, 1, 2]
    np.testing.assert_allclose(found.orbit(2)[:, 0], want, atol=1e-9)
    assert found.multipliers[2, 0] == pytest.approx(4 + 2 * rate - rate**2, abs=1e-9)


def test_a_continuum_of_orbits_is_not_counted():
    angle = 2 * np.pi / 5
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    found = find_cycles(Maps(linear(turn), 2, 2), None, 5, SQUARE[:20])
    assert len(found) == 0
    assert found.outcomes["degenerate"] == 20
    assert repr(found) == "no periodic orbits"


def flipping():
    """h' = tanh(-2 h) in two units: orbits of period 2 with h = tanh(2 h) or 0 in each."""
    return population(Vanilla(units=2), [{"recurrent_kernel": -2.0 * np.eye(2)}])


def test_a_network_that_flips():
    found = find_cycles(flipping(), period=2)
    high = brentq(lambda h: np.tanh(2 * h) - h, 0.5, 1.0, xtol=1e-15)
    # Sign patterns up to a step: both units in phase, in antiphase, or one at rest.
    patterns = sorted(tuple(np.rint(found.orbit(i)[0] / high).astype(int)) for i in range(4))
    assert patterns == [(-1, -1), (-1, 0), (-1, 1), (0, -1)]
    np.testing.assert_allclose(np.abs(found.state[found.state != 0]).max(), high, atol=1e-14)
    slope, rest = (2 * (1 - high**2)) ** 2, 4.0
    assert len(found) == 4
    for i in range(4):
        still = (np.abs(found.orbit(i)[0]) < 1e-12).sum()
        want = [rest] * still + [slope] * (2 - still)
        np.testing.assert_allclose(found.multipliers[i].real, want, atol=1e-12)
    assert found.n_unstable.tolist() == [0, 0, 1, 1]
    # The twice iterated map sends a ball into itself: all its points have indices that sum to 1.
    origin = 1
    assert (found.index * found.period).sum() + origin == 1


def test_members_and_inputs_are_searched_each_on_its_own():
    cell = GRU(units=3)
    generator = np.random.default_rng(0)
    weights = [random_weights(cell, generator, 5.0, inputs=1) for _ in range(3)]
    inputs = np.array([[0.0], [0.5]])
    few = OrbitSearch(candidates=40)
    every = find_cycles(population(cell, weights), inputs, (2, 3), search=few)
    assert set(every.period) == {2, 3}
    assert set(every.member) == {1, 2}
    for i in range(len(every)):
        states = every.orbit(i)
        own, x = weights[every.member[i]], inputs[every.input_index[i]]
        moved = np.array([step("gru", own, h, x) for h in states])
        np.testing.assert_allclose(moved, np.roll(states, -1, axis=0), atol=1e-12)
    for member in range(3):
        alone = find_cycles(
            population(cell, weights[member : member + 1]), inputs, (2, 3), None, few
        )
        here = every.of(member=member)
        np.testing.assert_allclose(here.state, alone.state, atol=1e-9)
        assert here.outcomes == alone.outcomes


def test_record_frame_pictures_and_folder(tmp_path):
    found = find_cycles(Maps(henon, 1, 2), [[1.4]], range(1, 7), SQUARE)
    some = found[found.period == 6]
    assert len(some) == 2
    np.testing.assert_array_equal(some.orbit(1), found.orbit(len(found) - 1))
    both = Cycles.join([found, some])
    np.testing.assert_array_equal(both.orbit(len(found)), some.orbit(0))
    assert len(both.outcome) == 2 * len(found.outcome)
    assert repr(some) == "2 periodic orbits: 2 of period 6"
    frame = found.to_frame()
    assert frame["period"].tolist() == found.period.tolist()
    picture, table = found.exhibits()
    assert len(picture.lines) == len(found) == table.rows
    found.save(tmp_path / "record")
    np.testing.assert_array_equal(Cycles.load(tmp_path / "record").state, found.state)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"period": 0}, "period must be one or several whole numbers above 0, got 0"),
        ({"period": 1.5}, "period must be one or several whole numbers above 0, got 1.5"),
        ({"inputs": np.zeros((1, 2))}, r"inputs must be \[input point, 1\], .* \(1, 2\)"),
        ({"starts": np.zeros((4, 3))}, r"starts must be \[start, 2\], got shape \(4, 3\)"),
        ({"starts": np.zeros((0, 2))}, r"starts must be \[start, state\], .* \(0, 2\)"),
    ],
)
def test_what_makes_no_sense_is_refused(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        find_cycles(Maps(henon, 1, 2), **{"inputs": [[1.4]], **given})
