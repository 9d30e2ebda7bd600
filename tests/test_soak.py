"""The soak script: it breaks what it says, and sees what is lost or differs."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(TOOLS))
    import soak

    return soak


def record(folder: Path, letter: str) -> Path:
    path = folder / "store" / (2 * letter) / (40 * letter) / "arrays.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(letter.encode() * 100)
    return path


def test_every_damage_changes_the_file(soak: Any, tmp_path: Path) -> None:
    source = random.Random(0)
    for i, damage in enumerate(soak.DAMAGES):
        first = record(tmp_path / str(i), "a")
        record(tmp_path / str(i), "b")
        before = first.read_bytes()
        damage(first, source)
        assert not first.exists() or first.read_bytes() != before


def test_stored_results_are_those_of_addresses(soak: Any, tmp_path: Path) -> None:
    record(tmp_path, "a")
    for name in ("format", ".damaged/x", "cc/course-1/meta.json"):
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not a result")
    assert list(soak._stored(tmp_path)) == [f"store/aa/{40 * 'a'}/arrays.npz"]


def test_files_that_differ_or_are_absent_are_named(soak: Any) -> None:
    found = soak._differences({"a": b"1", "b": b"2"}, {"a": b"1", "b": b"3", "c": b""})
    assert found == ["b", "c"]


def test_the_table_counts_by_kind(soak: Any) -> None:
    outcomes = [
        soak.Outcome("kill", 2),
        soak.Outcome("kill", 1, lost=["x"], problems=["exit code 3"]),
        soak.Outcome("disk", 1, differing=["members.csv"]),
    ]
    assert soak.table(outcomes).splitlines()[2:] == [
        "| kill | 2 | 3 | 1 | 0 | 1 |",
        "| disk | 1 | 1 | 0 | 1 | 0 |",
    ]


def test_a_full_disk_is_one_sentence(tmp_path: Path, soak: Any) -> None:
    spec = tmp_path / "soak.yaml"
    spec.write_text(soak.SPEC.format(seeds=1, steps=10))
    command = ["--as-command", "--full", "1", "run", spec, "--out", tmp_path / "run"]
    done = subprocess.run(
        [sys.executable, TOOLS / "soak.py", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)
    assert done.stderr.strip().endswith("no space left on device")
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_one_killed_run_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    written = tmp_path / "soak.json"
    options = ["--kinds", "kill", "--networks", "1", "--steps", "50", "--json", str(written)]
    done = subprocess.run(
        [sys.executable, TOOLS / "soak.py", *options, "--folder", tmp_path / "runs"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (outcome,) = json.loads(written.read_text())
    assert outcome["kind"] == "kill"
    assert outcome["lost"] == outcome["differing"] == outcome["problems"] == []
