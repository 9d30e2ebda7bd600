"""Specs in the wheel and in the source distribution: the folder `specs` is their only source."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("setuptools", "64")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SPECS = {path.name for path in ROOT.glob("specs/*") if path.suffix in (".yaml", ".json")}

BUILD = "import sys; from setuptools import build_meta; print(build_meta.{}(sys.argv[1]))"


def build(kind: str, sources: Path, target: Path) -> Path:
    """Build a distribution as pip does, without a network."""
    target.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD.format(f"build_{kind}"), str(target)],
        cwd=sources,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build") / "sources"
    folder.mkdir()
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("rnnstudy", "specs"):
        ignored = shutil.ignore_patterns("__pycache__", "*.keras", "*.npz")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


def specs_in(wheel: Path) -> set[str]:
    names = zipfile.ZipFile(wheel).namelist()
    return {name.rpartition("/")[2] for name in names if name.startswith("rnnstudy/specs/")}


def test_a_wheel_has_the_specs(sources: Path, tmp_path: Path) -> None:
    pytest.importorskip("wheel")
    wheel = build("wheel", sources, tmp_path / "wheel")
    assert specs_in(wheel) == SPECS
    assert not (sources / "rnnstudy" / "specs").exists()
    # The code of the wheel finds them, without a clone beside it.
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = (
        "import rnnstudy; from rnnstudy.cli.shipped_specs import shipped_spec;"
        "print(rnnstudy.__file__); print(shipped_spec('quickstart'))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "installed"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stdout.splitlines() == [
        str(tmp_path / "installed" / "rnnstudy" / "__init__.py"),
        str(tmp_path / "installed" / "rnnstudy" / "specs" / "quickstart.yaml"),
    ], shown.stderr


def test_a_wheel_from_a_source_distribution_has_the_specs(sources: Path, tmp_path: Path) -> None:
    pytest.importorskip("wheel")
    archive = build("sdist", sources, tmp_path / "sdist")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    assert {path.name for path in (unpacked / "specs").iterdir()} == SPECS
    assert specs_in(build("wheel", unpacked, tmp_path / "wheel")) == SPECS
