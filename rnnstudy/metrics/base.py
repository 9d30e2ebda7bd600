"""The contract of a metric: prepare once per network, compare per pair."""

from abc import abstractmethod

import numpy as np

from rnnstudy.component import Entry

Array = np.ndarray


class Metric(Entry):
    """How alike two representations of the same samples are.

    `similarity` is 1 and `distance` 0 between a representation and itself. A metric has two parts:
    `prepare`, what can be done once per network, and `compare`, what a pair costs; `compare` takes
    leading axes, so that all pairs run as blocks.
    """

    @abstractmethod
    def prepare(self, states: Array) -> Array:
        """The reduced form of one network's states [sample, unit]; one fixed shape per metric and
        sample count, so that forms of different networks can be stacked."""

    @abstractmethod
    def compare(self, a: Array, b: Array) -> Array:
        """Similarities [...] of prepared forms a [..., *form] and b [..., *form], broadcast."""

    def similarity(self, x: Array, y: Array) -> float:
        """Similarity of two representations [sample, unit] of the same samples, at most 1."""
        return float(self.compare(self.prepare(x), self.prepare(y)))

    def distance(self, x: Array, y: Array) -> float:
        """Distance of two representations [sample, unit]: 0 for a representation and itself."""
        return float(self.to_distance(np.asarray(self.similarity(x, y))))

    def to_distance(self, similarity: Array) -> Array:
        """Distances from similarities: one minus, clipped at 0 against rounding."""
        return np.maximum(1.0 - similarity, 0.0)
