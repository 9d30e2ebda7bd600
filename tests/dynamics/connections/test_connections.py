"""Connections of networks whose every trajectory is known: independent bistable units."""

import dataclasses
import warnings
from itertools import product

import numpy as np
import pytest
from reference.dynamics import population
from reference.maps import Maps, linear

from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.lazy_imports import tf
from rnnstudy.dynamics.connections import connections as find_connections
from rnnstudy.dynamics.connections.connections import connections
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.report.figures.figures import plot


def memory(units=3, gains=(3.0,)):
    """h' = tanh(gain h) in each unit, read out as it is; a member for each gain."""
    found = population(
        Vanilla(units=units), [{"recurrent_kernel": gain * np.eye(units)} for gain in gains]
    )
    kernel = np.repeat(np.eye(units)[None], len(gains), axis=0)
    return dataclasses.replace(
        found, readout={"kernel": kernel, "bias": np.zeros((len(gains), units))}
    )


@pytest.fixture(scope="module")
def cube():
    """Three bits: the network, its 27 fixed points, their connections."""
    points = find_fixed_points(memory())
    return memory(), points, connections(memory(), points)


def corners(points, i):
    """Signs of the coordinates of a point: what is 0 is on an edge, a face, or at the centre."""
    return np.rint(points.state[i] / np.abs(points.state).max()).astype(int)


def test_edges_faces_and_centre_of_a_cube(cube):
    _, points, found = cube
    assert np.bincount(points.n_unstable).tolist() == [8, 12, 6, 1]
    assert found.outcomes["point"] == 12 * 2 + 7 * 80 == len(found.source)
    for i in range(27):
        mine = corners(points, i)
        ends = [corners(points, j) for j in found.targets_of(i)]
        if points.n_unstable[i] == 0:
            assert not ends
            continue
        assert len(ends) == 2 ** points.n_unstable[i]
        for end in ends:
            assert points.n_unstable[found.targets_of(i)].max() == 0
            assert (end[mine != 0] == mine[mine != 0]).all()
        # The label that the ends give is where the point lies.
        assert found.signs[i].tolist() == mine.tolist()


def test_saddles_join_neighbours(cube):
    _, points, found = cube
    stable, joined = found.saddle_counts()
    signs = np.array([corners(points, i) for i in stable])
    distance = (signs[:, None] != signs).sum(axis=-1)
    assert (joined == (distance == 1)).all()
    assert joined.sum() == 2 * 12


def test_shares_and_graph(cube):
    _, _, found = cube
    edges = found.edges
    assert len(edges) == 12 * 2 + 6 * 4 + 8
    np.testing.assert_allclose(edges.groupby("source")["share"].sum(), 1.0)
    single = edges[edges["n_unstable"] == 1]
    assert single["share"].tolist() == [0.5] * 24
    # Random directions: each of four quarters of a face's plane gets its share, within 4 sigma.
    face = edges[edges["n_unstable"] == 2]
    assert (np.abs(face["share"] - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 80)).all()
    graph = found.to_networkx()
    assert graph.number_of_nodes() == 27
    assert graph.number_of_edges() == len(edges)
    assert {data["name"] for _, data in graph.nodes(data=True)} >= {"+++", "0-0", "000", "+0-"}
    panels, table = found.exhibits()
    assert len(panels.exhibits[0].edges) == len(edges)
    assert table.rows == len(edges)
    assert plot(found) is not None


def test_links_by_words_are_those_of_the_cube(cube):
    _, _, found = cube
    with pytest.raises(
        ValueError, match=r"cannot be labelled by output signs\. Use `distance: spectral`"
    ):
        found.links()
    labels, weight, place = dataclasses.replace(found, has_labels=True).links()
    words = {tuple(row) for row in labels[:, 0].tolist()}
    assert len(words) == 27
    # Of each point, to all words that agree with it where it is not 0: with equal shares, up to
    # 4 standard errors of 80 directions.
    assert len(labels) == 8 + 12 * 2 + 6 * 4 + 8
    for (source, target), share in zip(labels, weight, strict=True):
        assert (target != 0).all()
        assert (target[source != 0] == source[source != 0]).all()
        want = 0.5 ** (source == 0).sum()
        sampled = (source == 0).sum() > 1
        assert abs(share - want) <= 4 * sampled * np.sqrt(want * (1 - want) / 80)
    assert not place.any()
    assert found.spans.tolist() == [1] * 12
    matrix = found.matrix()
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
    assert np.trace(matrix) == 8


