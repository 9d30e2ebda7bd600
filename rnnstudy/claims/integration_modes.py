"""How many modes of the linearised dynamics a computation takes."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.factors.fields import strata_of
from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.claims.base import Claim, Evidence, grouped, no_evidence, required, too_few
from rnnstudy.claims.separation import smallest_p
from rnnstudy.comparison.statistics.superiority import superiority_test
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.tasks.integration import Integration


class OneModeOrSeveral(Claim):
    """Some cells integrate with one mode of their linearised dynamics, others with several.

    Maheswaranathan et al. 2019 find it of vanilla networks and gated ones. Counted are the slowest
    modes that give a share of the response to a unit pulse, in the mean over contexts; without
    limit if all modes together do not give it.
    """

    kind: ClassVar[str] = "one_mode_or_several"
    takes: ClassVar[type[Record]] = LineAttractor

    of: str = "line_attractor"
    """Name of the analysis that counts the modes."""

    cells: tuple[str, ...] = ("vanilla",)
    """Cells that should take one mode; all others should take several."""

    share: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Share of the response that the modes should give."""

    permutations: Annotated[int, Field(ge=19)] = 4999
    """Number of permutations of the test."""

    @property
    def statistic(self) -> str:
        return "probability that a network of another cell takes more modes, ties halved"

    @property
    def effect(self) -> str:
        return f"{self.statistic}: 1/2 is no difference"

    @property
    def null(self) -> str:
        return (
            f"whether a network is {_listed(self.cells)} means nothing for the number of modes, "
            "among networks that agree in everything else but the seed"
        )

    @property
    def rule(self) -> str:
        return (
            f"in the median {_listed(self.cells)} networks take one mode for {self.share:.0%} of "
            "the response, and those of each other cell at least two"
        )

    def statement(self, task: Task) -> str:
        return (
            f"{_listed(self.cells).capitalize()} networks integrate with one mode of the "
            "linearised dynamics, those of other cells with several."
        )

    def applies(self, task: Task) -> bool:
        return isinstance(task, Integration)

    def misfit(self, fields: Mapping[str, Any]) -> str:
        return "" if "cell" in fields else "is about cells, which these networks do not have"

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def weigh(
        self,
        task: Task,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Evidence:
        modes = np.array([self._modes(record) for record in parts[0]])
        cells = [str(member.fields["cell"]) for member in members]
        groups, sizes, _ = grouped(cells, np.zeros(len(cells)))
        several = [cell not in self.cells for cell in cells]
        if why := self._lacking(groups, sizes):
            return no_evidence(why, groups, sizes)
        strata = strata_of("cell", members)
        found = superiority_test(
            modes, np.array(several), permutations=self.permutations, strata=strata
        )
        medians = np.array([np.median(modes[[c == cell for c in cells]]) for cell in groups])
        one = np.array([cell in self.cells for cell in groups])
        return Evidence(
            statistic=found.statistic,
            effect=found.statistic,
            low=found.low,
            high=found.high,
            p=found.p,
            floor=smallest_p([str(each) for each in several], strata, self.permutations),
            holds=bool((medians[one] <= 1).all() and (medians[~one] >= 2).all()),
            groups=groups,
            networks=sizes,
            values=medians,
        )

    def _lacking(self, groups: Sequence[str], sizes: Array) -> str:
        there = [cell in self.cells for cell in groups]
        if all(there) or not any(there):
            return (
                f"there are no networks of {'other cells' if any(there) else _listed(self.cells)}"
            )
        return too_few(groups, sizes, self.networks)

    def _modes(self, record: Record) -> float:
        """Modes that a network takes, in the mean over contexts."""
        found = required(record, LineAttractor, self)
        counts = np.asarray(found.modes_for(self.share), float)
        return float(np.where(counts > 0, counts, np.inf).mean())


def _listed(words: Sequence[str]) -> str:
    return " or ".join(words)
