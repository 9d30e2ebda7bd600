"""The examples, as a user runs them: small ones always, whole ones with the slow tests."""

import ast
import re
import runpy
import sys
from pathlib import Path

import pytest
from documents import ROOT, text_of

from rnnstudy import open_run, runner
from rnnstudy.study.spec.study import load_study

FOLDER = ROOT / "examples"
SCRIPTS = sorted(FOLDER.glob("*.py"))
PARTS = ("You learn", "It prints", "It takes", "Picture")


def printed(name: str, folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run an example in a folder, and return what it prints. Its picture must be there."""
    picture = folder / "picture.png"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", [name, str(picture), *words])
        runpy.run_path(str(FOLDER / name), run_name="__main__")
    assert picture.stat().st_size > 10_000
    return capsys.readouterr().out


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_each_example_says_what_one_learns(path: Path) -> None:
    text = ast.get_docstring(ast.parse(text_of(path))) or ""
    assert all(part in text for part in PARTS)
    assert f"examples/{path.stem}" in text
    assert f"({path.name})" in text_of(FOLDER / "README.md")


def test_the_examples_use_the_public_interface_alone() -> None:
    public = {"rnnstudy", "rnnstudy.claims", "rnnstudy.exhibits", "rnnstudy.metrics.base"}
    public |= {"rnnstudy.tasks"}
    for path in SCRIPTS:
        for node in ast.walk(ast.parse(text_of(path))):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            ours = {name for name in names if name.partition(".")[0] == "rnnstudy"}
            assert ours <= public, path.name


def test_the_folds_of_the_diagram_are_those_of_the_equation(tmp_path, capsys) -> None:
    out = printed("bifurcations.py", tmp_path, capsys)
    assert re.findall(r"\d +(fold) ", out) == ["fold", "fold"]
    # Folds are located by the root of a test function; the equation is solved by SciPy.
    assert float(re.findall(r"largest difference: (\S+)", out)[0]) < 1e-6


def test_the_network_with_dales_law_keeps_its_signs(tmp_path, capsys) -> None:
    out = printed("dale_network.py", tmp_path, capsys, "1")
    assert "excitatory units that inhibit: 0\n" in out
    assert "inhibitory units that excite: 0\n" in out


@pytest.mark.slow
def test_the_network_with_dales_law_holds_two_decisions(tmp_path, capsys) -> None:
    out = printed("dale_network.py", tmp_path, capsys)
    outputs = [float(value) for value in re.findall(r"stable +output +(\S+),", out)]
    assert min(outputs) < -0.5
    assert max(outputs) > 0.5


def test_the_recorded_network_is_nearest_to_its_recording(tmp_path, capsys) -> None:
    out = printed("recording.py", tmp_path, capsys, "1")
    nearest = re.findall(r"^((?:plain|GRU|rate) \d) +\S+ +\S+$", out, flags=re.MULTILINE)
    assert nearest[0] == "GRU 2"
    assert len(nearest) == 6
    least = float(re.findall(r"least distance that the noise allows: (\S+)", out)[0])
    assert 0.0 < least < 0.5


@pytest.mark.slow
def test_parts_of_ones_own_go_through_their_study(tmp_path, plugins) -> None:
    short = ["training.steps=2", "networks.units=4", "networks.seeds=1", "report.formats=svg"]
    short += ["analyses.0.search={candidates: 8, rounds: 1}"]
    short += [f"analyses.{i}.networks=trained" for i in range(3)]
    study = load_study(FOLDER / "own_parts.yaml", short, allow_plugins=True)
    run = runner.run(study, tmp_path, allow_plugins=True)
    assert run.failures() == []
    assert list(run.members["member"]) == ["hold-leaky-tanh-4-s000", "hold-gru-tanh-4-s000"]
    assert run.record("spectralradius", "hold-gru-tanh-4-s000").value > 0.0
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "Spectral radius" in page
    assert "Networks that learn hold have more than one stable point." in page


@pytest.mark.slow
def test_networks_with_parts_of_ones_own_hold_a_sign_in_two_stable_points(
    tmp_path, plugins, capsys
) -> None:
    out = printed("own_parts.py", tmp_path, capsys)
    run = open_run(tmp_path / "runs" / "own-parts", allow_plugins=True)
    assert run.members["solved"].all()
    for name in run.members["member"]:
        assert (run.fixed_points(name).n_unstable == 0).sum() >= 2
        radius = run.record("spectralradius", name).value
        assert f"{name}: spectral radius {radius:.2f}\n" in out
    assert "\nnot enough networks: " in out


@pytest.mark.slow
def test_the_points_of_a_pytorch_network_do_not_move_in_pytorch(tmp_path, capsys) -> None:
    pytest.importorskip("torch")
    out = printed("pytorch_gru.py", tmp_path, capsys)
    assert float(re.findall(r"largest move in PyTorch: (\S+)", out)[0]) < 1e-8
    assert "stable point with outputs" in out


def test_the_example_of_pytorch_runs(tmp_path, capsys) -> None:
    pytest.importorskip("torch")
    assert "largest move in PyTorch" in printed("pytorch_gru.py", tmp_path, capsys, "5")


def test_the_study_of_neurogym_runs(tmp_path, capsys) -> None:
    pytest.importorskip("neurogym")
    out = printed("neurogym_study.py", tmp_path, capsys, "5")
    assert len(re.findall(r"PerceptualDecisionMaking-\w+-tanh-32-s00\d ", out)) >= 9


@pytest.mark.slow
def test_networks_learn_the_task_of_neurogym(tmp_path, capsys) -> None:
    pytest.importorskip("neurogym")
    out = printed("neurogym_study.py", tmp_path, capsys)
    rows = re.findall(r"PerceptualDecisionMaking-gru-tanh-32-s00\d +\S+ +(\S+)", out)
    assert all(float(accuracy) > 0.75 for accuracy in rows[:3])
