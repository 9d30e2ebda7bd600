"""Sections of the report of a run: claims, tasks with their analyses, networks."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from rnnstudy.analyses import Analysis, TaskAnalysis
from rnnstudy.analyses.base import Section as TaskResults
from rnnstudy.analyses.conditions import condition_text
from rnnstudy.analyses.training_summary import performance
from rnnstudy.claims import Claim
from rnnstudy.core.component import lower_first
from rnnstudy.core.exhibit import Exhibit, Table
from rnnstudy.report.answer import finding_row
from rnnstudy.report.contents import FindingRow, PagePart, PageSection
from rnnstudy.report.story import chapter_of, chapters, split_part
from rnnstudy.study.results.failures import (
    Failure,
    attempt,
    collect,
    task_in_words,
    words_fault,
    words_of,
)
from rnnstudy.study.results.left_out import NO_NETWORKS
from rnnstudy.study.results.run import Run
from rnnstudy.study.results.selection_table import selection_exhibits
from rnnstudy.study.results.solved_rates import rate_exhibits
from rnnstudy.study.results.verdict_exhibits import verdict_exhibits
from rnnstudy.study.results.verdict_table import ClaimResult
from rnnstudy.study.spec.checks import applies
from rnnstudy.study.upkeep.damage import damage_in_words


def claims_section(run: Run, claims: Sequence[ClaimResult], error: str) -> list[PageSection]:
    """Return the verdicts, if the study has claims.

    Parameters
    ----------
    run
        The results.
    claims
        The verdicts.
    error
        Why there are no verdicts, in one sentence; empty if there are.
    """
    if not run.study.claims:
        return []
    kinds = {f"claim {claim.title}" for claim in run.study.claims}
    exhibits, fault = collect(lambda: verdict_exhibits(claims) if claims else ())
    statements = [attempt(partial(each.claim.statement, each.task), "")[1] for each in claims]
    named = [
        f"the statement of {each.claim.title} raises {reason}"
        for each, reason in zip(claims, statements, strict=True)
        if reason
    ]
    named += [each for claim in run.study.claims for each in _text_faults(run, claim)]
    broken = dict.fromkeys(f"{each.claim.title}: {each.fault}" for each in claims if each.fault)
    faults = "; ".join([*filter(None, [error, fault]), *broken, *named])
    part = PagePart("Verdicts", exhibits, _reasons(run.failures(kinds)), fault=faults)
    return [PageSection("Claims", (part,))]


def _text_faults(run: Run, claim: Claim) -> list[str]:
    """Return a sentence for each text of a claim whose code raises."""
    titles = {analysis.title: words_of(analysis) for analysis in run.study.analyses}
    _, chapter = attempt(lambda: chapter_of(claim, run.study.analyses), "")
    _, question = attempt(lambda: str(claim.question(titles)), "")
    faults = [
        words_fault(claim),
        f"its chapter raises {chapter}" if chapter else "",
        f"its question raises {question}" if question else "",
    ]
    return [f"{claim.title}: {fault}" for fault in faults if fault]


def damage_section(run: Run) -> list[PageSection]:
    """Return a section that names the damaged records; none if all are whole.

    Parameters
    ----------
    run
        The results, after all sections that read records.
    """
    words = damage_in_words(run)
    fault = f"{words}. Run the study again to compute them" if words else ""
    return [PageSection("Store", (PagePart("Damaged records", fault=fault),))] if fault else []


def methods_section(run: Run, error: str) -> list[PageSection]:
    """Return a section that says why methods, or titles in them, are missing; none if all is there.

    Parameters
    ----------
    run
        The results.
    error
        Why there are no methods, in one sentence; empty if there are.
    """
    cells = () if run.study.networks is None else run.study.networks.cells
    named = [f"{cell.kind}: {fault}" for cell in cells if (fault := words_fault(cell))]
    fault = "; ".join([*filter(None, [error]), *named])
    return [PageSection("Methods", (PagePart("Description", fault=fault),))] if fault else []


def rates_section(run: Run) -> list[PageSection]:
    """Return the shares of solved networks, if a network has not solved its task.

    Parameters
    ----------
    run
        The results.
    """
    exhibits, fault = collect(lambda: rate_exhibits(run.solved_by_combination()))
    part = PagePart("Shares", exhibits, fault=fault)
    return [PageSection("Solved networks", (part,))] if exhibits or fault else []


def task_section(run: Run, task: str, claims: Sequence[ClaimResult] = ()) -> PageSection:
    """Return the story of one task: its training, each analysis, and verdicts.

    Parameters
    ----------
    run
        The results.
    task
        Name of the task.
    claims
        Verdicts of the study. Default: none.
    """
    results = run.section(task)
    failures = _reasons(run.failures({"train", "read"}, task))
    exhibits, fault = collect(lambda: performance(results))
    faults = "; ".join(filter(None, (fault, words_fault(results.task))))
    training = PagePart("Training", exhibits, failures, fault=faults)
    first = [("training", False, part) for part in _selection(run, task)]
    parts = [
        (chapter, analysis.leads_chapter, split)
        for analysis in run.study.analyses
        if (part := _analysis_part(run, analysis, results))
        for chapter, split in split_part(part, chapter_of(analysis, run.study.analyses))
    ]
    purpose = " ".join((type(results.task).__doc__ or "").split("\n\n")[0].split())
    return PageSection(
        task_in_words(results.task),
        summary=purpose,
        chapters=chapters(
            [*first, ("training", True, training), *parts], _verdict_rows(run, results, claims)
        ),
        name=task,
    )


def _verdict_rows(
    run: Run, results: TaskResults, claims: Sequence[ClaimResult]
) -> dict[str, list[FindingRow]]:
    """Return chapter -> verdicts on the claims about a task."""
    rows: dict[str, list[FindingRow]] = {}
    for each in claims:
        if each.task.title == results.task.title:
            chapter, _ = attempt(partial(chapter_of, each.claim, run.study.analyses), "other")
            row = finding_row(each, results.titles, has_place=False)
            if where := condition_text(each.claim.where):
                row = replace(row, group=where)
            rows.setdefault(chapter, []).append(row)
    return rows


def _analysis_part(run: Run, analysis: Analysis, results: TaskResults) -> PagePart | None:
    """Return the exhibits of an analysis; None if it does not apply to the task."""
    task = results.task
    is_used, reason = attempt(lambda: applies(analysis, task, run.study.analyses), True)
    if not is_used:
        return None
    exhibits, fault = collect(lambda: _exhibits(run, analysis, results))
    remark, doubt = attempt(lambda: _remark(run, analysis, results), "")
    return PagePart(
        _heading(analysis, results),
        exhibits,
        _reasons(f for f in run.failures({analysis.title}, task.title) if not f.scope),
        remark,
        "; ".join(filter(None, (reason, fault, doubt, words_fault(analysis)))),
        analysis.title,
    )


def _heading(analysis: Analysis, results: TaskResults) -> str:
    """Return the title of an analysis in words, with what it reads if it has no own chapter."""
    words, read = words_of(analysis), "" if analysis.chapter else getattr(analysis, "of", "")
    return f"{words}: {lower_first(results.words(read))}" if read in results.titles else words


def _selection(run: Run, task: str) -> list[PagePart]:
    """Return the exhibits of the selection of training fields, if there is one."""
    selection = run.study.selection
    if selection is None:
        return []
    shown, fault = collect(lambda: selection_exhibits(run.selections(task), selection.grid))
    failures = _reasons(run.failures({"pilots", "select"}, task))
    return [PagePart("Selection", shown, failures, fault=fault)]


def _exhibits(run: Run, analysis: Analysis, results: TaskResults) -> Iterable[Exhibit]:
    section = run.section_of(analysis, results)
    records = section.shared if isinstance(analysis, TaskAnalysis) else section.records
    return analysis.show(section) if records.get(analysis.title) else ()


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


def members_section(run: Run) -> PageSection:
    """Return the table of all networks.

    Parameters
    ----------
    run
        The results.
    """
    table = run.members
    columns = {
        str(name): table[name].astype(object).where(table[name].notna(), None).tolist()
        for name in table
    }
    exhibit = Table(
        title="Fields and outcomes of each network",
        caption="One row per network, as in members.csv; loss and accuracy on the task's fresh "
        "trials.",
        columns=columns,
    )
    return PageSection("Networks", (PagePart("All networks", [exhibit], name="members"),))
