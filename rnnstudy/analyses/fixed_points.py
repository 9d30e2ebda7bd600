"""Where each network's dynamics rest: its fixed points at the task's constant inputs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from rnnstudy.analyses.base import Cost, Member, MemberAnalysis, Section
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.analyses.hypercube import cube
from rnnstudy.analyses.members import combinations, typical_members
from rnnstudy.cells import Cell
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Panels, Space3D, Table
from rnnstudy.core.record import Array, Record
from rnnstudy.dynamics.fixed_points.find import FixedPoints, find_fixed_points
from rnnstudy.dynamics.fixed_points.search import Search
from rnnstudy.dynamics.linearisation.modes import time_constants
from rnnstudy.dynamics.states.sampling import flat
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task

SHOWN_TRIALS = 8
"""Trajectories drawn per network; more would hide the points."""

SHOWN_MODES = 16
"""Leading eigenvalues drawn per point."""


class FixedPointAnalysis(MemberAnalysis):
    """Fixed points at each constant input of the task, sought from states visited on its probe."""

    kind: ClassVar[str] = "fixed_points"
    yields: ClassVar[type[Record]] = FixedPoints

    search: Search = Search()
    """How they are looked for."""

    def run(self, population: Population, task: Task) -> Sequence[FixedPoints]:
        found = find_fixed_points(
            population,
            inputs=task.static_inputs().values,
            visited=flat(population.unroll(np.asarray(task.probe().inputs))),
            search=self.search,
        )
        return [found.alone(member) for member in range(len(population))]

    def cost(self, cell: Cell, task: Task) -> Cost:
        inputs = len(task.static_inputs().values)
        points = max(inputs, sum(cube(task)))
        return Cost({"searches for fixed points": inputs}, points * point_bytes(cell))

    def show(self, section: Section) -> Iterable[Exhibit]:
        found = {
            name: record
            for name, record in section.records.get(self.title, {}).items()
            if isinstance(record, FixedPoints)
        }
        groups = {
            combination: [found[m.name] for m in members if m.name in found]
            for combination, members in combinations(section.members).items()
        }
        groups = {combination: records for combination, records in groups.items() if records}
        if not groups:
            return
        yield _summary(groups)
        if len(section.task.static_inputs().values) == 1:
            yield _counts(groups, section.task)
        shown = [m for m in typical_members(section) if m.name in found and _any(found[m.name])]
        if shown:
            yield Panels(
                title="Fixed points of typical networks",
                caption="Of each combination, the solved network of median loss: trajectories of "
                f"{SHOWN_TRIALS} probe trials in the network's own first three principal "
                "components, and its fixed points by their number of unstable directions "
                "(0: stable); of a continuum, samples.",
                exhibits=[_space(section, member, found[member.name]) for member in shown],
            )
        yield _modes(groups)


def point_bytes(cell: Cell) -> int:
    """Bytes of a fixed point in the store: mostly its Jacobian."""
    return 8 * cell.state_size * (cell.state_size + 3)


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
    samples = states.reshape(-1, states.shape[-1])
    centre = samples.mean(axis=0)
    _, _, axes = np.linalg.svd(samples - centre, full_matrices=False)
    axes = np.pad(axes[:3], ((0, max(0, 3 - len(axes))), (0, 0)))
    trials = np.unique(np.linspace(0, len(states) - 1, SHOWN_TRIALS).astype(int))
    labels = section.task.static_inputs().labels
    continua = points.continua
    held = np.concatenate([points.input_index, continua.input_index[continua.continuum]])
    rests = population.visible(np.concatenate([points.state, continua.state]))
    return Space3D(
        title=member.combination,
        caption=member.name,
        lines=[(states[trial] - centre) @ axes.T for trial in trials],
        points=(rests - centre) @ axes.T,
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
