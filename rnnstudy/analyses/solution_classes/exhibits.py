"""Tables and figures of classes of solutions, by combination and protocol."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

import numpy as np

from rnnstudy.analyses.base import Member, Section
from rnnstudy.analyses.solution_classes.record import (
    NO_ATTRACTOR_LABEL,
    SolutionClass,
    class_labels,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, StackedBars, Table

COLOURED_CLASSES = 8
"""Largest number of classes with their own colour in the figure; the rest are one."""

LEGEND_LENGTH = 27
"""Letters of a class in the legend of the figure. A longer class has a capital letter there."""

CAPTION = [
    "Number of networks of each class. Classes of few networks are one.",
    "Points are counted by their number of unstable directions: 0+1+2+...",
    "None: no attractor within the horizon.",
]
LETTERS = "A capital letter stands for a class that the table has in full."

DECIDING = (
    "arrived", "sets", "gaps", "motion", "straightness", "extent", "dimension", "roundness",
    "drift", "along", "across", "retention",
)  # fmt: skip
"""Measures in the table of what decides the kind."""


def class_exhibits(section: Section, title: str) -> Iterable[Exhibit]:
    """Yield the exhibits of the analysis `title` for one task."""
    members, records = _members_with_records(section, title)
    if not members:
        return
    labels = class_labels(records)
    groups = [group_of(member) for member in members]
    yield _table(labels, groups)
    yield class_figure(labels, groups)
    yield _deciding(records)
    yield _networks(members, labels, records)


def _members_with_records(section: Section, title: str) -> tuple[list[Member], list[SolutionClass]]:
    records = section.records.get(title, {})
    pairs = [
        (member, record)
        for member in section.members
        if isinstance(record := records.get(member.name), SolutionClass)
    ]
    return [member for member, _ in pairs], [record for _, record in pairs]


def group_of(member: Member) -> str:
    """Return the cell, activation and protocol of a network, as in `gru tanh standard`."""
    protocol = str(member.fields.get("protocol", "") or "")
    words = member.combination.split()
    return member.combination if not protocol or protocol in words else " ".join([*words, protocol])


def _classes_by_size(labels: Sequence[str]) -> list[str]:
    """Return the distinct classes, those of most networks first."""
    return [label for label, _ in sorted(Counter(labels).items(), key=lambda pair: -pair[1])]


def class_letters(labels: Sequence[str]) -> dict[str, str]:
    """Return class -> its capital letter, for classes that are too long for a legend.

    Only classes with a colour of their own have a letter. The largest class comes first.

    Parameters
    ----------
    labels
        Class of each network.

    Examples
    --------
    >>> class_letters(["line", "4 + 4 + 1 points", "cycle, 0 + 0 + 1 points → line → ring"])
    {'cycle, 0 + 0 + 1 points → line → ring': 'A'}
    """
    long = [label for label in _coloured_classes(labels) if len(_abbreviate(label)) > LEGEND_LENGTH]
    return dict(zip(long, ascii_uppercase, strict=False))


def _abbreviate(label: str) -> str:
    """Return a class in few letters: counts of points without spaces, runs along cues counted."""
    text = label.replace(" + ", "+").replace(" points", "").replace(NO_ATTRACTOR_LABEL, "none")
    runs = text.count(" → ") + 1
    return text if runs == 1 else f"{runs} runs: {text}"


def _legend_names(labels: Sequence[str]) -> dict[str, str]:
    """Return class -> its name in the legend, all of them different."""
    letters = class_letters(labels)
    return {
        label: f"{letters[label]}: {_abbreviate(label)[: LEGEND_LENGTH - 4].rstrip()}…"
        if label in letters
        else _abbreviate(label)
        for label in _coloured_classes(labels)
    }


def _coloured_classes(labels: Sequence[str]) -> list[str]:
    """Return the classes that have a colour of their own in the figure."""
    order = _classes_by_size(labels)
    return order if len(order) <= COLOURED_CLASSES else order[: COLOURED_CLASSES - 1]


def _table(labels: Sequence[str], groups: Sequence[str]) -> Table:
    order, letters = _classes_by_size(labels), class_letters(labels)
    counts = Counter(zip(labels, groups, strict=True))
    columns: dict[str, list[Any]] = {
        **({"letter": [letters.get(label) for label in order]} if letters else {}),
        "class": order,
        "networks": [labels.count(label) for label in order],
        "share": [labels.count(label) / len(labels) for label in order],
    }
    for group in dict.fromkeys(groups):
        columns[group] = [counts[label, group] for label in order]
    return Table(
        title="Classes of solutions",
        caption="Number of networks of each class, by combination and protocol. Points are counted "
        "by their number of unstable directions: 0 + 1 + 2 + ... Two networks have one class if "
        "the graphs of their points and attractors are isomorphic; for a memory, with the bits and "
        "their signs renamed. A line, a ring or a plane consists of slow states, or of "
        "oscillations, and attracts. Conditions of different classes are separated by |, and by → "
        "along ordered cues.",
        columns=columns,
    )


def class_figure(labels: Sequence[str], groups: Sequence[str]) -> StackedBars:
    """Return the figure of the number of networks of each class, a bar for each group.

    Parameters
    ----------
    labels
        Class of each network.
    groups
        Group of each network.
    """
    order, names = _classes_by_size(labels), _legend_names(labels)
    others = len(order) - len(names)
    rows = list(dict.fromkeys(groups))
    counts = Counter(zip(labels, groups, strict=True))
    values = {n: np.array([counts[label, row] for row in rows]) for label, n in names.items()}
    rest = f"{others} other class{'' if others == 1 else 'es'}" if others else ""
    if rest:
        total = Counter(groups)
        values[rest] = np.array(
            [total[row] - sum(counts[label, row] for label in names) for row in rows]
        )
    return StackedBars(
        title="Classes of solutions by combination",
        caption=" ".join(CAPTION + [LETTERS] * bool(class_letters(labels))),
        categories=rows,
        values=values,
        rest=rest,
        value_label="networks",
        finding=f"{len(labels)} networks fall into {len(order)} "
        f"{'class' if len(order) == 1 else 'classes'}, the largest of which has "
        f"{labels.count(order[0])}.",
    )


def _deciding(records: Sequence[SolutionClass]) -> Table:
    """Return the medians of the measures that decide the kind of a condition."""
    kinds = [kind for record in records for kind in record.kinds]
    joined = {name: _column(records, name) for name in DECIDING}
    order = _classes_by_size(kinds)
    at = {kind: np.array([each == kind for each in kinds]) for kind in order}
    columns: Mapping[str, Sequence[Any]] = {
        "kind": order,
        "conditions": [kinds.count(kind) for kind in order],
        **{name: [_median(values[at[kind]]) for kind in order] for name, values in joined.items()},
    }
    return Table(
        title="Measures that decide the class",
        caption="Medians over networks and conditions. Lengths are shares of the spread of the "
        "starts, times are trial lengths. Arrived: share of starts at stable points. Sets: number "
        "of distinct sets of orbits; gaps: share of gaps in the tree that joins them. Motion: "
        "length of a step; straightness: net displacement as a share of the path. Extent and "
        "dimension: size of the family of orbits and its participation ratio; roundness: "
        "variation of its radius. Drift: displacement within a trial, as a share of the extent. "
        "Along and across: exponents along the family and the largest across it, in nats per "
        "trial. Retention: correlation of the readout with that at the starts.",
        columns=columns,
    )


def _column(records: Sequence[SolutionClass], name: str) -> Array:
    return np.concatenate([np.asarray(record.measures[name], float) for record in records])


def _median(values: Array) -> float | None:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else None


def _networks(
    members: Sequence[Member], labels: Sequence[str], records: Sequence[SolutionClass]
) -> Table:
    return Table(
        title="Class of each network",
        caption="Class, and the attractors under each condition that differs.",
        columns={
            "network": [member.name for member in members],
            "class": list(labels),
            "attractors": [record.label_at("attractors") for record in records],
        },
    )
