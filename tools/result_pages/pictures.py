"""Figures of the page, and the words below them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from result_pages.collect import GROUP, records_of
from result_pages.wording import TASKS, findings
from rnnstudy.analyses.base import Section
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.analyses.solution_classes.exhibits import class_figure
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Intervals, SpecificationCurve
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.report.figures.figures import is_drawable
from rnnstudy.study.results.run import Run
from rnnstudy.study.results.verdict_exhibits import effect_figures

Tables = Mapping[str, pd.DataFrame]

SHOWN_MODES = 16
"""Largest number of modes in the figure."""

SHORT = {
    "svcca": "SVCCA",
    "cka": "CKA",
    "graph_distances_topology_unweighted": "graphs",
    "point_geometry_oscillations": "points",
    "point_geometry_line_attractor": "points",
}
"""Analysis of distances -> its name in figures."""

CURVES = ("choices_several_modes", "choices_line")
"""Specification curves with a figure of their own."""

CURVE_COLUMNS = ("curve", "task", "effect", "low", "high", "p", "supports", "reason")
"""Columns of a specification that are no choices."""


def pictures(run: Run, tables: Tables) -> dict[str, Exhibit]:
    """Return the figures of a run by the names of their files; absent where there is nothing."""
    sections = [run.section(task.title) for task in run.study.tasks]
    return table_pictures(tables) | dict(_record_pictures(run, sections, tables))


def table_pictures(tables: Tables) -> dict[str, Exhibit]:
    """Return the figures that the CSV files alone determine, by the names of their files."""
    figures: dict[str, Exhibit] = {}
    for task, rows in _by(tables, "classes", "task"):
        figures[f"classes-{task}"] = class_figure(*class_rows(rows))
    for curve, rows in _by(tables, "specifications", "curve"):
        if curve in CURVES:
            figures[curve.replace("_", "-")] = curve_figure(curve, rows)
    if len(tables.get("shares", ())):
        figures["shares"] = share_figure(tables["shares"])
    return figures


def _by(tables: Tables, name: str, column: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of a table for each value of a column, in the order of the rows."""
    if len(tables.get(name, ())):
        for value, rows in tables[name].groupby(column, sort=False):
            yield str(value), rows


