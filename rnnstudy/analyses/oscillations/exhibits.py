"""Tables and pictures of oscillations and of the dynamics linearised inside them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.members import found_by, typical_members
from rnnstudy.analyses.oscillations.record import Oscillation
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Panels, Space3D, Table
from rnnstudy.dynamics.states.projection import principal_components

SHOWN_CYCLES = 6
"""Cycles drawn per network."""

CUE_GROUPS = 5
"""Parts of the cue's range that have a colour each."""


def oscillation_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """What `oscillations`, called `title` in the study, shows of one task."""
    found, groups = found_by(section, title, Oscillation)
    if not groups:
        return
    yield _frequencies(groups)
    yield _table(groups)
    yield _growth(groups)
    shown = [m for m in typical_members(section) if m.name in found]
    if shown:
        yield Panels(
            title="Cycles and the fixed points inside them",
            caption=f"Of each combination, the solved network of median loss: {SHOWN_CYCLES} of "
            "its cycles, from the slowest to the fastest cue, in the principal components of all "
            "of them, and the fixed point of every cue.",
            exhibits=[_space(member, found[member.name]) for member in shown],
        )


def _table(groups: Mapping[str, Sequence[Oscillation]]) -> Table:
    columns: dict[str, list[Any]] = {"networks": list(groups)}
    columns["networks looked at"] = [len(records) for records in groups.values()]

    def column(name: str, value: Callable[[Oscillation], float], over: Any = np.median) -> None:
        columns[name] = [_over(over, map(value, records)) for records in groups.values()]

    column("correlation", lambda record: record.correlation)
    column("lowest correlation", lambda record: record.correlation, np.min)
    column("slope", lambda record: record.slope)
    column("relative error", lambda record: record.relative_error)
    column("error of the cycle", lambda record: record.cycle_error)
    column("correlation with the cycle", lambda record: record.cycle_correlation)
    column("cycles around the point", lambda record: record.around_share)
    column("growth per step", lambda record: _over(np.median, record.modulus))
    column("cues with a fixed point", lambda record: record.found_share)
    column("one unstable pair", lambda record: record.two_unstable_share)
    column("leading pair", lambda record: float(np.mean(record.rank[record.found] == 0)))
    column("in order", lambda record: record.in_order)
    column("evenness", lambda record: record.geodesic_correlation)
    return Table(
        title="Linearised frequency against target",
        caption="Medians over networks. Correlation, slope and median relative error of the "
        "frequency of the linearised dynamics, of the complex pair of modes that carries the "
        "cycle, against the frequency that the cue asks for; the error of the cycle is that of "
        "the oscillation itself, long after a trial's end, with whose frequency the linearised one "
        "is correlated, too. Shares of cues: where the cycle goes around the fixed point once a "
        "period, in the plane of the pair; with a fixed "
        "point, with exactly two unstable directions, where the carrying pair is the complex pair "
        "of the largest modulus. In order: share of fixed points whose nearest one belongs to a "
        "neighbouring cue; evenness: correlation of ways along them with differences of cues.",
        columns=columns,
    )


def _frequencies(groups: Mapping[str, Sequence[Oscillation]]) -> Curves:
    curves = list(_curves(groups, lambda record: record.frequency))
    target = next(iter(groups.values()))[0].target
    curves += [
        Curve(x=target, y=target, label="target", panel=panel, dashed=True)
        for panel in dict.fromkeys(curve.panel for curve in curves)
    ]
    return Curves(
        title="Frequency of the linearised dynamics",
        caption="At the fixed point of each cue, of the pair of modes that carries the cycle: "
        "median over networks, band over the middle half of them. Dashed: the frequency that the "
        "cue asks for.",
        curves=curves,
        x_label="target frequency (cycles per step)",
        y_label="linearised (cycles per step)",
    )


def _growth(groups: Mapping[str, Sequence[Oscillation]]) -> Curves:
    return Curves(
        title="Growth of the linearised oscillation",
        caption="Modulus of the same eigenvalues: above 1 the fixed point repels into the cycle. "
        "Median over networks, band over the middle half of them.",
        curves=list(_curves(groups, lambda record: record.modulus)),
        x_label="target frequency (cycles per step)",
        y_label="growth per step",
    )


def _curves(
    groups: Mapping[str, Sequence[Oscillation]], value: Callable[[Oscillation], Array]
) -> Iterable[Curve]:
    for combination, records in groups.items():
        cell, _, activation = combination.partition(" ")
        values = np.stack([value(record) for record in records])
        yield Curve(
            x=records[0].target,
            y=np.array([_over(np.median, column) for column in values.T]),
            low=np.array([_over(partial(np.quantile, q=0.25), column) for column in values.T]),
            high=np.array([_over(partial(np.quantile, q=0.75), column) for column in values.T]),
            label=cell,
            panel=activation,
        )


def _over(statistic: Any, values: Iterable[float]) -> float:
    """A statistic of what is known; NaN if nothing is."""
    known = np.array(list(values), float)
    known = known[np.isfinite(known)]
    return float(statistic(known)) if len(known) else float("nan")


def _space(member: Member, record: Oscillation) -> Space3D:
    cycles = record.cycle.astype(np.float64)
    finite = np.array([bool(np.isfinite(cycle).all()) for cycle in cycles])
    samples = cycles[finite].reshape(-1, cycles.shape[2])
    components = principal_components(samples)
    drawn = np.unique(np.linspace(0, len(cycles) - 1, SHOWN_CYCLES).astype(int))
    there = np.flatnonzero(record.points > 0)
    return Space3D(
        title=member.combination,
        caption=member.name,
        lines=[components.project(cycles[cue]) for cue in drawn if finite[cue]],
        points=components.project(record.state[there]),
        point_groups=_ranges(record.cue)[there].tolist(),
        point_labels=[
            f"cue {record.cue[i]:.3g}, {record.n_unstable[i]} unstable directions" for i in there
        ],
        group_label="cue",
    )


def _ranges(cues: Array) -> Array:
    """The part of the range that each cue lies in, in words: [cue]."""
    edges = np.linspace(cues.min(), cues.max(), CUE_GROUPS + 1)
    part = np.clip(np.searchsorted(edges, cues, side="right") - 1, 0, CUE_GROUPS - 1)
    return np.array([f"cue {edges[i]:.2g} to {edges[i + 1]:.2g}" for i in part])
