"""The benchmark of fixed points: what it compares is the same map, what it says is whole."""

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

if importlib.util.find_spec("torch") is None:
    pytest.skip("the baseline is in PyTorch", allow_module_level=True)

SCRIPT = Path(__file__).parents[1] / "tools" / "bench" / "fixed_points.py"


@pytest.mark.slow
def test_a_tiny_run_agrees_and_reports_both(tmp_path):
    written = tmp_path / "found.json"
    arguments = ["--quick", "--cells", "gru", "--activations", "tanh", "--cache", tmp_path]
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments, "--json", written], capture_output=True, text=True
    )
    # After 20 steps of training Adam may be faster to its 40 iterations: that is said, no failure.
    assert done.returncode in (0, 1), done.stderr
    assert "in the median" in done.stdout
    (case,) = json.loads(written.read_text())["cases"]
    assert case["adam"]["iterations"] <= 40
    assert case["full"]["points"] >= 1
    assert case["full"]["false_points"] == 0
    assert case["full"]["worst_speed"] < 1e-24
    assert case["full"]["wall_ratio"] == pytest.approx(
        case["adam"]["wall_s"] / case["full"]["wall_s"]
    )


def test_a_bad_argument_is_one_sentence():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--cache", "x", "--cells", "gruu"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("fixed_points.py: argument --cells: invalid choice: 'gruu'")
    assert done.stderr.count("\n") == 1
