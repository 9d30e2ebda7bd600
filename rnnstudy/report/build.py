"""Contents of the report of a run: summary, sections with their exhibits, provenance."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from rnnstudy.analyses import Analysis, TaskAnalysis
from rnnstudy.analyses.base import Section as TaskResults
from rnnstudy.analyses.training_summary import performance
from rnnstudy.core.exhibit import Exhibit, Table
from rnnstudy.report.fingerprint import fingerprint_of, is_current, write_fingerprint
from rnnstudy.report.page import Fact, Page, PagePart, PageSection, write_page
from rnnstudy.study.results.failures import Failure
from rnnstudy.study.results.left_out import NO_NETWORKS
from rnnstudy.study.results.run import Run
from rnnstudy.study.results.selection_table import selection_exhibits
from rnnstudy.study.results.solved_rates import rate_exhibits
from rnnstudy.study.results.verdict_exhibits import verdict_exhibits
from rnnstudy.study.results.verdict_table import ClaimResult
from rnnstudy.study.spec.checks import applies

FEW_SOLVED = 0.95
"""Share of solved networks below which the page begins with a warning."""

WITHOUT_VERDICT = ("uninformative", "not enough networks", "failed", "not computed")
"""Words of claims on which a study says nothing."""


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
        banner=_banner(run),
        sections=(
            *_claims_section(run, claims),
            *_rates_section(run),
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


def _banner(run: Run) -> str:
    """Return a warning if fewer than 95 % of the networks have solved their task."""
    outcomes = run.solved_by_combination()
    counts = {task: [sum(map(sum, by.values())), sum(map(len, by.values()))]
              for task, by in outcomes.items()}  # fmt: skip
    solved, networks = (sum(each[i] for each in counts.values()) for i in (0, 1))
    if solved >= FEW_SOLVED * networks:
        return ""
    tasks = [f"{k} of {n} on {task}" for task, (k, n) in counts.items()]
    return (
        f"Only {solved} of {_share(networks, 'network')} ({100 * solved / networks:.0f} %) solved "
        f"their task: {_join(tasks)}. Analyses and claims leave out the others unless the spec "
        "says otherwise (networks). Selection by outcome is a choice: compare the verdicts over "
        "all trained networks, and the shares of solved networks."
    )


def _facts(run: Run, claims: Sequence[ClaimResult]) -> list[Fact]:
    table = run.members
    trained = int((table["status"] == "trained").sum())
    solved = int(table["solved"].eq(True).sum())
    diverged = int((table["status"] == "diverged").sum())
    failures = run.failures()
    everything = len(table)
    words = [claim.word for claim in claims]
    supported = sum(word in ("supported", "alike") for word in words)
    open_claims = sum(word in WITHOUT_VERDICT for word in words)
    of_claims = [
        Fact("claims supported", f"{supported} of {len(words)}"),
        Fact("claims without a verdict", f"{open_claims} of {len(words)}"),
    ]
    return [
        Fact("trained", f"{trained} of {everything}", "good" if trained == everything else "bad"),
        Fact("solved", f"{solved} of {everything}", _tone(solved, everything)),
        Fact("diverged", str(diverged), "bad" if diverged else "good"),
        Fact("failed steps", str(len(failures)), "bad" if failures else "good"),
        *(of_claims if words else []),
    ]


def _tone(solved: int, networks: int) -> Literal["good", "bad", "plain"]:
    """Return the colour of a number of solved networks."""
    if solved == networks:
        return "good"
    return "plain" if solved >= FEW_SOLVED * networks else "bad"


def _claims_section(run: Run, claims: Sequence[ClaimResult]) -> list[PageSection]:
    """Return the verdicts, if the study has claims."""
    kinds = {f"claim {claim.title}" for claim in run.study.claims}
    part = PagePart("Verdicts", list(verdict_exhibits(claims)), _reasons(run.failures(kinds)))
    return [PageSection("Claims", (part,))] if claims else []


def _rates_section(run: Run) -> list[PageSection]:
    """Return the shares of solved networks, if a network has not solved its task."""
    exhibits = list(rate_exhibits(run.solved_by_combination()))
    return [PageSection("Solved networks", (PagePart("Shares", exhibits),))] if exhibits else []


def _task_section(run: Run, task: str) -> PageSection:
    results = run.section(task)
    failures = _reasons(run.failures({"train", "read"}, task))
    training = PagePart("Training", list(performance(results)), failures)
    parts = [
        PagePart(
            analysis.title,
            _exhibits(run, analysis, results),
            _reasons(f for f in run.failures({analysis.title}, task) if not f.scope),
            _remark(run, analysis, results),
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
    section = run.section_of(analysis, results)
    records = section.shared if isinstance(analysis, TaskAnalysis) else section.records
    return list(analysis.show(section)) if records.get(analysis.title) else []


def _remark(run: Run, analysis: Analysis, results: TaskResults) -> str:
    """Return a sentence about the networks that an analysis leaves out; empty if none."""
    words = run.left_out(analysis, results.task.title)
    if not words:
        return ""
    chosen = run.section_of(analysis, results).trained
    if not chosen and results.trained:
        return (
            f"There is nothing to analyse, because {NO_NETWORKS[analysis.networks]}: {words}. "
            "The field 'networks' of the analysis says which networks are analysed."
        )
    return f"Left out: {words}."


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
