"""Distances between networks by the graphs of their fixed points."""

from collections.abc import Iterable
from typing import ClassVar, Literal

from rnnstudy.analyses.base import Cost, Inputs, Section, TaskAnalysis
from rnnstudy.analyses.distances.pairs import cost_of_pairs, distance_matrix_exhibit
from rnnstudy.comparison.distances.graphs import (
    MAX_BITS,
    isomorphic_distances,
    labelled_distances,
    spectral_distances,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit
from rnnstudy.core.record import Record
from rnnstudy.dynamics.connections.links import LabelledEdges, LabelledGraph
from rnnstudy.tasks import Task

MEANINGS = {
    "labelled": "the same words are linked{weights}",
    "isomorphic": "the same words are linked{weights}, once bits are renamed",
    "spectral": "the matrices of links{weights} have the same singular values",
}
"""Kind of distance -> meaning of the distance 0."""


class GraphDistances(TaskAnalysis):
    """Distances between the networks of a memory by the graphs of `topology` or `transitions`.

    A graph is the matrix of the weights of its links. In `topology` a weight is the share of the
    trajectories that lead from one point to another, in `transitions` it is a probability.

    Examples
    --------
    >>> GraphDistances(distance="spectral").title
    'graph_distances_topology_spectral'
    """

    kind: ClassVar[str] = "graph_distances"
    yields: ClassVar[type[Record]] = Distances
    takes: ClassVar[type[Record]] = LabelledGraph

    of: str = "topology"
    """Name of the analysis of the graphs."""

    distance: Literal["labelled", "isomorphic", "spectral"] = "labelled"
    """Labelled: Frobenius norm of the difference, points of one word aligned. Isomorphic: the
    smallest of these norms over all permutations of bits and flips of their signs. Spectral:
    distance of the singular values, which ignore labels."""

    directions: bool = True
    """True: points of one word with different numbers of unstable directions differ. Spectral
    distances ignore both."""

    weighted: bool = True
    """True: links have weights. False: only their presence counts."""

    @property
    def title(self) -> str:
        kind = "" if self.distance == "labelled" else f"_{self.distance}"
        weights = "" if self.weighted else "_unweighted"
        return self.name or f"graph_distances_{self.of}{kind}{weights}"

    def applies(self, task: Task) -> bool:
        return self.distance != "isomorphic" or task.outputs <= MAX_BITS

    def run(self, task: Task, inputs: Inputs) -> Distances:
        graphs = inputs[self.of].values()
        names = [member.name for member in inputs[self.of]]
        if self.distance == "spectral":
            return spectral_distances([self._weights(graph.matrix()) for graph in graphs], names)
        links = [graph.links(self.directions) for graph in graphs]
        weighted = [
            LabelledEdges(one.labels, self._weights(one.weight), one.group) for one in links
        ]
        compare = labelled_distances if self.distance == "labelled" else isomorphic_distances
        return compare(weighted, names)

    def _weights(self, weights: Array) -> Array:
        return weights if self.weighted else (weights > 0.0).astype(float)

    def cost(self, task: Task, records: int) -> Cost:
        return cost_of_pairs(records)

    def show(self, section: Section) -> Iterable[Exhibit]:
        weights = {"spectral": " with their weights"}.get(self.distance, " with the same weights")
        meaning = MEANINGS[self.distance].format(weights=weights if self.weighted else "")
        return distance_matrix_exhibit(
            section, self.title, f"Each row and column is a network. 0: {meaning}."
        )
