"""Networks whose fixed points fill lines and planes, found, counted and kept."""

import numpy as np
import pytest
from reference.dynamics import population

from rnnstudy.cells.ugrnn import UGRNN
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.dynamics.fixed_points.continua_record import Continua, Continuum
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch

QUICK = FixedPointSearch(candidates=64)


def integrator(dimensions, units=8, members=1):
    """Linear networks that keep so many orthogonal directions and forget the others."""
    generator = np.random.default_rng(0)
    turn = np.linalg.qr(generator.standard_normal((units, units)))[0]
    rates = np.where(np.arange(units) < dimensions, 1.0, generator.uniform(-0.8, 0.8, units))
    kept = turn[:, :dimensions]
    matrix = (turn * rates) @ turn.T
    cell = Vanilla(units=units, activation="linear")
    return population(cell, [{"recurrent_kernel": matrix}] * members), kept


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_perfect_integrators(dimensions):
    networks, kept = integrator(dimensions)
    found = find_fixed_points(networks, search=QUICK)
    assert len(found) == 0
    assert found.continua.dimension.tolist() == [dimensions]
    assert found.continua.kind.tolist() == ["continuum"]
    # Every sample is on the known line or plane, and they span it.
    states = found.continua.state
    np.testing.assert_allclose(states @ kept @ kept.T, states, atol=1e-12)
    assert np.linalg.matrix_rank(states @ kept, tol=0.1) == dimensions
    assert found.continua.n_starts.sum() == len(found.outcome)
    assert found.certificate["continua"].tolist() == [1]


def test_a_line_that_relu_cuts_ends_where_it_should():
    """h1' = relu(h1) keeps every h1 >= 0; h2 goes to 1/7."""
    weights = {"recurrent_kernel": np.diag([1.0, 0.3]), "bias": np.array([0.0, 0.1])}
    cell = Vanilla(units=2, activation="relu")
    found = find_fixed_points(population(cell, [weights]), search=QUICK)
    assert len(found) == 0  # the end of the line looks isolated from the left, and is not
    assert found.outcomes["degenerate"] == len(found.outcome)
    assert found.continua.dimension.tolist() == [1]
    np.testing.assert_allclose(found.continua.state[:, 1], 1 / 7, atol=1e-12)
    assert found.continua.state[:, 0].min() >= 0
    np.testing.assert_allclose(
        found.continua.extent, np.ptp(found.continua.state[:, 0]), rtol=1e-12
    )


def test_a_quarter_of_a_plane_that_relu_cuts_is_one():
    """Two units keep every h >= 0, down to the edges, on which one of them is shut."""
    weights = {"recurrent_kernel": np.diag([1.0, 1.0, 0.3]), "bias": np.array([0.0, 0.0, 0.1])}
    cell = Vanilla(units=3, activation="relu")
    found = find_fixed_points(population(cell, [weights]), search=QUICK)
    assert len(found) == 0
    assert found.continua.dimension.tolist() == [2]
    assert found.continua.n_starts.sum() == len(found.outcome)
    np.testing.assert_allclose(found.continua.state[:, 2], 1 / 7, atol=1e-12)
    assert found.continua.state.min() >= 0


def test_a_line_and_isolated_points_of_one_population():
    """One member integrates, the other rests at a point."""
    cell = Vanilla(units=2, activation="linear")
    matrices = [np.diag([0.4, 0.5]), np.diag([1.0, 0.5])]
    networks = population(cell, [{"recurrent_kernel": m} for m in matrices])
    found = find_fixed_points(networks, inputs=np.array([[0.0], [1.0]]), search=QUICK)
    assert found.member.tolist() == [0, 0]
    assert found.continua.member.tolist() == [1, 1]
    assert found.continua.input_index.tolist() == [0, 1]
    assert found.continua.inputs.tolist() == [[0.0], [1.0]]
    alone = found.single_member(1)
    assert len(alone) == 0
    assert alone.continua.member.tolist() == [0, 0]
    assert len(found.of(member=0).continua) == 0


def test_units_with_shut_gates_fill_as_many_dimensions():
    """Two of four units keep their state exactly; the others rest at tanh(b)."""
    bias = np.array([80.0, 80.0, -80.0, -80.0, 0.3, 0.3, 0.3, 0.3])
    cell = UGRNN(units=4)
    found = find_fixed_points(population(cell, [{"bias": bias}]), search=QUICK)
    assert found.continua.dimension.tolist() == [2]
    np.testing.assert_allclose(found.continua.state[:, 2:], np.tanh(0.3), atol=1e-12)


def test_a_leaky_integrator_is_a_point():
    networks = population(
        Vanilla(units=2, activation="linear"), [{"recurrent_kernel": np.diag([0.999, 0.5])}]
    )
    found = find_fixed_points(networks, search=QUICK)
    assert len(found) == 1
    assert len(found.continua) == 0


def some():
    generator = np.random.default_rng(1)
    states = [generator.standard_normal((n, 3)) for n in (2, 4, 3)]
    one, two, three = (
        Continuum(h, d, n) for h, d, n in zip(states, (1, 2, 1), (5, 6, 7), strict=True)
    )
    member, position = np.array([0, 0, 1]), np.array([0, 1, 0])
    inputs = np.array([[0.0], [1.0], [0.0]])
    return states, Continua.from_searches([[one], [], [two, three]], member, position, inputs, 3)


def test_continua_are_chosen_with_their_samples():
    states, record = some()
    assert len(record) == 3
    assert record.member.tolist() == [0, 1, 1]
    for i, state in enumerate(states):
        np.testing.assert_array_equal(record[i].state, state)
        assert record[i].continuum.tolist() == [0] * len(state)
        apart = np.linalg.norm(state[:, None] - state, axis=-1)
        assert record.extent[i] == apart.max()
    turned = record[[2, 0]]
    np.testing.assert_array_equal(turned.state, np.concatenate([states[2], states[0]]))
    assert turned.continuum.tolist() == [0] * 3 + [1] * 2
    assert record[record.dimension == 2].n_starts.tolist() == [6]
    assert [len(one.state) for one in record] == [2, 4, 3]


def test_continua_are_joined_and_kept(tmp_path):
    states, record = some()
    both = Continua.join([record, record[1:]])
    assert both.continuum.tolist() == [0] * 2 + [1] * 4 + [2] * 3 + [3] * 4 + [4] * 3
    np.testing.assert_array_equal(both[3].state, states[1])
    both.save(tmp_path)
    loaded = Continua.load(tmp_path)
    np.testing.assert_array_equal(loaded.state, both.state)
    frame = loaded.to_frame()
    assert frame["samples"].tolist() == [2, 4, 3, 4, 3]
    assert frame["kind"].tolist() == ["continuum"] * 5
    assert repr(record) == "3 continua of fixed points of dimension 1, 2"


def test_no_continua():
    none = Continua.none(3, 1)
    assert repr(none) == "no continua of fixed points"
    assert len(none.to_frame()) == 0
    assert len(none.extent) == 0
    assert len(none[[]]) == 0
    assert "no continua" in none._repr_html_()
    _, record = some()
    assert len(Continua.join([none, record])) == 3
    assert len(record.of(member=5)) == 0
