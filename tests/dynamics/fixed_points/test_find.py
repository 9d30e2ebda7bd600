"""Networks whose fixed points are known by other means, and the record that holds them."""

from itertools import product

import numpy as np
import pytest
from reference.dynamics import population, random_weights
from scipy.optimize import brentq

from rnnstudy.cells.gru import GRU
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.fixed_points.find import (
    FixedPoints,
    IncompleteSearch,
    find_fixed_points,
)
from rnnstudy.dynamics.fixed_points.record import FIXED_POINT_OUTCOMES
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch

QUICK = FixedPointSearch(candidates=64)
UPPER = brentq(lambda h: np.tanh(2 * h) - h, 0.5, 1.0, xtol=1e-15)
"""The positive fixed point of h' = tanh(2 h); the others are 0 and its negative."""


def bistable(units, members=1):
    """Independent units h' = tanh(2 h + x): each rests at UPPER, -UPPER or 0."""
    weights = {"recurrent_kernel": 2.0 * np.eye(units), "kernel": np.eye(units)}
    return population(Vanilla(units=units), [weights] * members, inputs=units)


def test_a_linear_network_has_one_point():
    generator = np.random.default_rng(0)
    weights = random_weights(Vanilla(units=6), generator, 0.7)
    networks = population(Vanilla(units=6, activation="linear"), [weights])
    found = find_fixed_points(networks, search=QUICK)
    truth = np.linalg.solve(np.eye(6) - weights["recurrent_kernel"].T, weights["bias"])
    np.testing.assert_allclose(found.state, truth[None], atol=1e-12)
    np.testing.assert_allclose(found.jacobian[0], weights["recurrent_kernel"].T, atol=1e-15)
    assert found.certificate["verdict"].tolist() == ["not applicable"]


def test_one_bistable_unit():
    found = find_fixed_points(bistable(1), search=QUICK)
    order = np.argsort(found.state[:, 0])
    np.testing.assert_allclose(found.state[order, 0], [-UPPER, 0.0, UPPER], atol=1e-13)
    assert found.index[order].tolist() == [1, -1, 1]
    assert found.kind[order].tolist() == ["stable", "repeller", "stable"]
    slope = 2 * (1 - UPPER**2)
    np.testing.assert_allclose(found.eigenvalues[order, 0], [slope, 2.0, slope], rtol=1e-12)
    assert (found.speed < 1e-24).all()


@pytest.mark.parametrize("units", [2, 3])
def test_independent_bistable_units_have_all_products(units):
    found = find_fixed_points(bistable(units), search=FixedPointSearch(candidates=256))
    truth = set(product((-1, 0, 1), repeat=units))
    assert len(found) == 3**units
    assert {tuple(np.rint(h / UPPER).astype(int)) for h in found.state} == truth
    np.testing.assert_allclose(found.state, UPPER * np.rint(found.state / UPPER), atol=1e-12)
    resting = (np.abs(found.state) < 0.5).sum(axis=1)
    np.testing.assert_array_equal(found.n_unstable, resting)
    np.testing.assert_array_equal(found.index, (-1) ** resting)
    row = found.certificate.iloc[0]
    assert row["points"] == 3**units
    assert row["index_sum"] == 1
    assert row["verdict"] == "consistent"


def test_each_input_has_its_own_points():
    inputs = np.array([[0.0], [0.3], [1.0]])
    found = find_fixed_points(bistable(1), inputs=inputs, search=QUICK)
    for position, (x,) in enumerate(inputs):
        grid = np.linspace(-1, 1, 4001)
        values = np.tanh(2 * grid + x) - grid
        brackets = np.flatnonzero(np.sign(values[:-1]) * np.sign(values[1:]) <= 0)
        truth = [brentq(lambda h, x=x: np.tanh(2 * h + x) - h, *grid[[i, i + 1]]) for i in brackets]
        mine = found.of(input_index=position)
        np.testing.assert_allclose(
            np.sort(mine.state[:, 0]), np.unique(np.round(truth, 9)), atol=1e-8
        )
        np.testing.assert_array_equal(mine.inputs, np.full((len(mine), 1), x))
    assert found.certificate["verdict"].tolist() == ["consistent"] * 3
    assert found.certificate["points"].tolist() == [3, 3, 1]


