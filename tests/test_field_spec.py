"""The shipped study of the field's networks, with the files that its script makes of PyTorch."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from documents import ROOT
from torch_formulas import random_layers

from rnnstudy import runner
from rnnstudy.study.spec.study import load_study

SPEC = ROOT / "specs" / "field.yaml"
OTHER_TASK = "tasks.1={kind: go_no_go, dt: 100}"
"""Task in place of that of NeuroGym, where it is not installed."""


def files_in(folder: Path) -> list[str]:
    """Return the overrides that name the files of a folder."""
    names = {"models": "field-gru.npz", "data": "field-recording.npz"}
    return [f"{section}.0.file={folder / name}" for section, name in names.items()]


def written(folder: Path) -> list[str]:
    """Write a network of PyTorch's names and shapes, and a recording. Return their overrides."""
    weights = {f"rnn.{n}": a for n, a in random_layers("gru", 2, 5, dtype="float32").items()}
    weights |= {"readout.weight": np.ones((2, 5), np.float32), "readout.bias": np.zeros(2)}
    np.savez(folder / "field-gru.npz", **weights)
    draw = np.random.default_rng(0)
    activity = draw.standard_normal((6, 20, 8)).repeat(4, axis=0)
    activity += 0.1 * draw.standard_normal(activity.shape)
    inputs = draw.standard_normal((6, 20, 2)).repeat(4, axis=0)
    sequence = np.arange(6).repeat(4)
    np.savez(folder / "field-recording.npz", activity=activity, inputs=inputs, sequence=sequence)
    return files_in(folder)


def test_the_study_has_the_networks_of_the_field(tmp_path: Path) -> None:
    study = load_study(SPEC, [*written(tmp_path), OTHER_TASK])
    members = [member for member, _ in study.expand()]
    assert len(members) == 2 * 3 * 2 + 1
    cells = {(member.fields["cell"], member.fields["activation"]) for member in members}
    assert cells == {("rate", "tanh"), ("dale", "relu"), ("gru", "tanh"), ("GRU", "tanh")}
    told = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    assert told["tasks"][1]["kind"] == "neurogym"
    script = told["models"][0]["origin"].split()[1]
    assert (ROOT / script).exists()


@pytest.mark.slow
def test_a_small_form_of_the_study_runs(tmp_path: Path) -> None:
    short = ["training.steps=2", "training.batch=2", "networks.units=3", "networks.seeds=1"]
    short += ["tasks.0.length=12", "tasks.0.probe_trials=4", "report.formats=svg"]
    short += ["analyses.0.search={candidates: 8, rounds: 1}"]
    study = load_study(SPEC, [*written(tmp_path), OTHER_TASK, *short])
    run = runner.run(study, tmp_path / "run")
    assert run.failures() == []
    names = [name for name in run.members["member"] if "go_no_go" not in name]
    assert list(run.distances("cka", task="flip_flop").columns) == names
    names.append("field_recording")
    assert list(run.distances("cka_field_recording", task="flip_flop").columns) == names
    assert "field-gru" in names
    page = (tmp_path / "run" / "report" / "index.html").read_text(encoding="utf-8")
    assert all(name in page for name in names)


def test_the_script_writes_a_network_that_the_study_reads(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["field_inputs.py", str(tmp_path), "2"])
        runpy.run_path(str(ROOT / "tools" / "field_inputs.py"), run_name="__main__")
    study = load_study(SPEC, [*files_in(tmp_path), OTHER_TASK])
    assert any(member.name == "field-gru" for member, _ in study.expand())


@pytest.mark.slow
def test_the_study_runs_to_its_report(tmp_path: Path) -> None:
    pytest.importorskip("neurogym")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["field_inputs.py", str(tmp_path)])
        runpy.run_path(str(ROOT / "tools" / "field_inputs.py"), run_name="__main__")
    run = runner.run(load_study(SPEC, files_in(tmp_path)), tmp_path / "run")
    assert run.failures() == []
    page = (tmp_path / "run" / "report" / "index.html").read_text(encoding="utf-8")
    assert re.search("PerceptualDecisionMaking", page)
    assert "field-gru" in page
