"""How far apart networks are by the arrangement of the points that carry their computation."""

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.base import Cost, Member, Section, TaskAnalysis
from rnnstudy.analyses.distances.pairs import cost_of_pairs, groupings
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.distances.point_geometry import point_geometry_distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Matrix
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task


class Arranged(Record):
    """A record of points that stand in an order which is the same for all networks of a task."""

    @property
    def arranged(self) -> Array:
        """The points in that order: [place, state], NaN where a network has none."""
        raise NotImplementedError


class Arrangement(TaskAnalysis):
    """Distances between networks by how their points lie to each other, place by place.

    For the sine the points are the fixed points of its cues (`oscillations`), for integration the
    slow points of each context by what is read out (`line_attractor`). Two networks whose points
    have the same neighbours have the distance 0, whatever the states that they consist of.
    """

    kind: ClassVar[str] = "arrangement"
    yields: ClassVar[type[Record]] = Distances
    takes: ClassVar[type[Record]] = Arranged

    of: str
    """Name of the analysis whose points are compared."""

    neighbours: Annotated[int, Field(ge=1)] | None = 2
    """Nearest neighbours that are linked; null: distances are compared instead of links."""

    @property
    def title(self) -> str:
        return self.name or f"arrangement_{self.of}"

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Distances:
        found = [record.arranged for record in parts[0] if isinstance(record, Arranged)]
        if len(found) < len(members):
            raise ValueError(f"'{self.of}' yields no points in an order, arrangement needs them")
        return point_geometry_distances(found, [member.name for member in members], self.neighbours)

    def cost(self, task: Task, records: int) -> Cost:
        return cost_of_pairs(records)

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if not isinstance(result, Distances):
            return
        compared = "distances" if self.neighbours is None else "nearest neighbours"
        yield Matrix(
            title=f"Distance between networks, {self.title}",
            caption=f"Each row and column is a network. 0: the points of '{self.of}' have the same "
            f"{compared}; 1: they have nothing in common.",
            values=result.values,
            labels=result.labels,
            groups=groupings(section, result.labels),
            value_label="distance",
        )
