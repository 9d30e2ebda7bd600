"""Claims in a study: steps with addresses, verdicts in `run.claims` and on the page."""

import json
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from pretended import pretend

from rnnstudy.report import build as contents
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.worker import JobResult, Worker
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.failures import failure_entries
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import Study, TrainedNetworkSpec, load_study, resolve_study, study_of
from rnnstudy.study.store import Store

TASKS = [{"kind": "flip_flop", "bits": 1, "length": 20}, {"kind": "sine", "length": 20}]
SPEC: dict[str, Any] = {
    "study": "claims",
    "tasks": TASKS,
    "networks": {"cells": ["vanilla", "gru"], "units": 3, "seeds": 4},
    "training": {"steps": 5, "batch": 4},
    "analyses": [{"kind": "claims.studied:Sizes", "name": "sizes"}],
    "claims": [
        {"kind": "claims.studied:Large", "name": "large"},
        {"kind": "claims.studied:Large", "name": "larger", "units": 4},
    ],
}

pytestmark = pytest.mark.usefixtures("plugins")


def study(**changes: Any) -> Study:
    return study_of({**SPEC, **changes})


def large(**fields: Any) -> Study:
    return study(claims=[{"kind": "claims.studied:Large", "name": "large", **fields}])


def done(asked: Study, store: Store) -> list[JobResult]:
    """What becomes of the jobs that need no training and no probe, one after the other."""
    worker = Worker(store, NullListener(), threading.Event(), 60.0, (), None)
    jobs = [j for j in make_plan(asked, store).todo if not j.label.startswith("representations")]
    return [worker.perform(job) for job in jobs]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "store")
    for _, network in study().expand():
        pretend(found, network)
    return found


def test_every_claim_is_judged_on_every_task(tmp_path: Path, store: Store) -> None:
    run = Run(tmp_path, study())
    assert list(run.claims["verdict"]) == ["not computed"] * 4
    # Sizes of four cohorts and of their untrained twins; four claims, each over solved networks
    # and over all trained ones.
    assert [outcome.failure for outcome in done(study(), store)] == [None] * 16
    table = run.claims
    assert list(table["claim"]) == ["large", "large", "larger", "larger"]
    assert list(table["task"]) == ["flip_flop", "sine"] * 2
    # Eight networks are too few for a positive control.
    assert list(table["verdict"]) == ["not enough networks"] * 4
    assert list(table["verdict_all_trained"]) == ["not enough networks"] * 4
    assert table["networks"].tolist() == [8] * 4
    assert table["p"].tolist()[:2] == pytest.approx([1 / 256] * 2)
    assert table["corrected_p"].isna().all()
    assert table["rule"][0] == (
        "at least 50% of the networks of every combination have 3 units, and corrected p below 0.05"
    )
    assert {"statement", "statistic", "effect", "low", "high", "p", "note"} <= set(table.columns)


def test_claims_are_counted_among_the_steps(store: Store) -> None:
    assert ("claims", 0, 4) in make_plan(study(), store).done
    done(study(), store)
    assert ("claims", 4, 4) in make_plan(study(), store).done


def test_only_what_a_claim_reads_and_how_it_weighs_it_enters_its_address(
    tmp_path: Path, store: Store
) -> None:
    done(large(), store)
    todo = {job.label.partition(" flip")[0] for job in make_plan(large(), store).todo}
    assert not any(label.startswith("claim") for label in todo)
    # 1/256 for each of two tasks, corrected 2/256.
    strict = large(alpha=0.005)
    assert not any(job.label.startswith("claim") for job in make_plan(strict, store).todo)
    assert list(Run(tmp_path, strict).claims["verdict"]) == ["not enough networks"] * 2
    other = [job.label for job in make_plan(large(least=0.4), store).todo]
    assert [label for label in other if not label.startswith("representations")] == [
        f"claim large {task}{scope} (8 networks)"
        for task in ("flip_flop", "sine")
        for scope in ("", " all trained networks")
    ]


def test_more_networks_are_weighed_anew(tmp_path: Path, store: Store) -> None:
    done(large(), store)
    more = study_of({**SPEC, "networks": {**SPEC["networks"], "seeds": 5}})
    for _, network in more.expand():
        pretend(store, network)
    done(more, store)
    assert Run(tmp_path, more).claims["networks"].tolist() == [10] * 4
    assert Run(tmp_path, large()).claims["networks"].tolist() == [8, 8]


