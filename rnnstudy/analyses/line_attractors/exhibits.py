"""Tables and figures of line attractors and of the modes that integrate."""

from collections.abc import Callable, Iterable

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.analyses.members import (
    Groups,
    Summary,
    finite_summary,
    records_by_combination,
    summary_by_combination,
    typical_members,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Panels, Space3D, Table
from rnnstudy.dynamics.states.projection import principal_components

SHOWN_MODES = 16
"""Leading eigenvalues, and numbers of modes, that are drawn."""

READOUT_LEVELS = ("lowest fifth", "low", "middle", "high", "highest fifth")
"""Parts of the readout's range, equally wide, with a colour each."""


def line_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """Yield the exhibits of the analysis `title` for one task."""
    records, groups = records_by_combination(section, title, LineAttractor)
    if not groups:
        return
    yield _lines(groups)
    yield _selection(groups)
    yield _spectra(groups)
    yield _shares(groups)
    members = [
        m for m in typical_members(section) if m.name in records and len(records[m.name].state)
    ]
    if members:
        yield Panels(
            title="Slow points of typical networks",
            caption="For each combination, the solved network of median loss: slow points of all "
            "contexts in their first three principal components, coloured by the readout, in "
            "fifths of its range. Networks without slow points are left out.",
            exhibits=[_space(member, records[member.name]) for member in members],
        )


def _lines(groups: Groups[LineAttractor]) -> Table:
    columns: dict[str, Summary[LineAttractor]] = {
        "number of networks": len,
        "a line in every context": finite_summary(lambda record: record.is_line, np.mean),
        "states that get slow": finite_summary(lambda record: record.slow_share),
        "readout kept": finite_summary(lambda record: record.retention),
        "order": finite_summary(lambda record: record.order),
        "dimension": finite_summary(lambda record: record.dimension),
        "span": finite_summary(lambda record: record.span),
        "drift": finite_summary(lambda record: record.drift),
        "first eigenvalue": finite_summary(lambda record: record.leading),
        "along the line": finite_summary(lambda record: record.aligned),
        "second eigenvalue": finite_summary(lambda record: record.second),
        "slow modes": finite_summary(lambda record: record.slow_modes),
    }
    return Table(
        title="Line attractors",
        caption="Medians over networks and contexts, without stimulus. States that get slow: share "
        "of those on trials that reach a slow point within the number of steps. Readout kept: "
        "correlation of the readout there with that at the start; order: of distances along the "
        "slow points with differences in readout. Dimension: participation ratio of the slow "
        "points; span: range of the readout over them; drift: change of the readout within a "
        "further trial's length, in its standard deviations over the points. Eigenvalues by "
        "modulus: the first acts along the line as far as the cosine of its mode with it is 1, the "
        "second contracts across it; slow modes outlast a trial.",
        columns=summary_by_combination(groups, columns),
    )


def _selection(groups: Groups[LineAttractor]) -> Table:
    columns: dict[str, Summary[LineAttractor]] = {
        "cosine, relevant": finite_summary(lambda record: record.relevant),
        "cosine, irrelevant": finite_summary(lambda record: record.irrelevant),
        "gain, relevant": finite_summary(lambda record: record.relevant_gain),
        "gain, irrelevant": finite_summary(lambda record: record.irrelevant_gain),
        "linear fit": finite_summary(lambda record: record.linear_fit),
        "modes for 90 %": finite_summary(lambda record: _known_counts(record.modes_for(0.9))),
        "modes for 95 %": finite_summary(lambda record: _known_counts(record.modes_for(0.95))),
    }
    return Table(
        title="Inputs along the line",
        caption="Medians over networks and contexts. Cosine of the angle between the slowest left "
        "mode and the effect of a unit of each stream on the state; gain: what that unit adds to "
        "the readout by the slowest mode. Linear fit: share of the readout's response to a unit "
        "pulse that the linearised dynamics predict; modes: slowest ones that give such a share "
        "of the linear response.",
        columns=summary_by_combination(groups, columns),
    )


def _known_counts(counts: Array) -> Array:
    """Return numbers of modes, NaN where no number of them is enough."""
    return np.where(counts > 0, counts, np.nan)


def _spectra(groups: Groups[LineAttractor]) -> Curves:
    return Curves(
        title="Sorted eigenvalues along the line",
        caption="Moduli of the Jacobian's eigenvalues, averaged over each network's slow points: "
        "mean over networks, band of one standard error to either side.",
        curves=list(_mean_curves(groups, _mean_moduli)),
        x_label="mode",
        y_label="modulus",
    )


def _mean_moduli(record: LineAttractor) -> Array:
    if not len(record.eigenvalues):
        return np.full(record.size("mode"), np.nan)
    return np.abs(record.eigenvalues).mean(axis=0)


def _shares(groups: Groups[LineAttractor]) -> Curves:
    return Curves(
        title="Response to a pulse by the slowest modes",
        caption="Share of the linearised readout's response to a unit pulse of the relevant stream "
        "that the k slowest modes give, all slow points together; conjugate pairs count when both "
        "are included, and modes that cancel each other can make a share negative (drawn as 0). "
        "Mean over networks and contexts, band of one standard error over networks.",
        curves=list(_mean_curves(groups, _mean_shares)),
        x_label="number of modes (k)",
        y_label="share of the response",
    )


def _mean_shares(record: LineAttractor) -> Array:
    """Return the mean over contexts with enough slow points, [mode]."""
    shares = np.maximum(record.readout_share, 0.0)
    known = shares[~np.isnan(shares).any(axis=1)]
    return known.mean(axis=0) if len(known) else np.full(shares.shape[1], np.nan)


def _mean_curves(
    groups: Groups[LineAttractor], value: Callable[[LineAttractor], Array]
) -> Iterable[Curve]:
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
    edges = np.linspace(readout.min(), readout.max(), len(READOUT_LEVELS) + 1)
    level = np.searchsorted(edges[1:-1], readout, side="right")
    return Space3D(
        title=member.combination,
        caption=member.name,
        lines=[],
        points=principal_components(record.state).project(record.state),
        point_groups=[READOUT_LEVELS[i] for i in level],
        point_labels=[
            f"context {context + 1}, readout {value:.3g}"
            for context, value in zip(record.context_of, readout, strict=True)
        ],
        group_label="readout",
    )
