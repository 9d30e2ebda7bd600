"""Branches of maps whose bifurcations are known on paper, and of networks against SciPy's roots."""

import numpy as np
import pytest
from reference.dynamics import population, random_weights, step
from reference.maps import Maps, delayed_logistic, henon, logistic, tanh_unit
from scipy.optimize import root

import rnnstudy
from rnnstudy.cells.gru import GRU
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.continuation.follow import continue_fixed_points
from rnnstudy.dynamics.continuation.record import Branches
from rnnstudy.dynamics.continuation.settings import ContinuationSettings
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch

B = 0.3
HENON = Maps(henon, 1, 2)
UNIT = Maps(tanh_unit(2.0), 1, 1, bound=1.0)


def henon_point(a, sign=1.0):
    """Of the fixed points a p^2 + (1 - b) p - 1 = 0, q = b p, the one with this sign."""
    p = (-(1 - B) + sign * np.sqrt((1 - B) ** 2 + 4 * a)) / (2 * a)
    return np.array([p, B * p])


def unit_points(x, grid=20_001):
    """Fixed points of h' = tanh(2 h + x) by Newton's method from the changes of sign on a grid."""
    h = np.linspace(-1, 1, grid)
    gap = np.tanh(2 * h + x) - h
    found = h[np.flatnonzero(gap[:-1] * gap[1:] <= 0)]
    for _ in range(20):
        image = np.tanh(2 * found + x)
        found = found + (image - found) / (1 - 2 * (1 - image**2))
    return found


def test_the_flip_and_the_fold_of_the_henon_map():
    found = continue_fixed_points(HENON, henon_point(1.4), [[1.4], [-1.0]])
    table = found.bifurcations
    assert table["kind"].tolist() == ["flip", "fold"]
    flip, fold = 3 * (1 - B) ** 2 / 4, -((1 - B) ** 2) / 4
    np.testing.assert_allclose(found.events["inputs"][:, 0], [flip, fold], atol=1e-10)
    np.testing.assert_allclose(found.events["state"][0], henon_point(flip), atol=1e-9)
    # At a fold the state moves with the root of the input.
    np.testing.assert_allclose(found.events["state"][1], henon_point(fold), atol=1e-6)
    np.testing.assert_allclose(table["eigenvalue"].to_numpy(), [-1, 1], atol=1e-6)
    np.testing.assert_allclose(table["frequency"], [0.5, 0.0], atol=1e-6)
    assert table["change"].tolist() == [-1, 1]
    # Behind the fold the other point goes to infinity at a = 0.
    assert found.outcomes == [("", "diverged")]
    turn = int(table["point"][1]) + 1
    before = [henon_point(a) for a in found.inputs[:turn, 0]]
    np.testing.assert_allclose(found.state[:turn], before, atol=1e-8)
    behind = [henon_point(a, -1.0) for a in found.inputs[turn:, 0]]
    np.testing.assert_allclose(found.state[turn:], behind, rtol=1e-8)


def test_eigenvalues_and_numbers_of_unstable_directions():
    found = continue_fixed_points(HENON, henon_point(0.2), [[0.2], [1.4]])
    p = found.state[:, 0]
    slope = -2 * found.inputs[:, 0] * p
    large = (slope - np.sqrt(slope**2 + 4 * B)) / 2
    np.testing.assert_allclose(found.eigenvalues[:, 0], large, atol=1e-8)
    np.testing.assert_array_equal(found.n_unstable, large < -1)
    assert found.outcomes == [("", "end")]
    assert (found.s[0], found.s[-1]) == (0.0, 1.0)


def test_the_transcritical_and_the_flip_of_the_logistic_map():
    found = continue_fixed_points(Maps(logistic, 1, 1), [[0.0], [-1.0]], [[0.5], [3.5]])
    zero, other = found.of(0), found.of(1)
    np.testing.assert_allclose(zero.state, 0.0, atol=1e-12)
    np.testing.assert_allclose(other.state, 1 - 1 / other.inputs, atol=1e-8)
    assert zero.bifurcations["kind"].tolist() == ["branch point"]
    assert other.bifurcations["kind"].tolist() == ["branch point", "flip"]
    assert other.bifurcations["change"].tolist() == [-1, 1]
    # Where branches meet the place is known less well.
    np.testing.assert_allclose(found.events["inputs"][:, 0], [1, 1, 3], atol=1e-8)
    np.testing.assert_allclose(found.events["state"][:, 0], [0, 0, 2 / 3], atol=1e-8)


def test_the_neimark_sacker_of_the_delayed_logistic_map():
    found = continue_fixed_points(Maps(delayed_logistic, 1, 2), [1 / 3, 1 / 3], [[1.5], [2.3]])
    table = found.bifurcations
    assert table["kind"].tolist() == ["Neimark-Sacker"]
    assert found.events["inputs"][0, 0] == pytest.approx(2.0, abs=1e-10)
    assert table["frequency"][0] == pytest.approx(1 / 6, abs=1e-10)
    assert table["eigenvalue"][0] == pytest.approx(np.exp(1j * np.pi / 3), abs=1e-10)
    assert table["change"][0] == 2
    np.testing.assert_allclose(found.events["state"], 0.5, atol=1e-10)


