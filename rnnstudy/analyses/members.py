"""Members of a task grouped by combination of cell and activation, and summaries of the groups."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve
from rnnstudy.core.record import Record

R = TypeVar("R")
AnyRecord = TypeVar("AnyRecord", bound=Record)

Groups = Mapping[str, Sequence[R]]
"""Combination -> records of its networks."""

Summary = Callable[[Sequence[R]], Any]
"""Cell of a table from the records of one combination."""


def members_by_combination(members: Sequence[Member]) -> dict[str, list[Member]]:
    """Return the members by cell and activation, in the order of the grid."""
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(member.combination, []).append(member)
    return groups


def records_by_combination(
    section: Section, title: str, record_class: type[AnyRecord]
) -> tuple[dict[str, AnyRecord], dict[str, list[AnyRecord]]]:
    """Return the records of the analysis `title` by network, and by combination.

    Records of another class are left out, and so are combinations without records.
    """
    records = {
        name: record
        for name, record in section.records.get(title, {}).items()
        if isinstance(record, record_class)
    }
    groups = {
        combination: [records[m.name] for m in members if m.name in records]
        for combination, members in members_by_combination(section.members).items()
    }
    return records, {combination: group for combination, group in groups.items() if group}


def typical_members(section: Section) -> list[Member]:
    """Return the solved network of median loss of each combination.

    Where no network of a combination solved the task, it is the trained one of median loss.
    """
    typical = []
    for members in members_by_combination(section.members).values():
        trained = [m for m in members if m.name in section.trained]
        usable = [m for m in trained if section.trained[m.name].status[0] == "trained"]
        solved = [m for m in usable if section.trained[m.name].solved[0]]
        ranked = sorted(solved or usable, key=lambda m: section.trained[m.name].evaluation_loss[0])
        if ranked:
            typical.append(ranked[(len(ranked) - 1) // 2])
    return typical


def typical_words(section: Section) -> str:
    """Return the beginning of a caption that says which networks `typical_members` are."""
    unsolved = [
        member.combination
        for member in typical_members(section)
        if not section.trained[member.name].solved[0]
    ]
    words = "For each combination, the solved network of median loss"
    if not unsolved:
        return words
    return f"{words}; of {', '.join(unsolved)}, where none is solved, the one of median loss"


def summary_by_combination(
    groups: Groups[R], columns: Mapping[str, Summary[R]], label: str = "networks"
) -> dict[str, list[Any]]:
    """Return the columns of a table with one row per combination.

    Parameters
    ----------
    groups
        Combination -> records.
    columns
        Header -> summary of the records of a combination.
    label
        Header of the first column, which names the combination.
    """
    return {label: list(groups)} | {
        name: [summary(records) for records in groups.values()] for name, summary in columns.items()
    }


def finite_summary(
    value: Callable[[R], Any],
    statistic: Callable[[Array], Any] = np.median,
    missing: float | None = None,
) -> Summary[R]:
    """Return a statistic of all finite values of a combination, `missing` if there are none.

    Parameters
    ----------
    value
        Number or array of a record.
    """

    def summary(records: Sequence[R]) -> float | None:
        values = np.concatenate([np.ravel(np.asarray(value(record), float)) for record in records])
        finite = values[np.isfinite(values)]
        return float(statistic(finite)) if len(finite) else missing

    return summary


def median_band(
    groups: Groups[R],
    value: Callable[[R], Array],
    positions: Callable[[Sequence[R]], Array] | None = None,
    quantiles: tuple[float, float] = (0.25, 0.75),
) -> list[Curve]:
    """Return one curve per combination: the median over networks with a band of quantiles.

    Parameters
    ----------
    groups
        Combination -> records.
    value
        Finite values of a record at each position: [position] or [row, position]. Rows may differ
        in length; values that are not finite are left out.
    positions
        Abscissa of a combination; default 1, 2, ...
    quantiles
        Lower and upper end of the band.
    """
    curves = []
    for combination, records in groups.items():
        rows = [np.atleast_2d(np.asarray(value(record), float)) for record in records]
        rows = [row for row in rows if len(row)]
        if not rows:
            continue
        values = _stack_rows(rows)
        finite = [column[np.isfinite(column)] for column in values.T]
        cell, _, activation = combination.partition(" ")
        curves.append(
            Curve(
                x=positions(records) if positions else np.arange(1, values.shape[1] + 1),
                y=np.array([_quantile(column, 0.5) for column in finite]),
                low=np.array([_quantile(column, quantiles[0]) for column in finite]),
                high=np.array([_quantile(column, quantiles[1]) for column in finite]),
                label=cell,
                panel=activation,
            )
        )
    return curves


def _quantile(values: Array, share: float) -> float:
    if not len(values):
        return float("nan")
    return float(np.median(values) if share == 0.5 else np.quantile(values, share))


def _stack_rows(parts: Sequence[Array]) -> Array:
    """Return parts [row, position] under each other, NaN after the end of a row."""
    width = max(part.shape[1] for part in parts)
    padded = [
        np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=np.nan) for part in parts
    ]
    return np.concatenate(padded)
