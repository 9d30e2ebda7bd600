"""Base of distances between the states of all networks, and the rows of their matrix."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from rnnstudy.analyses.base import (
    OTHER_TASKS,
    Cost,
    Inputs,
    Member,
    Section,
    TaskAnalysis,
    overhead,
)
from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.comparison.distances.pairs import Distances, pairwise_distances, prepare_forms
from rnnstudy.comparison.distances.plants import plant_in_states
from rnnstudy.comparison.distances.tiles import PreparedForm
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Matrix
from rnnstudy.metrics import AnyMetric
from rnnstudy.metrics.base import Form
from rnnstudy.tasks import Task

COLOURED = ("cell", "activation", "protocol")
"""Fields of networks that colours show. There is a protocol if the study has several."""


LABEL_BYTES = 80
"""Bytes of the name of a row in the store, and of what is noted of it."""


class DistanceRow(NamedTuple):
    """Row of a matrix of distances: a network and the input that its states are from."""

    member: Member
    part: int | None
    """Position in `member_inputs()`; None for a network of another task."""
    planted: bool = False
    """True for a planted copy of the states."""

    @property
    def is_control(self) -> bool:
        """True unless the row is a network of the task as the first input has it."""
        return self.part != 0 or self.planted


class AllPairs(TaskAnalysis):
    """Base of analyses of the distances between the states of all networks, under one metric.

    Examples
    --------
    >>> from rnnstudy.analyses.distances.pairs import Pairs
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> Pairs(metric="cka").cost(FlipFlop(), records=10).work
    {'pairs': 45}
    """

    metric: AnyMetric
    """Metric: svcca, cka, ..."""

    @property
    def has_planted_copies(self) -> bool:
        """True if the matrix has a planted copy of each network's first input."""
        return False

    def run(self, task: Task, inputs: Inputs) -> Distances:
        records = list(self._records(inputs))
        names = [self.label(row) for row, _ in records]
        states = [self.states_of(row, record) for row, record in records]
        present = [i for i, each in enumerate(states) if each is not None]
        names = [names[i] for i in present]
        forms = prepare_forms([x for x in states if x is not None], self.metric, names)
        values = pairwise_distances(forms, self.metric, names)
        return self.annotate(values, [records[i][0] for i in present])

    def _records(self, inputs: Inputs) -> Iterable[tuple[DistanceRow, Activity]]:
        """Yield the rows input by input, then planted copies, then networks of other tasks."""
        parts = [inputs[analysis.title] for analysis in self.member_inputs()]
        for part, records in enumerate(parts):
            yield from ((DistanceRow(member, part), record) for member, record in records.items())
        if self.has_planted_copies:
            yield from (
                (DistanceRow(member, 0, planted=True), record)
                for member, record in parts[0].items()
            )
        others = inputs.get(OTHER_TASKS, {})
        yield from ((DistanceRow(member, None), record) for member, record in others.items())

    @abstractmethod
    def label(self, row: DistanceRow) -> str:
        """Return the name of a row of the matrix."""

    def annotate(self, values: Distances, rows: Sequence[DistanceRow]) -> Distances:
        """Return the distances with further properties of each row."""
        return values

    def cost(self, task: Task, records: int) -> Cost:
        return self._cost_of_items(task, records)

    def _cost_of_items(self, task: Task, items: int) -> Cost:
        """Return the cost of all pairs of so many items, and of forms that are stored."""
        samples = task.probe_trials * getattr(task, "probe_length", task.length)
        form = self.metric.stored_bytes(samples)
        stored = form and form + overhead(PreparedForm)
        return cost_of_pairs(items) + Cost(bytes=items * stored)

    def form_of(self, row: DistanceRow, activity: Activity) -> Form | None:
        """Return the metric's form of a row; None for a control whose states are not finite."""
        states = self.states_of(row, activity)
        return None if states is None else self.metric.prepare(states)

    def states_of(self, row: DistanceRow, activity: Activity) -> Array | None:
        """Return the states of a row; None for a control whose states are not finite.

        Untrained networks may grow without bound. Their distances say nothing.
        """
        if row.is_control and not np.isfinite(activity.states).all():
            return None
        return self.states(activity, row.planted)

    def states(self, activity: Activity, planted: bool = False) -> Array:
        """Return a network's states, or a planted copy, in the shape that the metric takes.

        They keep their precision, from which a metric tells rounding.
        """
        states = plant_in_states(activity.states) if planted else activity.states
        return states if self.metric.trajectories else states.reshape(-1, states.shape[-1])

    @property
    def metric_title(self) -> str:
        """Name of the metric."""
        return self.metric.kind.rpartition(":")[2].lower()


def cost_of_pairs(items: int) -> Cost:
    """Return the cost of all pairs of so many items, and of their distances in the store."""
    return Cost({"pairs": items * (items - 1) // 2}, 8 * items**2 + LABEL_BYTES * items)


def distance_matrix_exhibit(section: Section, title: str, caption: str) -> Iterable[Matrix]:
    """Yield the matrix of the distances that the analysis `title` computed, if there are any."""
    distances = section.shared[title]
    if isinstance(distances, Distances):
        yield Matrix(
            title=f"Distance between networks, {title}",
            caption=caption,
            values=distances.values,
            labels=distances.labels,
            groups=cells_and_activations(section, distances.labels),
            value_label="distance",
        )


def cells_and_activations(section: Section, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the cell, the activation and the protocol of the named members, for colours."""
    fields = {member.name: member.fields for member in section.members}
    keys = [key for key in COLOURED if all(key in fields[name] for name in names)]
    return {key: [str(fields[name][key]) for name in names] for key in keys}
