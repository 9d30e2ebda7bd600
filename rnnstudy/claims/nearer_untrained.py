"""Claim that untrained networks of the same kind are nearer than trained ones of another."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs
from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED, ControlDistances
from rnnstudy.analyses.factors.fields import factor_values
from rnnstudy.analyses.factors.reference_groups import nearness_to_controls
from rnnstudy.claims.base import Claim, no_evidence
from rnnstudy.claims.evidence.control_runs import NO_INTERVAL, Interval
from rnnstudy.claims.evidence.measurements import Measurements, measurements_of
from rnnstudy.claims.evidence.negative import shuffle_factor
from rnnstudy.claims.evidence.record import Evidence
from rnnstudy.claims.separation import factor_misfit, group_fields, shortage_evidence
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.training.train import WeightsOf


class NearerUntrained(Claim):
    """Trained and untrained networks of one kind are more alike than trained ones of two.

    Each trained network is compared with two kinds of others. The first are untrained twins of
    networks that agree with it in all but the seed. The second are trained networks that differ in
    one factor and the seed. If the claim holds, the metric reveals little of what networks have
    learnt.

    References
    ----------
    Maheswaranathan et al. 2019, on the limits of such metrics.

    Examples
    --------
    >>> NearerUntrained(of="svcca_controls").title
    'svcca_controls_nearer_untrained_than_another_activation'
    """

    kind: ClassVar[str] = "nearer_untrained"
    takes: ClassVar[type[Record]] = ControlDistances

    of: str
    """Name of the `controls` with the distances."""

    factor: str = "activation"
    """Field of the grid: activation, cell, ..."""

    least: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Smallest effect of a supported claim."""

    min_networks: Annotated[int, Field(ge=2)] = 3
    """Smallest number of networks per value of the factor; below it there is no verdict."""

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
            f"untrained networks of the same kind and trained ones of another {self.factor} are "
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

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return factor_misfit(self.factor, known)

    def control_weights(self) -> tuple[WeightsOf, ...]:
        return ()  # the distances that it reads have controls

    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        return measurements_of(inputs[self.of])

    def shuffle(self, measurements: Measurements, generator: np.random.Generator) -> Measurements:
        return shuffle_factor(measurements, self.factor, generator)

    def learnt(self, measurements: Measurements) -> Interval:
        return NO_INTERVAL  # untrained networks have no untrained others

    def test(self, measurements: Measurements) -> Evidence:
        distances = measurements.to_control_distances()
        values = factor_values(self.factor, distances.members)
        trained = [values[i] for i in distances.at(TRAINED)]
        if shortage := shortage_evidence(trained, self.min_networks):
            return shortage
        try:
            near, positions = nearness_to_controls(distances, UNTRAINED, self.factor)
        except ValueError as error:
            return no_evidence(str(error))
        one_sided = near.p / 2 if near.statistic > 0 else 1 - near.p / 2
        is_nearer = (near.first < near.second).astype(float)
        return Evidence(
            statistic=near.share,
            effect=near.statistic,
            low=max(near.low, -1.0),
            high=min(near.high, 1.0),
            p=one_sided,
            floor=0.0,
            holds=bool(near.statistic > self.least and near.share > 0.5),
            **group_fields([values[i] for i in positions], is_nearer),
        )
