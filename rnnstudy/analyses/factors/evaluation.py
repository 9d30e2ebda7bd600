"""How well each network does its task, for analyses that compare networks alike in that."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rnnstudy.analyses.base import MemberAnalysis, Section
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record, array
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.training.evaluation import evaluate


@dataclass(frozen=True, eq=False)
class Evaluated(Record):
    """One network on the task's fresh, noise-free trials."""

    loss: Array = array()
    """Mean squared error."""
    accuracy: Array = array()


class Evaluation(MemberAnalysis):
    """Loss and accuracy of each network on the task's evaluation trials, as after training."""

    kind: ClassVar[str] = "evaluation"
    yields: ClassVar[type[Record]] = Evaluated

    def run(self, population: Population, task: Task) -> Sequence[Evaluated]:
        loss, accuracy = evaluate(task, population)
        return [Evaluated(loss=loss[m], accuracy=accuracy[m]) for m in range(len(population))]

    def show(self, section: Section) -> Iterable[Exhibit]:
        return ()
