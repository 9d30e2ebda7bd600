"""Untrained networks of one's own kind are nearer than trained ones of another."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED, Controlled
from rnnstudy.analyses.factors.fields import values_of
from rnnstudy.analyses.factors.reference_groups import nearer_to
from rnnstudy.claims.base import Claim, Evidence, no_evidence, required
from rnnstudy.claims.separation import by_value, lacking, unknown_factor
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


class NearerUntrained(Claim):
    """Trained and untrained networks of one kind are more alike than trained ones of two.

    The caution of Maheswaranathan et al. 2019: a metric by which networks of one activation are
    alike, trained or not, says little of what they have learnt. Each trained network is compared
    with the untrained twins of others that agree with it in all but the seed, and with trained
    networks that differ from it in one factor and the seed.
    """

    kind: ClassVar[str] = "nearer_untrained"
    takes: ClassVar[type[Record]] = Controlled

    of: str
    """Name of the `controls` whose distances are looked at."""

    factor: str = "activation"
    """Field of the grid: activation, cell, ..."""

    least: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Effect that it takes at least, beside most networks."""

    networks: Annotated[int, Field(ge=2)] = 3
    """Number of networks that each value of the factor needs before the claim is judged at all."""

    @property
    def title(self) -> str:
        return self.name or f"{self.of}_nearer_untrained_than_another_{self.factor}"

    @property
    def statistic(self) -> str:
        return (
            "share of networks that are nearer to untrained ones of their kind than to trained "
            f"ones of another {self.factor}"
        )

    @property
    def effect(self) -> str:
        return (
            "mean of (b - a) / (b + a), with the distances a to untrained networks and b to those "
            f"of another {self.factor}: above 0 where the untrained are nearer"
        )

    @property
    def null(self) -> str:
        return (
            f"untrained networks of one's own kind and trained ones of another {self.factor} are "
            "equally near"
        )

    @property
    def rule(self) -> str:
        return f"an effect above {self.least:g}, and most networks nearer to untrained ones"

    def statement(self, task: Task) -> str:
        return (
            f"Trained and untrained networks of one {self.factor} are more alike ({self.of}) than "
            f"trained networks of different {self.factor}s."
        )

    def misfit(self, fields: Mapping[str, Any]) -> str:
        return unknown_factor(self.factor, fields)

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def weigh(
        self,
        task: Task,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Evidence:
        found = required(shared[0], Controlled, self)
        values = values_of(self.factor, found.members)
        if none := lacking([values[i] for i in found.at(TRAINED)], self.networks):
            return none
        try:
            near, used = nearer_to(found, UNTRAINED, self.factor)
        except ValueError as error:
            return no_evidence(str(error))
        one_sided = near.p / 2 if near.statistic > 0 else 1 - near.p / 2
        nearer = (near.first < near.second).astype(float)
        return Evidence(
            statistic=near.share,
            effect=near.statistic,
            low=max(near.low, -1.0),
            high=min(near.high, 1.0),
            p=one_sided,
            floor=0.0,
            holds=bool(near.statistic > self.least and near.share > 0.5),
            **by_value([values[i] for i in used], nearer),
        )
