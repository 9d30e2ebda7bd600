"""Transitions under noise and pulses of units whose probabilities are known or symmetric."""

import dataclasses
import itertools

import numpy as np
import pytest
from reference.dynamics import population
from scipy.optimize import brentq
from scipy.stats import norm

from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.connections.transition_record import Transitions
from rnnstudy.dynamics.connections.transitions import transitions
from rnnstudy.dynamics.fixed_points.find import find_fixed_points


def memory(units=2, gains=(3.0,)):
    """h' = tanh(gain h + x) in each unit; a member for each gain."""
    eye = np.eye(units)
    weights = [{"recurrent_kernel": gain * eye, "kernel": eye} for gain in gains]
    return population(Vanilla(units=units), weights, inputs=units)


@pytest.fixture(scope="module")
def bits():
    return memory(), find_fixed_points(memory())


def signs(points, stable):
    return np.sign(points.state[stable]).astype(int)


def test_one_step_of_noise_by_hand():
    networks = memory(1)
    points = find_fixed_points(networks)
    found = transitions(networks, points, noise=0.8, steps=1, trials=4000)
    stable, counts = found.counts()
    # One step from h = tanh(3 h), then its sign decides.
    high = brentq(lambda h: np.tanh(3 * h) - h, 0.5, 1.0)
    flips = norm.cdf(-high / 0.8)
    frame = found.to_frame()
    assert len(stable) == 2
    for i in range(2):
        share = counts[0, i, 1 - i] / 4000
        assert abs(share - flips) < 4 * np.sqrt(flips * (1 - flips) / 4000)
    moved = frame[frame["source"] != frame["target"]]
    assert (moved["low"] < flips).all()
    assert (moved["high"] > flips).all()
    # Wilson's interval, written out, for the first row.
    share, z = frame["share"][0], norm.ppf(0.975)
    middle = (share + z**2 / 8000) / (1 + z**2 / 4000)
    half = z * np.sqrt(share * (1 - share) / 4000 + z**2 / (4 * 4000**2)) / (1 + z**2 / 4000)
    assert frame["low"][0] == pytest.approx(middle - half, rel=1e-9)
    assert frame["high"][0] == pytest.approx(middle + half, rel=1e-9)


def test_noise_moves_independent_bits_alike(bits):
    networks, points = bits
    found = transitions(networks, points, noise=0.45, steps=40, trials=2000, seed=3)
    stable, counts = found.counts()
    assert counts.shape == (1, 4, 4)
    assert counts.sum() == 4 * 2000
    share = counts[0] / 2000
    place = signs(points, stable)
    differ = (place[:, None] != place).sum(axis=-1)
    one = share[differ == 1].mean()
    # Each of the bits flips on its own: both do with the square of the probability.
    flips = 1 - np.sqrt(share[differ == 0].mean())
    assert 0.02 < one < 0.3
    assert one == pytest.approx(flips * (1 - flips), abs=0.01)
    assert share[differ == 2].mean() == pytest.approx(flips**2, abs=0.01)
    # There and back are equally likely: within 4 standard errors.
    error = np.sqrt(2 * share * (1 - share) / 2000)
    assert (np.abs(share - share.T) <= 4 * error + 1e-12).all()


def test_pulses_set_bits(bits):
    networks, points = bits
    pulses = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 3.0], [0.0, 0.1]])
    found = transitions(networks, points, pulses=pulses, steps=5, trials=2, width=2)
    stable, counts = found.counts()
    place = signs(points, stable)
    for pulse, (bit, sign) in enumerate([(0, 1), (0, -1), (1, 1), (None, 0)]):
        want = place.copy()
        if bit is not None:
            want[:, bit] = sign
        ends = place[counts[pulse].argmax(axis=1)]
        assert (ends == want).all()
        assert counts[pulse].max(axis=1).tolist() == [2] * 4


