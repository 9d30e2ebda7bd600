"""Contents of the report of a run: summary, sections with their exhibits, provenance."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rnnstudy.analyses import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.base import Section as TaskResults
from rnnstudy.analyses.training_summary import performance
from rnnstudy.core.exhibit import Exhibit, Table
from rnnstudy.report.fingerprint import fingerprint_of, is_current, write_fingerprint
from rnnstudy.report.page import Fact, Page, PagePart, PageSection, write_page
from rnnstudy.study.results.failures import Failure
from rnnstudy.study.results.run import Run
from rnnstudy.study.results.selection_table import selection_exhibits
from rnnstudy.study.results.verdict_table import ClaimResult, verdict_exhibits
from rnnstudy.study.spec.checks import applies


def write_report(run: Run) -> Path:
    """Write `report/` of a run directory, and return the path of its `index.html`."""
    return _write(page(run), run.directory / "report")


def update_report(run: Run) -> Path:
    """Write `report/` unless it already shows the same contents, drawn by the same code.

    All records are read in any case.
    """
    contents, folder = page(run), run.directory / "report"
    fingerprint = _fingerprint(contents)
    if fingerprint and is_current(folder, fingerprint):
        return folder / "index.html"
    return _write(contents, folder)


def _write(contents: Page, folder: Path) -> Path:
    index, fingerprint = write_page(contents, folder), _fingerprint(contents)
    if fingerprint:
        write_fingerprint(folder, fingerprint)
    return index


def _fingerprint(contents: Page) -> str:
    """Return the fingerprint of a page; empty if an exhibit of the user cannot have one."""
    try:
        return fingerprint_of(contents)
    except TypeError:
        return ""


def page(run: Run) -> Page:
    """Return the contents of the report, from the records of the run's store."""
    tasks, claims = [task.title for task in run.study.tasks], run.verdicts()
    return Page(
        title=run.study.report.title or run.study.study,
        summary=tuple(_summary(run)),
        facts=tuple(_facts(run, claims)),
        sections=(
            *_claims_section(run, claims),
            *(_task_section(run, task) for task in tasks),
            _members_section(run),
        ),
        provenance=_provenance(run),
        spec=_spec(run),
        formats=run.study.report.formats,
    )


def _summary(run: Run) -> list[str]:
    table, tasks = run.members, [task.title for task in run.study.tasks]
    varied = [
        f"{column} ({', '.join(str(value) for value in values)})"
        for column in ("cell", "activation", "units", "protocol")
        if column in table and len(values := list(dict.fromkeys(table[column].dropna()))) > 1
    ]
    analyses = [analysis.title for analysis in run.study.analyses]
    grown = int(table["seed"].notna().sum())
    read = "" if grown == len(table) else f", {len(table) - grown} of them" if grown else ","
    return [
        f"{_share(len(table), 'network')} on {_join(tasks)}"
        + (f" ({len(table) // len(tasks)} on each)" if len(tasks) > 1 and not read else "")
        + (f"{read} read from files" if read else "")
        + (f", differing in {_join(varied)}" if varied else "")
        + (" and in their seeds." if varied and grown else "."),
        f"Analyses: {_join(analyses)}." if analyses else "The spec has no analyses.",
    ]


def _facts(run: Run, claims: Sequence[ClaimResult]) -> list[Fact]:
    table = run.members
    trained = int((table["status"] == "trained").sum())
    solved = int(table["solved"].eq(True).sum())
    diverged = int((table["status"] == "diverged").sum())
    failures = run.failures()
    everything = len(table)
    words = [claim.word for claim in claims]
    supported = Fact("claims supported", f"{words.count('supported')} of {len(words)}")
    return [
        Fact("trained", f"{trained} of {everything}", "good" if trained == everything else "bad"),
        Fact("solved", f"{solved} of {everything}", "good" if solved == everything else "plain"),
        Fact("diverged", str(diverged), "bad" if diverged else "good"),
        Fact("failed steps", str(len(failures)), "bad" if failures else "good"),
        *([supported] if words else []),
    ]


def _claims_section(run: Run, claims: Sequence[ClaimResult]) -> list[PageSection]:
    """Return the verdicts, if the study has claims."""
    kinds = {f"claim {claim.title}" for claim in run.study.claims}
    part = PagePart("Verdicts", list(verdict_exhibits(claims)), _reasons(run.failures(kinds)))
    return [PageSection("Claims", (part,))] if claims else []


def _task_section(run: Run, task: str) -> PageSection:
    results = run.section(task)
    failures = _reasons(run.failures({"train", "read"}, task))
    training = PagePart("Training", list(performance(results)), failures)
    parts = [
        PagePart(
            analysis.title,
            _exhibits(run, analysis, results),
            _reasons(run.failures({analysis.title}, task)),
        )
        for analysis in run.study.analyses
        if applies(analysis, results.task, run.study.analyses)
    ]
    purpose = " ".join((type(results.task).__doc__ or "").split("\n\n")[0].split())
    return PageSection(task, (*_selection(run, task), training, *parts), purpose)


def _selection(run: Run, task: str) -> list[PagePart]:
    """Return the exhibits of the selection of training fields, if there is one."""
    if run.study.selection is None:
        return []
    shown = selection_exhibits(run.selections(task), run.study.selection.grid)
    return [PagePart("Selection", list(shown), _reasons(run.failures({"pilots", "select"}, task)))]


def _exhibits(run: Run, analysis: Analysis, results: TaskResults) -> list[Exhibit]:
    records = results.shared if isinstance(analysis, TaskAnalysis) else results.records
    if not records.get(analysis.title):
        return []
    if isinstance(analysis, MemberAnalysis) and analysis.weights != "trained":
        results = run.section_with_weights(results, analysis)
    return list(analysis.show(results))


def _reasons(failures: Iterable[Failure]) -> str:
    return "; ".join(f"{failure.label}: {failure.reason}" for failure in failures)


def _members_section(run: Run) -> PageSection:
    table = run.members
    columns = {
        str(name): table[name].astype(object).where(table[name].notna(), None).tolist()
        for name in table
    }
    exhibit = Table(
        title="Members",
        caption="One row per network, as in members.csv; loss and accuracy on the task's fresh "
        "trials.",
        columns=columns,
    )
    return PageSection("Networks", (PagePart("members", [exhibit]),))


def _provenance(run: Run) -> dict[str, Any]:
    provenance = run.provenance
    seeds = sorted({int(seed) for seed in run.members["seed"].dropna()})
    about = {
        "began": provenance.get("begun", ""),
        "ended": provenance.get("ended", ""),
        "seconds": str(provenance.get("seconds", "")),
        "command": " ".join(provenance.get("command", [])),
        "platform": provenance.get("platform", ""),
        "cores": str(provenance.get("cores", "")),
        "devices": ", ".join(provenance.get("devices", [])),
        "seeds": ", ".join(map(str, seeds)),
    }
    return {
        "last execution": {name: text for name, text in about.items() if text},
        "versions": {name: str(text) for name, text in provenance.get("versions", {}).items()},
    }


def _spec(run: Run) -> str:
    path = run.directory / "spec.yaml"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _join(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _share(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
