"""The README is right: its examples are run, its spec is the shipped one, its words exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Fenced code blocks of a language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def python(code: str, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{cwd}"}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def test_the_explained_spec_is_the_shipped_quickstart() -> None:
    explained = yaml.safe_load(blocks("yaml")[0])
    shipped = yaml.safe_load((ROOT / "specs" / "quickstart.yaml").read_text())
    assert explained == shipped


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the README's own task and cell, and its study of them, run."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.py").write_text("\n".join(blocks("python")[3:5]))
    (folder / "mine.yaml").write_text(blocks("yaml")[1])
    main = "import sys; from rnnstudy.cli import main; sys.argv = ['rnnstudy', 'run', 'mine.yaml']"
    out = python(f"{main}\nmain()", folder)
    assert "4 of 4 networks trained" in out
    return folder


def test_a_task_and_a_cell_of_ones_own_go_through_a_study(mine: Path) -> None:
    members = (mine / "runs" / "mine" / "members.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in members[1:]] == [
        "recall-gru-tanh-16-s000",
        "recall-gru-tanh-16-s001",
        "recall-leaky-tanh-16-s000",
        "recall-leaky-tanh-16-s001",
    ]


def test_the_python_examples_run_on_a_finished_study(mine: Path) -> None:
    use, keras = blocks("python")[:2]
    here = [
        ("specs/quickstart.yaml", "mine.yaml"),
        ("runs/quickstart", "runs/mine"),
        ("flip_flop-gru-tanh-32-s002", "recall-leaky-tanh-16-s001"),
    ]
    for old, new in here:
        use, keras = use.replace(old, new), keras.replace(old, new)
    check = "assert len(run.members) == 4 and run.fixed_points('recall-leaky-tanh-16-s001')"
    # The example leaves out `pairs`; a study without it has no distances to ask for.
    use = re.sub(r"run\.distances.*", check, use)
    train = (
        "import numpy as np\n"
        "x = np.zeros((4, 15, 1), 'float32')\n"
        "model.fit(x, x, epochs=1, verbose=0)\n"
    )
    python(use, mine)
    python(keras + train, mine)


def test_commands_and_folders_that_the_readme_names_exist() -> None:
    for path in re.findall(r"`((?:tools|specs|rnnstudy)/[\w./-]+)`", README):
        assert (ROOT / path).exists(), path
    for image in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / image).exists(), image


def test_a_network_of_ones_own_is_taken_apart(tmp_path: Path) -> None:
    said = python(blocks("python")[2] + "\nprint(fps)", tmp_path)
    assert "of 1 network at 1 input" in said


@pytest.mark.slow
def test_the_tutorial_draws_the_four_words_of_its_memory(tmp_path: Path) -> None:
    out = python((ROOT / "tools" / "tutorial.py").read_text(), tmp_path)
    assert "9 fixed points" in out
    assert "4 stable" in out
    assert "certificate: consistent" in out
    assert (tmp_path / "lstm.png").stat().st_size > 20_000
    assert "directions" in (tmp_path / "lstm.html").read_text(encoding="utf-8")
