"""How far apart networks are, beside what has not learnt their task."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from rnnstudy.analyses.base import Member, MemberAnalysis, Section
from rnnstudy.analyses.distances.pairs import AllPairs, Item
from rnnstudy.analyses.distances.representations import Representations
from rnnstudy.comparison.distances.embedding import classical_mds
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Scatter
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task

TRAINED, UNTRAINED = "trained", "untrained"
TWIN = f" {UNTRAINED}"
"""Added to a network's name for the network as it was before training."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Controlled(Distances):
    """Distances between networks that have learnt a task, the same before training, and networks
    that have learnt other tasks, all driven by the trials of the one."""

    learnt: tuple[str, ...]
    """Of each item: `trained`, `untrained`, or `trained on` another task."""
    fields: tuple[dict[str, Any], ...]
    """Of each item: the fields of its network (cell, activation, seed, ...)."""

    def at(self, learnt: str) -> list[int]:
        """Positions of the items that have learnt this."""
        return [i for i, each in enumerate(self.learnt) if each == learnt]

    @property
    def members(self) -> list[Member]:
        """Each item as a member of a study."""
        return [Member(n, each) for n, each in zip(self.labels, self.fields, strict=True)]

    @property
    def networks(self) -> list[str]:
        """Name of the network behind each item: a network and its twin are one."""
        return [
            label.removesuffix(TWIN) if learnt == UNTRAINED else label
            for label, learnt in zip(self.labels, self.learnt, strict=True)
        ]

    def among(self, at: Sequence[int]) -> Array:
        """The distances between some of the items."""
        return self.values[np.ix_(list(at), list(at))]

    def only(self, at: Sequence[int]) -> Self:
        """Some of the items, as if there were no others."""
        return replace(
            self,
            labels=tuple(self.labels[i] for i in at),
            values=self.among(at),
            learnt=tuple(self.learnt[i] for i in at),
            fields=tuple(self.fields[i] for i in at),
        )


class Controls(AllPairs):
    """Distances as of `pairs`, together with what has not learnt the task.

    Among them are the same networks before training, and those of the study's other tasks, driven
    by this task's probe. Where such a network takes another number of inputs, its input weights are
    drawn anew from its seed: the rest is as its own task has made it. Networks that were trained
    elsewhere are left out.
    """

    kind: ClassVar[str] = "controls"
    yields: ClassVar[type[Record]] = Controlled

    @property
    def title(self) -> str:
        return self.name or f"{self.metric_title}_controls"

    def parts(self) -> tuple[MemberAnalysis, ...]:
        return Representations(), Representations(networks="untrained")

    def visit(self, task: Task) -> MemberAnalysis | None:
        return Representations(probe=task)

    def label(self, item: Item) -> str:
        return item.member.name + TWIN * (item.part == 1)

    def told(self, found: Distances, items: Sequence[Item]) -> Controlled:
        return Controlled(
            labels=found.labels,
            values=found.values,
            learnt=tuple(map(_learnt, items)),
            fields=tuple(dict(item.member.fields) for item in items),
        )

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if not isinstance(result, Controlled):
            return
        points = classical_mds(result)
        yield Scatter(
            title=f"Networks and controls by {self.metric_title} distance",
            caption="Classical multidimensional scaling (stress "
            f"{points.stress:.2f} in 2 dimensions; 0 is exact). Each point is a network on the "
            f"probe of {section.task.title}, as training has left it, before training, or trained "
            "on another task.",
            points=points.points,
            labels=result.labels,
            groups={
                "training": list(result.learnt),
                "cell": [str(fields["cell"]) for fields in result.fields],
                "activation": [str(fields["activation"]) for fields in result.fields],
            },
            x_label="MDS 1",
            y_label="MDS 2",
        )


def _learnt(item: Item) -> str:
    if item.part is None:
        return f"trained on {item.member.fields['task']}"
    return UNTRAINED if item.part else TRAINED
