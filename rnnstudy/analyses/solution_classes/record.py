"""Record of the class of one network's solution."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from rnnstudy.analyses.solution_classes.condition import POINT
from rnnstudy.analyses.solution_classes.graph import (
    attractor_name,
    graph_name,
    is_isomorphic,
    point_graph,
)
from rnnstudy.analyses.solution_classes.verdict import (
    ATTRACTORS,
    CLASS_KINDS,
    ESCAPE,
    LINE,
    NONE,
    RING,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array, arrays

NO_ATTRACTOR_LABEL = "no attractor within the horizon"

ESCAPE_LABEL = "states escape"

DETAILS = ("attractors", "points", "graph")
"""Details of a label, from the coarsest to the finest."""


@dataclass(frozen=True, eq=False)
class SolutionClass(Record):
    """Attracting sets of one network under each constant input, and the numbers that decide them.

    Examples
    --------
    >>> none = np.zeros(0, int)
    >>> record = SolutionClass(
    ...     conditions=("context 1", "context 2"), is_ordered=False, detail="graph", unit=50,
    ...     kind=np.array([1, 1]), measures={},
    ...     points={"condition": none, "n_unstable": none, "word": np.zeros((0, 0), int)},
    ...     attractors={"condition": none, "kind": none, "point": none, "period": none},
    ...     links={"source": none, "target": none, "ways": none},
    ... )
    >>> record.label
    'line'
    """

    conditions: tuple[str, ...]
    """Name of each constant input."""
    is_ordered: bool
    """True if neighbouring conditions are similar, as cues are; then the label keeps their
    order."""
    detail: str
    """Detail of `label`, one of DETAILS."""
    unit: int
    """Length of a trial in steps: the unit of time of the measures."""
    kind: Array = array("condition")
    """Kind of the attracting set, a code of CLASS_KINDS."""
    measures: dict[str, Array] = arrays("condition")
    """Numbers that decide the kind; see the guide for each. Rates are in nats per trial length,
    lengths in shares of the spread of the starts."""
    points: dict[str, Array] = arrays("point")
    """Columns `condition`, `n_unstable` and `word` [point, bit] of the fixed points."""
    attractors: dict[str, Array] = arrays("attractor")
    """Columns `condition`, `kind`, `point`, `share`, `period`, `rotation` and `exponent`. Kinds are
    0 for a point, 1 for a periodic orbit, and 2 for a cycle. `point` is the position of a fixed
    point, or -1. The rotation is in turns per step, the exponent across in nats per step."""
    links: dict[str, Array] = arrays("link")
    """Columns `source`, a point with one unstable direction, `target`, an attractor that it
    leads to, and `ways`, 1 or 2 of its two."""

    @property
    def label(self) -> str:
        """Class of the network: the label of all conditions, or of each that differs."""
        return self.label_at(self.detail)

    def label_at(self, detail: str) -> str:
        """Return the class at another detail: `attractors`, `points` or `graph`."""
        labels = self.labels_at(detail)
        if len(set(labels)) < 2:
            return labels[0] if labels else "no conditions"
        if self.is_ordered:
            return " → ".join(label for label, _ in groupby(labels))
        counts = sorted(Counter(labels).items())
        return " | ".join(f"{label} ({n})" if n > 1 else label for label, n in counts)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Label of each condition."""
        return self.labels_at(self.detail)

    def labels_at(self, detail: str) -> tuple[str, ...]:
        """Return the label of each condition at a detail.

        Raises ValueError if the detail is not known.
        """
        if detail not in DETAILS:
            raise ValueError(f"detail must be one of {', '.join(DETAILS)}, got {detail!r}.")
        return tuple(self._label(condition, detail) for condition in range(len(self.kind)))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Name of the kind of each condition's attracting set."""
        return tuple(CLASS_KINDS.name_of(int(code)) for code in self.kind)

    def plant(self) -> "SolutionClass":
        """Return a copy with a known change: another attracting set under the first condition.

        One of several isolated attractors goes, with its links. Which one it is does not depend on
        their order: the copy has the first label of the alphabet. A single attractor becomes none,
        a line a ring, and all else a line.
        """
        if int(self.kind[0]) != ATTRACTORS:
            return self._with_first_kind(RING if int(self.kind[0]) == LINE else LINE)
        present: list[int] = np.flatnonzero(self.attractors["condition"] == 0).tolist()
        if len(present) < 2:
            return self._with_first_kind(NONE)
        return min((self._without(i) for i in present), key=lambda record: record.label)

    def _with_first_kind(self, code: int) -> "SolutionClass":
        return replace(self, kind=np.array([code, *self.kind[1:]]))

    def _without(self, attractor: int) -> "SolutionClass":
        """Return the record without an attractor, its fixed point and the links to it."""
        point = int(self.attractors["point"][attractor])
        keeps_point = np.arange(len(self.points["n_unstable"])) != point
        keeps_attractor = np.arange(len(self.attractors["point"])) != attractor
        keeps_link = self.links["target"] != attractor
        attractors, links = (
            {name: values[mask] for name, values in columns.items()}
            for columns, mask in ((self.attractors, keeps_attractor), (self.links, keeps_link))
        )
        if point >= 0:
            attractors["point"] = attractors["point"] - (attractors["point"] > point)
            links["source"] = links["source"] - (links["source"] > point)
        links["target"] = links["target"] - (links["target"] > attractor)
        return replace(
            self,
            points={name: values[keeps_point] for name, values in self.points.items()},
            attractors=attractors,
            links=links,
        )

    def graph(self, condition: int) -> Any:
        """Return the `networkx.Graph` of a condition's fixed points and attractors."""
        points, attractors, links = self._parts(condition)
        return point_graph(points["n_unstable"], points["word"], attractors, links)

    def is_same_class(self, other: "SolutionClass") -> bool:
        """Return whether another network of the task has the same class, graphs compared exactly.

        Labels are compared first. Where they contain graphs, an isomorphism decides.
        """
        if self.label != other.label or self.detail != other.detail:
            return False
        if self.detail != "graph":
            return True
        if self.is_ordered:
            return self._same_runs(other)
        remaining = list(range(len(other.kind)))
        for condition in range(len(self.kind)):
            same = [i for i in remaining if self._same_condition(other, condition, i)]
            if not same:
                return False
            remaining.remove(same[0])
        return True

    def _same_runs(self, other: "SolutionClass") -> bool:
        runs = [_first_of_runs(record.labels_at("graph")) for record in (self, other)]
        return all(self._same_condition(other, a, b) for a, b in zip(*runs, strict=True))

    def _same_condition(self, other: "SolutionClass", condition: int, counterpart: int) -> bool:
        if self._label(condition, "graph") != other._label(counterpart, "graph"):
            return False
        if self.kind[condition] != ATTRACTORS:
            return True
        return is_isomorphic(self.graph(condition), other.graph(counterpart))

    def counts(self, condition: int) -> Array:
        """Return the numbers of fixed points with 0, 1, 2, ... unstable directions."""
        points, attractors, _ = self._parts(condition)
        counts = np.bincount(points["n_unstable"])
        unlisted = int(((attractors["kind"] == POINT) & (attractors["point"] < 0)).sum())
        counts = counts if len(counts) else np.zeros(1 if unlisted else 0, int)
        if unlisted:
            counts[0] += unlisted
        return counts

    def _label(self, condition: int, detail: str) -> str:
        code = int(self.kind[condition])
        if code != ATTRACTORS:
            words = {NONE: NO_ATTRACTOR_LABEL, ESCAPE: ESCAPE_LABEL}
            return words.get(code, CLASS_KINDS.name_of(code))
        points, attractors, _ = self._parts(condition)
        names = [
            attractor_name(kind, period)
            for kind, period in zip(
                attractors["kind"].tolist(), attractors["period"].tolist(), strict=True
            )
            if kind != POINT
        ]
        parts = [_count(number, name) for name, number in sorted(Counter(names).items())]
        stable = int((attractors["kind"] == POINT).sum())
        if detail == "attractors":
            return ", ".join([*([_count(stable, "point")] if stable else []), *parts])
        counts = self.counts(condition)
        if len(counts):
            text = " + ".join(map(str, counts))
            parts.append("1 point" if text == "1" else f"{text} points")
        if detail == "graph" and len(points["n_unstable"]) > 1:
            name = graph_name(self.graph(condition), points["word"], points["n_unstable"])
            parts += [name] if name else []
        return ", ".join(parts)

    def _parts(self, condition: int) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
        """Return the points, attractors and links of a condition, with positions among them."""
        points, first_point = _rows(self.points, self.points["condition"] == condition)
        attractors, first = _rows(self.attractors, self.attractors["condition"] == condition)
        owner = self.attractors["condition"][self.links["target"]]
        links, _ = _rows(self.links, owner == condition)
        at = attractors["point"]
        attractors["point"] = np.where(at >= 0, at - first_point, -1)
        links["source"] = links["source"] - first_point
        links["target"] = links["target"] - first
        return points, attractors, links


