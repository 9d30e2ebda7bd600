"""Tables and figures of generalisation, by combination and by class of solution."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from rnnstudy.analyses.base import Section
from rnnstudy.analyses.generalisation.record import Generalisation
from rnnstudy.analyses.members import Groups, Summary, finite_summary, records_by_combination
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Curve, Curves, Exhibit, Table

SHOWN_CLASSES = 6
"""Classes of solutions with a curve of their own, the most frequent first."""

OTHER_CLASSES = "other classes"


def generalisation_exhibits(section: Section, title: str, classes: str) -> Iterable[Exhibit]:
    """Yield the exhibits of the analysis `title`; `classes` names that of classes of solutions."""
    records, groups = records_by_combination(section, title, Generalisation)
    if not groups:
        return
    yield _accuracies("Generalisation", "each combination", groups)
    yield _errors(groups)
    by_class = _group_by_class(records, section.records.get(classes, {}))
    if by_class:
        yield _accuracies("Generalisation by class of solution", "each class", by_class)
        yield _classes(by_class)


def _accuracies(title: str, group: str, groups: Groups[Generalisation]) -> Curves:
    return Curves(
        title=title,
        caption=f"Accuracy on trials that differ from those of training in one property: median "
        f"over the networks of {group}, band from the lower to the upper quartile. "
        f"{_units(groups)}",
        curves=list(_curves(groups, lambda record: record.accuracy)),
        x_label="value of the property",
        y_label="accuracy",
        finding=_accuracy_sentence(groups),
    )


def _accuracy_sentence(groups: Groups[Generalisation]) -> str:
    records = [record for group in groups.values() for record in group]
    first = records[0]
    rows = {shift: int(first.rows(shift)[-1]) for shift in first.shifts}
    medians = {shift: _median_at(row, "accuracy")(records) for shift, row in rows.items()}
    parts = [f"{shift} {value:.2g}" for shift, value in medians.items() if value is not None]
    return f"Median accuracy at the largest value of each property: {', '.join(parts)}."


def _errors(groups: Groups[Generalisation]) -> Curves:
    return Curves(
        title="Errors at the end of trials",
        caption="Root mean square error at the last time step that counts: median over networks, "
        "band from the lower to the upper quartile. Noise of a noisy delay is in no target. The "
        f"error of an exact integrator grows with the square root of the delay. {_units(groups)}",
        curves=list(_curves(groups, lambda record: record.last_error)),
        x_label="value of the property",
        y_label="error",
    )


def _curves(
    groups: Groups[Generalisation], number: Callable[[Generalisation], Array]
) -> Iterable[Curve]:
    first = next(iter(groups.values()))[0]
    for shift in first.shifts:
        rows = first.rows(shift)
        for name, records in groups.items():
            values = np.array([number(record)[rows] for record in records])
            low, middle, high = _quartiles(values)
            yield Curve(x=first.value[rows], y=middle, low=low, high=high, label=name, panel=shift)


def _units(groups: Groups[Generalisation]) -> str:
    """Return the unit of each property, and its value in training, as a sentence."""
    record = next(iter(groups.values()))[0]
    parts = zip(record.shifts, record.units, record.trained, strict=True)
    texts = [
        f"{shift}: {unit}" + ("" if np.isnan(trained) else f" (training: {trained:g})")
        for shift, unit, trained in parts
    ]
    return f"Values of the properties: {', '.join(texts)}."


def _quartiles(values: Array) -> tuple[Array, Array, Array]:
    """Return quartiles over networks of values [network, condition]; NaN where infinite."""
    quartiles = np.quantile(values, [0.25, 0.5, 0.75], axis=0, method="nearest")
    low, middle, high = np.where(np.isfinite(quartiles), quartiles, np.nan)
    return low, middle, high


def _group_by_class(
    records: Mapping[str, Generalisation], classes: Mapping[str, object]
) -> dict[str, list[Generalisation]]:
    """Return the records by class of solution; rare classes are joined."""
    labels = {
        name: str(label)
        for name in records
        if (label := getattr(classes.get(name), "label", None)) is not None
    }
    frequent = [label for label, _ in Counter(labels.values()).most_common(SHOWN_CLASSES)]
    groups: dict[str, list[Generalisation]] = {label: [] for label in frequent}
    for name, label in labels.items():
        groups.setdefault(label if label in frequent else OTHER_CLASSES, []).append(records[name])
    return groups


def _classes(groups: Groups[Generalisation]) -> Table:
    """Return the accuracy of each class at the largest value of each property."""
    first = next(iter(groups.values()))[0]
    columns: dict[str, Summary[Generalisation]] = {"networks": len}
    for shift in first.shifts:
        row = int(first.rows(shift)[-1])
        columns[f"{shift}: {first.value[row]:g}"] = _median_at(row, "accuracy")
        if first.words[row]:
            columns[f"words kept, {shift}"] = _median_at(row, "kept_share")
    summaries = {
        name: [summary(records) for records in groups.values()] for name, summary in columns.items()
    }
    return Table(
        title="Classes of solutions and generalisation",
        caption="Median accuracy over the networks of each class at the largest value of each "
        "property. Words kept: share of the output words with which trials end at which more than "
        "half of their trials do end.",
        columns={"class": list(groups), **summaries},
    )


def _median_at(row: int, name: str) -> Summary[Generalisation]:
    def value(record: Generalisation) -> float:
        return float(getattr(record, name)[row])

    def median(records: Sequence[Generalisation]) -> float | None:
        return finite_summary(value)(records)

    return median
