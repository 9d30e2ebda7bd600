"""The benchmark of all pairs: what it compares is the same, what it says is whole."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnstudy.metrics import METRICS

SCRIPT = Path(__file__).parents[1] / "tools" / "bench" / "pairs.py"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("pairs")


def test_a_tiny_run_agrees_and_reports_every_way(bench, tmp_path, capsys):
    written = tmp_path / "found.json"
    metrics = ["svcca", "cca", "cka", "procrustes", "rsa"]
    assert bench.main(["--quick", "--metrics", *metrics, "--json", str(written)]) == 0
    cases = json.loads(written.read_text())["cases"]
    assert [case["metric"] for case in cases] == metrics
    assert [row["name"] for row in cases[0]["naive"]] == ["by definition", "metric.distance"]
    assert [row["name"] for row in cases[4]["naive"]] == ["metric.distance"]
    for case in cases:
        ours = case["ours"]
        assert 0.0 < ours["all_s"] == pytest.approx(ours["prepare_s"] + ours["compare_s"])
        assert all(row["all_s"] == pytest.approx(66 * row["pair_s"]) for row in case["naive"])
        assert case["largest_difference"] < 1e-9
    assert "ours is faster" in capsys.readouterr().out


def test_tiles_from_a_disk_are_all_pairs(bench, monkeypatch):
    monkeypatch.setattr(bench, "BLOCK", 4)
    states = bench.Population(10, 5, 100)
    tiled, ours = bench._tiled(METRICS["svcca"](), states)
    assert ours["tiles"] == 6
    assert tiled == pytest.approx(bench._at_once(METRICS["svcca"](), states)[0], abs=1e-11)


def test_numbers_that_differ_are_an_error(bench, monkeypatch, capsys):
    monkeypatch.setitem(bench.DEFINITIONS, "cka", lambda x, y: 0.5)
    assert bench.main(["--quick", "--metrics", "cka"]) == 1
    assert capsys.readouterr().err.startswith("pairs.py: numbers differ by ")


def test_networks_are_the_same_whenever_they_are_made(bench):
    one, other = bench.Population(4, 3, 50), bench.Population(9, 3, 50)
    assert one[2].dtype == np.float32
    np.testing.assert_array_equal(one[2], other[2])
    assert not np.array_equal(one[2], one[3])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--metrics", "ccca"], "argument --metrics: invalid choice: 'ccca'"),
        (["--networks", "1"], "argument --networks: '1' is not a number from 2 on"),
    ],
)
def test_a_bad_argument_is_one_sentence(arguments, sentence):
    done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"pairs.py: {sentence}")
    assert done.stderr.count("\n") == 1