def test_links_by_words():
    weights = [{"recurrent_kernel": gain * np.eye(2), "kernel": np.eye(2)} for gain in (3.0, 2.0)]
    readout = {"kernel": np.repeat(np.eye(2)[None], 2, 0), "bias": np.zeros((2, 2))}
    cells = population(Vanilla(units=2), weights, inputs=2)
    networks = dataclasses.replace(cells, readout=readout)
    points = find_fixed_points(networks)
    pulses = 3.0 * np.concatenate([np.eye(2), -np.eye(2)])
    every = transitions(networks, points, pulses=pulses, steps=5, trials=2, width=2)
    found = dataclasses.replace(every.single_member(1, 9), has_labels=True)
    assert found.stable.tolist() == np.flatnonzero(points.single_member(1).n_unstable == 0).tolist()
    np.testing.assert_array_equal(found.counts()[1], every.counts(1)[1])
    labels, weight, place = found.links()
    assert not place.any()
    reached = {
        tuple(map(tuple, row)) for row, share in zip(labels.tolist(), weight, strict=True) if share
    }
    want = set()
    for word in itertools.product((-1, 1), repeat=2):
        for bit, sign in itertools.product((0, 1), (3, -3)):
            end = list(word)
            end[bit] = np.sign(sign)
            want.add((tuple(sign * (np.arange(2) == bit)), word, tuple(end)))
    assert reached == want
    assert set(weight) == {0.0, 1.0}
    assert found.matrix().shape == (16, 4)
    np.testing.assert_array_equal(found.matrix().sum(axis=1), 1.0)
    # Without a counterpart among the outputs, pulses are numbered.
    half = dataclasses.replace(found, pulses=found.pulses[:, :1])
    assert half.links().labels.shape == (64, 2, 2)
    assert set(half.links().group) == {0, 1, 2, 3}


def test_a_network_is_the_same_alone_and_in_company(monkeypatch):
    networks = memory(2, (3.0, 0.5, 2.0))
    points = find_fixed_points(networks)
    every = transitions(networks, points, noise=0.4, steps=20, trials=50)
    alone = transitions(memory(2, (2.0,)), points.single_member(2), noise=0.4, steps=20, trials=50)
    np.testing.assert_array_equal(every.counts(2)[1], alone.counts()[1])
    assert every.counts(1)[1].tolist() == [[[50]]]
    monkeypatch.setattr("rnnstudy.dynamics.basins.follow.FOLLOW_BYTES", 1)
    small = transitions(networks, points, noise=0.4, steps=20, trials=50)
    np.testing.assert_array_equal(small.count, every.count)
    other = transitions(networks, points, noise=0.4, steps=20, trials=50, seed=1)
    assert (other.count != every.count).any()
    with pytest.raises(ValueError, match="member 3 must have a stable point at input 0"):
        every.counts(3)


def test_trials_that_end_nowhere_are_counted(bits):
    networks, points = bits
    found = transitions(networks, points, noise=1.0, steps=5, trials=20, settling=1)
    frame = found.to_frame()
    lost = frame[frame["target"] == -1]
    assert lost["count"].sum() > 0
    assert frame["count"].sum() == 4 * 20


def test_record_pictures_and_folder(bits, tmp_path):
    networks, points = bits
    found = transitions(networks, points, noise=0.6, steps=20, trials=50)
    panels, table = found.exhibits()
    assert len(panels.exhibits[0].nodes) == 4
    assert table.rows == len(found.to_frame())
    found.save(tmp_path / "record")
    np.testing.assert_array_equal(Transitions.load(tmp_path / "record").count, found.count)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, "noise must be positive where there are no pulses, got 0.0"),
        ({"pulses": np.zeros((2, 3))}, r"pulses must have shape \[pulse, 2\], got \(2, 3\)"),
        ({"noise": 1.0, "width": 200}, "width must be a whole number from 1 to 100, got 200"),
        ({"noise": 1.0, "trials": 0}, "trials must be a whole number of at least 1, got 0"),
    ],
)
def test_what_makes_no_sense_is_refused(bits, given, complaint):
    with pytest.raises(ValueError, match=complaint):
        transitions(*bits, **given)
