"""Rates of verdicts in simulated studies: a few of each in all runs, a thousand in slow ones."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "bench" / "verdicts.py"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("verdicts")


def test_a_few_studies_have_rates_and_limits(bench: Any, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "rates.json"
    assert bench.main(["--studies", "2", "--only", "earn a verdict", "--json", str(path)]) == 0
    rates = json.loads(path.read_text())
    assert len(rates) == 11
    assert {rate["count"] for rate in rates} == {0}
    assert "at most 0" in capsys.readouterr().out


def test_a_rate_beyond_its_limit_is_told(bench: Any) -> None:
    assert not bench.Rate("q", "c", 1, 1000, at_most=0.0).holds
    assert bench.Rate("q", "c", 60, 1000, at_most=0.05).holds
    assert not bench.Rate("q", "c", 80, 1000, at_most=0.05).holds
    assert not bench.Rate("q", "c", 700, 1000, at_least=0.8).holds


def test_the_difference_of_two_shares_is_their_squared_difference(bench: Any) -> None:
    """The margin of simulated classes, from the mean of many studies."""
    claim, found = bench.claim_of("alike_across"), []
    for seed in range(300):
        measured = bench.classes(np.random.default_rng(seed), 0.9, 0.9 - np.sqrt(0.3))
        found.append(claim._difference(measured.of("trained"), ("vanilla", "gru")))
    # The standard deviation of one study is about 0.13; that of the mean of 300 is 0.008.
    assert np.mean(found) == pytest.approx(0.3, abs=0.03)


@pytest.mark.slow
def test_a_thousand_studies_keep_to_their_limits(bench: Any, tmp_path: Path) -> None:
    path = tmp_path / "rates.json"
    assert bench.main(["--studies", "1000", "--workers", "2", "--json", str(path)]) == 0
