"""Lines of the command `rnnstudy figure`: figures for papers, and the list of their names."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rnnstudy.report.paper_figures.composing import list_figures, paper_figure
from rnnstudy.report.paper_figures.style import style_width
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.run import Run


def name_lines(run: Run, task: str | None = None) -> Iterator[str]:
    """Yield a line for each figure and panel, and what the run lacks for it.

    Parameters
    ----------
    run
        The run.
    task
        Name of the task. Default: for each figure the first task that it is about.
    """
    entries = list_figures(run, task)
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        yield f"{entry.name:{width}}  {entry.sentence}"
        if entry.missing:
            yield f"{'':{width}}  Not from this run: {entry.missing}."
    yield f"`rnnstudy figure {run.directory} NAME` draws one."


def figure_lines(
    run: Run,
    name: str,
    out: Path,
    *,
    where: Sequence[str] = (),
    style: Path | None = None,
    **options: Any,
) -> Iterator[str]:
    """Write a figure and its tables, and yield lines on the files and on panels left out.

    Parameters
    ----------
    run
        The run.
    name
        Name of the figure or panel.
    out
        Folder of the files.
    where
        Conditions on the networks, each `FIELD=VALUE`.
    style
        File with a style of matplotlib.
    options
        Further arguments of `paper_figure`.
    """
    conditions = conditions_of(run, where)
    drawn = paper_figure(run, name, where=conditions, style=_known_style(style), **options)
    for panel, reason in drawn.missing.items():
        yield f"left out: {panel}: {reason}"
    for path in drawn.save(out):
        yield f"Wrote {path}"


def conditions_of(run: Run, texts: Sequence[str]) -> Mapping[str, Any]:
    """Return conditions on networks from texts `FIELD=VALUE`, with values of the field's type.

    Several values of one field are alternatives.
    """
    conditions: dict[str, tuple[Any, ...]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise RunError(f"--where must be FIELD=VALUE, got {text!r}. Write --where cell=gru.")
        known = {str(m.fields[name]): m.fields[name] for m in run.index.members if name in m.fields}
        conditions[name] = (*conditions.get(name, ()), known.get(value, value))
    return conditions


def _known_style(style: Path | None) -> str | None:
    """Return the path of a style file, or the name of a style of matplotlib."""
    if style is None:
        return None
    try:
        style_width(str(style))
    except ValueError:
        raise RunError(
            f"style must be a style file of matplotlib, got {str(style)!r}. Write a file with "
            "lines such as `font.size: 8`."
        ) from None
    return str(style)
