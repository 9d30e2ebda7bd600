"""Transition probabilities between the words of a memory, under noise and input pulses."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from rnnstudy.analyses.base import NO_INPUTS, Cost, MemberAnalysis, MemberInputs, Section
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

AT_ORIGIN = 1e-9
"""Root mean square below which points lie at the origin, up to rounding."""


class TransitionAnalysis(MemberAnalysis):
    """Probabilities of transitions between each network's stable points.

    Trials begin at each stable point, with noise in every step and, with `pulse`, an input pulse in
    the first steps. They are then followed to a stable point without noise and pulse.

    References
    ----------
    Maheswaranathan et al. 2019, Universality and individuality in neural dynamics across large
    populations of recurrent networks.

    Examples
    --------
    >>> TransitionAnalysis(pulse=1.0, noise=0.0).needs()
    ('fixed_points',)
    """

    kind: ClassVar[str] = "transitions"
    chapter: ClassVar[str] = "fixed_points"
    leads_chapter: ClassVar[bool] = False
    yields: ClassVar[type[Record]] = Transitions
    takes: ClassVar[type[Record]] = FixedPoints

    of: str = "fixed_points"
    """Name of the analysis of the fixed points."""

    noise: Annotated[float, Field(ge=0)] = 0.5
    """Standard deviation of the state noise in every step, as a share of the root mean square of
    the network's stable points."""

    pulse: Annotated[float, Field(gt=0)] | None = None
    """Size of the pulses, of both signs on each input in turn; null: no pulses."""

    width: Annotated[int, Field(ge=1)] = 1
    """Duration of a pulse in steps."""

    steps: Annotated[int, Field(ge=1)] = 20
    """Number of steps with noise."""

    trials: Annotated[int, Field(ge=1)] = 100
    """Number of trials from each stable point and with each pulse."""

    settling: Annotated[int, Field(ge=1)] = 3000
    """Largest number of steps without noise."""

    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """Level of the intervals of the probabilities (Wilson 1927)."""

    @model_validator(mode="after")
    def _something_moves(self) -> Self:
        if self.noise == 0 and self.pulse is None:
            raise ValueError("noise must be above 0 without a pulse, got 0. Set noise or pulse.")
        if self.width > self.steps:
            raise ValueError(
                f"width must be at most steps ({self.steps}), got {self.width}. Raise steps."
            )
        return self

    def applies(self, task: Task) -> bool:
        return task.words

    def cost(self, cell: Cell, task: Task) -> Cost:
        stable = sum(cube(task)[:1])
        starts = stable * (1 if self.pulse is None else 2 * task.inputs)
        numbers = 6 * starts * (stable + 1)
        return Cost({"trials": starts * self.trials} if stable else {}, 8 * numbers)

    def run(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Transitions]:
        points = memory_points(self.title, task, inputs[self.of])
        unit = None if self.pulse is None else self.pulse * np.eye(task.inputs)
        records = transitions(
            population,
            points,
            self.noise * _point_sizes(points, len(population)),
            self.steps,
            self.trials,
            pulses=None if unit is None else np.concatenate([unit, -unit]),
            width=self.width,
            settling=self.settling,
            confidence=self.confidence,
        )
        firsts = np.searchsorted(points.member, np.arange(len(population)))
        return [
            replace(records.single_member(member, int(first)), has_labels=True)
            for member, first in enumerate(firsts)
        ]

    def show(self, section: Section) -> Iterable[Exhibit]:
        return transition_exhibits(section, self.title)


def _point_sizes(points: FixedPoints, members: int) -> Array:
    """Return the root mean square of each network's stable points, [member].

    It is 1 without any, and where all lie at the origin, as in most untrained relu networks.
    """
    stable = points.n_unstable == 0
    states = [points.state[stable & (points.member == member)] for member in range(members)]
    sizes = np.array([np.sqrt(np.mean(state**2)) if len(state) else 0.0 for state in states])
    return np.where(sizes > AT_ORIGIN, sizes, 1.0)
