"""Where the training of a cohort stands, and how it moves on, piece by piece."""

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
from rnnstudy.training.data_parallel import run_shared
from rnnstudy.training.evaluation import parameters_of
from rnnstudy.training.protocol import Training
from rnnstudy.training.sharding import SMALLEST_WIDTH, run_chunk
from rnnstudy.training.step import Program

Arrays = dict[str, Array]


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

    def at_record(self, protocol: Training) -> bool:
        """Whether the steps that belong to one record of the curves are all behind."""
        return self.done % protocol.history == 0 or self.done == protocol.steps

    def active_at(self, step: int) -> Array:
        """Positions of the members that were still training before a step."""
        lasting = (self.diverged_at < 0) | (self.diverged_at >= step)
        return np.flatnonzero(lasting & (self.stopped_at < 0))


def started(untrained: Population, protocol: Training) -> Course:
    """The course before the first step."""
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


def advanced(
    course: Course,
    program: Program,
    protocols: Sequence[Training],
    seeds: Sequence[int],
    devices: Sequence[str],
    most: int,
) -> Course:
    """The course after the next piece of training: to the next record, or `most` steps.

    Where pieces end moves no result: all that is decided on the way is decided at the records.
    """
    common = protocols[0]
    mark = course.done // common.history
    begun = mark * common.history
    count = min(most, begun + common.history - course.done, common.steps - course.done)
    members = course.active_at(begun) if common.stop == "solved" else np.arange(len(seeds))
    rows = _filled(members, len(seeds))
    here = course.select("member", rows)
    run = run_shared if common.data_parallel else run_chunk
    state, loss, accuracy = run(
        program,
        devices,
        (
            (here.parameters, (here.first, here.second), here.diverged_at.astype(np.int32)),
            vectors([protocols[i] for i in rows]),
            streams([seeds[i] for i in rows], common),
        ),
        tuple(tf.constant(number) for number in (course.done, count, common.steps)),
    )
    # What repeated members became is dropped.
    parameters, (first, second), diverged_at, loss, accuracy = tf.nest.map_structure(
        lambda values: values[: len(members)], (*state, loss, accuracy)
    )
    moved = replace(
        course,
        done=course.done + count,
        parameters=_put(course.parameters, members, parameters),
        first=_put(course.first, members, first),
        second=_put(course.second, members, second),
        diverged_at=_put_rows(course.diverged_at, members, diverged_at),
    )
    if course.done == begun:
        training, at = np.isin(members, course.active), (members, mark)
        moved = replace(
            moved,
            loss=_put_rows(course.loss, at, np.where(training, loss, np.nan)),
            accuracy=_put_rows(course.accuracy, at, np.where(training, accuracy, np.nan)),
        )
    if common.stop == "solved" and moved.at_record(common):
        return _stop(moved, program.task, common, mark)
    return moved


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


def vectors(protocols: Sequence[Training]) -> dict[str, Any]:
    """Each per-member field as a vector [member]."""
    return {
        name: tf.constant([getattr(p, name) for p in protocols], tf.float32)
        for name in sorted(Training.per_member)
    }


def streams(seeds: Sequence[int], protocol: Training) -> dict[str, Any]:
    """Each member's random streams: int32 [member, 2]."""
    sources = [0] * len(seeds) if protocol.data == "shared" else seeds
    return {
        "trials": tf.constant([stream(seed, "trials") for seed in sources], tf.int32),
        "noise": tf.constant([stream(seed, "noise") for seed in seeds], tf.int32),
    }
