"""What is ahead, step by step, against counts made by hand."""

from pathlib import Path

import numpy as np
import pytest

from rnnstudy.analyses.base import Cost
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.population.initialise import initial_population
from rnnstudy.study.plan.analyse_task import AnalyseTask
from rnnstudy.study.plan.job import Job
from rnnstudy.study.plan.outcomes import write_network
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.spec.study import Study, load_study, study_of
from rnnstudy.study.store import Store
from rnnstudy.training.train import TrainedNetworks

ROOT = Path(__file__).parents[3]

SPEC = {
    "study": "small",
    "tasks": [
        {"kind": "flip_flop", "bits": 2},
        {"kind": "sine", "static_cues": 5},
        {"kind": "integration", "streams": 3, "probe_trials": 10, "length": 20},
    ],
    "networks": {"cells": ["vanilla", "lstm"], "units": [4], "seeds": 3},
    "training": {"steps": 7},
    "analyses": [
        "fixed_points",
        {"kind": "pairs", "metric": "cka"},
        {"kind": "oscillations", "transient": 100, "steps": 300},
        {"kind": "line_attractor", "samples": 2, "points": 9},
        {"kind": "point_geometry", "of": "oscillations"},
        {"kind": "embedding", "of": "cka"},
    ],
}


def study(**fields: object) -> Study:
    return study_of({**SPEC, **fields})


def test_work_is_what_networks_inputs_and_pairs_make_of_it(tmp_path: Path) -> None:
    found = make_plan(study(), Store(tmp_path)).costs()
    assert {name: cost.work for name, cost in found.items()} == {
        "train": {"steps": 3 * 6 * 7},
        "fixed_points": {"searches for fixed points": 6 * (1 + 5 + 3)},
        "oscillations": {"searches for fixed points": 6 * 5, "steps": 6 * 5 * 400},
        "line_attractor": {"starts": 6 * 3 * 2 * 10, "linearisations": 6 * 3 * 9},
        "representations": {},
        "cka": {"pairs": 3 * 15},
        "point_geometry_oscillations": {"pairs": 15},
    }


def test_a_memory_is_left_along_all_ways_out_of_its_cube(tmp_path: Path) -> None:
    asked = study(
        analyses=[
            "fixed_points",
            {"kind": "topology", "directions": 10},
            {"kind": "transitions", "trials": 5},
            {"kind": "transitions", "trials": 5, "pulse": 1.0, "name": "pulses"},
            "graph_distances",
        ]
    )
    found = make_plan(asked, Store(tmp_path)).costs()
    # Of two bits: 4 corners, 4 edges with two ways out, and the centre; pulses on two inputs.
    assert found["topology"].work == {"trajectories": 6 * (4 * 2 + 10)}
    assert found["transitions"].work == {"trials": 6 * 4 * 5}
    assert found["pulses"].work == {"trials": 6 * 4 * 4 * 5}
    assert found["graph_distances_topology"].work == {"pairs": 15}


def test_a_cube_of_points_is_expected_of_a_memory_and_one_point_per_input_elsewhere(
    tmp_path: Path,
) -> None:
    networks = {"cells": "vanilla", "units": 4}
    one = study(networks=networks, analyses=["fixed_points"])
    points, jacobian = 3**2 + 5 + 3, 8 * 4 * 4
    assert make_plan(one, Store(tmp_path)).costs()["fixed_points"].bytes > points * jacobian


