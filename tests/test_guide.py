"""The guide is right: its examples run, its specs are valid, its tables name every field."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents import GUIDE, PAGES, ROOT, blocks, first_column, run_python, text_of

import rnnstudy
from rnnstudy.analyses import ANALYSES
from rnnstudy.claims import CLAIMS
from rnnstudy.cli.commands import app
from rnnstudy.metrics import METRICS
from rnnstudy.study.spec.imported_models import Model
from rnnstudy.study.spec.options import Report, Runtime
from rnnstudy.study.spec.selection import Selection
from rnnstudy.study.spec.study import SpecError, Study, load_study
from rnnstudy.tasks import TASKS
from rnnstudy.training.protocol import Training

PAGE = {page.stem: page for page in GUIDE}

BASE = """
study: fragment
tasks: [flip_flop, sine, integration]
"""
"""Spec that the fragments of the guide are added to."""

GRID = "networks: {cells: [vanilla, gru, lstm], activations: [tanh, relu], seeds: 3}\n"
"""Grid of fragments without one."""

QUICKSTART = {
    '"specs/quickstart.yaml"': '"mine.yaml", allow_plugins=True',
    '"runs/quickstart"': '"runs/mine", allow_plugins=True',
    "flip_flop-gru-tanh-32-s002": "recall-leaky-tanh-16-s001",
    '"topology"': '"SpectralRadius".lower()',
    '"svcca"': '"cosine"',
    '"embedding_svcca"': '"cosine"',
}
"""Names of a finished quickstart in the guide -> names of the study of the fixture `mine`."""


def test_the_pages_are_those_that_are_tested() -> None:
    pages = ["analyses", "cells", "claims", "clusters", "dynamics", "figures", "index"]
    more = [
        "notebooks",
        "own-networks",
        "own-tasks-and-cells",
        "pytorch",
        "recordings",
        "scaling",
        "security",
        "spec",
        "tasks",
        "vector-fields",
    ]
    assert sorted(PAGE) == [*pages, *more]


@pytest.mark.parametrize(
    "name",
    [
        "analyses",
        "recordings",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("dynamics", "notebooks", "vector-fields")
        ),
    ],
)
def test_the_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(blocks(PAGE[name], "python"))
    exec(compile(code, f"docs/guide/{name}.md", "exec"), {})


def test_the_examples_of_pytorch_run() -> None:
    pytest.importorskip("torch")
    code = "\n".join(blocks(PAGE["pytorch"], "python"))
    exec(compile(code, "docs/guide/pytorch.md", "exec"), {})


def test_no_other_page_has_python() -> None:
    tested = {"dynamics", "analyses", "notebooks", "own-tasks-and-cells", "pytorch", "spec"}
    tested |= {"recordings", "vector-fields"}
    assert {name for name, page in PAGE.items() if blocks(page, "python")} == tested


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the guide's example classes and a finished study of them."""
    folder = tmp_path_factory.mktemp("mine")
    page = PAGE["own-tasks-and-cells"]
    classes = [block for block in blocks(page, "python") if "open_run" not in block]
    (folder / "mine.py").write_text("\n".join(classes))
    (folder / "mine.yaml").write_text(blocks(page, "yaml")[0])
    main = "import sys; from rnnstudy.cli.commands import main; "
    main += "sys.argv = ['rnnstudy', 'run', 'mine.yaml', '--allow-plugins']"
    out = run_python(f"{main}\nmain()", folder)
    assert "4 of 4 networks trained" in out
    assert "Networks that learn recall have more than one stable point." in out
    return folder


def test_classes_of_ones_own_go_through_a_study(mine: Path) -> None:
    members = (mine / "runs" / "mine" / "members.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in members[1:]] == [
        "recall-gru-tanh-16-s000",
        "recall-gru-tanh-16-s001",
        "recall-leaky-tanh-16-s000",
        "recall-leaky-tanh-16-s001",
    ]
    report = (mine / "runs" / "mine" / "report" / "index.html").read_text(encoding="utf-8")
    assert "Spectral radius" in report


def test_the_examples_on_a_finished_study_run(mine: Path) -> None:
    readme = blocks(ROOT / "README.md", "python")[1]
    parts = [*blocks(PAGE["spec"], "python"), readme]
    for shipped, local in QUICKSTART.items():
        parts = [part.replace(shipped, local) for part in parts]
    reading, keras, readme = parts
    check = "assert len(run.members) == 4 and len(run.claims) == 1\n"
    train = (
        "import numpy as np\n"
        "x = np.zeros((4, 15, 1), 'float32')\n"
        "model.fit(x, x, epochs=1, verbose=0)\n"
    )
    run_python(reading + check + readme + check + keras + train, mine)


