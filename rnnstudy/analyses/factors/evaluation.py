"""Loss and accuracy of each network, for analyses of networks matched by loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rnnstudy.analyses.base import MemberAnalysis
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.training.evaluation import evaluate


@dataclass(frozen=True, eq=False)
class EvaluationResult(Record):
    """One network on the task's evaluation trials, without state noise.

    Examples
    --------
    >>> import numpy as np
    >>> float(EvaluationResult(loss=np.array(0.01), accuracy=np.array(0.98)).loss)
    0.01
    """

    loss: Array = array()
    """Loss of the task."""
    accuracy: Array = array()
    """Share of correct outputs, as the task defines it."""


class Evaluation(MemberAnalysis):
    """Loss and accuracy of each network on the task's evaluation trials, as after training.

    Examples
    --------
    >>> Evaluation().title
    'evaluation'
    """

    kind: ClassVar[str] = "evaluation"
    yields: ClassVar[type[Record]] = EvaluationResult

    def run(self, population: Population, task: Task) -> Sequence[EvaluationResult]:
        loss, accuracy = evaluate(task, population)
        members = range(len(population))
        return [EvaluationResult(loss=loss[m], accuracy=accuracy[m]) for m in members]
