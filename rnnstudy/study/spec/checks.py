"""What analyses read of each other: whether a spec lists it, and whether it fits."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic_core import InitErrorDetails

from rnnstudy.analyses import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.claims import Claim
from rnnstudy.core.errors import mistake, suggestion
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


def need_mistakes(analyses: tuple[Analysis, ...]) -> Iterator[InitErrorDetails]:
    """What is wrong with the analyses that others need: not listed, or of the wrong kind."""
    titles = [analysis.title for analysis in analyses]
    by_title = dict(zip(titles, analyses, strict=True))
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
            elif analysis.title in _behind(need, by_title):
                message = f"({analysis.title}) needs {need!r}, which needs it in turn"
                yield mistake("needs", message, (i,))


def _behind(title: str, by_title: Mapping[str, Analysis]) -> set[str]:
    """All that an analysis needs, and what that needs in turn."""
    found, left = set[str](), [title]
    while left:
        needs = set(by_title[left.pop()].needs()) & by_title.keys()
        left += needs - found
        found |= needs
    return found


def _unfit(analysis: Analysis, needed: Analysis) -> str:
    """Why one analysis cannot read what another yields; empty if it can, or nobody knows yet."""
    if isinstance(analysis, MemberAnalysis) and not isinstance(needed, MemberAnalysis):
        return f"looks at each network by itself; {needed.title!r} looks at all of them"
    if issubclass(needed.yields, analysis.takes):
        return ""
    if needed.yields is not Record:
        return f"needs {analysis.takes.__name__}; {needed.title!r} yields {needed.yields.__name__}"
    if isinstance(needed, MemberAnalysis) and isinstance(analysis, TaskAnalysis):
        return f"reads an analysis of all networks; {needed.title!r} looks at each by itself"
    return ""


def applies(analysis: Analysis, task: Task, analyses: Sequence[Analysis]) -> bool:
    """Whether an analysis, and all that it reads, can be asked of networks that learn a task."""
    by_title = {other.title: other for other in analyses}
    parts = analysis.parts() if isinstance(analysis, TaskAnalysis) else ()
    needed = [by_title[name] for name in analysis.needs() if name in by_title]
    asked = analysis.tasks is None or task.title in analysis.tasks
    return (
        asked
        and analysis.applies(task)
        and all(applies(other, task, analyses) for other in (*parts, *needed))
    )


def idle_mistakes(
    analyses: Sequence[Analysis], tasks: Sequence[Task], *, grid: bool
) -> Iterator[InitErrorDetails]:
    """Analyses of tasks that a study does not have, or that can be asked of none of its networks,
    as places in the whole spec.

    grid: whether networks are trained here; those that were trained elsewhere have no seed.
    """
    known = [task.title for task in tasks]
    for i, analysis in enumerate(analyses):
        unknown = [title for title in analysis.tasks or () if title not in known]
        message = ""
        if unknown:
            said = f"lists {unknown[0]!r}; tasks of this study: {', '.join(known)}"
            said += suggestion(unknown[0], known)
            yield mistake("tasks", said, ("analyses", i, "tasks"))
        elif not any(applies(analysis, task, analyses) for task in tasks):
            message = f"cannot be asked of the tasks of this study: {', '.join(known)}"
        elif not grid and _from_seeds(analysis, analyses):
            message = "is about networks that are trained here, and there are none: add 'networks'"
        if message:
            yield mistake("needs", f"({analysis.title}) {message}", ("analyses", i))


def strange_mistakes(
    analyses: Sequence[Analysis], networks: Sequence[Mapping[str, Any]]
) -> Iterator[InitErrorDetails]:
    """Analyses that ask for fields, or values of fields, that no network has; networks: the fields
    of each."""
    known: dict[str, dict[Any, None]] = {}
    for fields in networks:
        for name, value in fields.items():
            known.setdefault(name, {})[value] = None
    for i, analysis in enumerate(analyses):
        if message := analysis.misfit(known):
            yield mistake("misfit", f"({analysis.title}) {message}", ("analyses", i))


def _from_seeds(analysis: Analysis, analyses: Sequence[Analysis]) -> bool:
    """Whether an analysis, or one that it reads, looks at what grows from a network's seed."""
    own = analysis.parts() if isinstance(analysis, TaskAnalysis) else (analysis,)
    return any(isinstance(one, MemberAnalysis) and one.from_seeds for one in own) or any(
        _from_seeds(other, analyses) for other in analyses if other.title in analysis.needs()
    )


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
