"""The command as a user meets it: a whole small study in a process of its own."""

import csv
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rnnstudy import __main__ as command
from rnnstudy.cells.lstm import LSTM
from rnnstudy.cli import commands
from rnnstudy.cli.commands import app

ROOT = Path(__file__).parents[2]

SPEC = """\
study: tiny
tasks:
  - {kind: flip_flop, bits: 2, length: 30, solved_loss: 100.0, solved_accuracy: 0.0}
networks: {cells: [vanilla, gru], units: 8, seeds: 2}
training: {steps: 60, batch: 8, record_every: 20, state_noise: 0.05}
overrides:
  - where: {cell: gru}
    set: {cell: {reset_after: false}}
analyses:
  - {kind: fixed_points}
  - {kind: pairs, metric: {kind: svcca, dimensions: 4}}
  - {kind: pairs, metric: {kind: cka}}
  - {kind: embedding, of: svcca}
report: {models: ["*-gru-tanh-*"], formats: svg}
"""


def rnnstudy(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "rnnstudy", *words],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("study")
    (place / "tiny.yaml").write_text(SPEC)
    return place


@pytest.fixture(scope="module")
def finished(folder: Path) -> subprocess.CompletedProcess[str]:
    return rnnstudy("run", "tiny.yaml", cwd=folder)


def test_a_study_runs_from_spec_to_report(
    finished: subprocess.CompletedProcess[str], folder: Path
) -> None:
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "4 of 4 networks trained" in finished.stdout
    assert "Report: runs/tiny/report/index.html" in finished.stdout
    run = folder / "runs" / "tiny"
    names = {path.name for path in run.iterdir()}
    assert names == {
        "spec.yaml", "resolved.yaml", "members.csv", "provenance.json", "report", "models", "store",
        ".lock",
    }  # fmt: skip
    assert (run / "spec.yaml").read_text() == SPEC
    assert sorted(p.name for p in (run / "models").iterdir()) == [
        "flip_flop-gru-tanh-8-s000.keras",
        "flip_flop-gru-tanh-8-s001.keras",
    ]
    page = (run / "report" / "index.html").read_text()
    for text in ("flip_flop-vanilla-tanh-8-s001", "fixed_points", "svcca", "cka", "tensorflow"):
        assert text in page


def test_members_say_who_they_are_and_how_they_fare(
    finished: subprocess.CompletedProcess[str], folder: Path
) -> None:
    with open(folder / "runs" / "tiny" / "members.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["member"] for row in rows][:3] == [
        "flip_flop-vanilla-tanh-8-s000",
        "flip_flop-vanilla-tanh-8-s001",
        "flip_flop-gru-tanh-8-s000",
    ]
    assert {row["status"] for row in rows} == {"trained"}
    assert all(float(row["loss"]) > 0 for row in rows)


