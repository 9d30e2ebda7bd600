"""Memories that are put together by hand: their graphs, how far apart these are, what is shown."""

import dataclasses
import itertools

import numpy as np
import pytest
from claims.test_cube_graph import connected
from reference.dynamics import population
from task_inputs import compute

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.distances.embedding import Embedding
from rnnstudy.analyses.factors.factor_tests import FactorTestAnalysis
from rnnstudy.analyses.fixed_points import topology_exhibits, transition_exhibits
from rnnstudy.analyses.fixed_points.graph_distances import GraphDistances
from rnnstudy.analyses.fixed_points.topology import Topology
from rnnstudy.analyses.fixed_points.transitions import TransitionAnalysis
from rnnstudy.analyses.hypercube import cube, drawing_positions, is_cube
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.exhibit import Matrix, Panels, Table
from rnnstudy.dynamics.connections.transitions import transitions
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

TASK = FlipFlop(bits=3, length=10, probe_length=8, probe_trials=4)
BITS = np.eye(3)
KINDS = {
    # gains, sign of what is read out where a bit is not stored
    "cube": ((3.0, 3.0, 3.0), 0.0),
    "steep": ((2.0, 3.0, 4.0), 0.0),
    "third lost": ((3.0, 3.0, 0.5), 0.1),
    "first lost": ((0.5, 3.0, 3.0), -0.1),
}


def memories():
    """h' = tanh(gain h + 5 x) in each of three units: a bit where the gain is above 1."""
    gains = [np.diag(values) for values, _ in KINDS.values()]
    weights = [{"recurrent_kernel": gain, "kernel": 5.0 * BITS} for gain in gains]
    found = population(Vanilla(units=3), weights, inputs=3)
    bias = np.array([np.full(3, shift) for _, shift in KINDS.values()])
    readout = {"kernel": np.repeat(BITS[None], len(KINDS), 0), "bias": bias}
    return dataclasses.replace(found, readout=readout)


@pytest.fixture(scope="module")
def networks():
    """The memories, their fixed points one by one, and who they are."""
    points = find_fixed_points(memories())
    apart = [points.single_member(m) for m in range(len(KINDS))]
    members = [Member(name, {"cell": "gru", "activation": "tanh"}) for name in KINDS]
    return memories(), apart, members


@pytest.fixture(scope="module")
def graphs(networks):
    population, points, _ = networks
    return Topology(directions=40).run(population, TASK, {"fixed_points": points})


def test_graphs_are_cubes_or_squares(graphs):
    assert [is_cube(graph, 3) for graph in graphs] == [True, True, False, False]
    assert [len(graph) for graph in graphs] == [27, 27, 9, 9]
    assert {tuple(word) for word in graphs[2].signs} == {
        (*pair, 1) for pair in itertools.product((-1, 0, 1), repeat=2)
    }
    assert {word[0] for word in graphs[3].signs.tolist()} == {-1}
    assert graphs[2].spans.tolist() == [1] * 4


def test_distances_of_graphs_by_hand(graphs, networks):
    members = networks[2]

    def found(**fields):
        return compute(GraphDistances(weighted=False, **fields), TASK, members, graphs).values

    # The cube has 8 + 12 * 2 + 6 * 4 + 8 links, each square in it 4 + 4 * 2 + 4.
    missing, apart = np.sqrt(64 - 16), np.sqrt(16 + 16 - 2 * 4)
    third, first = ({tuple(word) for word in graph.signs.tolist()} for graph in graphs[2:])
    # The squares share an edge of the cube: two corners and the saddle between them.
    assert len(third & first) == 3
    want = [[0, 0, missing, missing], [0, 0, missing, missing],
            [missing, missing, 0, apart], [missing, missing, apart, 0]]  # fmt: skip
    np.testing.assert_allclose(found(), want, atol=1e-12)
    renamed = found(distance="isomorphic")
    np.testing.assert_allclose(renamed[2, 3], 0.0, atol=1e-12)
    np.testing.assert_allclose(renamed[0], [0, 0, missing, missing], atol=1e-12)
    np.testing.assert_allclose(found(distance="spectral")[2, 3], 0.0, atol=1e-12)
    weighted = compute(GraphDistances(), TASK, members, graphs).values
    # Shares of 40 random directions: 7 points of 4 or 8 ends each differ in them only.
    assert 0 < weighted[0, 1] < 4 * np.sqrt(2 * (6 + 1) / 40)


