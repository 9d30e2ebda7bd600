"""Tables and figures of oscillations and of the dynamics linearised at their fixed points."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member, Section
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
from rnnstudy.analyses.oscillations.record import Oscillation
from rnnstudy.core.arguments.durations import seconds_per_step
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Panels, Space3D, Table
from rnnstudy.dynamics.states.projection import principal_components

SHOWN_CYCLES = 6
"""Cycles drawn per network."""

CUE_GROUPS = 5
"""Parts of the cue's range with a colour each."""


def oscillation_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """Yield the exhibits of the analysis `title` for one task."""
    records, groups = records_by_combination(section, title, Oscillation)
    if not groups:
        return
    dt = seconds_per_step(section.task)
    yield _frequencies(groups, dt)
    yield _table(groups)
    yield _growth(groups, dt)
    members = [m for m in typical_members(section) if m.name in records]
    if members:
        yield Panels(
            title="Cycles and the fixed points inside them",
            caption=f"{typical_words(section)}: {SHOWN_CYCLES} of "
            "its cycles, from the slowest to the fastest cue, in the principal components of all "
            "of them, and the fixed point of every cue.",
            exhibits=[_space(member, records[member.name]) for member in members],
            finding=_cycle_sentence(list(records.values())),
            chapter="fixed_points",
        )


def _cycle_sentence(records: Sequence[Oscillation]) -> str:
    point_share: Summary[Oscillation] = finite_summary(lambda record: record.fixed_point_share)
    cycle_share: Summary[Oscillation] = finite_summary(lambda record: record.around_share)
    present, around = point_share(records), cycle_share(records)
    if present is None or around is None:
        return ""
    return (
        f"In the median over networks, {present:.0%} of the cues have a fixed point, and the cycle "
        f"goes around it at {around:.0%} of the cues."
    )


def _frequency_sentence(groups: Groups[Oscillation]) -> str:
    records = [record for group in groups.values() for record in group]
    values = [float(r.correlation) for r in records if np.isfinite(r.correlation)]
    if not values:
        return ""
    return (
        "The linearised frequency of a cue correlates with its target frequency by "
        f"{np.median(values):.2g} in the median over networks ({min(values):.2g} to "
        f"{max(values):.2g})."
    )


def _table(groups: Groups[Oscillation]) -> Table:

    def summary(
        value: Callable[[Oscillation], Any], statistic: Callable[[Array], Any] = np.median
    ) -> Summary[Oscillation]:
        return finite_summary(value, statistic, missing=float("nan"))

    columns: dict[str, Summary[Oscillation]] = {
        "number of networks": len,
        "correlation": summary(lambda record: record.correlation),
        "lowest correlation": summary(lambda record: record.correlation, np.min),
        "slope": summary(lambda record: record.slope),
        "relative error": summary(lambda record: record.relative_error),
        "error of the cycle": summary(lambda record: record.cycle_error),
        "correlation with the cycle": summary(lambda record: record.cycle_correlation),
        "cycles around the point": summary(lambda record: record.around_share),
        "growth per step": summary(lambda record: _nan_median(record.modulus)),
        "cues with a fixed point": summary(lambda record: record.fixed_point_share),
        "one unstable pair": summary(lambda record: record.two_unstable_share),
        "leading pair": summary(lambda record: np.mean(record.rank[record.has_rotation] == 0)),
        "in order": summary(lambda record: record.in_order),
        "evenness": summary(lambda record: record.evenness),
    }
    return Table(
        title="Linearised frequency against target",
        caption="Medians over networks. Correlation, slope and median relative error of the "
        "frequency of the linearised dynamics, of the complex pair of modes that carries the "
        "cycle, against the target frequency of the cue; the error of the cycle is that of "
        "the oscillation itself, long after a trial's end, with whose frequency the linearised one "
        "is correlated, too. Shares of cues: where the cycle goes around the fixed point once a "
        "period, in the plane of the pair; with a fixed "
        "point, with exactly two unstable directions, where the carrying pair is the complex pair "
        "of the largest modulus. In order: share of fixed points whose nearest one belongs to a "
        "neighbouring cue; evenness: correlation of distances along them with differences of cues.",
        columns=summary_by_combination(groups, columns),
    )


def _nan_median(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _frequencies(groups: Groups[Oscillation], dt: float | None) -> Curves:
    step, unit = _frequency_unit(dt)
    curves = median_band(groups, lambda record: record.frequency / step, partial(_targets, step))
    target = next(iter(groups.values()))[0].target / step
    curves += [
        Curve(x=target, y=target, label="target", panel=panel, dashed=True)
        for panel in dict.fromkeys(curve.panel for curve in curves)
    ]
    return Curves(
        title="Frequency of the linearised dynamics",
        caption="At the fixed point of each cue, of the pair of modes that carries the cycle: "
        "median over networks, band over the middle half of them. Dashed: the target frequency "
        "of the cue.",
        curves=curves,
        x_label=f"target frequency ({unit})",
        y_label=f"linearised ({unit})",
        finding=_frequency_sentence(groups),
    )


def _growth(groups: Groups[Oscillation], dt: float | None) -> Curves:
    step, unit = _frequency_unit(dt)
    return Curves(
        title="Growth of the linearised oscillation",
        caption="Modulus of the same eigenvalues: above 1 the fixed point repels into the cycle. "
        "Median over networks, band over the middle half of them.",
        curves=median_band(groups, lambda record: record.modulus, partial(_targets, step)),
        x_label=f"target frequency ({unit})",
        y_label="growth per step",
    )


def _frequency_unit(dt: float | None) -> tuple[float, str]:
    """Return the seconds by which frequencies per step are divided, and the unit of the results."""
    return (1.0, "cycles per step") if dt is None else (dt, "Hz")


def _targets(step: float, records: Sequence[Oscillation]) -> Array:
    return records[0].target / step


def _space(member: Member, record: Oscillation) -> Space3D:
    cycles = record.cycle.astype(np.float64)
    finite = np.array([bool(np.isfinite(cycle).all()) for cycle in cycles])
    samples = cycles[finite].reshape(-1, cycles.shape[2])
    components = principal_components(samples)
    drawn = np.unique(np.linspace(0, len(cycles) - 1, SHOWN_CYCLES).astype(int))
    cues = np.flatnonzero(record.points > 0)
    return Space3D(
        title=member.combination,
        caption=member.name,
        lines=[components.project(cycles[cue]) for cue in drawn if finite[cue]],
        points=components.project(record.state[cues]),
        point_groups=_cue_ranges(record.cue)[cues].tolist(),
        point_labels=[
            f"cue {record.cue[i]:.3g}, {record.n_unstable[i]} unstable directions" for i in cues
        ],
        group_label="cue",
    )


def _cue_ranges(cues: Array) -> Array:
    """Return the part of the range of each cue, in words: [cue]."""
    edges = np.linspace(cues.min(), cues.max(), CUE_GROUPS + 1)
    part = np.clip(np.searchsorted(edges, cues, side="right") - 1, 0, CUE_GROUPS - 1)
    return np.array([f"cue {edges[i]:.2g} to {edges[i + 1]:.2g}" for i in part])
