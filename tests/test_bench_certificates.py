"""The benchmark of certificates: counts and bounds."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

BENCH = Path(__file__).parents[1] / "tools" / "bench"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("certificates")


def test_the_bound_is_the_rate_at_which_so_few_failures_have_five_percent(bench):
    for failures, trials in ((0, 100), (2, 700)):
        bound = bench.upper_bound(failures, trials)
        assert binom.cdf(failures, trials, bound) == pytest.approx(0.05)
    assert bench.upper_bound(0, 598) < bench.AIM < bench.upper_bound(0, 597)
    assert bench.upper_bound(3, 3) == 1.0


def test_points_that_were_not_found_are_counted(bench):
    known = bench.Known(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), scale=1.0)
    assert bench.n_missing(known, known.state + 1e-6) == 0
    assert bench.n_missing(known, known.state[[2]]) == 2
    assert bench.n_missing(known, known.state[:0]) == 3


def test_a_network_is_false_if_one_of_its_inputs_is(bench):
    def outcome(member, missing, is_consistent, is_known=True):
        return bench.Outcome("a", member, "now", is_known, 5, missing, is_consistent, 0.5)

    row = bench.summary(
        [
            outcome("1", 0, True), outcome("1", 2, True),
            outcome("2", 0, True), outcome("2", 0, True),
            outcome("3", 0, False),
            outcome("4", 2, True, is_known=False),
        ]
    )  # fmt: skip
    assert row["seconds"] == 3.0
    searches, networks = row["searches"], row["networks"]
    assert [searches[key] for key in ("all", "known", "consistent", "false")] == [6, 5, 4, 1]
    assert [networks[key] for key in ("all", "known", "consistent", "false")] == [4, 3, 2, 1]
    assert searches["complete"] == 4
    assert searches["share"] == 0.75
    assert networks["share"] == 0.5


@pytest.mark.slow
def test_a_tiny_run_knows_its_networks(bench, tmp_path, capsys):
    arguments = ["--cache", str(tmp_path), "--networks", "1", "--only", "random-vanilla-tanh-24"]
    assert bench.main(arguments) == 1  # Two networks bound no rate.
    assert "random vanilla tanh" in capsys.readouterr().out
