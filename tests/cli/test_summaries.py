"""Summaries in the terminal: findings first, at most a screen, and nothing is cut in a pipe."""

import io
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from claims.studied import Large
from made_findings import SEES, evidence, findings
from rich.console import Console
from rich.table import Table

from rnnstudy import load_study
from rnnstudy.claims.evidence.record import ControlResult, collect_controls
from rnnstudy.cli.summaries import plan_summary, run_summary
from rnnstudy.cli.summaries.plan_summary import important_kinds, show_plan
from rnnstudy.cli.summaries.run_summary import control_mark, show_findings
from rnnstudy.cli.terminal import SafeConsole, make_table
from rnnstudy.study.plan.plan import make_plan
from rnnstudy.study.results.run import store_of
from rnnstudy.study.results.verdict_table import ClaimEvidence, ClaimResult, evaluate_claims
from rnnstudy.tasks.sine import Sine

CONFIRMATORY = Path(__file__).parents[2] / "specs" / "universality-confirmatory.yaml"


def run_of(results: Sequence[ClaimResult]) -> Any:
    tasks = list({each.task.title: each.task for each in results}.values())
    return SimpleNamespace(directory=Path("runs/a"), study=SimpleNamespace(tasks=tasks))


def text_of(results: Sequence[ClaimResult], whole: bool = False, **options: Any) -> str:
    file = io.StringIO()
    show_findings(results, run_of(results), SafeConsole(file=file, **options), whole=whole)
    return file.getvalue()


MANY = ("not computed", "not supported", "supported", "uninformative", "supported") * 12


def test_findings_come_first_in_the_order_of_the_spec() -> None:
    lines = text_of(findings(*MANY[:5])).splitlines()
    assert lines[0] == ("Findings: 1 not computed, 1 not supported, 2 supported, 1 uninformative")
    assert lines[1].split() == ["verdict", "effect", "[95", "%]", "controls", "task", "claim"]
    assert [line.split("  ")[0] for line in lines[2:]] == [
        "supported", "supported", "not supported", "not computed", "uninformative",
    ]  # fmt: skip
    assert "supported  " in lines[2]
    assert "  0.88 [0.75, 0.95]  " in lines[2]
    assert lines[2].split()[4:7] == ["pass", "flip_flop", "Networks"]
    # A claim without evidence has neither an effect nor controls.
    assert lines[5].split()[:3] == ["not", "computed", "flip_flop"]


def test_the_others_are_counted_with_the_command_that_shows_them() -> None:
    results = findings(*MANY)
    lines = text_of(results).splitlines()
    assert len(lines) == 1 + 1 + run_summary.MOST_FINDINGS + 1
    assert lines[-1] == (
        "and 48 more (12 supported, 12 not supported, 12 not computed, 12 uninformative): "
        "rnnstudy claims runs/a"
    )
    whole = text_of(results, whole=True).splitlines()
    assert len(whole) == 1 + 1 + len(results)
    for i in range(len(results)):
        assert sum(f"  claim_{i}: " in line for line in whole) == 1
    assert any("(uninformative: it sees nothing)" in line for line in whole)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 24), (80, 40), (60, 12)])
def test_findings_take_at_most_a_screen(width: int, height: int) -> None:
    text = text_of(findings(*MANY), force_terminal=True, width=width, height=height)
    lines = text.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert all(len(line) <= width for line in lines[1:-1])
    shown = sum(line.startswith("supported") for line in lines)
    assert shown >= run_summary.LEAST_FINDINGS
    if shown > run_summary.LEAST_FINDINGS:
        assert len(lines) <= height
    assert f"and {60 - shown} more (" in lines[-1]


def test_the_task_is_named_if_there_are_several() -> None:
    one = [each for each in findings(*MANY) if each.task.title == "sine"]
    assert "task" not in text_of(one).splitlines()[1].split()


def test_a_run_without_claims_has_no_findings() -> None:
    assert text_of([]) == ""


NOISE = ControlResult("noise", "negative", 0.9, p=1e-6, holds=True, informative=True)


@pytest.mark.parametrize(
    ("controls", "mark"),
    [
        ([SEES], "pass"),
        ([SEES, NOISE], "noise"),
        ([SEES, NOISE._replace(informative=False)], "pass"),
        ([SEES, NOISE._replace(p=0.5, p_opposite=0.5)], "pass"),
        ([SEES._replace(holds=False), NOISE], "blind"),
        ([SEES, SEES._replace(role="planted")], "pass"),
        ([SEES, SEES._replace(role="planted", holds=False)], "blind"),
        ([], ""),
    ],
)
def test_the_mark_of_controls_names_the_first_that_is_wrong(
    controls: list[ControlResult], mark: str
) -> None:
    claim = ClaimEvidence(Large(name="a"), Sine(), evidence(controls=collect_controls(controls)))
    assert control_mark(evaluate_claims([claim])[0]) == mark


