"""Singular vector canonical correlation analysis."""

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.metrics.base import Array, Metric, centred, rounding, settled


class SVCCA(Metric):
    """Mean canonical correlation of the leading principal subspaces (Raghu et al. 2017).

    Each representation is reduced to its principal directions of largest variance; the similarity
    is the mean, over the directions of the smaller subspace, of the canonical correlations: with
    orthonormal bases Q of the reduced samples, the singular values of Q_x' Q_y. It does not change
    under invertible linear maps within the subspaces. Wants many more samples than dimensions.

    A representation that does not vary has no direction: its similarity is 1 to another of that
    kind, 0 to all else.
    """

    kind: ClassVar[str] = "svcca"

    dimensions: Annotated[int, Field(ge=1, le=65536)] = 10
    """Number of principal directions kept; fewer where a representation has fewer that vary."""

    def prepare(self, states: Array) -> Array:
        """Orthonormal basis of the leading subspace: [sample, direction], at most `dimensions`."""
        directions, sizes, _ = np.linalg.svd(centred(states), full_matrices=False)
        kept = np.count_nonzero(sizes[: self.dimensions] > rounding(states))
        return directions[:, : max(kept, 1)] * (kept > 0)

    def compare(self, a: Array, b: Array) -> Array:
        """Similarities [...] of bases a and b [..., sample, direction], broadcast."""
        correlations = np.linalg.svd(np.swapaxes(a, -1, -2) @ b, compute_uv=False)
        first, second = _rank(a), _rank(b)
        shared = np.minimum(first, second)
        mean = np.minimum(correlations, 1.0).sum(axis=-1) / np.maximum(shared, 1)
        return settled(np.where(shared == 0, first == second, mean))


def _rank(basis: Array) -> Array:
    """Number of directions in a basis that may be padded with zeros."""
    return np.any(basis != 0.0, axis=-2).sum(axis=-1)