def test_a_diverged_network_leaves_the_evidence(tmp_path: Path, store: Store) -> None:
    asked = large(min_networks=4)
    _, network = asked.expand()[0]
    pretend_anew(store, network)
    done(asked, store)
    table = Run(tmp_path, asked).claims
    assert list(table["verdict"]) == ["not enough networks"] * 2
    assert table["left_out"].tolist() == ["1 diverged", ""]
    assert table["note"][0] == "vanilla tanh has 3; it takes 4 of each"


def pretend_anew(store: Store, network: TrainedNetworkSpec) -> None:
    """The network has diverged after all; what a process has read of it is read again."""
    shutil.rmtree(store.folder(network.key()))
    store.remove(network.key("outcome"))
    pretend(store, network, diverged_at=3)


def test_where_every_network_diverged_there_is_no_evidence(tmp_path: Path, store: Store) -> None:
    for who, network in study().expand():
        if who.fields["task"] == "sine":
            pretend_anew(store, network)
    done(large(), store)
    table = Run(tmp_path, large()).claims
    assert list(table["verdict"]) == ["not enough networks"] * 2
    assert table["note"][1] == "every network diverged"
    assert table["left_out"][1] == "8 diverged"


def test_a_claim_that_fails_is_data(tmp_path: Path, store: Store) -> None:
    asked = large(units=-1)
    results = done(asked, store)
    failures = {o.label: o.failure for o in results if o.failure}
    reason = failures["claim large sine (8 networks)"]
    assert re.fullmatch(
        r"ValueError: -1 units are too few to speak of \(\w+\.py, line \d+\)", reason
    )
    assert failures == {
        f"claim large {task} (8 networks)": reason for task in ("flip_flop", "sine")
    }
    (tmp_path / "provenance.json").write_text(json.dumps({"failures": failure_entries(results)}))
    table = Run(tmp_path, asked).claims
    assert list(table["verdict"]) == ["failed", "failed"]
    assert list(table["note"]) == [reason] * 2
    assert table["effect"].isna().all()


def test_a_claim_leaves_out_tasks_that_it_is_not_about(store: Store) -> None:
    asked = study(
        analyses=["fixed_points", {"kind": "pairs", "metric": "cka"}],
        claims=["cube", {"kind": "geometry_depends_on", "of": "cka", "factor": "cell"}],
    )
    labels = [j.label for j in make_plan(asked, store).todo if j.group == "claims"]
    assert labels == [
        "claim cube flip_flop (8 networks)",
        "claim cka_depends_on_cell flip_flop (8 networks)",
        "claim cka_depends_on_cell sine (8 networks)",
    ]


def test_the_page_has_all_verdicts(tmp_path: Path, store: Store) -> None:
    done(study(), store)
    page = contents.page(Run(tmp_path, study()))
    (section,) = (each for each in page.sections if each.title == "Claims")
    verdicts, figure, controls, rules, groups = section.parts[0].exhibits
    assert verdicts.columns["claim"] == ["Networks are large."] * 4
    assert verdicts.columns["effect"][0] == "1 [0.63 to 1]"
    assert verdicts.columns["networks"] == ["8; left out: none"] * 4
    assert "no positive control can reach" in verdicts.columns["reason"][0]
    assert figure.rows[0] == "large, flip_flop"
    assert figure.notes == ["not enough networks"] * 4
    # Eight networks are too few for controls.
    assert controls.rows == 0
    assert "all 0 tests" in verdicts.caption
    assert rules.columns["claim"] == ["large", "larger"]
    assert rules.columns["effect"] == ["the same"] * 2
    assert groups.columns["group"][:2] == ["vanilla tanh", "gru tanh"]
    assert [(f.label, f.value) for f in page.facts][-2:] == [
        ("claims supported", "0 of 4"),
        ("claims without a verdict", "4 of 4"),
    ]


def test_a_study_without_claims_says_nothing_of_them(tmp_path: Path, store: Store) -> None:
    run = Run(tmp_path, study(claims=[]))
    assert run.claims.empty
    page = contents.page(run)
    assert [section.label for section in page.sections] == ["flip_flop", "sine", "Networks"]
    assert not any("claim" in fact.label for fact in page.facts)


def test_claims_survive_their_yaml(tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(resolve_study(study()))
    assert load_study(tmp_path / "again.yaml") == study()
