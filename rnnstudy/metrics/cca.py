"""Canonical correlation analysis."""

from collections.abc import Mapping
from typing import ClassVar

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import Form, ProductMetric, settled
from rnnstudy.metrics.subspaces import basis, mean_correlation, rank


class CCA(ProductMetric):
    """Mean canonical correlation (Hotelling 1936) of two representations.

    All directions count that vary by more than rounding, those of the smallest variance like those
    of the largest: mean of the singular values of Q_x' Q_y over the directions of the narrower
    representation, with orthonormal bases Q of the centred samples. It does not change under any
    invertible linear map. Wants many more samples than units; `svcca` leaves small directions out,
    `procrustes` with `alpha` between 0 and 1 weighs them less.

    A representation that does not vary has similarity 1 to another of that kind, 0 to all else.
    """

    kind: ClassVar[str] = "cca"

    def prepare(self, states: Array) -> Form:
        """Orthonormal basis of all directions that vary, [direction, sample], and their number."""
        rows = basis(states)
        return {"rows": rows, "rank": rank(rows)}

    def judge(self, products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
        """Similarities [...] from products of bases."""
        return settled(mean_correlation(products, a, b))
