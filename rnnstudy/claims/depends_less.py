"""One kind of distances says less of what networks are made of than another."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

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
from rnnstudy.comparison.statistics.group_tests import paired_test
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


class DependsLess(Separation):
    """One kind of distances says less of a factor of the grid than another does.

    So topology is less sensitive to architecture than geometry (Maheswaranathan et al. 2019). The
    statistic is the difference of two separations of the same networks. Two nulls must be refuted:
    that both are equal (jackknife over networks, Student's t, one-sided), and that neither says
    anything (permutations of the labels of both together); p is the larger of the two.
    """

    kind: ClassVar[str] = "depends_less"

    of: str
    """Name of the analysis whose distances should say less of the factor ..."""

    than: str
    """... than those of this analysis."""

    @property
    def title(self) -> str:
        return self.name or f"{self.of}_depends_less_on_{self.factor}_than_{self.than}"

    @property
    def statistic(self) -> str:
        return f"{WORDS[self.by]}: {self.than} minus {self.of}"

    @property
    def effect(self) -> str:
        return "difference of the separations: 0 if equal, at most 1"

    @property
    def null(self) -> str:
        return f"{self.of} and {self.than} tell {self.factor} equally well, or not at all"

    def statement(self, task: Task) -> str:
        return (
            f"Topology ({self.of}) depends less on the {self.factor} of networks than geometry "
            f"({self.than})."
        )

    def needs(self) -> tuple[str, ...]:
        return (self.of, self.than)

    def weigh(
        self,
        task: Task,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Evidence:
        less, more = (required(record, Distances, self) for record in shared)
        known = set(more.labels)
        names = [name for name in less.labels if name in known]
        who = named(names, members)
        labels, strata = values_of(self.factor, who), strata_of(self.factor, who)
        if none := lacking(labels, self.networks):
            return none
        first, second = _among(more, names), _among(less, names)
        found = paired_test(
            first, second, labels, self.measure, permutations=self.permutations, strata=strata
        )
        equal = found.p / 2 if found.statistic > 0 else 1 - found.p / 2
        scores = self.measure.scores(first, labels) - self.measure.scores(second, labels)
        return Evidence(
            statistic=found.statistic,
            effect=found.statistic,
            low=max(found.low, -1.0),
            high=min(found.high, 1.0),
            p=max(equal, found.p_chance),
            floor=smallest_p(labels, strata, self.permutations),
            holds=found.statistic >= self.least,
            **by_value(labels, scores),
        )


def _among(distances: Distances, names: Sequence[str]) -> Array:
    """The distances between some of the networks, in the order of their names."""
    place = {label: i for i, label in enumerate(distances.labels)}
    at = [place[name] for name in names]
    return distances.values[np.ix_(at, at)]
