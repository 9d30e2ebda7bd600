"""From a protocol to trained networks: a whole cohort together, in resumable pieces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnstudy.cells import Cell
from rnnstudy.lazy import tf
from rnnstudy.population.data_parallel import run_shared
from rnnstudy.population.evaluation import evaluate, parameters_of
from rnnstudy.population.kernels import device_kind, kernel_for
from rnnstudy.population.population import Population, initial_population, stream
from rnnstudy.population.precision import tensor_float_32
from rnnstudy.population.protocol import Training
from rnnstudy.population.sharding import SMALLEST_WIDTH, run_chunk
from rnnstudy.population.steps import Program, part
from rnnstudy.record import Array, Record, array, arrays
from rnnstudy.tasks import Task

Arrays = dict[str, Array]


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


@dataclass(frozen=True, eq=False)
class Course(Record):
    """Where the training of a cohort stands: enough to go on from, bit for bit."""

    done: int
    """Steps of the protocol that are behind; a stopped member took fewer."""
    parameters: Arrays = arrays("member")
    first: Arrays = arrays("member")
    """Adam's first moments."""
    second: Arrays = arrays("member")
    """Adam's second moments."""
    diverged_at: Array = array("member")
    stopped_at: Array = array("member")
    """Steps after which a member had held its task's criterion; -1 if it has not."""
    loss: Array = array("member", "sample")
    """As in `Trained`, NaN where not yet recorded."""
    accuracy: Array = array("member", "sample")

    @property
    def active(self) -> Array:
        """Positions of the members that are still training."""
        return np.flatnonzero((self.diverged_at < 0) & (self.stopped_at < 0))


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

    The protocols may differ in `Training.per_member` fields only (ValueError otherwise). From time
    to time `checkpoint` is given the course so far, from which training can `resume`, and then
    `progress` the steps done and the losses [member]; what they raise ends training. With an
    `attempt` above 0 each network grows from a fresh seed, a function of its own and the attempt.
    Several `devices` (`sharding.devices_of`) train a part of the members each, or with
    `data_parallel` of each batch; by default TensorFlow chooses one.
    """
    if not len(protocols) == len(seeds) > 0:
        raise ValueError(f"{len(protocols)} training protocols for {len(seeds)} seeds")
    common = common_protocol(protocols)
    seeds = [fresh_seed(seed, attempt) for seed in seeds]
    noisy = any(protocol.state_noise > 0 for protocol in protocols)
    kernel = kernel_for(device_kind(devices))
    shared = common.data == "shared"
    program = Program(cell, task, common.batch, noisy, kernel, shared, common.precision)
    course = resume or _start(initial_population(cell, task.inputs, task.outputs, seeds), common)
    while course.done < common.steps and len(course.active):
        with tensor_float_32(common.tf32):
            course = _advance(course, program, protocols, seeds, devices)
        checkpoint(course)
        progress(course.done, course.loss[:, (course.done - 1) // common.history])
    return _judged(cell, task, course, common, seeds, attempt)


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


def _start(untrained: Population, protocol: Training) -> Course:
    parameters = parameters_of(untrained)
    nowhere = np.full(len(untrained), -1)
    blank = np.full((len(untrained), -(-protocol.steps // protocol.history)), np.nan)
    return Course(
        done=0,
        parameters=parameters,
        first={name: np.zeros_like(values) for name, values in parameters.items()},
        second={name: np.zeros_like(values) for name, values in parameters.items()},
        diverged_at=nowhere,
        stopped_at=nowhere,
        loss=blank,
        accuracy=blank,
    )


def _advance(
    course: Course,
    program: Program,
    protocols: Sequence[Training],
    seeds: Sequence[int],
    devices: Sequence[str],
) -> Course:
    """The next piece of training, of the members that are still at it."""
    common = protocols[0]
    members = course.active if common.stop == "solved" else np.arange(len(seeds))
    rows = _filled(members, len(seeds))
    count = min(common.history, common.steps - course.done)
    here = course.select("member", rows)
    run = run_shared if common.data_parallel else run_chunk
    state, loss, accuracy = run(
        program,
        devices,
        (
            (here.parameters, (here.first, here.second), here.diverged_at.astype(np.int32)),
            _vectors([protocols[i] for i in rows]),
            _streams([seeds[i] for i in rows], common),
        ),
        tuple(tf.constant(number) for number in (course.done, count, common.steps)),
    )
    # What repeated members became is dropped.
    parameters, (first, second), diverged_at, loss, accuracy = tf.nest.map_structure(
        lambda values: values[: len(members)], (*state, loss, accuracy)
    )
    mark, training = course.done // common.history, np.isin(members, course.active)
    moved = replace(
        course,
        done=course.done + count,
        parameters=_put(course.parameters, members, parameters),
        first=_put(course.first, members, first),
        second=_put(course.second, members, second),
        diverged_at=_put_rows(course.diverged_at, members, diverged_at),
        loss=_put_rows(course.loss, (members, mark), np.where(training, loss, np.nan)),
        accuracy=_put_rows(course.accuracy, (members, mark), np.where(training, accuracy, np.nan)),
    )
    return _stop(moved, program.task, common, mark) if common.stop == "solved" else moved


def _filled(members: Array, cohort: int) -> Array:
    """Members to run together, filled up with repetitions to one of few widths.

    With `stop: solved` only those still training are run, so that the others cost nothing, in
    widths that halve, so that few programs are compiled. Otherwise all stay in their places: where
    products round by their place in the batch, a member that diverges still moves no other.
    """
    halved = 1 << (len(members) - 1).bit_length()
    width = max(min(halved, cohort), SMALLEST_WIDTH)
    return np.concatenate([members, np.repeat(members[:1], width - len(members))])


def _put(old: Arrays, members: Array, new: Arrays) -> Arrays:
    return {name: _put_rows(values, members, new[name]) for name, values in old.items()}


def _put_rows(old: Array, at: Any, new: Array) -> Array:
    changed = old.copy()
    changed[at] = new
    return changed


def _stop(course: Course, task: Task, protocol: Training, mark: int) -> Course:
    """Stop the members that have met their task's criterion at the last `hold` records."""
    held = slice(max(mark + 1 - protocol.hold, 0), mark + 1)
    met = task.solved(course.loss[:, held], course.accuracy[:, held]).all(axis=1)
    now = met & (course.stopped_at < 0) & (course.diverged_at < 0) & (mark + 1 >= protocol.hold)
    return replace(course, stopped_at=np.where(now, course.done, course.stopped_at))


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


def _vectors(protocols: Sequence[Training]) -> dict[str, Any]:
    """Each per-member field as a vector [member]."""
    return {
        name: tf.constant([getattr(p, name) for p in protocols], tf.float32)
        for name in sorted(Training.per_member)
    }


def _streams(seeds: Sequence[int], protocol: Training) -> dict[str, Any]:
    """Each member's random streams: int32 [member, 2]."""
    sources = [0] * len(seeds) if protocol.data == "shared" else seeds
    return {
        "trials": tf.constant([stream(seed, "trials") for seed in sources], tf.int32),
        "noise": tf.constant([stream(seed, "noise") for seed in seeds], tf.int32),
    }
