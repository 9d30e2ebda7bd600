"""The script that runs the suite under several arithmetics: settings, results, exit status."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "arithmetics.py"
SUITE = """\
import os, signal

def test_that_passes():
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    assert os.environ["XLA_FLAGS"] == "--xla_cpu_max_isa=AVX"
    assert "OPENBLAS_CORETYPE" not in os.environ

def test_that_fails():
    assert False
"""


@pytest.fixture
def arithmetics(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("arithmetics")


def run_script(*arguments):
    # The setting of another arithmetic must not reach a run.
    environment = os.environ | {"OPENBLAS_CORETYPE": "Prescott"}
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_run_applies_its_settings_and_its_failures_are_listed(tmp_path, arithmetics):
    suite = tmp_path / "test_both.py"
    suite.write_text(SUITE)
    name = "xla-avx+sigint-ignored"
    if reason := arithmetics.reason_to_skip(name):
        pytest.skip(reason)
    options = ["--python", sys.executable, "--folder", tmp_path / "logs", name, "--", suite, "-n0"]
    done = run_script(*options)
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(f"test_both.py::test_that_fails: {name}")
    done = run_script(*options, "-k", "passes")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith(f"{name} passed")
    assert "1 passed, 1 deselected" in (tmp_path / "logs" / f"{name}.log").read_text()


def test_an_arithmetic_that_the_machine_lacks_is_skipped(arithmetics, monkeypatch):
    monkeypatch.setattr(arithmetics, "cpu_flags", set)
    monkeypatch.setattr(arithmetics, "find_python", lambda version: "")
    reason = arithmetics.reason_to_skip("openblas-skylakex+sigint-ignored")
    assert reason == "this processor has no avx512f"
    assert arithmetics.reason_to_skip("python3.13-lowest") == "this machine has no Python 3.13"
    assert not arithmetics.reason_to_skip("openblas-default")


def test_wrong_names_are_refused():
    done = run_script("openblas-haswell+abacus")
    assert done.returncode == 2
    assert "got abacus" in done.stderr
    done = run_script("python3.12-lowest+python3.13-newest")
    assert done.returncode == 2
    assert "must name one Python at most" in done.stderr


def test_the_lowest_version_is_the_lowest_admitted_one_with_a_wheel(arithmetics, monkeypatch):
    listed = "numpy (2.10.1)\nAvailable versions: 2.10.1, 2.9.0, 2.1.0, 1.26.4\n  LATEST: 2.10.1"
    monkeypatch.setattr(arithmetics, "output_of", lambda command: listed)
    assert arithmetics.lowest_version("python", "numpy>=2.0") == "numpy==2.1.0"
    assert arithmetics.lowest_version("python", "numpy>=2.9") == "numpy==2.9.0"
    assert arithmetics.lowest_version("python", "numpy>=2.10") == "numpy==2.10.1"


def test_requirements_are_those_of_use_and_of_tests(arithmetics):
    names = [requirement.partition(">=")[0] for requirement in arithmetics.requirements()]
    assert {"numpy", "tensorflow", "pytest", "pytest-xdist"} <= set(names)
    assert "mypy" not in names
