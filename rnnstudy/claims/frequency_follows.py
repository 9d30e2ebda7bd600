"""Claim that linearised frequencies correlate with the frequencies of the cues."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.oscillations.record import Oscillation
from rnnstudy.claims.prevalence import Prevalent
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.tasks.sine import Sine


class FrequencyFollows(Prevalent):
    """Linearised frequencies correlate with the frequencies of the cues.

    Each cue of the sine has a fixed point. The dynamics linearised there rotate faster for a cue of
    a higher frequency.

    References
    ----------
    Maheswaranathan et al. 2019, Universality and individuality in neural dynamics across large
    populations of recurrent networks.

    Examples
    --------
    >>> FrequencyFollows(correlation=0.8).trait
    'linearised frequencies that correlate with the targets by 0.8'
    """

    kind: ClassVar[str] = "frequency_follows"
    takes: ClassVar[type[Record]] = Oscillation

    former_fields: ClassVar[Mapping[str, str]] = {"found": "min_share"}

    of: str = "oscillations"
    """Name of the analysis of the linearised dynamics."""

    correlation: Annotated[float, Field(gt=0, lt=1)] = 0.9
    """Smallest correlation of a network's linearised frequencies with the target frequencies. They
    need not be equal."""

    min_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Smallest share of inputs that have a fixed point with a complex pair of modes."""

    @property
    def trait(self) -> str:
        return f"linearised frequencies that correlate with the targets by {self.correlation:g}"

    def question(self, titles: Mapping[str, str]) -> str:
        return "Does the linearised frequency correlate with the frequency of the cue?"

    def statement(self, task: Task) -> str:
        return (
            "The frequency of the dynamics linearised at each cue's fixed point correlates with "
            "the frequency of the cue, which it need not be equal to."
        )

    def applies(self, task: Task) -> bool:
        return isinstance(task, Sine)

    def has(self, record: Oscillation, task: Task) -> bool:
        share = record.has_rotation.mean()
        return bool(share >= self.min_share and record.correlation >= self.correlation)
