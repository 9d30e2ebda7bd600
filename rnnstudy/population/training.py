"""From a protocol to trained networks: whole cohorts as one compiled program."""

from dataclasses import dataclass

from rnnstudy.population.population import Population
from rnnstudy.record import Array, Record, array


@dataclass(frozen=True, eq=False)
class Trained(Record):
    """Trained networks with the course of their training and how they fare on fresh trials."""

    population: Population
    seed: Array = array("member")
    step: Array = array("sample")
    """Training steps at which the curves were recorded."""
    loss: Array = array("member", "sample")
    """Mean squared error on the training batch of that step."""
    accuracy: Array = array("member", "sample")
    diverged_at: Array = array("member")
    """Step at which loss or gradient ceased to be finite and the member was frozen; -1 if never."""
    evaluation_loss: Array = array("member")
    """Mean squared error on the task's fresh, noise-free trials."""
    evaluation_accuracy: Array = array("member")
    solved: Array = array("member")
    """Whether the task's criterion is met."""
