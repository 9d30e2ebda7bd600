"""Networks as points in the plane: multidimensional scaling of their distances."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Member, Section, TaskAnalysis
from rnnstudy.analyses.conditions import as_tuple, meets, same, unknown_field
from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED, Controlled
from rnnstudy.comparison.distances.embedding import Coordinates
from rnnstudy.comparison.distances.out_of_sample import reference_map
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Scatter
from rnnstudy.core.record import Record

FEWEST = 3
"""Networks below which there is nothing to place others on."""


class Embedding(TaskAnalysis):
    """Multidimensional scaling of a `pairs` analysis, classical (Torgerson 1952) or by stress."""

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "embedding"
    yields: ClassVar[type[Record]] = Coordinates
    takes: ClassVar[type[Record]] = Distances

    of: str
    """Name of the analysis whose distances are embedded (a `pairs` is called after its metric)."""

    dimensions: Annotated[int, Field(ge=2, le=10)] = 2
    """Number of coordinates; the first two are drawn."""

    method: Literal["classical", "stress"] = "classical"
    """Classical: principal axes, unchanged by more dimensions. Stress: distances in the plane as
    near to the given ones as they can be (Kruskal 1964)."""

    fit: dict[str, Any] = Field({})
    """What the map is made of: fields and the value, or list of values, that networks should have
    (of `controls` also `learnt`). All others are placed on it by their distances to these (Gower
    1968), so that it stays as it is when networks join; default: all."""

    @property
    def title(self) -> str:
        return self.name or f"embedding_{self.of}" + "_stress" * (self.method == "stress")

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        others = [f"trained on {task}" for task in known.get("task", ())]
        values = {**known, "learnt": [TRAINED, UNTRAINED, *others]}
        if wrong := _unknown(self.fit, values):
            return wrong
        for name, wanted in self.fit.items():
            for value in as_tuple(wanted):
                if not any(same(value, there) for there in values[name]):
                    return f"fit: {name} is {value!r}, which no network has"
        return ""

    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Coordinates:
        found = shared[0]
        if not isinstance(found, Distances):
            raise ValueError(
                f"'{self.of}' yields a {type(found).__name__}, embedding needs distances"
            )
        everybody = np.ones(len(found.labels), bool)
        fitted = self._fitted(_fields(found, members)) if self.fit else everybody
        return reference_map(found, fitted, self.dimensions, by_stress=self.method == "stress")

    def _fitted(self, fields: Sequence[dict[str, Any]]) -> Array:
        """Which items the map is made of: [item]."""
        if fields and (wrong := _unknown(self.fit, fields[0])):
            raise ValueError(wrong)
        found = np.array([meets(each, self.fit) for each in fields], bool)
        if found.sum() < FEWEST:
            raise ValueError(
                f"fit: {found.sum()} of {len(found)} networks have these values; a map is made of "
                f"{FEWEST} or more"
            )
        return found

    def show(self, section: Section) -> Iterable[Exhibit]:
        result, distances = section.shared[self.title], section.shared.get(self.of)
        if not isinstance(result, Coordinates) or not isinstance(distances, Distances):
            return
        yield Scatter(
            title=f"Networks by {self.of} distance",
            caption=f"{self._words(result)} Each point is a network, near points are alike.",
            points=result.points[:, :2],
            labels=result.labels,
            groups=self._groups(result, _fields(distances, section.members)),
            x_label="MDS 1",
            y_label="MDS 2",
        )

    def _groups(
        self, result: Coordinates, fields: Sequence[dict[str, Any]]
    ) -> dict[str, list[str]]:
        """Properties that colours tell: what was placed, what was learnt, cell and activation."""
        found = {}
        if result.out_of_sample.any():
            found["part in the map"] = [
                "placed" if each else "map" for each in result.out_of_sample
            ]
        names = ("learnt", "cell", "activation")
        return found | {
            name: [str(each[name]) for each in fields]
            for name in names
            if fields and name in fields[0]
        }

    def _words(self, result: Coordinates) -> str:
        """What the picture is, and how far it can be trusted."""
        drawn = f"stress {result.stress:.2f} in {self.dimensions} dimensions"
        if count := int(result.out_of_sample.sum()):
            drawn += (
                f", {count} of {len(result.out_of_sample)} networks placed on the map of the others"
            )
        if self.method == "stress":
            return f"Multidimensional scaling by stress ({drawn}; 0 is exact)."
        return (
            f"Classical multidimensional scaling ({drawn}; {result.negative_share:.0%} of the "
            "spectrum is negative, which no points can show)."
        )


def _unknown(fit: Mapping[str, Any], fields: Iterable[str]) -> str:
    wrong = unknown_field(fit, list(fields))
    return f"fit: {wrong}" if wrong else ""


def _fields(found: Distances, members: Sequence[Member]) -> list[dict[str, Any]]:
    """The fields of each item's network, and what it has learnt where that is known."""
    if isinstance(found, Controlled):
        pairs = zip(found.fields, found.learnt, strict=True)
        return [{**fields, "learnt": learnt} for fields, learnt in pairs]
    fields = {member.name: dict(member.fields) for member in members}
    return [fields[label] for label in found.labels]
