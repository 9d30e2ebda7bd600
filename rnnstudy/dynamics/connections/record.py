"""Record of the connections of fixed points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Graph, Panels, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array
from rnnstudy.dynamics.connections.arrivals import ARRIVAL_OUTCOMES
from rnnstudy.dynamics.connections.links import (
    LabelledEdges,
    LabelledGraph,
    average_by_label,
    no_labels,
    readout_signs,
)
from rnnstudy.dynamics.states.outcomes import CountedOutcomes, Outcomes
from rnnstudy.dynamics.states.records import SearchRecord

MAX_PANELS = 8
"""Largest number of panels of a picture."""


@dataclass(frozen=True, eq=False)
class Connections(CountedOutcomes, SearchRecord, LabelledGraph):
    """Fixed points, and the ends of the trajectories that leave the unstable ones.

    Points have the numbers that they have in the record of fixed points. `len` and indices count
    points.

    Examples
    --------
    >>> import tensorflow as tf
    >>> import rnnstudy
    >>> def bistable(inputs, state):
    ...     return tf.tanh(2.0 * state)
    >>> points = rnnstudy.find_fixed_points(bistable, state_size=1)
    >>> graph = rnnstudy.connections(bistable, points)
    >>> graph.edges[["source", "target", "share"]].values.tolist()
    [[2.0, 0.0, 0.5], [2.0, 1.0, 0.5]]
    """

    axis: ClassVar[str] = "point"
    owners: ClassVar[Mapping[str, tuple[str, str]]] = {"point": ("member", "input_index")}
    references: ClassVar[Mapping[str, str]] = {"source": "point", "target": "point"}
    parts: ClassVar[Mapping[str, str]] = {"trajectory": "source"}
    outcome_table: ClassVar[Outcomes] = ARRIVAL_OUTCOMES

    state: Array = array("point", "state")
    """Fixed points."""
    outputs: Array = array("point", "output")
    """Readout at the points, without columns if it is not known."""
    n_unstable: Array = array("point")
    """Number of unstable directions."""
    member: Array = array("point")
    """Position of the network."""
    input_index: Array = array("point")
    """Position of the constant input."""
    source: Array = array("trajectory")
    """Point at which a trajectory begins."""
    target: Array = array("trajectory")
    """Point at which a trajectory ends, -1 for none."""
    outcome: Array = array("trajectory")
    """Outcome of each trajectory, a code of ARRIVAL_OUTCOMES."""
    steps: Array = array("trajectory")
    """Number of steps until the outcome was clear."""
    has_labels: bool = False
    """True if signs of the outputs are the task's answers, and so the labels of points."""

    @property
    def edges(self) -> Any:
        """A `pandas.DataFrame` with a row per pair of points that trajectories connect.

        It has source, target, number of trajectories, and their share of all from the source.
        """
        frame = self.to_frame()
        connecting = frame[frame["target"] >= 0]
        return connecting.drop(columns="outcome").reset_index(drop=True)

    def to_frame(self) -> Any:
        """Return a `pandas.DataFrame` with a row per source and end; target -1 is no point."""
        keys = np.stack([self.source, self.target, self.outcome], axis=1)
        rows, count = np.unique(keys, axis=0, return_counts=True)
        source, target, outcome = rows.T
        total = np.bincount(self.source, minlength=len(self))
        return pd.DataFrame(
            {
                "member": self.member[source],
                "input_index": self.input_index[source],
                "source": source,
                "n_unstable": self.n_unstable[source],
                "target": target,
                "outcome": ARRIVAL_OUTCOMES.names_of(outcome),
                "count": count,
                "share": count / total[source],
            }
        )

    def targets_of(self, point: int) -> Array:
        """Return the points to which the unstable directions of a point lead, in order."""
        targets = self.target[self.source == point]
        return np.unique(targets[targets >= 0])

    @property
    def signs(self) -> Array:
        """Labels of -1, 0 and 1, `[point, output]`.

        The label of a stable point is the sign of its readout. That of another point is the sign
        that all its targets share, else 0.
        """
        sign = readout_signs(self.outputs)
        label: Array = sign.copy()
        for point in np.flatnonzero(self.n_unstable > 0).tolist():
            ends = sign[self.targets_of(point)]
            shared = (ends == ends[:1]).all(axis=0)
            label[point] = np.where(shared, ends[0], 0) if len(ends) else 0
        return label

    @property
    def is_labelled(self) -> Array:
        """Mask of points with a label, `[point]`: stable ones, and those that lead to any."""
        mask: Array = self.n_unstable == 0
        mask[self.source[self.target >= 0]] = True
        return mask

    @property
    def spans(self) -> Array:
        """Number of outputs whose signs differ between the two ends of a saddle, `[saddle]`.

        Saddles have one unstable direction. Neighbours have 1, saddles without two ends -1.
        """
        sign = readout_signs(self.outputs)
        ends = [self.targets_of(int(point)) for point in np.flatnonzero(self.n_unstable == 1)]
        return np.array(
            [int((sign[e[0]] != sign[e[1]]).sum()) if len(e) == 2 else -1 for e in ends], int
        )

    def links(self, directions: bool = False) -> LabelledEdges:
        if not self.has_labels:
            raise no_labels()
        source, target, share = self._shares()
        known = self.is_labelled[source] & self.is_labelled[target]
        source, target = source[known], target[known]
        ends, group = np.stack([source, target], axis=1), self.input_index[source]
        if directions:
            group = group * (self.size("state") + 1) + self.n_unstable[source]
        return average_by_label(self.signs[ends], share[known], group, 0, source)

    def matrix(self) -> Array:
        matrix = np.zeros((len(self), len(self)))
        source, target, share = self._shares()
        matrix[source, target] = share
        return matrix

    def _shares(self) -> tuple[Array, Array, Array]:
        """Return source, target and share, [edge] each.

        Stable points lead to themselves. A row of zeros would mean that the point is absent.
        """
        stable = np.flatnonzero(self.n_unstable == 0)
        arrived = np.stack([self.source, self.target], axis=1)[self.target >= 0]
        rows, count = np.unique(arrived, axis=0, return_counts=True)
        total = np.bincount(self.source, minlength=len(self))
        return (
            np.concatenate([stable, rows[:, 0]]),
            np.concatenate([stable, rows[:, 1]]),
            np.concatenate([np.ones(len(stable)), count / total[rows[:, 0]]]),
        )

    def saddle_counts(self, member: int = 0, input_index: int = 0) -> tuple[Array, Array]:
        """Return the stable points of a system, and the number of saddles between each two.

        The numbers of the points are `[stable]`. The counts `[stable, stable]` are those of points
        with one unstable direction that lead to both.
        """
        of_system = (self.member == member) & (self.input_index == input_index)
        stable = np.flatnonzero(of_system & (self.n_unstable == 0))
        counts = np.zeros((len(stable), len(stable)), int)
        for point in np.flatnonzero(of_system & (self.n_unstable == 1)).tolist():
            ends = np.searchsorted(stable, np.intersect1d(self.targets_of(point), stable))
            if len(ends) == 2:
                counts[ends[0], ends[1]] += 1
                counts[ends[1], ends[0]] += 1
        return stable, counts

    def to_networkx(self, member: int | None = None, input_index: int | None = None) -> Any:
        """Return a `networkx.DiGraph` of all points, or of those of a member and an input.

        Nodes have `member`, `input_index`, `n_unstable` and `name`. Edges have `count` and
        `weight`, the share of trajectories from their source.
        """
        import networkx as nx

        mask = np.ones(len(self), bool)
        mask &= True if member is None else self.member == member
        mask &= True if input_index is None else self.input_index == input_index
        graph = nx.DiGraph()
        names = self._names()
        for i in np.flatnonzero(mask).tolist():
            graph.add_node(
                i,
                member=int(self.member[i]),
                input_index=int(self.input_index[i]),
                n_unstable=int(self.n_unstable[i]),
                name=names[i],
            )
        for row in self.edges.itertuples():
            if mask[row.source]:
                graph.add_edge(row.source, row.target, count=row.count, weight=row.share)
        return graph

    def _names(self) -> list[str]:
        """Return signs of the readout if they distinguish all points of a network, else numbers."""
        texts = ["".join("-0+"[sign + 1] for sign in row) for row in self.signs]
        keys = list(zip(self.member.tolist(), self.input_index.tolist(), texts, strict=True))
        distinct = len(set(keys)) == len(keys) and self.outputs.shape[1] > 0
        return texts if distinct else [str(i) for i in range(len(self))]

    def exhibits(self) -> Sequence[Exhibit]:
        """Return a graph per network and input, and the table of all ends."""
        owners = np.stack([self.member, self.input_index], axis=1)
        pairs = np.unique(owners, axis=0).tolist()
        return (
            Panels(
                title="Connections of fixed points",
                caption="Arrows lead from unstable points to where their unstable directions lead;"
                " rows are numbers of unstable directions.",
                exhibits=[self._graph(*pair) for pair in pairs[:MAX_PANELS]],
            ),
            Table(
                title="Connections of fixed points",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def _graph(self, member: int, input_index: int) -> Graph:
        graph = self.to_networkx(member, input_index)
        position = {node: i for i, node in enumerate(graph)}
        return Graph(
            title=f"member {member}, input {input_index}",
            nodes=[data["name"] for _, data in graph.nodes(data=True)],
            groups=[str(data["n_unstable"]) for _, data in graph.nodes(data=True)],
            edges=[
                (position[a], position[b], weight) for a, b, weight in graph.edges(data="weight")
            ],
        )

    def __repr__(self) -> str:
        ends = ", ".join(f"{count} {name}" for name, count in self.outcomes.items() if count)
        return (
            f"connections of {len(self)} fixed points: {len(self.edges)} edges; "
            f"trajectories to: {ends or 'none'}"
        )
