"""Composition of figures for papers from the panels that a run can draw."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rnnstudy.analyses.conditions import condition_error, condition_text
from rnnstudy.core.arguments import check_instance
from rnnstudy.core.errors import suggestion
from rnnstudy.report.figures.appearance import Style
from rnnstudy.report.paper_figures.catalogue import (
    FIGURE_NAMES,
    FIGURES,
    PANELS,
    PaperFigure,
    PaperPanel,
)
from rnnstudy.report.paper_figures.layout import compose, rows_of
from rnnstudy.report.paper_figures.results import MissingResult, TaskResults
from rnnstudy.report.paper_figures.style import Column, width_of
from rnnstudy.report.paper_figures.tables import Tables
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.run import Run
from rnnstudy.tasks import Task


class FigureContent(NamedTuple):
    """Panels that are drawn, with their tables, and why others are not."""

    tables: Mapping[str, Tables]
    """Name of a panel -> its tables."""
    missing: Mapping[str, str]
    """Name of a panel that the run cannot draw -> what is missing."""


class FigureEntry(NamedTuple):
    """Name that can be drawn, and what the run lacks for it."""

    name: str
    sentence: str
    missing: str
    """Empty if the run can draw it."""


def paper_figure(
    run: Run,
    name: str,
    *,
    task: str | None = None,
    where: Mapping[str, Any] | None = None,
    member: str | None = None,
    width: Column | None = None,
    style: Style = None,
) -> Any:
    """Draw a figure of Maheswaranathan et al. 2019, or one of its panels, from a run's records.

    Panels that the run cannot draw are left out of a figure. `figure.missing` says why.

    Parameters
    ----------
    run : Run
        The run, as of `rnnstudy.open_run`.
    name : str
        `figure1` (memory), `figure2` (sine) or `figure3` (integration), or a panel: `figure1d`.
    task : str, optional
        Name of the task. Default: the first task that the figure is about.
    where : dict, optional
        Fields of the networks and their values, such as `{"protocol": "tuned"}`. Default: all.
    member : str, optional
        Name of the network that panels about one network show. Default: a typical one.
    width : {"single", "double"}, optional
        Width of 85 or 174 mm. Default: that of the style, else double for a figure and single for
        a panel.
    style : str, path, dict or list, optional
        Style of matplotlib, or a file with one. Its `figure.figsize` sets the width.

    Returns
    -------
    matplotlib.figure.Figure
        The figure. `figure.tables` has the tables behind it, `figure.save(folder)` writes all.

    Raises
    ------
    RunError
        If there is no such figure, task, network or width, or no network meets the conditions.
        Also if the run lacks the results, or the figure is not about the task.
    ValueError
        If the style is none.

    References
    ----------
    Maheswaranathan et al. 2019, Universality and individuality in neural dynamics across large
    populations of recurrent networks.

    Examples
    --------
    >>> import rnnstudy
    >>> run = rnnstudy.open_run("runs/quickstart")  # doctest: +SKIP
    >>> rnnstudy.paper_figure(run, "figure1d").save("figures")  # doctest: +SKIP
    """
    check_instance("run", run, Run, "Use rnnstudy.open_run.")
    _refuse_unknown("name", name, FIGURE_NAMES)
    figure = FIGURES[name] if name in FIGURES else PANELS[name][0]
    panels = figure.panels if name in FIGURES else (PANELS[name][1],)
    millimetres = width_of(width, "double" if len(panels) > 1 else "single", style)
    try:
        content = content_of(task_results(run, figure, task, where, member), panels)
    except MissingResult as missing:
        raise MissingResult(f"{name} cannot be drawn from {run.directory}: {missing}") from None
    drawn = [panel for panel in panels if panel.name in content.tables]
    rows = rows_of(figure, drawn, millimetres)
    return compose(name, drawn, rows, content.tables, content.missing, millimetres, style)


def list_figures(run: Run, task: str | None = None) -> list[FigureEntry]:
    """Return all names, and what a run lacks for each.

    Parameters
    ----------
    run
        The run.
    task
        Name of the task. Default: for each figure the first task that it is about.
    """
    run, entries = run.at_one_time(), list[FigureEntry]()
    for figure in FIGURES.values():
        parts = [
            FigureEntry(p.name, p.sentence, _lack(run, figure, p, task)) for p in figure.panels
        ]
        drawable = [entry for entry in parts if not entry.missing]
        reasons = "; ".join(dict.fromkeys(entry.missing for entry in parts))
        entries += [FigureEntry(figure.name, figure.sentence, "" if drawable else reasons), *parts]
    return entries


def _lack(run: Run, figure: PaperFigure, panel: PaperPanel, task: str | None) -> str:
    try:
        results = TaskResults(run, task_of(run, figure, task))
    except MissingResult as missing:
        return str(missing)
    return "; ".join(filter(None, (results.absence(source) for source in panel.sources)))


def task_results(
    run: Run,
    figure: PaperFigure,
    task: str | None,
    where: Mapping[str, Any] | None,
    member: str | None,
) -> TaskResults:
    """Return the results that a figure is drawn from; RunError for conditions that none meets."""
    run = run.at_one_time()
    conditions = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in check_instance("where", where or {}, dict, "Use a dict.").items()
    }
    chosen = task_of(run, figure, task)
    of_task = [m for m in run.index.members if m.fields["task"] == chosen.title]
    names = dict.fromkeys(name for each in of_task for name in each.fields)
    known = {name: [each.fields.get(name) for each in of_task] for name in names}
    if error := condition_error(conditions, known):
        raise RunError(f"where: {error}")
    results = TaskResults(run, chosen, conditions, member or "")
    if not results.members:
        raise RunError(f"where: no network of '{chosen.title}' has {condition_text(conditions)}")
    if member is not None:
        _refuse_other(member, [each.name for each in results.members])
    return results


def _refuse_other(member: str, names: Sequence[str]) -> None:
    if check_instance("member", member, str, "Give the name of a network.") not in names:
        raise RunError(
            f"member must be a network of the figure, got {member!r}"
            f"{suggestion(member, names) or '. members.csv lists them.'}"
        )


def _refuse_unknown(noun: str, name: Any, known: Sequence[str]) -> None:
    if check_instance(noun, name, str, "Give its name.") not in known:
        raise RunError(
            f"{noun} must be one of {', '.join(known)}, got {name!r}{suggestion(name, known)}"
        )


def task_of(run: Run, figure: PaperFigure, task: str | None) -> Task:
    """Return the named task of a study, else the first that a figure is about.

    Raises MissingResult if the figure is not about the task, or about none of the study.
    """
    tasks = {each.title: each for each in run.study.tasks}
    suitable = {name: each for name, each in tasks.items() if figure.suits(each)}
    if task is not None:
        _refuse_unknown("task", task, list(tasks))
    if task in suitable:
        return suitable[task]
    if not suitable:
        raise MissingResult(f"add {figure.task_words} to the tasks of the spec")
    if task is not None:
        raise MissingResult(
            f"it is about {figure.task_words}, and not about the task {task!r}; "
            f"give the task {' or '.join(map(repr, suitable))}"
        )
    return next(iter(suitable.values()))


def content_of(results: TaskResults, panels: Sequence[PaperPanel]) -> FigureContent:
    """Return the tables of all panels that can be drawn, and why the others cannot.

    Raises MissingResult if no panel can be drawn.
    """
    tables, missing = dict[str, Tables](), dict[str, str]()
    for panel in panels:
        try:
            tables[panel.name] = panel.tables(results)
        except MissingResult as reason:
            missing[panel.name] = str(reason)
    if not tables:
        raise MissingResult("; ".join(dict.fromkeys(missing.values())))
    return FigureContent(tables, missing)
