"""Jobs on their way to workers: small, and with the same addresses at both ends."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from fake_jobs import Write

from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.cluster.orders import Order, Packer, proof
from rnnstudy.study.plan.artefacts import Artefacts
from rnnstudy.study.plan.compare_tiles import CompareTiles
from rnnstudy.study.plan.plan import Plan, make_plan
from rnnstudy.study.spec.options import Runtime
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store


def study(**changes: Any) -> Study:
    spec = {
        "study": "orders",
        "tasks": ["flip_flop", "sine"],
        "networks": {"cells": ["gru", "vanilla"], "units": 4, "seeds": 40},
        "training": {"steps": 4},
        "analyses": ["fixed_points", "topology", {"kind": "pairs", "metric": "svcca"}],
    }
    return study_of({**spec, **changes})


def order_of(plan: Plan, store: Store) -> Order:
    order = Order.of_plan(plan, store, Runtime(), "run", 30)
    sent: Order = pickle.loads(pickle.dumps(order))
    return sent


def test_every_job_of_a_plan_is_the_same_on_the_other_side(tmp_path: Path) -> None:
    store = Store(tmp_path)
    plan = make_plan(study(), store)
    index = order_of(plan, store).index()
    assert isinstance(index, Artefacts)
    sender, receiver = Packer(plan.index), Packer(index)
    kinds = set()
    for job in plan.todo:
        packed = sender.pack(job, 0)
        copy = receiver.unpack(packed)
        assert type(copy) is type(job)
        assert copy.key == job.key
        assert copy.label == job.label
        assert list(copy.requires()) == list(job.requires())
        kinds.add(job.kind)
    assert {"train", "fixed_points", "topology", "svcca"} <= kinds


def test_a_job_is_no_larger_for_the_size_of_the_study(tmp_path: Path) -> None:
    plan = make_plan(study(), Store(tmp_path))
    packer = Packer(plan.index)
    sizes = {job.kind: len(packer.pack(job, 0).data) for job in plan.todo}
    (matrix, *_) = (job for job in plan.todo if isinstance(job, CompareTiles))
    assert matrix.tiles == ()
    assert len(matrix.blocks) == 1
    for kind, size in sizes.items():
        assert size < 20_000, kind
    assert len(packer.pack(matrix, 0).data) == sizes["svcca"], "caches stay behind"


def test_another_study_at_the_other_side_is_refused(tmp_path: Path) -> None:
    plan = make_plan(study(), Store(tmp_path))
    other = make_plan(study(training={"steps": 5}), Store(tmp_path))
    packed = Packer(plan.index).pack(plan.todo[0], 0)
    with pytest.raises(RunError, match="the worker must compute the addresses of the run, got"):
        Packer(other.index).unpack(packed)


def test_jobs_without_a_study_travel_by_value(tmp_path: Path) -> None:
    job = Write("a", ("b",))
    copy = Packer(None).unpack(Packer(None).pack(job, 3))
    assert proof(copy) == proof(job)
