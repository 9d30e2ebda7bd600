"""Data of all networks: their fields and outcomes, their classes, and their places on maps."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.analyses.solution_classes.record import SolutionClass, class_labels
from rnnstudy.comparison.distances.embedding import Coordinates, classical_mds
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.report.explorer.matrices import NetworkDistances
from rnnstudy.report.explorer.records import analysis_of
from rnnstudy.report.figures.interactive import SYMBOLS
from rnnstudy.report.style import UNSTABLE_MARKS, Mark, assign_marks, sort_names
from rnnstudy.study.errors import RunError
from rnnstudy.study.results.run import Run

MOST_SCALED = 600
"""Networks up to which distances without a map of their own get one by classical scaling."""


def columns_content(run: Run) -> list[dict[str, Any]]:
    """Return the columns of the table of networks, each with numbers or with names and codes.

    Parameters
    ----------
    run
        The results.
    """
    table, fields = run.members, _fields(run)
    columns = [
        {**_column(str(name), table[name]), "is_field": name in fields}
        for name in table
        if name != "member"
    ]
    classes = solution_classes(run)
    if any(classes):
        columns.append(_named_column("class", classes))
    return [column for column in columns if column["kind"] == "number" or any(column["names"])]


def _fields(run: Run) -> set[str]:
    """Return the columns that the spec chooses, and networks do not turn out to have."""
    selected = () if run.study.selection is None else run.study.selection.grid
    return {name for member in run.index.members for name in member.fields}.union(selected)


def _column(name: str, values: Any) -> dict[str, Any]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if is_numeric_dtype(values) and not is_bool_dtype(values):
        return {
            "name": name,
            "kind": "number",
            "values": values.to_numpy(dtype=float, na_value=np.nan),
        }
    texts = [_text(value) for value in values.astype(object).where(values.notna(), None)]
    return _named_column(name, texts)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return {"True": "yes", "False": "no"}.get(str(value), str(value))


def _named_column(name: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return distinct texts in the order of legends, with their marks, and the code of each row."""
    names = sort_names(texts)
    code = {text: i for i, text in enumerate(names)}
    marks = assign_marks(names)
    return {
        "name": name,
        "kind": "name",
        "names": names,
        "codes": np.array([code[text] for text in texts], int),
        "marks": [_mark(marks[text]) for text in names],
    }


def _mark(mark: Mark) -> list[str]:
    """Return colour and symbol of a mark for plotly."""
    return [mark.colour, SYMBOLS[mark.marker] + ("" if mark.filled else "-open")]


def unstable_marks() -> list[list[str]]:
    """Return colour and symbol by number of unstable directions, the last for all above."""
    return [_mark(mark) for mark in UNSTABLE_MARKS]


def solution_classes(run: Run) -> list[str]:
    """Return the class of each network's solution; empty where it is not known.

    Parameters
    ----------
    run
        The results.
    """
    labels: dict[str, str] = {}
    for task in run.study.tasks:
        analysis = analysis_of(run, task.title, SolutionClass)
        if analysis is None:
            continue
        names = [m.name for m in run.index.members if m.fields["task"] == task.title]
        records = {name: each for name in names if (each := _class(run, analysis.title, name))}
        labels |= dict(zip(records, class_labels(list(records.values())), strict=True))
    return [labels.get(member.name, "") for member in run.index.members]


def _class(run: Run, title: str, name: str) -> SolutionClass | None:
    try:
        record = run.record(title, name)
    except RunError:
        return None
    return record if isinstance(record, SolutionClass) else None


def task_records(run: Run, kind: type[Record]) -> Iterator[tuple[str, str, Record]]:
    """Yield analysis, task and record of each result of a class that the run holds.

    Analyses that a study adds as controls are left out, unread: they repeat what a listed one has.

    Parameters
    ----------
    run
        The results.
    kind
        Class of the records.
    """
    listed = {analysis.title for analysis in run.study.analyses}
    for (title, task), result in run.index.selected.shared.items():
        if title not in listed or not issubclass(result.analysis.yields, kind):
            continue
        try:
            record = run.task_record(title, task)
        except RunError:
            continue
        if isinstance(record, kind):
            yield title, task, record


def map_content(
    title: str, task: str, record: Coordinates, positions: Mapping[str, int]
) -> dict[str, Any] | None:
    """Return the places of networks on a map, without controls; None if there are none.

    Parameters
    ----------
    title
        Name of the analysis, or of the distances.
    task
        Name of the task.
    record
        Coordinates of labelled items.
    positions
        Name of a network -> its position in the study.
    """
    rows = [i for i, label in enumerate(record.labels) if label in positions]
    if not rows or record.points.shape[1] < 2:
        return None
    stress = float(record.stress)
    return {
        "title": title,
        "task": task,
        "stress": round(stress, 4) if np.isfinite(stress) else None,
        "items": np.array([positions[record.labels[i]] for i in rows], int),
        "points": np.asarray(record.points[rows, :2], float),
        "others": len(record.labels) - len(rows),
    }


def scaled_map(matrix: NetworkDistances, names: Sequence[str]) -> dict[str, Any] | None:
    """Return a map of distances by classical scaling; None if they are too few or too many.

    Parameters
    ----------
    matrix
        Distances between networks.
    names
        Name of each network of the study.
    """
    if not 3 <= len(matrix.items) <= MOST_SCALED:
        return None
    labels = tuple(names[i] for i in matrix.items)
    values: Array = (matrix.values + matrix.values.T) / 2
    record = classical_mds(Distances(labels, values))
    return map_content(matrix.title, matrix.task, record, {n: i for i, n in enumerate(names)})
