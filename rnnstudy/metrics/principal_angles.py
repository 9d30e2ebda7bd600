"""Geodesic distance of principal subspaces."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import Form, ProductMetric, settled
from rnnstudy.metrics.subspaces import basis, canonical_correlations, rank, ranks


class PrincipalAngles(ProductMetric):
    """Distance on the Grassmannian: root of the sum of squared principal angles, in radians.

    Angles are those between the leading principal subspaces of the samples (Bjorck & Golub 1973).
    Where one subspace has fewer dimensions, each that it lacks counts as a right angle (Ye & Lim
    2016), which keeps this a metric. It does not change under invertible linear maps
    within the subspaces. The similarity is one minus the distance as a share of the largest that
    `dimensions` allow. Angles below about 1e-6 are 0.

    A representation that does not vary has similarity 1 to another of that kind, 0 to all else.
    """

    kind: ClassVar[str] = "principal_angles"

    dimensions: Annotated[int, Field(ge=1, le=65536)] = 10
    """Number of principal directions that span a subspace; fewer where fewer vary."""

    def prepare(self, states: Array) -> Form:
        """Orthonormal basis of the leading subspace, [direction, sample], and its rank."""
        rows = basis(states, self.dimensions)
        return {"rows": rows, "rank": rank(rows)}

    def judge(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Similarities [...] from products of bases."""
        angles = np.arccos(settled(canonical_correlations(products)))
        shared, most = ranks(a, b)
        # Beyond the smaller rank every angle is right; some of these are there, from padding.
        angles = np.where(np.arange(angles.shape[-1]) < shared[..., None], angles, 0.0)
        squares = (angles**2).sum(axis=-1) + (most - shared) * (np.pi / 2) ** 2
        similarity = 1.0 - np.sqrt(squares) / self._largest
        return settled(np.where((shared == 0) & (most > 0), 0.0, similarity))

    def to_distance(self, similarity: Array, a: Form, b: Form) -> Array:
        """Radians."""
        return (1.0 - similarity) * self._largest

    @property
    def _largest(self) -> float:
        return float(np.pi / 2 * np.sqrt(self.dimensions))