def class_rows(rows: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the class of each network, and its cell, activation and protocol."""
    each = rows.loc[rows.index.repeat(rows["networks"])].fillna({"protocol": ""})
    names = each["cell"] + " " + each["activation"] + " " + each["protocol"]
    return each["class"].tolist(), names.str.strip().tolist()


def curve_figure(curve: str, rows: pd.DataFrame) -> SpecificationCurve:
    """Return the specification curve of the rows of `specifications.csv` about it."""
    known = rows.dropna(axis="columns", how="all")
    choices = {n: known[n] for n in known if n not in CURVE_COLUMNS}
    return SpecificationCurve(
        title=f"Specification curve {curve}",
        effects=rows["effect"].to_numpy(float),
        low=rows["low"].to_numpy(float),
        high=rows["high"].to_numpy(float),
        supports=rows["supports"].astype(bool).tolist(),
        choices={
            name.removeprefix("where."): [_choice_text(value) for value in values]
            for name, values in choices.items()
        },
        effect_label="effect",
    )


def _choice_text(value: Any) -> str:
    if pd.isna(value):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _record_pictures(
    run: Run, sections: Sequence[Section], tables: Tables
) -> Iterator[tuple[str, Exhibit]]:
    """Yield the figures that take the records of a run."""
    for exhibit in effect_figures(run.verdicts()):
        if exhibit.title.startswith("Differences"):
            yield "sameness", replace(exhibit, rows=_row_names(tables["claims"], exhibit.rows))
    for section in sections:
        if section.task.title == "flip_flop":
            yield from _shown(run, section, FixedPoints, "Fixed points of", "fixed-points")
    yield from _mode_figure(run, sections)


def _shown(
    run: Run, section: Section, kind: type, title: str, name: str
) -> Iterator[tuple[str, Exhibit]]:
    """Yield the first figure of an analysis whose title begins so."""
    for analysis in run.study.analyses:
        if getattr(analysis, "yields", None) is kind and records_of(run, section, kind)[0]:
            chosen = run.section_of(analysis, section)
            for exhibit in analysis.show(chosen):
                if exhibit.title.startswith(title):
                    yield f"{name}-{section.task.title}", exhibit
                    break


def _row_names(claims: pd.DataFrame, rows: Sequence[str]) -> list[str]:
    """Return names of findings in place of those of claims and tasks, for the rows of a figure."""
    names = {
        f"{claim}, {finding.task}": f"{' '.join(finding.question.statement.split()[-2:])}, "
        + " ".join(filter(None, [finding.subject, finding.protocol]))
        for finding in findings(claims)
        for claim in finding.rows["claim"]
    }
    return [names.get(row, row) for row in rows]


def share_figure(shares: pd.DataFrame) -> Intervals:
    """Return the shares that factors explain, a panel per factor."""
    rows = shares[~shares["factor"].str.contains(" x ")]
    names = zip(rows["task"], rows["distances"], strict=True)
    return Intervals(
        title="Shares of distances that factors explain",
        values=rows["share"].to_numpy(float),
        low=rows["low"].to_numpy(float),
        high=rows["high"].to_numpy(float),
        labels=[f"{TASKS.get(task, task)}: {SHORT.get(each, each)}" for task, each in names],
        panels=list(rows["factor"]),
        value_label="explained share",
        reference=0.0,
    )


def _mode_figure(run: Run, sections: Iterable[Section]) -> Iterator[tuple[str, Exhibit]]:
    """Yield the share of networks for which k modes give the mean output within 5 %."""
    number, curves = np.arange(SHOWN_MODES + 1), []
    for section in sections:
        members, records = records_of(run, section, LineAttractor)
        groups: dict[tuple[str, ...], list[float]] = {}
        for member, record in zip(members, records, strict=True):
            key = tuple(str(member.fields.get(name) or "") for name in GROUP[1:])
            groups.setdefault(key, []).append(record.mean_n_modes("mean_output"))
        for (protocol, cell, activation), values in groups.items():
            counts = np.array(values)[~np.isnan(values)]
            if len(counts):
                share, panel = (counts <= number[:, None]).mean(axis=1), f"{protocol} {activation}"
                curves.append(Curve(x=number, y=share, label=cell, panel=panel.strip()))
    if curves:
        yield (
            "modes",
            Curves(
                title="Networks for which k modes are enough",
                curves=sorted(curves, key=lambda curve: curve.panel, reverse=True),
                x_label="number of modes (k)",
                y_label="share of networks",
            ),
        )


CAPTIONS = {
    "sameness": "Claims of sameness. Largest difference of two levels in units of the margin, with "
    "95 % intervals over networks. Solutions are alike if the whole interval is within 1.",
    "classes": "Number of networks of each class of solution. Points are counted by their number "
    "of unstable directions: 0+1+2+... None: no attractor within the horizon. A capital letter "
    "stands for a class that the folded table above has in full.",
    "fixed-points": "Fixed points of the solved network of median loss of each combination.",
    "shares": "Shares of squared distances that each factor explains, with 95 % intervals.",
    "modes": "Share of networks for which the k slowest modes give the mean output to a unit pulse "
    "within 5 %.",
    "choices": "One column per specification: the effect with its 95 % interval, above the choices "
    "that lead to it.",
}
"""Beginning of a file's name -> words below the figure."""


def picture_parts(names: Iterable[str]) -> dict[str, str]:
    """Return the text of each mark `figures-NAME` of the page."""
    files = list(names)
    return {
        f"figures-{kind}": "\n".join(
            [f"![{_label(each)}]({each}.png)" for each in files if each.startswith(kind)]
            + [f"\n*{caption}*"] * any(each.startswith(kind) for each in files)
        )
        + "\n"
        for kind, caption in CAPTIONS.items()
    }


def _label(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").capitalize()


def drawable(exhibits: dict[str, Exhibit]) -> dict[str, Exhibit]:
    """Return the exhibits that can be drawn."""
    return {name: each for name, each in exhibits.items() if is_drawable(each)}
