"""Sections of the report of a run: claims, tasks with their analyses, networks."""

from collections.abc import Iterable, Sequence
from functools import partial

from rnnstudy.analyses import Analysis, TaskAnalysis
from rnnstudy.analyses.base import Section as TaskResults
from rnnstudy.analyses.training_summary import performance
from rnnstudy.core.exhibit import Exhibit, Table
from rnnstudy.report.page import PagePart, PageSection
from rnnstudy.study.results.failures import Failure, attempt, collect
from rnnstudy.study.results.left_out import NO_NETWORKS
from rnnstudy.study.results.run import Run
from rnnstudy.study.results.selection_table import selection_exhibits
from rnnstudy.study.results.solved_rates import rate_exhibits
from rnnstudy.study.results.verdict_exhibits import verdict_exhibits
from rnnstudy.study.results.verdict_table import ClaimResult
from rnnstudy.study.spec.checks import applies


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
    broken = dict.fromkeys(f"{each.claim.title}: {each.fault}" for each in claims if each.fault)
    faults = "; ".join([*filter(None, [error, fault]), *broken, *named])
    part = PagePart("Verdicts", exhibits, _reasons(run.failures(kinds)), fault=faults)
    return [PageSection("Claims", (part,))]


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


def task_section(run: Run, task: str) -> PageSection:
    """Return the results of one task: its training and each analysis.

    Parameters
    ----------
    run
        The results.
    task
        Name of the task.
    """
    results = run.section(task)
    failures = _reasons(run.failures({"train", "read"}, task))
    exhibits, fault = collect(lambda: performance(results))
    training = PagePart("Training", exhibits, failures, fault=fault)
    parts = [part for a in run.study.analyses if (part := _analysis_part(run, a, results))]
    purpose = " ".join((type(results.task).__doc__ or "").split("\n\n")[0].split())
    return PageSection(task, (*_selection(run, task), training, *parts), purpose)


def _analysis_part(run: Run, analysis: Analysis, results: TaskResults) -> PagePart | None:
    """Return the exhibits of an analysis; None if it does not apply to the task."""
    task = results.task
    is_used, reason = attempt(lambda: applies(analysis, task, run.study.analyses), True)
    if not is_used:
        return None
    exhibits, fault = collect(lambda: _exhibits(run, analysis, results))
    remark, doubt = attempt(lambda: _remark(run, analysis, results), "")
    return PagePart(
        analysis.title,
        exhibits,
        _reasons(f for f in run.failures({analysis.title}, task.title) if not f.scope),
        remark,
        "; ".join(filter(None, (reason, fault, doubt))),
    )


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
        title="Members",
        caption="One row per network, as in members.csv; loss and accuracy on the task's fresh "
        "trials.",
        columns=columns,
    )
    return PageSection("Networks", (PagePart("members", [exhibit]),))
