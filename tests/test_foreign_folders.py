"""Specs and run directories of others: nothing in them runs, nothing outside of them changes."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from rnnstudy import runner
from rnnstudy.cli import commands
from rnnstudy.core.record import CorruptRecord, Record
from rnnstudy.core.source import plugins
from rnnstudy.report.fingerprint import changed_files, write_fingerprint
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.files import LOCK, model_address, refuse_unusable_folders
from rnnstudy.study.results.run import open_run
from rnnstudy.study.spec.study import SpecError, load_study, study_of
from rnnstudy.study.store import Store

ROOT = Path(__file__).parents[1]

EXECUTED = """\
import os
open(os.path.join({folder!r}, __name__.replace(".", "_") + "-" + str(os.getpid())), "w").close()


class Own:
    kind = "own"


def __getattr__(name):
    open(os.path.join({folder!r}, "lookup-" + name), "w").close()
    raise AttributeError(name)
"""
"""Module that leaves a file when it is imported, and when a name is looked up in it."""

SHADOWS = [
    "pandas", "numpy", "yaml", "sitecustomize", "usercustomize", "tensorflow", "keras", "evil",
    "torch", "matplotlib", "typer", "conftest", "rnnstudy_plugin",
]  # fmt: skip
"""Names of modules beside the spec: of libraries, of hooks of Python, and of the author's own."""

GOOD: dict[str, Any] = {
    "study": "foreign",
    "tasks": [{"kind": "flip_flop", "bits": 1, "length": 5}],
    "networks": {"cells": ["vanilla"], "units": 2},
    "training": {"steps": 1, "batch": 2},
    "analyses": [{"kind": "fixed_points"}, {"kind": "pairs", "metric": "cka"}],
}

MEMBER = "flip_flop-vanilla-tanh-2-s000"
"""Network of the good spec."""

NAMES = [
    "evil:Own", "evil:Own.inner", "evilpack.deep:Own", "evilpack:Own", "pandas:DataFrame",
    "antigravity:x", "this:s", "os:system", "subprocess:Popen", "builtins:exec",
    "rnnstudy.evil:Own", "rnnstudy_plugin:Own", "..evil:Own", "evil/../evil:Own",
    "sitecustomize:Own", "__main__:Own", "conftest:Own", "torch:Own", "idlelib.idle:x",
    "rnnstudy.cli.commands:subprocess.Popen",
]  # fmt: skip


