"""Orthonormal bases of the directions in which states vary, and angles between them."""

from collections.abc import Mapping

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import centred, rounding

WELL_CONDITIONED = 1e-8
"""Ratio of variances down to which eigenvectors of a covariance are as good as singular vectors.

They lose (largest / smallest) of the 16 digits; the 8 that are left are refined.
"""


def basis(states: Array, dimensions: int | None = None, variance: float | None = None) -> Array:
    """Orthonormal rows [direction, sample] that span the leading principal directions of states.

    At most `dimensions`, and no more than are needed for that share of the variance; none of them
    is rounding. A single row of zeros if the states [sample, unit] do not vary.
    """
    x = centred(states)
    if not x.any():
        return np.zeros((1, len(x)))
    most = min(dimensions or len(x), *x.shape)
    rows = _by_covariance(x, most, variance) if x.shape[1] <= x.shape[0] else None
    if rows is None:
        vectors, sizes, _ = np.linalg.svd(x, full_matrices=False)
        # The first one is there, since the states vary.
        sizes = sizes[: max(1, np.count_nonzero(sizes > rounding(states)))]
        rows = vectors.T[: min(most, _needed(sizes**2, variance))]
    return np.ascontiguousarray(rows)


def _by_covariance(x: Array, most: int, variance: float | None) -> Array | None:
    """The basis by way of the units' covariance, six times faster; None if too ill-conditioned."""
    values, vectors = np.linalg.eigh(x.T @ x)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    kept = min(most, _needed(values, variance))
    if values[kept - 1] <= WELL_CONDITIONED * values[0]:
        return None
    rows = (vectors[:, :kept] / np.sqrt(values[:kept])).T @ x.T
    return np.linalg.solve(np.linalg.cholesky(rows @ rows.T), rows)


def _needed(variances: Array, share: float | None) -> int:
    """Number of leading directions that hold a share of the variance."""
    if share is None:
        return len(variances)
    shares = np.cumsum(variances) / variances.sum()
    # Rounded, lest a share of 1 ask for more than there is.
    return int(np.searchsorted(np.round(shares, 12), share) + 1)


def rank(rows: Array) -> Array:
    """Number of directions of a basis [direction, sample], as an array without axes."""
    return np.array(float(np.any(rows != 0.0, axis=1).sum()))


def ranks(a: Mapping[str, Array], b: Mapping[str, Array]) -> tuple[Array, Array]:
    """The smaller and the larger rank of each pair of forms."""
    return np.minimum(a["rank"], b["rank"]), np.maximum(a["rank"], b["rank"])


def canonical_correlations(products: Array) -> Array:
    """Singular values [..., direction] of products of bases, falling, at most 1."""
    return np.minimum(np.linalg.svd(products, compute_uv=False), 1.0)


def mean_correlation(products: Array, a: Mapping[str, Array], b: Mapping[str, Array]) -> Array:
    """Mean canonical correlation over the directions of the smaller subspace.

    Of two subspaces without direction it is 1, of one with and one without 0.
    """
    shared, most = ranks(a, b)
    mean = canonical_correlations(products).sum(axis=-1) / np.maximum(shared, 1)
    return np.where(shared == 0, most == 0, mean)
