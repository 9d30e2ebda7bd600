"""The tool that writes a run's results down: what it writes is what the run has found."""

import importlib
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from claims.test_prevalence import fixed_points
from claims.test_study import pretend

from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.runner import NullListener
from rnnstudy.study.execution.worker import Worker
from rnnstudy.study.plan.member_analyses import member_analyses
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import TrainedNetworkSpec, study_of
from rnnstudy.study.spec_text.writer import write_document

SCRIPT = Path(__file__).parents[1] / "tools" / "results.py"

SPEC: dict[str, Any] = {
    "study": "tiny",
    "tasks": [{"kind": "flip_flop"}, {"kind": "sine"}, {"kind": "integration"}],
    "networks": {"cells": ["vanilla", "gru"], "units": 4, "seeds": 3},
    "training": {"steps": 5, "batch": 4},
    "analyses": [
        {"kind": "fixed_points", "tasks": ["flip_flop"]},
        {"kind": "pairs", "metric": {"kind": "svcca", "dimensions": 2}},
        {"kind": "embedding", "of": "svcca"},
    ],
    "claims": [
        {"kind": "cube"},
        {"kind": "geometry_depends_on", "factor": "cell", "of": "svcca", "permutations": 19},
    ],
}

PAGE = """# Results

By hand.

<!-- networks -->
an old table
<!-- end -->
Between.
<!-- claims -->
<!-- end -->

The end.
"""


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("results")


def points(counts: list[int]) -> FixedPoints:
    """Points at random, so many of each number of unstable directions."""
    found = fixed_points(counts)
    size = found.state.shape
    return replace(
        found,
        state=np.random.default_rng(0).standard_normal(size),
        eigenvalues=np.full(size, 0.5 + 0.1j),
        searches={"verdict": np.array([0]), "degenerate": np.array([0])},
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run whose networks, their activity and their fixed points were made up."""
    study = study_of(SPEC)
    made = Run(tmp_path / "run", study)
    made.directory.mkdir()
    (made.directory / "spec.yaml").write_text(write_document(SPEC))
    (made.directory / "resolved.yaml").write_text(write_document(SPEC))
    asked = {question.title: question for question in member_analyses(study)}
    for i, (member, network) in enumerate(study.expand()):
        assert isinstance(network, TrainedNetworkSpec)
        pretend(made.store, network)
        states = np.random.default_rng(i).standard_normal((3, 12, 4)).astype(np.float32)
        task = network.task
        made.store.write(
            Representations().key(network.key()),
            Activity(inputs=np.zeros((3, 12, task.inputs)), targets=np.zeros((3, 12, task.outputs)),
                     outputs=np.zeros((3, 12, task.outputs)), states=states),
        )  # fmt: skip
        if task.title == "flip_flop":
            # Four of six networks have a cube.
            has = [8, 12, 6, 1] if member.fields["seed"] else [8, 12]
            made.store.write(asked["fixed_points"].key(network.key()), points(has))
    worker = Worker(made.store, NullListener(), threading.Event(), 60.0, (), None)
    outcomes = [worker.perform(job) for job in make_plan(study, made.store).todo]
    assert [outcome.failure for outcome in outcomes] == [None] * len(outcomes)
    return made


def test_tables_and_figures_are_what_the_run_has_found(tool: Any, run: Run, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(PAGE)
    (tmp_path / "standing.csv").write_text("pattern,standing\n^cube$,withdrawn: see (a)\n")
    tool.main(str(run.directory), str(tmp_path))
    text = (tmp_path / "README.md").read_text()
    assert text.startswith("# Results\n\nBy hand.\n\n<!-- networks -->\n| networks | flip_flop |")
    assert "| gru tanh | 3 of 3 (0.0e+00) | 3 of 3 (0.0e+00) | 3 of 3 (0.0e+00) |\n" in text
    assert "old table" not in text
    assert "<!-- end -->\nBetween.\n<!-- claims -->\n| claim | task | effect (95 %) |" in text
    assert text.endswith("<!-- end -->\n\nThe end.\n")
    # 4 of 6: the interval of Clopper & Pearson, the binomial tail 22 / 64.
    row = next(line for line in text.splitlines() if line.startswith("| `cube`"))
    assert row.startswith("| `cube` | flip_flop | 0.67 (0.22 to 0.96) | 0.34 |")
    assert row.endswith("| withdrawn: see (a) |")
    rows = [line for line in text.splitlines() if line.startswith("| `svcca_depends_on_cell`")]
    assert [row.endswith("| not reviewed |") for row in rows] == [True] * 3
    table = pd.read_csv(tmp_path / "claims.csv")
    assert list(table["claim"]) == ["cube"] + ["svcca_depends_on_cell"] * 3
    assert list(table["task"]) == ["flip_flop", "flip_flop", "sine", "integration"]
    assert table["effect"].to_numpy() == pytest.approx(run.claims["effect"].to_numpy(), rel=1e-3)
    for name in tool.FIGURES:
        picture = matplotlib.image.imread(tmp_path / f"{name}.png")
        assert min(picture.shape[:2]) > 200
        assert picture[..., :3].std() > 0.01
    tool.main(str(run.directory), str(tmp_path))
    assert (tmp_path / "README.md").read_text() == text


def test_what_a_run_has_not_is_said_and_nothing_is_written(
    tool: Any, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text(PAGE)
    for _, network in run.study.expand():
        record = {q.title: q for q in member_analyses(run.study)}["fixed_points"].key(network.key())
        if run.store.has(record):
            run.store.read(record, FixedPoints)
            (run.store.folder(record) / "meta.json").unlink()
    with pytest.raises(LookupError, match="no 'Fixed points of typical networks' by fixed_points"):
        tool.main(str(run.directory), str(tmp_path))
    assert (tmp_path / "README.md").read_text() == PAGE


def test_the_page_gives_every_verdict_a_standing(tool: Any) -> None:
    folder = SCRIPT.parents[1] / "docs" / "results"
    text = (folder / "README.md").read_text(encoding="utf-8")
    table = pd.read_csv(folder / "claims.csv")
    rows = re.findall(r"^\| `(\w+)` .* \| ([^|]+) \|$", text, flags=re.MULTILINE)
    assert [claim for claim, _ in rows] == list(table["claim"])
    standing = tool.standings(folder)
    assert [status for _, status in rows] == [tool.standing_of(c, standing) for c, _ in rows]
    assert "not reviewed" not in dict(rows).values()
    assert sum("not informative" in status for _, status in rows) == 6


def test_a_mistake_is_one_sentence(tmp_path: Path) -> None:
    for words, said in {
        (): "results.py takes two folders: that of a run, and the one to write to",
        (str(tmp_path), str(tmp_path)): "results.py: ",
    }.items():
        found = subprocess.run(
            [sys.executable, str(SCRIPT), *words], capture_output=True, text=True
        )
        assert found.returncode == 1
        assert found.stderr.startswith(said)
        assert found.stderr.count("\n") == 1
