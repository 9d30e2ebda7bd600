"""Tables and pictures of line attractors and of the modes that integrate."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.analyses.members import found_by, typical_members
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Panels, Space3D, Table
from rnnstudy.dynamics.states.projection import principal_components

SHOWN_MODES = 16
"""Leading eigenvalues, and numbers of modes kept, that are drawn."""

LEVELS = ("lowest fifth", "low", "middle", "high", "highest fifth")
"""Parts of the readout's range, equally wide, that have a colour each."""

Groups = Mapping[str, Sequence[LineAttractor]]


def line_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """What `line_attractor`, called `title` in the study, shows of one task."""
    found, groups = found_by(section, title, LineAttractor)
    if not groups:
        return
    yield _lines(groups)
    yield _selection(groups)
    yield _spectra(groups)
    yield _shares(groups)
    shown = [m for m in typical_members(section) if m.name in found and len(found[m.name].state)]
    if shown:
        yield Panels(
            title="Slow points of typical networks",
            caption="Of each combination, the solved network of median loss: slow points of all "
            "contexts in their first three principal components, coloured by what is read out, in "
            "fifths of its range. Networks without slow points are left out.",
            exhibits=[_space(member, found[member.name]) for member in shown],
        )


def _lines(groups: Groups) -> Table:
    columns: dict[str, list[Any]] = {"networks": list(groups)}
    columns["networks looked at"] = [len(records) for records in groups.values()]
    columns["a line in every context"] = [
        float(np.mean([record.is_line for record in records])) for records in groups.values()
    ]
    for name, value in (
        ("states that get slow", lambda record: record.slow_share),
        ("readout kept", lambda record: record.kept),
        ("order", lambda record: record.order),
        ("dimension", lambda record: record.dimension),
        ("span", lambda record: record.span),
        ("drift", lambda record: record.drift),
        ("first eigenvalue", lambda record: record.leading),
        ("along the line", lambda record: record.aligned),
        ("second eigenvalue", lambda record: record.second),
        ("slow modes", lambda record: record.slow_modes),
    ):
        columns[name] = _medians(groups, value)
    return Table(
        title="Line attractors",
        caption="Medians over networks and contexts, without stimulus. States that get slow: share "
        "of those on trials that come to a slow point within the steps allowed. Readout kept: "
        "correlation of the readout there with that at the start; order: of ways along the slow "
        "points with differences in readout. Dimension: participation ratio of the slow points; "
        "span: range of the readout over them; drift: change of the readout within a further "
        "trial's length, in its standard deviations over the points. Eigenvalues by modulus: the "
        "first acts along the line as far as the cosine of its mode with it is 1, the second "
        "contracts across it; slow modes outlast a trial.",
        columns=columns,
    )


def _selection(groups: Groups) -> Table:
    columns: dict[str, list[Any]] = {"networks": list(groups)}
    for name, value in (
        ("cosine, relevant", lambda record: record.relevant),
        ("cosine, irrelevant", lambda record: record.irrelevant),
        ("gain, relevant", lambda record: record.relevant_gain),
        ("gain, irrelevant", lambda record: record.irrelevant_gain),
        ("linear fit", lambda record: record.linear_fit),
        ("modes for 90 %", lambda record: _known(record.modes_for(0.9))),
        ("modes for 95 %", lambda record: _known(record.modes_for(0.95))),
    ):
        columns[name] = _medians(groups, value)
    return Table(
        title="What moves states along the line",
        caption="Medians over networks and contexts. Cosine of the angle between the slowest left "
        "mode and the effect of a unit of each stream on the state; gain: what that unit adds to "
        "the readout by the slowest mode. Linear fit: share of the readout's response to a unit "
        "pulse that the linearised dynamics predict; modes: slowest ones that give such a share "
        "of the linear response.",
        columns=columns,
    )


def _known(counts: Array) -> Array:
    """Numbers of modes, NaN where no number of them is enough."""
    return np.where(counts > 0, counts, np.nan)


def _medians(groups: Groups, value: Callable[[LineAttractor], Array]) -> list[float | None]:
    found = []
    for records in groups.values():
        values = np.concatenate([np.asarray(value(record), float) for record in records])
        values = values[np.isfinite(values)]
        found.append(float(np.median(values)) if len(values) else None)
    return found


def _spectra(groups: Groups) -> Curves:
    return Curves(
        title="Sorted eigenvalues along the line",
        caption="Moduli of the Jacobian's eigenvalues, averaged over each network's slow points: "
        "mean over networks, band of one standard error to either side.",
        curves=list(_curves(groups, _moduli)),
        x_label="mode",
        y_label="modulus",
    )


def _moduli(record: LineAttractor) -> Array:
    if not len(record.eigenvalues):
        return np.full(record.size("mode"), np.nan)
    return np.abs(record.eigenvalues).mean(axis=0)


def _shares(groups: Groups) -> Curves:
    return Curves(
        title="Response to a pulse by the slowest modes",
        caption="Share of the linearised readout's response to a unit pulse of the relevant stream "
        "that the k slowest modes give, all slow points together; conjugate pairs count when both "
        "are kept, and modes that cancel each other can make a share negative (drawn as 0). Mean "
        "over networks and contexts, band of one standard error over networks.",
        curves=list(_curves(groups, lambda record: _mean(np.maximum(record.readout_share, 0.0)))),
        x_label="modes kept (k)",
        y_label="share of the response",
    )


def _mean(values: Array) -> Array:
    """Mean over contexts [mode] of what is known."""
    known = values[~np.isnan(values).any(axis=1)]
    return known.mean(axis=0) if len(known) else np.full(values.shape[1], np.nan)


def _curves(groups: Groups, value: Callable[[LineAttractor], Array]) -> Iterable[Curve]:
    for combination, records in groups.items():
        cell, _, activation = combination.partition(" ")
        values = [value(record)[:SHOWN_MODES] for record in records]
        # Networks of other sizes have other numbers of modes; all have the first few.
        width = min(map(len, values))
        known = np.array([v[:width] for v in values if not np.isnan(v[:width]).any()])
        if not len(known):
            continue
        mean, error = known.mean(axis=0), np.zeros(width)
        if len(known) > 1:
            error = known.std(axis=0, ddof=1) / np.sqrt(len(known))
        yield Curve(
            x=np.arange(1, width + 1),
            y=mean,
            low=mean - error,
            high=mean + error,
            label=cell,
            panel=activation,
        )


def _space(member: Member, record: LineAttractor) -> Space3D:
    readout = record.readout[:, 0]
    edges = np.linspace(readout.min(), readout.max(), len(LEVELS) + 1)
    level = np.searchsorted(edges[1:-1], readout, side="right")
    return Space3D(
        title=member.combination,
        caption=member.name,
        lines=[],
        points=principal_components(record.state).project(record.state),
        point_groups=[LEVELS[i] for i in level],
        point_labels=[
            f"context {context + 1}, readout {value:.3g}"
            for context, value in zip(record.context_of, readout, strict=True)
        ],
        group_label="readout",
    )