def test_too_many_shuffles_that_pass_are_marked() -> None:
    # All 100 shuffles pass at a level of 0.05, at which some five may.
    for p, mark in ((0.0, "shuffled"), (0.9, "pass")):
        controls = collect_controls([SEES], [p] * 100)
        claim = ClaimEvidence(Large(name="a"), Sine(), evidence(controls=controls))
        assert control_mark(evaluate_claims([claim])[0]) == mark


# Tables


WORDS = " ".join(["a long cell"] * 40)


def table_text(**options: Any) -> str:
    file = io.StringIO()
    table = make_table("name", "text", "number", labels=2)
    table.add_row("first", WORDS, "1")
    table.add_row("representations_on_flip_flop", "short", "123,456")
    SafeConsole(file=file, **options).print_table(table)
    return file.getvalue()


def test_nothing_is_cut_or_wrapped_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (None, "20"):
        if columns:
            monkeypatch.setenv("COLUMNS", columns)
        lines = table_text().splitlines()
        assert len(lines) == 3
        assert WORDS in lines[1]
        assert lines[2].split() == ["representations_on_flip_flop", "short", "123,456"]
        assert all(line == line.rstrip() for line in lines)


def test_a_pipe_with_colours_is_still_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = table_text()
    assert "\x1b[1m" in text
    assert r"\x1b" not in text
    assert WORDS in text


def test_a_terminal_folds_and_cuts_nothing() -> None:
    text = table_text(force_terminal=True, width=40)
    assert all(
        len(line) <= 40 for line in text.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    )
    assert "…" not in text
    assert text.count("cell") == 40


def test_the_size_can_be_set() -> None:
    console = SafeConsole(file=io.StringIO())
    assert console.width > 1000
    console.size = (30, 10)  # type: ignore[assignment]
    assert (console.width, console.height) == (30, 10)


def test_lines_and_boxed_tables_are_not_cropped_either() -> None:
    file = io.StringIO()
    console = SafeConsole(file=file)
    console.print(WORDS)
    table = Table(title="a benchmark")
    table.add_column("contender")
    table.add_row(WORDS)
    console.print(table)
    assert file.getvalue().count(WORDS) == 2


def test_a_closed_output_has_no_width() -> None:
    file = io.StringIO()
    console = SafeConsole(file=file)
    file.close()
    assert console.is_wide


# Plans


def plan_lines(study: Any, tmp_path: Path, **options: Any) -> list[str]:
    file = io.StringIO()
    plan = make_plan(study, store_of(study, tmp_path))
    show_plan(study, plan, SafeConsole(file=file), **options)
    return file.getvalue().splitlines()


def test_the_plan_of_a_large_study_is_short(tmp_path: Path) -> None:
    study = load_study(CONFIRMATORY)
    lines = plan_lines(study, tmp_path)
    whole = plan_lines(study, tmp_path, whole=True)
    assert len(lines) < 50 < len(whole)
    done = [line for line in lines if line.endswith(" done")]
    assert "train: 0 of 576 done" in done
    assert any(line.startswith("claims: 0 of ") for line in done)
    assert not any("tiles" in line or "controls" in line for line in lines)
    # The line about the others has the sum of what is not named.
    counts = {line for line in whole if line.endswith(" done")}
    named = {line for line in done if line in counts}
    (rest,) = [line for line in lines if line.startswith("and ")]
    totals = [int(line.split()[-2]) for line in counts - named]
    assert rest == (
        f"and {len(totals)} more kinds of results: 0 of {sum(totals)} done (-v names them)"
    )
    assert len(named) + 1 == plan_summary.LINES
    # Both tables of cost have the same sum.
    assert lines[-1].split()[:2] == ["in", "all"]
    assert lines[-1].split()[2:4] == whole[-1].split()[2:4]


def test_networks_of_a_task_and_a_cell_share_a_row_if_there_are_many(tmp_path: Path) -> None:
    lines = plan_lines(load_study(CONFIRMATORY), tmp_path)
    rows = [line.split("  ") for line in lines[2:14]]
    cells = [[part.strip() for part in row if part.strip()] for row in rows]
    assert cells[0] == [
        "flip_flop",
        "vanilla",
        "tanh, relu",
        "64",
        "tuned, standard",
        "48",
        "4,611",
    ]
    assert sum(int(row[-2]) for row in cells) == 576


def test_few_kinds_are_all_named(tmp_path: Path) -> None:
    study = load_study({"study": "a", "tasks": ["sine"], "networks": {"cells": "gru"}})
    counts = [(name, 0, 1) for name in "abc"]
    assert important_kinds(study, counts, 3) == ["a", "b", "c"]
    assert important_kinds(study, [*counts, ("train", 0, 1)], 3) == ["a", "train"]
    assert important_kinds(study, counts, None) == ["a", "b", "c"]
    lines = plan_lines(study, tmp_path)
    assert lines == plan_lines(study, tmp_path, whole=True)


def test_rich_itself_would_cut() -> None:
    # If this fails, the console of the package has become needless.
    file = io.StringIO()
    table = make_table("text", labels=1)
    table.add_row(WORDS)
    Console(file=file, width=80).print(table)
    assert len(file.getvalue().splitlines()) > 2
