"""The door for heavy libraries, and being told when one has been imported."""

import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnstudy.core.lazy_imports import after_import

ROOT = Path(__file__).parents[2]


@pytest.fixture
def late(tmp_path, monkeypatch):
    """A module `late_module` that can be imported, and its file."""
    before = list(sys.meta_path)
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "late_module.py"
    file.write_text("value = 7\n")
    yield file
    sys.modules.pop("late_module", None)
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder in before]


def watch():
    seen = []
    after_import("late_module", lambda: seen.append(sys.modules["late_module"].value))
    return seen


@pytest.mark.usefixtures("late")
def test_the_call_comes_once_after_the_import():
    seen = watch()
    assert seen == []
    module = importlib.import_module("late_module")
    importlib.reload(module)
    assert seen == [7]
    assert type(module.__loader__).__name__ == "SourceFileLoader"
    assert module.__spec__.loader is module.__loader__


@pytest.mark.usefixtures("late")
def test_the_call_comes_at_once_if_the_module_is_there():
    importlib.import_module("late_module")
    assert watch() == [7]


@pytest.mark.usefixtures("late")
def test_asking_whether_the_module_exists_does_not_use_up_the_call():
    seen = watch()
    assert importlib.util.find_spec("late_module").loader.name == "late_module"
    assert seen == []
    importlib.import_module("late_module")
    assert seen == [7]


def test_a_failed_import_may_be_tried_again(late):
    seen = watch()
    late.write_text("raise RuntimeError('not today')\n")
    with pytest.raises(RuntimeError, match="not today"):
        importlib.import_module("late_module")
    assert seen == []
    late.write_text("value = 7  # and of another length than before\n")
    importlib.invalidate_caches()
    importlib.import_module("late_module")
    assert seen == [7]


@pytest.mark.usefixtures("late")
def test_two_who_wait_are_both_told():
    first, second = watch(), watch()
    importlib.import_module("late_module")
    assert (first, second) == ([7], [7])


def test_a_module_that_does_not_exist_stays_missing():
    count = len(sys.meta_path)
    after_import("no_such_module", list)
    assert importlib.util.find_spec("no_such_module") is None
    sys.meta_path[:] = sys.meta_path[len(sys.meta_path) - count :]


NOISY = """
import os
os.write(2, b"a note\\n")
class config:
    list_physical_devices = staticmethod(lambda: os.write(2, b"a complaint\\n"))
"""

START = """
from rnnstudy.core.lazy_imports import quiet_tensorflow, tf
quiet_tensorflow()
tf.config
raise SystemExit("the end")
"""


def start_quietly(folder, source):
    (folder / "tensorflow.py").write_text(source)
    return subprocess.run(
        [sys.executable, "-c", START],
        env={"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    ).stderr


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="with a GPU nothing is muted")
def test_a_quiet_start_hides_notes_but_neither_errors_nor_what_comes_later(tmp_path):
    assert start_quietly(tmp_path, NOISY) == "the end\n"
    broken = start_quietly(tmp_path, NOISY + "raise ImportError('broken')\n")
    assert broken.startswith("a note\n")
    assert broken.endswith("ImportError: broken\n")


@pytest.mark.parametrize(("first", "order"), [("import torch", ["triton", "tensorflow"]),
                                              ("", ["tensorflow"])])  # fmt: skip
def test_triton_is_imported_before_tensorflow_beside_pytorch(tmp_path, first, order):
    for name in ("torch", "triton", "tensorflow"):
        text = "" if name == "torch" else f"print({name!r})\n"
        (tmp_path / f"{name}.py").write_text(text)
    code = f"{first}\nimport rnnstudy\nimport tensorflow\n"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stdout.split() == order, shown.stderr


def test_pytorch_without_triton_is_no_obstacle(tmp_path):
    (tmp_path / "torch.py").write_text("")
    (tmp_path / "triton.py").write_text("raise ImportError('none')\n")
    (tmp_path / "tensorflow.py").write_text("print('tensorflow')\n")
    shown = subprocess.run(
        [sys.executable, "-c", "import torch, rnnstudy, tensorflow"],
        env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stdout.split() == ["tensorflow"], shown.stderr