def test_the_same_command_again_trains_nothing_and_changes_no_table(
    finished: subprocess.CompletedProcess[str], folder: Path
) -> None:
    run = folder / "runs" / "tiny"
    tables = [run / "members.csv", *sorted((run / "report" / "tables").iterdir())]
    before = [table.read_bytes() for table in tables]
    provenance = (run / "provenance.json").read_bytes()
    again = rnnstudy("run", "tiny.yaml", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "train: 4 of 4 done" in again.stdout
    assert not re.search(r"\[\d+/\d+\]", again.stdout)
    assert [table.read_bytes() for table in tables] == before
    assert (run / "provenance.json").read_bytes() == provenance


def test_a_saved_model_gives_the_recorded_outputs_in_a_new_process(
    finished: subprocess.CompletedProcess[str], folder: Path
) -> None:
    code = """
import numpy as np, keras, rnnstudy
run = rnnstudy.open_run("runs/tiny")
for name in ("flip_flop-gru-tanh-8-s000", "flip_flop-gru-tanh-8-s001"):
    activity = run.record("representations", name)
    model = keras.models.load_model(f"runs/tiny/models/{name}.keras")
    outputs = model.predict(activity.inputs, verbose=0)
    print(float(np.abs(outputs - activity.outputs).max()), float(np.abs(outputs).max()))
"""
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(),
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    for line in found.stdout.strip().splitlines():
        error, size = map(float, line.split())
        # The same float32 arithmetic in another order of summation, over 60 steps.
        assert error < 1e-5 * max(size, 1.0)


def test_status_report_and_export(
    finished: subprocess.CompletedProcess[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    status = CliRunner().invoke(app, ["status", "runs/tiny"])
    assert status.exit_code == 0
    assert "fixed_points: 4 of 4 done" in status.stdout
    index = folder / "runs" / "tiny" / "report" / "index.html"
    index.unlink()
    assert CliRunner().invoke(app, ["report", "runs/tiny"]).exit_code == 0
    assert index.exists()
    name = "flip_flop-vanilla-tanh-8-s000"
    out = CliRunner().invoke(app, ["export", "runs/tiny", name, "-o", "mine.keras"])
    assert out.exit_code == 0, out.exception
    assert (folder / "mine.keras").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("status", "nowhere"), "nowhere is not a run directory: it has no resolved.yaml"),
        (("export", "runs/tiny", "nobody"), "no network 'nobody' in runs/tiny"),
        (
            ("export", "runs/tiny", "flip_flop-gru-tanh-8-s000", "-o", "model.h5"),
            "model.h5: a Keras model file ends in .keras",
        ),
        (("run", "missing.yaml"), "missing.yaml"),
        (("run", "tiny.yaml", "--set", "training.steps=zero"), "--set training.steps=zero"),
        (("check", "tiny.yaml", "--set", "networks.cells=gruu"), "did you mean 'gru'?"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(
    finished: subprocess.CompletedProcess[str],
    folder: Path,
    words: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["rnnstudy", *words])
    with pytest.raises(SystemExit, match=r"^2$"):
        commands.main()
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) == 1


def test_check_shows_the_plan_without_tensorflow(folder: Path) -> None:
    code = (
        "import sys, rnnstudy.cli.commands as cli\n"
        "sys.argv = ['rnnstudy', 'check', 'tiny.yaml', '--out', 'elsewhere']\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = [m for m in ('tensorflow', 'keras', 'pandas', 'matplotlib', 'plotly', 'sklearn')"
        " if m in sys.modules]\n"
        "assert not heavy, heavy\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert "tiny: 4 networks on flip_flop" in found.stdout
    assert "train: 0 of 4 done" in found.stdout
    assert "to train: 4 networks in 2 cohorts" in found.stdout
    ahead = [line.split() for line in found.stdout.partition("ahead ")[2].splitlines()]
    assert ["fixed_points", "4", "searches", "for", "fixed", "points"] in [w[:6] for w in ahead]
    assert ahead[-1][:2] == ["in", "all"]
    assert not (folder / "elsewhere").exists()


def test_check_plans_for_the_workers_of_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SPEC)
    words = ["check", str(tmp_path / "tiny.yaml"), "--out", str(tmp_path / "run"), "--cluster"]
    batch = CliRunner().invoke(app, [*words, "slurm"])
    assert (batch.exit_code, batch.exception) == (0, None)
    assert "on slurm: up to 4 workers with 1 core, 4 GiB each" in batch.output
    local = CliRunner().invoke(app, [*words, "local:2"])
    assert "on the cluster local:2" in local.output
    # The options of the spec stay.
    cluster = "runtime: {cluster: {kind: slurm, memory: 0.0001, workers: 2}}\n"
    (tmp_path / "tiny.yaml").write_text(SPEC + cluster)
    small = CliRunner().invoke(app, [*words, "slurm"])
    assert "on slurm: up to 2 workers" in small.output
    assert "MiB of a worker (runtime.cluster.memory)" in str(small.exception)


def test_schema_and_lists() -> None:
    schema = json.loads(CliRunner().invoke(app, ["schema"]).stdout)
    assert "networks" in schema["properties"]
    cells = CliRunner().invoke(app, ["list", "cells"]).stdout
    for word in ("vanilla", "ugrnn", "gru", "lstm", "reset_after (True)", "clip (None)"):
        assert word in cells
    # Brackets, as in `[h, c]`, are no markup.
    assert (LSTM.__doc__ or "").partition("\n")[0] in " ".join(cells.split())


def test_an_interrupt_while_the_command_is_read_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib, "import_module", interrupted)
    with pytest.raises(SystemExit, match="130"):
        command.main()
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on_and_does(folder: Path) -> None:
    words = ["run", "tiny.yaml", "--out", "broken", "--set", "training.steps=3000"]
    words += ["--set", "runtime.checkpoint=0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "rnnstudy", *words],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    # Interrupt in the middle of training: TensorFlow is loaded and the first steps are done.
    while time.monotonic() < deadline and not list(folder.glob("broken/store/co/course-*")):
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert "SIGTERM: running jobs end at their next pause" in errors
    assert "What is done is kept in broken; run the same command to go on." in errors
    assert "Traceback" not in errors
    found = rnnstudy("run", "tiny.yaml", "--out", "broken", cwd=folder)
    assert found.returncode == 0
    np.testing.assert_equal(found.stdout.count("4 of 4 networks trained"), 1)


OWN_TASK = """\
import numpy as np
from rnnstudy import StaticInputs, Task, Trials


class Copy(Task):
    inputs: int = 1
    outputs: int = 1
    length: int = 5

    def sample(self, seed, trials):
        import tensorflow as tf

        x = tf.random.stateless_uniform([trials, self.length, 1], seed, alg="philox")
        return Trials(x, x, tf.ones([trials, self.length]))

    def static_inputs(self):
        return StaticInputs(np.zeros((1, 1)), ("no input",))
"""
OWN_SPEC = """\
study: own
tasks: ["beside:Copy"]
networks: {cells: vanilla, units: 2}
training: {steps: 2, batch: 2}
"""


@pytest.mark.slow
def test_classes_beside_the_spec_are_found_from_anywhere_if_that_is_allowed(tmp_path: Path) -> None:
    specs, here, elsewhere = (tmp_path / name for name in ("specs", "here", "elsewhere"))
    for folder in (specs, here, elsewhere):
        folder.mkdir()
    (specs / "beside.py").write_text(OWN_TASK)
    (specs / "own.yaml").write_text(OWN_SPEC)
    for word in ("check", "run"):
        refused = rnnstudy(word, "../specs/own.yaml", cwd=here)
        assert refused.returncode == 2
        assert refused.stderr == (
            "../specs/own.yaml:2:9: tasks[0] is 'beside:Copy', which runs code of the module "
            "'beside'; add --allow-plugins (in Python: allow_plugins=True) if you trust it\n"
        )
    done = rnnstudy("run", "../specs/own.yaml", "--allow-plugins", cwd=here)
    assert (done.returncode, "1 of 1 networks trained" in done.stdout) == (0, True), done.stderr
    words = ("status", "../here/runs/own")
    assert rnnstudy(*words, cwd=elsewhere).returncode == 2
    again = rnnstudy(*words, "--allow-plugins", cwd=elsewhere)
    assert (again.returncode, "1 of 1 networks trained" in again.stdout) == (0, True), again.stderr
    # Without the copies of the code its folder must be the working directory.
    shutil.rmtree(here / "runs" / "own" / "code")
    lost = rnnstudy(*words, "--allow-plugins", cwd=elsewhere)
    assert lost.returncode == 2
    said = "No module named 'beside'; start it from the folder that holds beside.py"
    assert said in " ".join(lost.stderr.split())
    assert rnnstudy(*words, "--allow-plugins", cwd=specs).returncode == 0


CHOOSE = "selection: {learning_rate: [1e-3, 1e-2, 1e-1], l2: [0, 1e-4], seeds: 3, steps: 50}\n"


def test_check_shows_what_waits_for_a_choice(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SPEC + CHOOSE)
    # Large groups are divided among the workers, by default as many as there are cores.
    found = rnnstudy("check", "tiny.yaml", "--set", "runtime.workers=2", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert [line for line in lines if " done" in line][:3] == [
        "pilots: 0 of 36 done",
        "selection: 0 of 2 done",
        "train: 0 of 4 done",
    ]
    first, second = [line for line in lines if line.startswith("to train")]
    assert first.startswith("to train: 36 pilots in 4 cohorts, ")
    assert second.startswith(
        "to train once learning_rate and l2 are chosen: 4 networks in 2 cohorts, "
    )
    # Pilots outnumber the networks 9 to 1 and train for 50 steps instead of 60.
    work = [float(re.findall(r"([0-9.e+]+) floating-point", line)[0]) for line in (first, second)]
    assert work[0] / work[1] == pytest.approx(9 * 50 / 60, rel=0.1)
    assert not (tmp_path / "runs").exists()
