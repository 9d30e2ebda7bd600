"""How a memory's fixed points are connected: unstable directions followed to where they lead."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.base import Cost, MemberAnalysis, Section
from rnnstudy.analyses.fixed_points.topology_exhibits import topology_exhibits
from rnnstudy.analyses.hypercube import cube
from rnnstudy.cells import Cell
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.dynamics.connections.connections import connections
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task


class Topology(MemberAnalysis):
    """The graph of each network's fixed points (Maheswaranathan et al. 2019).

    Each unstable point is left along its unstable directions, and followed to the stable points to
    which they lead: the links of the graph. Stable points store words, the signs of what is read
    out there; other points are labelled by what the words that they lead to share, bit by bit, and
    0 where those differ.
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "topology"
    yields: ClassVar[type[Record]] = Connections
    takes: ClassVar[type[Record]] = FixedPoints

    of: str = "fixed_points"
    """Name of the analysis that finds the fixed points."""

    directions: Annotated[int, Field(ge=1)] = 80
    """Random directions along which a point with several unstable ones is left; one with a single
    one is left both ways."""

    displacement: Annotated[float, Field(gt=0)] = 1e-3
    """Length of the first step away, as a share of the points' root mean square."""

    steps: Annotated[int, Field(ge=1)] = 10_000
    """Steps after which a state that is still on its way is given up."""

    tolerance: Annotated[float, Field(gt=0)] = 1e-3
    """Distance at which a state has arrived, as the same share."""

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def applies(self, task: Task) -> bool:
        return task.words

    def cost(self, cell: Cell, task: Task) -> Cost:
        counts = cube(task)
        ways = 2 * sum(counts[1:2]) + self.directions * sum(counts[2:])
        kept = 4 * ways + sum(counts) * (cell.state_size + task.outputs + 3)
        return Cost({"trajectories": ways} if counts else {}, 8 * kept)

    def run(
        self, population: Population, task: Task, *found: Sequence[Record]
    ) -> Sequence[Connections]:
        every = connections(
            population,
            memory_points(self, task, found),
            directions=self.directions,
            displacement=self.displacement,
            steps=self.steps,
            tolerance=self.tolerance,
        )
        return [replace(every.single_member(m), has_labels=True) for m in range(len(population))]

    def show(self, section: Section) -> Iterable[Exhibit]:
        return topology_exhibits(section, self.title)


def memory_points(
    analysis: MemberAnalysis, task: Task, found: Sequence[Sequence[Record]]
) -> FixedPoints:
    """The networks' fixed points in one record, network by network.

    ValueError if the task has no words for them, or if they are something else.
    """
    if not task.words:
        raise ValueError(
            f"{analysis.title} is of tasks whose answers are signs, this one is {task.title}"
        )
    points = [record for record in found[0] if isinstance(record, FixedPoints)]
    if len(points) < len(found[0]):
        raise ValueError(
            f"'{analysis.needs()[0]}' yields no fixed points, {analysis.title} needs them"
        )
    return FixedPoints.join(points)
