"""Distances between networks by the graphs of their fixed points."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from rnnstudy.analyses.base import Section
from rnnstudy.analyses.distances.all_pairs import distance_matrix_exhibit
from rnnstudy.analyses.distances.record_distances import (
    RecordControls,
    RecordDistances,
    control_fields,
)
from rnnstudy.comparison.distances.graphs import (
    MAX_BITS,
    isomorphic_distances,
    labelled_distances,
    spectral_distances,
)
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.distances.plants import plant_in_links, plant_in_matrix
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

COMPARISONS: Mapping[str, Callable[[Sequence[Any], Sequence[str]], Distances]] = {
    "labelled": labelled_distances,
    "isomorphic": isomorphic_distances,
    "spectral": spectral_distances,
}
"""Kind of distance -> its function of graphs and names."""


class GraphDistances(RecordDistances):
    """Distances between the networks of a memory by the graphs of `topology` or `transitions`.

    A graph is the matrix of the weights of its links. In `topology` a weight is the share of the
    trajectories that lead from one point to another, in `transitions` it is a probability.

    Examples
    --------
    >>> GraphDistances(distance="spectral").title
    'graph_distances_topology_spectral'
    """

    kind: ClassVar[str] = "graph_distances"
    chapter: ClassVar[str] = "fixed_points"
    leads_chapter: ClassVar[bool] = False
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

    @property
    def title_in_words(self) -> str:
        kind = "" if self.distance == "labelled" else f", {self.distance}"
        return f"Distances of graphs of fixed points{kind}{'' if self.weighted else ', unweighted'}"

    def applies(self, task: Task) -> bool:
        return self.distance != "isomorphic" or task.outputs <= MAX_BITS

    def form(self, record: LabelledGraph) -> LabelledEdges | Array:
        if self.distance == "spectral":
            return self._weights(record.matrix())
        links = record.links(self.directions)
        return LabelledEdges(links.labels, self._weights(links.weight), links.group)

    def reason_against(self, form: LabelledEdges | Array) -> str:
        weights = form.weight if isinstance(form, LabelledEdges) else form
        return "" if np.isfinite(weights).all() else f"a weight of '{self.of}' is not finite"

    def compare(self, forms: Sequence[Any], names: Sequence[str]) -> Distances:
        return COMPARISONS[self.distance](forms, names)

    def plant(self, form: LabelledEdges | Array) -> LabelledEdges | Array:
        """Return the graph without one stable point and its links."""
        if isinstance(form, LabelledEdges):
            return LabelledEdges(*plant_in_links(form))
        return plant_in_matrix(form)

    def with_controls(self, planted: bool = True) -> RecordControls:
        return GraphControls(planted=planted, **control_fields(self))

    def _weights(self, weights: Array) -> Array:
        return weights if self.weighted else (weights > 0.0).astype(float)

    def show(self, section: Section) -> Iterable[Exhibit]:
        weights = {"spectral": " with their weights"}.get(self.distance, " with the same weights")
        meaning = MEANINGS[self.distance].format(weights=weights if self.weighted else "")
        return distance_matrix_exhibit(
            section, self.title, f"Each row and column is a network. 0: {meaning}."
        )


class GraphControls(RecordControls, GraphDistances):
    """Distances as in `graph_distances`, together with untrained networks and planted copies.

    A planted copy lacks one stable point and its links. Most untrained networks have a single fixed
    point, so that their graphs have one word and no other link.

    Examples
    --------
    >>> GraphDistances(weighted=False).with_controls().title
    'graph_distances_topology_unweighted_controls'
    """

    kind: ClassVar[str] = "graph_controls"
    chapter: ClassVar[str] = "controls"

    of: str = "topology"
    """Name of the analysis of the graphs."""
