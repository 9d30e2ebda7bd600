"""Claims about where networks lie among each other, and what of them decides it."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from math import exp, lgamma
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from rnnstudy.analyses.base import Member
from rnnstudy.claims.base import Claim, Evidence, grouped, no_evidence, too_few
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

MEASURES: Mapping[str, SeparationScore] = {
    "nearest_neighbour": NEAREST_NEIGHBOUR,
    "silhouette": SILHOUETTE,
    "contrast": CONTRAST,
}

WORDS = {
    "nearest_neighbour": "share of networks whose nearest other network agrees in the factor",
    "silhouette": "mean silhouette width",
    "contrast": "mean contrast of distances to other groups and to one's own",
}


class Separation(Claim):
    """Distances between networks do, or do not, tell the values of a factor of the grid apart.

    The statistic is a mean over networks: the share whose nearest other network has the same value
    (leave one out), or another measure of separation. Values are permuted among networks that agree
    in everything else but the seed.
    """

    takes: ClassVar[type[Record]] = Distances

    factor: str
    """Field of the grid: cell, activation, units, ..."""

    by: Literal["nearest_neighbour", "silhouette", "contrast"] = "nearest_neighbour"
    """Measure of separation."""

    least: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Effect that it takes at least."""

    networks: Annotated[int, Field(ge=2)] = 3
    """Number of networks that each value of the factor needs before the claim is judged at all."""

    permutations: Annotated[int, Field(ge=19)] = 4999
    """Number of permutations of the test."""

    @property
    def rule(self) -> str:
        return f"an effect of at least {self.least:g}"

    @property
    def measure(self) -> SeparationScore:
        """The measure of separation."""
        return MEASURES[self.by]

    def misfit(self, fields: Mapping[str, Any]) -> str:
        return unknown_factor(self.factor, fields)


def unknown_factor(factor: str, fields: Mapping[str, Any]) -> str:
    """What a claim says of itself whose factor is no field of the grid; empty if it is one."""
    known = [name for name in fields if name not in ("task", "seed")]
    if factor in known:
        return ""
    return (
        f"is about {factor!r}; fields of this grid: {', '.join(known)}{suggestion(factor, known)}"
    )


def named(names: Sequence[str], members: Sequence[Member]) -> list[Member]:
    """The members of these names; ValueError if one is not among them."""
    there = {member.name: member for member in members}
    lost = [name for name in names if name not in there]
    if lost:
        raise ValueError(f"there are distances of '{lost[0]}', which is no network of this study")
    return [there[name] for name in names]


def smallest_p(labels: Sequence[str], strata: Sequence[Hashable], permutations: int) -> float:
    """The least p that permutations of labels within strata can give.

    There are only so many ways to deal out the labels. Where all labels are equally frequent in
    each stratum, their names may be exchanged without any effect.
    """
    tables = [
        Counter(label for label, s in zip(labels, strata, strict=True) if s == stratum)
        for stratum in dict.fromkeys(strata)
    ]
    ways = sum(
        lgamma(sum(table.values()) + 1) - sum(lgamma(n + 1) for n in table.values())
        for table in tables
    )
    kinds = len(set(labels))
    even = all(len(table) == kinds and len(set(table.values())) == 1 for table in tables)
    alike = lgamma(kinds + 1) if even else 0.0
    return max(1.0 / (permutations + 1), exp(min(0.0, alike - ways)))


def lacking(labels: Sequence[str], needed: int) -> Evidence | None:
    """What there is to say if there are too few networks; None if there are enough."""
    groups, sizes, _ = grouped(labels, [0.0] * len(labels))
    why = too_few(groups, sizes, needed, least=2)
    return no_evidence(why, groups, sizes) if why else None


def by_value(labels: Sequence[str], scores: Array) -> dict[str, Any]:
    """Groups of the evidence: the values of a factor, how many networks, and their mean score."""
    groups, sizes, means = grouped(labels, scores)
    return {"groups": groups, "networks": sizes, "values": means}
