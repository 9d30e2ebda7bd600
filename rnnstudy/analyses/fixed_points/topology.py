"""Graph of the fixed points of each memory network, by their unstable manifolds."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.base import NO_INPUTS, Cost, MemberAnalysis, MemberInputs, Section
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
    """Graph of each network's fixed points.

    Trajectories start near each unstable point, along its unstable directions, and are followed to
    stable points. Each such connection is a link of the graph. Stable points store words, the signs
    of the readout. The label of another point has, for each bit, the value that the words of its
    connections share, or 0 where they differ.

    References
    ----------
    Maheswaranathan et al. 2019, Universality and individuality in neural dynamics across large
    populations of recurrent networks.

    Examples
    --------
    >>> Topology().needs()
    ('fixed_points',)
    """

    version: ClassVar[int] = 3
    kind: ClassVar[str] = "topology"
    chapter: ClassVar[str] = "fixed_points"
    yields: ClassVar[type[Record]] = Connections
    takes: ClassVar[type[Record]] = FixedPoints

    of: str = "fixed_points"
    """Name of the analysis of the fixed points."""

    directions: Annotated[int, Field(ge=1)] = 80
    """Number of random directions in the unstable subspace of a point. A point with a single
    unstable direction has two: both signs of it."""

    displacement: Annotated[float, Field(gt=0)] = 1e-3
    """Distance of the starts from the point, as a share of the points' root mean square."""

    steps: Annotated[int, Field(ge=1)] = 10_000
    """Largest number of steps of a trajectory."""

    tolerance: Annotated[float, Field(gt=0)] = 1e-3
    """Distance at which a state has reached a stable point, as the same share."""

    def applies(self, task: Task) -> bool:
        return task.words

    def cost(self, cell: Cell, task: Task) -> Cost:
        counts = cube(task)
        trajectories = 2 * sum(counts[1:2]) + self.directions * sum(counts[2:])
        numbers = 4 * trajectories + sum(counts) * (cell.state_size + task.outputs + 3)
        return Cost({"trajectories": trajectories} if counts else {}, 8 * numbers)

    def run(
        self, population: Population, task: Task, inputs: MemberInputs = NO_INPUTS
    ) -> Sequence[Connections]:
        graphs = connections(
            population,
            memory_points(self.title, task, inputs[self.of]),
            directions=self.directions,
            displacement=self.displacement,
            steps=self.steps,
            tolerance=self.tolerance,
        )
        return [replace(graphs.single_member(m), has_labels=True) for m in range(len(population))]

    def show(self, section: Section) -> Iterable[Exhibit]:
        return topology_exhibits(section, self.title)


def memory_points(title: str, task: Task, records: Sequence[FixedPoints]) -> FixedPoints:
    """Return the networks' fixed points in one record, network by network.

    Raises ValueError if the outputs of the task are not signs.
    """
    if not task.words:
        raise ValueError(
            f"the task of {title} must have discrete outputs, got {task.title}. "
            "List other tasks in 'tasks'."
        )
    return FixedPoints.join(records)
