"""Networks whose records have no distances are left out with a reason; the others do not notice."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from rnnstudy.analyses.base import Inputs, Member, Section
from rnnstudy.analyses.distances.all_pairs import INFINITE_ACTIVITY
from rnnstudy.analyses.distances.controls import Controls
from rnnstudy.analyses.distances.embedding import Embedding
from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.distances.point_geometry import OrderedPoints, PointGeometry
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.analyses.factors.control_tests import ControlTestAnalysis
from rnnstudy.analyses.factors.factor_tests import FactorTestAnalysis
from rnnstudy.analyses.factors.geometry_against_topology import GeometryAgainstTopology
from rnnstudy.analyses.fixed_points.graph_distances import GraphDistances
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Note
from rnnstudy.core.storage.folder import record_files, write_contents
from rnnstudy.dynamics.connections.links import LabelledEdges, LabelledGraph
from rnnstudy.metrics import Metric
from rnnstudy.tasks.flip_flop import FlipFlop

TASK = FlipFlop(bits=1, length=8, probe_trials=3)
SHAPE = (3, 8)
MEMBERS = [
    Member(f"n{i}", {"cell": cell, "activation": "tanh", "seed": i // 2})
    for i, cell in enumerate(["gru", "lstm"] * 4)
]
CONSTANT, BROKEN = MEMBERS[2], MEMBERS[5]
REASONS = {
    "n2": "cka is undefined: states must vary, got 24 samples that are all alike",
    "n5": INFINITE_ACTIVITY,
}


def activity(states: Array) -> Activity:
    other = np.zeros((*SHAPE, 1))
    return Activity(inputs=other, targets=other, outputs=other, states=states)


def records(seed: int = 0) -> dict[Member, Activity]:
    """Random states, but for a network that stands still and one that exploded."""
    found = {}
    for i, member in enumerate(MEMBERS):
        states = np.random.default_rng([seed, i]).standard_normal((*SHAPE, 5)).astype(np.float32)
        if member is CONSTANT and not seed:
            states[:] = 0.25
        if member is BROKEN and not seed:
            states[1, 3:] = np.inf
        found[member] = activity(states)
    return found


def inputs(members: list[Member], titles: list[str]) -> Inputs:
    """Records of members under titles; only those of the first are broken."""
    parts = {t: [records(k)[m] for m in members] for k, t in enumerate(titles)}
    return Inputs.from_records(members, parts, {}, {})


def sound() -> list[Member]:
    return [member for member in MEMBERS if member not in (CONSTANT, BROKEN)]


def test_others_have_the_distances_of_a_study_without_these_networks():
    analysis, title = Pairs(metric="cka"), Representations().title
    found, without = (analysis.run(TASK, inputs(some, [title])) for some in (MEMBERS, sound()))
    assert found.labels == without.labels == tuple(member.name for member in sound())
    assert found.values.tolist() == without.values.tolist()
    assert found.left_out == REASONS
    assert without.left_out == {}


def test_their_controls_are_left_out_with_them():
    analysis = Controls(metric="cka", planted=True)
    titles = [each.title for each in analysis.member_inputs()]
    found, without = (analysis.run(TASK, inputs(some, titles)) for some in (MEMBERS, sound()))
    assert found.labels == without.labels
    assert found.values.tolist() == without.values.tolist()
    assert (found.learnt, found.fields) == (without.learnt, without.fields)
    kinds = ("untrained", "standard", "planted")
    none = "the trained network has no distances"
    controls = {f"{name} {kind}": none for kind in kinds for name in REASONS}
    controls["n2 planted"], controls["n5 planted"] = REASONS["n2"], REASONS["n5"]
    assert found.left_out == REASONS | controls


class Picky(Metric):
    """Difference of means; undefined for two representations with means of one sign."""

    kind: ClassVar[str] = "picky"

    def prepare(self, states: Array) -> Array:
        return np.array([states.mean()])

    def compare(self, a: Array, b: Array) -> Array:
        difference = np.abs(a - b)[..., 0]
        return np.where((a * b)[..., 0] > 0.0, np.nan, 1.0 - difference)


def test_a_pair_without_a_distance_costs_one_of_its_networks():
    members = MEMBERS[:3]
    means = [1.0, -1.0, 2.0]
    part = {Representations().title: [activity(np.full((*SHAPE, 2), mean)) for mean in means]}
    found = Pairs(metric=Picky()).run(TASK, Inputs.from_records(members, part, {}, {}))
    assert found.labels == ("n0", "n1")
    assert found.values.tolist() == [[0.0, 2.0], [2.0, 0.0]]
    assert found.left_out == {"n2": "the picky distance to another network is undefined"}


@dataclass(frozen=True, eq=False)
class Points(OrderedPoints):
    points: Array

    @property
    def ordered_points(self) -> Array:
        return self.points


@dataclass(frozen=True, eq=False)
class Graph(LabelledGraph):
    weight: float

    def links(self, directions: bool = False) -> LabelledEdges:
        return LabelledEdges(np.ones((1, 2, 1)), np.array([self.weight]), np.zeros(1))

    def matrix(self) -> Array:
        return np.array([[self.weight]])


NONE = np.full((4, 2), np.nan)
ONE = np.concatenate([np.zeros((1, 2)), NONE[1:]])
FAR = np.concatenate([np.full((1, 2), np.inf), np.eye(4, 2)[1:]])


@pytest.mark.parametrize(
    ("points", "neighbours", "reason"),
    [
        (NONE, 2, "there are fewer than 2 points of 'found'"),
        (ONE, 2, "there are fewer than 2 points of 'found'"),
        (FAR, 2, "a point of 'found' is not finite"),
        (np.ones((4, 2)), None, "all points of 'found' are at one place"),
    ],
)
def test_points_that_have_no_order_have_no_distances(points, neighbours, reason):
    """0 and 1 were their distances: of two such networks, and of one and another."""
    analysis = PointGeometry(of="found", neighbours=neighbours)
    lines = [Points(np.random.default_rng(i).standard_normal((4, 2))) for i in range(3)]
    members = MEMBERS[:4]
    found = analysis.run(TASK, Inputs(members, found=[*lines, Points(points)]))
    without = analysis.run(TASK, Inputs(members[:3], found=lines))
    assert found.labels == without.labels
    assert found.values.tolist() == without.values.tolist()
    assert found.left_out == {"n3": reason}
    twins = {"untrained": Inputs(members, found=[Points(NONE), *lines])}
    whole = Inputs(members, found=[*lines, Points(points)], controls=twins)
    controls = analysis.with_controls().run(TASK, whole)
    expected = ["n0", "n1", "n2", "n1 untrained", "n2 untrained"]
    assert list(controls.labels) == [*expected, *(f"n{i} planted" for i in range(3))]
    assert controls.left_out == {
        "n3": reason,
        "n0 untrained": "there are fewer than 2 points of 'found'",
        "n3 untrained": "the trained network has no distances",
    }


@pytest.mark.parametrize("distance", ["labelled", "isomorphic", "spectral"])
def test_graphs_with_a_weight_that_is_no_number_have_no_distances(distance):
    graphs = [Graph(1.0), Graph(0.25), Graph(np.nan)]
    analysis = GraphDistances(of="found", distance=distance)
    found = analysis.run(TASK, Inputs(MEMBERS[:3], found=graphs))
    assert found.values == pytest.approx(np.array([[0.0, 0.75], [0.75, 0.0]]))
    assert found.left_out == {"n2": "a weight of 'found' is not finite"}


def section(**shared) -> Section:
    return Section(TASK, MEMBERS, {}, {}, shared)


def empty() -> Distances:
    return Distances((), np.zeros((0, 0)), {member.name: INFINITE_ACTIVITY for member in MEMBERS})


def test_if_no_network_has_distances_a_note_says_so():
    (note,) = Pairs(metric="cka").show(section(cka=empty()))
    names = ", ".join(member.name for member in MEMBERS)
    assert isinstance(note, Note)
    assert note.text == f"No network has distances. Left out, because {INFINITE_ACTIVITY}: {names}."


@pytest.mark.parametrize("fit", [{}, {"cell": "gru"}])
@pytest.mark.parametrize("method", ["classical", "stress"])
def test_too_few_networks_make_no_map(fit, method):
    analysis = Embedding(of="cka", fit=fit, method=method, name="map")
    found = analysis.run(TASK, Inputs(MEMBERS, cka=empty()))
    assert found.labels == ()
    assert np.isnan(found.stress)
    (note,) = analysis.show(section(cka=empty(), map=found))
    assert note.text.startswith("Too few networks have distances for a map. Left out, because")


def test_a_map_of_few_networks_that_nobody_left_is_refused_as_before():
    two = Distances(("n0", "n1"), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="must have at least 3 networks, got 1 of 2"):
        Embedding(of="cka", fit={"cell": "gru"}).run(TASK, Inputs(MEMBERS[:2], cka=two))


def test_tests_of_factors_without_networks_say_so():
    analysis = FactorTestAnalysis(of="cka", factors=("cell",), permutations=19)
    found = analysis.run(TASK, Inputs(MEMBERS, cka=empty()))
    assert (found.labels, found.left_out) == ((), {"cell": "does not vary"})
    controls = Controls(metric="cka").annotate(empty(), [])
    tests = ControlTestAnalysis(of="c", permutations=19).run(TASK, Inputs(MEMBERS, c=controls))
    assert tests.labels == ()


def test_shares_of_too_few_networks_are_absent_and_a_note_says_so():
    analysis = GeometryAgainstTopology(of=("cka", "other"), permutations=19, name="shares")
    values = np.abs(np.subtract.outer(np.arange(8.0), np.arange(8.0)))
    few = Distances(
        ("n0", "n1"), values[:2, :2], dict.fromkeys([f"n{i}" for i in range(2, 8)], "x")
    )
    whole = Distances(tuple(member.name for member in MEMBERS), values)
    found = analysis.run(TASK, Inputs(MEMBERS, cka=few, other=whole))
    assert set(found.distances) == {"other"}
    note, *_ = analysis.show(section(cka=few, other=whole, shares=found))
    assert note.text == (
        "Left out, because x: n2, n3, n4, n5, n6, n7. Too few networks remain for shares."
    )


def test_a_metric_of_all_samples_still_fails_for_another_reason():
    """Too few time steps for the delays: a wrong setting, not a network without distances."""
    analysis = Pairs(metric={"kind": "dsa", "delays": 20})
    with pytest.raises(ValueError, match=r"'n0': trials for dsa .* at least 21 time steps, got 8"):
        analysis.run(TASK, inputs(MEMBERS[:2], [Representations().title]))


def test_a_matrix_from_before_there_were_reasons_is_read(tmp_path):
    fields, arrays = Distances(("a", "b"), np.zeros((2, 2))).describe()
    del fields["fields"]["left_out"]
    write_contents(record_files(fields, arrays, None), tmp_path)
    assert Distances.load(tmp_path).left_out == {}
    Distances(("a",), np.zeros((1, 1)), {"b": "no reason"}).save(tmp_path / "other")
    assert Distances.load(tmp_path / "other").left_out == {"b": "no reason"}
