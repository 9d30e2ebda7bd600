"""The soak script: it breaks what it says, and sees what is lost or differs."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(TOOLS))
    import soak

    return soak


@pytest.fixture
def commands(soak: Any) -> Any:
    from broken_runs import commands

    return commands


@pytest.fixture
def contents(soak: Any) -> Any:
    from broken_runs import contents

    return contents


def record(folder: Path, letter: str) -> Path:
    path = folder / "store" / (2 * letter) / (40 * letter) / "arrays.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(letter.encode() * 100)
    return path


def test_every_damage_changes_the_file(soak: Any, tmp_path: Path) -> None:
    from broken_runs.damages import DAMAGES

    source = random.Random(0)
    for i, damage in enumerate(DAMAGES):
        first = record(tmp_path / str(i), "a")
        record(tmp_path / str(i), "b")
        before = first.read_bytes()
        damage(first, source)
        assert not first.exists() or first.read_bytes() != before


def test_stored_results_are_those_of_addresses(contents: Any, tmp_path: Path) -> None:
    record(tmp_path, "a")
    for name in ("format", ".damaged/x", "cc/course-1/meta.json"):
        path = tmp_path / "store" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not a result")
    assert list(contents.stored(tmp_path)) == [f"store/aa/{40 * 'a'}/arrays.npz"]


def test_files_that_differ_or_are_absent_are_named(contents: Any) -> None:
    found = contents.differences({"a": b"1", "b": b"2"}, {"a": b"1", "b": b"3", "c": b""})
    assert found == ["b", "c"]


def test_a_result_is_lost_if_it_is_gone_or_was_made_again(contents: Any) -> None:
    before, after = {"a": 1, "b": 2, "c": 0, "d": 0}, {"a": 1, "b": 3, "c": 7}
    assert contents.losses(before, after) == ["b", "d"]


def write_run(folder: Path, date: str, weights: str, address: str = "a" * 40) -> Path:
    """Write what is compared of a run: its Keras file has a date, weights, and an address."""
    for name in ("members.csv", "resolved.yaml", "store/index.csv", "report/tables/a.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "models").mkdir()
    with zipfile.ZipFile(folder / "models" / "a.keras", "w") as archive:
        archive.writestr("metadata.json", date)
        archive.writestr("model.weights.h5", weights)
        archive.comment = address.encode()
    return folder


def test_models_the_index_and_the_resolved_spec_are_compared(contents: Any, tmp_path: Path) -> None:
    first = contents.contents(write_run(tmp_path / "first", "monday", "weights"))
    assert len(first) == 5
    again = contents.contents(write_run(tmp_path / "again", "tuesday", "weights"))
    assert contents.differences(first, again) == []
    for name, other in (("weights", ("monday", "others")), ("address", ("monday", "weights", "b"))):
        found = contents.contents(write_run(tmp_path / name, *other))
        assert contents.differences(first, found) == ["models/a.keras"]
    for name in ("resolved.yaml", "store/index.csv"):
        (tmp_path / "again" / name).write_text("another")
    (tmp_path / "again" / "models" / "a.keras").write_text("no archive")
    found = contents.contents(tmp_path / "again")
    names = ["models/a.keras", "resolved.yaml", "store/index.csv"]
    assert contents.differences(first, found) == names


def test_a_result_that_is_lost_with_a_worker_at_a_crash_point_is_seen(
    soak: Any, contents: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from broken_runs import kinds

    run, folder = tmp_path / "worker-point-1", tmp_path

    class MadeAgain:
        """A run that makes a result again after its worker was killed."""

        def __init__(self, arguments: Any, log: Path, conditions: Any) -> None:
            self.killed, self.turns = conditions.killed_worker, 0
            self.result = record(run, "a")

        def wait(self, seconds: float) -> int | None:
            self.turns += 1
            if self.turns == 2:
                self.killed.touch()
            return None if self.turns < 9 else 0

        def end(self) -> int:
            os.utime(self.result, ns=(1, 1))
            return 0

    monkeypatch.setattr(kinds, "Command", MadeAgain)
    broken = kinds.Soak.__new__(kinds.Soak)
    broken.folder, broken.spec, broken.log = folder, folder / "spec.yaml", folder / "log"
    broken.source, broken._points = random.Random(0), {}
    broken.changes, broken.results = 8, {"another"}
    outcome = soak.Outcome("worker-point")
    whole = broken.worker_point(run, outcome)
    assert outcome.phases == ["jobs"]
    assert contents.losses(whole, contents.stored(run)) == [f"store/aa/{40 * 'a'}/arrays.npz"]


def outcomes(soak: Any) -> list[Any]:
    return [
        soak.Outcome("kill", ["start", "jobs"], seconds=6.0),
        soak.Outcome("kill", ["report"], lost=["x"], problems=["exit code 3"], seconds=1.0),
        soak.Outcome("disk", ["jobs"], differing=["members.csv"], seconds=1.0),
    ]


def test_the_table_counts_by_kind(soak: Any) -> None:
    assert soak.table(outcomes(soak)).splitlines()[2:] == [
        "| kill | 2 | 3 | 1 | 1 | 1 | 0 | 1 | 0 | 1 |",
        "| disk | 1 | 1 | 0 | 1 | 0 | 0 | 0 | 1 | 0 |",
    ]


def test_the_summary_can_be_quoted(soak: Any) -> None:
    assert soak.summary(outcomes(soak), 9) == (
        "4 breaks of 3 runs (1 before the first result, 2 between results, 1 after the last "
        "result): 1 results lost, all 9 files equal in 2 of 3 runs (1 differ), 1 other problems, "
        "2.0 s a break."
    )


def test_it_goes_on_until_each_kind_has_its_breaks(soak: Any) -> None:
    options = soak._options(["--breaks", "2", "--kinds", "kill", "disk"])
    assert soak._is_open(options, [], 0)
    assert soak._is_open(options, outcomes(soak), 2), "of the disk there is one"
    assert not soak._is_open(options, [*outcomes(soak), soak.Outcome("disk", ["done"])], 3)


def test_no_crash_point_comes_twice_before_all_have_come(soak: Any) -> None:
    unstarted = soak.Soak.__new__(soak.Soak)
    unstarted.source, unstarted._points = random.Random(0), {}
    points = [unstarted._next_point("point", 7) for _ in range(14)]
    assert sorted(points[:7]) == sorted(points[7:]) == list(range(1, 8))
    assert unstarted._next_point("worker-point", 1) == 1


def test_a_command_is_a_process_group_with_the_output_in_a_file(
    commands: Any, tmp_path: Path
) -> None:
    command = commands.Command(["list", "cells"], tmp_path / "output")
    assert command.end() == 0
    assert "vanilla" in (tmp_path / "output").read_text()
    assert command.group_ends(5.0)
    assert commands.run_command(["check", "absent.yaml"], tmp_path / "output") == 2


def test_a_killed_command_tells_its_signal(
    commands: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_command", lambda *_: time.sleep(600))
    command = commands.Command([], tmp_path / "output")
    assert command.wait(0.05) is None
    command.kill_group(signal.SIGKILL)
    assert command.end() == -signal.SIGKILL


def test_children_of_a_command_are_found(
    commands: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep_twice(*_: Any) -> int:
        os.fork()
        time.sleep(600)
        return 0

    monkeypatch.setattr(commands, "_command", sleep_twice)
    command = commands.Command([], tmp_path / "output")
    while not (children := command.children()):
        time.sleep(0.01)
    assert len(children) == 1
    commands.Command.kill(command.pid)
    assert command.end() == -signal.SIGKILL
    assert not command.group_ends(0.1), "the child goes on"
    command.kill_group(signal.SIGKILL)
    assert command.group_ends(10.0)


def test_a_command_is_killed_before_a_change_of_the_file_system(
    commands: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnstudy.cli import commands as cli
    from rnnstudy.core.files import write_file

    monkeypatch.setattr(cli, "main", lambda: write_file(tmp_path / "a.txt", "text"))
    output = tmp_path / "output"
    for change, written in ((1, False), (4, True)):  # create, sync, rename, sync
        code = commands.run_command([], output, commands.Conditions(killed_at=change))
        assert code == -signal.SIGKILL
        assert (tmp_path / "a.txt").exists() == written
    assert commands.run_command([], output, commands.Conditions(killed_at=9)) == 0


def test_of_workers_the_first_is_killed(
    commands: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnstudy.cli import commands as cli
    from rnnstudy.core.files import write_file

    def work() -> None:
        for name in "ab":
            worker = os.fork()
            if not worker:
                write_file(tmp_path / name, "text")
                os._exit(0)
            os.waitpid(worker, 0)
        write_file(tmp_path / "c", "text")

    monkeypatch.setattr(cli, "main", work)
    conditions = commands.Conditions(killed_at=1, killed_worker=tmp_path / "killed")
    assert commands.run_command([], tmp_path / "output", conditions) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c", "killed", "output"]


def test_a_full_disk_is_one_sentence(commands: Any, soak: Any, tmp_path: Path) -> None:
    spec = tmp_path / "soak.yaml"
    spec.write_text(soak.spec_text(1, 10))
    arguments = ["run", str(spec), "--out", str(tmp_path / "run")]
    output = tmp_path / "output"
    code = commands.run_command(arguments, output, commands.Conditions(full_from=1))
    assert code in (1, 2)
    assert "no space left on device" in output.read_text()
    assert len(output.read_text().splitlines()) == 1
    assert "Traceback" not in output.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["kill", "worker", "cluster", "worker-point"])
def test_one_broken_run_ends_as_an_unbroken_one(tmp_path: Path, kind: str) -> None:
    if kind != "kill":
        pytest.importorskip("distributed")  # these run on worker processes
    written = tmp_path / "soak.json"
    options = ["--kinds", kind, "--networks", "1", "--steps", "80", "--json", str(written)]
    done = subprocess.run(
        [sys.executable, TOOLS / "soak.py", *options, "--folder", tmp_path / "runs"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (outcome,) = json.loads(written.read_text())
    assert outcome["kind"] == kind
    assert outcome["lost"] == outcome["differing"] == outcome["problems"] == []
