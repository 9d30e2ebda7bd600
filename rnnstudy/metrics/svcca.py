"""Singular vector canonical correlation analysis."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.alignment import CorrelationMetric
from rnnstudy.metrics.base import Form, round_similarity
from rnnstudy.metrics.subspaces import Divisor, equal_weights, mean_correlation, partial_basis, rank


class SVCCA(CorrelationMetric):
    """Mean canonical correlation of the leading principal subspaces (SVCCA).

    Each representation is reduced to its principal directions of largest variance. The similarity
    is the mean singular value of Q_x' Q_y over the directions of the larger subspace. Q is an
    orthonormal basis of the reduced samples. `{dimensions: null, variance: 0.99}` selects the
    directions by their share of the variance, as the paper does.

    The paper divides by the directions of the smaller subspace (`divide_by: smaller`). Containment
    then counts as likeness: a network with 3 directions has similarity 1 to each network whose 30
    directions contain them. Untrained networks, whose states have few directions, thus seem alike
    to trained ones. Both divisors agree where all networks have `dimensions` directions.

    Invariant to: rotations and one common scale of the units, and invertible linear maps within the
    subspaces.
    A metric: no; 1 - similarity can violate the triangle inequality. `principal_angles` is a metric
    of subspaces.
    Held-out samples: `fit` learns the principal directions and the canonical variates in them.
    `score` is the mean of the variates' signed correlations in other samples, by the same divisor.
    Special cases: many more samples than dimensions are needed. n samples with n - 1 dimensions are
    refused, because these contain every other representation. Samples that do not vary are refused
    because they have no dimension.

    References
    ----------
    Raghu, Gilmer, Yosinski & Sohl-Dickstein (2017), "SVCCA: singular vector canonical correlation
    analysis for deep learning dynamics and interpretability", section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import SVCCA
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> SVCCA().similarity(x, 2.0 * x[:, ::-1])
    1.0
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "svcca"

    dimensions: Annotated[int, Field(ge=1, le=65536)] | None = 10
    """Largest number of principal directions. Null: as many as `variance` requires."""

    variance: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    """Share of the variance, 0 to 1, that the directions explain. Null: no such limit."""

    divide_by: Divisor = "larger"
    """Subspace whose directions are counted in the mean. Over the larger, directions that the
    smaller lacks count as 0. Over the smaller (Raghu et al. 2017), they do not count."""

    @property
    def least_units(self) -> int:
        return self.dimensions or 1

    def prepare(self, states: Array) -> Form:
        """Return an orthonormal basis of the subspace, [direction, sample], and its rank."""
        rows = partial_basis(states, self.dimensions, self.variance)
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
