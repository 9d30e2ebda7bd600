"""Base of analyses that test the effect of grid factors on distances."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs, Member, MemberAnalysis, TaskAnalysis
from rnnstudy.analyses.factors.evaluation import Evaluation
from rnnstudy.analyses.factors.fields import unknown_factor_error
from rnnstudy.analyses.factors.loss_matching import Caliper
from rnnstudy.comparison.statistics.matching import CALIPER
from rnnstudy.core.arrays import Array


class FactorAnalysis(TaskAnalysis):
    """Base of analyses that test the effect of grid factors on distances by permutation.

    A subclass declares the field `performance` with its choices.

    Examples
    --------
    >>> from rnnstudy.analyses import ANALYSES
    >>> ANALYSES["factor_tests"](of="cka", performance="matched").title
    'factor_tests_cka_matched'
    """

    of: str
    """Name of the analysis of the distances (the default name of a `pairs` is its metric)."""

    factors: tuple[str, ...] | None = None
    """Fields of the grid: cell, activation, units, l2, ...; default: all that vary."""

    permutations: Annotated[int, Field(ge=19)] = 999
    """Number of permutations of each test."""

    performance: str = "ignored"
    """Treatment of the loss; each subclass has its choices."""

    caliper: Caliper = CALIPER
    """Largest difference between the logarithms of matched losses, in standard deviations within
    combinations (Austin 2011)."""

    @property
    def title(self) -> str:
        suffix = "" if self.performance == "ignored" else f"_{self.performance}"
        return self.name or f"{super().title}_{self.of}{suffix}"

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return unknown_factor_error(self.factors, known)

    def member_inputs(self) -> tuple[MemberAnalysis, ...]:
        return () if self.performance == "ignored" else (Evaluation(),)

    def losses(self, members: Sequence[Member], inputs: Inputs) -> Array:
        """Return the loss of each member, [member]; NaN if it was not evaluated."""
        (evaluation,) = self.member_inputs()
        records = {member.name: record for member, record in inputs[evaluation.title].items()}
        names = [member.name for member in members]
        return np.array([float(records[n].loss) if n in records else np.nan for n in names])
