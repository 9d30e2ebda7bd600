"""Singular vector canonical correlation analysis."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import Form, ProductMetric, settled
from rnnstudy.metrics.subspaces import basis, mean_correlation, rank


class SVCCA(ProductMetric):
    """Mean canonical correlation of the leading principal subspaces (Raghu et al. 2017, section 2).

    Each representation is reduced to its principal directions of largest variance; the similarity
    is the mean, over the directions of the smaller subspace, of the canonical correlations: with
    orthonormal bases Q of the reduced samples, the singular values of Q_x' Q_y. It does not change
    under invertible linear maps within the subspaces. Wants many more samples than dimensions.

    `{dimensions: null, variance: 0.99}` keeps the directions by their share of the variance alone,
    as the paper does; then the mean runs over fewer directions for pairs with a narrow member.

    A representation that does not vary has no direction: its similarity is 1 to another of that
    kind, 0 to all else.
    """

    kind: ClassVar[str] = "svcca"

    dimensions: Annotated[int, Field(ge=1, le=65536)] | None = 10
    """Number of principal directions kept; fewer where a representation has fewer that vary. Null:
    as many as `variance` asks for."""

    variance: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    """No more directions are kept than are needed for this share of the variance."""

    def prepare(self, states: Array) -> Form:
        """Orthonormal basis of the leading subspace, [direction, sample], and its rank."""
        rows = basis(states, self.dimensions, self.variance)
        return {"rows": rows, "rank": rank(rows)}

    def judge(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Similarities [...] from products of bases."""
        return settled(mean_correlation(products, a, b))
