"""Do networks of one kind lie together, and what share of their distances do factors explain?"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Member, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.analyses.factors.evaluation import Evaluated, Evaluation
from rnnstudy.analyses.factors.factor_exhibits import shown
from rnnstudy.analyses.factors.factor_record import Grouping, Row, rows_of
from rnnstudy.analyses.factors.fields import strata_of, unknown, values_of, varying
from rnnstudy.analyses.factors.loss_matching import Caliper, by_loss, summary
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.group_tests import agreement_test, separation_test
from rnnstudy.comparison.statistics.matching import CALIPER
from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.comparison.statistics.permanova import Permanova, permanova
from rnnstudy.comparison.statistics.separation_scores import NEAREST_NEIGHBOUR, SILHOUETTE
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record


class Groups(TaskAnalysis):
    """Statistics of the distances of a `pairs` for each factor of the grid, by permutation.

    Leave-one-out nearest neighbours, silhouettes, the ratio of distances between and within groups,
    and shares of all distances explained (PERMANOVA), each with chance, interval and p. To test a
    factor its labels are permuted among networks that agree in all else but the seed.
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "groups"
    yields: ClassVar[type[Record]] = Grouping
    takes: ClassVar[type[Record]] = Distances

    of: str
    """Name of the analysis whose distances are looked at (a `pairs` is called after its metric)."""

    factors: tuple[str, ...] | None = None
    """Fields of the grid: cell, activation, units, l2, ...; default: all that vary."""

    permutations: Annotated[int, Field(ge=19)] = 999
    """Number of permutations of each test."""

    sums: Literal["sequential", "marginal"] = "sequential"
    """What a factor's explained share is after: the factors before it, or all the others."""

    performance: Literal["ignored", "matched", "adjusted"] = "ignored"
    """How to treat that some networks do their task better. Matched: only networks in sets of one
    per combination of the factors that have come to like losses; adjusted: explained shares are
    after the loss."""

    caliper: Caliper = CALIPER
    """Logarithms of matched losses differ by at most so many standard deviations (within
    combinations; Austin 2011)."""

    @property
    def title(self) -> str:
        suffix = "" if self.performance == "ignored" else f"_{self.performance}"
        return self.name or f"groups_{self.of}{suffix}"

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return unknown(self.factors, known)

    def parts(self) -> tuple[MemberAnalysis, ...]:
        return () if self.performance == "ignored" else (Evaluation(),)

    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Grouping:
        found = shared[0]
        if not isinstance(found, Distances):
            raise ValueError(f"'{self.of}' yields a {type(found).__name__}, groups needs distances")
        at = {label: i for i, label in enumerate(found.labels)}
        placed = [i for i, member in enumerate(members) if member.name in at]
        who = [members[i] for i in placed]
        factors, constant = varying(who, self.factors)
        losses = self._losses([parts[0][i] for i in placed] if parts else [])
        matching = {}
        if self.performance == "matched":
            sets = by_loss(who, losses, factors, self.caliper)
            matching, who, losses = summary(sets), [who[i] for i in sets.items], losses[sets.items]
        here = [at[member.name] for member in who]
        left_out = dict.fromkeys(constant, "does not vary")
        result = self._grouping(who, found.values[np.ix_(here, here)], losses, factors, left_out)
        return replace(result, matching=matching)

    def _losses(self, parts: Sequence[Record]) -> Array:
        return np.array([float(part.loss) for part in parts if isinstance(part, Evaluated)])

    def _grouping(
        self,
        who: Sequence[Member],
        distances: Array,
        losses: Array,
        factors: Sequence[str],
        left_out: dict[str, str],
    ) -> Grouping:
        rows: list[Row] = []
        for name in factors:
            try:
                rows += self._statistics(name, who, distances)
            except ValueError as error:
                left_out[name] = str(error)
        usable = {name: values_of(name, who) for name in factors if name not in left_out}
        covariates = {"log loss": np.log(losses)} if self.performance == "adjusted" else {}
        explained, order = self._shares(distances, usable, covariates)
        return rows_of(
            rows,
            explained,
            order=order,
            labels=tuple(member.name for member in who),
            factors=tuple(usable),
            left_out=left_out,
            adjust=holm,
        )

    def _statistics(self, name: str, who: Sequence[Member], distances: Array) -> list[Row]:
        labels, strata = values_of(name, who), strata_of(name, who)
        how: dict[str, Any] = {"permutations": self.permutations, "strata": strata}
        return [
            Row(
                name,
                "nearest neighbour",
                agreement_test(NEAREST_NEIGHBOUR, distances, labels, **how),
            ),
            Row(name, "silhouette", agreement_test(SILHOUETTE, distances, labels, **how)),
            Row(name, "distance ratio", separation_test(distances, labels, **how)),
        ]

    def _shares(
        self,
        distances: Array,
        factors: Mapping[str, Sequence[str]],
        covariates: Mapping[str, Array],
    ) -> tuple[Permanova | None, int]:
        """The analysis of variance with interactions of two, or without where networks are too few
        for that; None where they are too few for that, too."""
        for order in (2, 1) if factors else ():
            try:
                found = permanova(distances, factors, covariates=covariates, order=order,
                                  sums=self.sums, permutations=self.permutations)  # fmt: skip
            except ValueError:
                continue
            return found, order
        return None, 0

    def show(self, section: Section) -> Iterable[Exhibit]:
        result, distances = section.shared[self.title], section.shared.get(self.of)
        if isinstance(result, Grouping):
            known = distances if isinstance(distances, Distances) else None
            yield from shown(self.of, self.performance, self.sums, result, known, section.members)
