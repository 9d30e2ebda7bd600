"""Base of claims on the separation of networks by a factor, with their common functions."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from math import exp, lgamma
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs
from rnnstudy.claims.base import Claim, average_by_group, group_size_error, no_evidence
from rnnstudy.claims.evidence.measurements import Measurements
from rnnstudy.claims.evidence.negative import shuffle_factor
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.separation_scores import (
    CONTRAST,
    NEAREST_NEIGHBOUR,
    SILHOUETTE,
    SeparationScore,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.errors import suggestion
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task

MEASURES: Mapping[str, SeparationScore] = {
    "nearest_neighbour": NEAREST_NEIGHBOUR,
    "silhouette": SILHOUETTE,
    "contrast": CONTRAST,
}

MEASURE_NAMES = {
    "nearest_neighbour": "share of networks whose nearest other network agrees in the factor",
    "silhouette": "mean silhouette width",
    "contrast": "mean contrast of distances to other groups and to one's own",
}


class Separation(Claim):
    """Base of claims that distances between networks separate the values of a grid factor.

    The statistic is a mean over networks: the share whose nearest other network has the same value
    (leave one out), or another measure of separation. Values are permuted among networks that agree
    in everything else but the seed.

    Examples
    --------
    >>> from rnnstudy.claims import CLAIMS
    >>> CLAIMS["geometry_depends_on"](of="cka", factor="cell", least=0.2).rule
    'an effect of at least 0.2'
    """

    takes: ClassVar[type[Record]] = Distances

    factor: str
    """Field of the grid: cell, activation, units, ..."""

    by: Literal["nearest_neighbour", "silhouette", "contrast"] = "nearest_neighbour"
    """Score of separation."""

    least: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Smallest effect of a supported claim."""

    min_networks: Annotated[int, Field(ge=2)] = 3
    """Smallest number of networks per value of the factor; below it there is no verdict."""

    permutations: Annotated[int, Field(ge=19)] = 4999
    """Number of permutations of the test."""

    @property
    def rule(self) -> str:
        return f"an effect of at least {self.least:g}"

    @property
    def score(self) -> SeparationScore:
        """Score of separation."""
        return MEASURES[self.by]

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return factor_misfit(self.factor, known)

    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        return self.distances(inputs, self.needs()[0])

    @property
    def exchange(self) -> str:
        return f"values of {self.factor} are exchanged"

    def shuffle(self, measurements: Measurements, generator: np.random.Generator) -> Measurements:
        return shuffle_factor(measurements, self.factor, generator)


def factor_misfit(factor: str, fields: Iterable[str]) -> str:
    """Return the error of a factor that is no field of the grid; empty if it is one."""
    known = [name for name in fields if name not in ("task", "seed")]
    if factor in known:
        return ""
    return (
        f"is about {factor!r}; fields of this grid: {', '.join(known)}{suggestion(factor, known)}"
    )


def smallest_p(labels: Sequence[str], strata: Sequence[Hashable], permutations: int) -> float:
    """Return the smallest p of permutations of labels within strata.

    It follows from the number of different labellings. Where all labels are equally frequent in
    each stratum, labellings that only exchange the names of the labels count once.

    Examples
    --------
    >>> round(smallest_p(["a", "b", "a", "b"], [0, 0, 0, 0], 10**6), 4)
    0.3333
    """
    tables = [
        Counter(label for label, s in zip(labels, strata, strict=True) if s == stratum)
        for stratum in dict.fromkeys(strata)
    ]
    log_labellings = sum(
        lgamma(sum(table.values()) + 1) - sum(lgamma(n + 1) for n in table.values())
        for table in tables
    )
    kinds = len(set(labels))
    even = all(len(table) == kinds and len(set(table.values())) == 1 for table in tables)
    log_equivalent = lgamma(kinds + 1) if even else 0.0
    return max(1.0 / (permutations + 1), exp(min(0.0, log_equivalent - log_labellings)))


def shortage_evidence(labels: Sequence[str], needed: int) -> Evidence | None:
    """Return the evidence of too few networks per label; None if there are enough."""
    groups, sizes, _ = average_by_group(labels, [0.0] * len(labels))
    shortage = group_size_error(groups, sizes, needed, least=2)
    return no_evidence(shortage, groups, sizes) if shortage else None


def group_fields(labels: Sequence[str], scores: Array) -> dict[str, Any]:
    """Return the fields of evidence on groups: names, numbers of networks, mean scores."""
    groups, sizes, means = average_by_group(labels, scores)
    return {"groups": groups, "networks": sizes, "values": means}
