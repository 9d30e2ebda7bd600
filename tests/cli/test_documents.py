"""JSON of the commands: one strict document on stdout with the keys that the guide lists."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from documents import ROOT, text_of
from made_findings import findings
from pretended import pretend
from typer.testing import CliRunner

from rnnstudy.analyses import ANALYSES
from rnnstudy.cells import CELLS
from rnnstudy.cli.commands import app
from rnnstudy.cli.summaries.documents import json_text
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import load_study, resolve_study

SPEC = {
    "study": "small",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12}],
    "networks": {"cells": ["vanilla", "gru"], "units": 2, "seeds": 2},
    "training": {"steps": 10, "batch": 2},
    "analyses": ["fixed_points"],
    "claims": ["cube"],
}


def strict(text: str) -> dict[str, Any]:
    """Parse a document; NaN and infinity, which are no JSON, are refused."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    parsed = json.loads(text, parse_constant=refuse)
    assert isinstance(parsed, dict)
    return parsed


def keys_of(command: str) -> set[str]:
    """Return the keys of a command that the guide lists."""
    section = text_of(ROOT / "docs" / "guide" / "spec.md").split("## JSON")[1].split("## Exit")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, flags=re.MULTILINE)
    return {key for key, words in rows if words.strip() == "all" or f"`{command}`" in words}


def output(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.exception
    return strict(done.stdout)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run directory of four networks, one of which has diverged and one is missing."""
    folder = tmp_path_factory.mktemp("run") / "a run"
    study = load_study(SPEC)
    run = Run(folder, study)
    folder.mkdir()
    run.store.create()
    (folder / "resolved.yaml").write_text(resolve_study(study), encoding="utf-8")
    for i, (_, network) in enumerate(run.index.pairs):
        if i < 3:
            pretend(run.store, network, diverged_at=3 if i == 2 else -1, solved=i != 2)
    return folder


def test_numbers_that_are_not_finite_are_null() -> None:
    import numpy as np

    values = {"a": float("inf"), "b": [np.float64("nan"), np.int64(3), np.True_], "c": (1.5, None)}
    assert strict(json_text(values)) == {
        "format": 1, "a": None, "b": [None, 3, True], "c": [1.5, None],
    }  # fmt: skip


def test_check_prints_the_plan(tmp_path: Path) -> None:
    spec = tmp_path / "small spec.yaml"
    spec.write_text(json.dumps(SPEC))  # JSON is YAML
    plan = output("check", str(spec), "--out", str(tmp_path / "run"))
    assert set(plan) == keys_of("check")
    assert (plan["study"], plan["networks"], plan["tasks"]) == ("small", 4, ["flip_flop"])
    assert [group["networks"] for group in plan["groups"]] == [2, 2]
    assert {"kind": "train", "done": 0, "total": 4} in plan["results"]
    assert plan["to_train"]["networks"] == 4
    assert plan["to_train_later"] is None
    costs = {cost["kind"]: cost for cost in plan["costs"]}
    assert costs["train"]["work"] == {"steps": 40}
    assert plan["bytes"] == sum(cost["bytes"] for cost in plan["costs"])
    assert not (tmp_path / "run").exists()


def test_an_error_leaves_stdout_empty(tmp_path: Path) -> None:
    spec = tmp_path / "bad.yaml"
    spec.write_text(json.dumps({**SPEC, "claims": ["cubes"]}))
    done = CliRunner().invoke(app, ["check", str(spec), "--json"])
    assert done.exception is not None
    assert done.stdout == ""


def test_status_prints_networks_and_results(run_folder: Path) -> None:
    status = output("status", str(run_folder))
    assert set(status) == keys_of("status")
    assert status["status"] == {"trained": 2, "diverged": 1, "missing": 1}
    assert status["solved"] == 2
    assert status["diverged"] == ["flip_flop-gru-tanh-2-s000"]
    assert {"kind": "train", "done": 3, "total": 4} in status["results"]
    assert [row["verdict"] for row in status["claims"]] == ["not computed"]
    assert status["report"] is None
    assert sum(part["bytes"] for part in status["sizes"].values()) > 0


def test_claims_have_the_columns_of_the_frame(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = findings("supported", "uninformative", "not computed")
    monkeypatch.setattr(Run, "verdicts", lambda self: results)
    document = output("claims", str(run_folder))
    assert set(document) == keys_of("claims")
    rows = document["claims"]
    columns = set(Run(run_folder, load_study(SPEC)).claims)
    assert all(set(row) == columns | {"effect_is", "controls"} for row in rows)
    assert [row["verdict"] for row in rows] == ["supported", "uninformative", "not computed"]
    assert [row["effect"] for row in rows] == [0.883, None, None]
    assert [row["controls"] for row in rows] == ["pass", "pass", None]


def test_the_catalogues_are_complete() -> None:
    everything = output("list")
    assert set(everything) == {
        "format", "tasks", "losses", "cells", "analyses", "metrics", "claims", "examples",
    }  # fmt: skip
    assert [entry["kind"] for entry in everything["cells"]] == list(CELLS)
    cells = output("list", "cells")
    assert cells == {"format": 1, "cells": everything["cells"]}
    lstm = next(entry for entry in cells["cells"] if entry["kind"] == "lstm")
    clip = next(field for field in lstm["fields"] if field["name"] == "clip")
    assert (clip["required"], clip["default"]) == (False, None)
    topology = next(entry for entry in everything["analyses"] if entry["kind"] == "topology")
    assert topology["tasks"]
    assert "sine" not in topology["tasks"]
    assert [entry["kind"] for entry in everything["analyses"]] == list(ANALYSES)
