"""The plan: which networks form a cohort, what a store lacks, what depends on whom."""

from pathlib import Path
from typing import Any

import pytest
from pretended import pretend

from rnnstudy.study.plan.analyse_members import AnalyseMembers
from rnnstudy.study.plan.analyse_task import AnalyseTask
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.plan.train import Train
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store
from rnnstudy.training.cost import cohort_bytes

SPEC: dict[str, Any] = {
    "study": "plan",
    "tasks": [{"kind": "flip_flop", "bits": 2, "length": 20}],
    "networks": {"cells": ["vanilla", "lstm"], "units": 4, "seeds": 3},
    "training": {"steps": 5, "batch": 4},
    "analyses": [
        {"kind": "embedding", "of": "svcca"},
        {"kind": "pairs", "metric": {"kind": "svcca", "dimensions": 2}},
    ],
}


def study(**changes: Any) -> Study:
    return study_of({**SPEC, **changes})


def jobs(plan: Any, kind: type) -> list[Any]:
    return [job for job in plan.todo if isinstance(job, kind)]


def test_networks_of_one_shape_form_a_cohort(tmp_path: Path) -> None:
    plan = make_plan(study(), Store(tmp_path))
    assert [len(job.networks) for job in jobs(plan, Train)] == [3, 3]
    assert plan.done[0] == ("train", 0, 6)


def test_rates_and_penalties_share_a_cohort_and_batches_do_not(tmp_path: Path) -> None:
    networks = {**SPEC["networks"], "cells": "vanilla"}
    rates = study(
        networks={**networks, "learning_rate": [0.1, 0.01], "l2": [0.0, 1e-3]},
        runtime={"workers": 1},
    )
    assert [len(j.networks) for j in jobs(make_plan(rates, Store(tmp_path)), Train)] == [12]
    batches = study(networks={**networks, "batch": [4, 8]}, training={"steps": 5})
    cohorts = jobs(make_plan(batches, Store(tmp_path)), Train)
    assert [len(job.networks) for job in cohorts] == [3, 3]


def bytes_of(members: int, kernel: Any) -> int:
    """Memory that training so many of the study's first networks takes."""
    one = study().expand()[0][1]
    return cohort_bytes(one.cell, one.task, one.training, members, kernel)


@pytest.mark.parametrize(("device", "kernel"), [("CPU:0", "per_member"), ("GPU:0", "batched")])
def test_a_cohort_beyond_the_memory_budget_is_split_evenly(
    tmp_path: Path, device: str, kernel: str
) -> None:
    networks = {"cells": "vanilla", "units": 4, "seeds": 10}
    for fits, expected in ((4, [3, 3, 4]), (5, [5, 5]), (10, [10])):
        room = (bytes_of(fits, kernel) + bytes_of(fits + 1, kernel)) / 2
        runtime = {"workers": 1, "devices": device, "memory": room / 2**30}
        plan = make_plan(study(networks=networks, runtime=runtime), Store(tmp_path))
        assert [len(job.networks) for job in jobs(plan, Train)] == expected
        assert max(job.memory for job in plan.cohorts) == bytes_of(max(expected), kernel)


def test_the_memory_of_a_gpu_is_that_of_one_cohort(tmp_path: Path) -> None:
    networks = {"cells": "vanilla", "units": 4, "seeds": 10}
    memory = bytes_of(11, "batched") / 2**30
    runtime = {"workers": 4, "devices": "GPU:0", "memory": memory}
    plan = make_plan(study(networks=networks, runtime=runtime), Store(tmp_path))
    assert [len(job.networks) for job in jobs(plan, Train)] == [10]