def test_a_run_is_opened_by_its_copy_of_the_code(mine: Path, tmp_path: Path) -> None:
    (opened,) = (b for b in blocks(PAGE["own-tasks-and-cells"], "python") if "open_run" in b)
    shutil.copytree(mine / "runs", tmp_path / "runs")
    check = "assert len(run.members) == 4 and run.plan().todo == ()\n"
    run_python("import rnnstudy\n" + opened + check, tmp_path)


def test_the_explained_spec_is_the_shipped_quickstart() -> None:
    explained = yaml.safe_load(blocks(PAGE["spec"], "yaml")[0])
    shipped = yaml.safe_load((ROOT / "specs" / "quickstart.yaml").read_text())
    assert explained == shipped


def test_the_error_message_is_the_one_that_a_user_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.yaml").write_text(
        "study: wrong\ntasks: [flip_flop]\nnetworks: {cells: [lstm, gruu]}\n"
    )
    with pytest.raises(SpecError, match="gruu") as error:
        load_study("wrong.yaml")
    assert [f"{error.value}\n"] == blocks(PAGE["spec"], "text")


def fragments() -> list[Any]:
    """Return the YAML blocks of the guide that name no files or classes of the user."""
    parts = []
    for name, page in PAGE.items():
        for i, block in enumerate(blocks(page, "yaml")):
            if not any(name in block for name in ("mine:", "models:", "data:", "kind: neurogym")):
                parts.append(pytest.param(block, id=f"{name}-{i}"))
    return parts


def study_of(text: str, folder: Path) -> Study:
    """Return the study of a spec, or of a fragment of one."""
    path = folder / "spec.yaml"
    grid = "" if re.search("^networks:", text, flags=re.MULTILINE) else GRID
    path.write_text(text if text.startswith("study:") else BASE + grid + text)
    return load_study(path)


@pytest.mark.parametrize("block", fragments())
def test_the_specs_are_valid(block: str, tmp_path: Path) -> None:
    assert study_of(block, tmp_path).expand()


def test_the_spec_of_own_networks_is_valid_but_for_its_files(tmp_path: Path) -> None:
    page = PAGE["own-networks"]
    block = blocks(page, "yaml")[0]
    models = yaml.safe_load(block)["models"]
    named = {key for model in models if isinstance(model, dict) for key in model}
    assert named <= set(Model.model_fields)
    without = re.sub(r"^models:.*\n(  .*\n)+", "", block, flags=re.MULTILINE)
    assert study_of(without, tmp_path).expand()
    fields = first_column(page, "Your own networks in a study")
    assert fields == list(Model.model_fields)


def test_the_tables_name_every_field() -> None:
    page = PAGE["spec"]
    assert set(first_column(page, "Sections")) == set(Study.model_fields)
    assert set(first_column(page, "Tasks")) >= set(TASKS)
    assert set(first_column(page, "Training")) == set(Training.model_fields)
    assert set(first_column(page, "Selection")) == set(Selection.model_fields)
    assert set(first_column(page, "Report")) == set(Report.model_fields)
    assert set(first_column(page, "Runtime")) == set(Runtime.model_fields)


def test_the_tables_name_every_entry_of_the_catalogues() -> None:
    assert set(first_column(PAGE["analyses"], "Analyses")) == set(ANALYSES)
    metrics = first_column(PAGE["analyses"], "Distances between networks: pairs and metrics")
    assert set(metrics) == set(METRICS)
    assert set(first_column(PAGE["claims"], "Kinds")) >= set(CLAIMS)


def test_the_commands_exist() -> None:
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set()
    for page in PAGES:
        named |= set(re.findall(r"`rnnstudy (\w+)", text_of(page)))
        for block in blocks(page, "sh"):
            named |= set(re.findall(r"^(?:\S*/)?rnnstudy (\w+)", block, flags=re.MULTILINE))
    assert named <= known
    table = re.findall(r"^\| `rnnstudy (\w+)", text_of(PAGE["spec"]), flags=re.MULTILINE)
    assert set(table) == known


def test_the_functions_of_the_dynamics_exist() -> None:
    called = re.findall(r"^\| [^|]+ \| `(\w+)\(", text_of(PAGE["dynamics"]), flags=re.MULTILINE)
    assert len(called) == 8
    assert all(callable(getattr(rnnstudy, name)) for name in called)
