"""The contract of a metric: prepare once per network, compare per pair."""

from abc import abstractmethod

import numpy as np

from rnnstudy.component import Entry

Array = np.ndarray


class Metric(Entry):
    """How alike two representations of the same samples are.

    `similarity` is 1 and `distance` 0 between a representation and itself. A metric has two parts:
    `prepare`, what can be done once per network, and `compare`, what a pair costs; `compare` takes
    leading axes, so that all pairs run as blocks. A whole metric, the cosine of the angle between
    two centred matrices of one shape:

        class Cosine(Metric):
            def prepare(self, states):
                x = centred(states)
                return x / max(np.linalg.norm(x), 1e-300)

            def compare(self, a, b):
                return settled((a * b).sum(axis=(-2, -1)))
    """

    @abstractmethod
    def prepare(self, states: Array) -> Array:
        """The reduced form of one network's states [sample, unit]; ValueError if they are unusable.

        To be stacked, forms of different shapes are padded with zeros at the end of their axes;
        `compare` must not be changed by that.
        """

    @abstractmethod
    def compare(self, a: Array, b: Array) -> Array:
        """Similarities [...] of prepared forms a [..., *form] and b [..., *form], broadcast."""

    def similarity(self, x: Array, y: Array) -> float:
        """Similarity of two representations [sample, unit] of the same samples, at most 1."""
        if len(x) != len(y):
            raise ValueError(f"x has {len(x)} samples, y has {len(y)}; they should be the same")
        return float(self.compare(self.prepare(x), self.prepare(y)))

    def distance(self, x: Array, y: Array) -> float:
        """Distance of two representations [sample, unit]: 0 for a representation and itself."""
        return float(self.to_distance(np.asarray(self.similarity(x, y))))

    def to_distance(self, similarity: Array) -> Array:
        """Distances from similarities: one minus, clipped at 0 against rounding."""
        return np.maximum(1.0 - similarity, 0.0)


def centred(states: Array) -> Array:
    """States [sample, unit] in float64 with each unit's mean removed; all 0 if none varies.

    ValueError if they are no such matrix, have fewer than 2 samples, or are not finite.
    """
    states = np.asarray(states)
    if states.ndim != 2 or len(states) < 2 or states.shape[1] < 1:
        raise ValueError(
            f"states should be [sample, unit] with at least 2 samples, not of shape {states.shape}"
        )
    broken = np.argwhere(~np.isfinite(states))
    if len(broken):
        sample, unit = broken[0]
        raise ValueError(
            f"states should be finite, {len(broken)} of {states.size} values are not "
            f"(first at sample {sample}, unit {unit})"
        )
    moved = states - states.mean(axis=0, dtype=np.float64)
    return moved if np.linalg.norm(moved) > rounding(states) else np.zeros_like(moved)


def rounding(states: Array) -> float:
    """Size (singular value) up to which a direction of `states` may be nothing but rounding.

    Rounding errors of a matrix have singular values of about one machine epsilon times its norm.
    The offset that centring removes counts, since values are rounded with it; so does the precision
    that the states came in.
    """
    states = np.asarray(states)
    epsilon = np.finfo(states.dtype if states.dtype.kind == "f" else np.float64).eps
    return float(10.0 * epsilon * np.linalg.norm(states.astype(np.float64)))


def settled(similarity: Array) -> Array:
    """Similarities in [0, 1] without their last digits, which are rounding errors of the products;
    so that a representation is exactly 1 to itself, and to its rotations."""
    return np.clip(np.round(similarity, 12), 0.0, 1.0)
