"""Networks integrate along a line of slow points."""

from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.claims.base import required
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.tasks.integration import Integration

Share = Annotated[float, Field(ge=0, le=1)]


class Line(Prevalent):
    """In each context, networks have an approximate line attractor.

    A finding of Mante et al. 2013 that Maheswaranathan et al. 2019 have for all cells.
    """

    kind: ClassVar[str] = "line_attractor"
    takes: ClassVar[type[Record]] = LineAttractor

    of: str = "line_attractor"
    """Name of the analysis that looks for the line."""

    slow: Share = 0.8
    """Least share of the states on a network's trials that come to slow points, left to
    themselves."""

    kept: Share = 0.9
    """Least correlation of what is read out at the slow points with what was where they came
    from."""

    order: Share = 0.9
    """Least correlation of ways along the slow points with differences in what is read out there:
    1 on a line, even a bent one."""

    dimension: Annotated[float, Field(gt=1)] = 2.0
    """Number of dimensions below which the slow points spread (participation ratio)."""

    @property
    def what(self) -> str:
        return "an approximate line attractor in every context"

    def statement(self, task: Task) -> str:
        return "In each context, networks integrate along an approximate line attractor."

    def applies(self, task: Task) -> bool:
        return isinstance(task, Integration)

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def has(self, record: Record, task: Task) -> bool:
        found = required(record, LineAttractor, self)
        return bool(found.lines(self.slow, self.kept, self.order, self.dimension).all())
