"""A start without a clone: a spec from `init`, examples of the package, lists, the version."""

import re
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rnnstudy.analyses import ANALYSES
from rnnstudy.cells import CELLS
from rnnstudy.claims import CLAIMS
from rnnstudy.cli import shipped_specs as shipped
from rnnstudy.cli.catalogues import default_tasks, example_lines, suitable_tasks
from rnnstudy.cli.commands import app
from rnnstudy.cli.starter_spec import LINE_LIMIT, starter_spec
from rnnstudy.study.errors import RunError
from rnnstudy.study.spec.study import SpecError, build_study, load_study
from rnnstudy.study.spec_text.reader import parse_document
from rnnstudy.tasks import TASKS

ROOT = Path(__file__).parents[2]
SWITCHED_OFF = re.compile(r"^# (?=[a-z]+:| )", re.MULTILINE)


def rnnstudy(*words: str):
    return CliRunner().invoke(app, words)


def error_of(result) -> str:
    return " ".join(str(result.exception).split())


@pytest.mark.parametrize("task", default_tasks())
def test_each_line_of_a_new_spec_is_valid(task: str) -> None:
    cells = ["vanilla", "gru"]
    text = starter_spec("mine", task, cells=cells, activations=["tanh", "relu"], units=[8])
    study = build_study(parse_document(text, "mine.yaml"))
    assert [each.kind for each in study.tasks] == [task]
    assert len(study.expand()) == 3 * 2 * 2
    assert max(map(len, text.splitlines())) <= LINE_LIMIT
    whole = build_study(parse_document(SWITCHED_OFF.sub("", text), "mine.yaml"))
    assert whole.claims
    assert whole.report.models
    # An analysis that suits no task would be left out in silence.
    assert all(each.applies(study.tasks[0]) for each in (*whole.analyses, *whole.claims))


@pytest.mark.parametrize("task", default_tasks())
def test_each_cell_begins_with_an_activation_that_it_takes(task: str) -> None:
    for cell in CELLS:
        study = build_study(parse_document(starter_spec("mine", task, cells=[cell]), "mine.yaml"))
        assert {network.cell.kind for _, network in study.expand()} == {cell}
        # A cell by itself has its own activation, which is tanh for all but those with rates.
        expected = CELLS[cell]().activation
        assert {network.cell.activation for _, network in study.expand()} == {expected}


def test_a_cell_that_refuses_an_activation_of_the_grid_has_its_own() -> None:
    def activations_of(**options) -> dict[str, set[str]]:
        text = starter_spec("mine", units=[4], seeds=1, **options)
        networks = [spec for _, spec in build_study(parse_document(text, "mine.yaml")).expand()]
        kinds = {network.cell.kind for network in networks}
        return {k: {n.cell.activation for n in networks if n.cell.kind == k} for k in kinds}

    whole = activations_of(cells=list(CELLS))
    assert whole == {kind: {"relu" if kind == "dale" else "tanh"} for kind in CELLS}
    mixed = activations_of(cells=["gru", "dale"], activations=["tanh", "softplus"])
    assert mixed == {"gru": {"tanh", "softplus"}, "dale": {"softplus"}}


def test_an_activation_that_no_cell_takes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = rnnstudy("init", "a", "--cell", "dale", "--activation", "tanh")
    assert "activation of a dale network must be one of relu" in error_of(refused)
    assert list(tmp_path.iterdir()) == []
    assert rnnstudy("init", "a", "--cell", "dale").exit_code == 0
    assert "activations: [relu]" in Path("a.yaml").read_text()


def test_init_writes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("init", "new/memory", "--cell", "lstm", "--cell", "gru", "--units", "5")
    assert "Next: rnnstudy run new/memory.yaml" in rnnstudy(*words, "--seeds", "2").output
    study = load_study("new/memory.yaml")
    assert study.study == "memory"
    assert [network.cell.kind for _, network in study.expand()] == ["lstm"] * 2 + ["gru"] * 2
    assert {network.cell.units for _, network in study.expand()} == {5}
    before = Path("new/memory.yaml").read_bytes()
    again = rnnstudy("init", "new/memory.yaml")
    assert isinstance(again.exception, RunError)
    assert error_of(again).startswith("new/memory.yaml must not exist yet, but it does")
    assert Path("new/memory.yaml").read_bytes() == before


