"""Effects of grid factors on the distances between networks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from rnnstudy.analyses.base import Inputs, Member, Section
from rnnstudy.analyses.factors.factor_analysis import FactorAnalysis
from rnnstudy.analyses.factors.factor_exhibits import factor_exhibits
from rnnstudy.analyses.factors.factor_record import FactorTests, Row, collect_tests
from rnnstudy.analyses.factors.fields import factor_values, strata_of, varying_factors
from rnnstudy.analyses.factors.loss_matching import match_by_loss, matching_summary
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.group_tests import agreement_test, separation_test
from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.comparison.statistics.separation_scores import NEAREST_NEIGHBOUR, SILHOUETTE
from rnnstudy.comparison.statistics.variance.permanova import Permanova, permanova
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


class FactorTestAnalysis(FactorAnalysis):
    """Statistics of distances for each factor of the grid, with tests by permutation.

    Four statistics are computed: the agreement of nearest neighbours (leave one out), silhouettes,
    the ratio of distances between and within groups, and shares of squared distances (PERMANOVA).
    Each has its value by chance, an interval and p. Labels are permuted among networks that agree
    in everything else but the seed.

    Examples
    --------
    >>> FactorTestAnalysis(of="svcca", performance="matched").title
    'factor_tests_svcca_matched'
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "factor_tests"
    leads_chapter: ClassVar[bool] = False
    yields: ClassVar[type[Record]] = FactorTests
    takes: ClassVar[type[Record]] = Distances

    performance: Literal["ignored", "matched", "adjusted"] = "ignored"
    """Treatment of the loss. Matched: only networks in sets of one per combination of the factors
    with similar losses. Adjusted: explained shares are after that of the loss."""

    sums: Literal["sequential", "marginal"] = "sequential"
    """Order of the explained shares. Sequential: a factor is after those before it. Marginal: it is
    after all others."""

    def run(self, task: Task, inputs: Inputs) -> FactorTests:
        distances = inputs[self.of]
        position = {label: i for i, label in enumerate(distances.labels)}
        members = [member for member in inputs.members if member.name in position]
        factors, constant = varying_factors(members, self.factors)
        losses = self.losses(members, inputs) if self.member_inputs() else np.zeros(0)
        matching = {}
        if self.performance == "matched":
            sets = match_by_loss(members, losses, factors, self.caliper)
            members, matching = [members[i] for i in sets.items], matching_summary(sets)
        rows = [position[member.name] for member in members]
        left_out = dict.fromkeys(constant, "does not vary")
        among = distances.values[np.ix_(rows, rows)]
        result = self._tests(members, among, losses, factors, left_out)
        return replace(result, matching=matching)

    def _tests(
        self,
        members: Sequence[Member],
        distances: Array,
        losses: Array,
        factors: Sequence[str],
        left_out: dict[str, str],
    ) -> FactorTests:
        rows: list[Row] = []
        for name in factors:
            try:
                rows += self._statistics(name, members, distances)
            except ValueError as error:
                left_out[name] = str(error)
        usable = {name: factor_values(name, members) for name in factors if name not in left_out}
        covariates = {"log loss": np.log(losses)} if self.performance == "adjusted" else {}
        explained, order = self._shares(distances, usable, covariates)
        return collect_tests(
            rows,
            explained,
            order=order,
            labels=tuple(member.name for member in members),
            factors=tuple(usable),
            left_out=left_out,
            adjust=holm,
        )

    def _statistics(self, name: str, members: Sequence[Member], distances: Array) -> list[Row]:
        labels, strata = factor_values(name, members), strata_of(name, members)
        how: dict[str, Any] = {"permutations": self.permutations, "strata": strata}
        neighbours = agreement_test(NEAREST_NEIGHBOUR, distances, labels, **how)
        return [
            Row(name, "nearest neighbour", neighbours),
            Row(name, "silhouette", agreement_test(SILHOUETTE, distances, labels, **how)),
            Row(name, "distance ratio", separation_test(distances, labels, **how)),
        ]

    def _shares(
        self,
        distances: Array,
        factors: Mapping[str, Sequence[str]],
        covariates: Mapping[str, Array],
    ) -> tuple[Permanova | None, int]:
        """Return the analysis of variance and its order: 2 with interactions, 1 without, 0 if none.

        The order is the largest for which there are enough networks.
        """
        for order in (2, 1) if factors else ():
            try:
                explained = permanova(distances, factors, covariates=covariates, order=order,
                                      sums=self.sums, permutations=self.permutations)  # fmt: skip
            except ValueError:
                continue
            return explained, order
        return None, 0

    def show(self, section: Section) -> Iterable[Exhibit]:
        result, distances = section.shared[self.title], section.shared.get(self.of)
        if isinstance(result, FactorTests):
            known = distances if isinstance(distances, Distances) else None
            yield from factor_exhibits(
                self.of, self.performance, self.sums, result, known, section.members
            )
