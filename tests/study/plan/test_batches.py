"""Batches of member analyses: fixed by the plan, whatever results a store holds."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from pretended import pretend

from rnnstudy.analyses import MemberAnalysis
from rnnstudy.core.record import Record
from rnnstudy.population.population import Population
from rnnstudy.study.plan import analyse_members
from rnnstudy.study.plan.analyse_members import AnalyseMembers
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task
from tests.study.plan.test_control_inputs import Values

SPEC: dict[str, Any] = {
    "study": "batches",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12}],
    "networks": {"cells": "vanilla", "units": 3, "seeds": 5},
    "training": {"steps": 2, "batch": 4},
}


class BatchMean(MemberAnalysis):
    """First recurrent weight of a network, and its mean over the batch."""

    kind: ClassVar[str] = "tests:BatchMean"
    yields: ClassVar[type[Record]] = Values

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        first = population.weights["recurrent_kernel"][:, 0, 0]
        return [Values(np.array([value, first.mean()])) for value in first]


def study() -> Study:
    return study_of(SPEC).replace(analyses=(BatchMean(name="mean"),))


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyse_members, "ANALYSED_TOGETHER", 3)


def analyses(store: Store) -> list[AnalyseMembers]:
    todo = make_plan(study(), store).todo
    return [job for job in todo if isinstance(job, AnalyseMembers) and job.kind == "mean"]


def run_all(store: Store) -> dict[str, list[float]]:
    """Run what is missing; the numbers of all networks by address."""
    whole = analyses(Store(store.root.parent / "nothing"))
    for job in analyses(store):
        job.run(SimpleNamespace(store=store))  # type: ignore[arg-type]
    addresses = [address for job in whole for address in job.results() if store.has(address)]
    return {address: store.read(address, Values).numbers.tolist() for address in addresses}


def trained(root: Path, unsolved: int = -1) -> Store:
    store = Store(root)
    for i, (_, network) in enumerate(study().expand()):
        pretend(store, network, solved=i != unsolved)
    return store


@pytest.mark.parametrize("count", [1, 2, 4])
def test_missing_results_are_those_of_an_unbroken_run(tmp_path: Path, count: int) -> None:
    store = trained(tmp_path / "store")
    unbroken = run_all(store)
    assert len(unbroken) == 5
    assert len({mean for _, mean in unbroken.values()}) == 2
    for lost in combinations(unbroken, count):
        for address in lost:
            store.remove(address)
        missing = [address for job in analyses(store) for address in job.results()]
        assert set(missing) == set(lost)
        assert run_all(store) == unbroken


def test_a_batch_needs_all_its_networks_and_writes_what_is_missing(tmp_path: Path) -> None:
    store = trained(tmp_path / "store")
    run_all(store)
    first, *_ = analyses(Store(tmp_path / "nothing"))
    store.remove(first.results()[1])
    (job,) = analyses(store)
    assert job.names == first.names[1:2]
    assert job.label == f"mean {first.names[1]} (1 network)"
    assert {network.key() for network in first.networks} <= set(job.requires())


def test_networks_that_an_analysis_leaves_out_are_not_in_its_batches(tmp_path: Path) -> None:
    store = trained(tmp_path / "store", unsolved=0)
    unbroken = run_all(store)
    assert len(unbroken) == 4
    store.remove(next(iter(unbroken)))
    assert run_all(store) == unbroken


def test_a_batch_waits_for_a_network_that_could_not_be_trained(tmp_path: Path) -> None:
    store = trained(tmp_path / "store")
    unbroken = run_all(store)
    broken = trained(tmp_path / "broken" / "store")
    member, lost = study().expand()[0]
    broken.remove(lost.key())
    first, second = analyses(broken)
    names = ", ".join(first.names)
    message = f"^not done for {names}: {member.name}, of the same batch, could not be trained$"
    with pytest.raises(RuntimeError, match=message):
        first.run(SimpleNamespace(store=broken))  # type: ignore[arg-type]
    second.run(SimpleNamespace(store=broken))  # type: ignore[arg-type]
    assert not any(map(broken.has, first.results()))
    pretend(broken, lost)
    assert run_all(broken) == unbroken


def test_batches_of_large_networks_are_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    def sizes() -> list[int]:
        one = study_of({**SPEC, "analyses": ["fixed_points"]})
        todo = make_plan(one, Store("nowhere")).todo
        jobs = [job for job in todo if isinstance(job, AnalyseMembers)]
        searches = [job for job in jobs if job.kind == "fixed_points"]
        memory = {len(job.batch): job.memory for job in searches}
        assert sorted(memory.values()) == [memory[count] for count in sorted(memory)]
        return [len(job.batch) for job in searches]

    assert sizes() == [2, 3]
    monkeypatch.setattr(analyse_members, "BATCH_MEMORY", 1)
    assert sizes() == [1] * 5
