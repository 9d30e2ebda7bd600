"""Branches of vector fields: the normal forms of the fold, the pitchfork and Hopf's bifurcation."""

import numpy as np
import pytest

from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.continuation.follow import continue_fixed_points
from rnnstudy.dynamics.fixed_points.find import find_fixed_points


def fold(x, h):
    return x - h**2


def pitchfork(x, h):
    return x * h - h**3


def hopf(rate=1.0, frequency=3.0):
    """r' = r (x - r^2), angle' = frequency, all times a rate."""

    def field(x, h):
        p, q = h[:, :1], h[:, 1:]
        growth = x - p**2 - q**2
        turned = tf.concat([growth * p - frequency * q, frequency * p + growth * q], axis=1)
        return rate * turned

    return field


def test_the_fold_is_where_its_normal_form_has_it():
    found = continue_fixed_points(fold, [1.0], [[1.0], [-1.0]], continuous=True)
    table = found.bifurcations
    assert table["kind"].tolist() == ["fold"]
    np.testing.assert_allclose(found.events["inputs"], [[0.0]], atol=1e-10)
    np.testing.assert_allclose(found.events["state"], [[0.0]], atol=1e-6)
    assert found.outcomes == [("", "beginning")]
    # df/dh = -2 h: the branch of h > 0 is stable, although the map h + f(h) is not everywhere.
    np.testing.assert_allclose(found.eigenvalues[:, 0], -2.0 * found.state[:, 0], atol=1e-9)
    away = np.abs(found.state[:, 0]) > 1e-3
    assert (found.n_unstable[away] == (found.state[away, 0] < 0)).all()


def test_the_pitchfork_and_its_other_branch():
    found = continue_fixed_points(pitchfork, [0.0], [[-1.0], [2.0]], switch=True, continuous=True)
    assert found.bifurcations["kind"].tolist()[0] == "branch point"
    np.testing.assert_allclose(found.events["inputs"][0], [0.0], atol=1e-6)
    other = found.of(1)
    np.testing.assert_allclose(other.state**2, other.inputs, atol=1e-8)
    assert (other.n_unstable[np.abs(other.state[:, 0]) > 0.01] == 0).all()


@pytest.mark.parametrize("rate", [1.0, 250.0])
def test_a_pair_on_the_imaginary_axis_is_a_hopf_bifurcation(rate):
    found = continue_fixed_points(hopf(rate), [0.0, 0.0], [[-0.7], [1.0]], continuous=True)
    table = found.bifurcations
    assert table["kind"].tolist() == ["Hopf"]
    np.testing.assert_allclose(found.events["inputs"], [[0.0]], atol=1e-10)
    np.testing.assert_allclose(table["eigenvalue"].to_numpy(), [3.0j * rate], rtol=1e-9)
    np.testing.assert_allclose(table["frequency"], [3.0 * rate / (2 * np.pi)], rtol=1e-9)
    assert table["change"].tolist() == [2]
    np.testing.assert_allclose(found.eigenvalues[:, 0].real, rate * found.inputs[:, 0], atol=1e-9)
    assert set(found.to_frame()) >= {"leading_real_part", "leading_frequency"}
    curves, rows = found.exhibits()
    assert {curve.panel for curve in curves.curves} == {"state", "largest real part"}
    assert "imaginary axis" in rows.caption


def test_the_points_say_that_they_are_those_of_a_field():
    points = find_fixed_points(hopf(), [[-0.7]], state_size=2, continuous=True)
    found = continue_fixed_points(hopf(), points, [[-0.7], [1.0]])
    assert found.bifurcations["kind"].tolist() == ["Hopf"]
    with pytest.raises(ValueError, match="continuous must be True, as the record"):
        continue_fixed_points(hopf(), points, [[-0.7], [1.0]], continuous=False)