def test_points_are_told_apart_by_their_unstable_directions_too():
    members = [Member(name, {"cell": "gru", "activation": "tanh"}) for name in ("three", "five")]
    cubes = [connected(), connected(centre=5)]

    def found(**fields):
        return compute(GraphDistances(weighted=False, **fields), TASK, members, cubes).values[0, 1]

    # Each centre has links to 8 corners that the other has not.
    assert found() == pytest.approx(4.0)
    assert found(distance="isomorphic") == pytest.approx(4.0)
    assert found(directions=False) == found(distance="spectral") == 0.0


def test_captions_say_what_0_means(graphs, networks):
    members = networks[2]
    for fields, said in {
        (): "the same words are linked with the same weights",
        (("weighted", False),): "the same words are linked",
        (("distance", "spectral"),): "the matrices of links with their weights have the same",
    }.items():
        analysis = GraphDistances(**dict(fields))
        result = compute(analysis, TASK, members, graphs)
        (matrix,) = analysis.show(Section(TASK, members, {}, {}, {analysis.title: result}))
        assert matrix.caption.split("0: ")[1].startswith(said)


def test_titles_tell_graphs_apart():
    titles = [
        GraphDistances(of=of, distance=distance, weighted=weighted).title
        for of in ("topology", "transitions")
        for distance in ("labelled", "isomorphic", "spectral")
        for weighted in (True, False)
    ]
    assert titles[0] == "graph_distances_topology"
    assert titles[3] == "graph_distances_topology_isomorphic_unweighted"
    assert len(set(titles)) == len(titles)


def test_groups_and_an_embedding_read_the_distances(graphs, networks):
    members = [
        Member(f"{name} {i}", {"cell": name.split()[-1], "activation": "tanh"})
        for i in range(2)
        for name in KINDS
    ]
    distances = compute(GraphDistances(weighted=False), TASK, members, [*graphs, *graphs])
    assert (
        len(compute(Embedding(of="graph_distances_topology"), TASK, members, distances).points) == 8
    )
    found = compute(
        FactorTestAnalysis(of="graph_distances_topology", permutations=19), TASK, members, distances
    )
    assert found.factors == ("cell",)


def test_pulses_write_bits(networks):
    population, points, members = networks
    analysis = TransitionAnalysis(pulse=1.0, noise=0.0, trials=1, steps=1)
    found = analysis.run(population, TASK, {"fixed_points": points})
    labels, weight, _ = found[0].links()
    reached = labels[weight > 0.5]
    assert len(reached) == 6 * 8
    for pulse, word, end in reached:
        np.testing.assert_array_equal(end, np.where(pulse != 0, np.sign(pulse), word))
    unweighted = compute(GraphDistances(of="transitions"), TASK, members, found).values
    assert unweighted[0, 1] == 0.0
    # 6 pulses at 8 words against 4 pulses that write at 4 words and 2 that do nothing there.
    assert unweighted[0, 2] > 0.0
    table = shown(analysis, found, members)[0]
    assert isinstance(table, Table)
    # Of the squares' 6 pulses one asks for a word that there is not.
    assert table.columns["at the target"] == [np.median([1.0, 1.0, 5 / 6, 5 / 6])]
    assert table.columns["at the target, lowest"] == [5 / 6]
    assert table.columns["at the target, highest"] == [1.0]
    assert table.columns["one bit off"] == [np.median([0.0, 0.0, 1 / 6, 1 / 6])]
    assert table.columns["at no stable point"] == [0.0]


def test_noise_is_a_share_of_the_points(networks):
    population, points, members = networks
    analysis = TransitionAnalysis(noise=0.6, steps=10, trials=30)
    found = analysis.run(population, TASK, {"fixed_points": points})
    own = population.select("member", [2])
    stable = points[2].state[points[2].n_unstable == 0]
    size = np.sqrt(np.mean(stable**2))
    direct = transitions(own, points[2], 0.6 * size, steps=10, trials=30)
    np.testing.assert_array_equal(found[2].count, direct.count)
    assert 0.2 < found[2].share[found[2].source == found[2].target].mean() < 0.98
    table, panels = shown(analysis, found, members)
    assert 0.0 < table.columns["one bit off"][0] < 0.8
    assert table.columns["at the target, lowest"][0] <= table.columns["at the target"][0]
    assert isinstance(panels, Panels)
    assert isinstance(panels.exhibits[0], Matrix)
    assert panels.exhibits[0].labels[0] == "---"
    np.testing.assert_allclose(panels.exhibits[0].values.sum(axis=1), 1.0)


