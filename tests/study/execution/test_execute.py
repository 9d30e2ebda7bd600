"""Execution: order, failure of single jobs, interruption. Networks here are tiny and real."""

import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from rnnstudy.analyses.base import MemberAnalysis, Section
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record, array
from rnnstudy.population.population import Population
from rnnstudy.runner import NullListener
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.checkpoints import Checkpoints
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.plan.analyse_task import AnalyseTask
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.plan.train import Train
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.study.store import Store
from rnnstudy.tasks import Task
from rnnstudy.training.state import TrainingState
from rnnstudy.training.train import fresh_seed, train


@dataclass(frozen=True, eq=False)
class Norm(Record):
    value: Array = array()


class KernelNorm(MemberAnalysis):
    """Norm of the recurrent weights; fails where there are as many units as `refuse` says."""

    kind: ClassVar[str] = "tests:KernelNorm"
    refuse: int = 0

    def run(self, population: Population, task: Task) -> Sequence[Record]:
        if population.cell.units == self.refuse:
            raise ValueError(f"{self.refuse} units are not to my taste")
        kernels = population.weights["recurrent_kernel"]
        return [Norm(value=np.asarray(np.linalg.norm(kernel))) for kernel in kernels]

    def show(self, section: Section) -> Iterable[Exhibit]:
        return ()


def study(**changes: Any) -> Study:
    spec = {
        "study": "execute",
        "tasks": [
            {
                "kind": "flip_flop",
                "bits": 1,
                "length": 12,
                "solved_loss": 100.0,
                "solved_accuracy": 0.0,
            }
        ],
        "networks": {"cells": "vanilla", "units": [3, 4], "seeds": 2},
        "training": {"steps": 6, "batch": 4, "record_every": 3},
        "analyses": [{"kind": "pairs", "metric": {"kind": "svcca", "dimensions": 2}}],
        "runtime": {"workers": 2},
    }
    return study_of({**spec, **changes})


def done(study: Study, directory: Path, watch: Any = None) -> tuple[Run, list[Any]]:
    run = Run(directory, study)
    plan = make_plan(study, run.store)
    return run, execute(plan, run.store, study.runtime, watch or NullListener())


def test_a_second_execution_has_nothing_to_do(tmp_path: Path) -> None:
    run, outcomes = done(study(), tmp_path)
    assert [outcome.failure for outcome in outcomes] == [None] * 5
    assert run.distances("svcca").shape == (4, 4)
    assert done(study(), tmp_path)[1] == []


@pytest.mark.parametrize(
    ("devices", "sentence"),
    [
        (2, r"runtime.devices must be at most 1, got 2\. TensorFlow sees CPU:0\."),
        ("GPU:0", "runtime.devices must be among CPU:0, got 'GPU:0'"),
    ],
)
def test_devices_that_are_not_there_stop_a_run_before_its_jobs(
    tmp_path: Path, devices: Any, sentence: str
) -> None:
    with pytest.raises(RunError, match=f"^{sentence}$"):
        done(study(runtime={"devices": devices}), tmp_path)
    assert not Run(tmp_path, study()).store.has(study().expand()[0][1].key())


def test_jobs_begin_after_what_they_read(tmp_path: Path) -> None:
    class Order(NullListener):
        events: ClassVar[list[tuple[str, str]]] = []

        def on_job_start(self, job: Any) -> None:
            self.events.append(("begun", job.label))

        def on_job_end(self, job: Any, result: Any) -> None:
            self.events.append(("ended", job.label))

    done(study(), tmp_path, Order())
    last = Order.events.index(("begun", "svcca flip_flop (4 networks)"))
    assert sum(event == "ended" for event, _ in Order.events[:last]) == 4


def test_a_failed_analysis_costs_only_itself(tmp_path: Path) -> None:
    base = study()
    picky = base.replace(analyses=(KernelNorm(name="norm", refuse=3), *base.analyses))
    run, outcomes = done(picky, tmp_path)
    failures = {outcome.label: outcome.failure for outcome in outcomes if outcome.failure}
    label = "norm flip_flop-vanilla-tanh-3-s000..s001 (2 networks)"
    assert list(failures) == [label]
    assert re.fullmatch(
        r"ValueError: 3 units are not to my taste \(\w+\.py, line \d+\)", failures[label] or ""
    )
    assert run.distances("svcca").shape == (4, 4)
    norm = run.record("norm", "flip_flop-vanilla-tanh-4-s000")
    assert isinstance(norm, Norm)
    with pytest.raises(RunError, match="does not hold 'norm' of 'flip_flop-vanilla-tanh-3-s001'"):
        run.record("norm", "flip_flop-vanilla-tanh-3-s001")


class Narrowing(Vanilla):
    """A cell that loses a unit at each step."""

    kind: ClassVar[str] = "tests:Narrowing"

    def step(self, w: Any, drive: Any, h: Any) -> Any:
        return super().step(w, drive, h)[..., 1:]


def test_a_cell_with_a_wrong_step_is_named_before_training(tmp_path: Path) -> None:
    networks = {"cells": Narrowing(), "units": 3}
    _, outcomes = done(study(analyses=[], networks=networks), tmp_path)
    said = "ValueError: Narrowing.step on [trial, state] must return shape (3, 3), got (3, 2)"
    assert outcomes[0].failure == said


