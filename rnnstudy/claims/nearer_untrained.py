"""Claim that networks can be nearer to untrained ones of their kind than to trained others."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Inputs
from rnnstudy.analyses.distances.controls import (
    TRAINED,
    UNTRAINED,
    ControlDistances,
    ControlWeights,
)
from rnnstudy.analyses.factors.fields import factor_values, strata_of
from rnnstudy.analyses.factors.reference_groups import nearness_to_controls
from rnnstudy.claims.base import Claim, average_by_group, no_evidence
from rnnstudy.claims.evidence.control_runs import NO_INTERVAL, Interval
from rnnstudy.claims.evidence.measurements import Measurements, measurements_of
from rnnstudy.claims.evidence.record import Evidence, Part, collect_parts
from rnnstudy.claims.separation import factor_misfit, shortage_evidence
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.statistics.nearness import Nearness
from rnnstudy.comparison.statistics.permutation import random_orders
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.training.train import WeightsOf


class NearerUntrained(Claim):
    """Networks can be nearer to untrained ones of their kind than to trained ones of another.

    Each trained network is compared with two kinds of others. The first are untrained networks that
    agree with it in all but the seed. The second are trained networks that differ in one factor and
    the seed. If the claim holds, the metric reveals little of what networks have learnt.

    "Can be" states existence. Each level of the factor is tested by itself, and the verdict names
    the levels where it is so. p is corrected over the levels. A mean over levels would hide a level
    where it is so behind one where it is not. The effect of the claim is that of the level with the
    smallest p. Untrained networks have no untrained others, so that there is no effect among them.

    References
    ----------
    Maheswaranathan et al. 2019, on the limits of such metrics.

    Examples
    --------
    >>> NearerUntrained(of="svcca").title
    'svcca_nearer_untrained_than_another_activation'
    """

    version: ClassVar[int] = 4
    kind: ClassVar[str] = "nearer_untrained"
    chapter: ClassVar[str] = "controls"
    takes: ClassVar[type[Record]] = Distances
    judged_parts = "any"

    of: str
    """Name of the analysis of the distances, with controls (`controls`) or without (`pairs`)."""

    factor: str = "activation"
    """Field of the grid: activation, cell, ..."""

    weights: ControlWeights = UNTRAINED
    """Weights of the untrained networks: `untrained` (their own initial weights), `standard`
    (initial weights from the standard initialisers)."""

    least: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Smallest effect of a level."""

    min_networks: Annotated[int, Field(ge=2)] = 3
    """Smallest number of networks per value of the factor; below it there is no verdict."""

    @property
    def title(self) -> str:
        return self.name or f"{self.of}_nearer_{self.weights}_than_another_{self.factor}"

    @property
    def statistic(self) -> str:
        return (
            f"share of networks of one {self.factor} that are nearer to untrained ones of their "
            f"kind than to trained ones of another {self.factor}, at the level of the smallest p"
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
            f"for each {self.factor}, untrained networks of the same kind and trained ones of "
            f"another {self.factor} are equally near"
        )

    @property
    def rule(self) -> str:
        return (
            f"for at least one {self.factor}, an effect above {self.least:g}, and most networks "
            "nearer to untrained ones; p corrected over the levels"
        )

    def question(self, titles: Mapping[str, str]) -> str:
        return (
            "Can networks be nearer to untrained ones of their kind than to trained ones of "
            f"another {self.factor}?"
        )

    def statement(self, task: Task) -> str:
        standard = "" if self.weights == UNTRAINED else ", from standard initialisers,"
        return (
            f"Trained networks of one {self.factor} can be nearer ({self.of}) to untrained "
            f"networks{standard} of the same kind than to trained networks of another "
            f"{self.factor}."
        )

    def misfit(self, known: Mapping[str, Collection[Any]]) -> str:
        return factor_misfit(self.factor, known)

    def control_weights(self) -> tuple[WeightsOf, ...]:
        return (self.weights,)

    def measure(self, task: Task, inputs: Inputs) -> Measurements:
        distances = inputs[self.of]
        if not isinstance(distances, ControlDistances):
            distances = inputs.control_distances.get(self.of)
        if distances is None:
            raise ValueError(
                f"the distances of '{self.of}' must have untrained networks, got none. Name "
                "an analysis with controls."
            )
        return measurements_of(distances)

    @property
    def exchange(self) -> str:
        return f"trained and untrained networks of any {self.factor} are exchanged"

    def shuffle(self, measurements: Measurements, generator: np.random.Generator) -> Measurements:
        """Exchange trained networks and controls that agree in all but the factor and the seed."""
        at = [*measurements.at(TRAINED), *measurements.at(self.weights)]
        strata = strata_of(self.factor, [measurements.members[i] for i in at])
        seed = int(generator.integers(2**32))
        ((order,),) = random_orders(len(at), 1, seed, strata)
        members, learnt = list(measurements.members), list(measurements.learnt)
        for position, i in zip(at, order, strict=True):
            members[position] = measurements.members[at[i]]
            learnt[position] = measurements.learnt[at[i]]
        return replace(measurements, members=tuple(members), learnt=tuple(learnt))

    def learnt(self, measurements: Measurements) -> Interval:
        return NO_INTERVAL

    def test(self, measurements: Measurements) -> Evidence:
        distances = measurements.to_control_distances()
        values = factor_values(self.factor, distances.members)
        trained = [values[i] for i in distances.at(TRAINED)]
        if shortage := shortage_evidence(trained, self.min_networks):
            return shortage
        levels, sizes, _ = average_by_group(trained, np.zeros(len(trained)))
        tested = dict(self._nearness(distances, levels))
        if not tested:
            return no_evidence(
                f"no {self.factor} has networks with untrained ones of their kind ({self.weights}) "
                f"and trained ones of another {self.factor}",
                levels,
                sizes,
            )
        parts = {level: self._part(level, near) for level, near in tested.items()}
        best = min(parts.values(), key=lambda part: (not part.holds, part.p))
        effects = [parts[level].effect if level in parts else np.nan for level in levels]
        return Evidence(
            statistic=tested[best.name].share,
            effect=best.effect,
            low=best.low,
            high=best.high,
            p=min(1.0, len(parts) * best.p),
            floor=0.0,
            holds=best.holds,
            groups=levels,
            networks=sizes,
            values=np.array(effects, float),
            parts=collect_parts(list(parts.values())),
        )

    def _nearness(
        self, distances: ControlDistances, levels: Sequence[str]
    ) -> Iterator[tuple[str, Nearness]]:
        """Yield the levels whose networks have others of both kinds, with their nearness."""
        for level in levels:
            try:
                near, _ = nearness_to_controls(distances, self.weights, self.factor, level)
            except ValueError:
                continue
            yield level, near

    def _part(self, level: str, near: Nearness) -> Part:
        networks = len(near.first)
        one_sided = near.p / 2 if near.statistic > 0 else 1 - near.p / 2
        if near.low == near.high:
            # Equal contrasts have no error. Their p is that of a sign test.
            one_sided = max(one_sided, 0.5**networks)
        return Part(
            level,
            near.statistic,
            low=max(near.low, -1.0),
            high=min(near.high, 1.0),
            p=one_sided,
            holds=bool(near.statistic > self.least and near.share > 0.5),
            networks=networks,
        )
