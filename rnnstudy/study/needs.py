"""What analyses read of each other: whether a spec lists it, and whether it fits."""

from collections.abc import Iterator

from pydantic_core import InitErrorDetails

from rnnstudy.analyses import Analysis, TaskAnalysis
from rnnstudy.component import mistake, suggestion
from rnnstudy.record import Record


def need_mistakes(analyses: tuple[Analysis, ...]) -> Iterator[InitErrorDetails]:
    """What is wrong with the analyses that others need: not listed, or of the wrong kind."""
    titles = [analysis.title for analysis in analyses]
    for i, analysis in enumerate(analyses):
        for need in analysis.needs():
            if need == analysis.title:
                yield mistake("needs", f"({analysis.title}) needs itself", (i,))
            elif need not in titles:
                others = [title for title in titles if title != analysis.title]
                listed = f"; asked for: {', '.join(others)}" if others else ""
                message = (
                    f"({analysis.title}) needs the analysis {need!r}, which is not asked for: "
                    f"add it to analyses{listed}{suggestion(need, others)}"
                )
                yield mistake("needs", message, (i,))
            elif unfit := _unfit(analysis, analyses[titles.index(need)]):
                yield mistake("needs", f"({analysis.title}) {unfit}", (i,))


def _unfit(analysis: Analysis, needed: Analysis) -> str:
    """Why one analysis cannot read what another yields; empty if it can, or nobody knows yet."""
    if not isinstance(needed, TaskAnalysis):
        return f"reads an analysis of all networks; {needed.title!r} looks at each by itself"
    takes = analysis.takes if isinstance(analysis, TaskAnalysis) else Record
    if issubclass(needed.yields, takes) or needed.yields is Record:
        return ""
    return f"needs {takes.__name__}; {needed.title!r} yields {needed.yields.__name__}"
