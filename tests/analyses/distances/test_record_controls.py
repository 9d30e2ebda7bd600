"""Distances by records, together with untrained networks and planted copies."""

from dataclasses import dataclass

import numpy as np
import pytest
from reference.plants import planted_links
from task_inputs import compute

from rnnstudy.analyses.base import Inputs, Member, Section, TaskAnalysis
from rnnstudy.analyses.distances.controls import ControlDistances, Controls
from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.distances.point_geometry import OrderedPoints, PointGeometry
from rnnstudy.analyses.fixed_points.graph_distances import GraphControls, GraphDistances
from rnnstudy.comparison.distances.plants import plant_in_order
from rnnstudy.core.arrays import Array
from rnnstudy.dynamics.connections.links import LabelledEdges, LabelledGraph, no_labels
from rnnstudy.metrics import SVCCA
from rnnstudy.tasks.flip_flop import FlipFlop

TASK = FlipFlop(bits=2, length=10)
MEMBERS = [Member(f"n{i}", {"cell": "gru", "activation": "tanh"}) for i in range(3)]
CORNERS = [(-1, -1), (-1, 1), (1, -1), (1, 1)]


@dataclass(frozen=True, eq=False)
class Points(OrderedPoints):
    points: Array

    @property
    def ordered_points(self) -> Array:
        return self.points