def test_links_of_several_points_of_one_word_are_averaged():
    # Two stable points of the word +, one of -, a saddle to each, and one that leads nowhere.
    found = Connections(
        state=np.zeros((6, 1)),
        outputs=np.array([[1.0], [2.0], [-1.0], [0.0], [0.0], [9.0]]),
        n_unstable=np.array([0, 0, 0, 1, 1, 1]),
        member=np.zeros(6, int),
        input_index=np.zeros(6, int),
        source=np.array([3, 3, 4, 4, 5, 5]),
        target=np.array([0, 2, 1, 2, -1, -1]),
        outcome=np.array([0, 0, 0, 0, 3, 3]),
        steps=np.ones(6, int),
        has_labels=True,
    )
    assert found.is_labelled.tolist() == [True] * 5 + [False]
    assert found.spans.tolist() == [1, 1, -1]
    labels, weight, _ = found.links()
    links = {tuple(row): share for row, share in zip(labels[..., 0].tolist(), weight, strict=True)}
    assert links == {(1, 1): 1.0, (-1, -1): 1.0, (0, 1): 0.5, (0, -1): 0.5}


def test_a_member_alone_is_as_if_it_had_been_the_only_one():
    networks = memory(2, (3.0, 0.5, 2.0))
    points = find_fixed_points(networks)
    every = connections(networks, points, directions=20)
    for member, gain in enumerate((3.0, 0.5, 2.0)):
        mine = every.single_member(member)
        other = connections(memory(2, (gain,)), points.single_member(member), directions=20)
        for name in ("state", "outputs", "member", "source", "target", "outcome"):
            np.testing.assert_allclose(getattr(mine, name), getattr(other, name), err_msg=name)


def test_members_and_blocks_of_memory_make_no_difference(monkeypatch):
    networks = memory(2, (3.0, 0.5, 2.0))
    points = find_fixed_points(networks)
    assert np.bincount(points.member).tolist() == [9, 1, 9]
    every = connections(networks, points, directions=20)
    monkeypatch.setattr("rnnstudy.dynamics.basins.follow.FOLLOW_BYTES", 3000)
    small = connections(networks, points, directions=20)
    np.testing.assert_array_equal(small.target, every.target)
    alone = connections(memory(2, (2.0,)), points.single_member(2), directions=20)
    last = every.member[every.source] == 2
    np.testing.assert_array_equal(alone.target, every.target[last] - 10)


def test_what_comes_to_no_point_is_said():
    # r' = r + 0.2 r (1 - r^2) about the origin, turning by a quarter: a cycle of period 4.
    def quarter(x, h):
        p, q = tf.unstack(h, axis=-1)
        gain = 1.0 + 0.2 * (1.0 - p**2 - q**2)
        return tf.stack([-gain * q, gain * p], axis=-1)

    networks = Maps(quarter, 0, 2)
    points = find_fixed_points(networks, starts=np.full((4, 2), 0.01))
    assert points.kind.tolist() == ["repeller"]
    found = connections(networks, points, directions=5)
    assert found.outcomes["cycling"] == 5
    assert found.target.tolist() == [-1] * 5
    assert len(found.edges) == 0
    assert found.to_frame()["outcome"].tolist() == ["cycling"]
    away = Maps(linear([[2.0, 0.0], [0.0, 0.5]]), 2, 2)
    saddle = find_fixed_points(away, starts=np.full((4, 2), 0.1))
    assert connections(away, saddle).outcomes["escaped"] == 2


def test_a_budget_that_is_too_small(cube):
    networks, points, _ = cube
    found = connections(networks, points, steps=3)
    assert found.outcomes["moving"] == len(found.source)
    assert repr(found).endswith("0 edges; trajectories to: 584 moving")


