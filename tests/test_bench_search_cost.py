"""The benchmark of what a search costs: what it says is whole."""

import importlib
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).parents[1] / "tools" / "bench"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("search_cost")


@pytest.mark.slow
def test_a_tiny_run_reports_all_three(bench, tmp_path, capsys):
    assert bench.main(["--quick", "--cache", str(tmp_path)]) in (0, 1)
    out = capsys.readouterr().out
    assert "processor time by starts" in out
    assert "processor time by networks" in out
    assert "memory by networks" in out


def test_copies_differ_a_little(bench):
    memory = importlib.import_module("memory_networks")
    population = importlib.import_module("rnnstudy.population.initialise")
    one = population.initial_population(memory.cell_of("gru", "tanh", 8), 3, 3, [0])
    many = bench.copies(one, 3)
    assert len(many) == 3
    for name, values in many.weights.items():
        np.testing.assert_allclose(values, np.repeat(one.weights[name], 3, axis=0), rtol=0.1)
    assert not np.array_equal(
        many.weights["recurrent_kernel"][0], many.weights["recurrent_kernel"][1]
    )


def test_growth_beyond_a_line_is_told(bench):
    console = bench.SafeConsole(quiet=True)
    assert bench.show(console, "starts", [1, 2, 4], [1.0, 2.0, 4.1])
    assert not bench.show(console, "starts", [1, 2, 4], [1.0, 2.0, 8.0])
