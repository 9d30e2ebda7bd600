"""Batches of member analyses: fixed by the plan, whatever results a store holds."""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from pretended import pretend, pretended_network

from rnnstudy.analyses import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import NO_INPUTS, Cost, Inputs, MemberInputs
from rnnstudy.cells import Cell
from rnnstudy.core.record import Record
from rnnstudy.population.population import Population
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.analyse_members import AnalyseMembers
from rnnstudy.study.plan.batches import division
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import Run
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
    monkeypatch.setattr(division, "ANALYSED_TOGETHER", 3)


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


class Sum(TaskAnalysis):
    """Sum of the numbers of all networks of a task."""

    kind: ClassVar[str] = "tests:Sum"
    of: str = "mean"

    def run(self, task: Task, inputs: Inputs) -> Record:
        return Values(sum(inputs[self.of][member].numbers for member in inputs.members))


class Doubled(MemberAnalysis):
    """Twice the numbers of another analysis, and the sum of its batch. `wide` needs much memory."""

    kind: ClassVar[str] = "tests:Doubled"
    yields: ClassVar[type[Record]] = Values
    of: str = "mean"
    wide: bool = False

    def run(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Record]:
        each = [record.numbers for record in inputs[self.of]]
        return [Values(np.append(2.0 * numbers, np.sum(each))) for numbers in each]

    def cost(self, cell: Cell, task: Task) -> Cost:
        return Cost(bytes=division.BATCH_MEMORY * self.wide)


class Picky(BatchMean):
    """Means of a batch, which a network of a recurrent weight below zero has not."""

    kind: ClassVar[str] = "tests:Picky"
    error: str = "ValueError"

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        first = population.weights["recurrent_kernel"][:, 0, 0]
        if (first < 0).any():
            raise {"ValueError": ValueError, "KeyError": KeyError}[self.error]("below zero")
        return super().run(population, task)


class Killed(BaseException):
    """The end of a process."""


class Mortal(Store):
    """A store whose process is killed before a write."""

    def __init__(self, root: Path, writes: int) -> None:
        super().__init__(root)
        self.writes = writes

    def write(self, key: str, record: Record) -> None:
        if self.writes == 0:
            raise Killed
        self.writes -= 1
        super().write(key, record)


CHAIN = (BatchMean(name="mean"), Doubled(name="doubled"), Sum(), Sum(name="sum_2", of="doubled"))


def perform(store: Store, *analyses: Analysis) -> dict[str, str]:
    """Run what a study lacks, but for training; failures by label."""
    asked, failures = study_of(SPEC).replace(analyses=analyses), {}
    for job in make_plan(asked, store).todo:
        if job.trains or job.kind == "representations":
            continue
        try:
            job.run(SimpleNamespace(store=store))  # type: ignore[arg-type]
        except Exception as error:
            failures[job.label.partition(" flip")[0]] = str(error)
    return failures


def values(store: Store, *analyses: Analysis) -> dict[str, list[float]]:
    """Return the numbers that a reader of the study sees, by analysis and network."""
    run = Run(store.root.parent, study_of(SPEC).replace(analyses=analyses), store)
    found: dict[str, list[float]] = {}
    for analysis in analyses:
        names = [""] if isinstance(analysis, TaskAnalysis) else run.members["member"]
        for name in names:
            with suppress(RunError):
                read = run.record(analysis.title, name) if name else run.task_record(analysis.title)
                found[f"{analysis.title} {name}"] = read.numbers.tolist()  # type: ignore[attr-defined]
    return found


def without(root: Path, *lost: int) -> Store:
    store = trained(root)
    for i in lost:
        store.remove(study().expand()[i][1].key())
    return store


def weights() -> list[float]:
    """Return the first recurrent weight of each network."""
    populations = [pretended_network(network).population for _, network in study().expand()]  # type: ignore[arg-type]
    return [float(each.weights["recurrent_kernel"][0, 0, 0]) for each in populations]


def test_a_network_that_could_not_be_trained_costs_its_own_results(tmp_path: Path) -> None:
    names = [member.name for member, _ in study().expand()]
    store = without(tmp_path / "store", 0)
    failures = perform(store, *CHAIN)
    # Two batches: networks 0 and 1, and networks 2 to 4.
    assert failures == {
        "mean": f"not done for {names[0]}, which could not be trained",
        "doubled": f"not done for {names[0]}, which could not be trained",
    }
    first, found = weights(), values(store, *CHAIN)
    assert found[f"mean {names[1]}"] == [first[1], first[1]]
    assert found[f"mean {names[2]}"] == [first[2], np.mean(first[2:])]
    assert f"mean {names[0]}" not in found
    assert found["sum "][0] == pytest.approx(sum(first[1:]))
    assert found["sum_2 "][0] == pytest.approx(2 * sum(first[1:]))
    done = {name: count for name, count, _ in Run(tmp_path, asked(CHAIN), store).plan().done}
    assert (done["mean"], done["doubled"]) == (4, 4)
    # A run with nothing new to do computes nothing again.
    before = sorted(store.keys())
    assert perform(Mortal(store.root, 0), *CHAIN) == failures
    assert sorted(store.keys()) == before


def asked(analyses: Sequence[Analysis]) -> Study:
    return study_of(SPEC).replace(analyses=tuple(analyses))


