"""Networks before training: protocols that start from the same weights share their results."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnstudy.core.record import Record
from rnnstudy.population.initialise import initial_population
from rnnstudy.runner import run
from rnnstudy.study.plan.analyse_members import AnalyseMembers
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import study_of
from rnnstudy.study.store import Store

PROTOCOLS: list[dict[str, Any]] = [
    {"name": "short", "training": {"steps": 1, "batch": 2}},
    {"name": "long", "training": {"steps": 2, "batch": 2}},
]
SPEC: dict[str, Any] = {
    "study": "initial",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 8, "probe_trials": 2}],
    "networks": {"cells": "vanilla", "units": 3, "seeds": 2},
    "protocols": PROTOCOLS,
    "analyses": [
        {"kind": "representations"},
        {"kind": "representations", "weights": "untrained"},
        {"kind": "representations", "weights": "standard"},
    ],
}


def jobs_by_kind(spec: dict[str, Any], store: Path) -> dict[str, list[AnalyseMembers]]:
    jobs: dict[str, list[AnalyseMembers]] = {}
    for job in make_plan(study_of(spec), Store(store)).todo:
        if isinstance(job, AnalyseMembers):
            jobs.setdefault(job.kind, []).append(job)
    return jobs


def count_networks(spec: dict[str, Any], store: Path) -> dict[str, int]:
    jobs = jobs_by_kind(spec, store)
    return {kind: sum(len(job.networks) for job in each) for kind, each in jobs.items()}


def addresses(spec: dict[str, Any], store: Path, title: str) -> dict[str, str]:
    index = Artefacts.from_store(study_of(spec), Store(store))
    records = index.records(index.by_title[title])
    return {member.name: records[network.key()] for member, network in index.pairs}


def test_weights_before_training_are_analysed_once_for_all_protocols(tmp_path: Path) -> None:
    counts = count_networks(SPEC, tmp_path)
    assert counts["representations"] == 4
    assert counts["representations_untrained"] == counts["representations_standard"] == 2
    found = addresses(SPEC, tmp_path, "representations_untrained")
    assert (
        found["flip_flop-vanilla-tanh-3-short-s000"] == found["flip_flop-vanilla-tanh-3-long-s000"]
    )
    assert len(set(found.values())) == 2
    assert len(set(addresses(SPEC, tmp_path, "representations").values())) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"steps": 2, "batch": 2, "retry": 1}},
        {"cell": {"recurrent_initializer": {"kind": "orthogonal", "gain": 0.5}}},
    ],
    ids=["other seeds if training diverges", "other initial weights"],
)
def test_protocols_with_other_weights_before_training_share_nothing(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    second = {"name": "long", "training": PROTOCOLS[1]["training"]}
    if "cell" in change:
        second["overrides"] = [{"where": {"task": "flip_flop"}, "set": change}]
    else:
        second |= change
    spec = {**SPEC, "protocols": [PROTOCOLS[0], second]}
    assert count_networks(spec, tmp_path)["representations_untrained"] == 4


def test_initial_weights_are_analysed_whatever_training_came_to(tmp_path: Path) -> None:
    analyses = [{"kind": "representations", "weights": "untrained", "networks": "solved"}]
    jobs = jobs_by_kind({**SPEC, "analyses": analyses}, tmp_path)
    assert {job.choice for job in jobs["representations_untrained"]} == {"all"}


@pytest.mark.slow
def test_shared_results_are_those_of_the_seed(tmp_path: Path) -> None:
    every = [{"networks": "all", **analysis} for analysis in SPEC["analyses"]]
    study = study_of({**SPEC, "analyses": every})
    results: Run = run(study, tmp_path)
    assert not results.failures()
    first = results.record("representations_untrained", "flip_flop-vanilla-tanh-3-short-s001")
    second = results.record("representations_untrained", "flip_flop-vanilla-tanh-3-long-s001")
    task = study.tasks[0]
    network = results.trained_network("flip_flop-vanilla-tanh-3-long-s001")
    untrained = initial_population(network.population.cell, task.inputs, task.outputs, [1])
    expected = untrained.unroll(np.asarray(task.probe().inputs))[0]
    assert isinstance(first, Record)
    for record in (first, second):
        np.testing.assert_allclose(record.states.reshape(expected.shape), expected, atol=1e-6)  # type: ignore[attr-defined]
    assert make_plan(study, Store(tmp_path / "store")).todo == ()
