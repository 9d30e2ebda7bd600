"""Tables and figures of line attractors and of the modes that integrate."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.line_attractors.mode_counts import (
    MODE_CRITERIA,
    MODE_MEASURES,
    ModeMeasureName,
)
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.analyses.members import (
    Groups,
    Summary,
    finite_summary,
    records_by_combination,
    summary_by_combination,
    typical_members,
    typical_words,
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
    yield _counts(groups)
    yield _spectra(groups)
    yield _shares(groups)
    yield _sufficient(groups)
    members = [
        m for m in typical_members(section) if m.name in records and len(records[m.name].state)
    ]
    if members:
        yield Panels(
            title="Slow points of typical networks",
            caption=f"{typical_words(section)}: slow points of all "
            "contexts in their first three principal components, coloured by the readout, in "
            "fifths of its range. Networks without slow points are left out.",
            exhibits=[_space(member, records[member.name]) for member in members],
            finding=_line_sentence(list(records.values())),
            chapter="fixed_points",
        )


def _line_sentence(records: Sequence[LineAttractor]) -> str:
    lines = sum(bool(np.all(record.is_line)) for record in records)
    return f"{lines} of {len(records)} networks have a line of slow points in every context."


def _modulus_sentence(groups: Groups[LineAttractor]) -> str:
    records = [record for group in groups.values() for record in group]
    largest: Summary[LineAttractor] = finite_summary(lambda record: record.leading)
    next_largest: Summary[LineAttractor] = finite_summary(lambda record: record.second)
    first, second = largest(records), next_largest(records)
    if first is None or second is None:
        return ""
    return (
        f"At the slow points the largest modulus is {first:.4g} and the second {second:.4g}, in "
        "the median over networks and contexts."
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
        "lasting modes": finite_summary(lambda record: record.lasting_modes),
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
        "second contracts across it; lasting modes outlast a trial.",
        chapter="fixed_points",
        columns=summary_by_combination(groups, columns),
    )


def _selection(groups: Groups[LineAttractor]) -> Table:
    columns: dict[str, Summary[LineAttractor]] = {
        "cosine, relevant": finite_summary(lambda record: record.relevant),
        "cosine, irrelevant": finite_summary(lambda record: record.irrelevant),
        "gain, relevant": finite_summary(lambda record: record.relevant_gain),
        "gain, irrelevant": finite_summary(lambda record: record.irrelevant_gain),
        "linear fit": finite_summary(lambda record: record.fit),
    }
    return Table(
        title="Inputs along the line",
        caption="Medians over networks and contexts. Cosine of the angle between the slowest left "
        "mode and the effect of a unit of each stream on the state; gain: what that unit adds to "
        "the readout by the slowest mode. Linear fit: share of the readout's response to a unit "
        "pulse that the linearised dynamics predict.",
        columns=summary_by_combination(groups, columns),
    )


def _counts(groups: Groups[LineAttractor]) -> Table:
    columns: dict[str, Summary[LineAttractor]] = {
        "networks with slow points": lambda records: int(
            sum(bool(np.isfinite(record.fit).any()) for record in records)
        )
    }
    for measure, threshold in MODE_CRITERIA:
        columns[_criterion(groups, measure, threshold)] = _median_count(measure, threshold)
    return Table(
        title="Modes that integrate",
        caption="Medians over networks: the median over the slow points of a context, averaged "
        "over contexts. Slowest modes: the first number of them, from the largest modulus down, "
        "that gives this part of the linearised response to a unit pulse of the relevant stream. "
        "R2: explained share of the response over time, of the readout or of the state. Mean "
        "output: mean of the readout's response over time. A conjugate pair counts as two modes. "
        "Modes that cancel each other can let a share cross a threshold by accident. Hankel "
        "singular values from stream to readout do not depend on the choice of modes: they count "
        "the states of the smallest model with the same response. Networks without slow points "
        "are left out.",
        columns=summary_by_combination(groups, columns),
    )


def _criterion(
    groups: Groups[LineAttractor], measure: ModeMeasureName, threshold: float | None
) -> str:
    return MODE_MEASURES[measure].describe(_threshold(groups, threshold))


def _threshold(groups: Groups[LineAttractor], threshold: float | None) -> float:
    return next(iter(groups.values()))[0].slow_modulus if threshold is None else threshold


def _median_count(measure: ModeMeasureName, threshold: float | None) -> Summary[LineAttractor]:
    """Return the median over networks; infinite numbers count, unknown ones do not."""

    def median(records: Sequence[LineAttractor]) -> float | None:
        counts = _network_counts(records, measure, threshold)
        return float(np.median(counts)) if len(counts) else None

    return median


def _network_counts(
    records: Sequence[LineAttractor], measure: ModeMeasureName, threshold: float | None
) -> Array:
    """Return the number of modes of each network where it is known, [network]."""
    counts = np.array([
        record.mean_n_modes(measure, record.slow_modulus if threshold is None else threshold)
        for record in records
    ])  # fmt: skip
    return counts[~np.isnan(counts)]


def _spectra(groups: Groups[LineAttractor]) -> Curves:
    return Curves(
        title="Sorted eigenvalues along the line",
        caption="Moduli of the Jacobian's eigenvalues, averaged over each network's slow points: "
        "mean over networks, band of one standard error to either side.",
        curves=list(_mean_curves(groups, _mean_moduli)),
        x_label="mode",
        y_label="modulus",
        finding=_modulus_sentence(groups),
    )


def _mean_moduli(record: LineAttractor) -> Array:
    if not len(record.eigenvalues):
        return np.full(record.size("mode"), np.nan)
    return np.abs(record.eigenvalues).mean(axis=0)


def _shares(groups: Groups[LineAttractor]) -> Curves:
    return Curves(
        title="Response to a pulse by the slowest modes",
        caption="Share (R2) of the linearised readout's response to a unit pulse of the relevant "
        "stream that the k slowest modes give, median over slow points. Conjugate pairs count when "
        "both are included. Modes that cancel each other can make a share negative (drawn as 0). "
        "Mean over networks and contexts, band of one standard error over networks.",
        curves=list(_mean_curves(groups, _median_shares)),
        x_label="number of modes (k)",
        y_label="share of the response",
    )


def _median_shares(record: LineAttractor) -> Array:
    """Return medians over slow points, averaged over the contexts that have enough, [mode]."""
    shares = np.maximum(record.readout_share, 0.0)
    rows = [record.known_rows(context) for context in range(record.contexts)]
    medians = [np.median(shares[points], axis=0) for points in rows if len(points)]
    return np.mean(medians, axis=0) if medians else np.full(shares.shape[1], np.nan)


def _sufficient(groups: Groups[LineAttractor]) -> Curves:
    """Return the share of networks for which k modes are enough, one panel per criterion."""
    curves = [
        curve
        for measure, threshold in MODE_CRITERIA
        for curve in _cumulative_curves(groups, measure, threshold)
    ]
    return Curves(
        title="Networks for which k modes are enough",
        caption="Share of networks whose number of modes is at most k, under each criterion of the "
        "table of modes that integrate. An average over contexts need not be a whole number.",
        curves=curves,
        x_label="number of modes (k)",
        y_label="share of networks",
    )


def _cumulative_curves(
    groups: Groups[LineAttractor], measure: ModeMeasureName, threshold: float | None
) -> Iterable[Curve]:
    criterion = MODE_MEASURES[measure].short.format(_threshold(groups, threshold))
    number = np.arange(SHOWN_MODES + 1)
    for combination, records in groups.items():
        counts = _network_counts(records, measure, threshold)
        if len(counts):
            share = (counts <= number[:, None]).mean(axis=1)
            yield Curve(x=number, y=share, label=combination, panel=criterion)


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
