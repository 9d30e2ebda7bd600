"""The record of how fixed points are connected."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Graph, Panels, Table
from rnnstudy.core.lazy_imports import pd
from rnnstudy.core.record import array
from rnnstudy.dynamics.basins.arrivals import ARRIVAL_OUTCOMES
from rnnstudy.dynamics.connections.links import Linked, Links, means, no_words
from rnnstudy.dynamics.states.outcomes import CountedOutcomes, Outcomes

SHOWN = 8
"""Networks and inputs that are drawn."""


@dataclass(frozen=True, eq=False)
class Connections(CountedOutcomes, Linked):
    """Fixed points, and where the states that left the unstable ones came to; points are numbered
    as in the record of fixed points."""

    outcome_table: ClassVar[Outcomes] = ARRIVAL_OUTCOMES

    state: Array = array("point", "state")
    outputs: Array = array("point", "output")
    """What the network puts out there; no columns if that is not known."""
    n_unstable: Array = array("point")
    member: Array = array("point")
    input_index: Array = array("point")
    source: Array = array("trajectory")
    """The point that was left."""
    target: Array = array("trajectory")
    """The point that was come to, -1 for none."""
    outcome: Array = array("trajectory")
    """`point`, or why at none: `elsewhere` (at rest), `cycling`, `escaped`, `moving` (budget
    spent), as a code of ARRIVAL_OUTCOMES."""
    steps: Array = array("trajectory")
    words: bool = False
    """Whether signs of the outputs are the task's answers, and so the words that points store."""

    def __len__(self) -> int:
        return len(self.state)

    @property
    def edges(self) -> Any:
        """A `pandas.DataFrame` with a row per pair of points that trajectories joined: source,
        target, their number, and their share of all that left the source."""
        frame = self.to_frame()
        joined = frame[frame["target"] >= 0]
        return joined.drop(columns="outcome").reset_index(drop=True)

    def single_member(self, member: int) -> Self:
        """One member's points and trajectories, as if it had been the only one: member 0."""
        own = np.flatnonzero(self.member == member)
        first = own[0] if len(own) else 0
        found = self.select("point", own)
        left = self.select("trajectory", np.isin(self.source, own))
        return replace(
            found,
            member=np.zeros(len(own), int),
            source=left.source - first,
            target=np.where(left.target >= 0, left.target - first, -1),
            outcome=left.outcome,
            steps=left.steps,
        )

    def to_frame(self) -> Any:
        """A `pandas.DataFrame` with a row per source and end: the edges, and what came to no
        point, with target -1."""
        keys = np.stack([self.source, self.target, self.outcome], axis=1)
        rows, count = np.unique(keys, axis=0, return_counts=True)
        source, target, outcome = rows.T
        left = np.bincount(self.source, minlength=len(self))
        return pd.DataFrame(
            {
                "member": self.member[source],
                "input_index": self.input_index[source],
                "source": source,
                "n_unstable": self.n_unstable[source],
                "target": target,
                "outcome": ARRIVAL_OUTCOMES.names_of(outcome),
                "count": count,
                "share": count / left[source],
            }
        )

    def reached(self, point: int) -> Array:
        """The points to which the unstable directions of a point lead, in order."""
        own = self.target[self.source == point]
        return np.unique(own[own >= 0])

    @property
    def signs(self) -> Array:
        """A label [point, output] of -1, 0 and 1: the sign of the readout at a stable point; at
        others that which all points that it leads to share, else 0."""
        own = np.sign(self.outputs).astype(int)
        label = own.copy()
        for point in np.flatnonzero(self.n_unstable > 0).tolist():
            ends = own[self.reached(point)]
            shared = (ends == ends[:1]).all(axis=0)
            label[point] = np.where(shared, ends[0], 0) if len(ends) else 0
        return label

    @property
    def labelled(self) -> Array:
        """Which points [point] have a label: the stable ones, and those that lead to any."""
        found = self.n_unstable == 0
        found[self.source[self.target >= 0]] = True
        return found

    @property
    def spans(self) -> Array:
        """In how many outputs the signs of the two ends differ of each point with one unstable
        direction: [saddle], 1 for neighbours, -1 where it does not lead to two points."""
        own = np.sign(self.outputs)
        ends = [self.reached(int(point)) for point in np.flatnonzero(self.n_unstable == 1)]
        return np.array(
            [int((own[e[0]] != own[e[1]]).sum()) if len(e) == 2 else -1 for e in ends], int
        )

    def links(self, directions: bool = False) -> Links:
        if not self.words:
            raise no_words()
        source, target, share = self._stays_and_leads()
        known = self.labelled[source] & self.labelled[target]
        source, target = source[known], target[known]
        ends, place = np.stack([source, target], axis=1), self.input_index[source]
        if directions:
            place = place * (self.size("state") + 1) + self.n_unstable[source]
        return means(self.signs[ends], share[known], place, 0, source)

    def matrix(self) -> Array:
        found = np.zeros((len(self), len(self)))
        source, target, share = self._stays_and_leads()
        found[source, target] = share
        return found

    def _stays_and_leads(self) -> tuple[Array, Array, Array]:
        """Source, target and share [edge]; stable points lead to themselves, since a row of zeros
        would not tell them from points that are absent."""
        stable = np.flatnonzero(self.n_unstable == 0)
        there = np.stack([self.source, self.target], axis=1)[self.target >= 0]
        rows, count = np.unique(there, axis=0, return_counts=True)
        left = np.bincount(self.source, minlength=len(self))
        return (
            np.concatenate([stable, rows[:, 0]]),
            np.concatenate([stable, rows[:, 1]]),
            np.concatenate([np.ones(len(stable)), count / left[rows[:, 0]]]),
        )

    def joined(self, member: int = 0, input_index: int = 0) -> tuple[Array, Array]:
        """Which stable points saddles join: their numbers [stable], and how many points with one
        unstable direction lead to both of two of them [stable, stable]."""
        own = (self.member == member) & (self.input_index == input_index)
        stable = np.flatnonzero(own & (self.n_unstable == 0))
        found = np.zeros((len(stable), len(stable)), int)
        for point in np.flatnonzero(own & (self.n_unstable == 1)).tolist():
            ends = np.searchsorted(stable, np.intersect1d(self.reached(point), stable))
            if len(ends) == 2:
                found[ends[0], ends[1]] += 1
                found[ends[1], ends[0]] += 1
        return stable, found

    def to_networkx(self, member: int | None = None, input_index: int | None = None) -> Any:
        """A `networkx.DiGraph` of all points, or of those of a member and an input.

        Nodes have `member`, `input_index`, `n_unstable` and `name`; edges `count` and `weight`, the
        share of what left their source.
        """
        import networkx as nx

        own = np.ones(len(self), bool)
        own &= True if member is None else self.member == member
        own &= True if input_index is None else self.input_index == input_index
        graph = nx.DiGraph()
        names = self._names()
        for i in np.flatnonzero(own).tolist():
            graph.add_node(
                i,
                member=int(self.member[i]),
                input_index=int(self.input_index[i]),
                n_unstable=int(self.n_unstable[i]),
                name=names[i],
            )
        for row in self.edges.itertuples():
            if own[row.source]:
                graph.add_edge(row.source, row.target, count=row.count, weight=row.share)
        return graph

    def _names(self) -> list[str]:
        """Signs of the readout where they tell all points of a network apart, else numbers."""
        texts = ["".join("-0+"[sign + 1] for sign in row) for row in self.signs]
        keys = list(zip(self.member.tolist(), self.input_index.tolist(), texts, strict=True))
        distinct = len(set(keys)) == len(keys) and self.outputs.shape[1] > 0
        return texts if distinct else [str(i) for i in range(len(self))]

    def exhibits(self) -> Sequence[Exhibit]:
        """A graph per network and input, and the table of all ends."""
        owners = np.stack([self.member, self.input_index], axis=1)
        pairs = np.unique(owners, axis=0).tolist()
        return (
            Panels(
                title="Connections of fixed points",
                caption="Arrows lead from unstable points to where their unstable directions lead;"
                " rows are numbers of unstable directions.",
                exhibits=[self._graph(*pair) for pair in pairs[:SHOWN]],
            ),
            Table(
                title="Connections of fixed points",
                columns={name: values.tolist() for name, values in self.to_frame().items()},
            ),
        )

    def _graph(self, member: int, input_index: int) -> Graph:
        graph = self.to_networkx(member, input_index)
        place = {node: i for i, node in enumerate(graph)}
        return Graph(
            title=f"member {member}, input {input_index}",
            nodes=[data["name"] for _, data in graph.nodes(data=True)],
            groups=[str(data["n_unstable"]) for _, data in graph.nodes(data=True)],
            edges=[(place[a], place[b], weight) for a, b, weight in graph.edges(data="weight")],
        )

    def __repr__(self) -> str:
        fates = ", ".join(f"{count} {name}" for name, count in self.outcomes.items() if count)
        return (
            f"connections of {len(self)} fixed points: {len(self.edges)} edges; "
            f"trajectories to: {fates or 'none'}"
        )
