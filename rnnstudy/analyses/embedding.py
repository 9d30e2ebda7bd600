"""Networks as points in the plane: multidimensional scaling of their distances."""

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.base import Member, Section, TaskAnalysis
from rnnstudy.analyses.pairs import groupings
from rnnstudy.comparison.embedding import Coordinates, classical_mds
from rnnstudy.comparison.pairs import Distances
from rnnstudy.exhibit import Exhibit, Scatter
from rnnstudy.record import Record


class Embedding(TaskAnalysis):
    """Classical multidimensional scaling (Torgerson 1952) of a `pairs` analysis."""

    kind: ClassVar[str] = "embedding"
    yields: ClassVar[type[Record]] = Coordinates
    takes: ClassVar[type[Record]] = Distances

    of: str
    """Name of the analysis whose distances are embedded (a `pairs` is called after its metric)."""

    dimensions: Annotated[int, Field(ge=2, le=10)] = 2
    """Number of coordinates; the first two are drawn."""

    @property
    def title(self) -> str:
        return self.name or f"embedding_{self.of}"

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Coordinates:
        found = shared[0]
        if not isinstance(found, Distances):
            raise ValueError(
                f"'{self.of}' yields a {type(found).__name__}, embedding needs distances"
            )
        return classical_mds(found, self.dimensions)

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if not isinstance(result, Coordinates):
            return
        yield Scatter(
            title=f"Networks by {self.of} distance",
            caption="Classical multidimensional scaling: each point is a network, near points are "
            f"alike. {result.negative_share:.0%} of the spectrum is negative, which a plane "
            "of points cannot show.",
            points=result.points[:, :2],
            labels=result.labels,
            groups=groupings(section, result.labels),
            x_label="MDS 1",
            y_label="MDS 2",
        )
