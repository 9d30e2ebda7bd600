"""The training benchmark: what it compares is the same, what it says is whole."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "bench" / "train.py"


def _run(*arguments, path=""):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(path), str(SCRIPT.parents[2])])}
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments], env=environment, capture_output=True, text=True
    )


@pytest.mark.slow
def test_a_tiny_run_agrees_and_reports_every_contender(tmp_path):
    (tmp_path / "jax.py").write_text('raise ModuleNotFoundError("gone", name="jax")\n')
    written = tmp_path / "found.json"
    arguments = ["--quick", "--cells", "gru", "--contenders", "ours", "keras", "jax"]
    done = _run(*arguments, "--threads", "1", "--json", str(written), path=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "jax skipped: jax is not installed" in done.stdout
    assert "the best alternative" in done.stdout
    found = json.loads(written.read_text())
    losses = found["agreement"]["gru tanh"]
    # Six losses each, in float32; sums run in different orders.
    np.testing.assert_allclose(losses["ours"], losses["keras"], rtol=1e-4)
    assert losses["ours"][-1] < losses["ours"][0]
    case = found["cases"][0]
    entries = {entry["contender"]: entry for entry in case["entries"]}
    assert entries["jax"]["skipped"] == "jax is not installed"
    ratio = entries["keras"]["ms"] / entries["ours"]["ms"]
    assert case["ratio_to_best_alternative"] == pytest.approx(ratio)
    assert entries["ours"]["share_of_floor"] == pytest.approx(
        case["floor_ms"] / entries["ours"]["ms"]
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--cells", "gruu"], "argument --cells: invalid choice: 'gruu'"),
        (["--sizes", "64x0x9"], "argument --sizes: '64x0x9' is not UNITSxBATCHxSTEPS"),
        (["--members", "0"], "argument --members: '0' is not a number from 1 on"),
        (["--json", "/no/such/x.json"], "argument --json: '/no/such/x.json' cannot be written"),
    ],
)
def test_a_bad_argument_is_one_sentence(arguments, sentence):
    done = _run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"train.py: {sentence}")
    assert done.stderr.count("\n") == 1


def test_targets_hold_the_last_pulse(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    case = importlib.import_module("contenders.case").Case("lstm", "tanh", 5, 4, 30, 1)
    inputs, targets = case.batches(2, seed=3)
    held = np.zeros_like(inputs[:, :, 0])
    for t in range(case.time):
        held = np.where(inputs[:, :, t] != 0, inputs[:, :, t], held)
        np.testing.assert_array_equal(targets[:, :, t], held)


def test_parameters_and_operations_are_those_counted_by_hand(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    case = importlib.import_module("contenders.case").Case("lstm", "tanh", 5, 4, 30, 1)
    kernel, recurrent, readout = 3 * 20, 5 * 20, 5 * 3
    assert case.parameters() == kernel + recurrent + 20 + readout + 3
    assert case.flops() == 2 * 4 * 30 * (2 * kernel + 3 * recurrent + 3 * readout)
