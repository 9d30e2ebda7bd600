"""Networks as points in the plane: multidimensional scaling of their distances."""

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rnnstudy.analyses.base import Member, Section, TaskAnalysis
from rnnstudy.analyses.pairs import groupings
from rnnstudy.comparison.embedding import Coordinates, classical_mds, stress_mds
from rnnstudy.comparison.pairs import Distances
from rnnstudy.exhibit import Exhibit, Scatter
from rnnstudy.record import Record


class Embedding(TaskAnalysis):
    """Multidimensional scaling of a `pairs` analysis, classical (Torgerson 1952) or by stress."""

    kind: ClassVar[str] = "embedding"
    yields: ClassVar[type[Record]] = Coordinates
    takes: ClassVar[type[Record]] = Distances

    of: str
    """Name of the analysis whose distances are embedded (a `pairs` is called after its metric)."""

    dimensions: Annotated[int, Field(ge=2, le=10)] = 2
    """Number of coordinates; the first two are drawn."""

    method: Literal["classical", "stress"] = "classical"
    """Classical: principal axes, unchanged by more dimensions. Stress: distances in the plane as
    near to the given ones as they can be (Kruskal 1964)."""

    @property
    def title(self) -> str:
        return self.name or f"embedding_{self.of}" + "_stress" * (self.method == "stress")

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
        scaled = classical_mds if self.method == "classical" else stress_mds
        return scaled(found, self.dimensions)

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if not isinstance(result, Coordinates):
            return
        yield Scatter(
            title=f"Networks by {self.of} distance",
            caption=f"{self._words(result)} Each point is a network, near points are alike.",
            points=result.points[:, :2],
            labels=result.labels,
            groups=groupings(section, result.labels),
            x_label="MDS 1",
            y_label="MDS 2",
        )

    def _words(self, result: Coordinates) -> str:
        """What the picture is, and how far it can be trusted."""
        drawn = f"stress {result.stress:.2f} in {self.dimensions} dimensions"
        if self.method == "stress":
            return f"Multidimensional scaling by stress ({drawn}; 0 is exact)."
        return (
            f"Classical multidimensional scaling ({drawn}; {result.negative_share:.0%} of the "
            "spectrum is negative, which no points can show)."
        )