def foreign_specs() -> Iterator[dict[str, Any]]:
    """Yield specs that name modules: each name at each place where a class can stand."""
    for i, name in enumerate(NAMES):
        entry: Any = name if i % 2 else {"kind": name}
        grid = GOOD["networks"]
        yield {**GOOD, "tasks": [entry]}
        yield {**GOOD, "networks": {**grid, "cells": [entry]}}
        cell = {"kind": "gru", "kernel_initializer": entry}
        yield {**GOOD, "networks": {**grid, "cells": [cell]}}
        yield {**GOOD, "analyses": [entry]}
        yield {**GOOD, "analyses": [{"kind": "pairs", "metric": entry}]}
        yield {**GOOD, "claims": [entry]}
        yield {**GOOD, "models": [{"file": "net.keras", "module": name.partition(":")[0]}]}
        override = {"where": {"cell": "vanilla"}, "set": {"cell": {"kernel_initializer": entry}}}
        yield {**GOOD, "overrides": [override]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of somebody else: its modules leave files in `executed` when they run."""
    (tmp_path / "executed").mkdir()
    foreign = tmp_path / "foreign"
    (foreign / "evilpack").mkdir(parents=True)
    text = EXECUTED.format(folder=str(tmp_path / "executed"))
    paths = [f"{name}.py" for name in SHADOWS] + ["evilpack/__init__.py", "evilpack/deep.py"]
    for path in paths:
        (foreign / path).write_text(text)
    (foreign / "net.keras").write_bytes(b"no zip archive")
    return foreign


def assert_nothing_ran(folder: Path) -> None:
    assert list((folder.parent / "executed").iterdir()) == []


def tree(folder: Path, without: Path | None = None) -> dict[str, str]:
    """Return path -> content or kind, for all below a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if without is not None and (path == without or without in path.parents):
            continue
        kind = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = f"-> {os.readlink(path)}" if path.is_symlink() else kind
    return found


CHECK_ALL = """
import contextlib, io, os, sys
from rnnstudy.cli import commands
def call(*words):
    out, err = io.StringIO(), io.StringIO()
    commands.console.file, commands.errors.file, code = out, err, 0
    sys.argv = ["rnnstudy", *words]
    try:
        commands.main()
    except SystemExit as end:
        code = end.code
    return code, err.getvalue()
before = set(sys.modules)
for name in sorted(n for n in os.listdir("specs") if n.endswith(".yaml")):
    code, text = call("check", os.path.join("specs", name))
    lines = text.splitlines()
    assert code == 2, (name, code, text)
    assert all(line.startswith("specs/" + name + ":") for line in lines), text
    assert len(lines) == 1, text
    print(name, text, end="")
new = {m.partition(".")[0] for m in set(sys.modules) - before}
for name in ("antigravity", "this", "evil", "evilpack", "pandas", "torch", "idlelib", "tensorflow"):
    assert name not in new, name
"""


def run_python(code: str, folder: Path, *words: str) -> str:
    """Run code as the installed command does: without the working directory on the path."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr


def test_no_spec_of_somebody_else_runs_anything(folder: Path) -> None:
    specs = list(foreign_specs())
    assert len(specs) > 100
    (folder / "specs").mkdir()
    for path in [*folder.glob("*.py"), *folder.glob("evilpack")]:
        path.rename(folder / "specs" / path.name)  # beside the specs
    for path in (folder / "specs").glob("*.py"):
        (folder / path.name).write_bytes(path.read_bytes())  # and in the working directory
    (folder / "net.keras").rename(folder / "specs" / "net.keras")
    for i, spec in enumerate(specs):
        (folder / "specs" / f"{i:03d}.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    before = tree(folder.parent)
    lines = run_python(CHECK_ALL, folder).splitlines()
    assert_nothing_ran(folder)
    assert tree(folder.parent) == before
    assert len(lines) == len(specs)
    named = [line for line in lines if "evil:Own" in line and "--allow-plugins" in line]
    assert len(named) > 5


def test_a_spec_is_read_the_same_with_or_without_files_beside_it(folder: Path) -> None:
    (folder / "spec.yaml").write_text(yaml.safe_dump(GOOD))
    out = run_python(
        "import sys; sys.argv = ['rnnstudy', 'check', 'spec.yaml']\n"
        "from rnnstudy.__main__ import main; main()",
        folder,
    )
    assert "train: 0 of 1 done" in out
    assert_nothing_ran(folder)


CLUSTERS = {
    "tcp://host:8786": (
        r"runtime\.cluster is 'tcp://host:8786', a scheduler which can run code here; add "
        r"--allow-plugins \(in Python: allow_plugins=True\) if you trust it, or name it by --clust"
    ),
    "tls://host:8786": r"runtime\.cluster is 'tls://host:8786'",
    "{kind: slurm, options: {python: sh, job_script_prologue: [touch /tmp/x]}}": (
        r"runtime\.cluster\.options has 'python', 'job_script_prologue', which can run code in the "
        r"batch jobs; add --allow-plugins"
    ),
}
"""Clusters of a spec that can run code -> the sentence that refuses them."""


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the clusters of the runs that the command line starts; none of them is at work."""
    clusters: list[Any] = []

    def note(study: Any, *_: Any, **options: Any) -> None:
        clusters.append((study.runtime.cluster, options["allow_plugins"]))
        raise RunError("started")

    monkeypatch.setattr(commands.runner, "run", note)
    return clusters


def refusal(*words: str) -> str:
    """Return the message of a command that is refused; empty if it is not."""
    try:
        commands.app([*words], standalone_mode=False)
    except RunError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_cluster_of_a_spec_runs_code_only_if_that_is_allowed(
    cluster: str, tmp_path: Path, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(GOOD) + f"runtime: {{cluster: {cluster!r}}}\n".replace("'", ""))
    words = (str(spec), "--out", str(tmp_path / "run"))
    refused = refusal("run", *words)
    assert re.match(CLUSTERS[cluster], refused)
    assert refusal("check", *words) == refused
    assert started == []
    # What the command line names is the user's own.
    assert refusal("run", *words, "--cluster", "local:2") == "started"
    assert refusal("run", *words, "--cluster", "tcp://mine:8786") == "started"
    assert refusal("run", *words, "--set", "runtime.cluster=tls://mine:1") == "started"
    assert [named for named, _ in started] == ["local:2", "tcp://mine:8786", "tls://mine:1"]
    assert refusal("check", *words, "--cluster", "tcp://mine:8786") == ""
    # Options of the spec stay with the kind of its scheduler, and a part of them stays the spec's.
    assert bool(refusal("run", *words, "--cluster", "slurm") == refused) == ("slurm" in cluster)
    if "slurm" in cluster:
        one = ("--set", "runtime.cluster.options.queue=mine")
        assert "'queue', which can run code" in refusal("run", *words, *one)
    monkeypatch.setenv("RNNSTUDY_PLUGIN_FOLDERS", str(tmp_path))
    assert refusal("run", *words) == "started"


def test_a_study_runs_code_of_its_cluster_only_if_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, out = {**GOOD, "runtime": {"cluster": "tcp://host:8786"}}, tmp_path / "run"
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(spec))

    def reached(*_: Any) -> None:
        raise RunError("reached")

    monkeypatch.setattr(runner, "refuse_unusable_folders", reached)
    for study in (spec, study_of(spec), tmp_path / "spec.yaml"):
        with pytest.raises(RunError, match="can run code here; add --allow-plugins"):
            runner.run(study, out)
        with pytest.raises(RunError, match=r"^reached$"):
            runner.run(study, out, allow_plugins=True)
    assert not out.exists()
    monkeypatch.setenv("RNNSTUDY_PLUGIN_FOLDERS", str(tmp_path))
    with pytest.raises(RunError, match=r"^reached$"):
        runner.run(tmp_path / "spec.yaml", out)


