"""From Python: what a run leaves in its folder when its spec changes, and when networks diverge."""

import fcntl
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from rnnstudy import runner
from rnnstudy.cli.commands import app
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan import plan as plan_module
from rnnstudy.study.results import files
from rnnstudy.study.results.run import Run, open_run
from rnnstudy.study.spec import study as study_module
from rnnstudy.study.spec.study import Study, study_of
from rnnstudy.training.train import TrainedNetworks

SPEC: dict[str, Any] = {
    "study": "small",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12, "probe_length": 12}],
    "networks": {"cells": "vanilla", "units": 4, "seeds": 2},
    "training": {"steps": 5, "batch": 4},
    "report": {"models": "*", "formats": "svg"},
}
NAME = "flip_flop-vanilla-tanh-4-s000"


def study(**training: Any) -> Study:
    return study_of({**SPEC, "training": {**SPEC["training"], **training}})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return runner.run(study(), tmp_path_factory.mktemp("run"))


def saved(run: Run) -> Any:
    return keras.models.load_model(run.directory / "models" / f"{NAME}.keras")


def test_a_saved_model_is_of_the_spec_that_ran_last(run: Run) -> None:
    file = run.directory / "models" / f"{NAME}.keras"
    before = file.read_bytes()
    runner.write_models(run)
    assert file.read_bytes() == before
    longer = runner.run(study(steps=9), run.directory)
    for found in (saved(longer), longer.model(NAME)):
        np.testing.assert_array_equal(
            found.get_layer("readout").kernel.numpy(),
            longer.trained_network(NAME).population.readout["kernel"][0],
        )


def test_a_shared_store_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner.run(study_of({**SPEC, "runtime": {"store": "shared"}}), "mine")
    monkeypatch.chdir("/")
    again = open_run(tmp_path / "mine")
    assert again.store.root == tmp_path / "shared"
    assert list(again.members["status"]) == ["trained", "trained"]


def test_failures_of_an_earlier_spec_are_forgotten(run: Run) -> None:
    file = run.directory / "provenance.json"
    file.write_text(json.dumps({"failures": {"train x": "RuntimeError: no"}}))
    assert runner.run(run.study, run.directory).provenance["failures"] == []


@pytest.mark.parametrize("damage", ["{", "[]", "\xff"])
def test_a_damaged_provenance_is_no_provenance(run: Run, damage: str) -> None:
    (run.directory / "provenance.json").write_text(damage, encoding="latin-1")
    assert run.provenance == {}


WRONG_PROVENANCES: list[dict[str, Any]] = [
    {"failures": [1]},
    {"failures": 1},
    {"failures": [{"kind": "train"}]},
    {"failures": [{"kind": "a", "task": "b", "members": 1, "label": "c", "reason": "d"}]},
    {"failures": [{"kind": "a", "task": "b", "members": [], "label": "c", "reason": "d", "e": 1}]},
    {"failures": {"train x": 1}},
    {"command": [1]},
    {"command": "run"},
    {"devices": {}},
    {"versions": []},
]


@pytest.mark.parametrize("data", WRONG_PROVENANCES)
def test_a_provenance_of_wrong_shape_is_refused_in_a_sentence(run: Run, data: Any) -> None:
    (run.directory / "provenance.json").write_text(json.dumps(data))
    (name,) = data
    words = rf"provenance.json: '{name}' must be .*, got .*\. Remove the file and run"
    with pytest.raises(RunError, match=words) as caught:
        open_run(run.directory).failures()
    assert "\n" not in str(caught.value)


def test_commands_refuse_a_provenance_of_wrong_shape(run: Run) -> None:
    path = run.directory / "provenance.json"
    path.write_text(json.dumps({"failures": [1]}))
    for command in ("status", "report"):
        done = CliRunner().invoke(app, [command, str(run.directory)])
        assert isinstance(done.exception, RunError)
    with pytest.raises(RunError, match="must be a list of failed jobs, got"):
        runner.run(run.study, run.directory)
    path.unlink()
    assert runner.run(run.study, run.directory).failures() == []


def test_the_step_of_divergence_is_an_integer_in_the_table(run: Run) -> None:
    table = runner.run(study(learning_rate=1e30, clip_norm=1e30), run.directory / "diverged")
    text = (table.directory / "members.csv").read_text().splitlines()
    assert text[0].endswith(",diverged_at,left_out")
    assert all(line.split(",")[-2] in ("", "1", "2", "3", "4") for line in text[1:])


