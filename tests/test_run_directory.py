"""The run directory: whole after a crash at any change, and whatever the code of users raises."""

import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np
import pytest
from claims.studied import Large, Size, Sizes
from pretended import pretend
from typer.testing import CliRunner

from rnnstudy import runner
from rnnstudy.analyses.base import Inputs, Section
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.claims import Measurements
from rnnstudy.cli import commands
from rnnstudy.cli.commands import app
from rnnstudy.core.exhibit import Exhibit, Note
from rnnstudy.core.files import DRAFT, changes, write_folder
from rnnstudy.core.record import Record
from rnnstudy.core.storage.errors import AbsentRecord, UnreadableRecord
from rnnstudy.report import build
from rnnstudy.report import page as page_module
from rnnstudy.study.errors import RunError
from rnnstudy.study.execution.leases import LEASES
from rnnstudy.study.execution.signals import Interruption
from rnnstudy.study.execution.worker import JobResult
from rnnstudy.study.results import files
from rnnstudy.study.results.run import Run, open_run
from rnnstudy.study.spec.study import Study, resolve_study, study_of
from rnnstudy.study.store import DAMAGED, Store
from rnnstudy.tasks import Task

SPEC: dict[str, Any] = {
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 12}],
    "networks": {"cells": "vanilla", "units": 3, "seeds": 2},
    "training": {"steps": 5, "batch": 4},
    "analyses": [{"kind": "claims.studied:Sizes", "name": "sizes"}],
}


class Odd(BaseException):
    """An exception that is no Exception."""


ERRORS: dict[str, BaseException] = {
    "value": ValueError("no picture"),
    "exit": SystemExit(3),
    "odd": Odd("so"),
    "interrupt": KeyboardInterrupt("of the user"),
}


class Shown(Sizes):
    """Sizes whose exhibits end in an exception."""

    kind: ClassVar[str] = "tests:Shown"
    error: str = "value"

    def show(self, section: Section) -> Iterable[Exhibit]:
        yield Note(title="before", text="This is shown.")
        raise ERRORS[self.error]


class Speechless(Large):
    """A claim without a statement."""

    kind: ClassVar[str] = "tests:Speechless"

    def statement(self, task: Task) -> str:
        raise SystemExit(5)


class Untitled(Sizes):
    """Sizes without a title."""

    kind: ClassVar[str] = "tests:Untitled"

    @property
    def title_in_words(self) -> str:
        raise SystemExit(4)


class Unasked(Large):
    """A claim without a title and a question."""

    kind: ClassVar[str] = "tests:Unasked"

    @property
    def title_in_words(self) -> str:
        raise Odd("no title")

    def question(self, titles: Mapping[str, str]) -> str:
        raise ValueError("no question")


class Lawless(Large):
    """A claim without a rule."""

    kind: ClassVar[str] = "tests:Lawless"
    error: str = "value"

    @property
    def rule(self) -> str:
        raise ERRORS[self.error]


class Blind(Large):
    """A claim that measures nothing."""

    kind: ClassVar[str] = "tests:Blind"
    error: str = "value"

    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        raise ERRORS[self.error]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the networks of `study`."""
    root = tmp_path_factory.mktemp("stored") / "store"
    for _, network in study(root).expand():
        pretend(Store(root), network)
    return root


def study(root: Path, **changes: Any) -> Study:
    """The study of the tests: two networks, whose models are kept and whose report is a table."""
    report = {"formats": "svg", "models": "*", **changes.pop("report", {})}
    spec = {**SPEC, "study": "small", "report": report, "runtime": {"store": str(root)}}
    return study_of({**spec, **changes})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw figures as their titles, and write models as empty archives."""

    def save(exhibit: Exhibit, folder: Path, name: str, formats: Any) -> None:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.svg").write_text(exhibit.title)

    def archive(run: Run, member: str, comment: str = "") -> bytes:
        content = BytesIO()
        with zipfile.ZipFile(content, "w") as file:
            file.comment = comment.encode()
        return content.getvalue()

    monkeypatch.setattr(build, "_provenance", lambda run: {})  # it has times
    monkeypatch.setattr(page_module, "save_figure", save)
    monkeypatch.setattr(page_module, "plotly_data", lambda exhibit: None)
    monkeypatch.setattr(files, "_model_bytes", archive)


