"""Tables and pictures of fixed points."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.analyses.hypercube import cube
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Space3D, Table
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.dynamics.linearisation.modes import time_constants
from rnnstudy.dynamics.states.projection import principal_components
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task

SHOWN_TRIALS = 8
"""Trajectories drawn per network; more would hide the points."""


SHOWN_MODES = 16
"""Leading eigenvalues drawn per point."""


def _any(record: FixedPoints) -> bool:
    """Whether there is anything to draw."""
    return len(record) + len(record.continua) > 0


def _summary(groups: Mapping[str, Sequence[FixedPoints]]) -> Table:
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("networks", "networks searched", "median points", "fewest", "most",
                     "median stable points", "certificate consistent", "degenerate solutions",
                     "continua", "median slow points", "slowest time constant")
    }  # fmt: skip
    for combination, records in groups.items():
        counts = [len(record) for record in records]
        columns["networks"].append(combination)
        columns["networks searched"].append(len(records))
        columns["median points"].append(float(np.median(counts)))
        columns["fewest"].append(min(counts))
        columns["most"].append(max(counts))
        columns["median stable points"].append(
            float(np.median([(record.n_unstable == 0).sum() for record in records]))
        )
        columns["certificate consistent"].append(_consistent(records))
        degenerate = sum(int(record.searches["degenerate"].sum()) for record in records)
        columns["degenerate solutions"].append(degenerate)
        columns["continua"].append(sum(len(record.continua) for record in records))
        columns["median slow points"].append(
            float(np.median([len(record.slow) for record in records]))
        )
        columns["slowest time constant"].append(_time_constant(records))
    return Table(
        title="Fixed points",
        caption="Per network, over all constant inputs. The certificate is consistent if the "
        "indices of a bounded network's points add up to 1 and further starts find nothing new; "
        "empty where the cell is not bounded. Degenerate solutions are not isolated and not "
        "counted as points; continua are the lines, planes or other connected sets of exact fixed "
        "points that such solutions lie on, in all networks. Slow points are local minima of the "
        "speed that are no fixed points. The time constant, in steps, is that of the slowest "
        "mode, in the median over stable points and then over networks; empty where no point is "
        "stable.",
        columns=columns,
    )


def _consistent(records: Sequence[FixedPoints]) -> float | None:
    """Share of networks whose searches are all consistent; None if it cannot be said of any."""
    verdicts = [set(record.certificate["verdict"]) for record in records]
    known = [verdict for verdict in verdicts if "not applicable" not in verdict]
    return sum(v == {"consistent"} for v in known) / len(known) if known else None


def _time_constant(records: Sequence[FixedPoints]) -> float | None:
    stable = [record.eigenvalues[record.n_unstable == 0, 0] for record in records]
    medians = [float(np.median(time_constants(values))) for values in stable if len(values)]
    return float(np.median(medians)) if medians else None


def _counts(groups: Mapping[str, Sequence[FixedPoints]], task: Task) -> Table:
    """Points by number of unstable directions, and for a memory the share of full cubes."""
    full = cube(task)
    counts = {
        combination: [np.bincount(record.n_unstable) for record in records]
        for combination, records in groups.items()
    }
    most = max((len(count) for group in counts.values() for count in group), default=0)
    shown = len(full) if full else min(most, 4)
    columns: dict[str, list[Any]] = {"networks": list(counts)}
    for directions in range(shown):
        name = "stable" if directions == 0 else f"{directions} unstable"
        columns[name] = [_median_count(group, directions) for group in counts.values()]
    columns[f"{shown} or more"] = [
        float(np.median([count[shown:].sum() for count in group])) for group in counts.values()
    ]
    caption = "Median number of fixed points per network by number of unstable directions."
    if full:
        columns["full cube"] = [
            float(np.mean([count.tolist() == full for count in group])) for group in counts.values()
        ]
        caption += (
            f" Full cube: share of networks with exactly {' + '.join(map(str, full))}, one stable "
            "point per stored word and a saddle on each edge and face between them."
        )
    return Table(title="Fixed points by unstable directions", caption=caption, columns=columns)


def _median_count(counts: Sequence[Array], directions: int) -> float:
    return float(np.median([c[directions] if directions < len(c) else 0 for c in counts]))


def _space(section: Section, member: Member, points: FixedPoints) -> Space3D:
    """Trajectories and fixed points in the principal components of the visible states."""
    population = section.trained[member.name].population
    states = _trajectories(section, member, population)
    components = principal_components(states.reshape(-1, states.shape[-1]))
    trials = np.unique(np.linspace(0, len(states) - 1, SHOWN_TRIALS).astype(int))
    labels = section.task.static_inputs().labels
    continua = points.continua
    held = np.concatenate([points.input_index, continua.input_index[continua.continuum]])
    rests = population.visible(np.concatenate([points.state, continua.state]))
    return Space3D(
        title=member.combination,
        caption=member.name,
        lines=[components.project(states[trial]) for trial in trials],
        points=components.project(rests),
        point_groups=[*map(str, points.n_unstable), *["continuum"] * len(continua.state)],
        point_labels=[labels[i] for i in held] if len(labels) > 1 else (),
    )


def _trajectories(section: Section, member: Member, population: Population) -> Array:
    """Visible states on the probe, [trial, time, unit], from the records if they hold them."""
    activity = section.records.get("representations", {}).get(member.name)
    if isinstance(activity, Activity):
        return activity.states.astype(np.float64)
    states = population.unroll(np.asarray(section.task.probe().inputs))
    return population.visible(states)[0].astype(np.float64)


def _modes(groups: Mapping[str, Sequence[FixedPoints]]) -> Curves:
    """Moduli of leading eigenvalues, rank by rank."""
    curves = []
    for combination, records in groups.items():
        cell, _, activation = combination.partition(" ")
        moduli = [_moduli(record) for record in records if len(record)]
        if not moduli:
            continue
        values = _padded(moduli)
        curves.append(
            Curve(
                x=np.arange(1, values.shape[1] + 1),
                y=np.nanmedian(values, axis=0),
                low=np.nanquantile(values, 0.1, axis=0),
                high=np.nanquantile(values, 0.9, axis=0),
                label=cell,
                panel=activation,
            )
        )
    return Curves(
        title="Leading eigenvalues",
        caption="Modulus of the Jacobian's eigenvalues at each network's points with the fewest "
        "unstable directions, by rank: median over points and networks, band from the 10th to "
        "the 90th percentile. Above 1 a mode grows; just below 1 it lasts long.",
        curves=curves,
        x_label="mode",
        y_label="modulus",
    )


def _moduli(record: FixedPoints) -> Array:
    chosen = record.n_unstable == record.n_unstable.min()
    return np.abs(record.eigenvalues[chosen, :SHOWN_MODES])


def _padded(parts: Sequence[Array]) -> Array:
    """Rows of several lengths under each other, NaN where one has ended: networks of one kind may
    differ in size, and a rank is one of those that have it."""
    most = max(part.shape[1] for part in parts)
    rooms = [((0, 0), (0, most - part.shape[1])) for part in parts]
    ends = [np.pad(p, room, constant_values=np.nan) for p, room in zip(parts, rooms, strict=True)]
    return np.concatenate(ends)
