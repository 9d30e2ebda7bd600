"""Where states end, against plain loops and what is known of the maps."""

import numpy as np
import pytest
from reference.dynamics import population, random_weights, step
from reference.maps import Maps, delayed_logistic, henon, linear, logistic
from scipy.stats import binomtest

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.basins.basins import basins
from rnnstudy.dynamics.basins.follow import BASIN_OUTCOMES
from rnnstudy.dynamics.basins.record import Basins
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch


def fates(found):
    return [BASIN_OUTCOMES.name_of(code) for code in found.outcome]


def bistable(units=2, members=1):
    """Independent units h' = tanh(2 h + x)."""
    weights = {"recurrent_kernel": 2.0 * np.eye(units), "kernel": np.eye(units)}
    return population(Vanilla(units=units), [weights] * members, inputs=units)


def test_independent_bistable_units_end_in_their_quadrant():
    networks = bistable()
    points = find_fixed_points(networks, search=FixedPointSearch(candidates=128))
    starts = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    found = basins(networks, starts, points)
    assert set(fates(found)) == {"attractor"}
    assert len(found.attractors["state"]) == 4
    ends = found.attractors["state"][found.attractor]
    np.testing.assert_array_equal(np.sign(ends), np.sign(starts))
    np.testing.assert_array_equal(points.state[found.attractors["point"][found.attractor]], ends)
    # Within the tolerance of where it is said to have arrived.
    scale = np.median(np.sqrt(np.mean(starts**2, axis=1)))
    assert np.linalg.norm(found.end - ends, axis=1).max() < 2 * 1e-3 * scale * np.sqrt(2)
    frame = found.to_frame()
    assert frame["starts"].sum() == 400
    for _, row in frame.iterrows():
        truth = binomtest(row["starts"], 400).proportion_ci(method="wilson")
        assert (row["low"], row["high"]) == pytest.approx((truth.low, truth.high))
        # One quadrant each: 4 standard errors of a quarter.
        assert row["share"] == pytest.approx(0.25, abs=4 * np.sqrt(0.1875 / 400))


def test_steps_and_ends_equal_a_plain_loop():
    cell = GRU(units=3)
    generator = np.random.default_rng(3)
    weights = [random_weights(cell, generator, 4.0, inputs=2) for _ in range(2)]
    inputs = np.array([[0.0, 0.0], [0.5, -0.5]])
    networks = population(cell, weights, inputs=2)
    points = find_fixed_points(networks, inputs=inputs, search=FixedPointSearch(candidates=64))
    starts = generator.uniform(-1, 1, (30, 3))
    found = basins(networks, starts, points, steps=300)
    assert len(found) == 120
    arrived = np.flatnonzero(found.outcome == 0)
    assert len(arrived) > 60
    for row in arrived[::9]:
        attractor = found.attractor[row]
        member, position = found.member[row], found.input_index[row]
        assert found.attractors["member"][attractor] == member
        assert found.attractors["input_index"][attractor] == position
        h = found.state[row]
        gaps = [np.linalg.norm(h - found.attractors["state"][attractor])]
        for _ in range(found.steps[row]):
            h = step("gru", weights[member], h, inputs[position])
            gaps.append(np.linalg.norm(h - found.attractors["state"][attractor]))
        np.testing.assert_allclose(h, found.end[row], atol=1e-11)
        assert all(gap > gaps[-1] for gap in gaps[:-1])


def test_the_batch_can_be_of_any_size(monkeypatch):
    networks = bistable(members=3)
    points = find_fixed_points(networks, search=FixedPointSearch(candidates=64))
    starts = np.random.default_rng(1).uniform(-1, 1, (50, 2))
    whole = basins(networks, starts, points)
    for size in (8 * 16 * 2 * 10, 8 * 16 * 2 * 150):
        monkeypatch.setattr("rnnstudy.dynamics.basins.follow.FOLLOW_BYTES", size)
        parts = basins(networks, starts, points)
        for name in ("state", "end", "outcome", "attractor", "steps", "member"):
            np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))


@pytest.mark.parametrize(("r", "period"), [(3.2, 2), (3.5, 4), (3.83, 3)])
def test_cycles_and_their_period(r, period):
    found = basins(Maps(logistic, 1, 1), [[0.3], [0.7]], np.zeros((0, 1)), [[r]])
    assert fates(found) == ["cycling", "cycling"]
    assert found.period.tolist() == [period, period]
    h = found.end
    for _ in range(period):
        h = r * h * (1 - h)
    np.testing.assert_allclose(h, found.end, atol=1e-7)


