"""Distances between trained networks, untrained ones and networks of other tasks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np

from rnnstudy.analyses.base import Cost, Member, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.analyses.distances.all_pairs import (
    COLOURED,
    AllPairs,
    DistanceRow,
    left_out_sentences,
    nearness_sentence,
)
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.comparison.distances.embedding import classical_mds
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.informative import PLANTED as PLANTED
from rnnstudy.comparison.statistics.informative import TRAINED as TRAINED
from rnnstudy.core.arrays import Array
from rnnstudy.core.component import lower_first
from rnnstudy.core.exhibit import Exhibit, Note, Scatter
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task

UNTRAINED: Final = "untrained"
STANDARD: Final = "standard"

ControlWeights = Literal["untrained", "standard"]
"""Kinds of weights of networks that never learnt."""

TWIN = f" {UNTRAINED}"
"""Suffix of the name of a network with its initial weights."""

SAME_NAME = frozenset({UNTRAINED, STANDARD, PLANTED})
"""Kinds of items that are made of a trained network and share its name."""


def item_label(network: str, learnt: str) -> str:
    """Return the label of a network's item: its name, with a suffix for controls of that name.

    Examples
    --------
    >>> item_label("gru-0", "planted"), item_label("gru-0", "trained")
    ('gru-0 planted', 'gru-0')
    """
    return f"{network} {learnt}" if learnt in SAME_NAME else network


@dataclass(frozen=True, eq=False, kw_only=True)
class ControlDistances(Distances):
    """Distances between networks trained on a task and controls.

    Controls are the same networks untrained, and planted copies of them with a known difference.
    Others are networks of other tasks, driven by the probe trials of the one task.

    Examples
    --------
    >>> distances = ControlDistances(
    ...     labels=("a", "a untrained"), values=np.array([[0.0, 0.5], [0.5, 0.0]]),
    ...     learnt=("trained", "untrained"), fields=({"cell": "gru"}, {"cell": "gru"}),
    ... )
    >>> distances.at("untrained"), distances.networks
    ([1], ['a', 'a'])
    """

    learnt: tuple[str, ...]
    """Kind of each item: `trained`, `untrained` (its own initial weights), `standard` (weights from
    the standard initialisers), `planted` (a changed copy), or `trained on` another task."""
    fields: tuple[dict[str, Any], ...]
    """Fields of the network of each item (cell, activation, seed, ...)."""

    @classmethod
    def of(
        cls, distances: Distances, learnt: Sequence[str], members: Sequence[Member]
    ) -> "ControlDistances":
        """Return distances with the kind and the network of each item."""
        return cls(
            labels=distances.labels,
            values=distances.values,
            left_out=distances.left_out,
            learnt=tuple(learnt),
            fields=tuple(dict(member.fields) for member in members),
        )

    @property
    def absent(self) -> list[str]:
        """Labels of controls that other networks have and that are no items."""
        names = [self.networks[i] for i in self.at(TRAINED)]
        kinds = [each for each in dict.fromkeys(self.learnt) if each in SAME_NAME]
        labels = (item_label(name, kind) for kind in kinds for name in names)
        return [label for label in labels if label not in self.labels]

    def at(self, learnt: str) -> list[int]:
        """Return the positions of the items of this kind."""
        return [i for i, each in enumerate(self.learnt) if each == learnt]

    @property
    def members(self) -> list[Member]:
        """Each item as a member of a study."""
        return [Member(n, each) for n, each in zip(self.labels, self.fields, strict=True)]

    @property
    def networks(self) -> list[str]:
        """Name of the network of each item; a network and the controls made of it share it."""
        return [
            label.removesuffix(f" {learnt}") if learnt in SAME_NAME else label
            for label, learnt in zip(self.labels, self.learnt, strict=True)
        ]

    def among(self, at: Sequence[int]) -> Array:
        """Return the distances between the items at some positions, [item, item]."""
        return self.values[np.ix_(list(at), list(at))]

    def only(self, at: Sequence[int]) -> Self:
        """Return the record of the items at some positions."""
        return replace(
            self,
            labels=tuple(self.labels[i] for i in at),
            values=self.among(at),
            learnt=tuple(self.learnt[i] for i in at),
            fields=tuple(self.fields[i] for i in at),
        )


class Controls(AllPairs):
    """Distances as in `pairs`, together with networks that were not trained on the task.

    These are the same networks with initial weights, and the networks of the study's other tasks,
    driven by this task's probe. If the number of inputs differs, such a network gets new input
    weights from its seed and keeps its other weights. Imported networks are left out, and items
    whose states are not finite or give the metric no meaning.

    Examples
    --------
    >>> Controls(metric="cka").title
    'cka_controls'
    """

    kind: ClassVar[str] = "controls"
    chapter: ClassVar[str] = "controls"
    yields: ClassVar[type[Record]] = ControlDistances

    weights: tuple[ControlWeights, ...] = (UNTRAINED, STANDARD)
    """Weights of the same networks as controls: `untrained` (their own initial weights), `standard`
    (initial weights from the standard initialisers)."""

    planted: bool = False
    """True: together with copies of the trained networks that have a known difference. Half of the
    variance of their states comes from other trials."""

    @property
    def title(self) -> str:
        return self.name or f"{self.metric_title}_controls"

    @property
    def title_in_words(self) -> str:
        return f"{self.metric.title_in_words} distances to controls"

    def with_controls(self, planted: bool = True) -> "Controls":
        return self.replace(planted=True) if planted and not self.planted else self

    @property
    def has_planted_copies(self) -> bool:
        return self.planted

    def member_inputs(self) -> tuple[MemberAnalysis, ...]:
        controls = (Representations(weights=weights) for weights in self.weights)
        return Representations(), *controls

    def cross_task_input(self, task: Task) -> MemberAnalysis | None:
        return Representations(probe=task)

    def label(self, row: DistanceRow) -> str:
        return item_label(row.member.name, self._learnt(row))

    def annotate(self, values: Distances, rows: Sequence[DistanceRow]) -> ControlDistances:
        return ControlDistances.of(
            values, [self._learnt(row) for row in rows], [row.member for row in rows]
        )

    def _learnt(self, row: DistanceRow) -> str:
        if row.part is None:
            return f"trained on {row.member.fields['task']}"
        return PLANTED if row.planted else (TRAINED, *self.weights)[row.part]

    def cost(self, task: Task, records: int) -> Cost:
        trained = records // (1 + len(self.weights))
        return self._cost_of_items(task, records + self.planted * trained)

    def show(self, section: Section) -> Iterable[Exhibit]:
        return control_map(section, self.title)


def control_labels(analysis: TaskAnalysis) -> dict[str, Any]:
    """Return the fields of an analysis that do not change results, for that with controls."""
    labels = {name: getattr(analysis, name) for name in analysis.labels}
    return {**labels, "name": analysis.name and f"{analysis.name}_controls"}


def control_map(section: Section, title: str) -> Iterable[Exhibit]:
    """Yield the networks and controls of the analysis `title` as points in the plane."""
    distances = section.shared[title]
    if not isinstance(distances, ControlDistances):
        return
    heading = f"Map of networks and controls: {lower_first(section.words(title))}"
    left_out = left_out_sentences(distances)
    if not distances.labels:
        yield Note(title=heading, text=f"No network has distances.{left_out}")
        return
    points = classical_mds(distances)
    kinds = ", ".join(dict.fromkeys(distances.learnt))
    absent = ", ".join(each for each in distances.absent if each not in distances.left_out)
    yield Scatter(
        title=heading,
        caption="Classical multidimensional scaling (stress "
        f"{points.stress:.2f} in 2 dimensions; 0 is exact). Each point is a network on the task "
        f"'{section.task.title}'. Kinds of points: {kinds}."
        + left_out
        + f" Left out, because they have no record: {absent}." * bool(absent),
        points=points.points,
        labels=distances.labels,
        groups={
            "training": list(distances.learnt),
            **{
                name: [str(fields[name]) for fields in distances.fields]
                for name in COLOURED
                if all(name in fields for fields in distances.fields)
            },
        },
        finding=nearness_sentence(distances.values, {"training": distances.learnt}),
        x_label="MDS 1",
        y_label="MDS 2",
    )
