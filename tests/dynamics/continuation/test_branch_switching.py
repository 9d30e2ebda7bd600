"""Branches that cross others: pitchforks and transcriticals whose arms are known on paper."""

import numpy as np
import pytest
from reference.maps import Maps, logistic

from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.continuation.follow import continue_fixed_points

SLOPES = np.array([1.0, 0.5])


def pitchfork(slopes):
    """h_i' = tanh(x slope_i h_i): unit i leaves 0 at x = 1 / slope_i, both ways."""
    return Maps(lambda x, h: tf.tanh(x * slopes * h), 1, len(slopes), bound=1.0)


def arm(slope):
    """The positive root of h = tanh(slope h), by iteration."""
    h = 1.0
    for _ in range(2000):
        h = np.tanh(slope * h)
    return h


def ends(found, s=1.0):
    """States where branches meet an end of the path, in order: [end, state]."""
    states = found.state[found.s == s].round(9) + 0.0
    return states[np.lexsort(states.T[::-1])]


def test_the_other_branch_of_a_transcritical():
    found = continue_fixed_points(Maps(logistic, 1, 1), [0.0], [[0.5], [3.5]], switch=True)
    assert len(found) == 2
    zero, other = found.of(0), found.of(1)
    np.testing.assert_allclose(zero.state, 0.0, atol=1e-12)
    np.testing.assert_allclose(other.state, 1 - 1 / other.inputs, atol=1e-8)
    assert sorted(found.outcomes[1]) == ["beginning", "end"]
    assert sorted(other.bifurcations["kind"]) == ["branch point", "flip"]
    assert found.origin.tolist() == [-1, 0]
    assert found.events["inputs"][0, 0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("start", "path"), [(0.0, [[0.3], [3.0]]), (arm(3.0), [[3.0], [0.3]])])
def test_both_branches_of_a_pitchfork_whichever_is_known(start, path):
    found = continue_fixed_points(pitchfork(np.ones(1)), [start], path, switch=True)
    assert len(found) == 2
    at_three = 1.0 if path[-1] == [3.0] else 0.0
    np.testing.assert_allclose(ends(found, at_three)[:, 0], [-arm(3), 0, arm(3)], atol=1e-8)
    np.testing.assert_allclose(ends(found, 1.0 - at_three), [[0.0]], atol=1e-8)


def test_branches_that_branch_again_lead_to_all_points():
    """At x = 3 each of two units has three: nine points from one start."""
    found = continue_fixed_points(pitchfork(SLOPES), np.zeros(2), [[0.3], [3.0]], switch=True)
    first, second = arm(3.0), arm(1.5)
    truth = [[a, b] for a in (-first, 0, first) for b in (-second, 0, second)]
    np.testing.assert_allclose(ends(found), truth, atol=1e-8)
    assert len(found) == 5
    image = np.tanh(found.inputs * SLOPES * found.state)
    np.testing.assert_allclose(image, found.state, atol=1e-11)


def test_where_both_are_known_none_is_switched_to():
    networks, path = pitchfork(np.ones(1)), [[3.0], [0.3]]
    found = continue_fixed_points(networks, [[0.0], [arm(3.0)]], path, switch=True)
    assert found.origin.tolist() == [-1, -1]


def test_two_that_branch_at_once_are_left_alone():
    found = continue_fixed_points(pitchfork(np.ones(2)), np.zeros(2), [[0.3], [3.0]], switch=True)
    assert len(found) == 1


def test_nothing_is_switched_to_unless_asked():
    found = continue_fixed_points(pitchfork(np.ones(1)), [0.0], [[0.3], [3.0]])
    assert len(found) == 1
