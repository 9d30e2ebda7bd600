"""Links inside a run directory: nothing is written or deleted where they lead."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from rnnstudy import runner
from rnnstudy.core.storage.errors import CorruptRecord
from rnnstudy.study.errors import RunError
from rnnstudy.study.spec.study import Study, study_of

OWN = """\
from rnnstudy.cells.vanilla import Vanilla


class Linked(Vanilla):
    pass
"""


def contents(folder: Path) -> dict[str, bytes | str]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Path]:
    """Return a study with a cell of a user, and its finished run directory."""
    folder = tmp_path_factory.mktemp("links")
    (folder / "linked_cell.py").write_text(OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        study = study_of(
            {
                "study": "links",
                "tasks": [{"kind": "flip_flop", "bits": 1, "length": 5}],
                "networks": {"cells": ["linked_cell:Linked"], "units": 2},
                "training": {"steps": 1, "batch": 2},
                "report": {"models": ["*"], "formats": "svg"},
            },
            allow_plugins=True,
        )
        runner.run(study, folder / "run")
    return study, folder / "run"


NAMES = [
    "members.csv", "resolved.yaml", "spec.yaml", "provenance.json", "report", "report/index.html",
    "models", "models/*.keras", "code", "store", "store/??", "store/format", "store/.leases",
    ".lock",
]  # fmt: skip
"""Files and folders of a run directory. One with `*` or `?` stands for the first that fits."""


def replace_by_link(run: Path, name: str, target: Path) -> None:
    """Move what has a name in a run directory to a place outside, and link to it."""
    found = sorted(run.glob(name)) if {"*", "?"} & set(name) else [run / name]
    path = found[0]
    if path.exists():
        shutil.move(path, target)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("name", NAMES)
def test_no_link_is_followed_for_writing(
    finished: tuple[Study, Path], tmp_path: Path, name: str
) -> None:
    study, original = finished
    run, outside = tmp_path / "run", tmp_path / "outside"
    shutil.copytree(original, run)
    outside.mkdir()
    (outside / "bystander").write_text("mine")
    replace_by_link(run, name, outside / "target")
    table = run / "members.csv"
    if not table.is_symlink():
        table.write_text("")  # so that the run has something to write
    before = contents(outside)
    with suppress(OSError, RunError, CorruptRecord):
        runner.run(study, run)
    assert contents(outside) == before