def test_all_pairs_in_tiles_are_counted_once(tmp_path: Path) -> None:
    many = study(
        tasks=["flip_flop"],
        networks={"cells": "vanilla", "units": 4, "seeds": 200},
        analyses=[{"kind": "pairs", "metric": "cka"}],
    )
    found = make_plan(many, Store(tmp_path)).costs()
    assert found["cka"].work == {"pairs": 200 * 199 // 2}
    assert found["cka tiles"] == Cost({}, 8 * (128 * 128 + 128 * 72 + 72 * 72))


def test_controls_are_pairs_of_networks_their_twins_and_those_of_other_tasks(
    tmp_path: Path,
) -> None:
    controls = study(analyses=[{"kind": "controls", "metric": "cka"}])
    found = make_plan(controls, Store(tmp_path)).costs()
    items = 6 + 6 + 6 + 12
    assert found["cka_controls"].work == {"pairs": 3 * items * (items - 1) // 2}


OWN = """\
from rnnstudy import MemberAnalysis


class Broken(MemberAnalysis):
    def run(self, population, task):
        return []

    def show(self, section):
        return ()

    def cost(self, cell, task):
        raise RuntimeError("no idea")
"""


@pytest.mark.usefixtures("plugins")
def test_an_analysis_of_ones_own_that_fails_to_tell_costs_nobody_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_cost.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    own = study(analyses=["own_cost:Broken"])
    assert set(make_plan(own, Store(tmp_path)).costs()) == {"train", "representations"}


@pytest.mark.parametrize("name", ["universality-small", "universality"])
def test_the_shipped_populations_are_planned_with_every_analysis(tmp_path: Path, name: str) -> None:
    found = load_study(ROOT / "specs" / f"{name}.yaml")
    plan = make_plan(found, Store(tmp_path))
    expected = {analysis.title for analysis in found.analyses}
    assert expected < {kind for kind, _, _ in plan.done}
    networks, combinations = len(plan.networks), 3 * 8
    assert networks >= 3 * combinations
    ahead = plan.costs()
    pairs = networks // 3 * (networks // 3 - 1) // 2
    assert ahead["svcca"].work == {"pairs": 3 * pairs}
    assert ahead["fixed_points"].work == {"searches for fixed points": networks // 3 * (1 + 2)}
    assert ahead["train"].work["steps"] == sum(n.training.steps for n in plan.networks)


def test_estimates_of_bytes_are_near_what_is_written(tmp_path: Path) -> None:
    """Records of the shapes that a run writes: each estimate is within a fifth of its bytes."""
    one = study(
        tasks=["flip_flop"],
        networks={"cells": "vanilla", "units": 32},
        training={"steps": 1500, "record_every": 50},
        analyses=[{"kind": "pairs", "metric": "cka"}],
    )
    store = Store(tmp_path)
    ((_, network),) = one.expand()
    plan = make_plan(one, store)
    estimate = {name: cost.bytes for name, cost in plan.costs().items()}
    curve = np.zeros((1, 30))
    zero = np.zeros(1)
    trained = TrainedNetworks(
        population=initial_population(network.cell, 3, 3, [0]), seed=np.zeros(1, int),
        attempt=np.zeros(1, int), step=np.arange(30), loss=curve, accuracy=curve,
        steps=np.array([1500]), diverged_at=np.array([-1]), evaluation_loss=zero,
        evaluation_accuracy=zero, solved=np.array([True]),
    )  # fmt: skip
    write_network(store, network, trained)
    assert estimate["train"] == pytest.approx(bytes_in(tmp_path), rel=0.2)
    trials = np.asarray(network.task.probe().inputs)
    states = np.zeros((*trials.shape[:2], 32), np.float32)
    activity = Activity(inputs=trials, targets=trials, outputs=trials, states=states)
    before = bytes_in(tmp_path)
    store.write("activity", activity)
    written = bytes_in(tmp_path) - before
    assert estimate["representations"] == pytest.approx(written, rel=0.02)


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_forms_that_are_stored_count(tmp_path: Path) -> None:
    def estimate(metric: str) -> int:
        one = study(tasks=["flip_flop"], analyses=[{"kind": "pairs", "metric": metric}])
        return make_plan(one, Store(tmp_path)).costs()[metric].bytes

    pairs_of_samples = 500 * 499 // 2
    assert estimate("rsa") - estimate("cka") == pytest.approx(6 * 8 * pairs_of_samples, rel=0.01)


CLAIMS = [
    {"kind": "geometry_depends_on", "of": "cka", "factor": "cell"},
    {"kind": "nearer_untrained", "of": "cka"},
]


def bytes_by_result(jobs: tuple[Job, ...]) -> dict[object, int]:
    """Return the bytes of each result, as the jobs that yield it estimate them."""
    found: dict[object, int] = {}
    for job in jobs:
        if not job.trains:
            found |= dict.fromkeys(job.results(), job.cost().bytes // len(job.results()))
    return found


def test_an_analysis_of_all_networks_takes_the_memory_of_what_it_reads(tmp_path: Path) -> None:
    plan = make_plan(study(claims=CLAIMS), Store(tmp_path))
    sizes, memory = bytes_by_result(plan.todo), dict[str, int]()
    for job in plan.todo:
        if type(job) is AnalyseTask:
            read = sum(sizes.get(each, 0) for each in dict.fromkeys(job.requires()))
            # Its own record is there twice while it is written.
            assert job.memory == read + 2 * job.cost().bytes, job.label
            assert job.least_memory == 0, "it is never refused for an estimate"
            memory[job.label] = job.memory
    assert len(memory) >= 3 * len(CLAIMS)
    assert min(memory.values()) > 0
    grid = {**SPEC["networks"], "seeds": 6}
    larger = make_plan(study(claims=CLAIMS, networks=grid), Store(tmp_path))
    most = {job.group: job.memory for job in larger.todo if type(job) is AnalyseTask}
    least = {job.group: job.memory for job in plan.todo if type(job) is AnalyseTask}
    assert all(most[group] > least[group] for group in least)
