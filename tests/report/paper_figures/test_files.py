"""Figures for papers as files: sizes, fonts, bytes, tables, and the command that writes them."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import rnnstudy
from rnnstudy.cli.commands import app
from rnnstudy.report.paper_figures.catalogue import FIGURE_NAMES, FIGURES
from rnnstudy.report.paper_figures.composing import list_figures, paper_figure
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.run import Run
from rnnstudy.study.spec.study import study_of

POINTS_PER_MM = 72 / 25.4

PDF_TOLERANCE, SVG_TOLERANCE = 0.01, 0.001
"""Points by which a file rounds its size."""


def pdf_width(content: bytes) -> float:
    (box,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) [\d.]+ \]", content)
    return float(box)


def svg_width(text: str) -> float:
    return float(re.search(r'<svg [^>]*width="([\d.]+)pt"', text).group(1))  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "mm"), [("figure1d", 85), ("figure2", 174)])
def test_widths_are_those_of_columns_and_fonts_are_embedded(
    run: Run, drawn: Any, tmp_path: Path, name: str, mm: float
) -> None:
    (drawn.get(name) or paper_figure(run, name)).save(tmp_path)
    pdf, svg = (tmp_path / f"{name}.pdf").read_bytes(), (tmp_path / f"{name}.svg").read_text()
    assert pdf_width(pdf) == pytest.approx(mm * POINTS_PER_MM, abs=PDF_TOLERANCE)
    assert svg_width(svg) == pytest.approx(mm * POINTS_PER_MM, abs=SVG_TOLERANCE)
    # Type 42 wraps a TrueType font, which is embedded as FontFile2.
    assert b"/FontFile2" in pdf
    assert b"/Subtype /Type3" not in pdf
    # Letters are outlines, so that no font needs to be installed.
    assert "<text" not in svg
    assert "<date" not in svg
    assert b"CreationDate" not in pdf


def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    first = paper_figure(run, "figure1e").save(tmp_path / "first")
    second = paper_figure(run, "figure1e").save(tmp_path / "second")
    assert [path.name for path in first] == [path.name for path in second]
    assert len(first) == 5
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_a_style_of_the_user_overrides_width_and_text(run: Run, tmp_path: Path) -> None:
    style = tmp_path / "mine.mplstyle"
    style.write_text("figure.figsize: 4, 3\nsvg.fonttype: none\nfont.size: 9\n")
    paper_figure(run, "figure1d", style=style).save(tmp_path)
    svg = (tmp_path / "figure1d.svg").read_text()
    assert svg_width(svg) == pytest.approx(4 * 72, abs=SVG_TOLERANCE)
    assert ">MDS 1</text>" in svg
    wide = paper_figure(run, "figure1d", style=style, width="double")
    assert wide.get_size_inches()[0] == pytest.approx(174 / 25.4)


@pytest.mark.parametrize("name", ["figure1", "figure2", "figure3"])
def test_tables_are_complete_and_read_back(drawn: Any, tmp_path: Path, name: str) -> None:
    figure = drawn[name]
    figure.save(tmp_path, formats=())
    assert not figure.missing
    names = {table.partition("-")[0] for table in figure.tables}
    assert names == {panel.name for panel in FIGURES[name].panels}
    for table, values in figure.tables.items():
        assert "Unnamed" not in " ".join(values.columns)
        kinds = values.dtypes.to_dict()
        back = pd.read_csv(tmp_path / f"{table}.csv", dtype=kinds)
        # Files have all digits. Some releases of pandas round the last bit when they read.
        pd.testing.assert_frame_equal(back, values, rtol=1e-14)


def test_a_narrow_figure_has_one_panel_a_row(run: Run) -> None:
    figure = paper_figure(run, "figure2", width="single")
    assert figure.get_size_inches()[0] == pytest.approx(85 / 25.4)
    heights = sum(panel.height for panel in FIGURES["figure2"].panels)
    assert figure.get_size_inches()[1] == pytest.approx(heights / 25.4)


def test_conditions_choose_networks(run: Run) -> None:
    table = paper_figure(run, "figure1d", where={"cell": ("gru", "lstm")}).tables["figure1d"]
    assert set(table["cell"]) == {"gru", "lstm"}
    assert len(table) == 8


def test_the_list_for_a_task_leaves_out_the_figures_of_others(run: Run) -> None:
    missing = {entry.name: entry.missing for entry in list_figures(run, "sine")}
    assert not missing["figure2a"]
    assert "not about the task 'sine'" in missing["figure1"]
    assert "not about the task 'sine'" in missing["figure3a"]


def test_the_list_says_what_is_missing(run: Run, tmp_path: Path) -> None:
    assert {entry.name for entry in list_figures(run)} == set(FIGURE_NAMES)
    assert not [entry for entry in list_figures(run) if entry.missing]
    spec = {"study": "a", "tasks": ["flip_flop"], "networks": {"cells": "gru", "seeds": 1}}
    empty = Run(tmp_path / "empty", study_of({**spec, "analyses": ["fixed_points", "topology"]}))
    reasons = {entry.name: entry.missing for entry in list_figures(empty)}
    assert reasons["figure1d"] == "add {kind: pairs, metric: svcca} to the analyses of the spec"
    assert reasons["figure1a"] == "no network has a result of 'representations'; run the study"
    assert reasons["figure2c"] == "add a task of sine waves (sine) to the tasks of the spec"
    with pytest.raises(RunError, match=r"figure2 cannot be drawn from .*: add a task of sine"):
        paper_figure(empty, "figure2")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "figure1z"}, r"name must be one of figure1, .*, got 'figure1z'; did you mean"),
        ({"name": "figure1d", "task": "sin"}, "got 'sin'; did you mean 'sine'"),
        (
            {"name": "figure1a", "task": "sine"},
            r"figure1a .*: it is about a memory .*not about the task 'sine'; give .* 'flip_flop'",
        ),
        (
            {"name": "figure1d", "where": {"cell": "gruu"}},
            "where: cell is 'gruu', which no",
        ),
        (
            {"name": "figure1d", "where": {"cell": "gru", "activation": "tanh", "units": 5}},
            "where: units is 5, which no network has",
        ),
        ({"name": "figure1a", "member": "flip_flop-gru"}, "member must be a network of the figure"),
        ({"name": "figure1d", "width": "singles"}, "did you mean 'single'"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    run: Run, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(RunError, match=message) as error:
        paper_figure(run, **arguments)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


def test_the_command_lists_and_writes(run: Run, tmp_path: Path) -> None:
    runner, folder = CliRunner(), str(run.directory)
    listed = runner.invoke(app, ["figure", folder]).output
    assert all(name in listed for name in FIGURE_NAMES)
    assert "Not from this run" not in listed
    options = ["--out", str(tmp_path), "--where", "activation=tanh", "--where", "cell=gru"]
    options += ["--where", "cell=lstm"]
    written = runner.invoke(app, ["figure", folder, "figure1d", *options])
    assert written.exit_code == 0, written.output
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["figure1d.csv", "figure1d.pdf", "figure1d.svg"]
    table = pd.read_csv(tmp_path / "figure1d.csv")
    assert set(table["activation"]) == {"tanh"}
    assert set(table["cell"]) == {"gru", "lstm"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["figure9"], "name must be one of"),
        (["figure1d", "--where", "gru"], "--where must be FIELD=VALUE, got 'gru'"),
        (["figure1d", "--style", "absent.mplstyle"], "style must be a style file of matplotlib"),
    ],
)
def test_mistakes_at_the_command_are_one_sentence(
    run: Run, options: list[str], message: str
) -> None:
    result = CliRunner().invoke(app, ["figure", str(run.directory), *options])
    assert isinstance(result.exception, RunError)
    assert message in str(result.exception)


def test_the_function_is_public() -> None:
    assert rnnstudy.paper_figure is paper_figure
