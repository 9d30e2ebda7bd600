"""What each network does on the task's probe: the raw material of every comparison."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from rnnstudy.analyses.base import Cost, MemberAnalysis, Section
from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record, array
from rnnstudy.population.population import Population
from rnnstudy.tasks import AnyTask, Task
from rnnstudy.training.train import Trained

FLOAT = 4


@dataclass(frozen=True, eq=False)
class Activity(Record):
    """One network on the probe trials, without noise."""

    inputs: Array = array("trial", "time", "input")
    targets: Array = array("trial", "time", "output")
    """NaN on the trials of a task that the network has not learnt."""
    outputs: Array = array("trial", "time", "output")
    states: Array = array("trial", "time", "unit")
    """The visible part of the state (an LSTM's h)."""

    @property
    def samples(self) -> Array:
        """States of all trials and times end to end: [sample, unit], float64."""
        return self.states.reshape(-1, self.states.shape[-1]).astype(np.float64)


class Representations(MemberAnalysis):
    """States and outputs of each network on the task's probe trials."""

    kind: ClassVar[str] = "representations"
    yields: ClassVar[type[Record]] = Activity

    networks: Literal["trained", "untrained"] = "trained"
    """Untrained: as the same networks were before training."""

    probe: AnyTask | None = None
    """Another task, whose probe trials drive the networks; default: the one that they learn. A
    network that takes another number of inputs gets new input weights, drawn from its seed."""

    @property
    def title(self) -> str:
        where = "" if self.probe is None else f"_on_{self.probe.title}"
        return self.name or "representations" + "_untrained" * self._before + where

    @property
    def from_seeds(self) -> bool:
        return self._before or self.probe is not None

    @property
    def _before(self) -> bool:
        return self.networks == "untrained"

    def looked_at(self, trained: Trained) -> Population:
        inputs = trained.population.inputs if self.probe is None else self.probe.inputs
        return trained.untrained(inputs) if self._before else trained.taking(inputs)

    def run(self, population: Population, task: Task) -> Sequence[Activity]:
        probe = (self.probe or task).probe()
        inputs, targets = np.asarray(probe.inputs), np.asarray(probe.targets)
        states = population.unroll(inputs)
        outputs, seen = population.outputs_of(states), population.visible(states)
        if self.probe not in (None, task):
            targets = np.full(outputs.shape[1:], np.nan, targets.dtype)
        return [
            Activity(inputs=inputs, targets=targets, outputs=outputs[m], states=seen[m])
            for m in range(len(population))
        ]

    def cost(self, cell: Cell, task: Task) -> Cost:
        samples = task.probe_trials * task.length
        return Cost({}, FLOAT * samples * (task.inputs + 2 * task.outputs + cell.units))

    def show(self, section: Section) -> Iterable[Exhibit]:
        return ()
