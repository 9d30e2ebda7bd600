"""Controls in a study: untrained twins and networks of other tasks, as steps of the plan."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference.plants import planted_states

from rnnstudy.analyses.base import Section
from rnnstudy.analyses.distances.controls import ControlDistances, Controls
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.metrics import CKA
from rnnstudy.population.initialise import initial_population, standard_population
from rnnstudy.population.population import Population
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.execution.worker import Worker
from rnnstudy.study.plan import compare_tiles as tiles
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.networks import TrainedNetworkSpec
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.tasks import Task
from rnnstudy.training.train import TrainedNetworks

SPEC: dict[str, Any] = {
    "study": "controls",
    "tasks": [
        {"kind": "flip_flop", "bits": 2, "length": 12, "probe_length": 10, "probe_trials": 6},
        {"kind": "integration", "length": 8, "probe_trials": 6},
    ],
    "networks": {"cells": "vanilla", "activations": ["tanh", "relu"], "units": 3, "seeds": 2},
    "training": {"steps": 5, "batch": 4},
    "analyses": [
        {"kind": "controls", "metric": "cka", "planted": True},
        {"kind": "control_tests", "of": "cka_controls"},
    ],
    "claims": [{"kind": "nearer_untrained", "of": "cka_controls", "min_networks": 2}],
    "runtime": {"workers": 2},
}
LOST = "integration-vanilla-relu-3-s001"
SOUND = (("tanh", 0), ("tanh", 1), ("relu", 0))


def learnt(network: TrainedNetworkSpec, gain: float = 1.0) -> Population:
    """Some other weights than the seed gives, in place of those that training would find."""
    task = network.task
    found = initial_population(network.cell, task.inputs, task.outputs, [network.seed + 100])
    found.weights["recurrent_kernel"][:] *= gain
    return found


def pretended(study: Study, folder: Path, gain: float = 1.0) -> Run:
    """A run whose networks are in its store as if they had been trained, one of them in vain."""
    run = Run(folder, study)
    for member, network in study.expand():
        assert isinstance(network, TrainedNetworkSpec)
        one, curve = np.zeros(1), np.zeros((1, 1))
        found = TrainedNetworks(population=learnt(network, gain), seed=np.array([network.seed]),
                        attempt=np.array([0]), step=np.array([0]), loss=curve, accuracy=curve,
                        steps=np.array([5]), diverged_at=np.array([-1 + 4 * (member.name == LOST)]),
                        evaluation_loss=one, evaluation_accuracy=one,
                        solved=np.array([True]))  # fmt: skip
        run.store.write(network.key(), found)
    return run


def done(study: Study, run: Run) -> dict[str, str | None]:
    outcomes = execute(make_plan(study, run.store), run.store, study.runtime, NullListener())
    return {outcome.label: outcome.failure for outcome in outcomes}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    study = study_of(SPEC)
    found = pretended(study, tmp_path_factory.mktemp("run"))
    outcomes = done(study, found)
    assert set(outcomes.values()) == {None}
    return found


def controlled(run: Run, task: str) -> ControlDistances:
    found = run.task_record("cka_controls", task=task)
    assert isinstance(found, ControlDistances)
    return found


def states(population: Population, task: Task, flat: bool = True) -> np.ndarray:
    (found,) = population.unroll(np.asarray(task.probe().inputs))
    return found.reshape(-1, found.shape[-1]) if flat else found


def test_all_networks_of_all_tasks_are_driven_by_one_probe(run: Run) -> None:
    study, found = run.study, controlled(run, "flip_flop")
    own = [f"flip_flop-vanilla-{a}-3-s00{s}" for a in ("tanh", "relu") for s in (0, 1)]
    guests = [f"integration-vanilla-{a}-3-s00{s}" for a, s in SOUND]
    kinds = ("untrained", "standard", "planted")
    copies = [f"{name} {kind}" for kind in kinds for name in own]
    assert found.labels == (*own, *copies, *guests)
    expected = [kind for kind in ("trained", *kinds) for _ in own]
    assert found.learnt == (*expected, *("trained on integration",) * 3)
    assert found.networks == [*own * 4, *guests]
    networks = {member.name: network for member, network in study.expand()}
    memory = study.tasks[0]
    first, guest = networks[own[0]], networks[guests[1]]
    assert isinstance(first, TrainedNetworkSpec)
    assert isinstance(guest, TrainedNetworkSpec)
    # A guest has the weights that it has learnt, but for those of an input it has never seen.
    visitor = learnt(guest)
    visitor.weights["kernel"] = initial_population(guest.cell, 2, 1, [guest.seed]).weights["kernel"]
    every = {
        own[0]: states(learnt(first), memory),
        f"{own[0]} untrained": states(initial_population(first.cell, 2, 2, [0]), memory),
        f"{own[0]} standard": states(standard_population(first.cell, 2, 2, [0]), memory),
        f"{own[0]} planted": planted_states(states(learnt(first), memory, flat=False)).reshape(
            -1, 3
        ),
        guests[1]: states(visitor, memory),
    }
    frame = found.to_frame()
    for one, x in every.items():
        for other, y in every.items():
            # Float32 states of networks alone and in company.
            assert frame.loc[one, other] == pytest.approx(CKA().distance(x, y), abs=1e-4)


def test_nothing_is_asked_of_guests_in_answer_to_the_probe(run: Run) -> None:
    trained = run.trained_network("integration-vanilla-tanh-3-s000")
    memory, own = run.study.tasks
    for probe, length, answered in ((memory, 10, False), (own, 8, True)):
        analysis = Representations(probe=probe)
        (found,) = analysis.run(analysis.population_of(trained), own)
        assert found.outputs.shape == found.targets.shape == (6, length, 1)
        assert np.isfinite(found.targets).all() == answered


def test_nothing_is_left_to_do_and_names_do_not_matter(run: Run) -> None:
    assert make_plan(run.study, run.store).todo == ()
    kept = {name: there for name, there, total in make_plan(run.study, run.store).done}
    assert kept["representations_on_flip_flop"] == 3
    assert kept["representations_on_integration"] == 4
    analysis = {"kind": "controls", "metric": "cka", "planted": True, "name": "c"}
    named = study_of({**SPEC, "analyses": [analysis], "claims": []})
    assert make_plan(named, run.store).todo == ()


def in_tiles(run: Run) -> ControlDistances:
    index = Artefacts(run.study, run.study.expand())
    whole = tiles.CompareTiles(index.shared["cka_controls", "flip_flop"])
    assert len(whole.tiles) == 6
    worker = Worker(run.store, NullListener(), threading.Event(), 60.0, (), None)
    for part in whole.tiles:
        part.run(worker)
    found = whole.compute(run.store, whole.result.ready(run.store))
    assert isinstance(found, ControlDistances)
    return found


def test_tiles_make_up_the_same_matrix(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = controlled(run, "flip_flop")
    monkeypatch.setattr(tiles, "TILE_SIDE", 3)
    found = in_tiles(run)
    assert found.to_frame().loc[list(expected.labels), list(expected.labels)].to_numpy() == (
        pytest.approx(expected.values, abs=1e-9)
    )
    place = {label: i for i, label in enumerate(found.labels)}
    assert tuple(found.learnt[place[label]] for label in expected.labels) == expected.learnt
    assert tuple(found.fields[place[label]] for label in expected.labels) == expected.fields


def test_controls_without_finite_states_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relu networks of one initial weight that grow without bound on the probe."""
    growing = {"kind": "vanilla", "recurrent_initializer": {"kind": "identity", "gain": 1e6}}
    study = study_of({**SPEC, "networks": {**SPEC["networks"], "cells": [growing]}, "claims": []})
    run = pretended(study, tmp_path, gain=1e-6)
    assert set(done(study, run).values()) == {None}
    found = controlled(run, "flip_flop")
    grown = [f"flip_flop-vanilla-relu-3-s00{s} untrained" for s in (0, 1)]
    assert found.absent == grown
    assert len(found.labels) == 4 * 4 - 2 + 3
    (drawn,) = Controls(metric="cka", planted=True).show(section(run, found))
    reason = "the activity on the probe trials is not finite"
    assert found.left_out == dict.fromkeys(grown, reason)
    assert f"Left out, because {reason}: {', '.join(grown)}." in drawn.caption
    monkeypatch.setattr(tiles, "TILE_SIDE", 3)
    pieces = in_tiles(run)
    labels = list(found.labels)
    assert sorted(pieces.labels) == sorted(labels)
    values = pieces.to_frame().loc[labels, labels].to_numpy()
    assert values == pytest.approx(found.values, abs=1e-9)


def section(run: Run, found: ControlDistances) -> Section:
    return Section(run.study.tasks[0], [], {}, {}, {"cka_controls": found})


def test_the_claim_is_judged_on_each_task(run: Run) -> None:
    claims = run.claims
    assert list(claims["task"]) == ["flip_flop", "integration"]
    assert np.isfinite(claims["effect"][0])
    assert claims["verdict"][1] == "not enough networks"
    assert "relu has 1" in claims["note"][1]
    assert claims["statement"][0] == (
        "Trained networks of one activation can be nearer (cka_controls) to untrained networks of "
        "the same kind than to trained networks of another activation."
    )
