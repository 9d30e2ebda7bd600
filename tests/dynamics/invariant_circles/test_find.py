"""Invariant circles that are known: of rotations, of normal forms, of published maps."""

import warnings

import numpy as np
import pytest
from reference.dynamics import population, step
from reference.maps import Maps, delayed_logistic, henon, linear, parts

from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.invariant_circles.find import find_circles
from rnnstudy.dynamics.invariant_circles.record import FIXED, Circles
from rnnstudy.dynamics.invariant_circles.search import CircleSearch
from rnnstudy.dynamics.lyapunov import lyapunov_exponents

GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


def turn(rho, size=1.0):
    angle = 2 * np.pi * rho
    return size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def radial(rho, pull):
    """r' = r + pull r (1 - r^2), angle' = angle + 2 pi rho: the circle r = 1 attracts."""
    (c, minus), (s, _) = turn(rho)

    def function(x, h):
        p, q = parts(h)
        gain = 1.0 + pull * (1.0 - p**2 - q**2)
        return tf.stack([gain * (c * p + minus * q), gain * (s * p + c * q)], axis=-1)

    return function


@pytest.mark.parametrize("rho", [0.05 * GOLDEN, 0.9 * GOLDEN])
def test_a_circle_that_attracts(rho):
    found = find_circles(Maps(radial(rho, 0.2), 0, 2), None, [[0.1, 0.0], [0.0, 1.5]], dt=0.01)
    assert len(found) == 1
    assert found.n_starts.tolist() == [2]
    # Turning backwards is turning forwards on a curve that is walked the other way.
    assert found.rotation[0] == pytest.approx(min(rho, 1 - rho), abs=1e-12)
    assert found.hertz[0] == pytest.approx(100 * found.rotation[0])
    np.testing.assert_allclose(np.linalg.norm(found.curve[0], axis=1), 1.0, atol=1e-10)
    assert found.amplitude[0] == pytest.approx(1.0, abs=1e-10)
    np.testing.assert_allclose(found.mean[0], 0.0, atol=1e-10)
    assert found.residual[0] < 1e-10
    # Across the circle the slope is 1 - 2 pull.
    assert found.exponent[0] == pytest.approx(np.log(0.6), abs=1e-9)
    assert found.kind.tolist() == ["attracting"]


def test_a_slow_approach_to_a_point_is_no_orbit_of_period_1():
    """h' = 0.999 h: its last steps are below the distance of a return, its way is not."""
    found = find_circles(Maps(linear(0.999 * np.eye(2)), 2, 2), None, [[1.0, 0.5]])
    assert found.outcome.tolist() == [FIXED]
    assert found.period.tolist() == [0]


