"""Between which words of a memory noise and pulses of input move a network, and how often."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.analyses.base import Cost, MemberAnalysis, Section
from rnnstudy.analyses.fixed_points.topology import memory_points
from rnnstudy.analyses.fixed_points.transition_exhibits import transition_exhibits
from rnnstudy.analyses.hypercube import cube
from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.dynamics.connections.transition_record import Transitions
from rnnstudy.dynamics.connections.transitions import transitions
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task


class TransitionAnalysis(MemberAnalysis):
    """Probabilities of transitions between each network's stable points.

    Trials begin at each of them, with noise in every step, and where `pulse` says so a pulse of
    input in their first; without either they are followed to where they come to rest
    (Maheswaranathan et al. 2019).
    """

    kind: ClassVar[str] = "transitions"
    yields: ClassVar[type[Record]] = Transitions
    takes: ClassVar[type[Record]] = FixedPoints

    of: str = "fixed_points"
    """Name of the analysis that finds the fixed points."""

    noise: Annotated[float, Field(ge=0)] = 0.5
    """Standard deviation of the noise that is added to every state in every step, as a share of the
    root mean square of the network's stable points."""

    pulse: Annotated[float, Field(gt=0)] | None = None
    """Size of the pulses, of both signs on each input in turn; null: there are none."""

    width: Annotated[int, Field(ge=1)] = 1
    """Steps that a pulse lasts."""

    steps: Annotated[int, Field(ge=1)] = 20
    """Steps with noise."""

    trials: Annotated[int, Field(ge=1)] = 100
    """Trials from each stable point, and with each pulse."""

    settling: Annotated[int, Field(ge=1)] = 3000
    """Steps without noise after which a state that is still on its way is given up."""

    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Of the intervals of the probabilities (Wilson 1927)."""

    @model_validator(mode="after")
    def _something_moves(self) -> Self:
        if self.noise == 0 and self.pulse is None:
            raise ValueError("noise should be above 0 where there is no pulse")
        if self.width > self.steps:
            raise ValueError(f"width {self.width} should be at most steps {self.steps}")
        return self

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def applies(self, task: Task) -> bool:
        return task.words

    def cost(self, cell: Cell, task: Task) -> Cost:
        stable = sum(cube(task)[:1])
        begun = stable * (1 if self.pulse is None else 2 * task.inputs)
        kept = 6 * begun * (stable + 1)
        return Cost({"trials": begun * self.trials} if stable else {}, 8 * kept)

    def run(
        self, population: Population, task: Task, *found: Sequence[Record]
    ) -> Sequence[Transitions]:
        points = memory_points(self, task, found)
        unit = None if self.pulse is None else self.pulse * np.eye(task.inputs)
        every = transitions(
            population,
            points,
            self.noise * _sizes(points, len(population)),
            self.steps,
            self.trials,
            pulses=None if unit is None else np.concatenate([unit, -unit]),
            width=self.width,
            settling=self.settling,
            confidence=self.confidence,
        )
        firsts = np.searchsorted(points.member, np.arange(len(population)))
        return [
            replace(every.single_member(member, int(first)), has_labels=True)
            for member, first in enumerate(firsts)
        ]

    def show(self, section: Section) -> Iterable[Exhibit]:
        return transition_exhibits(section, self.title)


def _sizes(points: FixedPoints, members: int) -> Array:
    """Root mean square of each network's stable points: [member]; 1 where there are none."""
    stable = points.n_unstable == 0
    own = [points.state[stable & (points.member == member)] for member in range(members)]
    return np.array([np.sqrt(np.mean(state**2)) if len(state) else 1.0 for state in own])
