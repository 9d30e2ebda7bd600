"""The records of fixed and slow points: chosen, joined, shown, saved, and empty."""

import numpy as np
import pytest
from reference.dynamics import population

from rnnstudy import plot
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.fixed_points.continua_record import Continua
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.record import DIVERGED, FixedPoints, SlowPoints
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch

QUICK = FixedPointSearch(candidates=128)


def bistable(units=2, members=1):
    weights = {"recurrent_kernel": 2.0 * np.eye(units), "kernel": np.eye(units)}
    return population(Vanilla(units=units), [weights] * members, inputs=units)


@pytest.fixture(scope="module")
def found():
    return find_fixed_points(bistable(members=2), search=QUICK)


def slow_points(count, states=2, inputs=2):
    generator = np.random.default_rng(0)
    return SlowPoints(
        state=generator.standard_normal((count, states)),
        inputs=np.zeros((count, inputs)),
        speed=generator.uniform(1e-6, 1e-3, count),
        jacobian=generator.standard_normal((count, states, states)),
        eigenvalues=generator.standard_normal((count, states)).astype(complex),
        member=np.arange(count) % 2,
        input_index=np.zeros(count, int),
        n_starts=np.ones(count, int),
    )


def empty(states=2, inputs=1):
    none = np.zeros(0, int)
    return FixedPoints(
        state=np.empty((0, states)),
        inputs=np.empty((0, inputs)),
        speed=np.empty(0),
        jacobian=np.empty((0, states, states)),
        eigenvalues=np.empty((0, states), complex),
        n_unstable=none,
        index=none,
        member=none,
        input_index=none,
        n_starts=none,
        outcome=np.full(3, DIVERGED),
        start_member=np.zeros(3, int),
        start_input=np.zeros(3, int),
        searches={"member": np.zeros(1, int), "input_index": np.zeros(1, int),
                  "degenerate": np.zeros(1, int), "verdict": np.full(1, 3)},
        slow=SlowPoints.none(states, inputs),
        continua=Continua.none(states, inputs),
    )  # fmt: skip


def test_points_are_chosen_by_position_slice_and_mask(found):
    assert len(found) == 18
    for index, truth in [
        (3, [3]),
        (-1, [17]),
        (slice(2, 8, 3), [2, 5]),
        ([4, 0], [4, 0]),
        (found.kind == "stable", np.flatnonzero(found.n_unstable == 0)),
        ([], []),
        (np.zeros(18, bool), []),
    ]:
        chosen = found[index]
        np.testing.assert_array_equal(chosen.state, found.state[truth])
        np.testing.assert_array_equal(chosen.jacobian, found.jacobian[truth])
        # What was searched remains.
        assert len(chosen.outcome) == len(found.outcome)
        assert chosen.certificate.equals(found.certificate)
    assert [len(one) for one in found] == [1] * 18


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (18, "point 18 is beyond the end of a record of 18"),
        (-19, "point -19 is beyond"),
        (np.ones(4, bool), "a mask of 4 does not fit a record of 18"),
        (0.5, "point should be chosen by integers, a slice or a mask"),
        (np.zeros((2, 2), int), r"shape \(2, 2\)"),
        ("stable", "not by values of type <U6"),
    ],
)
def test_what_chooses_nothing_is_refused(found, index, message):
    with pytest.raises(IndexError, match=message):
        found[index]


def test_networks_of_joined_records_are_counted_on(found):
    other = find_fixed_points(bistable(), search=QUICK)
    joined = found + other
    assert len(joined) == 27
    assert np.bincount(joined.member).tolist() == [9, 9, 9]
    np.testing.assert_array_equal(joined.single_member(2).state, other.state)
    assert joined.certificate["member"].tolist() == [0, 1, 2]
    assert len(joined.outcome) == len(found.outcome) + len(other.outcome)
    assert joined.of(member=2).outcomes == other.outcomes
    again = FixedPoints.join([found, other])
    np.testing.assert_array_equal(again.member, joined.member)


def test_inputs_of_joined_records_are_counted_on():
    first, second = (
        find_fixed_points(bistable(1), inputs=np.array([[x]]), search=QUICK) for x in (0.0, 1.0)
    )
    joined = FixedPoints.join([first, second], later="inputs")
    assert joined.input_index.tolist() == [0, 0, 0, 1]
    assert set(joined.member) == {0}
    assert joined.certificate["input_index"].tolist() == [0, 1]
    assert joined.of(input_index=1).inputs.tolist() == [[1.0]]


def test_what_does_not_fit_is_not_joined(found):
    with pytest.raises(ValueError, match="got state sizes 2, 3"):
        found + find_fixed_points(bistable(3), search=FixedPointSearch(candidates=16, rounds=1))
    with pytest.raises(ValueError, match=r"must have one margin, got \[1e-06, 0.01\]"):
        found + find_fixed_points(bistable(), search=FixedPointSearch(candidates=16, margin=0.01))
    with pytest.raises(TypeError, match="unsupported operand"):
        found + 3
    with pytest.raises(ValueError, match="at least one record"):
        FixedPoints.join([])