def _rows(columns: dict[str, Array], mask: Array) -> tuple[dict[str, Array], int]:
    """Return the rows of a mask, and the position of the first. Rows of a condition adjoin."""
    first = int(np.argmax(mask)) if mask.any() else 0
    return {name: values[mask] for name, values in columns.items()}, first


def _count(number: int, name: str) -> str:
    if number == 1:
        return name if name != "point" else "1 point"
    first, _, rest = name.partition(" ")
    return f"{number} {first}s{' ' + rest if rest else ''}"


def _first_of_runs(labels: Sequence[str]) -> list[int]:
    """Return the position of the first of each run of equal labels."""
    return [i for i, label in enumerate(labels) if i == 0 or label != labels[i - 1]]


def class_labels(records: Sequence[SolutionClass]) -> list[str]:
    """Return the class label of each network, different for graphs that are not isomorphic.

    Labels contain a hash of each graph. Within equal labels graphs are compared exactly. A second
    class of one label gets the suffix `(b)`, a third `(c)`.

    Parameters
    ----------
    records
        Records of networks of one task.

    Returns
    -------
    list of str
        Label of each network.
    """
    firsts: dict[str, list[SolutionClass]] = {}
    labels = []
    for record in records:
        known = firsts.setdefault(record.label, [])
        same = [i for i, each in enumerate(known) if record.is_same_class(each)]
        if not same:
            known.append(record)
        position = same[0] if same else len(known) - 1
        labels.append(record.label + (f" ({chr(97 + position)})" if position else ""))
    return labels
