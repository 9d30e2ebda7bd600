"""Claims that networks of every kind have a property: how many of them do."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from rnnstudy.analyses.base import Member
from rnnstudy.claims.base import Claim, Evidence, grouped, too_few
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


class Prevalent(Claim):
    """Networks of every cell and activation have a property, one by one.

    The share of all networks is tested (binomial, one-sided); that of each combination enters the
    rule.
    """

    least: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of networks that should have the property: in all, significantly more than this, and in
    every combination of cell and activation at least this."""

    @property
    @abstractmethod
    def what(self) -> str:
        """The property, as a clause: `exactly one fixed point`."""

    @property
    def statistic(self) -> str:
        return f"share of networks that have {self.what}"

    @property
    def null(self) -> str:
        return f"at most {self.least:.0%} of the networks have {self.what}"

    @property
    def rule(self) -> str:
        return f"at least {self.least:.0%} of the networks of every combination have {self.what}"

    @abstractmethod
    def has(self, record: Record, task: Task) -> bool:
        """Whether the network that a record is about has the property."""

    def weigh(
        self,
        task: Task,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Evidence:
        flags = [self.has(record, task) for record in parts[0]]
        return prevalence(flags, [m.combination for m in members], self.least, self.networks)


def prevalence(
    flags: Sequence[bool], combinations: Sequence[str], least: float, needed: int
) -> Evidence:
    """How many networks have a property (Clopper & Pearson 1934), by combination.

    flags, combinations: one per network; needed: networks per combination.
    """
    from scipy.stats import binomtest

    if not len(flags):
        raise ValueError("there is no network to judge")
    groups, sizes, shares = grouped(combinations, [float(flag) for flag in flags])
    count, total = sum(flags), len(flags)
    around = binomtest(count, total).proportion_ci(0.95, method="exact")
    return Evidence(
        statistic=count / total,
        effect=count / total,
        low=float(around.low),
        high=float(around.high),
        p=float(binomtest(count, total, least, alternative="greater").pvalue),
        floor=least**total,
        holds=bool((shares >= least).all()),
        lacking=too_few(groups, sizes, needed),
        groups=groups,
        networks=sizes,
        values=shares,
    )
