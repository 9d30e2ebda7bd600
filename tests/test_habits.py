"""Checks that run outside of the tests: workflow, hooks, untested messages."""

import importlib.util
import os
from pathlib import Path

import coverage
import pytest
import yaml

ROOT = Path(__file__).parents[1]
GATES = ("ruff check", "ruff format", "codespell", "lint-imports", "tools/language.py")


def read_yaml(path):
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def test_workflow_hooks_and_gate_run_the_same_checks():
    steps = read_yaml(".github/workflows/test.yml")["jobs"]["style"]["steps"]
    hooks = read_yaml(".pre-commit-config.yaml")["repos"][0]["hooks"]
    for text in (
        "\n".join(step.get("run", "") for step in steps),
        "\n".join(hook["entry"] for hook in hooks),
        (ROOT / ".ci" / "run").read_text("utf-8"),
    ):
        assert [gate for gate in GATES if gate not in text] == []


def test_files_that_the_workflow_runs_are_there_and_executable():
    jobs = read_yaml(".github/workflows/test.yml")["jobs"]
    commands = [word for job in jobs.values() for step in job["steps"]
                for word in step.get("run", "").split() if word.startswith("tools/")]  # fmt: skip
    assert {"tools/test", "tools/try_wheel", "tools/language.py"} <= set(commands)
    for command in commands:
        assert os.access(ROOT / command, os.X_OK), command


@pytest.fixture
def untested(monkeypatch, tmp_path):
    path = ROOT / "tools" / "untested_messages.py"
    spec = importlib.util.spec_from_file_location("untested_messages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PACKAGE", tmp_path / "house")
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "room.py").write_text(
        "def go(x):\n    if x < 0:\n        raise ValueError(f'x must be positive, got {x}')\n"
        "    if x > 9:\n        raise TypeError('x must be small')\n"
    )
    return module


def test_messages_that_no_test_raises_are_listed(untested, tmp_path, capsys):
    data = coverage.CoverageData(str(tmp_path / "data"))
    data.add_lines({str(tmp_path / "house" / "room.py"): {1, 2, 3}})
    data.write()
    assert untested.main([str(tmp_path / "data")]) == 0
    assert capsys.readouterr().out == "house/room.py:5: TypeError('x must be small')\n"


def test_missing_coverage_data_is_an_error(untested, tmp_path, capsys):
    assert untested.main([str(tmp_path / "none")]) == 2
    assert "Run the tests with --cov" in capsys.readouterr().err
