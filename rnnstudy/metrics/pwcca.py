"""Projection-weighted canonical correlation analysis."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import Form, ProductMetric, centred, settled
from rnnstudy.metrics.subspaces import basis, rank, ranks


class PWCCA(ProductMetric):
    """Weighted mean of canonical correlations (Morcos, Raghu & Bengio 2018, section 2).

    A canonical direction h of X counts by what X has of it: sum over its units j of |<h, x_j>|.
    Seen from Y the weights are others, so the paper's measure depends on the order of the two; here
    it is the mean of both orders. Unlike `cca`, it gives directions of little variance little
    weight. It does not change under one scale of the units, but a little under rotations, which
    change the sums over units.
    Where correlations are equal their directions are not determined, nor are, then, the weights.

    A representation that does not vary has similarity 1 to another of that kind, 0 to all else.
    """

    kind: ClassVar[str] = "pwcca"

    def prepare(self, states: Array) -> Form:
        """Basis of all directions that vary [direction, sample], and the units' projections on it
        [direction, unit]; no more units than samples."""
        x = centred(states)
        rows = basis(states)
        return {"rows": rows, "rank": rank(rows), "projections": rows @ x / (np.abs(x).max() or 1)}

    def judge(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Similarities [...] from products of bases."""
        left, correlations, right = np.linalg.svd(products, full_matrices=False)
        shared, most = ranks(a, b)
        # Those beyond the smaller rank belong to the padding.
        counts = np.arange(correlations.shape[-1]) < shared[..., None]
        correlations = np.where(counts, np.minimum(correlations, 1.0), 0.0)
        views = [
            _weighted(correlations, counts * _shares(np.swapaxes(left, -1, -2), a["projections"])),
            _weighted(correlations, counts * _shares(right, b["projections"])),
        ]
        return settled(np.where(shared == 0, most == 0, (views[0] + views[1]) / 2))


def _shares(directions: Array, projections: Array) -> Array:
    """Sums over units of |<h, x_j>| for canonical directions [..., canonical, direction]."""
    return np.abs(directions @ projections).sum(axis=-1)


def _weighted(correlations: Array, weights: Array) -> Array:
    total = weights.sum(axis=-1)
    return (weights * correlations).sum(axis=-1) / np.where(total > 0.0, total, 1.0)