def test_a_network_that_is_trained_later_leads_to_the_results_of_an_unbroken_run(
    tmp_path: Path,
) -> None:
    unbroken = trained(tmp_path / "unbroken" / "store")
    assert perform(unbroken, *CHAIN) == {}
    expected = values(unbroken, *CHAIN)
    assert len(expected) == 12
    for lost in [(0,), (3,), (0, 1), (1, 4), (0, 1, 2, 3)]:
        store = without(tmp_path / "-".join(map(str, lost)) / "store", *lost)
        assert perform(store, *CHAIN)
        assert values(store, *CHAIN) != expected
        for i in lost:
            pretend(store, study().expand()[i][1])  # type: ignore[arg-type]
        assert perform(store, *CHAIN) == {}
        assert values(store, *CHAIN) == expected


def test_numbers_do_not_depend_on_kills_and_failures_on_the_way(tmp_path: Path) -> None:
    """Networks are trained in any order, with kills between any two writes."""
    unbroken = trained(tmp_path / "unbroken" / "store")
    perform(unbroken, *CHAIN)
    broken = without(tmp_path / "broken" / "store", 1)
    perform(broken, *CHAIN)
    expected = values(unbroken, *CHAIN), values(broken, *CHAIN)
    chance, networks = random.Random(0), [network for _, network in study().expand()]
    for turn in range(12):
        store = Store(tmp_path / f"{turn}" / "store")
        order = chance.sample(range(5), 5)
        lost = {1} if turn % 2 else set[int]()
        for i in order:
            if i not in lost:
                pretend(store, networks[i])  # type: ignore[arg-type]
            for _ in range(chance.randrange(3)):
                with suppress(Killed):
                    perform(Mortal(store.root, chance.randrange(12)), *CHAIN)
        perform(store, *CHAIN)
        assert values(store, *CHAIN) == expected[bool(lost)]


def test_what_a_record_was_made_of_enters_the_addresses_of_its_readers(tmp_path: Path) -> None:
    chain = (BatchMean(name="mean"), Doubled(name="doubled", wide=True))
    store = without(tmp_path / "store", 3)
    index = make_plan(asked(chain), store).index
    jobs = [job for job in make_plan(asked(chain), store).todo if job.kind == "doubled"]
    assert [len(job.results()) for job in jobs] == [1] * 5
    perform(store, *chain)
    addresses = {
        name: (address, index.address_in(store, address))
        for name, address in ((job.names[0], job.results()[0]) for job in jobs)
    }
    # Network 3 was computed with 2 and 4. Each is alone in its batch of the second analysis.
    moved = [name[-1] for name, (usual, present) in addresses.items() if usual != present]
    assert moved == ["2", "4"]
    assert [store.has(usual) for usual, _ in addresses.values()] == [
        True,
        True,
        False,
        False,
        False,
    ]
    pretend(store, study().expand()[3][1])  # type: ignore[arg-type]
    assert perform(store, *chain) == {}
    assert all(store.has(usual) for usual, _ in addresses.values())


def test_an_error_of_one_network_costs_its_own_result(tmp_path: Path) -> None:
    store, first = trained(tmp_path / "store"), weights()
    names = [member.name for member, _ in study().expand()]
    negative = [name for name, weight in zip(names, first, strict=True) if weight < 0]
    assert 0 < len(negative) < 5
    picky = Picky(name="mean")
    failures = perform(store, picky, Doubled(name="doubled"))
    found = values(store, picky)
    assert set(found) == {f"mean {name}" for name in names if name not in negative}
    assert all(numbers[0] >= 0 for numbers in found.values())
    assert "below zero" in failures["mean"]
    assert len(values(store, Doubled(name="doubled"), picky)) == 2 * len(found)


class Stepwise(BatchMean):
    """The same numbers, network by network after what they have in common."""

    kind: ClassVar[str] = "tests:Stepwise"
    fails: int = -1
    calls: ClassVar[list[float]] = []

    def record_functions(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Callable[[], Record]]:
        first = population.weights["recurrent_kernel"][:, 0, 0]

        def of_member(value: float) -> Record:
            self.calls.append(float(value))
            if len(self.calls) - 1 == self.fails:
                raise FloatingPointError("not finite")
            return Values(np.array([value, first.mean()]))

        return [partial(of_member, value) for value in first]


def test_an_interrupted_batch_keeps_the_networks_that_are_done(tmp_path: Path) -> None:
    Stepwise.calls.clear()
    store, analysis = trained(tmp_path / "store"), Stepwise(name="mean")
    for _ in range(6):
        with suppress(Killed):
            perform(Mortal(store.root, 1), analysis)
    first = weights()
    # Each of five kills loses the network whose result could not be written.
    assert Stepwise.calls == [first[0], first[1], first[1], first[2], first[2], first[3], first[3],
                              first[4], first[4]]  # fmt: skip
    other = trained(tmp_path / "other" / "store")
    perform(other, analysis)
    assert values(store, analysis) == values(other, analysis)


def test_an_error_in_the_step_of_a_network_costs_its_own_result(tmp_path: Path) -> None:
    Stepwise.calls.clear()
    store, analysis = trained(tmp_path / "store"), Stepwise(name="mean", fails=3)
    names = [member.name for member, _ in study().expand()]
    failures = perform(store, analysis)
    assert failures == {"mean": f"not done for {names[3]}: FloatingPointError: not finite"}
    assert len(Stepwise.calls) == 5
    assert len(values(store, analysis)) == 4


def test_an_error_of_the_code_is_not_looked_for_in_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, calls = trained(tmp_path / "store"), []
    run = Picky.run
    monkeypatch.setattr(Picky, "run", lambda *given: calls.append(len(given[1])) or run(*given))
    perform(store, Picky(name="mean", error="KeyError"))
    assert sorted(calls) == [2, 3]


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
    monkeypatch.setattr(division, "BATCH_MEMORY", 1)
    assert sizes() == [1] * 5
