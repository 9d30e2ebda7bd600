"""From a protocol to trained networks: a whole cohort together, in resumable pieces."""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.core.arrays import Array
from rnnstudy.core.record import Record, array
from rnnstudy.population.initialise import initial_population, stream
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.training.evaluation import evaluate
from rnnstudy.training.kernels.choice import Kernel, device_kind, kernel_for, uncompilable
from rnnstudy.training.kernels.precision import tensor_float_32
from rnnstudy.training.protocol import Training
from rnnstudy.training.state import Arrays, Course, advanced, started
from rnnstudy.training.step import Program, part

PIECE = 10.0
"""Seconds after which training pauses, to be kept or to be stopped, if a step takes no longer."""


@dataclass(frozen=True, eq=False)
class Trained(Record):
    """Trained networks with the course of their training and how they fare on fresh trials."""

    population: Population
    seed: Array = array("member")
    """The seed that the network grew from; a fresh one if `attempt` is above 0."""
    attempt: Array = array("member")
    """How many times the network was trained again after it had diverged."""
    step: Array = array("sample")
    """Training steps before which the curves were recorded."""
    loss: Array = array("member", "sample")
    """Mean squared error on that step's training batch, without state noise; NaN once the member
    has stopped or diverged."""
    accuracy: Array = array("member", "sample")
    """The task's accuracy on the same batch."""
    steps: Array = array("member")
    """Steps that the member was trained for."""
    diverged_at: Array = array("member")
    """Step at which loss or gradient ceased to be finite and the member was frozen; -1 if never."""
    evaluation_loss: Array = array("member")
    """Mean squared error on the task's fresh, noise-free trials."""
    evaluation_accuracy: Array = array("member")
    solved: Array = array("member")
    """Whether the task's criterion is met."""

    @property
    def status(self) -> tuple[str, ...]:
        """`trained` or `diverged`, per member."""
        return tuple("diverged" if at >= 0 else "trained" for at in self.diverged_at)

    def untrained(self, inputs: int | None = None) -> Population:
        """The networks as they were before training, drawn again from their seeds.

        inputs: number of input channels; default: as many as they take. ValueError for a network
        that was trained elsewhere: nobody knows how it began.
        """
        if (self.seed < 0).any():
            raise ValueError("a network that was trained elsewhere has no seed to grow it from")
        now = self.population
        taken = now.inputs if inputs is None else inputs
        return initial_population(now.cell, taken, now.outputs, self.seed.tolist())

    def taking(self, inputs: int) -> Population:
        """The trained networks with so many input channels, to drive them with another task's.

        Where they take another number, their input weights are drawn anew, as they would have been
        before training; ValueError then as in `untrained`.
        """
        now = self.population
        if now.inputs == inputs:
            return now
        fresh = self.untrained(inputs).weights
        kept = {name: w for name, w in now.weights.items() if w.shape == fresh[name].shape}
        return replace(now, weights={**fresh, **kept})

    def replaced(self, members: Sequence[int], others: "Trained") -> "Trained":
        """The record with some members exchanged for others, in order."""
        both = Trained.join([self, others], "member")
        order = np.arange(len(self.seed))
        order[list(members)] = len(order) + np.arange(len(members))
        return both.select("member", order)