def test_a_rotation_has_circles_of_every_size_and_no_stable_point():
    networks = Maps(linear(turn(GOLDEN)), 2, 2)
    found = find_circles(networks, None, [[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
    np.testing.assert_allclose(found.rotation, 1 - GOLDEN, atol=1e-12)
    # The third start is on the first one's circle.
    np.testing.assert_allclose(np.sort(found.amplitude), [1.0, 2.0], atol=1e-10)
    assert sorted(found.n_starts) == [1, 2]
    assert set(found.kind) == {"neutral"}
    points = find_fixed_points(networks, starts=np.ones((4, 2)))
    assert points.kind.tolist() == ["marginal"]


def test_what_is_no_circle_is_told_apart():
    starts = np.array([[0.1, 0.1], [5.0, 5.0]])
    chaos = find_circles(Maps(henon, 1, 2), [[1.4]], starts)
    assert chaos.outcomes == {
        "circle": 0, "fixed point": 0, "periodic": 0, "unsettled": 1, "escaped": 1
    }  # fmt: skip
    assert repr(chaos) == "no invariant circles; starts: 1 unsettled, 1 escaped"
    inward = find_circles(Maps(linear(turn(0.1, 0.99)), 2, 2), None, [[1.0, 0.0]])
    assert inward.outcomes["fixed point"] == 1
    locked = find_circles(Maps(radial(0.15, 0.2), 0, 2), None, [[1.0, 0.3]])
    assert locked.outcomes["periodic"] == 1
    assert locked.period.tolist() == [20]
    # Two incommensurate turns at once: a torus.
    matrix = np.zeros((4, 4))
    matrix[:2, :2], matrix[2:, 2:] = turn(0.1 * GOLDEN), turn(np.sqrt(2) / 7)
    torus = find_circles(Maps(linear(matrix), 4, 4), None, [[1.0, 0.0, 1.0, 0.0]])
    assert torus.outcomes["unsettled"] == 1


def spiral(x, h):
    """dh/dt = (1 + 3i) h - |h|^2 h: a limit cycle of radius 1."""
    p, q = parts(h)
    growth = 1.0 - p**2 - q**2
    return tf.stack([growth * p - 3.0 * q, growth * q + 3.0 * p], axis=-1)


def test_a_vector_field_is_refused_with_a_map_to_pass():
    starts = [[0.5, 0.0]]
    with pytest.warns(UserWarning, match="pass continuous=True, or continuous=False"):
        find_circles(spiral, None, starts, CircleSearch(steps=256, rounds=1))
    # The advice of the warning is followed, and then that of the refusal.
    with pytest.raises(ValueError, match=r"must be a map .* Pass the map of a step, as h \+ dt f"):
        find_circles(spiral, None, starts, continuous=True)
    found = find_circles(
        lambda x, h: h + 0.01 * spiral(x, h), None, starts, dt=0.01, continuous=False
    )
    # A step on the circle is a rotation whose sine is 3 dt.
    assert found.rotation.tolist() == pytest.approx([np.arcsin(0.03) / (2 * np.pi)], abs=1e-9)


def test_a_map_that_is_said_to_be_one_raises_no_warning():
    starts = [[0.5, 0.0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = find_circles(
            spiral, None, starts, CircleSearch(steps=256, rounds=1), continuous=False
        )
    assert sum(found.outcomes.values()) == 1


def test_a_state_that_needs_longer_is_followed_on():
    slow = Maps(radial(0.05 * GOLDEN, 5e-4), 0, 2)
    once = find_circles(slow, None, [[0.05, 0.0]], CircleSearch(rounds=1))
    assert once.outcomes["unsettled"] == 1
    found = find_circles(slow, None, [[0.05, 0.0]])
    assert found.outcomes["circle"] == 1
    assert found.residual[0] < 1e-3


def test_the_delayed_logistic_map():
    networks, start = Maps(delayed_logistic, 1, 2), [[0.5, 0.55]]
    found = find_circles(networks, [[2.02]], start)
    # Born at a = 2 with a sixth of a turn per step (Maynard Smith 1968).
    assert found.rotation[0] == pytest.approx(1 / 6, abs=5e-3)
    exponents = lyapunov_exponents(networks, start[0], [2.02], steps=20_000, transient=5000)
    first, second = exponents.exponents[0]
    assert abs(first) < 1e-3
    assert found.exponent[0] == pytest.approx(second, abs=1e-3)
    # The series is the curve on which states really move.
    phases = np.random.default_rng(0).random(20)
    p, q = found.at(phases)[0].T
    moved = np.stack([2.02 * p * (1 - q), p], axis=1)
    ahead, behind = (found.at(phases + sign * found.rotation[0])[0] for sign in (1, -1))
    off = min(np.abs(moved - ahead).max(), np.abs(moved - behind).max())
    assert off < 1e-5


def test_members_of_a_population_at_several_inputs():
    """Two tanh units that turn: h' = tanh(1.3 R h + x)."""
    weights = [
        {"recurrent_kernel": 1.3 * turn(rho).T, "kernel": np.eye(2)} for rho in (0.0713, 0.11)
    ]
    inputs = np.array([[0.0, 0.0], [0.05, -0.02]])
    found = find_circles(population(Vanilla(units=2), weights, inputs=2), inputs)
    assert found.member.tolist() == [0, 0, 1, 1]
    assert found.input_index.tolist() == [0, 1, 0, 1]
    assert set(found.kind) == {"attracting"}
    for i in range(4):
        own, x = weights[found.member[i]], inputs[found.input_index[i]]
        own = {**own, "bias": np.zeros(2)}
        moved = np.array([step("vanilla", own, h, x) for h in found.curve[i]])
        ahead = found.at(found.phase + found.rotation[i])[i]
        rms = np.sqrt(np.mean(np.sum((moved - ahead) ** 2, axis=1))) / found.amplitude[i]
        assert rms < 1e-5
        assert found.residual[i] < 1e-5
    alone = find_circles(population(Vanilla(units=2), weights[1:], inputs=2), inputs)
    np.testing.assert_allclose(alone.rotation, found.of(member=1).rotation, atol=1e-9)


def test_record_frame_pictures_and_folder(tmp_path):
    networks = Maps(linear(turn(GOLDEN)), 2, 2)
    found = find_circles(networks, None, [[1.0, 0.0], [0.0, 2.0]], dt=0.5)
    one = found[found.amplitude > 1.5]
    assert one.curve.shape == (1, 128, 2)
    assert one.to_frame()["hertz"].tolist() == pytest.approx([2 * (1 - GOLDEN)])
    picture, table = found.exhibits()
    assert len(picture.lines) == 2 == table.rows
    found.save(tmp_path / "record")
    np.testing.assert_array_equal(Circles.load(tmp_path / "record").curve, found.curve)
    both = Circles.join([found, one])
    assert len(both) == 3
    assert len(both.outcome) == 2 * len(found.outcome)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"inputs": np.zeros((1, 2))}, r"inputs must be \[input point, 1\], .* \(1, 2\)"),
        ({"starts": np.zeros(2)}, r"starts must be \[start, state\], got shape \(2,\)"),
        ({"dt": -1.0}, "dt must be a finite number above 0, got -1.0. Give seconds per step."),
    ],
)
def test_what_makes_no_sense_is_refused(given, complaint):
    with pytest.raises(ValueError, match=complaint):
        find_circles(Maps(henon, 1, 2), **{"inputs": [[1.4]], **given})
    some = find_circles(Maps(linear(turn(GOLDEN)), 2, 2), None, [[1.0, 0.0]])
    with pytest.raises(ValueError, match="dt must be known for hertz"):
        some.hertz  # noqa: B018