def contents(directory: Path) -> dict[str, bytes]:
    """Every file but drafts. The provenance has times and is only checked to be whole."""
    present = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not any(part.startswith(DRAFT) for part in path.parts)
    }
    if provenance := present.pop("provenance.json", b""):
        assert json.loads(provenance)["failures"] == []
    return present


def parts(files: dict[str, bytes], folder: str) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name.startswith(f"{folder}/")}


class Crash(BaseException):
    """The end of a process: from one change on, none succeeds."""


def crash_at(monkeypatch: pytest.MonkeyPatch, number: int) -> list[str]:
    """Let all changes of the file system fail from one on; return the list of those before."""
    done: list[str] = []

    def before(operation: str, path: Path) -> None:
        if len(done) >= number:
            raise Crash("the process has ended")
        done.append(f"{operation} {path}")

    monkeypatch.setattr(changes, "before_change", before)
    return done


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_crash_at_any_change_leaves_whole_files_and_a_rerun_gives_the_same_bytes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = study(root, networks={**SPEC["networks"], "seeds": 1}, report={"title": "Before"})
    after = study(root, report={"title": "After"})
    former, latter = tmp_path / "former", tmp_path / "latter"
    runner.run(after, tmp_path / "first")  # the store is complete from here on
    runner.run(before, former)
    (former / "provenance.json").unlink()  # the next run writes it again
    shutil.copytree(former, latter)
    with monkeypatch.context() as patch:
        done = crash_at(patch, 10**6)
        runner.run(after, latter)
    old, new = contents(former), contents(latter)
    assert old["members.csv"] != new["members.csv"]
    added = parts(new, "report").keys() - parts(old, "report").keys()
    assert added == {"report/data/networks/1.js"}
    assert parts(old, "report").keys() < parts(new, "report").keys()
    assert {"resolved.yaml", "spec.yaml", "members.csv", "code/sources.json"} <= new.keys()
    assert len(parts(new, "models")) == 2
    for number in range(len(done)):
        directory = tmp_path / f"crash-{number}"
        shutil.copytree(former, directory)
        with monkeypatch.context() as patch:
            crash_at(patch, number)
            with pytest.raises(Crash, match="the process has ended"):
                runner.run(after, directory)
        left = contents(directory)
        assert all(content in (old.get(name), new.get(name)) for name, content in left.items())
        assert parts(left, "report") in (parts(old, "report"), parts(new, "report"))
        runner.run(after, directory)
        again = contents(directory)
        differing = {n for n in again.keys() | new.keys() if again.get(n) != new.get(n)}
        assert not differing, done[number]
        assert not list(directory.glob(f"{DRAFT}*"))
        shutil.rmtree(directory)


