"""Claim that networks integrate along a line of slow points."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.tasks.integration import Integration

Share = Annotated[float, Field(ge=0, le=1)]


class LineAttractorClaim(Prevalent):
    """In each context, networks have an approximate line attractor.

    References
    ----------
    Mante et al. 2013, Context-dependent computation by recurrent dynamics in prefrontal cortex.
    Maheswaranathan et al. 2019, for all cells.

    Examples
    --------
    >>> LineAttractorClaim().trait
    'an approximate line attractor in every context'
    """

    kind: ClassVar[str] = "line_attractor"
    chapter: ClassVar[str] = "fixed_points"
    takes: ClassVar[type[Record]] = LineAttractor

    former_fields: ClassVar[Mapping[str, str]] = {"kept": "retention"}

    of: str = "line_attractor"
    """Name of the analysis of the slow points."""

    slow: Share = 0.8
    """Smallest share of the states on trials that reach a slow point without stimulus."""

    retention: Share = 0.9
    """Smallest correlation of the readout at the slow points with that at their starts."""

    order: Share = 0.9
    """Smallest correlation of distances along the slow points with differences of the readout: 1 on
    a line, also on a bent one."""

    dimension: Annotated[float, Field(gt=1)] = 2.0
    """Largest dimension of the slow points (participation ratio)."""

    @property
    def trait(self) -> str:
        return "an approximate line attractor in every context"

    def question(self, titles: Mapping[str, str]) -> str:
        return "Do networks integrate along a line attractor?"

    def statement(self, task: Task) -> str:
        return "In each context, networks integrate along an approximate line attractor."

    def applies(self, task: Task) -> bool:
        return isinstance(task, Integration)

    def has(self, record: LineAttractor, task: Task) -> bool:
        return bool(record.has_line(self.slow, self.retention, self.order, self.dimension).all())
