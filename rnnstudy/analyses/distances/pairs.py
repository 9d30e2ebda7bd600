"""Distances between all networks of a task under a metric of their states."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from rnnstudy.analyses.base import (
    OTHER_TASKS,
    Cost,
    Inputs,
    Member,
    MemberAnalysis,
    Section,
    TaskAnalysis,
)
from rnnstudy.analyses.distances.representations import Activity, Representations
from rnnstudy.comparison.distances.pairs import Distances, pairwise_distances, prepare_forms
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Matrix
from rnnstudy.core.record import Record
from rnnstudy.metrics import AnyMetric
from rnnstudy.tasks import Task
from rnnstudy.training.train import WeightsOf

COLOURED = ("cell", "activation", "protocol")
"""Fields of networks that colours show. There is a protocol if the study has several."""


class DistanceRow(NamedTuple):
    """Row of a matrix of distances: a network and the input that its states are from."""

    member: Member
    part: int | None
    """Position in `member_inputs()`; None for a network of another task."""


class AllPairs(TaskAnalysis):
    """Base of analyses of the distances between the states of all networks, under one metric.

    Examples
    --------
    >>> from rnnstudy.tasks.flip_flop import FlipFlop
    >>> Pairs(metric="cka").cost(FlipFlop(), records=10).work
    {'pairs': 45}
    """

    metric: AnyMetric
    """Metric: svcca, cka, ..."""

    def run(self, task: Task, inputs: Inputs) -> Distances:
        rows = [
            (DistanceRow(member, part), record)
            for part, analysis in enumerate(self.member_inputs())
            for member, record in inputs[analysis.title].items()
        ]
        others = inputs.get(OTHER_TASKS, {})
        rows += [(DistanceRow(member, None), record) for member, record in others.items()]
        names = [self.label(row) for row, _ in rows]
        states = [self.states(record) for _, record in rows]
        values = pairwise_distances(prepare_forms(states, self.metric, names), self.metric, names)
        return self.annotate(values, [row for row, _ in rows])

    @abstractmethod
    def label(self, row: DistanceRow) -> str:
        """Return the name of a row of the matrix."""

    def annotate(self, values: Distances, rows: Sequence[DistanceRow]) -> Distances:
        """Return the distances with further properties of each row."""
        return values

    def cost(self, task: Task, records: int) -> Cost:
        return cost_of_pairs(records)

    def states(self, activity: Activity) -> Array:
        """Return a network's states in the shape that the metric takes.

        They keep their precision, from which a metric tells rounding.
        """
        states = activity.states
        return states if self.metric.trajectories else states.reshape(-1, states.shape[-1])

    @property
    def metric_title(self) -> str:
        """Name of the metric."""
        return self.metric.kind.rpartition(":")[2].lower()


class Pairs(AllPairs):
    """Distances between all networks of a task under a metric of their states on the probe.

    Examples
    --------
    >>> Pairs(metric="svcca", weights="untrained").title
    'svcca_untrained'
    """

    kind: ClassVar[str] = "pairs"
    yields: ClassVar[type[Record]] = Distances

    recipe_names: ClassVar[Mapping[str, str]] = {"weights": "networks"}

    weights: WeightsOf = "trained"
    """Weights of the networks, as of `representations`; imported networks have trained ones."""

    @property
    def title(self) -> str:
        return self.name or self.metric_title + self._representations.weights_suffix

    @property
    def _representations(self) -> Representations:
        return Representations(weights=self.weights)

    def member_inputs(self) -> tuple[MemberAnalysis, ...]:
        return (self._representations,)

    def label(self, row: DistanceRow) -> str:
        return row.member.name

    def show(self, section: Section) -> Iterable[Exhibit]:
        return distance_matrix_exhibit(
            section,
            self.title,
            "Each row and column is a network; 0 means the same representation of the probe "
            "trials. Blocks along the diagonal are networks of one cell and activation.",
        )


def cost_of_pairs(items: int) -> Cost:
    """Return the cost of all pairs of so many items, and of their distances in the store."""
    return Cost({"pairs": items * (items - 1) // 2}, 8 * items**2)


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
