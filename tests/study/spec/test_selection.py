"""Selection: what a spec may ask for, who competes, who wins, and that nothing is done twice."""

import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnstudy import runner
from rnnstudy.core.lazy_imports import keras_models
from rnnstudy.population.initialise import initial_population
from rnnstudy.report.build import page
from rnnstudy.runner import NullListener
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.execute import execute
from rnnstudy.study.plan import train as training
from rnnstudy.study.plan.plan import Plan, make_plan, stages
from rnnstudy.study.plan.selection import (
    Select,
    best_candidate,
    select_candidate,
    selection_groups,
    selection_result,
)
from rnnstudy.study.plan.train import Train
from rnnstudy.study.results.run import Run, open_run
from rnnstudy.study.results.selection_table import selection_exhibits
from rnnstudy.study.spec.selection import PendingNetwork
from rnnstudy.study.spec.study import Study, build_study, load_study, resolve_study, study_of
from rnnstudy.study.spec_text.document import SpecError
from rnnstudy.study.spec_text.reader import parse_document
from rnnstudy.study.store import Store
from rnnstudy.study.upkeep.damage import damage_in_words
from rnnstudy.training.train import TrainedNetworks

HEAD = """\
study: s
tasks: [flip_flop]
networks: {cells: [vanilla, gru], seeds: 2}
"""
FIELDS = "learning_rate, final_rate, clip_norm, l2, rate_l2, state_noise, train_initial_state"