def old_draft(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{DRAFT}0123456789ab{name}"
    path.write_text("half")
    os.utime(path, (0, 0))
    return path


@pytest.mark.usefixtures("quick")
def test_drafts_of_a_killed_run_are_cleared_but_not_behind_links(
    root: Path, tmp_path: Path
) -> None:
    shutil.copytree(root, tmp_path / "store")
    asked, directory = study(tmp_path / "store"), tmp_path / "run"
    draft = old_draft(runner.run(asked, directory).directory / "models", ".keras")
    runner.run(asked, directory)
    assert not draft.exists()
    for folder in (directory / "models", tmp_path / "store" / LEASES):
        shutil.rmtree(folder, ignore_errors=True)
        outside = old_draft(tmp_path / f"outside-{folder.name}", ".keras")
        folder.symlink_to(outside.parent)
    with pytest.raises(OSError, match="links are not followed"):
        runner.run(asked, directory)
    (tmp_path / "store" / LEASES).unlink()
    assert "links are not followed" in runner.run(asked, directory).faults[0]
    assert len(list(tmp_path.glob(f"outside-*/{DRAFT}*"))) == 2


def test_a_crash_while_code_is_replaced_leaves_code_of_one_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = {"a.py": b"1", "b/c.py": b"1"}, {"a.py": b"2", "d.py": b"2"}
    for number in range(20):
        folder = tmp_path / f"crash-{number}" / "code"
        write_folder(folder, old)
        with monkeypatch.context() as patch:
            crash_at(patch, number)
            try:
                write_folder(folder, new)
            except Crash:
                assert contents(folder) in (old, new)
            else:
                break
    assert contents(folder) == new
    assert number > 8


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("value", "ValueError: no picture"),
        ("exit", "SystemExit: 3"),
        ("odd", "Odd: so"),
        ("interrupt", "KeyboardInterrupt: of the user"),
    ],
)
def test_exhibits_that_raise_cost_their_part_of_the_page(
    root: Path, tmp_path: Path, error: str, sentence: str
) -> None:
    asked = study(root).replace(analyses=(Shown(name="shown", error=error),))
    for _ in range(2):  # the second run has nothing to draw
        found = runner.run(asked, tmp_path)
        (fault,) = found.faults
        assert fault.startswith(f"flip_flop, shown: {sentence} (test_run_directory.py, line ")
        assert commands._exit_code(found) == 1
        page = (tmp_path / "report" / "index.html").read_text()
        assert "This is shown." in page
        assert f"Not all of it can be shown.</strong> {sentence}" in page
        assert "s001" in page


@pytest.mark.usefixtures("quick")
def test_a_signal_while_the_page_is_made_ends_the_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ERRORS, "signal", Interruption(15))
    asked = study(root).replace(analyses=(Shown(name="shown", error="signal"),))
    with pytest.raises(Interruption, match="SIGTERM"):
        runner.run(asked, tmp_path)
    assert not (tmp_path / "report").exists()


@pytest.mark.usefixtures("quick")
def test_a_statement_that_raises_costs_its_sentence(root: Path, tmp_path: Path) -> None:
    asked = study(root)
    claims = (Large(name="large"), Speechless(name="speechless"))
    found = runner.run(asked.replace(claims=claims), tmp_path)
    (fault,) = found.faults
    statement = "Claims, Verdicts: the statement of speechless raises SystemExit: 5"
    assert fault.startswith(f"{statement} (test_run_directory.py, line ")
    page = (tmp_path / "report" / "index.html").read_text()
    assert "Networks are large." in page
    assert "(its statement raises SystemExit: 5" in page
    assert list(found.claims["claim"]) == ["large", "speechless"]


def no_place(faults: Iterable[str]) -> list[str]:
    """Return faults without the places in the code."""
    return [re.sub(r" \(\w+\.py, line \d+\)", "", fault) for fault in faults]


@pytest.mark.usefixtures("quick")
def test_titles_and_questions_that_raise_are_named(root: Path, tmp_path: Path) -> None:
    analyses = (Untitled(name="untitled"), Sizes(name="sizes"))
    asked = study(root).replace(analyses=analyses, claims=(Unasked(name="unasked"),))
    for _ in range(2):
        found = runner.run(asked, tmp_path)
        assert no_place(found.faults) == [
            "flip_flop, untitled: its title in words raises SystemExit: 4",
            (
                "Claims, Verdicts: unasked: its title in words raises Odd: no title; "
                "unasked: its question raises ValueError: no question"
            ),
        ]
        assert commands._exit_code(found) == 1