@pytest.mark.parametrize("path", [[[-3.0], [3.0]], [[-3.0], [-1.0], [-1.0], [0.0], [0.5], [3.0]]])
def test_both_folds_of_a_hysteresis(path):
    found = continue_fixed_points(UNIT, unit_points(-3.0), path)
    # w (1 - h^2) = 1 and x = artanh(h) - w h.
    h = np.array([-np.sqrt(0.5), np.sqrt(0.5)])
    assert found.bifurcations["kind"].tolist() == ["fold", "fold"]
    np.testing.assert_allclose(found.events["inputs"][:, 0], np.arctanh(h) - 2 * h, atol=1e-10)
    np.testing.assert_allclose(found.events["state"][:, 0], h, atol=1e-6)
    np.testing.assert_allclose(found.events["s"], (found.events["inputs"][:, 0] + 3) / 6)
    assert found.bifurcations["change"].tolist() == [1, -1]
    image = np.tanh(2 * found.state + found.inputs)
    np.testing.assert_allclose(image, found.state, atol=1e-12)


def test_from_inside_the_path_both_ways():
    found = continue_fixed_points(UNIT, [0.0], [[-3.0], [3.0]], at=0.5)
    assert found.outcomes == [("end", "beginning")]
    assert found.bifurcations["kind"].tolist() == ["fold", "fold"]
    assert found.s[0] == 1.0
    assert found.s[-1] == 0.0
    assert (np.diff(found.state[:, 0]) < 0).all()


def test_a_path_that_turns_back_is_followed_back():
    found = continue_fixed_points(UNIT, unit_points(1.0), [[1.0], [3.0], [1.0]])
    assert found.outcomes == [("", "end")]
    np.testing.assert_allclose(found.state[-1], found.state[0], atol=1e-12)
    assert found.inputs.max() == 3.0
    assert len(found.bifurcations) == 0


@pytest.mark.parametrize(
    ("start", "path", "other", "change"),
    [(0.0, [[0.3], [3.0]], ("", "end"), 1), (0.9949, [[3.0], [0.3]], ("", "beginning"), 0)],
)
def test_a_pitchfork_from_either_side(start, path, other, change):
    networks = Maps(lambda x, h: tf.tanh(x * h), 1, 1, bound=1.0)
    found = continue_fixed_points(networks, [start], path)
    assert found.bifurcations["kind"].tolist() == ["branch point"]
    assert found.bifurcations["change"].tolist() == [change]
    assert found.events["inputs"][0, 0] == pytest.approx(1.0, abs=1e-6)
    assert found.events["state"][0, 0] == pytest.approx(0.0, abs=1e-6)
    assert found.outcomes == [other]


def test_two_that_cross_at_once_are_both_reported():
    both = Maps(
        lambda x, h: tf.concat(
            [delayed_logistic(x, h[..., :2]), delayed_logistic(x, h[..., 2:])], axis=-1
        ),
        1,
        4,
    )
    found = continue_fixed_points(both, np.full(4, 1 / 3), [[1.5], [2.3]])
    assert found.bifurcations["kind"].tolist() == ["Neimark-Sacker"] * 2
    np.testing.assert_allclose(found.events["inputs"], 2.0, atol=1e-6)
    assert found.n_unstable[-1] == 4


def test_a_closed_branch_is_recognised():
    # Fixed points: h^2 + 4 x^2 = 1.
    networks = Maps(lambda x, h: h + 0.1 * (1 - 4 * x**2 - h**2), 1, 1)
    found = continue_fixed_points(networks, [1.0], [[-1.0], [1.0]], at=0.5)
    assert found.outcomes == [("closed", "closed")]
    np.testing.assert_allclose(found.state[:, 0] ** 2 + 4 * found.inputs[:, 0] ** 2, 1, atol=1e-9)
    np.testing.assert_allclose(found.state[0], found.state[-1], atol=1e-12)
    np.testing.assert_allclose(np.sort(found.events["inputs"][:, 0]), [-0.5, 0.5], atol=1e-10)
    assert found.bifurcations["kind"].tolist() == ["fold", "fold"]