def test_failed_training_leaves_the_other_networks_to_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnstudy.study.plan import train as module

    real = module.train

    def fragile(cell: Any, *rest: Any, **options: Any) -> Any:
        if cell.units == 3:
            raise MemoryError("too wide for this test")
        return real(cell, *rest, **options)

    monkeypatch.setattr(module, "train", fragile)
    run, outcomes = done(study(), tmp_path)
    failures = sorted(outcome.failure for outcome in outcomes if outcome.failure)
    lost = [name for name in run.members["member"] if "-3-" in name]
    no_room, not_done = failures
    too_little = f"got too little for {lost[0]}, {lost[1]} (too wide for this test)"
    assert no_room.startswith("MemoryError: memory must suffice for one network at a time, ")
    assert too_little in no_room
    assert not_done == (
        f"RuntimeError: not done for {lost[0]}, {lost[1]}, which could not be trained"
    )
    assert list(run.distances("svcca").columns) == [
        "flip_flop-vanilla-tanh-4-s000",
        "flip_flop-vanilla-tanh-4-s001",
    ]
    assert list(run.members["status"]) == ["missing", "missing", "trained", "trained"]
    monkeypatch.undo()
    # The next execution trains what is missing and compares all four.
    run, outcomes = done(study(), tmp_path)
    assert [outcome.failure for outcome in outcomes] == [None] * len(outcomes)
    assert run.distances("svcca").shape == (4, 4)


@pytest.mark.usefixtures("sigint_interrupts")
def test_an_interrupted_execution_keeps_what_is_whole_and_goes_on_later(tmp_path: Path) -> None:
    class Impatient(NullListener):
        """Interrupts, as Ctrl-C does, when the first cohort has ended."""

        def on_job_end(self, job: Any, result: Any) -> None:
            if isinstance(job, Train) and threading.current_thread().name != "MainThread":
                import signal

                signal.raise_signal(signal.SIGINT)

    slow = study(training={"steps": 400, "batch": 4, "record_every": 3}, runtime={"workers": 1})
    with pytest.raises(KeyboardInterrupt):  # noqa: PT011 - it carries no message
        done(slow, tmp_path, Impatient())
    left = make_plan(slow, Store(tmp_path / "store"))
    assert len([job for job in left.todo if isinstance(job, Train)]) >= 1
    assert {name: n for name, n, _ in left.done}["train"] == 2
    run, _ = done(slow, tmp_path)
    assert list(run.members["status"]) == ["trained"] * 4


def test_a_damaged_record_is_computed_again(tmp_path: Path) -> None:
    run, _ = done(study(), tmp_path)
    before = run.distances("svcca")
    folder = run.store.folder(run.key("flip_flop-vanilla-tanh-4-s001"))
    (folder / "arrays.npz").write_bytes(b"not an archive")
    plan = make_plan(study(), run.store)
    assert [job.names for job in plan.todo if isinstance(job, Train)] == [
        ("flip_flop-vanilla-tanh-4-s001",)
    ]
    run, _ = done(study(), tmp_path)
    np.testing.assert_allclose(run.distances("svcca"), before, atol=1e-5)
    assert not [job for job in make_plan(study(), run.store).todo if isinstance(job, AnalyseTask)]


class Crash(BaseException):
    """An error that no listener may raise without an end of the job."""


def kill(*arguments: Any) -> None:
    """End training as a crash does: nothing after this point is written."""
    raise Crash("killed")


def test_a_killed_run_goes_on_from_its_checkpoint_to_the_same_bits(tmp_path: Path) -> None:
    class Killed(NullListener):
        def on_training_step(self, job: Any, step: int, steps: int, loss: Array) -> None:
            if step == 4:
                kill()

    often = {"workers": 1, "checkpoint": 0.0}
    slow = study(training={"steps": 6, "batch": 4, "record_every": 2}, runtime=often)
    run, outcomes = done(slow, tmp_path / "killed", Killed())
    assert all("killed" in str(o.failure) for o in outcomes if o.label.startswith("train"))
    courses = list(run.store.root.glob("co/course-*"))
    assert [course.name[-9:] for course in courses] == ["000000004"] * 2

    class Steps(NullListener):
        seen: ClassVar[list[int]] = []

        def on_training_step(self, job: Any, step: int, steps: int, loss: Array) -> None:
            self.seen.append(step)

    resumed, _ = done(slow, tmp_path / "killed", Steps())
    assert Steps.seen == [6, 6]
    assert not list(run.store.root.glob("co/course-*"))
    whole, _ = done(slow, tmp_path / "whole")
    for name in whole.members["member"]:
        one, other = whole.trained_network(name), resumed.trained_network(name)
        np.testing.assert_array_equal(one.loss, other.loss)
        for kernel, weights in one.population.weights.items():
            np.testing.assert_array_equal(weights, other.population.weights[kernel])