@pytest.mark.usefixtures("quick")
def test_methods_that_raise_are_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no words")

    monkeypatch.setattr(build, "methods_of", fail)
    monkeypatch.setattr(Vanilla, "title_in_words", property(fail))
    found = runner.run(study(root), tmp_path)
    assert no_place(found.faults) == [
        (
            "Methods, Description: ValueError: no words; "
            "vanilla: its title in words raises ValueError: no words"
        )
    ]
    assert (
        "Not all of it can be shown.</strong> ValueError: no words"
        in (tmp_path / "report" / "index.html").read_text()
    )


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", ["value", "exit", "odd"])
def test_a_claim_that_raises_costs_its_verdict(root: Path, tmp_path: Path, error: str) -> None:
    claims = (
        Large(name="large"),
        Lawless(name="lawless", error=error),
        Blind(name="blind", error=error),
    )
    sentence = f"{type(ERRORS[error]).__name__}: {ERRORS[error]}"
    for _ in range(2):
        found = runner.run(study(root).replace(claims=claims), tmp_path)
        assert list(found.claims["verdict"]) == ["not enough networks", "failed", "failed"]
        place = "(test_run_directory.py, line "
        assert found.claims["note"][1].startswith(f"its rule raises {sentence} {place}")
        assert found.claims["note"][2].startswith(f"{sentence} {place}")
        (fault,) = found.faults
        rule = "Claims, Verdicts: lawless: its rule raises"
        assert fault.startswith(f"{rule} {sentence} {place}")
        assert {failure.kind for failure in found.failures()} == {"claim blind"}
        assert commands._exit_code(found) == 1
        page = (tmp_path / "report" / "index.html").read_text()
        assert page.count("Networks are large.") >= 2
        assert f"its rule raises {sentence}" in page


def forge(store: Store, address: str, record: Record) -> None:
    """Put a record at an address where another one is, as if it belonged there."""
    shutil.rmtree(store.folder(address))
    store.folder(address).mkdir()
    for name, content in record.contents(address).items():
        (store.folder(address) / name).write_bytes(content)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("what", ["evidence", "outcome"])
def test_a_record_of_another_class_is_set_aside_and_computed_again(
    root: Path, tmp_path: Path, what: str
) -> None:
    shutil.copytree(root, tmp_path / "store")
    asked = study(tmp_path / "store", claims=[{"kind": "claims.studied:Large", "name": "large"}])
    found = runner.run(asked, tmp_path / "run")
    before = contents(tmp_path / "run")
    evidence = found.index.shared["claim large", "flip_flop"].address(found.store)
    address = evidence if what == "evidence" else found.index.networks[0].key("outcome")
    forge(found.store, address, Size(np.asarray(3)))
    readers = open_run(tmp_path / "run", allow_plugins=True)
    assert readers.claims["verdict"].tolist() == ["not computed" if what == "evidence" else
                                                  "not enough networks"]  # fmt: skip
    assert readers.store.damaged == []
    damaged = runner.run(asked, tmp_path / "run")
    assert damaged.store.damaged == [address]
    again = runner.run(asked, tmp_path / "run")
    assert again.store.damaged == []
    assert contents(tmp_path / "run") == before
    (aside,) = (tmp_path / "store" / DAMAGED).iterdir()
    assert aside.name.startswith(address)


