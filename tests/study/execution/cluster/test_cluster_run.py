"""A whole study on worker processes: the files of the run are those of one process."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

from rnnstudy import runner
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import Study, study_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SPEC: dict[str, Any] = {
    "study": "cluster",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12, "probe_length": 12,
               "solved_loss": 100.0, "solved_accuracy": 0.0}],
    "networks": {"cells": ["vanilla", "gru"], "units": 4, "seeds": 3},
    "training": {"steps": 6, "batch": 4},
    "selection": {"learning_rate": [0.01, 0.1], "seeds": 1, "steps": 3},
    "analyses": ["fixed_points", "topology",
                 {"kind": "pairs", "metric": {"kind": "svcca", "dimensions": 2}}],
    "report": {"formats": "svg"},
}  # fmt: skip


def study(**runtime: Any) -> Study:
    return study_of({**SPEC, "runtime": runtime})


def files(directory: Path) -> dict[str, bytes]:
    report = directory / "report"
    shown = [*sorted((report / "tables").iterdir()), *sorted((report / "figures").rglob("*"))]
    files = [directory / "members.csv", *(path for path in shown if path.is_file())]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def arrays(run: Run) -> dict[str, bytes]:
    """Return address -> bytes of the arrays of each result."""
    keys = sorted(run.store.keys())
    return {key: (run.store.folder(key) / "arrays.npz").read_bytes() for key in keys}


@pytest.fixture(scope="module")
def threads(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The study without worker processes."""
    return runner.run(study(), tmp_path_factory.mktemp("threads"))


@pytest.mark.parametrize("workers", [2, 4])
def test_a_study_on_processes_has_the_bytes_of_one_in_threads(
    tmp_path: Path, threads: Run, workers: int
) -> None:
    processes = runner.run(study(cluster=f"local:{workers}"), tmp_path)
    assert processes.failures() == threads.failures() == []
    assert files(processes.directory) == files(threads.directory)
    assert arrays(processes) == arrays(threads)


def test_a_class_of_the_user_reaches_the_workers(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from rnnstudy.cells.vanilla import Vanilla\n\n\nclass Mine(Vanilla):\n"
        '    """A cell of the user."""\n'
    )
    (tmp_path / "spec.yaml").write_text(
        "study: mine\ntasks: [{kind: flip_flop, bits: 1, length: 12, probe_length: 12}]\n"
        "networks: {cells: ['mine:Mine'], units: 4, seeds: 2}\ntraining: {steps: 3, batch: 4}\n"
        "report: {formats: svg}\nruntime: {forbid: nothing}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "rnnstudy", "run", "spec.yaml", "--allow-plugins", "--cluster",
         "local:2"],
        cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Dashboard: http://127.0.0.1:" in done.stdout
    assert "2 of 2 networks trained" in done.stdout
    assert "Traceback" not in done.stderr