def test_a_run_expands_its_study_once_and_plans_once_per_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: dict[str, int] = {}

    def count(module: Any, name: str) -> None:
        real = getattr(module, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            calls[name] = calls.get(name, 0) + 1
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, counted)

    count(study_module, "expand_grid")
    count(study_module, "imported_networks")
    count(plan_module, "make_plan")
    (tmp_path / "a.yaml").write_text(json.dumps(SPEC | {"analyses": ["fixed_points"]}))
    words = ["run", str(tmp_path / "a.yaml"), "--out", str(tmp_path / "run")]
    for _ in range(2):
        calls.clear()
        assert CliRunner().invoke(app, words).exit_code == 0
        # The second call of `imported_networks` checks what analyses and claims are about.
        assert calls == {"expand_grid": 1, "imported_networks": 2, "make_plan": 1}
    (tmp_path / "a.yaml").write_text(json.dumps(SPEC | {"selection": {"l2": [0, 1], "steps": 2}}))
    calls.clear()
    assert CliRunner().invoke(app, words).exit_code == 0
    assert calls == {"expand_grid": 1, "imported_networks": 1, "make_plan": 2}


def test_outcomes_stand_beside_the_weights_and_a_table_reads_no_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = runner.run(study(), tmp_path).members
    monkeypatch.setattr(TrainedNetworks, "load", None)
    after = open_run(tmp_path)
    assert after.members.equals(before)
    assert {name: (done, total) for name, done, total in after.plan().done}["train"] == (2, 2)
    monkeypatch.undo()
    # A store of an earlier version has none.
    for network in after.index.networks:
        after.store.remove(network.key("outcome"))
    assert open_run(tmp_path).members.equals(before)


def test_a_report_is_drawn_again_only_if_it_would_differ(tmp_path: Path) -> None:
    found = runner.run(study(), tmp_path)
    page = tmp_path / "report" / "index.html"
    drawn = page.stat().st_mtime_ns
    runner.run(study(), tmp_path)
    assert page.stat().st_mtime_ns == drawn
    figure = next((tmp_path / "report" / "figures").iterdir())
    figure.unlink()
    runner.run(study(), tmp_path)
    assert figure.exists()
    retitled = found.study.replace(report=found.study.report.replace(title="Another"))
    runner.run(retitled, tmp_path)
    assert "Another" in page.read_text()


PAIRS = [{"kind": "pairs", "metric": "cka"}, {"kind": "embedding", "of": "cka"}]


def test_where_every_network_diverged_there_is_nothing_to_compare_and_nothing_failed(
    tmp_path: Path,
) -> None:
    hopeless = study_of({
        **SPEC, "analyses": PAIRS, "runtime": {"forbid": "nothing"},
        "training": {"steps": 5, "batch": 4, "learning_rate": 1e30},
    })  # fmt: skip
    for _ in range(2):
        found = runner.run(hopeless, tmp_path)
        assert list(found.members["status"]) == ["diverged", "diverged"]
        assert found.provenance["failures"] == []
        assert files.unusable(found) == []


def test_a_second_run_in_the_same_folder_is_kept_out(tmp_path: Path) -> None:
    with (
        files.directory_lock(tmp_path),
        pytest.raises(RunError, match=r"another run is at work in .*; wait until it ends"),
    ):
        runner.run(study(), tmp_path)
    assert runner.run(study(), tmp_path).members["status"].eq("trained").all()


@pytest.mark.parametrize("kind", [fcntl.LOCK_EX, fcntl.LOCK_SH])
def test_a_run_of_another_machine_is_known_by_its_locked_file(tmp_path: Path, kind: int) -> None:
    """Another machine does not see a lock of the directory."""
    with open(tmp_path / files.LOCK, "w") as file:
        fcntl.flock(file, kind)
        with pytest.raises(RunError, match=r"another run is at work in"):
            runner.run(study(), tmp_path)
    with (
        files.directory_lock(tmp_path),
        open(tmp_path / files.LOCK, "r+") as file,
        pytest.raises(BlockingIOError, match="unavailable"),
    ):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_shards_share_the_lock_of_the_file(tmp_path: Path) -> None:
    with (
        files.directory_lock(tmp_path, shared=True),
        files.directory_lock(tmp_path, shared=True),
        pytest.raises(RunError, match="another run is at work in"),
        files.directory_lock(tmp_path),
    ):
        pass


def test_a_mistyped_network_is_answered_with_the_nearest(run: Run, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="did you mean 'flip_flop-vanilla-tanh-4-s000'"):
        files.export(run, f"{NAME}x", tmp_path / "a.keras")


def test_a_model_predicts_whatever_characters_its_name_has(tmp_path: Path) -> None:
    networks = {**SPEC["networks"], "l2": [0, 1e-6], "seeds": 1}
    found = runner.run(study_of({**SPEC, "networks": networks}), tmp_path)
    model = found.model("flip_flop-vanilla-tanh-4-l2=1e-06-s000")
    assert model.predict(np.zeros((1, 12, 1), "float32"), verbose=0).shape == (1, 12, 1)
