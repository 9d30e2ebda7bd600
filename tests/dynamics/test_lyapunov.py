"""Lyapunov exponents of published maps, of linear networks, and of driven ones."""

import numpy as np
import pytest
from reference.dynamics import population, random_weights, step
from reference.maps import Maps, henon, linear, logistic, tanh_unit

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.lyapunov import Lyapunov, kaplan_yorke, lyapunov_exponents


def test_the_henon_map():
    networks = Maps(henon, 1, 2)
    found = lyapunov_exponents(networks, np.array([0.1, 0.1]), np.array([1.4]), steps=20_000)
    first, second = found.exponents[0]
    # Published: 0.4192 and -1.6231; the error of a finite time is known from the stretches.
    assert abs(first - 0.41922) < 4 * found.error[0, 0] < 0.02
    # det J = -b everywhere, so the sum has no error but rounding.
    assert first + second == pytest.approx(np.log(0.3), abs=1e-12)
    assert found.dimension[0] == pytest.approx(1.2583, abs=0.01)


def test_a_plain_function():
    found = lyapunov_exponents(henon, [0.1, 0.1], [1.4], steps=400)
    same = lyapunov_exponents(Maps(henon, 1, 2), [0.1, 0.1], [1.4], steps=400)
    # Chaos doubles a rounding every other step, but the sum is that of log b.
    assert found.exponents.sum() == pytest.approx(np.log(0.3), abs=1e-12)
    np.testing.assert_allclose(found.exponents, same.exponents, atol=0.2)


def test_the_logistic_map():
    # r just below 4: at 4 itself rounding may throw a trajectory onto the fixed point 0.
    found = lyapunov_exponents(Maps(logistic, 1, 1), [[0.3], [0.7]], [4 - 1e-12], steps=20_000)
    assert (np.abs(found.exponents - np.log(2)) < 4 * found.error + 1e-4).all()
    assert (found.error < 0.01).all()
    assert found.start.tolist() == [0, 1]
    stable = lyapunov_exponents(Maps(logistic, 1, 1), [0.3], [2.5], steps=400, transient=200)
    # At the fixed point 1 - 1/r the slope is 2 - r.
    assert stable.exponents[0, 0] == pytest.approx(np.log(0.5), abs=1e-12)
    assert stable.dimension[0] == 0


def test_a_linear_map_has_the_moduli_of_its_eigenvalues():
    generator = np.random.default_rng(1)
    basis = generator.standard_normal((4, 4))
    block = 0.9 * np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
    core = np.zeros((4, 4))
    core[:2, :2], core[2, 2], core[3, 3] = block, 0.5, -0.1
    matrix = basis @ core @ np.linalg.inv(basis)
    found = lyapunov_exponents(Maps(linear(matrix), 4, 4), np.zeros(4), steps=4000, dt=0.5)
    # Within a rotating pair the frame turns: its mean is known to 1 / steps.
    np.testing.assert_allclose(found.exponents[0], np.log([0.9, 0.9, 0.5, 0.1]), atol=2e-3)
    np.testing.assert_allclose(found.per_second, 2 * found.exponents)
    leading = lyapunov_exponents(Maps(linear(matrix), 4, 4), np.zeros(4), steps=4000, count=2)
    # The first directions do not know how many follow, but start elsewhere.
    np.testing.assert_allclose(leading.exponents, found.exponents[:, :2], atol=2e-3)


def test_an_annihilated_direction_is_minus_infinity():
    found = lyapunov_exponents(
        Maps(linear([[0.5, 1.0], [0.25, 0.5]]), 2, 2), np.zeros(2), steps=100
    )
    assert found.exponents[0, 0] == pytest.approx(0.0, abs=1e-12)
    assert found.exponents[0, 1] == -np.inf


def test_a_driven_unit():
    inputs = np.random.default_rng(0).standard_normal((600, 1))
    h, slopes = 0.3, []
    for (x,) in inputs:
        new = np.tanh(0.8 * h + x)
        slopes.append(np.log(0.8 * (1 - new**2)))
        h = new
    found = lyapunov_exponents(Maps(tanh_unit(0.8), 1, 1), [0.3], inputs, transient=100)
    # The exponent of one dimension is the mean logarithm of the slope.
    assert found.exponents[0, 0] == pytest.approx(np.mean(slopes[100:]), abs=1e-12)
    assert found.end[0, 0] == pytest.approx(h, abs=1e-12)
    blocks = np.reshape(slopes[100:], (20, 25)).mean(axis=1)
    assert found.error[0, 0] == pytest.approx(blocks.std(ddof=1) / np.sqrt(20), abs=1e-12)
    running = np.cumsum(blocks) / np.arange(1, 21)
    np.testing.assert_allclose(found.trace[0, :, 0], running, atol=1e-12)


