"""States and outputs of each network on the task's probe trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnnstudy.analyses.base import Cost, MemberAnalysis
from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.population.population import Population
from rnnstudy.tasks import AnyTask, Task
from rnnstudy.training.train import TrainedNetworks

FLOAT_BYTES = 4


@dataclass(frozen=True, eq=False)
class Activity(Record):
    """One network on the probe trials, without state noise.

    Examples
    --------
    >>> ones = np.ones((2, 3, 1))
    >>> Activity(inputs=ones, targets=ones, outputs=ones, states=np.ones((2, 3, 4))).samples.shape
    (6, 4)
    """

    inputs: Array = array("trial", "time", "input")
    """Inputs of the probe trials."""
    targets: Array = array("trial", "time", "output")
    """NaN on the trials of a task that the network was not trained on."""
    outputs: Array = array("trial", "time", "output")
    """Readout of the network."""
    states: Array = array("trial", "time", "unit")
    """Visible part of the state (h of an LSTM)."""

    @property
    def samples(self) -> Array:
        """States of all trials and times end to end: [sample, unit], float64."""
        return self.states.reshape(-1, self.states.shape[-1]).astype(np.float64)


class Representations(MemberAnalysis):
    """States and outputs of each network on the task's probe trials.

    Examples
    --------
    >>> Representations(weights="untrained").title
    'representations_untrained'
    """

    kind: ClassVar[str] = "representations"
    yields: ClassVar[type[Record]] = Activity

    recipe_names: ClassVar[Mapping[str, str]] = {"weights": "networks"}

    probe: AnyTask | None = None
    """Another task, whose probe trials drive the networks; default: their own task. A network with
    another number of inputs gets new input weights from its seed."""

    @property
    def title(self) -> str:
        probe = "" if self.probe is None else f"_on_{self.probe.title}"
        return self.name or "representations" + self.weights_suffix + probe

    @property
    def from_seeds(self) -> bool:
        return super().from_seeds or self.probe is not None

    def population_of(self, trained: TrainedNetworks) -> Population:
        inputs = None if self.probe is None else self.probe.inputs
        return trained.population_with(self.weights, inputs)

    def run(self, population: Population, task: Task) -> Sequence[Activity]:
        probe = (self.probe or task).probe()
        inputs, targets = np.asarray(probe.inputs), np.asarray(probe.targets)
        states = population.unroll(inputs)
        outputs, visible = population.outputs_of(states), population.visible(states)
        if self.probe not in (None, task):
            targets = np.full(outputs.shape[1:], np.nan, targets.dtype)
        return [
            Activity(inputs=inputs, targets=targets, outputs=outputs[m], states=visible[m])
            for m in range(len(population))
        ]

    def cost(self, cell: Cell, task: Task) -> Cost:
        probe = self.probe or task
        samples = probe.probe_trials * getattr(probe, "probe_length", probe.length)
        return Cost({}, FLOAT_BYTES * samples * (probe.inputs + 2 * task.outputs + cell.units))