def test_a_folder_that_is_confirmed_does_not_confirm_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed, here = tmp_path / "confirmed", tmp_path / "here"
    (confirmed / "run").mkdir(parents=True)
    here.mkdir()
    for path in (confirmed / "spec.yaml", confirmed / "run" / "resolved.yaml"):
        path.write_text(yaml.safe_dump(GOOD))
    monkeypatch.chdir(here)
    monkeypatch.setenv("RNNSTUDY_PLUGIN_FOLDERS", str(confirmed))
    monkeypatch.setattr(plugins, "_folders", {})
    monkeypatch.setattr(sys, "path", [*sys.path])
    (confirmed / "run" / "store").mkdir()
    words = (["check", str(confirmed / "spec.yaml")], ["status", str(confirmed / "run")])
    for command in words:
        assert refusal(*command) == ""
        assert str(here) not in (*plugins.allowed_folders(), *sys.path)
    assert str(confirmed) in plugins.allowed_folders()
    for command in words:
        plugins._folders.clear()
        assert refusal(*command, "--allow-plugins") == ""
        assert str(here) in plugins.allowed_folders()


# Run directories


@dataclass(frozen=True, eq=False, kw_only=True)
class Foreign(Record):
    """A record whose class is somebody else's."""

    value: float = 1.0


@pytest.fixture
def run_folder(folder: Path) -> Path:
    """Return a run directory with everything that names code: provenance, copies, records."""
    run = folder / "run"
    (run / "code").mkdir(parents=True)
    Store(run / "store").write("0" * 40, Foreign())
    (run / "resolved.yaml").write_text(yaml.safe_dump(GOOD))
    (run / "spec.yaml").write_text(yaml.safe_dump(GOOD))
    (run / "provenance.json").write_text(
        json.dumps({"spec_folder": str(folder), "command": ["\x1b[2J"], "failures": []})
    )
    for name in ("evil.py", "pandas.py"):
        (run / "code" / name).write_bytes((folder / name).read_bytes())
    record = {
        "classes": {"evil:Own": "0" * 64},
        "files": {
            "evil": "evil.py",
            "pandas": "pandas.py",
            "up": "../../up.py",
            "root": "/etc/x.py",
        },
        "packages": {},
    }
    (run / "code" / "sources.json").write_text(json.dumps(record))
    return run


