"""Distances between the networks of a task and a recording, under a metric of their states."""

from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.analyses.base import Cost, Inputs, MemberAnalysis, Section, TaskAnalysis
from rnnstudy.analyses.distances.all_pairs import cost_of_pairs
from rnnstudy.analyses.recordings.exhibits import recording_exhibits
from rnnstudy.analyses.recordings.states import StatesInConditions
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.metrics import AnyMetric
from rnnstudy.recordings.ceiling import SPLITS
from rnnstudy.recordings.distances import RecordingDistances, recording_distances
from rnnstudy.recordings.source import RecordingSource
from rnnstudy.recordings.windows import Between
from rnnstudy.tasks import Task


class RecordingPairs(TaskAnalysis):
    """Distances as in `pairs`, with a recording of neurons as one more item.

    All items are compared in the conditions and at the times of the recording. The field `data` of
    a study adds one such analysis for each `pairs`, and no spec names it. The recording is no
    network. Claims, factors and counts of networks do not read it.

    Examples
    --------
    >>> RecordingPairs(metric="cka", recording=RecordingSource(file="ape.npz")).title
    'cka_ape'
    """

    kind: ClassVar[str] = "recording_pairs"
    chapter: ClassVar[str] = "recordings"
    yields: ClassVar[type[Record]] = RecordingDistances

    metric: AnyMetric
    """Metric: svcca, cka, ..."""

    recording: RecordingSource
    """The recording."""

    between: Between | None = None
    """Window of the trial, as of `pairs`."""

    splits: Annotated[int, Field(ge=1, le=10_000)] = SPLITS
    """Number of splits of the trials in halves, for the noise ceiling."""

    seed: Annotated[int, Field(ge=0)] = 0
    """Seed of the splits."""

    @property
    def title(self) -> str:
        metric = self.metric.kind.rpartition(":")[2].lower()
        return self.name or f"{metric}_{self.recording.title}"

    @property
    def _states(self) -> StatesInConditions:
        return StatesInConditions(recording=self.recording, between=self.between)

    def member_inputs(self) -> tuple[MemberAnalysis, ...]:
        return (self._states,)

    def run(self, task: Task, inputs: Inputs) -> RecordingDistances:
        records = inputs[self._states.title]
        return recording_distances(
            {member.name: record.states for member, record in records.items()},
            self.recording.match(task, self.between).rows_for(self.metric),
            self.metric,
            splits=self.splits,
            seed=self.seed,
        )

    def cost(self, task: Task, records: int) -> Cost:
        return cost_of_pairs(records + 1)

    def show(self, section: Section) -> Iterable[Exhibit]:
        return recording_exhibits(section, self.title)