def train(
    cell: Cell,
    task: Task,
    protocols: Sequence[Training],
    seeds: Sequence[int],
    progress: Callable[[int, Array], None] = lambda step, loss: None,
    *,
    attempt: int = 0,
    resume: Course | None = None,
    checkpoint: Callable[[Course], None] = lambda course: None,
    devices: Sequence[str] = (),
) -> Trained:
    """Train one network per protocol and seed, together, on batches drawn from each one's own seed.

    The protocols may differ in `Training.per_member` fields only (ValueError otherwise). Every few
    seconds `checkpoint` is given the course so far, from which training can `resume`, and at each
    record `progress` the steps done and the losses [member]; what they raise ends training. With an
    `attempt` above 0 each network grows from a fresh seed, a function of its own and the attempt.
    Several `devices` (`sharding.devices_of`) train a part of the members each, or with
    `data_parallel` of each batch; by default TensorFlow chooses one. Cells that XLA cannot compile
    train as on a GPU, with a warning.
    """
    if not len(protocols) == len(seeds) > 0:
        raise ValueError(f"{len(protocols)} training protocols for {len(seeds)} seeds")
    common = common_protocol(protocols)
    seeds = [fresh_seed(seed, attempt) for seed in seeds]
    noisy = any(protocol.state_noise > 0 for protocol in protocols)
    kernel = _kernel(cell, task, devices)
    shared = common.data == "shared"
    program = Program(cell, task, common.batch, noisy, kernel, shared, common.precision)
    course = resume or started(initial_population(cell, task.inputs, task.outputs, seeds), common)
    most = 1
    while course.done < common.steps and len(course.active):
        before, begun = course.done, time.monotonic()
        with tensor_float_32(common.tf32):
            course = advanced(course, program, protocols, seeds, devices, most)
        most = _next_piece(course.done - before, time.monotonic() - begun, common.history)
        checkpoint(course)
        if course.at_record(common):
            progress(course.done, course.loss[:, (course.done - 1) // common.history])
    return _judged(cell, task, course, common, seeds, attempt)


def _kernel(cell: Cell, task: Task, devices: Sequence[str]) -> Kernel:
    """The form in which a cell trains on these devices."""
    kernel = kernel_for(device_kind(devices))
    reason = uncompilable(cell, task.inputs) if kernel == "by_member" else ""
    if not reason:
        return kernel
    warnings.warn(
        f"{type(cell).__name__} cannot be compiled by XLA ({reason}): its networks train as one "
        "batch of products, more slowly, and to the same bits only in the same company",
        stacklevel=3,
    )
    return "together"


def _next_piece(steps: int, seconds: float, history: int) -> int:
    """How many steps to take at a time, after so many took so long."""
    return int(np.clip(steps * PIECE / max(seconds, 1e-9), 1, history))


def fresh_seed(seed: int, attempt: int) -> int:
    """A member's seed at its first attempt (0) or a later one; whoever else tries again."""
    return seed ^ stream(seed, f"attempt {attempt}")[1] if attempt else seed


def common_protocol(protocols: Sequence[Training]) -> Training:
    """The protocol that a cohort shares; ValueError if its fields differ beyond `per_member`."""
    shared = [p.model_dump(exclude=set(Training.per_member)) for p in protocols]
    differing = sorted(f for f in shared[0] if any(s[f] != shared[0][f] for s in shared))
    if differing:
        raise ValueError(f"one cohort cannot mix training protocols: {', '.join(differing)} differ")
    return protocols[0]


def _judged(
    cell: Cell, task: Task, course: Course, protocol: Training, seeds: Sequence[int], attempt: int
) -> Trained:
    population = _population(cell, course.parameters)
    loss, accuracy = evaluate(task, population)
    stopped = np.where(course.stopped_at >= 0, course.stopped_at, protocol.steps)
    return Trained(
        population=population,
        seed=np.asarray(seeds),
        attempt=np.full(len(seeds), attempt),
        step=np.arange(0, protocol.steps, protocol.history),
        loss=course.loss,
        accuracy=course.accuracy,
        steps=np.where(course.diverged_at >= 0, course.diverged_at, stopped),
        diverged_at=course.diverged_at,
        evaluation_loss=loss,
        evaluation_accuracy=accuracy,
        solved=task.solved(loss, accuracy) & (course.diverged_at < 0),
    )


def _population(cell: Cell, parameters: Arrays) -> Population:
    return Population(
        cell=cell,
        weights=part(parameters, "cell/"),
        readout=part(parameters, "readout/"),
        initial_state=parameters["initial_state"],
    )
