"""Networks as points in the plane, by multidimensional scaling of their distances."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs, Member, Section, TaskAnalysis
from rnnstudy.analyses.conditions import as_tuple, equal_values, has_values, unknown_field_error
from rnnstudy.analyses.distances.all_pairs import (
    COLOURED,
    left_out_sentences,
    nearness_sentence,
)
from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED, ControlDistances
from rnnstudy.comparison.distances.embedding import Coordinates
from rnnstudy.comparison.distances.out_of_sample import reference_map
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.component import lower_first
from rnnstudy.core.exhibit import Exhibit, Note, Scatter
from rnnstudy.core.record import Record
from rnnstudy.recordings.distances import RECORDING, RecordingDistances
from rnnstudy.tasks import Task

MIN_FITTED = 3
"""Smallest number of networks of a map."""


class Embedding(TaskAnalysis):
    """Multidimensional scaling of distances, classical or by stress.

    References
    ----------
    Torgerson 1952 (classical scaling); Kruskal 1964 (stress); Gower 1968 (added points).

    Examples
    --------
    >>> Embedding(of="svcca", method="stress").title
    'embedding_svcca_stress'
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "embedding"
    yields: ClassVar[type[Record]] = Coordinates
    takes: ClassVar[type[Record]] = Distances

    of: str
    """Name of the analysis of the distances (the default name of a `pairs` is its metric)."""

    dimensions: Annotated[int, Field(ge=2, le=10)] = 2
    """Number of coordinates; the first two are drawn."""

    method: Literal["classical", "stress"] = "classical"
    """Classical: principal axes, unchanged by more dimensions. Stress: distances in the plane as
    near as possible to those given (Kruskal 1964)."""

    fit: dict[str, Any] = Field({})
    """Networks of the map: fields and the value, or list of values, that they must have (for
    `controls` also `learnt`). All others are placed on the map by their distances to these (Gower
    1968), so that it does not change when networks join; default: all."""

    @property
    def title(self) -> str:
        return self.name or f"embedding_{self.of}" + "_stress" * (self.method == "stress")

    @property
    def title_in_words(self) -> str:
        return "Map of networks"

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        others = [f"trained on {task}" for task in known.get("task", ())]
        values = {**known, "learnt": [TRAINED, UNTRAINED, *others]}
        if error := self._field_error(values):
            return error
        for name, wanted in self.fit.items():
            for value in as_tuple(wanted):
                if not any(equal_values(value, each) for each in values[name]):
                    return f"fit: {name} is {value!r}, which no network has"
        return ""

    def run(self, task: Task, inputs: Inputs) -> Coordinates:
        distances = inputs[self.of]
        is_fitted = np.ones(len(distances.labels), bool)
        if self.fit:
            is_fitted = self._fit_mask(_fields(distances, inputs.members))
        if distances.left_out and is_fitted.sum() < (MIN_FITTED if self.fit else 1):
            return self._no_map()
        if self.fit:
            self._check_fit(is_fitted)
        by_stress = self.method == "stress"
        return reference_map(distances, is_fitted, self.dimensions, by_stress=by_stress)

    def _fit_mask(self, fields: Sequence[dict[str, Any]]) -> Array:
        """Return the mask of the items of the map, [item]."""
        if fields and (error := self._field_error(fields[0])):
            raise ValueError(error)
        return np.array([has_values(each, self.fit) for each in fields], bool)

    def _check_fit(self, mask: Array) -> None:
        if mask.sum() < MIN_FITTED:
            raise ValueError(
                f"fit: a map must have at least {MIN_FITTED} networks, got {mask.sum()} of "
                f"{len(mask)} with these values. Widen fit."
            )

    def _no_map(self) -> Coordinates:
        """Return the map of no network, because too few have distances."""
        return Coordinates(
            labels=(),
            negative_share=np.nan,
            stress=np.nan,
            points=np.zeros((0, self.dimensions)),
            out_of_sample=np.zeros(0, bool),
            eigenvalues=np.zeros(0),
        )

    def _field_error(self, fields: Iterable[str]) -> str:
        error = unknown_field_error(self.fit, list(fields))
        return f"fit: {error}" if error else ""

    def show(self, section: Section) -> Iterable[Exhibit]:
        result, distances = section.shared[self.title], section.shared.get(self.of)
        if not isinstance(result, Coordinates) or not isinstance(distances, Distances):
            return
        words = lower_first(section.words(self.of))
        title, left_out = f"Map of networks: {words}", left_out_sentences(distances)
        if not result.labels:
            yield Note(title=title, text=f"Too few networks have distances for a map.{left_out}")
            return
        groups = self._groups(result, _fields(distances, section.members))
        yield Scatter(
            title=title,
            caption=f"{self._describe(result)} Each point is a network, near points are alike."
            + _star_sentence(distances)
            + left_out,
            points=result.points[:, :2],
            labels=result.labels,
            groups=groups,
            finding=nearness_sentence(distances.values, groups),
            x_label="MDS 1",
            y_label="MDS 2",
        )

    def _groups(
        self, result: Coordinates, fields: Sequence[dict[str, Any]]
    ) -> dict[str, list[str]]:
        """Return the groupings for colours: part in the map, training, cell, ..."""
        groups = {}
        if result.out_of_sample.any():
            groups["part in the map"] = [
                "placed" if each else "map" for each in result.out_of_sample
            ]
        names = ("learnt", *COLOURED)
        return groups | {
            name: [str(each[name]) for each in fields]
            for name in names
            if fields and name in fields[0]
        }

    def _describe(self, result: Coordinates) -> str:
        """Return the method and the quality of the map."""
        quality = f"stress {result.stress:.2f} in {self.dimensions} dimensions"
        if count := int(result.out_of_sample.sum()):
            quality += (
                f", {count} of {len(result.out_of_sample)} networks placed on the map of the others"
            )
        if self.method == "stress":
            return f"Multidimensional scaling by stress ({quality}; 0 is exact)."
        return (
            f"Classical multidimensional scaling ({quality}; {result.negative_share:.0%} of the "
            "spectrum is negative, which no points can show)."
        )


def _star_sentence(distances: Distances) -> str:
    """Return a sentence on the mark of a recording, after a space; empty without one."""
    if not isinstance(distances, RecordingDistances):
        return ""
    return f" The star is the recording {distances.recording}, which is no network."


def _fields(distances: Distances, members: Sequence[Member]) -> list[dict[str, Any]]:
    """Return the fields of each item's network, with its training for controls."""
    if isinstance(distances, ControlDistances):
        pairs = zip(distances.fields, distances.learnt, strict=True)
        return [{**fields, "learnt": learnt} for fields, learnt in pairs]
    fields = {member.name: dict(member.fields) for member in members}
    if isinstance(distances, RecordingDistances):
        names = next(iter(fields.values()), {})
        fields[distances.recording] = dict.fromkeys(names, RECORDING)
    return [fields[label] for label in distances.labels]