def test_slow_ways_out_are_found_beside_fast_ones():
    # Two competing units, u' = u + u (0.3 - u^2 - 3 v^2) and the like with 0.12 for v: stable
    # at (+-0.55, 0) and (0, +-0.35). From the origin u grows by 1.3 a step and v by 1.12, so that
    # of directions spread evenly near it, a share of 1e-4 leads to where v wins.
    def competing(x, h):
        rates = tf.constant([0.3, 0.12], h.dtype)
        return h + h * (rates - h**2 - 3.0 * tf.reverse(h, [-1]) ** 2)

    networks = Maps(competing, 0, 2)
    starts = np.random.default_rng(0).uniform(-0.7, 0.7, (200, 2))
    points = find_fixed_points(networks, starts=starts)
    assert np.bincount(points.n_unstable).tolist() == [4, 4, 1]
    found = connections(networks, points)
    (origin,) = np.flatnonzero(points.n_unstable == 2)
    assert len(found.targets_of(int(origin))) == 4


@pytest.mark.parametrize("bend", [0.0, 1.0, -3.0])
def test_all_ways_out_are_found_where_the_slow_way_is_bent(bend):
    # Two bits of their own, u' = u + 0.25 (u - u^3) and v' = v + 0.06 (v - v^3), seen in bent
    # coordinates (u - bend v^2, v): to leave the origin exactly along v is to go to one side.
    def straight(u, v):
        return u + 0.25 * (u - u**3), v + 0.06 * (v - v**3)

    def bent(x, h):
        u, v = tf.unstack(h, axis=-1)
        u, v = straight(u + bend * v**2, v)
        return tf.stack([u - bend * v**2, v], axis=-1)

    networks = Maps(bent, 0, 2)
    corners = np.array([(u, v) for u in (-1.0, 0.0, 1.0) for v in (-1.0, 0.0, 1.0)])
    places = np.stack([corners[:, 0] - bend * corners[:, 1] ** 2, corners[:, 1]], axis=1)
    points = find_fixed_points(networks, starts=np.repeat(places, 3, axis=0))
    assert np.bincount(points.n_unstable).tolist() == [4, 4, 1]
    found = connections(networks, points)
    (origin,) = np.flatnonzero(points.n_unstable == 2)
    assert len(found.targets_of(int(origin))) == 4


def test_a_point_with_very_many_ends_has_no_more_refined_directions_than_first_ones(monkeypatch):
    # Six bits of their own: 64 corners, and 12 directions from the origin reach few of them.
    networks = Maps(lambda x, h: h + 0.25 * (h - h**3), 0, 6)
    corners = np.array(list(product((-1.0, 1.0), repeat=6)))
    points = find_fixed_points(networks, starts=np.concatenate([corners, np.zeros((4, 6))]))
    assert points.n_unstable.tolist().count(6) == 1
    counts, arrivals = [], find_connections.arrivals

    def counted(known, starts, *rest):
        counts.append(sum(map(len, starts)))
        return arrivals(known, starts, *rest)

    monkeypatch.setattr(find_connections, "arrivals", counted)
    found = connections(networks, points, directions=12)
    first = np.where(points.n_unstable > 1, 12, 2 * points.n_unstable)
    assert counts[0] == first.sum()
    assert 3 <= sum(counts[1:]) <= 12 * (points.n_unstable > 1).sum()
    assert found.outcomes["point"] == len(found.source)


def test_a_network_without_unstable_points(tmp_path):
    networks = memory(2, (0.5,))
    found = connections(networks, find_fixed_points(networks))
    assert len(found) == 1
    assert len(found.source) == len(found.edges) == 0
    found.save(tmp_path / "record")
    assert len(Connections.load(tmp_path / "record")) == 1


def test_what_makes_no_sense_is_refused(cube):
    networks, points, _ = cube
    with pytest.raises(ValueError, match="directions must be a whole number of at least 1, got 0"):
        connections(networks, points, directions=0)
    with pytest.raises(ValueError, match="must be of these 1 networks with states of 2"):
        connections(memory(2), points)
    with pytest.raises(TypeError, match="must be a FixedPoints, got an array of type"):
        connections(networks, points.state)


def test_a_map_is_not_asked_about_again():
    """h' = -h + tanh(4h) looks like a field. Its points told that it is a map."""

    def step(inputs, h):
        return -h + tf.tanh(4.0 * h)

    points = find_fixed_points(step, state_size=1, continuous=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = connections(step, points)
    saddle = int(np.flatnonzero(points.n_unstable)[0])
    assert sorted(zip(found.source, found.target, strict=True)) == [
        (saddle, i) for i in range(3) if i != saddle
    ]
