"""Canonical correlation analysis."""

from collections.abc import Mapping
from typing import ClassVar

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.alignment import CorrelationMetric
from rnnstudy.metrics.base import Form, round_similarity
from rnnstudy.metrics.subspaces import Divisor, equal_weights, mean_correlation, partial_basis, rank


class CCA(CorrelationMetric):
    """Mean canonical correlation of two representations (CCA).

    The similarity is the mean singular value of Q_x' Q_y over the directions of the representation
    with more directions. Q is an orthonormal basis of the centred samples. All directions above
    rounding error have equal weight.

    With `divide_by: smaller` containment counts as likeness. A network of 32 units then has
    similarity 1 to each of 64 units whose states contain its own.

    Invariant to: every invertible affine map of the units.
    A metric: no; 1 - similarity can violate the triangle inequality. `procrustes` with `alpha: 0`
    is the metric of this family.
    Held-out samples: `fit` learns the canonical variates. `score` is the mean of their signed
    correlations in other samples, by the same divisor, and near 0 for unrelated representations.
    Special cases: with few samples per unit the similarity of unrelated representations is high. It
    is undefined, and refused, for samples that do not vary, and for n samples that vary in n - 1
    directions. `svcca` leaves directions of small variance out.

    References
    ----------
    Hotelling (1936), "Relations between two sets of variates".

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import CCA
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> CCA().similarity(x, x @ np.triu(np.ones((4, 4))))
    1.0
    """

    version: ClassVar[int] = 3
    kind: ClassVar[str] = "cca"

    divide_by: Divisor = "larger"
    """Subspace whose directions are counted in the mean. Over the larger, directions that the
    smaller lacks count as 0. Over the smaller, they do not count."""

    def prepare(self, states: Array) -> Form:
        """Return an orthonormal basis of all directions, [direction, sample], and its rank."""
        rows = partial_basis(states)
        return {"rows": rows, "rank": rank(rows)}

    def from_products(
        self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]
    ) -> Array:
        """Return similarities [...] from products of bases."""
        return round_similarity(mean_correlation(products, a, b, self.divide_by))

    def variate_weights(
        self, a: Mapping[str, Array], b: Mapping[str, Array], left: Array, right: Array
    ) -> Array:
        """Return equal weights of the canonical correlations."""
        return equal_weights(a, b, self.divide_by)