MISTAKES = {
    "unknown and unfit fields": (
        HEAD + "selection: {lr: [1, 2], batch: [8, 16], seeds: 0, statistic: max}\n",
        (
            "4:13: selection.lr is not a known key; known keys: seeds, steps, statistic, "
            f"{FIELDS}"
        ),
        f"4:25: selection.batch cannot be selected; fields that can: {FIELDS}",
        "4:48: selection.seeds is 0; it should be at least 1",
        "4:62: selection.statistic is 'max'; known: mean, median",
    ),
    "an unfit field alone": (
        HEAD + "selection: {cells: [gru], units: [8, 16]}\n",
        f"4:13: selection.cells is not a known key; known keys: seeds, steps, statistic, {FIELDS}",
        f"4:27: selection.units is not a known key; known keys: seeds, steps, statistic, {FIELDS}",
    ),
    "values": (
        HEAD + "selection: {learning_rate: [0, 1e-2], l2: [0, 0.0], state_noise: [x]}\n",
        "4:29: selection.learning_rate[0] is 0; it should be above 0",
        "4:47: selection.l2[1] is listed twice",
        "4:67: selection.state_noise[0] is 'x', a text; it should be a number",
    ),
    "nothing to choose": (
        HEAD + "selection: {seeds: 3}\n",
        (
            "4:12: selection names no field to choose; "
            "list values, like learning_rate: [1e-2, 1e-3]"
        ),
    ),
    "one value": (
        HEAD + "selection: {l2: [1, 2], learning_rate: 0.1}\n",
        (
            "4:25: selection.learning_rate is one value, which leaves nothing to choose; "
            "give it in 'training'"
        ),
    ),
    "a mapping wanted": (
        HEAD + "selection: [learning_rate]\n",
        "4:12: selection is a list; it should be a mapping",
    ),
    "fields that stand elsewhere too": (
        HEAD.replace("seeds: 2", "l2: [0, 1]")
        + "training: {state_noise: 0}\nselection: {l2: [2, 3], state_noise: [0, 1]}\n",
        "5:13: selection.l2 is also given by networks.l2; keep one of the two",
        "5:25: selection.state_noise is also given by training.state_noise; keep one of the two",
    ),
    "a pilot's seed": (
        HEAD.replace("seeds: 2", "seeds: [0, 2147483646]") + "selection: {l2: [0, 1]}\n",
        "4:12: selection trains pilots from the seed 2147483646, which networks.seeds has too",
    ),
    "too many pilots": (
        HEAD + f"selection: {{seeds: 1000, l2: {list(range(60))}}}\n",
        "4:12: selection asks for 120000 pilots; a study has at most 100000 networks",
    ),
    "overrides that leave nothing": (
        HEAD + "selection: {l2: [0, 1], learning_rate: [1, 2]}\n"
        "overrides: [{set: {training: {l2: 3}}}]\n",
        (
            "4:17: selection.l2 is set by overrides for every network, "
            "which leaves nothing to choose"
        ),
    ),
    "an override where a chosen field has some value": (
        HEAD + "selection: {l2: [0, 1]}\n"
        "overrides: [{where: {l2: 0}, set: {training: {batch: 3}}}]\n",
        (
            "5:22: overrides[0].where.l2 is not a known key; known keys: task, cell, activation, "
            "units, seed"
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gives_its_message(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, *expected = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:  # noqa: PT011 - the whole text is compared
        load_study("a.yaml")
    assert str(caught.value).split("\n") == [f"a.yaml:{line}" for line in expected]


SPEC: dict[str, Any] = {
    "study": "chosen",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12, "evaluation_trials": 32}],
    "networks": {"cells": "vanilla", "units": 4, "seeds": 2},
    "training": {"steps": 12, "batch": 4, "record_every": 6},
    "selection": {"learning_rate": [1e-7, 3e-2, 1e30], "steps": 30},
    "report": {"formats": "svg"},
    "runtime": {"workers": 2},
}


def study(**changes: Any) -> Study:
    return study_of({**SPEC, **changes})


def test_a_resolved_study_reads_back_equal_and_takes_settings() -> None:
    found = study_of(SPEC, ["selection.seeds=3", "selection.l2=[0, 1e-3]"])
    assert found.selection is not None
    assert (found.selection.seeds, found.selection.l2) == (3, (0.0, 1e-3))  # type: ignore[attr-defined]
    assert build_study(parse_document(resolve_study(found), "a.yaml")) == found
    assert study_of({**SPEC, "selection": None}).selection is None


def test_candidates_are_crossed_and_their_pilots_are_ordinary_networks() -> None:
    select = {"learning_rate": [1e-2, 1e-3], "l2": [0, 1e-4], "seeds": 3, "steps": 7}
    training = {"steps": 12, "batch": 4, "stop": "solved", "retry": 2}
    networks = {**SPEC["networks"], "state_noise": [0, 0.1]}
    found = study(selection=select, training=training, networks=networks)
    first, second = selection_groups(found)
    assert (first.name, second.name) == (
        "flip_flop-vanilla-tanh-4-state_noise=0.0",
        "flip_flop-vanilla-tanh-4-state_noise=0.1",
    )
    assert (first.members, second.members) == ((0, 1), (2, 3))
    assert first.candidates == tuple(
        {"learning_rate": rate, "l2": l2} for rate in (1e-2, 1e-3) for l2 in (0.0, 1e-4)
    )
    name, pilot = second.pilots[-1]
    assert name == f"{second.name}-learning_rate=0.001-l2=0.0001-p002"
    assert pilot.training == found.training.replace(
        state_noise=0.1, learning_rate=1e-3, l2=1e-4, steps=7, stop="budget", retry=0
    )
    assert {p.seed for p in first.networks} == {2**31 - 1, 2**31 - 2, 2**31 - 3}
    assert len({p.key() for p in (*first.networks, *second.networks)}) == 24


def test_networks_have_no_address_before_the_choice() -> None:
    (_, network), *_ = study().expand()
    assert isinstance(network, PendingNetwork)
    with pytest.raises(
        ValueError, match="learning_rate of this network must be chosen before it has"
    ):
        network.key()


def test_a_choice_keeps_its_address_whatever_else_the_study_holds() -> None:
    few, many = (
        selection_groups(study()),
        selection_groups(study(networks={**SPEC["networks"], "seeds": 9})),
    )
    assert [c.address for c in few] == [c.address for c in many]
    (other,) = selection_groups(study(selection={**SPEC["selection"], "statistic": "median"}))
    assert other.address != few[0].address
    assert [p.key() for p in other.networks] == [p.key() for p in few[0].networks]


def test_fields_that_an_override_sets_are_kept_and_the_others_chosen() -> None:
    select = {"learning_rate": [1e-2, 1e-3], "l2": [0, 1e-4]}
    overrides = [
        {"where": {"cell": "gru"}, "set": {"training": {"l2": 0.5, "batch": 2}}},
        {"where": {"cell": "lstm"}, "set": {"training": {"l2": 0.5, "learning_rate": 0.5}}},
        {"where": {"cell": "vanilla", "seed": 1}, "set": {"training": {"steps": 9}}},
    ]
    networks = {"cells": ["vanilla", "gru", "lstm"], "units": 4, "seeds": 3}
    found = study(selection=select, networks=networks, overrides=overrides)
    both, shorter, gru = selection_groups(found)
    assert (both.members, shorter.members, gru.members) == ((0, 2), (1,), (3, 4, 5))
    assert shorter.name == f"{both.name}-s001"
    assert len(both.candidates) == len(shorter.candidates) == 4
    assert gru.candidates == ({"learning_rate": 1e-2}, {"learning_rate": 1e-3})
    assert {(p.training.l2, p.training.batch) for p in gru.networks} == {(0.5, 2)}
    assert {n.training.learning_rate for _, n in found.expand()[6:]} == {0.5}
    assert not any(isinstance(n, PendingNetwork) for _, n in found.expand()[6:])


INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("loss", "by", "expected"),
    [
        ([[3.0, 3.0], [1.0, 2.0], [2.0, 2.0]], "mean", 1),
        ([[2.0, 2.0], [1.0, 3.0]], "mean", 0),
        ([[0.1, INF], [9.0, 9.0]], "mean", 1),
        ([[0.1, NAN], [9.0, 9.0]], "mean", 1),
        ([[0.1, 0.2, INF], [1.0, 1.0, 1.0]], "mean", 1),
        ([[0.1, 0.2, INF], [1.0, 1.0, 1.0]], "median", 0),
        ([[0.1, INF, NAN], [1.0, 1.0, 1.0]], "median", 1),
        ([[INF, INF], [1.0, INF], [0.1, INF]], "mean", 1),
        ([[INF, INF], [NAN, INF]], "median", 0),
    ],
)
def test_the_best_candidate(loss: list[list[float]], by: str, expected: int) -> None:
    assert best_candidate(np.array(loss), by) == expected


class Jobs(NullListener):
    """Remembers what was begun."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def on_job_start(self, job: Any) -> None:
        self.labels.append(job.label)


def run(study: Study, directory: Path) -> tuple[Run, list[str]]:
    """The finished run, and the labels of the jobs that it took."""
    jobs = Jobs()
    found = runner.run(study, directory, progress=lambda plan: nullcontext(jobs))
    return found, jobs.labels


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    return run(study(), tmp_path_factory.mktemp("selection"))


def test_the_choice_is_the_one_that_the_pilots_speak_for(finished: tuple[Run, list[str]]) -> None:
    """Judged by Keras models of the pilots, on trials that are drawn here."""
    found, _ = finished
    (contest,) = selection_groups(found.study)
    trials = contest.networks[0].task.sample(np.array([3, 0], np.int32), 32)
    weight = np.asarray(trials.mask)[..., None]
    losses = []
    for pilot in contest.networks:
        trained = found.store.read(pilot.key(), TrainedNetworks)
        model = keras_models.to_model(trained.population, 0)
        outputs = model.predict(np.asarray(trials.inputs), verbose=0)
        loss = float(np.sum(weight * (outputs - trials.targets) ** 2) / weight.sum())
        losses.append(INF if trained.status[0] == "diverged" else loss)
    expected = np.array(losses).reshape(3, 2)
    made = selection_result(contest, found.store)
    assert made is not None
    # The same float32 arithmetic in another order.
    np.testing.assert_allclose(made.loss, expected, rtol=1e-4)
    # A rate of 1e-7 moves nothing in 30 steps, and one of 1e30 ends in infinities.
    assert np.isinf(expected[2]).all()
    assert made.chosen == 1 == int(np.argmin(expected.mean(axis=1)))
    assert expected[1].mean() < 0.8 * expected[0].mean()


def test_every_network_trains_with_what_was_chosen(finished: tuple[Run, list[str]]) -> None:
    found, labels = finished
    assert [label.split(" ")[0] for label in labels] == [
        "pilots", "select", "train", "representations",
    ]  # fmt: skip
    assert found.members["learning_rate"].tolist() == [3e-2, 3e-2]
    fixed = study(selection=None, training={**SPEC["training"], "learning_rate": 3e-2})
    assert [n.key() for _, n in fixed.expand()] == [found.key(n) for n in found.members["member"]]
    # A study that says so itself finds them trained.
    assert make_plan(fixed, found.store).todo == ()


def test_a_second_run_does_nothing_and_changes_no_table(finished: tuple[Run, list[str]]) -> None:
    found, _ = finished
    tables = [found.directory / name for name in ("members.csv", "selection.csv")]
    before = [table.read_bytes() for table in tables]
    assert run(found.study, found.directory)[1] == []
    assert [table.read_bytes() for table in tables] == before


def test_more_seeds_train_the_new_networks_alone(finished: tuple[Run, list[str]]) -> None:
    more = study(networks={**SPEC["networks"], "seeds": 3})
    plan = make_plan(more, finished[0].store)
    assert [job.names for job in plan.cohorts] == [("flip_flop-vanilla-tanh-4-s002",)]
    assert not plan.selecting


def test_another_candidate_trains_its_pilots_alone(finished: tuple[Run, list[str]]) -> None:
    rates = [*SPEC["selection"]["learning_rate"], 1e-3]
    plan = make_plan(study(selection={"learning_rate": rates, "steps": 30}), finished[0].store)
    (pilots,) = plan.cohorts
    assert {n.training.learning_rate for n in pilots.networks} == {1e-3}
    assert [type(job) for job in plan.todo] == [Train, Select]
    assert {name: (done, total) for name, done, total in plan.done} == {
        "pilots": (6, 8), "selection": (0, 1), "train": (0, 2), "representations": (0, 2),
    }  # fmt: skip


def test_a_choice_outlives_its_pilots_and_damage_to_it_is_mended(
    finished: tuple[Run, list[str]], tmp_path: Path
) -> None:
    shutil.copytree(finished[0].store.root, tmp_path / "store")
    store, (contest,) = Store(tmp_path / "store"), selection_groups(study())
    for pilot in contest.networks[:3]:
        shutil.rmtree(store.folder(pilot.key()))
    assert make_plan(study(), store).todo == ()
    (store.folder(contest.address) / "arrays.npz").write_bytes(b"cut")
    plan = make_plan(study(), store)
    assert [len(job.networks) for job in plan.cohorts] == [3]
    assert plan.selecting


@pytest.mark.parametrize("keeps_size", [True, False])
def test_a_damaged_choice_is_named(
    finished: tuple[Run, list[str]], tmp_path: Path, keeps_size: bool
) -> None:
    shutil.copytree(finished[0].directory, tmp_path / "run")
    found = open_run(tmp_path / "run")
    group = found.index.groups[0]
    path = found.store.folder(group.address) / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-1] + (b"x" if keeps_size else b""))
    words = damage_in_words(open_run(tmp_path / "run").at_one_time())
    assert words.startswith(f"selection of {group.name}: {path} does not match its checksum")


def test_what_was_chosen_is_in_the_folder_and_in_the_report(
    finished: tuple[Run, list[str]],
) -> None:
    found, _ = finished
    lines = (found.directory / "selection.csv").read_text().splitlines()
    assert lines[0] == "networks,learning_rate,pilots,diverged,validation_loss,chosen"
    assert [line.split(",")[1:4] for line in lines[1:]] == [
        ["1e-07", "2", "0"], ["0.03", "2", "0"], ["1e+30", "2", "2"],
    ]  # fmt: skip
    assert [line.endswith("True") for line in lines[1:]] == [False, True, False]
    task = next(section for section in page(found).sections if section.label == "flip_flop")
    first = task.all_parts[0]
    assert (first.title, first.failure) == ("Selection", "")
    table, strips = first.exhibits
    assert table.columns["chosen"] == [False, True, False]  # type: ignore[attr-defined]
    assert table.columns["validation_loss"][2] is None  # type: ignore[attr-defined]
    (strip,) = strips.exhibits  # type: ignore[attr-defined]
    assert strip.categories[2] == "learning_rate=0.03 (chosen)"
    tables = {path.name for path in (found.directory / "report" / "tables").iterdir()}
    assert "flip_flop-selection-candidates.csv" in tables


def test_a_run_that_is_killed_between_the_stages_goes_on_to_the_same_bits(
    finished: tuple[Run, list[str]], tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    first = next(stages(study(), store))
    assert {type(job) for job in first.todo} == {Train, Select}
    assert [job.names for job in first.waiting] == [
        ("flip_flop-vanilla-tanh-4-s000", "flip_flop-vanilla-tanh-4-s001")
    ]
    # Of the first stage, the choice is still open.
    pilots = Plan(first.index, first.cohorts, first.done)
    execute(pilots, store, study().runtime, NullListener())
    waiting = Run(tmp_path, study())
    assert waiting.members["status"].tolist() == ["missing", "missing"]
    assert waiting.members["learning_rate"].tolist() == [None, None]
    assert not waiting.selection["chosen"].any()
    with pytest.raises(RunError, match=r"learning_rate of '.*-s000' are not chosen yet"):
        waiting.key("flip_flop-vanilla-tanh-4-s000")
    resumed, labels = run(study(), tmp_path)
    assert [label.split(" ")[0] for label in labels] == ["select", "train", "representations"]
    assert waiting.key("flip_flop-vanilla-tanh-4-s000") in set(store.keys())
    for name in resumed.members["member"]:
        one, other = finished[0].trained_network(name), resumed.trained_network(name)
        np.testing.assert_array_equal(one.loss, other.loss)


@pytest.mark.slow
def test_pilots_that_fail_cost_only_their_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = study(
        networks={"cells": "vanilla", "units": [3, 4], "seeds": 2},
        analyses=[{"kind": "pairs", "metric": "cka", "networks": "trained"}],
        report={"models": "*"},
    )
    real = training.train

    def fragile(cell: Any, *rest: Any, **options: Any) -> Any:
        if cell.units == 3:
            raise ValueError("too wide for this test")
        return real(cell, *rest, **options)

    monkeypatch.setattr(training, "train", fragile)
    found, _ = run(two, tmp_path)
    assert list(found.members["status"]) == ["missing", "missing", "trained", "trained"]
    assert sorted(failure.reason.partition(" (")[0] for failure in found.failures()) == [
        "RuntimeError: not chosen: 6 pilots could not be trained",
        "ValueError: too wide for this test",
    ]
    assert found.distances("cka").shape == (2, 2)
    task = next(section for section in page(found).sections if section.label == "flip_flop")
    assert "not chosen" in task.all_parts[0].failure
    assert len(list((tmp_path / "models").iterdir())) == 2
    monkeypatch.undo()
    found, labels = run(two, tmp_path)
    assert not any(label.startswith(("pilots", "train")) and "-4" in label for label in labels)
    assert list(found.members["status"]) == ["trained"] * 4
    assert found.distances("cka").shape == (4, 4)
    assert found.provenance["failures"] == []


def test_where_every_pilot_diverges_the_first_is_taken_and_the_report_says_so() -> None:
    hopeless = study(selection={"learning_rate": [1e29, 1e30]})
    (contest,) = selection_groups(hopeless)
    pilots = [pretended(pilot, diverged_at=1) for pilot in contest.networks]
    made = select_candidate(contest, pilots)
    assert made.chosen == 0
    assert np.isinf(made.loss).all()
    shown = list(selection_exhibits([(contest, made)], ["learning_rate"]))
    assert [part.title for part in shown] == [
        "Candidates", "No good candidate", "Validation loss of every pilot",
    ]  # fmt: skip


def pretended(network: Any, diverged_at: int) -> TrainedNetworks:
    """A network as if it had been trained."""
    task, one, curve = network.task, np.zeros(1), np.zeros((1, 1))
    return TrainedNetworks(
        population=initial_population(network.cell, task.inputs, task.outputs, [network.seed]),
        seed=np.array([network.seed]),
        attempt=np.array([0]),
        step=np.array([0]),
        loss=curve,
        accuracy=curve,
        steps=np.array([5]),
        diverged_at=np.array([diverged_at]),
        evaluation_loss=one,
        evaluation_accuracy=one,
        solved=np.array([True]),
    )