def test_members_of_a_population_are_followed_each_on_its_own(monkeypatch):
    cell = GRU(units=3)
    generator = np.random.default_rng(2)
    weights = [random_weights(cell, generator, 1.5, inputs=2) for _ in range(2)]
    inputs = generator.standard_normal((200, 2))
    networks = population(cell, weights, inputs=2)
    both = lyapunov_exponents(networks, np.zeros(3), inputs, transient=0)
    for member, own in enumerate(weights):
        h = np.zeros(3)
        for x in inputs:
            h = step("gru", own, h, x)
        np.testing.assert_allclose(both.end[member], h, atol=1e-10)
    # In pieces of a few steps each: the same.
    monkeypatch.setattr("rnnstudy.dynamics.lyapunov.JACOBIAN_BYTES", 8 * 9 * 7)
    one = lyapunov_exponents(networks, np.zeros(3), inputs, transient=0, member=1)
    np.testing.assert_allclose(one.exponents[0], both.exponents[1], atol=1e-12)
    assert one.member.tolist() == [1]


def test_the_sum_is_the_mean_logarithm_of_the_determinants():
    cell = Vanilla(units=5)
    weights = random_weights(cell, np.random.default_rng(4), 2.0)
    found = lyapunov_exponents(population(cell, [weights]), np.full(5, 0.1), steps=300, transient=0)
    h, total = np.full(5, 0.1), 0.0
    for _ in range(300):
        h = step("vanilla", weights, h)
        jacobian = (1 - h**2)[:, None] * weights["recurrent_kernel"].T
        total += np.linalg.slogdet(jacobian)[1] / 300
    assert found.exponents.sum() == pytest.approx(total, abs=1e-10)


def test_a_trajectory_that_escapes_has_none():
    found = lyapunov_exponents(Maps(logistic, 1, 1), [[2.0], [0.3]], [3.0], steps=100)
    assert np.isnan(found.exponents[0]).all()
    assert np.isfinite(found.exponents[1]).all()
    assert np.isnan(found.dimension[0])


def test_the_dimension():
    assert kaplan_yorke(np.array([0.5, -1.0]), 2) == 1.5
    assert kaplan_yorke(np.array([-0.5, -1.0]), 2) == 0.0
    assert kaplan_yorke(np.array([0.5, -0.1]), 2) == 2.0
    assert np.isnan(kaplan_yorke(np.array([0.5, -0.1]), 3))
    # The Lorenz system's: 2.06.
    assert kaplan_yorke(np.array([0.9056, 0.0, -14.5723]), 3) == pytest.approx(2.0621, abs=1e-3)


def test_frame_pictures_and_folder(tmp_path):
    found = lyapunov_exponents(Maps(henon, 1, 2), [0.1, 0.1], [1.4], steps=400, dt=0.01)
    frame = found.to_frame()
    assert frame["per_second"].tolist() == (100 * found.exponents[0]).tolist()
    picture, table = found.exhibits()
    assert [curve.label for curve in picture.curves] == ["exponent 1", "exponent 2"]
    assert table.rows == 2
    found.save(tmp_path / "record")
    again = Lyapunov.load(tmp_path / "record")
    np.testing.assert_array_equal(again.trace, found.trace)
    assert again.dt == 0.01


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"start": np.zeros(3)}, r"start must have shape \[2\] or \[start, 2\], got \(3,\)"),
        (
            {"inputs": np.zeros((9, 2))},
            r"inputs must have shape \[1\] or \[time, 1\], got \(9, 2\)",
        ),
        ({"inputs": np.zeros((90, 1)), "steps": 100}, "inputs must have 100 steps, got 90"),
        (
            {"steps": 20},
            "steps must be at least 20 after the transient, got 20 with a transient of 2",
        ),
        ({"count": 3}, "count must be 1 to 2, got 3"),
        ({"member": 1}, "member must be 0 to 0, got 1"),
        ({"dt": 0.0}, "dt must be a finite number above 0, got 0.0. Give seconds per step."),
    ],
)
def test_what_makes_no_sense_is_refused(given, complaint):
    arguments = {"start": np.zeros(2), **given}
    with pytest.raises(ValueError, match=complaint):
        lyapunov_exponents(Maps(henon, 1, 2), **arguments)
