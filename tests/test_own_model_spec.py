"""The shipped study of one's own network, with the script that makes one: both as a user would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rnnstudy import runner
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.study.spec.study import load_study
from rnnstudy.study.spec_text.document import SpecError

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "specs" / "own-model.yaml"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has seen the task once."""
    path = tmp_path_factory.mktemp("own") / "memory-lstm.keras"
    subprocess.run(
        [sys.executable, str(ROOT / "tools" / "own_model.py"), str(path), "1"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return path


def test_the_study_of_ones_own_network_runs(file: Path, tmp_path: Path) -> None:
    short = [
        "tasks.0.solved_loss=100.0",
        "tasks.0.solved_accuracy=0.0",
        "training.steps=2",
        "networks.cells=gru",
        "networks.units=4",
        "networks.seeds=1",
    ]
    cheap = ["analyses.0.search={candidates: 8, rounds: 1}", "report.formats=svg"]
    study = load_study(SPEC, [f"models.0.file={file}", *short, *cheap])
    run = runner.run(study, tmp_path)
    assert run.provenance["failures"] == []
    table = run.members.set_index("member")
    assert list(table.index) == ["flip_flop-gru-tanh-4-s000", "memory-lstm"]
    # An untrained network's loss is above 0.9: nothing is said but the targets' mean.
    assert table.loc["memory-lstm", "loss"] < 0.8
    assert isinstance(run.fixed_points("memory-lstm"), FixedPoints)
    assert run.distances("svcca").loc["memory-lstm"].iloc[0] > 0
    page = (tmp_path / "report" / "index.html").read_text()
    assert "memory-lstm" in page


def test_where_the_file_is_missing_the_answer_is_the_command_that_makes_it(tmp_path: Path) -> None:
    copy = tmp_path / "own-model.yaml"
    copy.write_text(SPEC.read_text())
    with pytest.raises(SpecError) as caught:  # noqa: PT011 - the words are compared
        load_study(copy)
    (line,) = str(caught.value).splitlines()
    command = yaml.safe_load(SPEC.read_text())["models"][0]["origin"]
    assert line.endswith(f"there is no {tmp_path}/memory-lstm.keras; it comes from: {command}")
    script, path = command.split()[1:]
    assert (ROOT / script).exists()
    assert (ROOT / path).parent == SPEC.parent
