"""Tables and figures of fixed points."""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.analyses.hypercube import cube
from rnnstudy.analyses.members import (
    Groups,
    Summary,
    finite_summary,
    median_band,
    records_by_combination,
    summary_by_combination,
    typical_members,
    typical_words,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curves, Exhibit, Panels, Space3D, Table
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.dynamics.linearisation.modes import time_constants
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task

SHOWN_TRIALS = 8
"""Trajectories drawn per network; more would hide the points."""

SHOWN_MODES = 16
"""Leading eigenvalues drawn per point."""


def fixed_point_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """Yield the exhibits of the analysis `title` for one task."""
    points, groups = records_by_combination(section, title, FixedPoints)
    if not groups:
        return
    yield fixed_point_table(groups)
    if len(section.task.static_inputs().values) == 1:
        yield _counts(groups, section.task)
    members = [m for m in typical_members(section) if m.name in points]
    members = [m for m in members if len(points[m.name]) + len(points[m.name].continua)]
    if members:
        yield Panels(
            title="Fixed points of typical networks",
            caption=f"{typical_words(section)}: trajectories of "
            f"{SHOWN_TRIALS} probe trials in the network's own first three principal "
            "components, and its fixed points by their number of unstable directions "
            "(0: stable); of a continuum, samples.",
            exhibits=[_space(section, member, points[member.name]) for member in members],
            finding=_point_sentence(list(points.values())),
        )
    yield Curves(
        title="Leading eigenvalues",
        caption="Modulus of the Jacobian's eigenvalues at each network's points with the fewest "
        "unstable directions, by rank: median over points and networks, band from the 10th to "
        "the 90th percentile. Above 1 a mode grows; just below 1 it lasts long.",
        curves=median_band(groups, _moduli, quantiles=(0.1, 0.9)),
        x_label="mode",
        y_label="modulus",
        finding=_modulus_sentence(list(points.values())),
        chapter="linearisation",
    )


def _point_sentence(records: Sequence[FixedPoints]) -> str:
    points = [len(record) for record in records]
    stable = np.median([int((record.n_unstable == 0).sum()) for record in records])
    return (
        f"A network has {np.median(points):g} fixed points in the median ({min(points)} to "
        f"{max(points)}), and {stable:g} stable {'one' if stable == 1 else 'ones'}."
    )


def _modulus_sentence(records: Sequence[FixedPoints]) -> str:
    largest = [np.median(moduli[:, 0]) for each in records if (moduli := _moduli(each)).size]
    if not largest:
        return ""
    return (
        "At the points with the fewest unstable directions, the largest modulus is "
        f"{np.median(largest):.3g} in the median over networks ({min(largest):.3g} to "
        f"{max(largest):.3g})."
    )


def fixed_point_table(groups: Groups[FixedPoints]) -> Table:
    """Return the table of fixed points by combination."""
    unit = "seconds" if _has_seconds(groups) else "steps"
    columns: dict[str, Summary[FixedPoints]] = {
        "networks searched": len,
        "median points": finite_summary(len),
        "fewest": lambda records: min(map(len, records)),
        "most": lambda records: max(map(len, records)),
        "median stable points": finite_summary(lambda record: (record.n_unstable == 0).sum()),
        "certificate consistent": _consistent_share,
        "degenerate solutions": lambda records: sum(
            int(record.searches["degenerate"].sum()) for record in records
        ),
        "continua": lambda records: sum(len(record.continua) for record in records),
        "median slow points": finite_summary(lambda record: len(record.slow)),
        "slowest time constant": partial(_time_constant, unit == "seconds"),
    }
    return Table(
        title="Fixed points",
        caption="Per network, over all constant inputs. The certificate is consistent if the "
        "indices of a bounded network's points add up to 1 and further starts find nothing new; "
        "empty where the cell is not bounded. Degenerate solutions are not isolated and not "
        "counted as points; continua are the lines, planes or other connected sets of exact fixed "
        "points that such solutions lie on, in all networks. Slow points are local minima of the "
        f"speed that are no fixed points. The time constant, in {unit}, is that of the slowest "
        "mode, in the median over stable points and then over networks; empty where no point is "
        "stable.",
        columns=summary_by_combination(groups, columns),
    )


def _consistent_share(records: Sequence[FixedPoints]) -> float | None:
    """Return the share of networks with consistent searches; None if no certificate applies."""
    verdicts = [set(record.certificate["verdict"]) for record in records]
    known = [verdict for verdict in verdicts if "not applicable" not in verdict]
    return sum(v == {"consistent"} for v in known) / len(known) if known else None


def _has_seconds(groups: Groups[FixedPoints]) -> bool:
    """Return True if the length of a step is known for all networks."""
    return all(record.dt is not None for records in groups.values() for record in records)


def _time_constant(in_seconds: bool, records: Sequence[FixedPoints]) -> float | None:
    medians = []
    for record in records:
        stable = record.eigenvalues[record.n_unstable == 0, 0]
        if len(stable):
            unit = record.dt if in_seconds and record.dt is not None else 1.0
            medians.append(unit * float(np.median(time_constants(stable))))
    return float(np.median(medians)) if medians else None


def _counts(groups: Groups[FixedPoints], task: Task) -> Table:
    """Return points by number of unstable directions, for a memory with the share of cubes."""
    full = cube(task)
    counts = {
        combination: [np.bincount(record.n_unstable) for record in records]
        for combination, records in groups.items()
    }
    most = max((len(count) for group in counts.values() for count in group), default=0)
    shown = len(full) if full else min(most, 4)
    columns: dict[str, Summary[Array]] = {
        "stable" if k == 0 else f"{k} unstable": finite_summary(partial(_count_at, k))
        for k in range(shown)
    }
    columns[f"{shown} or more"] = finite_summary(lambda count: count[shown:].sum())
    caption = "Median number of fixed points per network by number of unstable directions."
    if full:
        columns["full cube"] = finite_summary(lambda count: count.tolist() == full, np.mean)
        caption += (
            f" Full cube: share of networks with exactly {' + '.join(map(str, full))}, one stable "
            "point per stored word and a saddle on each edge and face between them."
        )
    return Table(
        title="Fixed points by unstable directions",
        caption=caption,
        columns=summary_by_combination(counts, columns),
    )


def _count_at(directions: int, count: Array) -> int:
    return int(count[directions]) if directions < len(count) else 0


def _space(section: Section, member: Member, points: FixedPoints) -> Space3D:
    """Return trajectories and fixed points in principal components of the visible states."""
    population = section.trained[member.name].population
    states = _trajectories(section, member, population)
    components = principal_components(states.reshape(-1, states.shape[-1]))
    trials = np.unique(np.linspace(0, len(states) - 1, SHOWN_TRIALS).astype(int))
    labels = section.task.static_inputs().labels
    continua = points.continua
    inputs = np.concatenate([points.input_index, continua.input_index[continua.continuum]])
    drawn = population.visible(np.concatenate([points.state, continua.state]))
    return Space3D(
        title=member.combination,
        caption=member.name,
        lines=[components.project(states[trial]) for trial in trials],
        points=components.project(drawn),
        point_groups=[*map(str, points.n_unstable), *["continuum"] * len(continua.state)],
        point_labels=[labels[i] for i in inputs] if len(labels) > 1 else (),
    )


def _trajectories(section: Section, member: Member, population: Population) -> Array:
    """Return visible states on the probe, [trial, time, unit], from a record if there is one."""
    activity = section.records.get("representations", {}).get(member.name)
    if isinstance(activity, Activity):
        return activity.states.astype(np.float64)
    states = population.unroll(np.asarray(section.task.probe().inputs))
    return population.visible(states)[0].astype(np.float64)


def _moduli(record: FixedPoints) -> Array:
    """Return moduli [point, mode] at the points with the fewest unstable directions."""
    if not len(record):
        return np.zeros((0, 0))
    chosen = record.n_unstable == record.n_unstable.min()
    return np.abs(record.eigenvalues[chosen, :SHOWN_MODES])
