"""Checks of the analyses and claims of a spec against each other, the tasks and the networks."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic_core import InitErrorDetails, PydanticCustomError

from rnnstudy.analyses import Analysis, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.conditions import condition_error, has_values
from rnnstudy.analyses.distances.all_pairs import AllPairs
from rnnstudy.claims import Claim
from rnnstudy.core.deprecations import FORMER_KIND, KINDS
from rnnstudy.core.errors import spec_error, suggestion
from rnnstudy.core.record import Record
from rnnstudy.recordings.windows import Between, steps_within
from rnnstudy.study.errors import RunError
from rnnstudy.study.spec.grid import as_text
from rnnstudy.tasks import TASKS, Task
from rnnstudy.tasks.base import check_trials


def need_errors(
    readers: Sequence[Analysis], analyses: Sequence[Analysis]
) -> Iterator[InitErrorDetails]:
    """Return errors of the analyses that `readers` need, by position of the reader.

    Readers are the analyses themselves, or the claims.
    """
    by_title = {analysis.title: analysis for analysis in analyses}
    for i, reader in enumerate(readers):
        own_title = reader.title if reader.noun == "analysis" else None
        for need in reader.needs():
            if need == own_title:
                yield spec_error("needs", f"({reader.title}) needs itself", (i,))
            elif need not in by_title and (title := _current_title(need, by_title)):
                yield _former_title(reader, need, title, i)
            elif need not in by_title:
                others = [title for title in by_title if title != own_title]
                listed = f"; asked for: {', '.join(others)}" if others else ""
                message = (
                    f"({reader.title}) needs the analysis {need!r}, which is not asked for: "
                    f"add it to analyses{listed}{suggestion(need, others)}"
                )
                yield spec_error("needs", message, (i,))
            elif unfit := _unfit(reader, by_title[need]):
                yield spec_error("needs", f"({reader.title}) {unfit}", (i,))
            elif own_title in _behind(need, by_title):
                message = f"({reader.title}) needs {need!r}, which needs it in turn"
                yield spec_error("needs", message, (i,))


def _current_title(former: str, titles: Collection[str]) -> str:
    """Return the title that replaced one that was derived from a former kind; empty if none."""
    for former_kind, kind in KINDS["analysis"].items():
        title = kind + former.removeprefix(former_kind)
        if former.startswith(former_kind) and title in titles:
            return title
    return ""


def _former_title(reader: Analysis, former: str, title: str, i: int) -> InitErrorDetails:
    field = next(name for name in type(reader).model_fields if getattr(reader, name) == former)
    message = cast(Any, "is the former name of {name}")
    error = PydanticCustomError(cast(Any, FORMER_KIND), message, {"name": title})
    return InitErrorDetails(type=error, loc=(i, field), input=former)


def _behind(title: str, by_title: Mapping[str, Analysis]) -> set[str]:
    """Return all that an analysis needs, directly or not."""
    behind, pending = set[str](), [title]
    while pending:
        needs = set(by_title[pending.pop()].needs()) & by_title.keys()
        pending += needs - behind
        behind |= needs
    return behind


def _unfit(reader: Analysis, needed: Analysis) -> str:
    """Return why an analysis cannot read the records of another; empty if it can or may."""
    if isinstance(reader, MemberAnalysis) and not isinstance(needed, MemberAnalysis):
        return f"looks at each network by itself; {needed.title!r} looks at all of them"
    if isinstance(reader, MemberAnalysis) and isinstance(needed, MemberAnalysis):
        return _unfit_weights(reader, needed) or _unfit_record(reader, needed)
    return _unfit_record(reader, needed)


def _unfit_weights(reader: MemberAnalysis, needed: MemberAnalysis) -> str:
    if needed.weights in ("trained", reader.weights):
        return ""
    return (
        f"has weights: {reader.weights}; {needed.title!r} has weights: {needed.weights}. "
        "Give both the same weights"
    )


def _unfit_record(reader: Analysis, needed: Analysis) -> str:
    if needed.yields is not Record and not issubclass(needed.yields, reader.takes):
        return f"needs {reader.takes.__name__}; {needed.title!r} yields {needed.yields.__name__}"
    return ""


def applies(analysis: Analysis, task: Task, analyses: Sequence[Analysis]) -> bool:
    """Return whether an analysis, and all that it reads, applies to a task."""
    by_title = {other.title: other for other in analyses}
    members = analysis.member_inputs() if isinstance(analysis, TaskAnalysis) else ()
    needed = [by_title[name] for name in analysis.needs() if name in by_title]
    listed = analysis.tasks is None or task.title in analysis.tasks
    return (
        listed
        and analysis.applies(task)
        and all(applies(other, task, analyses) for other in (*members, *needed))
    )


def use_errors(
    readers: Sequence[Analysis],
    analyses: Sequence[Analysis],
    tasks: Sequence[Task],
    networks: Sequence[Mapping[str, Any]],
    *,
    grid: bool,
) -> Iterator[InitErrorDetails]:
    """Return errors of analyses or claims that no network of the study can be used for.

    Parameters
    ----------
    readers
        The analyses themselves, or the claims.
    networks
        Fields of each network of the study.
    grid
        Whether the study trains networks. Imported networks have no seed.
    """
    values: dict[str, dict[Any, None]] = {}
    for fields in networks:
        for name, value in fields.items():
            values.setdefault(name, {})[value] = None
    titles = [task.title for task in tasks]
    for i, reader in enumerate(readers):
        unknown = [title for title in reader.tasks or () if title not in titles]
        if unknown:
            message = f"lists {unknown[0]!r}; tasks of this study: {', '.join(titles)}"
            message += suggestion(unknown[0], titles)
            yield spec_error("tasks", message, (i, "tasks"))
        elif message := _condition_error(reader, networks, values):
            yield spec_error("no_match", message, (i, "where"))
        elif isinstance(reader, Claim) and (message := _division_error(reader, values)):
            yield spec_error("per", message, (i, "per"))
        elif message := _use_error(reader, analyses, tasks, values, grid):
            yield spec_error("needs", f"({reader.title}) {message}", (i,))


def _condition_error(
    reader: Analysis,
    networks: Sequence[Mapping[str, Any]],
    values: Mapping[str, Mapping[Any, None]],
) -> str:
    """Return why no network meets the condition of an analysis; empty if one does."""
    where = reader.where if isinstance(reader, TaskAnalysis) else {}
    known = {name: listed for name, listed in values.items() if name != "task"}
    if error := condition_error(where, known):
        return f"cannot be met: {error}"
    met = any(has_values(fields, where) for fields in networks)
    return "" if met else "matches no network: no network has all these values"


def _division_error(claim: Claim, values: Mapping[str, Any]) -> str:
    """Return why a claim cannot be judged for each value of a field; empty if it can."""
    known = [name for name in values if name not in ("task", "seed")]
    if claim.per is None or claim.per in known:
        return ""
    return (
        f"is {claim.per!r}; fields of this grid: {', '.join(known)}{suggestion(claim.per, known)}"
    )


def divide_claim(claim: Claim, networks: Sequence[Mapping[str, Any]]) -> Iterator[Claim]:
    """Yield a claim, or one for each value of its field `per` among the networks that it reads."""
    if claim.per is None:
        yield claim
        return
    met = [fields for fields in networks if has_values(fields, claim.where)]
    # Imported networks have no value for fields of the grid.
    for value in dict.fromkeys(f[claim.per] for f in met if f[claim.per] is not None):
        name = re.sub(r"\W", "_", f"{claim.title}_{as_text(value)}")
        where = {**claim.where, claim.per: value}
        yield claim.replace(name=name, where=where, per=None)


def _use_error(
    reader: Analysis,
    analyses: Sequence[Analysis],
    tasks: Sequence[Task],
    values: Mapping[str, Mapping[Any, None]],
    grid: bool,
) -> str:
    if misfit := reader.misfit(values):
        return misfit
    if not any(applies(reader, task, analyses) for task in tasks):
        titles = ", ".join(task.title for task in tasks)
        return f"applies to none of the tasks of this study: {titles}"
    if not grid and _from_seeds(reader, analyses):
        return "is about networks that are trained here, and there are none: add 'networks'"
    return ""


def _from_seeds(analysis: Analysis, analyses: Sequence[Analysis]) -> bool:
    """Return whether an analysis, or one that it reads, draws weights from a network's seed."""
    members = analysis.member_inputs() if isinstance(analysis, TaskAnalysis) else (analysis,)
    return any(isinstance(one, MemberAnalysis) and one.from_seeds for one in members) or any(
        _from_seeds(other, analyses) for other in analyses if other.title in analysis.needs()
    )


def window_errors(
    analyses: Sequence[Analysis], tasks: Sequence[Task]
) -> Iterator[InitErrorDetails]:
    """Yield errors of windows of distances that a task does not have."""
    for i, analysis in enumerate(analyses):
        between = analysis.between if isinstance(analysis, AllPairs) else None
        if between is None:
            continue
        fitting = (task for task in tasks if applies(analysis, task, analyses))
        message = next(filter(None, (_window_error(between, task) for task in fitting)), "")
        if message:
            yield spec_error("window", f"does not fit: {message}", (i, "between"))


def _window_error(between: Between, task: Task) -> str:
    try:
        steps_within(between, task)
    except ValueError as error:
        return str(error)
    return ""


def refuse_wrong_trials(tasks: Sequence[Task]) -> None:
    """Raise RunError if the trials of a user's task break a promise.

    TensorFlow is imported only if there is such a task.

    Parameters
    ----------
    tasks
        Tasks of a study.

    Raises
    ------
    RunError
        Trials have other sizes than the task declares, or depend on more than their seed.
    """
    for task in tasks:
        if type(task) not in TASKS.values():
            try:
                check_trials(task)
            except ValueError as error:
                raise RunError(str(error)) from error
