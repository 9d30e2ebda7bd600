"""How far apart networks are by the graphs of their fixed points."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from rnnstudy.analyses.base import Cost, Member, Section, TaskAnalysis
from rnnstudy.analyses.distances.pairs import cost_of_pairs, groupings
from rnnstudy.comparison.distances.graphs import (
    MAX_BITS,
    isomorphic_distances,
    labelled_distances,
    spectral_distances,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.exhibit import Exhibit, Matrix
from rnnstudy.core.record import Record
from rnnstudy.dynamics.connections.links import LabelledEdges, LabelledGraph
from rnnstudy.tasks import Task

MEANINGS = {
    "labelled": "the same words are linked{weights}",
    "isomorphic": "the same words are linked{weights}, once bits are renamed",
    "spectral": "the matrices of links{weights} have the same singular values",
}


class Graphs(TaskAnalysis):
    """Distances between the networks of a memory by the graphs of `topology` or `transitions`.

    A graph is the matrix of its links' weights: the shares of the ways that lead from one point to
    another, or the probabilities of transitions.
    """

    kind: ClassVar[str] = "graphs"
    yields: ClassVar[type[Record]] = Distances
    takes: ClassVar[type[Record]] = LabelledGraph

    of: str = "topology"
    """Name of the analysis whose graphs are compared."""

    distance: Literal["labelled", "isomorphic", "spectral"] = "labelled"
    """Labelled: Frobenius norm of the difference, points of one word aligned. Isomorphic: the least
    of these over all permutations of bits and flips of their signs. Spectral: of singular values,
    whatever the labels."""

    directions: bool = True
    """Whether points with different numbers of unstable directions are told apart, not by their
    words alone; spectra know neither."""

    weighted: bool = True
    """Whether links have weights; else all that there are count the same."""

    @property
    def title(self) -> str:
        kind = "" if self.distance == "labelled" else f"_{self.distance}"
        return self.name or f"graphs_{self.of}{kind}{'' if self.weighted else '_unweighted'}"

    def needs(self) -> tuple[str, ...]:
        return (self.of,)

    def applies(self, task: Task) -> bool:
        return self.distance != "isomorphic" or task.outputs <= MAX_BITS

    def run(
        self,
        members: Sequence[Member],
        parts: Sequence[Sequence[Record]],
        shared: Sequence[Record],
    ) -> Distances:
        found = [record for record in parts[0] if isinstance(record, LabelledGraph)]
        if len(found) < len(members):
            raise ValueError(f"'{self.of}' yields no graphs, {self.title} needs them")
        names = [member.name for member in members]
        if self.distance == "spectral":
            return spectral_distances([self._weights(graph.matrix()) for graph in found], names)
        links = [graph.links(self.directions) for graph in found]
        given = [LabelledEdges(one.labels, self._weights(one.weight), one.group) for one in links]
        compared = labelled_distances if self.distance == "labelled" else isomorphic_distances
        return compared(given, names)

    def _weights(self, weights: Array) -> Array:
        return weights if self.weighted else (weights > 0.0).astype(float)

    def cost(self, task: Task, records: int) -> Cost:
        return cost_of_pairs(records)

    def show(self, section: Section) -> Iterable[Exhibit]:
        result = section.shared[self.title]
        if not isinstance(result, Distances):
            return
        weights = {"spectral": " with their weights"}.get(self.distance, " with the same weights")
        meaning = MEANINGS[self.distance].format(weights=weights if self.weighted else "")
        yield Matrix(
            title=f"Distance between networks, {self.title}",
            caption=f"Each row and column is a network. 0: {meaning}.",
            values=result.values,
            labels=result.labels,
            groups=groupings(section, result.labels),
            value_label="distance",
        )