def test_it_says_what_it_is(found):
    text = "9 fixed points of 1 network at 1 input: 4 stable, 4 saddles, 1 repeller; "
    assert repr(found.of(member=0)) == text + "certificate: consistent"
    assert repr(found).startswith("18 fixed points of 2 networks at 1 input: 8 stable, 8 saddles,")
    shown = found._repr_html_()
    assert "18 fixed points of 2 networks" in shown
    assert shown.count("<tr") == 1 + 12
    assert "and 6 more" in shown
    assert "array(" not in repr(found)


def test_a_degenerate_root_is_no_point_and_is_told():
    """h' = tanh(h) rests at 0 alone, where its slope is 1."""
    networks = population(Vanilla(units=1), [{"recurrent_kernel": np.eye(1)}])
    found = find_fixed_points(networks, starts=np.zeros((1, 1)), search=FixedPointSearch(rounds=1))
    assert repr(found) == (
        "no fixed points of 1 network at 1 input; 1 degenerate root; certificate: points missing"
    )


def test_different_verdicts_are_counted(found):
    searches = {**found.searches, "verdict": np.array([0, 1])}
    mixed = type(found)(**{**vars(found), "searches": searches})
    assert repr(mixed).endswith("certificate: 1 consistent, 1 points missing")


def test_modes_are_those_of_the_jacobians(found):
    own = found.modes(dt=0.02)
    np.testing.assert_allclose(own.eigenvalues, found.eigenvalues, atol=1e-12)
    np.testing.assert_array_equal(own.kind, found.kind)
    np.testing.assert_allclose(own.seconds, 0.02 * own.time_constant)
    normal = found.non_normality()  # independent units: diagonal Jacobians
    np.testing.assert_allclose(normal.departure, 0.0, atol=1e-14)
    np.testing.assert_array_equal(np.isinf(normal.growth), found.n_unstable > 0)


def test_margins_decide_what_is_marginal():
    turn = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    cell = Vanilla(units=2, activation="linear")
    found = find_fixed_points(population(cell, [{"recurrent_kernel": turn}]), search=QUICK)
    assert found.n_marginal.tolist() == [2]
    assert found.n_unstable.tolist() == [0]
    assert found.kind.tolist() == ["marginal"]
    assert "1 marginal" in repr(found)


def test_a_dataset_has_named_dimensions_for_all(found):
    data = type(found)(**{**vars(found), "slow": slow_points(5)}).to_xarray()
    assert data["jacobian"].dims == ("point", "state", "state_2")
    assert data["kind"].dims == ("point",)
    assert data["slow.speed"].dims == ("slow",)
    assert data["continua.state"].dims == ("sample", "state")
    assert data.sizes["slow"] == 5
    stable = data.isel(point=(data["kind"] == "stable").values)
    assert stable.sizes["point"] == 8


def test_slow_points_come_along(found, tmp_path):
    slow = slow_points(5)
    both = type(found)(**{**vars(found), "slow": slow})
    assert "5 slow points of speed" in repr(both)
    np.testing.assert_array_equal(both.of(member=1).slow.state, slow.state[1::2])
    np.testing.assert_array_equal(both[:3].slow.state, slow.state)
    joined = both + both
    assert joined.slow.member.tolist() == [0, 1, 0, 1, 0, 2, 3, 2, 3, 2]
    joined.save(tmp_path)
    loaded = FixedPoints.load(tmp_path)
    np.testing.assert_array_equal(loaded.slow.jacobian, joined.slow.jacobian)
    assert repr(loaded) == repr(joined)
    assert slow[2].speed.tolist() == [slow.speed[2]]
    assert slow.to_frame()["kind"].tolist() == ["slow"] * 5
    assert "<table" in slow._repr_html_()


def test_nothing_found_works_everywhere(tmp_path):
    nothing = empty()
    said = "no fixed points of 1 network at 1 input; certificate: not applicable"
    assert repr(nothing) == said
    assert nothing._repr_html_() == f"<p>{said}</p>"
    assert len(nothing.to_frame()) == 0
    assert nothing.kind.tolist() == []
    assert len(nothing[[]]) == len(nothing[:]) == len(nothing[nothing.kind == "stable"]) == 0
    assert len(nothing.of(member=0)) == len(nothing.single_member(0)) == 0
    assert list(nothing) == []
    assert nothing.to_xarray().sizes["point"] == 0
    assert repr(nothing.slow) == "no slow points"
    nothing.save(tmp_path)
    assert repr(FixedPoints.load(tmp_path)) == said
    two = nothing + nothing
    assert two.certificate["member"].tolist() == [0, 1]
    with pytest.raises(IndexError, match="point 0 is beyond the end of a record of 0"):
        nothing[0]


def test_a_spectrum_has_every_eigenvalue_and_the_border_of_stability(found):
    picture = found.spectrum()
    seen = picture.points[:, 0] + 1j * picture.points[:, 1]
    np.testing.assert_array_equal(seen, found.eigenvalues.ravel())
    np.testing.assert_allclose(np.linalg.norm(picture.lines[0], axis=1), 1.0)
    first = picture.point_groups[: found.eigenvalues.shape[1]]
    assert first == [found.kind[0]] * found.eigenvalues.shape[1]
    (ax,) = plot(picture).axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("real part", "imaginary part")