@pytest.mark.parametrize(
    ("seeds", "runtime", "expected"),
    [
        (100, {"workers": 2}, [50] * 4),
        (100, {"workers": 1}, [100, 100]),
        (100, {"workers": 2, "devices": ["CPU:0", "CPU:1"]}, [100, 100]),
        (100, {"workers": 2, "devices": "GPU:0"}, [100, 100]),
        (10, {"workers": 16}, [5] * 4),
        (3, {"workers": 16}, [3, 3]),
    ],
)
def test_cohorts_keep_all_workers_busy(
    tmp_path: Path, seeds: int, runtime: dict[str, Any], expected: list[int]
) -> None:
    runtime = {"devices": "CPU:0", "memory": 64.0, **runtime}
    networks = {**SPEC["networks"], "seeds": seeds}
    plan = make_plan(study(networks=networks, runtime=runtime), Store(tmp_path))
    assert [len(job.networks) for job in jobs(plan, Train)] == expected


def test_more_seeds_train_only_the_new_networks(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _, network in study().expand():
        pretend(store, network)
    assert jobs(make_plan(study(), store), Train) == []
    more = study(networks={**SPEC["networks"], "seeds": 4})
    plan = make_plan(more, store)
    assert plan.costs()["train"].work == {"steps": 2 * 5}
    cohorts = jobs(plan, Train)
    assert [job.names for job in cohorts] == [
        ("flip_flop-vanilla-tanh-4-s003",),
        ("flip_flop-lstm-tanh-4-s003",),
    ]


def test_a_damaged_network_of_whole_size_is_trained_again(tmp_path: Path) -> None:
    store, networks = Store(tmp_path), [network for _, network in study().expand()]
    for network in networks:
        pretend(store, network)
    path = store.folder(networks[4].key()) / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    plan = make_plan(study(), store)
    assert [job.results() for job in jobs(plan, Train)] == [(networks[4].key(),)]
    assert plan.done[0] == ("train", 5, 6)


def test_a_diverged_network_is_not_analysed_and_changes_the_address_of_pairs(
    tmp_path: Path,
) -> None:
    store, networks = Store(tmp_path), [network for _, network in study().expand()]
    before = jobs(make_plan(study(), store), AnalyseTask)[0].result.address(store, complete=True)
    for i, network in enumerate(networks):
        pretend(store, network, diverged_at=3 if i == 1 else -1)
    plan = make_plan(study(), store)
    analysed = [name for job in jobs(plan, AnalyseMembers) for name in job.names]
    assert len(analysed) == 5
    assert "flip_flop-vanilla-tanh-4-s001" not in analysed
    assert jobs(plan, AnalyseTask)[0].result.address(store, complete=True) != before


def test_what_others_read_comes_first(tmp_path: Path) -> None:
    plan = make_plan(study(), Store(tmp_path))
    pairs, embedding = jobs(plan, AnalyseTask)
    assert (pairs.analysis.title, embedding.analysis.title) == ("svcca", "embedding_svcca")
    assert embedding.result.needs == (pairs.result,)


def test_addresses_do_not_depend_on_names_or_runtime(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = make_plan(study(), store)
    tasks = [{**SPEC["tasks"][0], "name": "memory"}]
    other = make_plan(study(study="other", tasks=tasks, runtime={"workers": 1}), store)
    assert [n.key() for n in first.networks] == [n.key() for n in other.networks]


@pytest.mark.parametrize("field", [{"steps": 6}, {"batch": 5}, {"learning_rate": 0.02}])
def test_addresses_depend_on_the_protocol(field: dict[str, Any]) -> None:
    changed = study(training={**SPEC["training"], **field})
    keys = {network.key() for _, network in study().expand()}
    assert keys.isdisjoint(network.key() for _, network in changed.expand())


def test_jobs_are_told_apart_by_their_labels(tmp_path: Path) -> None:
    networks = {"cells": "vanilla", "units": 4, "seeds": 4, "learning_rate": [0.01, 1e-05]}
    room = (bytes_of(3, "per_member") + bytes_of(4, "per_member")) / 2
    budget = {"workers": 1, "devices": "CPU:0", "memory": room / 2**30}
    plan = make_plan(study(networks=networks, runtime=budget), Store(tmp_path))
    labels = [job.label for job in plan.todo]
    assert len(set(labels)) == len(labels)
    rate = "train flip_flop-vanilla-tanh-4-learning_rate"
    assert labels[:2] == [
        f"{rate}=0.01-s000..s001 (2 networks)",
        f"{rate}=0.01-s002..learning_rate=1e-05-s000 (3 networks)",
    ]


def test_analyses_of_one_task_leave_the_others_alone(tmp_path: Path) -> None:
    one = study(
        tasks=[{"kind": "flip_flop", "bits": 2}, {"kind": "sine"}, {"kind": "integration"}],
        analyses=[
            {"kind": "oscillations"},
            {"kind": "line_attractor"},
            {"kind": "point_geometry", "of": "oscillations"},
            {"kind": "fixed_points"},
        ],
    )
    plan = make_plan(one, Store(tmp_path))
    asked = [(job.analysis.title, job.task) for job in plan.todo
             if isinstance(job, AnalyseMembers | AnalyseTask)]  # fmt: skip
    of_task = {title: {task for name, task in asked if name == title} for title, _ in asked}
    assert of_task["oscillations"] == of_task["point_geometry_oscillations"] == {"sine"}
    assert of_task["line_attractor"] == {"integration"}
    assert of_task["fixed_points"] == {"flip_flop", "sine", "integration"}
    # 2 cells x 3 seeds: nothing is missing for the tasks that were left out.
    assert ("oscillations", 0, 6) in plan.done
    assert ("point_geometry_oscillations", 0, 1) in plan.done


def test_an_analysis_is_asked_of_the_tasks_that_it_lists(tmp_path: Path) -> None:
    tasks = [{"kind": "flip_flop", "bits": 2, "length": 20}, {"kind": "sine"}]
    analyses = [
        {"kind": "fixed_points", "name": "some", "tasks": ["sine"]},
        {"kind": "fixed_points", "name": "all"},
        {"kind": "pairs", "metric": "cka", "tasks": ["flip_flop"]},
        {"kind": "embedding", "of": "cka"},
    ]
    found = make_plan(study(tasks=tasks, analyses=analyses), Store(tmp_path))
    searches = [j for j in jobs(found, AnalyseMembers) if j.analysis.kind == "fixed_points"]
    asked = sorted((j.networks[0].task.title, j.networks[0].cell.kind) for j in searches)
    # Once of each cell and task: two names for one question make no second answer.
    assert asked == [(task, cell) for task in ("flip_flop", "sine") for cell in ("lstm", "vanilla")]
    assert {j.task for j in jobs(found, AnalyseTask)} == {"flip_flop"}


def test_networks_that_differ_in_labels_alone_are_trained_and_analysed_once(tmp_path: Path) -> None:
    flip_flop = {"kind": "flip_flop", "bits": 2, "length": 20}
    asked = study(
        tasks=[{**flip_flop, "name": "one"}, {**flip_flop, "name": "other"}],
        networks={"cells": "vanilla", "units": 4, "seeds": 3},
        protocols=[{"name": "a"}, {"name": "b"}, {"name": "c", "training": {"l2": 1.0}}],
    )
    plan = make_plan(asked, Store(tmp_path))
    assert len(plan.networks) == 2 * 3 * 3
    trained = [network.key() for job in plan.cohorts for network in job.trains]
    assert len(trained) == len(set(trained)) == 2 * 3
    analysed = [address for job in jobs(plan, AnalyseMembers) for address in job.results()]
    assert len(analysed) == len(set(analysed)) == 2 * 3
    # The matrices of both tasks read all networks under their names.
    matrices = [job for job in jobs(plan, AnalyseTask) if job.kind == "svcca"]
    assert [len(job.names) for job in matrices] == [9, 9]
    assert set(trained) <= set(matrices[0].requires())
    assert set(trained) <= set(matrices[1].requires())