def test_a_cohort_that_is_killed_while_it_is_written_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnstudy.study.plan import train as module

    real, seen = module.write_network, list[int]()

    def killed_at_the_second(store: Store, network: Any, trained: Any) -> None:
        if network.seed == 1:
            kill()
        real(store, network, trained)

    class Steps(NullListener):
        def on_training_step(self, job: Any, step: int, steps: int, loss: Array) -> None:
            seen.append(step)

    short = study(networks={"cells": "vanilla", "units": 3, "seeds": 3}, analyses=[])
    monkeypatch.setattr(module, "write_network", killed_at_the_second)
    run, _ = done(short, tmp_path / "killed")
    assert list(run.members["status"]) == ["trained", "missing", "missing"]
    monkeypatch.undo()
    resumed, outcomes = done(short, tmp_path / "killed", Steps())
    assert [outcome.failure for outcome in outcomes] == [None] * 2
    assert seen == []
    assert not list(run.store.root.rglob("course-*"))
    whole, _ = done(short, tmp_path / "whole")
    for name in whole.members["member"]:
        one, other = whole.trained_network(name), resumed.trained_network(name)
        np.testing.assert_array_equal(one.loss, other.loss)
        np.testing.assert_array_equal(one.evaluation_loss, other.evaluation_loss)


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    store = Store(tmp_path)
    checkpoints = Checkpoints(store, ["a", "b"], 0.0)
    assert checkpoints.latest() is None
    courses: list[TrainingState] = []
    network = study().expand()[0][1]
    train(
        network.cell, network.task, [network.training] * 2, [0, 1], checkpoint=courses.append
    )  # fmt: skip
    checkpoints.write(courses[0])
    found = checkpoints.latest()
    assert found is not None
    assert found.done == courses[0].done
    checkpoints.write(courses[-1])
    (kept,) = tmp_path.glob("co/course-*")
    assert kept.name.endswith("000000006")
    (kept / "arrays.npz").write_bytes(b"cut")
    assert checkpoints.latest() is None
    assert Checkpoints(store, ["a", "c"], 0.0).latest() is None


def test_checkpoints_keep_to_their_interval(tmp_path: Path) -> None:
    seldom = study(runtime={"workers": 1, "checkpoint": 3600.0})

    class Look(NullListener):
        def on_training_step(self, job: Any, step: int, steps: int, loss: Array) -> None:
            # The end of a cohort is kept until its networks are written.
            assert step == steps or not list(tmp_path.glob("store/co/course-*"))

    _, outcomes = done(seldom, tmp_path, Look())
    assert [outcome.failure for outcome in outcomes] == [None] * 5


def test_checkpoints_are_made_before_they_would_be_too_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pauses every 4 s, and at most 10 s to lose: kept at 8, 16, ..."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    network = study().expand()[0][1]
    courses: list[TrainingState] = []
    train(network.cell, network.task, [network.training], [0], checkpoint=courses.append)
    checkpoints = Checkpoints(Store(tmp_path), ["a"], 10.0)
    kept = []
    for course in (replace(courses[0], done=pause) for pause in range(1, 6)):
        now[0] += 4.0
        checkpoints.keep(course)
        kept.append([path.name[-1] for path in tmp_path.glob("co/course-*")])
    assert kept == [[], ["2"], ["2"], ["4"], ["4"]]


def test_diverged_networks_are_tried_again_from_fresh_seeds(tmp_path: Path) -> None:
    # So large a gain makes some relu networks overflow within a trial, by the luck of their seeds.
    wild = {"kind": "vanilla", "recurrent_initializer": {"kind": "normal", "gain": 4.0}}
    explosive = {
        "tasks": [{"kind": "flip_flop", "bits": 1, "length": 40, "evaluation_trials": 8}],
        "networks": {"cells": [wild], "activations": "relu", "units": 4, "seeds": 4},
    }
    training = {"steps": 10, "batch": 4, "record_every": 5}
    once, _ = done(study(**explosive, training=training), tmp_path)
    lost = once.members["status"] == "diverged"
    assert list(lost) == [False, True, True, True]
    again, _ = done(study(**explosive, training={**training, "retry": 8}), tmp_path)
    assert list(again.members["status"]) == ["trained"] * 4
    assert list(again.members["attempt"] > 0) == list(lost)
    for name, had_diverged in zip(again.members["member"], lost, strict=True):
        found = again.trained_network(name)
        assert (found.seed[0] != int(name[-3:])) == had_diverged
        np.testing.assert_array_equal(found.seed, fresh_seed(int(name[-3:]), found.attempt[0]))
    # A network that is tried again is the same whoever else is, but for rounding.
    networks = {**explosive["networks"], "seeds": [3]}
    alone = study(tasks=explosive["tasks"], networks=networks, training={**training, "retry": 8})
    single, _ = done(alone, tmp_path / "alone")
    name = "flip_flop-vanilla-relu-4-s003"
    assert single.trained_network(name).attempt[0] == again.trained_network(name).attempt[0]
    np.testing.assert_allclose(
        single.trained_network(name).evaluation_loss,
        again.trained_network(name).evaluation_loss,
        rtol=1e-3,
    )
    assert not list(again.store.root.glob("co/course-*"))
