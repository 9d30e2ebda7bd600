"""Fixed points of each network at the task's constant inputs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from rnnstudy.analyses.base import Cost, MemberAnalysis, Section
from rnnstudy.analyses.fixed_points.exhibits import fixed_point_exhibits
from rnnstudy.analyses.hypercube import cube
from rnnstudy.cells import Cell
from rnnstudy.core.arguments.durations import seconds_per_step
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.dynamics.fixed_points.find import FixedPoints, find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.states.sampling import flatten_trajectories
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task

START_BYTES, ROUNDS = 24, 3
"""Bytes of the outcome of a start in the store, and typical number of rounds of a search."""


class FixedPointAnalysis(MemberAnalysis):
    """Fixed points at each constant input of the task, started from states on its probe trials.

    Parameters
    ----------
    search
        Settings of the search; see `rnnstudy.find_fixed_points`.

    Examples
    --------
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> FixedPointAnalysis().applies(FlipFlop())
    True
    """

    kind: ClassVar[str] = "fixed_points"
    chapter: ClassVar[str] = "fixed_points"
    yields: ClassVar[type[Record]] = FixedPoints

    search: FixedPointSearch = FixedPointSearch()
    """Settings of the search."""

    def run(self, population: Population, task: Task) -> Sequence[FixedPoints]:
        points = find_fixed_points(
            population,
            inputs=task.static_inputs().values,
            visited=flatten_trajectories(population.unroll(np.asarray(task.probe().inputs))),
            search=self.search,
        )
        points = replace(points, dt=seconds_per_step(task, population.cell))
        return [points.single_member(member) for member in range(len(population))]

    def cost(self, cell: Cell, task: Task) -> Cost:
        inputs = len(task.static_inputs().values)
        points = max(inputs, sum(cube(task)))
        starts = START_BYTES * ROUNDS * self.search.candidates
        return Cost({"searches for fixed points": inputs}, points * point_bytes(cell) + starts)

    def show(self, section: Section) -> Iterable[Exhibit]:
        return fixed_point_exhibits(section, self.title)


def point_bytes(cell: Cell) -> int:
    """Return the bytes of a fixed point in the store, which are mostly its Jacobian."""
    return 8 * cell.state_size * (cell.state_size + 3)
