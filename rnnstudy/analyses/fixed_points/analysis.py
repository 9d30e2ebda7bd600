"""Where each network's dynamics rest: its fixed points at the task's constant inputs."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np

from rnnstudy.analyses.base import Cost, MemberAnalysis, Section
from rnnstudy.analyses.fixed_points.exhibits import (
    SHOWN_TRIALS,
    _any,
    _counts,
    _modes,
    _space,
    _summary,
)
from rnnstudy.analyses.hypercube import cube
from rnnstudy.analyses.members import combinations, typical_members
from rnnstudy.cells import Cell
from rnnstudy.core.exhibit import Exhibit, Panels
from rnnstudy.core.record import Record
from rnnstudy.dynamics.fixed_points.find import FixedPoints, find_fixed_points
from rnnstudy.dynamics.fixed_points.search import FixedPointSearch
from rnnstudy.dynamics.states.sampling import flatten_trajectories
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task


class FixedPointAnalysis(MemberAnalysis):
    """Fixed points at each constant input of the task, sought from states visited on its probe."""

    kind: ClassVar[str] = "fixed_points"
    yields: ClassVar[type[Record]] = FixedPoints

    search: FixedPointSearch = FixedPointSearch()
    """How they are looked for."""

    def run(self, population: Population, task: Task) -> Sequence[FixedPoints]:
        found = find_fixed_points(
            population,
            inputs=task.static_inputs().values,
            visited=flatten_trajectories(population.unroll(np.asarray(task.probe().inputs))),
            search=self.search,
        )
        return [found.single_member(member) for member in range(len(population))]

    def cost(self, cell: Cell, task: Task) -> Cost:
        inputs = len(task.static_inputs().values)
        points = max(inputs, sum(cube(task)))
        return Cost({"searches for fixed points": inputs}, points * point_bytes(cell))

    def show(self, section: Section) -> Iterable[Exhibit]:
        found = {
            name: record
            for name, record in section.records.get(self.title, {}).items()
            if isinstance(record, FixedPoints)
        }
        groups = {
            combination: [found[m.name] for m in members if m.name in found]
            for combination, members in combinations(section.members).items()
        }
        groups = {combination: records for combination, records in groups.items() if records}
        if not groups:
            return
        yield _summary(groups)
        if len(section.task.static_inputs().values) == 1:
            yield _counts(groups, section.task)
        shown = [m for m in typical_members(section) if m.name in found and _any(found[m.name])]
        if shown:
            yield Panels(
                title="Fixed points of typical networks",
                caption="Of each combination, the solved network of median loss: trajectories of "
                f"{SHOWN_TRIALS} probe trials in the network's own first three principal "
                "components, and its fixed points by their number of unstable directions "
                "(0: stable); of a continuum, samples.",
                exhibits=[_space(section, member, found[member.name]) for member in shown],
            )
        yield _modes(groups)


def point_bytes(cell: Cell) -> int:
    """Bytes of a fixed point in the store: mostly its Jacobian."""
    return 8 * cell.state_size * (cell.state_size + 3)