def test_wrong_options_of_init_write_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unknown = rnnstudy("init", "a", "--task", "flipflop")
    assert error_of(unknown).endswith("got 'flipflop'; did you mean 'flip_flop'?")
    assert "cell must be one of vanilla, " in error_of(rnnstudy("init", "a", "--cell", "rnn"))
    empty = rnnstudy("init", "a", "--units", "0")
    assert isinstance(empty.exception, SpecError)
    assert "networks.units[0] is 0" in error_of(empty)
    assert list(tmp_path.iterdir()) == []


def test_a_task_with_required_fields_is_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    class Needy(TASKS["sine"]):  # type: ignore[misc]
        kind = "needy"
        pace: float

    monkeypatch.setitem(TASKS, "needy", Needy)
    with pytest.raises(RunError, match=r"must have defaults .* got 'needy', which needs pace\. B"):
        starter_spec("a", "needy")
    assert "needy" not in default_tasks()


def test_examples_are_the_specs_of_the_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(shipped.shipped_specs()) == {path.stem for path in ROOT.glob("specs/*.yaml")}
    assert shipped.shipped_spec("quickstart").samefile(ROOT / "specs" / "quickstart.yaml")
    wrong = rnnstudy("check", "--example", "quickstrat")
    assert error_of(wrong).endswith("got 'quickstrat'; did you mean 'quickstart'?")
    for words in ((), ("a.yaml", "--example", "quickstart")):
        assert "must be named once" in error_of(rnnstudy("run", *words))
    # A package whose specs are lost names none.
    monkeypatch.setattr(shipped, "CODE", ROOT / "tests" / "cli")
    assert shipped.shipped_specs() == {}


def test_an_example_is_checked_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = rnnstudy("check", "--example", "quickstart")
    assert found.exit_code == 0, found.exception
    assert "quickstart: 24 networks on flip_flop" in found.output


def test_the_version_is_printed() -> None:
    assert rnnstudy("--version").output == f"rnnstudy {version('rnnstudy')}\n"


def test_list_without_a_word_shows_the_words_and_what_suits_which_task() -> None:
    lines = rnnstudy("list").output
    text = " ".join(lines.split())
    for word, catalogue in (("tasks", TASKS), ("cells", CELLS), ("claims", CLAIMS)):
        assert f"{word}: {', '.join(catalogue)}" in text
    assert "examples: " in text
    assert "analyses for flip_flop too: topology, transitions, graph_distances" in text
    assert "analyses for sine too: oscillations" in text
    assert "claims for integration too: line_attractor" in text


def test_suitability_is_that_of_studies() -> None:
    # Independent of `list`: a study refuses an analysis that no task of it suits.
    tasks = default_tasks()
    for kind in ("topology", "oscillations", "line_attractor"):
        suitable = suitable_tasks(kind, "analyses", tasks)
        for task in ("flip_flop", "sine", "integration"):
            spec = {
                "study": "a",
                "tasks": [task],
                "networks": {"cells": "gru", "units": 4},
                "analyses": ["fixed_points", kind],
            }
            try:
                load_study(spec)
            except SpecError:
                assert task not in suitable
            else:
                assert task in suitable


def test_entries_of_a_list_are_complete() -> None:
    text = " ".join(rnnstudy("list", "analyses").output.split())
    for kind in ANALYSES:
        assert f"{kind}: " in text
    assert "for: integration" in text
    assert "for: all tasks" in text
    assert "the state is [h, c]" in " ".join(rnnstudy("list", "cells").output.split())


def test_examples_whose_files_are_missing_are_listed_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs", ignore=shutil.ignore_patterns("*.npz"))
    (tmp_path / "specs" / "memory-lstm.keras").write_bytes(b"")
    monkeypatch.setattr(shipped, "CODE", tmp_path)
    lines = [line.plain for line in example_lines()]
    names = set(shipped.shipped_specs()) - {"field"}
    assert set(lines[0].removeprefix("examples: ").split(", ")) == names
    assert lines[1].endswith(": field")