@pytest.mark.parametrize(
    ("radius", "kind"), [(0.9, "stable"), (1.0, "marginal"), (1.2, "repeller")]
)
def test_a_rotation_rests_at_its_centre_alone(radius, kind):
    turn = radius * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    networks = population(Vanilla(units=2, activation="linear"), [{"recurrent_kernel": turn}])
    found = find_fixed_points(networks, search=QUICK)
    assert found.kind.tolist() == [kind]
    assert found.index.tolist() == [1]
    np.testing.assert_allclose(found.state, 0.0, atol=1e-11)
    np.testing.assert_allclose(np.abs(found.eigenvalues), radius, rtol=1e-12)
    np.testing.assert_allclose(np.sort(np.angle(found.eigenvalues[0])), [-0.5, 0.5], rtol=1e-12)


def test_a_member_has_the_same_points_alone():
    generator = np.random.default_rng(7)
    cell = GRU(units=4)
    networks = population(cell, [random_weights(cell, generator, 4.0) for _ in range(3)])
    inputs = np.array([[0.0], [0.5]])
    together = find_fixed_points(networks, inputs, search=QUICK)
    for member in range(3):
        alone = find_fixed_points(networks.select("member", [member]), inputs, search=QUICK)
        own = together.single_member(member)
        np.testing.assert_allclose(own.state, alone.state, atol=1e-9)
        np.testing.assert_array_equal(own.n_unstable, alone.n_unstable)
        np.testing.assert_array_equal(own.member, alone.member)
        assert own.certificate["verdict"].tolist() == alone.certificate["verdict"].tolist()


@pytest.mark.parametrize("kind", ["ugrnn", "gru", "lstm"])
def test_shut_gates_are_no_fixed_points(kind):
    generator = np.random.default_rng(2)
    cell = {"ugrnn": UGRNN(units=3), "gru": GRU(units=3), "lstm": LSTM(units=3)}[kind]
    weights = random_weights(cell, generator, 1.0)
    bias = weights["bias"].copy()
    if kind == "lstm":
        bias[:3], bias[3:6] = -60.0, 60.0  # nothing is written, nothing forgotten
    else:
        bias[..., :3] = 60.0  # the old state is kept
    found = find_fixed_points(population(cell, [{**weights, "bias": bias}]), search=QUICK)
    assert len(found) == 0
    assert found.outcomes["degenerate"] > 0
    assert found.outcomes["converged"] == 0
    assert found.certificate["degenerate"].min() > 0
    assert found.certificate["verdict"].tolist() == ["points missing"]


def test_a_perfect_integrator_has_no_isolated_point():
    networks = population(
        Vanilla(units=2, activation="linear"), [{"recurrent_kernel": np.diag([1.0, 0.5])}]
    )
    found = find_fixed_points(networks, search=QUICK)
    assert len(found) == 0
    assert found.outcomes["degenerate"] == len(found.outcome)


def test_a_broken_member_costs_the_others_nothing():
    networks = bistable(2, members=3)
    broken = networks.weights["recurrent_kernel"].copy()
    broken[1, 0, 1] = np.nan
    sick = type(networks)(
        cell=networks.cell,
        weights={**networks.weights, "recurrent_kernel": broken},
        readout=networks.readout,
        initial_state=networks.initial_state,
    )
    found = find_fixed_points(sick, search=FixedPointSearch(candidates=128))
    assert [len(found.of(member=m)) for m in range(3)] == [9, 0, 9]
    assert found.of(member=1).outcomes["diverged"] == len(found.of(member=1).outcome)
    assert found.certificate["verdict"].tolist() == ["consistent", "not applicable", "consistent"]


