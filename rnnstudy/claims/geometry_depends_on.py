"""Geometry depends on what networks are made of."""

from collections.abc import Sequence
from typing import ClassVar

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.factors.fields import strata_of, values_of
from rnnstudy.claims.base import Evidence, required
from rnnstudy.claims.separation import (
    WORDS,
    Separation,
    by_value,
    lacking,
    named,
    smallest_p,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.group_tests import agreement_test
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


class GeometryDependsOn(Separation):
    """Networks that agree in a factor of the grid lie together.

    So geometry depends on architecture and activation (Maheswaranathan et al. 2019). The effect is
    0 at what permutations give, and 1 at the best value of the measure.
    """

    kind: ClassVar[str] = "geometry_depends_on"

    of: str
    """Name of the analysis that yields the distances (a `pairs` is called after its metric)."""

    @property
    def title(self) -> str:
        return self.name or f"{self.of}_depends_on_{self.factor}"

    @property
    def statistic(self) -> str:
        return WORDS[self.by]

    @property
    def effect(self) -> str:
        return "separation above chance: 0 is chance, 1 perfect"

    @property
    def null(self) -> str:
        return (
            f"{self.factor} means nothing for {self.of} distances between networks that agree in "
            "everything else but the seed"
        )

    def statement(self, task: Task) -> str:
        return f"Geometry ({self.of}) depends on the {self.factor} of networks."

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def weigh(
        self,
        task: Task,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Evidence:
        distances = required(shared[0], Distances, self)
        who = named(distances.labels, members)
        labels, strata = values_of(self.factor, who), strata_of(self.factor, who)
        if none := lacking(labels, self.networks):
            return none
        found = agreement_test(
            self.measure, distances.values, labels, permutations=self.permutations, strata=strata
        )
        effect, low, high = (
            _above(value, found.expected) for value in (found.statistic, found.low, found.high)
        )
        return Evidence(
            statistic=found.statistic,
            effect=effect,
            low=low,
            high=min(high, 1.0),
            p=found.p,
            floor=smallest_p(labels, strata, self.permutations),
            holds=effect >= self.least,
            **by_value(labels, self.measure.scores(distances.values, labels)),
        )


def _above(value: float, chance: float) -> float:
    """A measure whose best value is 1, as a share of what lies above chance (as kappa does, Cohen
    1960)."""
    return float((value - chance) / (1.0 - chance)) if chance < 1.0 else 0.0
