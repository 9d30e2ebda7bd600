"""Networks oscillate as fast as their dynamics, linearised at a fixed point, turn."""

from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.oscillations.record import Oscillation
from rnnstudy.claims.base import required
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.tasks.sine import Sine


class FrequencyFollows(Prevalent):
    """Linearised frequencies follow those that networks are asked for.

    Each input of the sine has a fixed point, about which the linearised dynamics turn the faster,
    the faster a sine the input asks for (Maheswaranathan et al. 2019).
    """

    kind: ClassVar[str] = "frequency_follows"
    takes: ClassVar[type[Record]] = Oscillation

    of: str = "oscillations"
    """Name of the analysis that linearises the networks."""

    correlation: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Least correlation of a network's linearised frequencies with those it is asked for; that they
    are equal is not claimed."""

    found: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Least share of inputs at which the network has a fixed point whose dynamics turn."""

    @property
    def what(self) -> str:
        return f"linearised frequencies that correlate with the targets by {self.correlation:g}"

    def statement(self, task: Task) -> str:
        return (
            "The frequency of the dynamics linearised at each input's fixed point follows the "
            "frequency that the input asks for."
        )

    def applies(self, task: Task) -> bool:
        return isinstance(task, Sine)

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def has(self, record: Record, task: Task) -> bool:
        found = required(record, Oscillation, self)
        return bool(found.found.mean() >= self.found and found.correlation >= self.correlation)
