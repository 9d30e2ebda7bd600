"""Claim that one kind of distances separates a factor less than another."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from rnnstudy.analyses.base import Inputs
from rnnstudy.analyses.factors.fields import factor_values, strata_of
from rnnstudy.claims.base import Evidence
from rnnstudy.claims.separation import (
    MEASURE_NAMES,
    Separation,
    group_fields,
    members_by_name,
    shortage_evidence,
    smallest_p,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.group_tests import paired_test
from rnnstudy.core.arrays import Array
from rnnstudy.tasks import Task


class DependsLess(Separation):
    """One kind of distances separates a grid factor less than another.

    The statistic is the difference of two separations of the same networks. Two nulls must be
    rejected, and p is the larger of the two. First, both separations are equal (jackknife over
    networks, Student's t, one-sided). Second, both are at chance (permutations of the labels of
    both together).

    References
    ----------
    Maheswaranathan et al. 2019: topology is less sensitive to architecture than geometry.

    Examples
    --------
    >>> DependsLess(of="topology", than="svcca", factor="cell").title
    'topology_depends_less_on_cell_than_svcca'
    """

    kind: ClassVar[str] = "depends_less"

    of: str
    """Name of the analysis whose distances separate the factor less."""

    than: str
    """Name of the analysis whose distances separate the factor more."""

    @property
    def title(self) -> str:
        return self.name or f"{self.of}_depends_less_on_{self.factor}_than_{self.than}"

    @property
    def statistic(self) -> str:
        return f"{MEASURE_NAMES[self.by]}: {self.than} minus {self.of}"

    @property
    def effect(self) -> str:
        return "difference of the separations: 0 if equal, at most 1"

    @property
    def null(self) -> str:
        return f"{self.of} and {self.than} separate {self.factor} equally well, or not at all"

    def statement(self, task: Task) -> str:
        return (
            f"Topology ({self.of}) depends less on the {self.factor} of networks than geometry "
            f"({self.than})."
        )

    def needs(self) -> tuple[str, ...]:
        return (self.of, self.than)

    def run(self, task: Task, inputs: Inputs) -> Evidence:
        less, more = inputs[self.of], inputs[self.than]
        known = set(more.labels)
        names = [name for name in less.labels if name in known]
        members = members_by_name(names, inputs.members)
        labels, strata = factor_values(self.factor, members), strata_of(self.factor, members)
        if shortage := shortage_evidence(labels, self.min_networks):
            return shortage
        first, second = _among(more, names), _among(less, names)
        test = paired_test(
            first, second, labels, self.measure, permutations=self.permutations, strata=strata
        )
        equal = test.p / 2 if test.statistic > 0 else 1 - test.p / 2
        scores = self.measure.scores(first, labels) - self.measure.scores(second, labels)
        return Evidence(
            statistic=test.statistic,
            effect=test.statistic,
            low=max(test.low, -1.0),
            high=min(test.high, 1.0),
            p=max(equal, test.p_chance),
            floor=smallest_p(labels, strata, self.permutations),
            holds=test.statistic >= self.least,
            **group_fields(labels, scores),
        )


def _among(distances: Distances, names: Sequence[str]) -> Array:
    """Return the distances between some of the networks, in the order of their names."""
    position = {label: i for i, label in enumerate(distances.labels)}
    rows = [position[name] for name in names]
    return distances.values[np.ix_(rows, rows)]
