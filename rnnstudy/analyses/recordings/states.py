"""States of each network in the conditions and at the times of a recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rnnstudy.analyses.base import MemberAnalysis
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.population.population import Population
from rnnstudy.recordings.source import RecordingSource
from rnnstudy.recordings.windows import Between
from rnnstudy.tasks import Task


@dataclass(frozen=True, eq=False)
class RecordedStates(Record):
    """States of a network in the rows of a recording.

    Attributes
    ----------
    states : array [row, time, unit]
        Visible part of the state; a row is a condition or a trial of the recording.

    Examples
    --------
    >>> import numpy as np
    >>> RecordedStates(np.zeros((4, 20, 8))).size("unit")
    8
    """

    states: Array = array("row", "time", "unit")


class StatesInConditions(MemberAnalysis):
    """States of each network in the conditions and at the times of a recording.

    The inputs of the recording drive the networks. Without inputs, it is the task's probe, whose
    trials are averaged by the fields that the recording has, too.

    Examples
    --------
    >>> StatesInConditions(recording=RecordingSource(file="ape.npz")).title
    'states_in_ape'
    """

    kind: ClassVar[str] = "states_in_conditions"
    yields: ClassVar[type[Record]] = RecordedStates

    recording: RecordingSource
    """The recording."""

    between: Between | None = None
    """Window of the trial, as of `pairs`."""

    @property
    def title(self) -> str:
        return self.name or f"states_in_{self.recording.title}" + self.weights_suffix

    def run(self, population: Population, task: Task) -> Sequence[RecordedStates]:
        return [
            RecordedStates(each)
            for each in self.recording.match(task, self.between).states(population)
        ]