@dataclass(frozen=True, eq=False)
class Graph(LabelledGraph):
    """Stable points that keep their words, and a saddle between each two neighbours."""

    words: tuple[tuple[int, ...], ...]

    def as_links(self):
        links = {((word, word), 0): 1.0 for word in self.words}
        for a in self.words:
            for b in self.words:
                between = tuple((x + y) // 2 for x, y in zip(a, b, strict=True))
                if between.count(0) == 1:
                    links[(between, b), 0] = 0.5
        return links

    def links(self, directions: bool = False) -> LabelledEdges:
        links = self.as_links()
        if self.words == ((9,),):
            raise no_labels()
        labels = np.array([ends for ends, _ in links], float).reshape(len(links), 2, 2)
        return LabelledEdges(labels, np.array([*links.values()]), np.zeros(len(links)))

    def matrix(self) -> Array:
        return np.eye(len(self.words))


def inputs(trained, **controls):
    by_weights = {name: Inputs(MEMBERS, found=each) for name, each in controls.items()}
    return Inputs(MEMBERS, found=trained, controls=by_weights)


def line(bend):
    time = np.linspace(0.0, 1.0, 8)
    return np.stack([time, np.sin(bend * time)], axis=1)


def test_points_are_compared_with_those_of_untrained_networks_and_planted_copies():
    trained = [line(bend) for bend in (0.0, 0.5, 1.0)]
    blobs = np.random.default_rng(0).standard_normal((6, 8, 2))
    analysis = PointGeometry(of="found").with_controls()
    found = analysis.compute(
        TASK,
        inputs(
            [Points(x) for x in trained],
            untrained=[Points(x) for x in blobs[:3]],
            standard=[Points(x) for x in blobs[3:]],
        ),
    )
    kinds = ("untrained", "standard", "planted")
    names = [member.name for member in MEMBERS]
    assert found.labels == (*names, *(f"{name} {kind}" for kind in kinds for name in names))
    assert found.networks == names * 4
    everything = [*trained, *blobs, *map(plant_in_order, trained)]
    plain = compute(
        PointGeometry(of="found"), TASK,
        [Member(f"m{i}", {}) for i in range(12)], [Points(x) for x in everything],
    )  # fmt: skip
    assert found.values.tolist() == plain.values.tolist()
    assert found.among(found.at("planted")).max() == 0.0
    assert found.values[0, found.at("planted")[0]] > 0.5


def labelled_distance(first, second):
    """Frobenius norm of the difference of weights, link by link."""
    keys = {*first, *second}
    return np.sqrt(sum((first.get(key, 0.0) - second.get(key, 0.0)) ** 2 for key in keys))


def test_graphs_are_compared_with_those_of_untrained_networks_and_planted_copies():
    whole, partial = Graph(tuple(CORNERS)), Graph(tuple(CORNERS[:3]))
    single, nothing = Graph(((1, 1),)), Graph(())
    trained, untrained = [whole, whole, partial], [single, single, nothing]
    analysis = GraphDistances(of="found").with_controls()
    found = analysis.compute(TASK, inputs(trained, untrained=untrained, standard=untrained))
    graphs = [one.as_links() for one in (*trained, *untrained, *untrained)]
    graphs += [planted_links(one.as_links()) for one in trained]
    expected = [[labelled_distance(a, b) for b in graphs] for a in graphs]
    assert found.values == pytest.approx(np.array(expected))
    assert found.values[0, found.at("planted")[0]] == pytest.approx(np.sqrt(1 + 4 * 0.25 - 0.5))


@pytest.mark.parametrize("distance", ["labelled", "isomorphic", "spectral"])
@pytest.mark.parametrize("weighted", [True, False])
def test_graphs_without_links_are_compared_in_every_way(distance, weighted):
    graphs = [Graph(()), Graph(((1, 1),)), Graph(tuple(CORNERS))]
    analysis = GraphDistances(of="found", distance=distance, weighted=weighted).with_controls()
    found = analysis.compute(TASK, inputs(graphs, untrained=graphs, standard=graphs[::-1]))
    assert found.values.shape == (12, 12)
    assert found.values[0, found.at("untrained")[0]] == 0.0
    # A graph without links has no stable point to lose, one of a single word loses all.
    planted = found.at("planted")
    assert found.values[0, planted[0]] == found.values[planted[0], planted[1]] == 0.0
    assert found.values[1, planted[1]] > 0.0


def test_networks_without_seeds_have_no_controls():
    graphs = [Graph(((1, 1),))] * 3
    analysis = GraphDistances(of="found").with_controls()
    only = Inputs(MEMBERS[:1], found=graphs[:1])
    found = analysis.compute(TASK, Inputs(MEMBERS, found=graphs, controls={"untrained": only}))
    assert found.learnt == ("trained",) * 3 + ("untrained",) + ("planted",) * 3
    assert found.absent == ["n1 untrained", "n2 untrained"]


@pytest.mark.parametrize(
    ("analysis", "title"),
    [
        (GraphDistances(weighted=False), "graph_distances_topology_unweighted_controls"),
        (GraphDistances(name="graphs", tasks=("a",)), "graphs_controls"),
        (PointGeometry(of="oscillations"), "point_geometry_oscillations_controls"),
        (Pairs(metric=SVCCA(dimensions=5)), "svcca_controls"),
        (Pairs(metric=SVCCA(), name="s", where={"cell": "gru"}), "s_controls"),
    ],
)
@pytest.mark.parametrize("planted", [True, False])
def test_the_analysis_with_controls_has_the_same_fields(analysis, title, planted):
    controls = analysis.with_controls(planted)
    assert isinstance(controls, TaskAnalysis)
    assert (controls.title, controls.planted) == (title, planted)
    assert controls.yields is ControlDistances
    for name in type(analysis).model_fields.keys() - {"name", "weights"}:
        assert getattr(controls, name) == getattr(analysis, name)
    assert controls.with_controls(planted) is controls
    assert controls.with_controls().planted
    assert set(controls.control_weights() or controls.weights) == {"untrained", "standard"}


def test_distances_of_untrained_networks_have_no_controls():
    assert Pairs(metric="cka", weights="untrained").with_controls() is None
    assert isinstance(Pairs(metric="cka").with_controls(), Controls)


def test_costs_count_all_items():
    assert Pairs(metric="cka").with_controls().cost(TASK, records=30).work == {"pairs": 40 * 39 / 2}
    assert GraphControls(planted=True).cost(TASK, records=10).work == {"pairs": 40 * 39 / 2}
    assert GraphControls(weights=("standard",)).cost(TASK, records=10).work == {"pairs": 190}


def test_the_map_of_a_matrix_names_its_kinds_of_points():
    graphs = [Graph(((1, 1),))] * 3
    analysis = GraphDistances(of="found", name="g").with_controls()
    found = analysis.compute(TASK, inputs(graphs, untrained=graphs, standard=graphs))
    (drawn,) = analysis.show(Section(TASK, MEMBERS, {}, {}, {"g_controls": found}))
    assert drawn.title == "Map of networks and controls: g_controls"
    assert "Kinds of points: trained, untrained, standard, planted." in drawn.caption
