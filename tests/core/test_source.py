"""Source of users' classes: which modules it holds, and what changes its hash."""

import importlib
import json
import linecache
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rnnstudy.analyses import ANALYSES
from rnnstudy.cells import CELLS
from rnnstudy.claims import CLAIMS
from rnnstudy.core.component import Component
from rnnstudy.core.source.classes import replaced_hashes, source_hash, source_of
from rnnstudy.core.source.files import source_of_file, source_of_module
from rnnstudy.metrics import METRICS
from rnnstudy.tasks import TASKS

FILES = {
    "mine.py": "import os\nimport numpy as np\nimport beside\nfrom pack.deep import value\n"
    "from rnnstudy import Component\n\n\ndef later():\n    import inside\n",
    "beside.py": "from other import *\n",
    "other.py": "import mine  # a circle\n",
    "inside.py": "X = 1\n",
    "pack/__init__.py": "from . import first\n",
    "pack/first.py": "",
    "pack/deep.py": "from .first import __doc__\nfrom .inner import value\n",
    "pack/inner/__init__.py": "from .. import second\nvalue = 1\n",
    "pack/second.py": "import pack.third as third\n",
    "pack/third.py": "",
    "pack/unused.py": "",
    "unrelated.py": "import beside\n",
    "broken.py": "def (:\n",
    "tolerant.py": "try:\n    import broken\nexcept SyntaxError:\n    pass\n",
}

MODULES = {"mine", "beside", "other", "inside", "pack", "pack.first", "pack.deep", "pack.second",
           "pack.third", "pack.inner"}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("from rnnstudy import Component\n", ""))
    return tmp_path / "work"


def test_the_source_holds_all_modules_beside_it_that_an_import_loads(folder: Path) -> None:
    source = source_of_file("mine", folder / "mine.py")
    assert set(source.modules) == MODULES
    assert source.files["pack"] == "pack/__init__.py"
    assert source.files["pack.deep"] == "pack/deep.py"
    # The truth: what Python loads from the folder, once the function has run.
    code = (
        "import sys, json, mine; mine.later()\n"
        f"print(json.dumps([n for n, m in sys.modules.items() if {str(folder)!r} in "
        "str(getattr(m, '__file__', ''))]))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert set(json.loads(loaded.stdout)) == MODULES


@pytest.mark.parametrize("name", sorted(FILES))
def test_an_edit_changes_the_hash_of_the_classes_that_need_the_file(
    name: str, folder: Path
) -> None:
    before = source_of_file("mine", folder / "mine.py").sha256
    path = folder / name
    path.write_text(path.read_text() + "# A comment.\n")
    after = source_of_file("mine", folder / "mine.py").sha256
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert (after != before) == (module in MODULES)


def test_the_hash_does_not_depend_on_the_folder(folder: Path, tmp_path: Path) -> None:
    before = source_of_file("mine", folder / "mine.py").sha256
    moved = folder.rename(tmp_path / "elsewhere")
    assert source_of_file("mine", moved / "mine.py").sha256 == before


def test_a_module_that_is_no_python_is_a_part_of_the_source(folder: Path) -> None:
    source = source_of_file("tolerant", folder / "tolerant.py")
    assert set(source.modules) == {"tolerant", "broken"}


def test_an_installed_package_has_its_files_and_its_version(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    (site / "lab").mkdir(parents=True)
    (site / "lab" / "__init__.py").write_text("")
    (site / "lab" / "nets.py").write_text("from . import parts\nimport stranger\n")
    (site / "lab" / "parts.py").write_text("")
    (site / "stranger.py").write_text("")
    info = site / "lab-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1.5\n")
    sys.path.insert(0, str(site))
    try:
        importlib.invalidate_caches()
        source = source_of_module("lab.nets")
        assert set(source.modules) == {"lab", "lab.nets", "lab.parts"}
        assert source.packages == {"lab": "1.5"}
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1.6\n")
        importlib.invalidate_caches()
        assert source_of_module("lab.nets").sha256 != source.sha256
    finally:
        sys.path.remove(str(site))


def test_a_module_that_is_not_there_has_no_source() -> None:
    assert not source_of_module("no_such_module_anywhere").modules
    assert not source_of_module("no_such_package.module").modules
    assert not source_of_module("math").modules


def test_classes_of_this_package_have_no_source() -> None:
    for catalogue in (TASKS, CELLS, METRICS, ANALYSES, CLAIMS):
        assert {source_hash(cls) for cls in catalogue.values()} == {""}
    assert "source" not in CELLS["gru"]().recipe()


CELL = """
class Gain(Base):
    value: float = 1.0

    @property
    def twice(self):
        return 2 * self.value  # {}
"""


def notebook_class(text: str, name: str, listed: bool = True) -> Any:
    """Return a class that a notebook's cell defines: its module has no file."""
    module = ModuleType("own_notebook")
    sys.modules["own_notebook"] = module
    if listed:
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"__name__": "own_notebook", "Base": Component}
    exec(compile(text, name, "exec"), scope)
    return scope["Gain"]


def test_a_class_of_a_notebook_has_the_text_of_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "own_notebook", ModuleType("own_notebook"))
    one = notebook_class(CELL.format("one"), "<cell one>")
    same = notebook_class(CELL.format("one"), "<cell again>")
    other = notebook_class(CELL.format("other"), "<cell other>")
    assert one().key() == same().key()
    assert one().key() != other().key()
    assert source_of(one).modules["own_notebook"].decode() == CELL.format("one")


def test_a_class_without_a_source_gets_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "own_notebook", ModuleType("own_notebook"))
    lost = notebook_class(CELL.format("lost"), "<cell lost>", listed=False)
    with pytest.raises(ValueError, match=r"source of own_notebook:Gain must be readable.*mine\.py"):
        lost().key()


def test_a_base_class_in_another_package_is_a_part_of_the_source(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    base = "from rnnstudy.core.component import Component\n\n\nclass Base(Component):\n    pass\n"
    (first / "own_base_of_lab.py").write_text(base)
    (second / "own_sub_of_lab.py").write_text(
        "from own_base_of_lab import Base\n\n\nclass Sub(Base):\n    pass\n"
    )
    sys.path[:0] = [str(first), str(second)]
    try:
        importlib.invalidate_caches()
        cls = importlib.import_module("own_sub_of_lab").Sub
        assert set(source_of(cls).modules) == {"own_sub_of_lab", "own_base_of_lab"}
        path = "own_sub_of_lab:Sub"
        with replaced_hashes({path: "0"}):
            assert cls().recipe()["source"] == "0"
        assert cls().recipe()["source"] == source_of(cls).sha256
    finally:
        del sys.path[:2]
