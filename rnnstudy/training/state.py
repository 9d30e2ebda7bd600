"""State of a cohort's training, and its progress from record to record."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.lazy_imports import tf
from rnnstudy.core.record import Record, array, arrays
from rnnstudy.population.initialise import stream
from rnnstudy.population.population import Population
from rnnstudy.tasks import Task
from rnnstudy.training.data_parallel import run_data_parallel
from rnnstudy.training.evaluation import parameters_of
from rnnstudy.training.protocol import Training
from rnnstudy.training.sharding import SMALLEST_WIDTH, run_chunk
from rnnstudy.training.step import Program

Arrays = dict[str, Array]


@dataclass(frozen=True, eq=False)
class TrainingState(Record):
    """Training state of a cohort, from which training resumes bit for bit.

    Examples
    --------
    >>> from rnnstudy.cells.vanilla import Vanilla
    >>> from rnnstudy.population.initialise import initial_population
    >>> from rnnstudy.training.protocol import Training
    >>> from rnnstudy.training.state import initial_training_state
    >>> networks = initial_population(Vanilla(units=3), inputs=1, outputs=1, seeds=[0, 1])
    >>> initial_training_state(networks, Training()).active.tolist()
    [0, 1]
    """

    done: int
    """Completed steps of the protocol; a stopped member took fewer."""
    parameters: Arrays = arrays("member")
    """Trainable arrays by name, each [member, ...]."""
    first: Arrays = arrays("member")
    """Adam's first moments."""
    second: Arrays = arrays("member")
    """Adam's second moments."""
    diverged_at: Array = array("member")
    """Step at which loss or gradient ceased to be finite; -1 if never."""
    stopped_at: Array = array("member")
    """Steps after which the member had solved its task; -1 if it has not."""
    loss: Array = array("member", "sample")
    """Loss curve as in `TrainedNetworks`; NaN at records to come."""
    accuracy: Array = array("member", "sample")
    """Accuracy curve, likewise."""

    @property
    def active(self) -> Array:
        """Positions of the members still in training."""
        return np.flatnonzero((self.diverged_at < 0) & (self.stopped_at < 0))

    def at_record(self, protocol: Training) -> bool:
        """Return True if a record of the curves is complete."""
        return self.done % protocol.record_every == 0 or self.done == protocol.steps

    def active_at(self, step: int) -> Array:
        """Return the positions of the members in training before a step."""
        lasting = (self.diverged_at < 0) | (self.diverged_at >= step)
        return np.flatnonzero(lasting & (self.stopped_at < 0))


def initial_training_state(untrained: Population, protocol: Training) -> TrainingState:
    """Return the training state before the first step."""
    parameters = parameters_of(untrained)
    never = np.full(len(untrained), -1)
    blank = np.full((len(untrained), -(-protocol.steps // protocol.record_every)), np.nan)
    return TrainingState(
        done=0,
        parameters=parameters,
        first={name: np.zeros_like(values) for name, values in parameters.items()},
        second={name: np.zeros_like(values) for name, values in parameters.items()},
        diverged_at=never,
        stopped_at=never,
        loss=blank,
        accuracy=blank,
    )


def advance(
    state: TrainingState,
    program: Program,
    protocols: Sequence[Training],
    seeds: Sequence[int],
    devices: Sequence[str],
    most: int,
) -> TrainingState:
    """Return the state after training to the next record, or for at most `most` steps.

    Results do not depend on `most`, since every decision is taken at a record.
    """
    common = protocols[0]
    mark = state.done // common.record_every
    last_record = mark * common.record_every
    count = min(most, last_record + common.record_every - state.done, common.steps - state.done)
    members = state.active_at(last_record) if common.stop == "solved" else np.arange(len(seeds))
    rows = _fill_width(members, len(seeds))
    batch = state.select("member", rows)
    run = run_data_parallel if common.data_parallel else run_chunk
    (parameters, moments, diverged_at), loss, accuracy = run(
        program,
        devices,
        (
            (batch.parameters, (batch.first, batch.second), batch.diverged_at.astype(np.int32)),
            vectors([protocols[i] for i in rows]),
            streams([seeds[i] for i in rows], common),
        ),
        tuple(tf.constant(number) for number in (state.done, count, common.steps)),
    )
    # Repeated members are dropped.
    parameters, (first, second), diverged_at, loss, accuracy = tf.nest.map_structure(
        lambda values: values[: len(members)], (parameters, moments, diverged_at, loss, accuracy)
    )
    moved = replace(
        state,
        done=state.done + count,
        parameters=_put(state.parameters, members, parameters),
        first=_put(state.first, members, first),
        second=_put(state.second, members, second),
        diverged_at=_put_rows(state.diverged_at, members, diverged_at),
    )
    if state.done == last_record:
        training, at = np.isin(members, state.active), (members, mark)
        moved = replace(
            moved,
            loss=_put_rows(state.loss, at, np.where(training, loss, np.nan)),
            accuracy=_put_rows(state.accuracy, at, np.where(training, accuracy, np.nan)),
        )
    if common.stop == "solved" and moved.at_record(common):
        return _stop(moved, program.task, common, mark)
    return moved


def _fill_width(members: Array, cohort: int) -> Array:
    """Return members to run together, with repetitions up to one of few widths.

    With `stop: solved` only members in training are run. Their widths are powers of two, so that
    few programs are compiled. Otherwise all members keep their positions, since products may round
    by their position in the batch.
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


def _stop(state: TrainingState, task: Task, protocol: Training, mark: int) -> TrainingState:
    """Stop the members that met their task's criterion at the last `solved_for` records."""
    recent = slice(max(mark + 1 - protocol.solved_for, 0), mark + 1)
    met = task.is_solved(state.loss[:, recent], state.accuracy[:, recent]).all(axis=1)
    in_training = (state.stopped_at < 0) & (state.diverged_at < 0)
    stopping = met & in_training & (mark + 1 >= protocol.solved_for)
    return replace(state, stopped_at=np.where(stopping, state.done, state.stopped_at))


def vectors(protocols: Sequence[Training]) -> dict[str, Any]:
    """Return each per-member field as a vector [member]."""
    return {
        name: tf.constant([getattr(p, name) for p in protocols], tf.float32)
        for name in sorted(Training.per_member)
    }


def streams(seeds: Sequence[int], protocol: Training) -> dict[str, Any]:
    """Return each member's random streams: int32 [member, 2]."""
    sources = [0] * len(seeds) if protocol.data == "shared" else seeds
    return {
        "trials": tf.constant([stream(seed, "trials") for seed in sources], tf.int32),
        "noise": tf.constant([stream(seed, "noise") for seed in seeds], tf.int32),
    }