def test_those_that_do_not_settle():
    networks = Maps(logistic, 1, 1)
    # Above 1 or below 0 the logistic map escapes; 0 stands still; 0.5 -> 1 -> 0 at r = 4.
    found = basins(networks, [[1.2], [-0.1], [0.0], [0.5], [0.3]], [[0.9]], [[4.0]], steps=500)
    assert fates(found) == ["escaped", "escaped", "elsewhere", "elsewhere", "moving"]
    assert found.steps[-1] == 500
    assert found.steps[2:4].tolist() == [1, 3]
    assert (found.attractor == -1).all()
    assert found.outcomes == {
        "attractor": 0, "elsewhere": 2, "cycling": 0, "escaped": 2, "moving": 1,
    }  # fmt: skip
    frame = found.to_frame()
    assert frame["outcome"].tolist() == ["attractor", "elsewhere", "escaped", "moving"]
    assert frame["share"].tolist() == [0.0, 0.4, 0.4, 0.2]
    # An invariant circle is neither still nor periodic.
    circle = basins(Maps(delayed_logistic, 1, 2), [[0.4, 0.5]], [[0.5, 0.5]], [[2.1]], steps=500)
    assert fates(circle) == ["moving"]


def test_a_slow_spiral_arrives_and_is_no_cycle():
    turn = 0.999 * np.array([[0.0, -1.0], [1.0, 0.0]])
    found = basins(Maps(linear(turn), 2, 2), [[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0]])
    assert fates(found) == ["attractor", "attractor"]
    # 0.999^steps = 1e-3 sqrt(2) times the median root mean square of (1, 0, 0): that of a mean.
    scale = np.median([np.sqrt(0.5), 0, 0]) or np.mean([np.sqrt(0.5), 0, 0])
    expected = np.ceil(np.log(1e-3 * np.sqrt(2) * scale) / np.log(0.999))
    assert found.steps.tolist() == [expected, 0]


def test_a_saddle_close_by_bounds_the_radius():
    # Stable at -0.005 and 1, unstable at 0: a start at 0.001 is close to the wrong one.
    networks = Maps(lambda x, h: h - 0.5 * h * (h + 0.005) * (h - 1.0), 0, 1)
    starts = [[1e-3], [-1e-3], [1.0], [1.0]]
    found = basins(networks, starts, [[-0.005], [1.0]], tolerance=2e-2)
    assert found.attractor.tolist() == [0, 0, 1, 1]
    knowing = basins(networks, starts, [[-0.005], [1.0], [0.0]], tolerance=2e-2)
    assert knowing.attractor.tolist() == [1, 0, 1, 1]


def test_a_plain_function():
    point = (-0.7 + np.sqrt(0.49 + 0.8)) / 0.4
    found = basins(henon, [[0.0, 0.0], [30.0, 0.0]], [[point, 0.3 * point]], [[0.2]])
    assert fates(found) == ["attractor", "escaped"]


def test_pictures_and_folder(tmp_path):
    networks = bistable(1)
    points = find_fixed_points(networks, search=FixedPointSearch(candidates=32))
    found = basins(networks, [[0.5], [-0.5], [0.0]], points, confidence=0.9)
    assert fates(found) == ["attractor", "attractor", "elsewhere"]
    panels, table = found.exhibits()
    (picture,) = panels.exhibits
    assert sorted(picture.groups["end"]) == ["attractor 0", "attractor 1", "elsewhere"]
    assert table.rows == 3
    found.save(tmp_path / "record")
    again = Basins.load(tmp_path / "record")
    np.testing.assert_array_equal(again.end, found.end)
    assert again.confidence == 0.9


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"starts": np.zeros((4, 3))}, r"starts must have shape \[start, 2\] or .* \(4, 3\)"),
        (
            {"attractors": np.zeros((1, 3))},
            r"attractors must have shape \[attractor, 2\], got",
        ),
        ({"inputs": np.zeros((1, 5))}, r"inputs must be \[input point, 1\], .* \(1, 5\)"),
        ({"attractors": np.zeros((2, 2))}, "attractors must be different states"),
        ({"steps": -1}, "steps must be a whole number of at least 0, got -1"),
    ],
)
def test_what_makes_no_sense_is_refused(given, complaint):
    arguments = {"starts": np.ones((4, 2)), "attractors": np.zeros((1, 2)), **given}
    with pytest.raises(ValueError, match=complaint):
        basins(Maps(henon, 1, 2), **arguments)
