"""Numbers that may only move together with a component's `version`.

A store keeps results by recipe: a method whose numbers change under the same recipe would let old
and new results mix. After such a change raise the `version` of the component concerned, note it in
CHANGELOG.md under "Numbers changed", and write the new numbers: python tests/test_golden.py
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from task_inputs import compute

from rnnstudy.analyses import ANALYSES, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.controls import Controls
from rnnstudy.analyses.distances.point_geometry import (
    OrderedPoints,
    PointGeometry,
    PointGeometryControls,
)
from rnnstudy.analyses.distances.record_distances import RecordControls
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.analyses.factors.control_tests import ControlTestAnalysis
from rnnstudy.analyses.factors.factor_tests import FactorTestAnalysis
from rnnstudy.analyses.factors.geometry_against_topology import GeometryAgainstTopology
from rnnstudy.analyses.fixed_points.graph_distances import GraphControls, GraphDistances
from rnnstudy.analyses.fixed_points.topology import Topology
from rnnstudy.analyses.fixed_points.transitions import TransitionAnalysis
from rnnstudy.analyses.generalisation.analysis import GeneralisationAnalysis
from rnnstudy.analyses.line_attractors.analysis import LineAttractors
from rnnstudy.analyses.oscillations.analysis import Oscillations
from rnnstudy.analyses.solution_classes.analysis import SolutionClasses
from rnnstudy.cells import CELLS, INITIALISERS
from rnnstudy.claims.geometry_depends_on import GeometryDependsOn
from rnnstudy.claims.multiverse import Multiverse
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.core.tags import tag_of
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.dynamics.fixed_points.find import find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.root_finding.solvers import SOLVERS
from rnnstudy.metrics import METRICS
from rnnstudy.population.initialise import initial_population
from rnnstudy.population.population import Population
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.tasks import TASKS
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine
from rnnstudy.training.protocol import Training
from rnnstudy.training.train import train

FILE = Path(__file__).with_name("golden.json")

TASK = FlipFlop(bits=1, length=12, probe_length=10, probe_trials=4)

TOLERANCE = 2e-4
"""Relative, of the largest number: float32 sums in other orders over some twenty steps."""


def _cell(kind: str) -> list[float]:
    population = initial_population(CELLS[kind](units=4), 2, 1, [7])
    inputs = np.sin(np.arange(24.0)).reshape(2, 6, 2)
    return [float(v) for v in population.unroll(inputs)[0, :, -1].ravel()]


def _task(kind: str) -> list[float]:
    trials = TASKS[kind]().probe()
    ramp = np.linspace(0.5, 1.5, trials.inputs.shape[1])[None, :, None]
    return [float(np.mean(np.asarray(part) * ramp)) for part in trials[:2]]


def _metric(kind: str) -> list[float]:
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((2, 40, 12))
    metric, pair = METRICS[kind](), (x, x @ y.T[:, :12] + y)
    pair = tuple(z.reshape(2, 20, 12) for z in pair) if metric.trajectories else pair
    inputs = np.sin(np.arange(80.0)).reshape(2, 20, 2)
    pair = tuple((z, inputs) for z in pair) if metric.driven else pair
    return [metric.distance(*pair)]


def _initialiser(kind: str) -> list[float]:
    return [float(v) for v in INITIALISERS[kind]().draw(np.random.default_rng(3), 2, 2).ravel()]


def _training() -> list[float]:
    protocol = Training(steps=20, batch=8, record_every=10, state_noise=0.05, l2=1e-3)
    trained = train(CELLS["gru"](units=4), TASK, [protocol], [3])
    return [*map(float, trained.loss[0]), float(trained.evaluation_loss[0])]


def _memory() -> Population:
    """Three units that each hold one bit: 27 fixed points."""
    population = initial_population(CELLS["vanilla"](units=3), 1, 1, [2])
    population.weights["recurrent_kernel"][:] = 3.0 * np.eye(3)
    return population


def _fixed_points(**fields: Any) -> list[float]:
    found = find_fixed_points(_memory(), search=FixedPointSearch(**fields))
    return [float(len(found.state)), float(np.abs(found.state).sum()), float(found.index.sum())]


def _oscillations() -> list[float]:
    """A pair of units that turn on a cycle, two that rest."""
    population = initial_population(CELLS["vanilla"](units=4), 1, 1, [2])
    turn = 1.3 * np.array([[np.cos(0.2), -np.sin(0.2)], [np.sin(0.2), np.cos(0.2)]])
    population.weights["recurrent_kernel"][:] = np.diag([0.0, 0.0, 0.5, 0.2])
    population.weights["recurrent_kernel"][0, :2, :2] = turn
    population.weights["kernel"][:] *= 0.05
    population.initial_state[:] = 0.5
    task = Sine(frequencies=4, static_cues=3, probe_trials=4, evaluation_trials=4)
    (found,) = Oscillations(transient=300, steps=500).run(population, task)
    values = (found.frequency, found.modulus, found.cycle_frequency, found.radius)
    return [float(np.abs(each).sum()) for each in values]


def _line_attractor() -> list[float]:
    """A unit that keeps what comes in, and three that forget it ever faster."""
    population = initial_population(CELLS["vanilla"](units=4), 4, 1, [2])
    population.weights["recurrent_kernel"][:] = np.diag([1.0, 0.8, 0.6, 0.4])
    population.weights["kernel"][:, :2] *= 0.1
    population.weights["kernel"][:, 2:] = 0.0
    (found,) = LineAttractors().run(population, Integration(length=20))
    values = (
        found.leading,
        found.relevant_gain,
        found.readout_share[0],
        found.fit,
        found.hankel[0],
    )
    return [float(np.abs(each).sum()) for each in values]


def _generalisation() -> list[float]:
    (record,) = GeneralisationAnalysis(trials=16).run(_memory(), TASK)
    values = (record.loss, record.accuracy, record.last_error, record.kept_words)
    return [float(each.sum()) for each in values]


def _solution_classes() -> list[float]:
    (record,) = SolutionClasses(starts=32).run(_memory(), TASK)
    counts = np.bincount(record.points["n_unstable"]).tolist()
    return [float(record.kind[0]), *counts, float(record.links["ways"].sum())]


@dataclass(frozen=True, eq=False)
class _Points(OrderedPoints):
    """Points on a curve that bends the more the larger its number."""

    bend: float

    @property
    def ordered_points(self) -> Array:
        time = np.linspace(0.0, 1.0, 9)
        return np.stack([time, np.sin(self.bend * time)], axis=1)


def _arranged() -> list[float]:
    found = [_Points(bend) for bend in (0.0, 3.0, 9.0)]
    members = [Member(f"m{i}", {"cell": "vanilla", "activation": "tanh"}) for i in range(3)]
    return [
        float(value)
        for neighbours in (2, None)
        for value in compute(
            PointGeometry(of="x", neighbours=neighbours), TASK, members, found
        ).values[0, 1:]
    ]


def _topology(gain: float = 3.0) -> Connections:
    """The graph of three units, the third of which holds its bit if it has gain enough."""
    memory = _memory()
    memory.weights["recurrent_kernel"][:, 2, 2] = gain
    points = find_fixed_points(memory)
    return Topology().run(memory, TASK, {"fixed_points": [points]})[0]


def _linked() -> list[float]:
    found = _topology()
    weight = found.links().weight
    return [float(len(found.source)), float(len(weight)), float(np.sum(weight**2))]


def _transitions() -> list[float]:
    memory = _memory()
    points = find_fixed_points(memory)
    # In an order that rounding does not move: each point draws noise of its own.
    points = points[np.lexsort(np.round(points.state, 6).T)]
    found = TransitionAnalysis(pulse=1.0).run(memory, TASK, {"fixed_points": [points]})[0]
    return [float(len(found)), float(np.sum(found.count**2)), float(found.share.sum())]


def _graphs() -> list[float]:
    graphs = [_topology(), _topology(0.5)]
    members = [Member(f"m{i}", {"cell": "vanilla", "activation": "tanh"}) for i in range(2)]
    kinds: tuple[Literal["labelled", "isomorphic", "spectral"], ...] = (
        "labelled",
        "isomorphic",
        "spectral",
    )
    found = [compute(GraphDistances(distance=kind), TASK, members, graphs) for kind in kinds]
    return [float(distances.values[0, 1]) for distances in found]


def _members(analysis: MemberAnalysis) -> list[float]:
    record = analysis.run(_memory(), TASK)[0]
    return [float(np.abs(values).sum()) for _, _, _, values in record._arrays()][:3]


def _together(kind: str) -> list[float]:
    population = initial_population(CELLS["vanilla"](units=4), 1, 1, [0, 1, 2])
    members = [Member(f"m{i}", {"cell": "vanilla", "activation": "tanh"}) for i in range(3)]
    pairs = ANALYSES["pairs"](metric="cka")
    assert isinstance(pairs, TaskAnalysis)
    distances = compute(
        pairs, TASK, members, representations=Representations().run(population, TASK)
    )
    assert isinstance(distances, Distances)
    if kind == "pairs":
        return [float(v) for v in distances.values[0]]
    if kind == "factor_tests":
        return _grouped()
    if kind == "geometry_against_topology":
        return _shares()
    if kind == "multiverse":
        return _multiverse()
    if kind in ("controls", "control_tests"):
        return _controlled(kind)
    if kind == "point_geometry":
        return _arranged()
    if kind == "graph_distances":
        return _graphs()
    if kind == "graph_controls":
        return _copies(GraphControls(weights=(), planted=True), _topology())
    if kind == "point_geometry_controls":
        return _copies(PointGeometryControls(of="x", weights=(), planted=True), _Points(3.0))
    embedding = ANALYSES["embedding"](of="cka")
    assert isinstance(embedding, TaskAnalysis)
    found = compute(embedding, TASK, [], distances)
    return [float(np.abs(v).sum()) for _, _, _, v in found._arrays()]


def _copies(analysis: RecordControls, record: Record) -> list[float]:
    """The distance of a network from its planted copy."""
    members = [Member("m", {"cell": "vanilla", "activation": "tanh"})]
    return [float(compute(analysis, TASK, members, [record]).values[0, 1])]


def _controlled(kind: str) -> list[float]:
    fields = {"task": "t", "cell": "vanilla"}
    members = [
        Member(f"m{i}", {**fields, "activation": ("tanh", "relu")[i % 2], "seed": i})
        for i in range(6)
    ]
    guests = [Member("g", {**members[0].fields, "task": "other"})]
    points = np.sin(np.arange(13 * 12.0) ** 1.1).reshape(13, 4, 3, 1)
    states = [
        Activity(inputs=p, targets=p, outputs=p, states=np.concatenate([p, p**2], axis=2))
        for p in points
    ]
    controls = Controls(metric="cka", weights=("untrained",), planted=True)
    found = compute(
        controls,
        TASK,
        members,
        representations=states[:6],
        representations_untrained=states[6:12],
        other_tasks=dict(zip(guests, states[12:], strict=True)),
    )
    if kind == "controls":
        return [float(v) for v in found.values[0, 1:]]
    told = compute(ControlTestAnalysis(of="cka_controls", permutations=99), TASK, members, found)
    numbers = (told.statistic, told.low, told.p, told.trained, told.untrained_p, told.gain_p)
    return [float(v) for values in numbers for v in values]


def _groups_of_points() -> tuple[list[Member], Distances]:
    points = np.sin(np.arange(24.0)).reshape(8, 3) + np.repeat([0.0, 0.5], 4)[:, None]
    members = [Member(f"m{i}", {"cell": "ab"[i // 4], "activation": "cd"[i % 2]}) for i in range(8)]
    gaps = np.sqrt(((points[:, None] - points) ** 2).sum(axis=-1))
    return members, Distances(tuple(member.name for member in members), gaps)


def _shares() -> list[float]:
    members, distances = _groups_of_points()
    found = compute(GeometryAgainstTopology(of=("cka",), permutations=99), TASK, members, distances)
    numbers = (found.share, found.low, found.high, found.p, found.dispersion[:2])
    return [float(v) for values in numbers for v in values]


def _multiverse() -> list[float]:
    members, distances = _groups_of_points()
    claim = GeometryDependsOn(of="cka", factor="cell", permutations=99)
    choices = {"by": ("nearest_neighbour", "silhouette")}
    multiverse = Multiverse(claim=claim, choices=choices, shuffles=19)
    found = compute(multiverse, TASK, members, distances)
    return [*map(float, found.effect), *map(float, found.p), found.median, found.median_p]


def _grouped() -> list[float]:
    members, distances = _groups_of_points()
    found = compute(FactorTestAnalysis(of="cka", permutations=99), TASK, members, distances)
    return [*map(float, found.value), *map(float, found.p), *map(float, found.share)]


def _analysis(kind: str) -> list[float]:
    if issubclass(ANALYSES[kind], TaskAnalysis):
        return _together(kind)
    own = {
        "oscillations": _oscillations,
        "line_attractor": _line_attractor,
        "generalisation": _generalisation,
        "solution_classes": _solution_classes,
        "topology": _linked,
        "transitions": _transitions,
    }
    if kind in own:
        return own[kind]()
    analysis = ANALYSES[kind]()
    assert isinstance(analysis, MemberAnalysis)
    return _members(analysis)


def cases() -> dict[str, Callable[[], list[float]]]:
    """A measurement for every component whose results a store may keep, at its present version."""
    shelves: list[tuple[dict[str, Any], Callable[[str], list[float]]]] = [
        # Trials of NeuroGym are those of its version, which is in the address.
        ({kind: task for kind, task in TASKS.items() if kind != "neurogym"}, _task),
        (dict(CELLS), _cell),
        (dict(METRICS), _metric),
        (dict(INITIALISERS), _initialiser),
        (dict(ANALYSES), _analysis),
        (dict(SOLVERS), lambda kind: _fixed_points(solver=kind)),
    ]
    found = {
        f"{tag_of(entry)} {entry.version}": (lambda kind=kind, measure=measure: measure(kind))
        for shelf, measure in shelves
        for kind, entry in shelf.items()
    }
    found[f"{tag_of(Training)} {Training.version}"] = _training
    found[f"{tag_of(FixedPointSearch)} {FixedPointSearch.version}"] = _fixed_points
    # A network's numbers are those of its parts.
    found[f"{tag_of(TrainedNetworkSpec)} {TrainedNetworkSpec.version}"] = _training
    return found


@pytest.mark.parametrize("name", cases())
def test_numbers_move_only_with_the_version(name: str) -> None:
    golden = json.loads(FILE.read_text())
    assert name in golden, "a new component or version: python tests/test_golden.py writes it"
    expected = np.array(golden[name])
    np.testing.assert_allclose(
        cases()[name](), expected, rtol=0, atol=TOLERANCE * np.abs(expected).max()
    )


if __name__ == "__main__":
    numbers = {name: [round(v, 7) for v in measure()] for name, measure in sorted(cases().items())}
    FILE.write_text(json.dumps(numbers, indent=1) + "\n")
