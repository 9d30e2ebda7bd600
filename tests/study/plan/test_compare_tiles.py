"""All pairs in tiles: which there are, what they depend on, and that they make up the matrix."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnstudy.analyses.distances.pairs import Pairs
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.comparison.distances.pairs import pairwise
from rnnstudy.comparison.distances.tiles import PreparedForm
from rnnstudy.metrics import METRICS
from rnnstudy.population.initialise import initial_population
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.execution.schedule import prerequisites
from rnnstudy.study.execution.worker import Worker
from rnnstudy.study.plan import compare_tiles as module
from rnnstudy.study.plan import outcomes
from rnnstudy.study.plan.analyse_members import AnalyseMembers
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.plan.compare_tiles import CompareBlocks, CompareTiles
from rnnstudy.study.plan.outcomes import NetworkOutcome
from rnnstudy.study.plan.plan import make_plan, task_jobs
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store
from rnnstudy.training.train import TrainedNetworks

PROBE = (3, 12)
"""Trials and time steps."""

SPEC: dict[str, Any] = {
    "study": "tiles",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12}],
    "networks": {"cells": ["vanilla", "gru"], "units": 4, "seeds": 3},
    "training": {"steps": 5, "batch": 4},
    "analyses": [{"kind": "pairs", "metric": {"kind": "svcca", "dimensions": 2}},
                 {"kind": "embedding", "of": "svcca"}],
    "runtime": {"workers": 2},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TILE_SIDE", 4)


def study(**changes: Any) -> Study:
    return study_of({**SPEC, **changes})


def seeds(number: int) -> Study:
    return study(networks={**SPEC["networks"], "seeds": number})


def grown(study: Study, folder: Path, diverged: tuple[str, ...] = ()) -> Run:
    """A run whose networks are in its store as if trained, with states at random: tiles read no
    more. Those that are there stay."""
    run = Run(folder, study)
    for member, network in study.expand():
        if not run.store.has(network.key()):
            assert isinstance(network, TrainedNetworkSpec)
            run.store.write(network.key(), _trained(network, member.name in diverged))
            states = np.random.default_rng([len(member.name), network.seed, *map(ord, member.name)])
            activity = _activity(states.standard_normal((*PROBE, 4)).astype(np.float32))
            if member.name not in diverged:
                run.store.write(Representations().key(network.key()), activity)
    return run


def _trained(network: TrainedNetworkSpec, diverged: bool) -> TrainedNetworks:
    population = initial_population(network.cell, 1, 1, [network.seed])
    one, curve = np.zeros(1), np.zeros((1, 1))
    return TrainedNetworks(population=population, seed=np.array([network.seed]),
                   attempt=np.array([0]), step=np.array([0]), loss=curve, accuracy=curve,
                   steps=np.array([5]),
                   diverged_at=np.array([3 if diverged else -1]), evaluation_loss=one,
                   evaluation_accuracy=one, solved=np.array([True]))  # fmt: skip


def _activity(states: np.ndarray) -> Activity:
    other = np.zeros((*PROBE, 1))
    return Activity(inputs=other, targets=other, outputs=other, states=states)


def tiles_of(study: Study, run: Run) -> list[CompareBlocks]:
    return [job for job in make_plan(study, run.store).todo if isinstance(job, CompareBlocks)]


def done(study: Study, run: Run) -> dict[str, str | None]:
    """Execute; the failure of each job, by its label."""
    outcomes = execute(make_plan(study, run.store), run.store, study.runtime, NullListener())
    return {outcome.label: outcome.failure for outcome in outcomes}


def expected(run: Run, kind: str, **fields: Any) -> np.ndarray:
    """Distances of all networks with activity, in the order of the members."""
    metric = METRICS[kind](**fields)
    states = []
    for name in run.members["member"]:
        if run.members.set_index("member").loc[name, "status"] == "trained":
            found = run.record("representations", name)
            assert isinstance(found, Activity)
            shape = (*PROBE, 4) if metric.trajectories else (-1, 4)
            states.append(found.states.reshape(shape))
    return pairwise(states, metric).to_numpy()


def test_a_tile_looks_up_no_outcome_and_no_record_of_other_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    looked_up: set[str] = set()

    def outcome(store: Store, network: Any) -> NetworkOutcome | None:
        read.add(network.key())
        return network_outcome(store, network)

    def has(store: Store, key: str) -> bool:
        looked_up.add(key)
        return is_held(store, key)

    network_outcome, many = outcomes.network_outcome, seeds(6)
    run = grown(many, tmp_path)
    job = tiles_of(many, run)[0]
    is_held = Store.has
    monkeypatch.setattr(Store, "has", has)
    monkeypatch.setattr(outcomes, "network_outcome", outcome)
    monkeypatch.setattr(Store, "keys", None)  # a job with few look-ups does not list the store
    worker = Worker(run.store, NullListener(), threading.Event(), 60.0, (), None)
    assert worker.perform(job).failure is None
    assert read == {job.result.networks[i].key() for i in job.at}
    assert len(read) < len(many.expand())
    records = [set(reads) for reads in job.result.reads]
    assert {i for i, reads in enumerate(records) if reads & looked_up} == set(job.at)


def test_a_matrix_of_few_networks_is_one_step(tmp_path: Path) -> None:
    small = study(networks={**SPEC["networks"], "seeds": 2})
    run = grown(small, tmp_path)
    assert tiles_of(small, run) == []
    assert set(done(small, run)) == {"svcca flip_flop (4 networks)",
                                     "embedding_svcca flip_flop (4 networks)"}  # fmt: skip


def test_tiles_make_up_the_matrix_in_the_order_of_the_members(tmp_path: Path) -> None:
    run = grown(study(), tmp_path)
    assert [job.label for job in tiles_of(study(), run)] == [
        "svcca flip_flop tile 1 x 1", "svcca flip_flop tile 1 x 2", "svcca flip_flop tile 2 x 2"
    ]  # fmt: skip
    assert make_plan(study(), run.store).done[2:] == (
        ("svcca tiles", 0, 3), ("svcca", 0, 1), ("embedding_svcca", 0, 1)
    )  # fmt: skip
    outcomes = done(study(), run)
    assert set(outcomes.values()) == {None}
    assert len(outcomes) == 5
    found = run.distances("svcca")
    assert list(found.columns) == list(run.members["member"])
    assert found.to_numpy() == pytest.approx(expected(run, "svcca", dimensions=2), abs=1e-9)
    assert make_plan(study(), run.store).todo == ()
    assert make_plan(study(), run.store).done[2] == ("svcca tiles", 3, 3)


@pytest.mark.parametrize("metric", [{"kind": "dsa", "delays": 2, "rank": 2}, {"kind": "pwcca"}])
def test_any_metric_goes_in_tiles(tmp_path: Path, metric: dict[str, Any]) -> None:
    some = study(analyses=[{"kind": "pairs", "metric": metric}])
    run = grown(some, tmp_path)
    assert set(done(some, run).values()) == {None}
    found = run.distances(metric["kind"]).to_numpy()
    fields = {name: value for name, value in metric.items() if name != "kind"}
    assert found == pytest.approx(expected(run, metric["kind"], **fields), abs=1e-9)


def test_more_seeds_need_only_new_tiles(tmp_path: Path) -> None:
    """Of six networks in blocks of 4 and 2; of ten in 4, 4 and 2: the first block is as before."""
    done(seeds(3), grown(seeds(3), tmp_path))
    run = grown(seeds(5), tmp_path)
    labels = [job.label.rpartition("tile ")[2] for job in tiles_of(seeds(5), run)]
    assert labels == ["1 x 2", "1 x 3", "2 x 2", "2 x 3", "3 x 3"]
    assert set(done(seeds(5), run).values()) == {None}
    found = run.distances("svcca").to_numpy()
    assert found == pytest.approx(expected(run, "svcca", dimensions=2), abs=1e-9)


def test_forms_are_made_once_for_all_tiles_and_not_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = Pairs.states
    monkeypatch.setattr(Pairs, "states", lambda self, *one: asked.append(1) or real(self, *one))
    run = grown(seeds(4), tmp_path)
    before = set(run.store.root.rglob("meta.json"))
    done(seeds(4), run)
    # Two workers may make the form of one network at the same time.
    assert 8 <= len(asked) <= 16
    files = set(run.store.root.rglob("meta.json")) - before
    written = [json.loads(path.read_text())["tag"] for path in files]
    assert written.count("distance_tile") == 3
    assert "metric_form" not in written


@pytest.mark.parametrize("metric", [{"kind": "dsa", "delays": 2, "rank": 2}, {"kind": "rsa"}])
def test_forms_that_take_long_to_prepare_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: dict[str, Any]
) -> None:
    one = seeds(3).replace(analyses=(Pairs(metric=metric),))
    run = grown(one, tmp_path)
    before = set(run.store.root.rglob("meta.json"))
    done(one, run)
    distances = run.distances(metric["kind"])
    files = set(run.store.root.rglob("meta.json")) - before
    assert [json.loads(path.read_text())["tag"] for path in files].count("metric_form") == 6
    whole = _matrix(one)
    for part in (*whole.tiles, whole.result):
        run.store.remove(part.address(run.store))
    monkeypatch.setattr(Pairs, "states", None)  # the forms are read
    assert set(done(one, run).values()) == {None}
    np.testing.assert_array_equal(run.distances(metric["kind"]), distances)


def test_a_diverged_network_leaves_the_other_blocks_alone(tmp_path: Path) -> None:
    lost = "flip_flop-vanilla-tanh-4-s000"
    run, whole = (grown(seeds(5), tmp_path / name, who)
                  for name, who in (("one", (lost,)), ("all", ())))  # fmt: skip
    assert set(done(seeds(5), run).values()) == {None}
    found = run.distances("svcca")
    assert lost not in found.columns
    assert found.to_numpy() == pytest.approx(expected(run, "svcca", dimensions=2), abs=1e-9)
    without, every = (
        {job.label[-5:]: job.address(r.store, complete=True) for job in tiles_of(seeds(5), r)}
        for r in (grown(seeds(5), tmp_path / "fresh", (lost,)), whole)
    )
    changed = {place for place in every if without[place] != every[place]}
    assert changed == {"1 x 1", "1 x 2", "1 x 3"}


def test_a_block_of_diverged_networks_has_no_tiles(tmp_path: Path) -> None:
    names = [member.name for member, _ in seeds(3).expand()]
    last = tuple(name for name in names if name.endswith("s002"))
    run = grown(seeds(3), tmp_path, last)
    assert [job.label[-5:] for job in tiles_of(seeds(3), run)] == ["1 x 1"]
    assert set(done(seeds(3), run).values()) == {None}
    assert run.distances("svcca").shape == (4, 4)


def test_results_beside_the_stored_forms_of_the_previous_version_are_found(tmp_path: Path) -> None:
    run = grown(seeds(3), tmp_path)
    done(seeds(3), run)
    pairs = seeds(3).analyses[0]
    assert isinstance(pairs, Pairs)
    for _, network in seeds(3).expand():
        address = pairs.metric.key("form", Representations().key(network.key()))
        run.store.write(address, PreparedForm.of(np.zeros((2, 2))))
    assert make_plan(seeds(3), run.store).todo == ()
    before = run.distances("svcca")
    whole = _matrix(seeds(3))
    for part in (*whole.tiles, whole.result):
        run.store.remove(part.address(run.store))
    assert set(done(seeds(3), run).values()) == {None}
    np.testing.assert_array_equal(run.distances("svcca"), before)


def _matrix(study: Study) -> CompareTiles:
    jobs = task_jobs(Artefacts(study, study.expand()))
    return next(job for job in jobs if isinstance(job, CompareTiles))


def test_tiles_begin_after_the_activity_of_their_networks(tmp_path: Path) -> None:
    run = Run(tmp_path, seeds(3))
    plan = make_plan(seeds(3), run.store)
    before = prerequisites(plan.todo)
    tile = next(job for job in plan.todo if isinstance(job, CompareBlocks))
    activity = {job for job in plan.todo if isinstance(job, AnalyseMembers)
                and isinstance(job.analysis, Representations)}  # fmt: skip
    assert activity <= before[tile]
    assert tile in before[tile.whole]
    assert before[plan.todo[0]] == set()
