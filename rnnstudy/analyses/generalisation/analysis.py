"""Evaluation of networks on trials that differ from those of training."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.analyses.base import Cost, MemberAnalysis, Section
from rnnstudy.analyses.generalisation.exhibits import generalisation_exhibits
from rnnstudy.analyses.generalisation.record import Generalisation
from rnnstudy.analyses.generalisation.scores import Scores, score
from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import batches
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.population.population import Population
from rnnstudy.tasks import Shift, Task, Trials


class GeneralisationAnalysis(MemberAnalysis):
    """Performance of each network under the distribution shifts of its task.

    A shift changes one property of the trials: their length, the rate of pulses, a delay, cues or
    noise. `Task.shifts` lists them. The report draws performance over the value of each property,
    by combination and by class of solution.

    References
    ----------
    Tolmachev & Engel 2025, on activations and behaviour out of distribution.

    Examples
    --------
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> GeneralisationAnalysis().applies(FlipFlop())
    True
    """

    kind: ClassVar[str] = "generalisation"
    chapter: ClassVar[str] = "generalisation"
    yields: ClassVar[type[Record]] = Generalisation
    labels: ClassVar[frozenset[str]] = MemberAnalysis.labels | {"classes"}

    trials: Annotated[int, Field(ge=1)] = 64
    """Number of trials for each value of a property."""

    classes: str = "solution_classes"
    """Name of the analysis whose classes the report relates to performance, if it is listed."""

    def applies(self, task: Task) -> bool:
        return bool(task.shifts())

    def cost(self, cell: Cell, task: Task) -> Cost:
        conditions = sum(len(shift.values) for shift in task.shifts())
        return Cost({"trials": conditions * self.trials}, 8 * 7 * conditions)

    def run(self, population: Population, task: Task) -> Sequence[Generalisation]:
        shifts = task.shifts()
        if not shifts:
            raise ValueError(
                f"the task {task.title} must have distribution shifts, got none. Define "
                "Task.shifts, or list the tasks of the analysis in 'tasks'."
            )
        conditions = [(i, value) for i, shift in enumerate(shifts) for value in shift.values]
        scores = [self._score(population, task, shifts[i], value) for i, value in conditions]
        common: dict[str, Any] = {
            "shifts": tuple(shift.name for shift in shifts),
            "units": tuple(shift.unit for shift in shifts),
            "trained": np.array([shift.trained for shift in shifts], float),
            "shift_of": np.array([i for i, _ in conditions], int),
            "value": np.array([value for _, value in conditions], float),
        }
        return [
            Generalisation(**common, **_of_member(scores, member))
            for member in range(len(population))
        ]

    def _score(self, population: Population, task: Task, shift: Shift, value: float) -> Scores:
        trials = shift.sample(value, self.trials)
        inputs = np.asarray(trials.inputs)
        _check_trials(task, shift, trials)
        parts = list(_outputs(population, inputs))
        return score(task, trials, np.concatenate(parts))

    def show(self, section: Section) -> Iterable[Exhibit]:
        return generalisation_exhibits(section, self.title, self.classes + self.weights_suffix)


def _outputs(population: Population, inputs: Array) -> Iterator[Array]:
    """Yield outputs [member, trial, time, output] of the members, batch by batch."""
    samples, size = int(np.prod(inputs.shape[:2])), population.cell.state_size
    for part in batches(len(population), 16 * samples * size):
        members = population.select("member", np.arange(len(population))[part])
        # Networks that explode on such trials are an outcome.
        with np.errstate(all="ignore"):
            yield members.outputs_of(members.unroll(inputs))


def _of_member(scores: Sequence[Scores], member: int) -> dict[str, Any]:
    return {
        each.name: np.array([getattr(score, each.name)[member] for score in scores])
        for each in fields(Scores)
    }


def _check_trials(task: Task, shift: Shift, trials: Trials) -> None:
    """Raise ValueError if the trials of a shift do not fit the task, which may be a user's own."""
    name = f"{task.title}: trials of the shift '{shift.name}'"
    shape = np.shape(trials.mask)
    wanted = ((*shape, task.inputs), (*shape, task.outputs))
    shapes = (np.shape(trials.inputs), np.shape(trials.targets))
    if len(shape) != 2 or shapes != wanted:
        raise ValueError(
            f"{name} must have inputs [trial, time, {task.inputs}], targets [trial, time, "
            f"{task.outputs}] and a mask [trial, time], got {shapes[0]}, {shapes[1]} and {shape}."
        )
    if not (np.asarray(trials.mask) > 0).any(axis=1).all():
        raise ValueError(f"{name} must have a time step that counts, got a mask of zeros.")
