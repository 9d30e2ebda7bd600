"""Summary of a run in the terminal: networks, findings with their effects, and the next step."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from math import isnan
from typing import Any

from rich.table import Table

from rnnstudy.cli.terminal import SafeConsole, make_table
from rnnstudy.study.plan.job import count_label
from rnnstudy.study.results.failures import collect
from rnnstudy.study.results.run import Run
from rnnstudy.study.results.verdict_table import (
    ClaimResult,
    failed_control,
    full_statement,
)

SHOWN = 10
"""Networks and choices of one kind that are named."""

MOST_FINDINGS = 12
"""Findings at the end of a run."""

LEAST_FINDINGS = 3
"""Findings that are shown however low the terminal is."""

OTHER_LINES = 8
"""Lines of a terminal that are left for what stands around the findings."""

LEAST_SOLVED = 0.5
"""Share of solved networks below which the next step is better training."""


def show_run(run: Run, console: SafeConsole) -> None:
    """Print how the networks of a run fare, its findings, what failed, and the next step.

    Parameters
    ----------
    run
        The run.
    console
        The console.
    """
    for line in (*_choice_lines(run), *_network_lines(run)):
        console.say(line)
    # Where a claim raises, the report says so.
    show_findings(collect(run.verdicts)[0], run, console)
    for line in (*_failure_lines(run), *_next_lines(run)):
        console.say(line)


def show_findings(
    results: Sequence[ClaimResult], run: Run, console: SafeConsole, *, whole: bool = False
) -> None:
    """Print the number of claims of each verdict, and a table of them.

    Verdicts that say something come first: supported, alike and different. Claims without a finding
    follow, then claims without a verdict. Within these, claims have the order of the spec.

    Parameters
    ----------
    results
        The verdicts.
    run
        The run, for its name.
    console
        The console. In a terminal the table takes at most a screen.
    whole
        If true, all claims are shown, with p, numbers of networks and reasons. Default: the first
        ones, and the others are counted.
    """
    if not results:
        return
    counts = Counter(each.word for each in results)
    console.say(f"Findings: {', '.join(f'{count} {word}' for word, count in counts.items())}")
    ordered = sorted(results, key=_rank)
    if whole:
        console.print_table(_finding_table(ordered, _DETAILS))
        return
    columns = _COLUMNS if len(run.study.tasks) > 1 else _ONE_TASK
    table = make_fitting_table(partial(_finding_table, columns=columns), ordered, console)
    console.print_table(table)
    if rest := ordered[table.row_count :]:
        words = ", ".join(f"{n} {word}" for word, n in Counter(each.word for each in rest).items())
        console.say(f"and {len(rest)} more ({words}): rnnstudy claims {run.directory}")


def make_fitting_table(
    make: Callable[[Sequence[ClaimResult]], Table],
    results: Sequence[ClaimResult],
    console: SafeConsole,
) -> Table:
    """Return a table of the first results: as many as fit on a screen, and at most `MOST_FINDINGS`.

    Parameters
    ----------
    make
        Function that returns the table of some results.
    results
        All results.
    console
        The console. Output that is no terminal has no height.
    """
    count = min(MOST_FINDINGS, len(results))
    table = make(results[:count])
    if not console.is_terminal:
        return table
    space = console.height - OTHER_LINES
    while count > LEAST_FINDINGS and len(console.render_lines(table)) > space:
        count -= 1
        table = make(results[:count])
    return table


def _rank(result: ClaimResult) -> int:
    """Return 0 for a finding, 1 for a test without one, 2 for a claim without a verdict."""
    yes, undecided, opposite = result.claim.words
    if result.word == undecided:
        return 1
    return 0 if result.word in (yes, opposite) else 2


def control_mark(result: ClaimResult) -> str:
    """Return `pass` if all controls of a claim are as they must be, or the first that is not.

    It is empty without controls. For the names of controls see `failed_control`.
    """
    failed = failed_control(result)
    return "" if failed is None else failed or "pass"


def _effect(result: ClaimResult) -> str:
    """Return an effect with its interval of 95 %: `0.88 [0.75, 0.95]`."""
    evidence = result.evidence
    if evidence is None or isnan(evidence.effect):
        return ""
    effect = f"{evidence.effect:.2g}"
    if isnan(evidence.low) or isnan(evidence.high):
        return effect
    return f"{effect} [{evidence.low:.2g}, {evidence.high:.2g}]"


def _statement(result: ClaimResult) -> str:
    return full_statement(result.claim, result.task)


def _with_reason(result: ClaimResult) -> str:
    reason = f" ({result.word}: {result.note})" if result.note else ""
    return f"{result.claim.title}: {_statement(result)}{reason}"


Columns = dict[str, Callable[[ClaimResult], str]]

_COLUMNS: Columns = {
    "verdict": lambda each: each.word,
    "effect [95 %]": _effect,
    "controls": control_mark,
    "task": lambda each: each.task.title,
    "claim": _statement,
}

_ONE_TASK = {name: cell for name, cell in _COLUMNS.items() if name != "task"}

_DETAILS: Columns = {
    "verdict": lambda each: each.word,
    "effect [95 %]": _effect,
    "corrected p": lambda each: "" if isnan(each.corrected) else f"{each.corrected:.2g}",
    "networks": lambda each: str(int(each.evidence.networks.sum())) if each.evidence else "",
    "controls": control_mark,
    "task": lambda each: each.task.title,
    "claim": _with_reason,
}


def _finding_table(results: Sequence[ClaimResult], columns: Columns) -> Table:
    table = make_table(*columns, labels=len(columns))
    for column in table.columns[:-1]:
        column.no_wrap = True
    for result in results:
        table.add_row(*(cell(result) for cell in columns.values()))
    return table


def _network_lines(run: Run) -> Iterator[str]:
    """Yield how many networks are trained and solved, and the names of those without results."""
    table = run.members
    trained = table[table["status"] == "trained"]
    solved = int(trained["solved"].sum())
    yield f"{len(trained)} of {len(table)} networks trained, {solved} solved their task"
    diverged = list(table["member"][table["status"] == "diverged"])
    yield from _first(
        [f"diverged: {name}" for name in diverged], "diverged; members.csv lists them"
    )
    without = table[table["left_out"] != ""]
    pairs = zip(without["member"], without["left_out"], strict=True)
    yield from _first(
        [f"without distances: {name} ({reasons})" for name, reasons in pairs],
        "without distances; members.csv lists them",
    )


def _choice_lines(run: Run) -> Iterator[str]:
    chosen = [
        f"chosen for {group.name}: {group.words(result.chosen)}"
        for group, result in run.selections()
        if result is not None
    ]
    yield from _first(chosen, "choices; selection.csv lists them")


def _first(lines: Sequence[str], rest: str) -> Iterator[str]:
    """Yield the first lines, and the number of the others."""
    yield from islice(lines, SHOWN)
    if len(lines) > SHOWN:
        yield f"and {len(lines) - SHOWN} more {rest}"


def _failure_lines(run: Run) -> Iterator[str]:
    lines = [f"failed: {failure.label}: {failure.reason}" for failure in run.failures()]
    yield from _first([*lines, *(f"failed: {fault}" for fault in run.faults)], "failed")
    log = run.directory / "failures.log"
    if log.exists():
        yield f"Tracebacks: {log}"


def _next_lines(run: Run) -> Iterator[str]:
    """Yield where the report is, and what to do next."""
    page = run.directory / "report" / "index.html"
    if page.exists():
        yield f"Report: {page}"
    yield f"Next: {_next_step(run, has_page=page.exists())}"


def _next_step(run: Run, *, has_page: bool) -> str:
    table: Any = run.members
    if run.failures() or run.faults:
        return "mend what failed, and run the same command again. It does what is missing."
    if missing := int((table["status"] == "missing").sum()):
        count = count_label(missing, "network")
        return f"run the same command again. {count} must still be trained."
    trained = table[table["status"] == "trained"]
    if len(trained) and (share := float(trained["solved"].astype(bool).mean())) < LEAST_SOLVED:
        return (
            f"train longer (training.steps). Only {share:.0%} of the networks solved their task, "
            "and analyses are about these."
        )
    if not has_page:
        return f"write the report: rnnstudy report {run.directory}"
    return f"open the report, or in Python: run = rnnstudy.open_run({str(run.directory)!r})"
