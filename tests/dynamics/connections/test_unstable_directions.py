"""Ways out of a point, and those between: on circles and spheres where all is known."""

import numpy as np
import pytest

from rnnstudy.dynamics.connections.unstable_directions import (
    edge_tracking_directions,
    unstable_directions,
)


def on_circle(angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@pytest.mark.parametrize("seed", range(10))
def test_on_a_circle_they_lie_between_neighbours_of_other_ends(seed):
    """Ends are arcs, some so narrow that they hold a single way."""
    generator = np.random.default_rng(seed)
    angles = generator.uniform(0.0, 2.0 * np.pi, 40)
    ends = np.searchsorted(np.sort(generator.uniform(0.0, 2.0 * np.pi, 6)), angles) % 6
    order = np.argsort(angles)
    pairs = zip(order, np.roll(order, -1), strict=True)
    one, other = on_circle(angles)[[pair for pair in pairs if ends[pair[0]] != ends[pair[1]]]
                                   ].swapaxes(0, 1)  # fmt: skip
    wanted = np.concatenate([one + other, 3.0 * one + other, one + 3.0 * other])
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    found = edge_tracking_directions(on_circle(angles), ends)
    gaps = np.linalg.norm(wanted[:, None] - found, axis=-1)
    # All boundaries are tried and nothing else is.
    assert gaps.min(axis=1) == pytest.approx(0.0, abs=1e-12)
    assert gaps.min(axis=0) == pytest.approx(0.0, abs=1e-12)


def test_parting_finds_what_is_too_narrow_to_be_met():
    """An arc of a millionth between two halves of the circle."""

    def ends_of(ways):
        angles = np.arctan2(ways[:, 1], ways[:, 0])
        return np.where(np.abs(angles - 0.3) < 5e-7, 2, (angles > 0.3) | (angles < 0.3 - np.pi))

    ways = on_circle(np.linspace(0.0, 2.0 * np.pi, 20, endpoint=False))
    for _ in range(12):
        more = edge_tracking_directions(ways, ends_of(ways))
        ways = np.concatenate([ways, more])
    assert set(ends_of(ways).tolist()) == {0, 1, 2}
    # Two boundaries at first and three in the end: no more is tried than that.
    assert len(ways) <= 20 + 12 * 3 * 3


def test_the_narrowest_gaps_come_first():
    angles, ends = np.array([0.0, 0.5, 0.6, 2.0, 4.0]), np.array([0, 1, 0, 1, 2])
    found = edge_tracking_directions(on_circle(angles), ends, most=5)
    # One gap, since each is tried at three shares: that of 0.1 between the second and third.
    # Shares are of the chord. They differ from those of the arc by its cube, over 100.
    assert np.sort(np.arctan2(found[:, 1], found[:, 0])) == pytest.approx(
        [0.525, 0.55, 0.575], abs=1e-4
    )
    assert len(edge_tracking_directions(on_circle(angles), ends, most=2)) == 0
    every = edge_tracking_directions(on_circle(angles), ends)
    np.testing.assert_array_equal(
        edge_tracking_directions(on_circle(angles), ends, most=len(every)), every
    )


def test_between_ways_of_one_end_or_opposite_ones_there_is_nothing():
    ways = on_circle(np.array([0.0, 1.0, 2.0]))
    assert edge_tracking_directions(ways, np.zeros(3, int)).shape == (0, 2)
    assert edge_tracking_directions(ways[:1], np.zeros(1, int)).shape == (0, 2)
    assert edge_tracking_directions(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.arange(2)).shape == (
        0,
        2,
    )
    near = np.array([[1.0, 0.0], [1.0, 1e-13]])
    assert edge_tracking_directions(near, np.arange(2)).shape == (0, 2)


def test_ways_are_spread_evenly_each_at_its_time():
    """A map with modes 1.3, 1.2 and a stable one: moved on, ways are as the unit circle."""
    jacobian = np.diag([1.3, 0.5, 1.2])
    count, growth = 8000, 100.0
    ways = unstable_directions(jacobian, 1e-9, count, growth, np.random.default_rng(0))
    assert np.linalg.norm(ways, axis=1) == pytest.approx(np.ones(count))
    assert np.abs(ways[:, 1]).max() < 1e-12
    times = np.linspace(0, int(np.log(growth) / np.log(1.2)), count).astype(int)
    moved = ways[:, [0, 2]] * np.array([1.3, 1.2]) ** times[:, None]
    angles = np.arctan2(*(moved / np.linalg.norm(moved, axis=1, keepdims=True)).T)
    for part in (slice(0, 2000), slice(-2000, None)):
        counts, _ = np.histogram(angles[part], 8, (-np.pi, np.pi))
        # Chi squared with 7 degrees of freedom is below 24.3 in 999 of 1000 cases.
        assert ((counts - 250.0) ** 2 / 250.0).sum() < 24.3
    first, last = np.abs(ways[:2000, 0]).mean(), np.abs(ways[-2000:, 0]).mean()
    assert first > 1.5 * last


def test_a_single_unstable_direction_is_left_both_ways():
    ways = unstable_directions(np.diag([0.5, 2.0]), 1e-9, 80, 10.0, np.random.default_rng(0))
    assert np.abs(ways) == pytest.approx(np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert ways[0] == pytest.approx(-ways[1])
