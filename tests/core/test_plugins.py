"""Modules of users are imported only if that is allowed, and never before other modules."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rnnstudy.core.component import restore
from rnnstudy.core.source import plugins
from rnnstudy.core.source.files import source_of_module
from rnnstudy.core.source.plugins import PluginNotAllowed, find_attribute, import_plugin

MODULE = """\
from pathlib import Path

Path(__file__).with_name("executed").touch()


from rnnstudy.core.component import Component


class Own(Component):
    size: int = 1
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder with a module that leaves a file when it runs; undo what tests allow."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("_packages", "_process"):
        monkeypatch.setattr(plugins, name, set())
    monkeypatch.setattr(plugins, "_folders", {})
    work = tmp_path.resolve() / "work"
    work.mkdir()
    (work / "own_plugin.py").write_text(MODULE)
    yield work
    sys.modules.pop("own_plugin", None)


def test_a_module_is_imported_only_inside_a_permission(folder: Path) -> None:
    with pytest.raises(
        PluginNotAllowed, match=r"runs code of the module 'own_plugin'; add --allow"
    ):
        import_plugin("own_plugin")
    sys.path.append(str(folder))
    with pytest.raises(PluginNotAllowed, match="own_plugin"):
        find_attribute("own_plugin:Own")
    assert not (folder / "executed").exists()
    with plugins.plugin_permission():
        assert find_attribute("own_plugin:Own").__name__ == "Own"
    assert (folder / "executed").exists()
    with pytest.raises(PluginNotAllowed, match="another_plugin"):
        import_plugin("another_plugin")


def test_the_permission_of_a_process_adds_folders_behind_all_others(folder: Path) -> None:
    before = list(sys.path)
    plugins.allow_plugins(folder, folder)
    assert sys.path == [*before, str(folder)]
    assert plugins.allowed_folders() == (str(folder),)
    assert import_plugin("own_plugin").Own(size=2).size == 2


def test_records_name_classes_of_allowed_folders_in_any_thread(folder: Path) -> None:
    with plugins.plugin_permission(folder):
        stored = find_attribute("own_plugin:Own")(size=3).serialise()
    sys.modules.pop("own_plugin")
    sizes = []
    thread = threading.Thread(target=lambda: sizes.append(restore(stored).size))  # type: ignore[attr-defined]
    thread.start()
    thread.join()
    assert sizes == [3]


def test_a_class_of_a_loaded_module_needs_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("own_loaded")
    module.Own = dict  # type: ignore[attr-defined]

    def lookup(name: str) -> None:
        raise AssertionError("a lookup must not run code")

    module.__getattr__ = lookup  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "own_loaded", module)
    assert find_attribute("own_loaded:Own") is dict
    with pytest.raises(AttributeError, match="module 'own_loaded' has no attribute 'Other'"):
        find_attribute("own_loaded:Other")


@pytest.mark.parametrize("name", ["", ".own_plugin", "a..b", "../work/own_plugin", "a b", "a\0"])
def test_a_module_has_a_name(folder: Path, name: str) -> None:
    plugins.allow_plugins(folder)
    with pytest.raises(ImportError, match="is no name of a module"):
        import_plugin(name)


def test_confirmed_folders_are_those_of_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not plugins.is_confirmed(folder)
    monkeypatch.setenv(plugins.CONFIRMED_FOLDERS, f":{folder.parent}:")
    assert plugins.is_confirmed(folder)
    assert plugins.is_confirmed(folder / "deeper")
    # An empty entry is no folder, and above all not the working directory.
    assert not plugins.is_confirmed(Path.cwd())
    assert not plugins.is_confirmed(folder.parent.parent)
    link = folder.parent / "link"
    link.symlink_to("/")
    assert not plugins.is_confirmed(link)


def test_the_source_of_a_module_is_found_without_an_import(folder: Path) -> None:
    package = folder / "own_package"
    package.mkdir()
    (package / "__init__.py").write_text(MODULE)
    (package / "nets.py").write_text(MODULE)
    sys.path.append(str(folder))
    assert set(source_of_module("own_package.nets").modules) == {"own_package", "own_package.nets"}
    assert not (package / "executed").exists()
    assert "own_package" not in sys.modules


def test_the_command_runs_no_file_of_the_working_directory(tmp_path: Path) -> None:
    for name in ("pandas", "numpy", "yaml", "typer", "rich", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file beside the spec has run')")
    (tmp_path / "spec.yaml").write_text("study: s\ntasks: [flip_flop]\nnetworks: {cells: gru}\n")
    root = str(Path(__file__).parents[2])
    words = [sys.executable, "-m", "rnnstudy", "check", "spec.yaml"]
    done = subprocess.run(
        words,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("s: ")
