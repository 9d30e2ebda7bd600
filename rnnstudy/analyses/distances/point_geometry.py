"""Distances between networks by the geometry of ordered points in state space."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.base import Cost, Inputs, Section, TaskAnalysis
from rnnstudy.analyses.distances.pairs import cost_of_pairs, distance_matrix_exhibit
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.distances.point_geometry import point_geometry_distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


class OrderedPoints(Record):
    """Base of records with points in an order that is the same for all networks of a task.

    Examples
    --------
    >>> class Corners(OrderedPoints):
    ...     @property
    ...     def ordered_points(self):
    ...         return [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> len(Corners().ordered_points)
    3
    """

    @property
    def ordered_points(self) -> Array:
        """The points in order, [point, state]; NaN for a point that a network lacks."""
        raise NotImplementedError


class PointGeometry(TaskAnalysis):
    """Distances between networks by the geometry of their ordered points.

    In `oscillations` they are the fixed points of the sine's cues. In `line_attractor` they are the
    slow points of each context of an integration, in the order of the readout. Two networks whose
    points have the same neighbours have the distance 0, whatever their states.

    Examples
    --------
    >>> PointGeometry(of="oscillations").title
    'point_geometry_oscillations'
    """

    kind: ClassVar[str] = "point_geometry"
    yields: ClassVar[type[Record]] = Distances
    takes: ClassVar[type[Record]] = OrderedPoints

    of: str
    """Name of the analysis of the points."""

    neighbours: Annotated[int, Field(ge=1)] | None = 2
    """Number of nearest neighbours that a point is linked to; null: distances are compared instead
    of links."""

    @property
    def title(self) -> str:
        return self.name or f"point_geometry_{self.of}"

    def run(self, task: Task, inputs: Inputs) -> Distances:
        points = {member.name: record.ordered_points for member, record in inputs[self.of].items()}
        return point_geometry_distances(list(points.values()), list(points), self.neighbours)

    def cost(self, task: Task, records: int) -> Cost:
        return cost_of_pairs(records)

    def show(self, section: Section) -> Iterable[Exhibit]:
        compared = "distances" if self.neighbours is None else "nearest neighbours"
        return distance_matrix_exhibit(
            section,
            self.title,
            f"Each row and column is a network. 0: the points of '{self.of}' have the same "
            f"{compared}; 1: they have nothing in common.",
        )