@pytest.mark.usefixtures("quick")
def test_records_that_other_processes_set_aside_are_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute, keys = runner.execute, ("ab" * 20, "cd" * 20)

    def elsewhere(*arguments: Any, **options: Any) -> list[JobResult]:
        return [replace(each, damaged=keys) for each in execute(*arguments, **options)]

    monkeypatch.setattr(runner, "execute", elsewhere)
    shutil.copytree(root, tmp_path / "store")
    asked = study(tmp_path / "store")
    shutil.rmtree(tmp_path / "store" / DAMAGED, ignore_errors=True)
    for path in (tmp_path / "store").glob("??/*/meta.json"):
        if "Size" in path.read_text():
            shutil.rmtree(path.parent)  # so that there is something to do
    (tmp_path / "a.yaml").write_text(resolve_study(asked))
    words = ["run", str(tmp_path / "a.yaml"), "--out", str(tmp_path / "run"), "--allow-plugins"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    output = "".join(done.output.split())
    assert all(output.count(f":{key}") == 1 for key in keys)


@pytest.mark.usefixtures("quick")
def test_a_model_that_cannot_be_written_costs_its_file(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = files._model_bytes

    def refuse_first(run: Run, member: str, comment: str = "") -> bytes:
        if member.endswith("s000"):
            raise SystemExit(1)
        return archive(run, member, comment)

    monkeypatch.setattr(files, "_model_bytes", refuse_first)
    found = runner.run(study(root), tmp_path)
    name = "flip_flop-vanilla-tanh-3-s000"
    (fault,) = found.faults
    assert fault.startswith(f"model {name} was not written: SystemExit: 1 (test_run_directory.py")
    assert [path.name for path in (tmp_path / "models").iterdir()] == [
        "flip_flop-vanilla-tanh-3-s001.keras"
    ]
    assert (tmp_path / "report" / "index.html").exists()


@pytest.mark.usefixtures("quick")
def test_a_report_is_left_as_it_is_where_the_store_is_gone_or_unreadable(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise UnreadableRecord(13, "Permission denied")

    store, directory = tmp_path / "store", tmp_path / "run"
    shutil.copytree(root, store)
    runner.run(study(store), directory)
    before = contents(directory)
    words = ["report", str(directory), "--allow-plugins"]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert contents(directory) == before
    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", refuse)
        assert isinstance(CliRunner().invoke(app, words).exception, UnreadableRecord)
    assert contents(directory) == before
    shutil.rmtree(store)
    assert isinstance(CliRunner().invoke(app, words).exception, AbsentRecord)
    assert contents(directory) == before


@pytest.mark.usefixtures("quick")
def test_a_report_and_a_run_keep_out_of_each_others_way(root: Path, tmp_path: Path) -> None:
    found = runner.run(study(root), tmp_path)
    with files.directory_lock(tmp_path):
        done = CliRunner().invoke(app, ["report", str(tmp_path), "--allow-plugins"])
        assert isinstance(done.exception, RunError)
        assert str(done.exception).startswith("another run is at work in ")
        with pytest.raises(RunError, match=r"another run is at work in .*; wait until it ends"):
            runner.run(found.study, tmp_path)


def test_a_directory_whose_name_is_no_utf8_and_a_network_with_a_long_name(
    root: Path, tmp_path: Path
) -> None:
    long = {"kind": "flip_flop", "bits": 1, "length": 12, "name": "long" * 80}
    directory = tmp_path / os.fsdecode(b"run\xe9")
    asked = study(root, tasks=[long], networks={**SPEC["networks"], "seeds": 1})
    store = Store(root)
    for _, network in asked.expand():
        if not store.has(network.key()):
            pretend(store, network)
    command = ["rnnstudy", "run", os.fsdecode(b"th\xe9.yaml")]
    found = runner.run(asked, directory, command=command)
    assert found.faults == []
    (model,) = (directory / "models").iterdir()
    assert len(model.name) < 255
    assert len(keras.models.load_model(model).layers) > 0
    assert open_run(directory, allow_plugins=True).members.equals(found.members)
    assert all(len(path.name) < 255 for path in (directory / "report").rglob("*"))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: folder.write_text(""), "a folder must stand|must be a folder, got a file"),
        (lambda folder: (folder.parent / "x").write_text(""), ""),
    ],
)
def test_check_and_run_refuse_a_file_in_place_of_the_directory(
    root: Path, tmp_path: Path, make: Callable[[Path], object], sentence: str
) -> None:
    make(tmp_path / "run")
    (tmp_path / "a.yaml").write_text(json.dumps({**SPEC, "study": "small"}))
    words = [str(tmp_path / "a.yaml"), "--out", str(tmp_path / "run" / "inner"), "--allow-plugins"]
    refused = CliRunner().invoke(app, ["check", *words])
    if sentence:
        with pytest.raises(RunError, match=sentence):
            runner.run(study(root), tmp_path / "run")
        assert isinstance(refused.exception, RunError)
    else:
        assert refused.exit_code == 0
        assert not (tmp_path / "run").exists()


def test_a_name_that_no_file_system_takes_is_refused_before_a_run(
    root: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="a name must have at most 255 bytes, got 300"):
        runner.run(study(root), tmp_path / ("a" * 300))
    folders = study(root, runtime={"store": str(root), "tensorboard": "c" * 256})
    with pytest.raises(RunError, match="a name must have at most 255 bytes"):
        runner.run(folders, tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_a_folder_without_permission_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(RunError, match="must be writable, but its permissions forbid it"):
        runner.run(study(root), tmp_path / "run")
    assert not list(tmp_path.iterdir())