def test_all_points_of_a_network():
    cell = GRU(units=4)
    weights = random_weights(cell, np.random.default_rng(5), 4.0, inputs=2)
    networks = population(cell, [{"bias": 0.0}, weights], inputs=2)
    path = np.array([[0.0, 0.0], [1.0, 0.5], [1.0, -1.0]])
    starts = find_fixed_points(networks, inputs=path[:1], search=FixedPointSearch(candidates=64))
    found = continue_fixed_points(networks, starts, path, member=1)
    assert len(found) == len(starts.of(member=1)) >= 3
    for h, x in zip(found.state[::7], found.inputs[::7], strict=True):
        np.testing.assert_allclose(step("gru", weights, h, x), h, atol=1e-11)
    ends = found.select("point", found.s == 1.0)
    for h in ends.state:
        truth = root(lambda h: step("gru", weights, h, path[-1]) - h, h + 1e-3, tol=1e-13).x
        np.testing.assert_allclose(h, truth, atol=1e-9)
    # Every change in the number of unstable directions is accounted for, between its neighbours.
    counted = np.zeros(len(found.s), int)
    np.add.at(counted, found.events["point"], found.events["change"])
    inner = np.diff(found.branch) == 0
    assert len(found.bifurcations) >= 2
    np.testing.assert_array_equal(np.diff(found.n_unstable)[inner], counted[:-1][inner])
    at_unit = np.abs(np.abs(found.events["eigenvalue"]) - 1)
    assert at_unit.max() < 1e-6


def test_a_plain_function():
    found = continue_fixed_points(henon, henon_point(1.4), [[1.4], [0.2]])
    assert found.bifurcations["kind"].tolist() == ["flip"]
    np.testing.assert_allclose(found.state[-1], henon_point(0.2), atol=1e-10)


def test_a_start_that_is_no_fixed_point_costs_the_others_nothing():
    starts = np.array([[0.5], unit_points(0.0)[-1:]])
    found = continue_fixed_points(UNIT, starts, [[0.0], [1.0]])
    assert found.outcomes == [("no fixed point", "no fixed point"), ("", "end")]
    assert set(found.branch) == {1}
    none = found.of(0)
    assert len(none.s) == 0
    assert len(none.exhibits()[0].curves) == 0


def test_the_budget_is_an_outcome():
    found = continue_fixed_points(
        UNIT, unit_points(0.0)[-1:], [[0.0], [1.0]], settings=ContinuationSettings(max_points=4)
    )
    assert found.outcomes == [("", "points")]
    assert len(found.s) == 4


def test_frame_pictures_and_folder(tmp_path):
    found = continue_fixed_points(UNIT, unit_points(-3.0), [[-3.0], [3.0]])
    frame = found.to_frame()
    assert list(frame) == [
        "branch", "s", "input_0", "n_unstable", "leading_modulus", "leading_angle",
    ]  # fmt: skip
    assert len(frame) == len(found.s)
    picture, table = found.exhibits()
    assert [(c.panel, c.label, c.dashed) for c in picture.curves[:3]] == [
        ("state", "0 unstable", False),
        ("state", "1 unstable", True),
        ("state", "0 unstable", False),
    ]
    assert table.rows == 2
    found.save(tmp_path / "record")
    again = Branches.load(tmp_path / "record")
    np.testing.assert_array_equal(again.state, found.state)
    assert again.outcomes == found.outcomes


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (
            {"path": [[0.0]]},
            r"path must be \[step, input\] with two steps or more, got shape \(1, 1\)",
        ),
        ({"path": [[0.0], [np.nan]]}, "path must be finite, got 1 of 2 values that are not"),
        ({"path": [[1.0], [1.0]]}, "path must have different inputs, got one"),
        ({"start": np.zeros(3)}, r"start must have shape \[1\] or \[start, 1\], got \(3,\)"),
        ({"member": 2}, "member must be 0 to 0, got 2"),
        ({"at": 1.5}, "at must be a finite number at least 0 and at most 1, got 1.5"),
    ],
)
def test_what_makes_no_sense_is_refused(given, complaint):
    arguments = {"start": np.zeros(1), "path": [[0.0], [1.0]], **given}
    with pytest.raises(ValueError, match=complaint):
        continue_fixed_points(UNIT, **arguments)


def test_fixed_points_of_another_input_are_refused():
    cell = GRU(units=2)
    networks = population(cell, [random_weights(cell, np.random.default_rng(0), 1.0)])
    starts = find_fixed_points(networks, search=FixedPointSearch(candidates=16))
    with pytest.raises(ValueError, match=r"must have fixed points of member 0 at input \[1"):
        continue_fixed_points(networks, starts, [[1.0], [2.0]])


def test_former_names_of_the_settings_are_accepted_with_a_warning():
    with pytest.warns(DeprecationWarning, match="Stride was renamed to ContinuationSettings"):
        former = rnnstudy.Stride
    with pytest.warns(DeprecationWarning, match="ContinuationSettings.longest was renamed to"):
        settings = former(longest=0.1)
    assert settings == ContinuationSettings(ds_max=0.1)
    with pytest.warns(DeprecationWarning, match=r"\(stride=...\) was renamed to"):
        branches = continue_fixed_points(
            UNIT, unit_points(0.0)[-1:], [[0.0], [1.0]], stride=settings
        )
    assert branches.outcomes == [("", "end")]
