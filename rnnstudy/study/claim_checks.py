"""Which tasks a study's claims are about, and whether its analyses can judge them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import InitErrorDetails

from rnnstudy.analyses import Analysis
from rnnstudy.claims import Claim
from rnnstudy.core.errors import mistake, suggestion
from rnnstudy.core.record import Record
from rnnstudy.study.needs import applies
from rnnstudy.tasks import Task


def about(claim: Claim, task: Task, analyses: Sequence[Analysis]) -> bool:
    """Whether a claim, and all that it needs, says something about networks that learn a task."""
    read = [analysis for analysis in analyses if analysis.title in claim.needs()]
    return claim.applies(task) and all(applies(analysis, task, analyses) for analysis in read)


def claim_mistakes(
    claims: Sequence[Claim],
    analyses: Sequence[Analysis],
    tasks: Sequence[Task],
    fields: Mapping[str, Any],
) -> Iterator[InitErrorDetails]:
    """What is wrong with claims: analyses that are not listed or yield something else, no task that
    they are about, a factor that is no field of the grid."""
    for i, claim in enumerate(claims):
        wrong = [*_needs(claim, analyses), claim.misfit(fields)]
        if not any(wrong) and not any(about(claim, task, analyses) for task in tasks):
            titles = ", ".join(task.title for task in tasks)
            wrong = [f"says nothing about the tasks of this study: {titles}"]
        for sentence in filter(None, wrong):
            yield mistake("claim", f"({claim.title}) {sentence}", ("claims", i))


def _needs(claim: Claim, analyses: Sequence[Analysis]) -> Iterator[str]:
    by_title = {analysis.title: analysis for analysis in analyses}
    for need in claim.needs():
        if need not in by_title:
            listed = f"; asked for: {', '.join(by_title)}" if by_title else ""
            yield (
                f"needs the analysis {need!r}, which is not asked for: add it to analyses"
                f"{listed}{suggestion(need, by_title)}"
            )
        else:
            yields = by_title[need].yields
            if yields is not Record and not issubclass(yields, claim.takes):
                yield f"needs {claim.takes.__name__}; {need!r} yields {yields.__name__}"