def write_foreign_records(run: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Write records of a class `evil:Foreign` at all addresses of the run's study."""
    study = load_study(run / "resolved.yaml")
    store, count = Store(run / "store"), 0
    monkeypatch.setattr(Foreign, "__module__", "evil")
    for job in make_plan(study, store).todo:
        for address in job.results():
            if isinstance(address, str):
                store.write(address, Foreign())
                count += 1
    return count


def test_records_of_foreign_classes_are_not_loaded(
    run_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert write_foreign_records(run_folder, monkeypatch) >= 2
    monkeypatch.syspath_prepend(folder)
    monkeypatch.chdir(folder)
    run = open_run(run_folder)
    before = tree(folder.parent)
    network = run.index.members[0].name
    with pytest.raises(RunError, match=r"cannot be read .*'evil'; add --allow-plugins"):
        run.trained_network(network)
    key = run.key(network)
    with pytest.raises(CorruptRecord, match="'evil'"):
        run.store.read(key, Record)
    assert_nothing_ran(folder)
    assert tree(folder.parent) == before


def test_a_record_of_a_class_that_the_process_has_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("own_records")
    module.Foreign = Foreign  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own_records", module)
    monkeypatch.setattr(Foreign, "__module__", "own_records")
    store = Store(tmp_path)
    store.write("0" * 40, Foreign(value=2.5))
    assert store.read("0" * 40, Foreign).value == 2.5


COMMANDS = """
import sys
from rnnstudy.__main__ import main
sys.argv = ["rnnstudy", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    print("code", end.code)
"""


@pytest.mark.parametrize("command", ["status", "report", "export"])
def test_no_command_on_a_run_directory_imports_what_its_spec_names(
    run_folder: Path, folder: Path, command: str
) -> None:
    spec = {**GOOD, "analyses": ["evil:Own"], "tasks": ["evilpack.deep:Own"]}
    (run_folder / "resolved.yaml").write_text(yaml.safe_dump(spec))
    before = tree(folder.parent)
    words = ["run", "name"] if command == "export" else ["run"]
    out = run_python(COMMANDS, folder, command, *words)
    assert out.startswith("code 2\n")
    assert_nothing_ran(folder)
    assert tree(folder.parent) == before


def test_status_of_a_foreign_run_directory_runs_nothing(
    run_folder: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_foreign_records(run_folder, monkeypatch)
    before = tree(folder.parent)
    out = run_python(COMMANDS, folder, "status", "run")
    assert out.startswith("code 2\nrnnstudy: ")
    assert "runs code of the module 'evil'; add --allow-plugins" in out
    assert len(out.splitlines()) == 2
    assert_nothing_ran(folder)
    assert tree(folder.parent) == before


def test_copies_of_code_run_only_on_request_and_replace_no_library(
    run_folder: Path, folder: Path
) -> None:
    with pytest.raises(RunError, match=r"module 'pandas' is (loaded from|installed)"):
        open_run(run_folder, code=True)
    assert_nothing_ran(folder)


MODULES_OF_MODELS = ["evil", "evilpack.deep"]


@pytest.mark.parametrize("module", MODULES_OF_MODELS)
def test_a_module_of_a_model_is_not_imported_to_find_its_source(
    folder: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(folder)
    model = {"file": "net.keras", "module": module, "content": {"sha256": "0" * 64}}
    spec = {**GOOD, "models": [model]}
    with pytest.raises(SpecError, match=rf"models\[0\]\.module is '{module}', which runs the code"):
        study_of(spec)
    assert_nothing_ran(folder)


# Links and other files that are no files


SPECIAL: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "circle": lambda path: path.symlink_to(path.name),
    "folder": lambda path: path.mkdir(),
    "deep JSON": lambda path: path.write_text("[" * 200_000),
    "deep YAML": lambda path: path.write_text("a: " + "{a: " * 100_000),
    "zeros": lambda path: path.write_bytes(bytes(1000)),
}


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize(
    "name", ["resolved.yaml", "provenance.json", "code/sources.json", "spec.yaml"]
)
def test_special_files_in_a_run_directory_end_in_a_sentence(
    run_folder: Path, kind: str, name: str, folder: Path
) -> None:
    (run_folder / name).unlink()
    SPECIAL[kind](run_folder / name)
    if name == "resolved.yaml":
        with pytest.raises((SpecError, RunError)) as caught:
            open_run(run_folder)
        assert "\n" not in str(caught.value)
    else:
        run = open_run(run_folder)
        assert run.failures() == []
        with pytest.raises((RunError, SpecError)):
            open_run(run_folder, code=True)
    assert_nothing_ran(folder)


@pytest.fixture
def alarm() -> Iterator[None]:
    """Raise an error in a test that hangs."""

    def ring(*_: object) -> None:
        raise RuntimeError("the command hangs")

    former = signal.signal(signal.SIGALRM, ring)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)


READ_FILES = ["resolved.yaml", "provenance.json", "spec.yaml", "members.csv", "store/format",
              "store/index.csv", "report/fingerprint.json", f"models/{MEMBER}.keras"]  # fmt: skip
"""Files of a run directory that commands read."""


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Return exit code, output and errors of a command."""
    code: Any = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["rnnstudy", *words])
        try:
            commands.main()
        except SystemExit as end:
            code = end.code
    return code, *capsys.readouterr()


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("name", READ_FILES)
def test_special_files_hang_no_command(
    run_folder: Path, folder: Path, kind: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run_folder / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    SPECIAL[kind](path)
    before = {each: os.lstat(each).st_mtime for each in run_folder.rglob("*")}
    for command in ("status", "verify", "clean"):
        code, _, errors = call(capsys, command, str(run_folder))
        assert code in (0, 1, 2)
        assert len(errors.splitlines()) == (code == 2)
        assert "hangs" not in errors
    (run_folder / LOCK).unlink(missing_ok=True)
    assert {each: os.lstat(each).st_mtime for each in run_folder.rglob("*")} == before
    assert_nothing_ran(folder)


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_a_report_shows_the_spec_of_its_folder_or_why_not(
    run_folder: Path, folder: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "secret").write_text("the secret of the reader")
    makers = {**SPECIAL, "link": lambda path: path.symlink_to(folder / "secret")}
    (run_folder / "spec.yaml").unlink()
    makers[kind](run_folder / "spec.yaml")
    code, output, errors = call(capsys, "report", str(run_folder))
    assert (code, errors) == (0, ""), output
    page = (run_folder / "report" / "index.html").read_text()
    assert f"spec.yaml must be a regular file, got a {kind}" in page
    assert "secret of the reader" not in page


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("text", [None, "[]", '{"files": ["index.html"]}', '{"files": 1}', "{"])
def test_a_fingerprint_that_was_changed_is_named(
    run_folder: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = run_folder / "report" / "fingerprint.json"
    path.parent.mkdir()
    if text is None:
        os.mkfifo(path)
    else:
        path.write_text(text)
    code, output, errors = call(capsys, "verify", str(run_folder))
    assert (code, errors) == (1, "")
    assert "report/fingerprint.json was changed after it was written" in output


@pytest.mark.usefixtures("alarm")
def test_a_linked_file_of_a_report_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("page")
    write_fingerprint(tmp_path, "print")
    assert changed_files(tmp_path) == []
    (tmp_path / "index.html").rename(tmp_path.parent / "index.html")
    (tmp_path / "index.html").symlink_to(tmp_path.parent / "index.html")
    assert changed_files(tmp_path) == ["index.html"]


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("kind", SPECIAL)
def test_a_special_file_is_no_model_of_a_network(tmp_path: Path, kind: str) -> None:
    SPECIAL[kind](tmp_path / "a.keras")
    assert model_address(tmp_path / "a.keras") == ""


@pytest.mark.parametrize(
    "data",
    [[], 1, {"files": []}, {"files": {"evil": 3}}, {"files": {"a": "a\0b"}}, {"classes": [1]},
     {"files": {"evil": "evil.py", "x": ""}, "classes": {"evil:Own": 1}}],
)  # fmt: skip
def test_a_record_of_copies_may_be_anything(run_folder: Path, folder: Path, data: Any) -> None:
    (run_folder / "code" / "sources.json").write_text(json.dumps(data))
    run = open_run(run_folder)
    assert len(run.index.members) == 1
    assert_nothing_ran(folder)


def test_a_store_elsewhere_is_not_written_by_reading(run_folder: Path, folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    shutil.rmtree(run_folder / "store")
    (run_folder / "store").symlink_to(other)
    run = open_run(run_folder)
    assert list(run.members["status"]) == ["missing"]
    assert list(other.iterdir()) == []


def test_a_run_does_not_follow_a_link_to_a_store(run_folder: Path, folder: Path) -> None:
    other = folder.parent / "other"
    shutil.move(run_folder / "store", other)
    (run_folder / "store").symlink_to(other)
    with pytest.raises(RunError, match=r"store must be a folder, got a link.*'runtime\.store'"):
        refuse_unusable_folders(study_of(GOOD), run_folder)
    named = study_of(GOOD, [f"runtime.store={run_folder / 'store'}"])
    refuse_unusable_folders(named, run_folder)