@pytest.mark.parametrize("cell", [Vanilla(units=2), LSTM(units=1)])
def test_a_start_that_is_not_finite_costs_the_others_nothing(cell):
    starts = np.array([[0.0, 0.0], [np.nan, 0.0], [np.inf, np.nan]])
    networks = population(cell, [{}])
    found = find_fixed_points(
        networks, starts=starts, search=FixedPointSearch(candidates=16, rounds=1)
    )
    assert [FIXED_POINT_OUTCOMES.name_of(code) for code in found.outcome] == [
        "converged",
        "diverged",
        "diverged",
    ]
    with pytest.raises(ValueError, match="at least one finite state, got 2 of 2 with NaN or inf"):
        find_fixed_points(networks, starts=starts[1:])


def test_the_certificate_tells_when_points_are_withheld():
    once = FixedPointSearch(rounds=1)
    pair = find_fixed_points(bistable(1), starts=np.array([[0.01], [0.9]]), search=once)
    assert len(pair) == 2
    assert pair.certificate["verdict"].tolist() == ["points missing"]
    single = find_fixed_points(bistable(1), starts=np.array([[0.9]]), search=once)
    assert len(single) == 1
    assert single.certificate["index_sum"].tolist() == [1]
    assert single.certificate["verdict"].tolist() == ["not saturated"]
    full = find_fixed_points(bistable(1), starts=np.array([[0.01], [0.9]]), search=QUICK)
    assert len(full) == 3
    assert full.certificate["verdict"].tolist() == ["consistent"]


def test_every_start_has_an_outcome():
    starts = np.linspace(-1, 1, 30)[:, None]
    found = find_fixed_points(
        bistable(1, members=2), starts=starts, search=FixedPointSearch(rounds=1)
    )
    assert found.outcome.shape == (60,)
    assert found.start_member.tolist() == [0] * 30 + [1] * 30
    assert found.outcomes["converged"] == 60 == found.n_starts.sum()
    assert found.certificate["starts"].tolist() == [30, 30]


def test_the_record_is_saved_loaded_and_selected(tmp_path):
    found = find_fixed_points(bistable(2, members=2), search=FixedPointSearch(candidates=128))
    found.save(tmp_path)
    loaded = FixedPoints.load(tmp_path)
    np.testing.assert_array_equal(loaded.jacobian, found.jacobian)
    np.testing.assert_array_equal(loaded.eigenvalues, found.eigenvalues)
    assert loaded.certificate.equals(found.certificate)
    stable = loaded.select("point", loaded.kind == "stable")
    assert len(stable) == 8
    assert set(stable.n_unstable) == {0}
    frame = loaded.to_frame()
    assert len(frame) == 18
    assert frame["member"].tolist() == [0] * 9 + [1] * 9
    assert frame["n_unstable"].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2] * 2
    assert loaded.to_xarray()["jacobian"].shape == (18, 2, 2)


def test_what_does_not_fit_is_refused():
    networks = bistable(2)
    with pytest.raises(ValueError, match=r"inputs must be \[input point, 2\], .* \(1, 3\)"):
        find_fixed_points(networks, inputs=np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"starts must be \[start, state\], got shape \(0, 2\)"):
        find_fixed_points(networks, starts=np.zeros((0, 2)))
    with pytest.raises(ValueError, match=r"must be \[1 members, visited, 2\], got shape \(4, 3\)"):
        find_fixed_points(networks, visited=np.zeros((4, 3)))


def test_a_strict_search_refuses_points_that_may_be_incomplete():
    single_round = FixedPointSearch(candidates=16, rounds=1)
    networks = bistable(1)
    assert (
        find_fixed_points(networks, search=single_round).certificate["verdict"][0] != "consistent"
    )
    with pytest.raises(
        IncompleteSearch, match=r"got 'not saturated' in 1 of 1 searches.*Raise `rou"
    ):
        find_fixed_points(networks, search=single_round, strict=True)
    assert len(find_fixed_points(networks, strict=True)) == 3


def test_a_strict_search_of_an_unbounded_network_passes_unless_points_are_missing():
    starts = np.linspace(-1.0, 1.0, 8)[:, None]
    points = find_fixed_points(lambda x, h: 0.5 * h, starts=starts, strict=True)
    assert points.certificate["verdict"].tolist() == ["not applicable"]
