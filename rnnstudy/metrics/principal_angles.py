"""Geodesic distance of principal subspaces."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.alignment import Alignment, CorrelationMetric
from rnnstudy.metrics.base import Form, round_similarity
from rnnstudy.metrics.subspaces import canonical_correlations, partial_basis, rank, ranks


class PrincipalAngles(CorrelationMetric):
    """Geodesic distance of principal subspaces on the Grassmannian, in radians.

    The distance is the root of the sum of squared principal angles between the leading principal
    subspaces of the samples. Each dimension that one subspace lacks counts as a right angle. The
    similarity is 1 minus the distance as a share of the largest possible distance. Containment is
    no likeness: a subspace is at distance 0 of itself only.

    Invariant to: rotations and one common scale of the units, and invertible linear maps within the
    subspaces.
    A metric: yes, also between subspaces of different dimensions (Ye & Lim 2016).
    Held-out samples: `fit` learns the principal vectors as maps of units. `score` is the similarity
    for the angles whose cosines are their signed correlations in other samples.
    Special cases: angles below about 1e-6 are 0. Samples that do not vary, and n samples with n - 1
    dimensions, are refused.

    References
    ----------
    Bjorck & Golub (1973), "Numerical methods for computing angles between linear subspaces".
    Ye & Lim (2016), "Schubert varieties and distances between subspaces of different dimensions".

    Examples
    --------
    >>> import numpy as np
    >>> from rnnstudy.metrics import PrincipalAngles
    >>> x = np.random.default_rng(0).standard_normal((50, 4))
    >>> PrincipalAngles().similarity(x, 2.0 * x[:, ::-1])
    1.0
    """

    version: ClassVar[int] = 2
    kind: ClassVar[str] = "principal_angles"

    dimensions: Annotated[int, Field(ge=1, le=65536)] = 10
    """Largest number of principal directions that span a subspace."""

    @property
    def least_units(self) -> int:
        return self.dimensions

    def prepare(self, states: Array) -> Form:
        """Return an orthonormal basis of the subspace, [direction, sample], and its rank."""
        rows = partial_basis(states, self.dimensions)
        return {"rows": rows, "rank": rank(rows)}

    def from_products(
        self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]
    ) -> Array:
        """Return similarities [...] from products of bases."""
        angles = np.arccos(round_similarity(canonical_correlations(products)))
        shared, most = ranks(a, b)
        # Angles beyond the smaller rank are right angles; padding supplies some of them.
        angles = np.where(np.arange(angles.shape[-1]) < shared[..., None], angles, 0.0)
        squares = (angles**2).sum(axis=-1) + (most - shared) * (np.pi / 2) ** 2
        return round_similarity(1.0 - np.sqrt(squares) / self._largest)

    def to_distance(self, similarity: Array, a: Form, b: Form) -> Array:
        """Return distances in radians."""
        return (1.0 - similarity) * self._largest

    def variate_weights(
        self, a: Mapping[str, Array], b: Mapping[str, Array], left: Array, right: Array
    ) -> Array:
        """Return weights of 1: each angle counts."""
        return np.ones(len(left))

    def agreement(self, alignment: Alignment, x: Array, y: Array) -> float:
        """Return 1 minus the distance of the angles as a share of the largest distance."""
        angles = np.arccos(round_similarity(alignment.correlations(x, y), lowest=-1.0))
        squares = (angles**2).sum() + alignment.missing * (np.pi / 2) ** 2
        return float(1.0 - np.sqrt(squares) / self._largest)

    @property
    def _largest(self) -> float:
        return float(np.pi / 2 * np.sqrt(self.dimensions))
