"""Edited code of the user: new results, a word in the check, and copies in the run directory."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rnnstudy import runner
from rnnstudy.core.source import plugins
from rnnstudy.study.errors import RunError
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.code import edited_code_lines, own_classes
from rnnstudy.study.results.run import open_run, store_of
from rnnstudy.study.spec.study import Study, load_study

CELL = """
from own_code_rates import RATE
from rnnstudy.cells.vanilla import Vanilla


class Slow(Vanilla):
    def step(self, w, drive, h):
        return RATE * super().step(w, drive, h)
"""

ANALYSIS = """
from rnnstudy import MemberAnalysis, Record


class Nothing(MemberAnalysis):
    def run(self, population, task):
        return [Record()] * len(population)
"""

SPEC = """
study: own
tasks: [{kind: flip_flop, bits: 1, length: 12}]
networks: {cells: [vanilla, "own_code_cells:Slow"], units: 3, seeds: 2}
training: {steps: 1, batch: 2, record_every: 1}
analyses: [{kind: "own_code_analysis:Nothing", networks: trained}]
"""

NAMES = ("own_code_rates", "own_code_cells", "own_code_analysis")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    work = tmp_path / "work"
    work.mkdir()
    (work / "own_code_cells.py").write_text(CELL)
    (work / "own_code_rates.py").write_text("RATE = 0.5\n")
    (work / "own_code_analysis.py").write_text(ANALYSIS)
    (work / "spec.yaml").write_text(SPEC)
    monkeypatch.syspath_prepend(work)
    yield work
    forget()


def forget() -> None:
    """Unload the modules, as a new process would."""
    for name in NAMES:
        sys.modules.pop(name, None)
        plugins._packages.discard(name)
    plugins._folders.clear()
    importlib.invalidate_caches()


def study(folder: Path) -> Study:
    forget()
    return load_study(folder / "spec.yaml", allow_plugins=True)


def lines(folder: Path) -> list[str]:
    asked = study(folder)
    store = store_of(asked, folder / "run")
    return list(edited_code_lines(asked, make_plan(asked, store), store, folder / "run"))


def anew(folder: Path) -> dict[str, int]:
    """Return the numbers of networks and records of the own analysis that are made anew."""
    text = lines(folder)[1].removeprefix("made anew because of it: ")
    counts = {name: int(count) for name, count in (part.split() for part in text.split(", "))}
    return {name: counts[name] for name in ("train", "nothing") if name in counts}


def edit(path: Path) -> None:
    path.write_text(path.read_text() + "# Edited.\n")


def test_edited_code_is_computed_again_and_other_results_are_kept(folder: Path) -> None:
    run = runner.run(study(folder), folder / "run")
    assert list(own_classes(run.study)) == ["own_code_analysis:Nothing", "own_code_cells:Slow"]
    assert run.plan().todo == ()
    assert lines(folder) == []

    edit(folder / "own_code_rates.py")
    assert lines(folder)[0] == "edited since the last run: own_code_cells:Slow"
    assert anew(folder) == {"train": 2, "nothing": 2}
    again = make_plan(study(folder), run.store)
    assert {name for job in again.todo for name in job.names} == {
        f"flip_flop-slow-tanh-3-s00{seed}" for seed in (0, 1)
    }

    edit(folder / "own_code_analysis.py")
    both = "own_code_analysis:Nothing, own_code_cells:Slow"
    assert lines(folder)[0] == f"edited since the last run: {both}"
    assert anew(folder) == {"train": 2, "nothing": 4}
    (folder / "own_code_rates.py").write_text("RATE = 0.5\n")
    assert anew(folder) == {"nothing": 4}
    (folder / "own_code_analysis.py").write_text(ANALYSIS)
    assert make_plan(study(folder), run.store).todo == ()


def test_a_run_is_opened_elsewhere_by_its_copies(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.run(study(folder), folder / "run")
    copies = folder / "run" / "code"
    assert {path.name for path in copies.iterdir()} == {
        "sources.json", *(f"{name}.py" for name in NAMES)
    }  # fmt: skip
    elsewhere = (folder / "run").rename(tmp_path / "elsewhere")
    forget()
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(folder)])
    monkeypatch.chdir(tmp_path)
    # Nothing runs the copies unless it is told to.
    with pytest.raises(RunError, match=r"If you trust its origin.*code=True"):
        open_run(elsewhere)
    assert not set(NAMES) & sys.modules.keys()
    code = (
        f"import rnnstudy; run = rnnstudy.open_run({str(elsewhere)!r}, code=True)\n"
        "print(sorted(run.members['status']), len(run.plan().todo))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['trained', 'trained', 'trained', 'trained'] 0"


@pytest.mark.slow
def test_copies_do_not_stand_in_for_other_code_that_is_loaded(folder: Path) -> None:
    runner.run(study(folder), folder / "run")
    edit(folder / "own_code_rates.py")
    study(folder)
    with pytest.raises(RunError, match=r"module 'own_code_rates' is loaded from .* new process"):
        open_run(folder / "run", code=True)


def test_a_run_without_own_classes_has_no_copies(folder: Path) -> None:
    text = SPEC.replace(', "own_code_cells:Slow"', "").replace("own_code_analysis:Nothing", "x")
    (folder / "spec.yaml").write_text(text[: text.index("analyses")])
    runner.run(study(folder), folder / "plain")
    assert not (folder / "plain" / "code").exists()
    with pytest.raises(RunError, match="holds no code; open the run without code=True"):
        open_run(folder / "plain", code=True)
