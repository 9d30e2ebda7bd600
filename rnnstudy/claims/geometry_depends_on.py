"""Claim that geometry depends on a factor of the grid."""

from collections.abc import Mapping
from typing import ClassVar

from rnnstudy.analyses.distances.controls import TRAINED
from rnnstudy.analyses.factors.fields import factor_values, strata_of
from rnnstudy.claims.evidence.control_runs import Interval, interval_around
from rnnstudy.claims.evidence.measurements import Measurements
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.claims.separation import (
    MEASURE_NAMES,
    Separation,
    group_fields,
    shortage_evidence,
    smallest_p,
)
from rnnstudy.comparison.statistics.group_tests import agreement_test
from rnnstudy.comparison.statistics.permutation import integer_codes
from rnnstudy.tasks import Task


class GeometryDependsOn(Separation):
    """Networks with the same value of a grid factor are near to each other.

    The effect is 0 at the mean over permutations and 1 at the best value of the measure.

    References
    ----------
    Maheswaranathan et al. 2019, for architecture and activation.

    Examples
    --------
    >>> GeometryDependsOn(of="svcca", factor="cell").title
    'svcca_depends_on_cell'
    """

    kind: ClassVar[str] = "geometry_depends_on"

    of: str
    """Name of the analysis of the distances (the default name of a `pairs` is its metric)."""

    @property
    def title(self) -> str:
        return self.name or f"{self.of}_depends_on_{self.factor}"

    @property
    def statistic(self) -> str:
        return MEASURE_NAMES[self.by]

    @property
    def effect(self) -> str:
        return "separation above chance: 0 is chance, 1 perfect"

    @property
    def null(self) -> str:
        return (
            f"{self.factor} has no effect on {self.of} distances between networks that agree in "
            "everything else but the seed"
        )

    def question(self, titles: Mapping[str, str]) -> str:
        return f"Does the geometry of representations depend on the {self.factor}?"

    def statement(self, task: Task) -> str:
        return f"Geometry ({self.of}) depends on the {self.factor} of networks."

    def test(self, measurements: Measurements) -> Evidence:
        trained = measurements.of(TRAINED)
        labels, strata = self._labels(trained)
        if shortage := shortage_evidence(labels, self.min_networks):
            return shortage
        test = agreement_test(
            self.score,
            trained.values,
            labels,
            permutations=self.permutations,
            strata=strata,
        )
        effect, low, high = (
            _above_chance(value, test.expected) for value in (test.statistic, test.low, test.high)
        )
        return Evidence(
            statistic=test.statistic,
            effect=effect,
            low=low,
            high=min(high, 1.0),
            p=test.p,
            floor=smallest_p(labels, strata, self.permutations),
            holds=effect >= self.least,
            **group_fields(labels, self.score.scores(trained.values, labels)),
        )

    def learnt(self, measurements: Measurements) -> Interval:
        twins = measurements.twins()
        states = [measurements.only(at) for at in zip(*twins, strict=True)]
        labels, strata = self._labels(states[0])
        score, effects, without_each = self.score, [], []
        for state in states:
            test = agreement_test(
                score, state.values, labels, permutations=self.permutations, strata=strata
            )
            effects.append(_above_chance(test.statistic, test.expected))
            rest = score.leave_one_out(state.values, integer_codes(labels))
            without_each.append(rest / (1.0 - test.expected) if test.expected < 1.0 else 0 * rest)
        after, before = without_each
        return interval_around(effects[0] - effects[1], after - before, integer_codes(labels))

    def _labels(self, measurements: Measurements) -> tuple[list[str], list[str]]:
        """Return the value of the factor, and the stratum, of each item."""
        members = measurements.members
        return factor_values(self.factor, members), strata_of(self.factor, members)


def _above_chance(value: float, chance: float) -> float:
    """Return a measure on the scale from chance (0) to its best value 1, as kappa (Cohen 1960)."""
    return float((value - chance) / (1.0 - chance)) if chance < 1.0 else 0.0
