"""The benchmark of GPUs: what was not measured says so, and what was is in the tables."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[1] / "tools" / "bench"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCH))
    import gpu

    monkeypatch.setattr(gpu, "DRIVERS", ())
    return gpu


def test_without_a_gpu_nothing_is_measured(gpu: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--cells", "gru"]) == 0
    shown = capsys.readouterr().out
    assert "Device: not measured. Peak of a large float32 product: not measured." in shown
    rows = [line for line in shown.splitlines() if line.startswith("| gru")]
    assert len(rows) == 2
    cells = [cell.strip() for row in rows for cell in row.split("|")[2:-1]]
    assert set(cells) == {"not measured"}


def test_what_was_measured_is_shown_and_the_rest_says_so(gpu: Any) -> None:
    found = gpu.Found("gru", losses=2e-5, points=1e-12, keras=50.0)
    found.rates = {64: 5000.0}
    found.shares = {64: 0.25}
    found.memory = {64: 640 * 2**20}
    shown = gpu.report("H200", 6e13, gpu.FULL, [found])
    assert "Device: H200. Peak of a large float32 product: 60.0 TF/s." in shown
    assert "| gru | 5,000 | not measured | 50 | 100.0x | 25.0% |" in shown
    assert "| gru | 2e-05 | 1e-12 | 10.0 | not measured |" in shown


def test_networks_that_fit_follow_from_the_slope(gpu: Any) -> None:
    assert gpu._fitting({10: 1000, 110: 11_000}, 101_000) == 1010
    assert gpu._fitting({10: 1000}, 101_000) is None
    assert gpu._fitting({10: 1000, 110: 11_000}, 0) is None


def test_a_wrong_device_ends_with_1(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(gpu.Bench):  # type: ignore[name-defined, misc]
        def ask(self, who: str, gpu: bool, what: str, *arguments: Any) -> Any:
            if what == "losses":
                return [1.0, 0.5 + bool(gpu)]
            raise sys.modules["workers"].Failed("no answer")

    monkeypatch.setattr(gpu, "Bench", Wrong)
    monkeypatch.setattr(gpu, "DRIVERS", ("/",))
    assert gpu.main(["--cells", "gru"]) == 1


@pytest.mark.slow
def test_a_tiny_measurement_on_the_cpu(tmp_path: Path) -> None:
    written = tmp_path / "gpu.json"
    arguments = ["--tiny", "--cpu", "--cells", "vanilla", "--json", str(written)]
    environment = os.environ | {"PYTHONPATH": str(BENCH.parents[1])}
    done = subprocess.run(
        [sys.executable, BENCH / "gpu.py", *arguments],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (cell,) = json.loads(written.read_text())["cells"]
    assert cell["failures"] == []
    assert cell["losses"] == cell["points"] == 0.0
    assert cell["keras"] > 0
    assert set(cell["rates"]) == {"2", "4"}