def section(analysis, records, members):
    found = {member.name: record for member, record in zip(members, records, strict=True)}
    return Section(TASK, members, {}, {analysis.title: found}, {})


def shown(analysis, records, members):
    """What is shown, the first network standing for its combination."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (transition_exhibits, topology_exhibits):
            patch.setattr(module, "typical_members", lambda section: section.members[:1])
        return list(analysis.show(section(analysis, records, members)))


def test_what_is_shown_of_graphs(graphs, networks):
    analysis = Topology()
    summary, kinds, panels = shown(analysis, graphs, networks[2])
    assert summary.columns["cube"] == [0.5]
    assert summary.columns["fewest words"] == [9.0]
    assert summary.columns["links of neighbours"] == [8.0]
    assert summary.columns["trajectories that arrive"] == [1.0]
    assert kinds.columns["points"] == ["8 + 12 + 6 + 1", "4 + 4 + 1"]
    assert kinds.columns["networks"] == [2, 2]
    assert kinds.columns["cube"] == [2, 0]
    assert kinds.columns["combinations"] == ["gru tanh (2)"] * 2
    (graph,) = panels.exhibits
    assert sorted(filter(None, graph.nodes)) == sorted(
        "".join(word) for word in itertools.product("-+", repeat=3)
    )
    assert len(graph.edges) == 12 * 2 + 6 * 4 + 8
    gaps = np.linalg.norm(graph.positions[:, None] - graph.positions, axis=-1)
    assert gaps[np.triu_indices(27, 1)].min() > 0.2
    assert list(analysis.show(Section(TASK, [], {}, {}, {}))) == []


def test_points_of_one_word_stand_side_by_side():
    places = drawing_positions(np.array([[1, 0, 0], [1, 0, 0], [-1, 0, 0]]))
    assert np.linalg.norm(places[0] - places[1]) == pytest.approx(0.12)
    assert places[:2].mean(axis=0) == pytest.approx(-places[2])
    four = drawing_positions(np.array(list(itertools.product((-1, 0, 1), repeat=4))))
    gaps = np.linalg.norm(four[:, None] - four, axis=-1)
    assert gaps[np.triu_indices(81, 1)].min() > 0.01


def test_the_cube_of_a_memory():
    assert cube(TASK) == [8, 12, 6, 1]
    assert cube(Sine()) == []


def test_only_tasks_with_words_are_asked(networks):
    population, points, members = networks
    for analysis in (Topology(), TransitionAnalysis()):
        assert analysis.applies(TASK)
        assert not analysis.applies(Sine())
        with pytest.raises(ValueError, match="must have discrete outputs, got integration"):
            analysis.run(population, Integration(), {"fixed_points": points})
        with pytest.raises(TypeError, match="'fixed_points' must yield FixedPoints for t"):
            analysis.compute(population, TASK, {"fixed_points": ["nothing"]})
    with pytest.raises(TypeError, match="'topology' must yield LabelledGraph for graph_distances_"):
        compute(GraphDistances(), TASK, members, points)


def test_graphs_of_many_bits_are_not_compared_up_to_isomorphism():
    assert [GraphDistances(distance="isomorphic").applies(FlipFlop(bits=b)) for b in (5, 6)] == [
        True,
        False,
    ]
    assert GraphDistances().applies(FlipFlop(bits=6))


def test_noise_or_pulses_are_needed():
    with pytest.raises(ValueError, match="noise must be above 0 without a pulse, got 0"):
        TransitionAnalysis(noise=0.0)
    with pytest.raises(ValueError, match="width must be at most steps"):
        TransitionAnalysis(width=3, steps=2)


def test_networks_without_points_have_graphs(networks):
    population, points, members = networks
    none = points[2][:0]
    third, inputs = population.select("member", [2]), {"fixed_points": [none]}
    (graph,) = Topology().run(third, TASK, inputs)
    (moved,) = TransitionAnalysis().run(third, TASK, inputs)
    assert len(graph) == len(moved) == 0
    first, inputs = population.select("member", [0]), {"fixed_points": points[:1]}
    full = Topology(directions=4).run(first, TASK, inputs)
    pair = members[:2]
    assert compute(GraphDistances(), TASK, pair, [graph, *full]).values[0, 1] > 4.0
    for distance in ("labelled", "isomorphic", "spectral"):
        found = compute(
            GraphDistances(of="transitions", distance=distance), TASK, pair, [moved, moved]
        )
        assert found.values.tolist() == [[0.0, 0.0], [0.0, 0.0]]
