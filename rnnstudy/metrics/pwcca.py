"""Projection-weighted canonical correlation analysis."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.alignment import CorrelationMetric
from rnnstudy.metrics.base import Form, centre_states, round_similarity
from rnnstudy.metrics.subspaces import partial_basis, rank, ranks


class PWCCA(CorrelationMetric):
    """Projection-weighted mean of canonical correlations (PWCCA).

    A canonical direction h of X has the weight sum_j |<h, x_j>| over the units j of X. The weights
    of X and Y differ, so that the paper's measure depends on their order. Here the similarity is
    the mean of both orders. Directions of little variance have little weight, unlike in `cca`.

    Containment counts as likeness, as in the paper: the weights are those of the canonical
    directions, which are as many as the smaller representation has. Directions that only the larger
    has do not count. Where numbers of directions differ, use `cca`, `principal_angles` or `cka`.

    Invariant to: one common scale of the units. Rotations change the sums over units a little.
    A metric: no.
    Held-out samples: `fit` learns the canonical variates and their weights. `score` is the weighted
    mean of the variates' signed correlations in other samples.
    Special cases: equal correlations leave their directions, and thus the weights, undetermined.
    Samples that do not vary, and n samples that vary in n - 1 directions, are refused, as by `cca`.

    References
    ----------
    Morcos, Raghu & Bengio (2018), "Insights on representational similarity in neural networks with
    canonical correlation", section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import PWCCA
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> PWCCA().similarity(x, 2.0 * x)
    1.0
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "pwcca"

    def prepare(self, states: Array) -> Form:
        """Return a basis of all directions that vary, its rank, and the units' projections on it.

        The basis is [direction, sample], the projections are [direction, unit].
        """
        x = centre_states(states)
        rows = partial_basis(states)
        return {"rows": rows, "rank": rank(rows), "projections": rows @ x / (np.abs(x).max() or 1)}

    def from_products(
        self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]
    ) -> Array:
        """Return similarities [...] from products of bases."""
        left, correlations, right = np.linalg.svd(products, full_matrices=False)
        shared, _ = ranks(a, b)
        # Directions beyond the smaller rank belong to the padding.
        counts = np.arange(correlations.shape[-1]) < shared[..., None]
        correlations = np.where(counts, np.minimum(correlations, 1.0), 0.0)
        views = [
            _average(correlations, counts * _shares(np.swapaxes(left, -1, -2), a["projections"])),
            _average(correlations, counts * _shares(right, b["projections"])),
        ]
        return round_similarity((views[0] + views[1]) / 2)

    def variate_weights(
        self, a: Mapping[str, Array], b: Mapping[str, Array], left: Array, right: Array
    ) -> Array:
        """Return the mean of the normalised weights of both orders."""
        sides = _shares(left, a["projections"]), _shares(right, b["projections"])
        return np.asarray(sum(side / side.sum() for side in sides) / 2)


def _shares(directions: Array, projections: Array) -> Array:
    """Return sums over units of |<h, x_j>| for canonical directions [..., canonical, direction]."""
    return np.abs(directions @ projections).sum(axis=-1)


def _average(correlations: Array, weights: Array) -> Array:
    total = weights.sum(axis=-1)
    return (weights * correlations).sum(axis=-1) / np.where(total > 0.0, total, 1.0)
