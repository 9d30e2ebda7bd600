"""Principal subspaces of states and canonical correlations between them."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from rnnstudy.core.arrays import Array
from rnnstudy.metrics.base import (
    UndefinedMetric,
    centre_states,
    require_variation,
    rounding_error,
)

Divisor = Literal["larger", "smaller"]
"""Subspace whose directions are counted in a mean of canonical correlations."""

WELL_CONDITIONED = 1e-8
"""Ratio of variances above which eigenvectors of a covariance are as accurate as singular vectors.

Eigenvectors lose digits with the ratio of variances. The 8 of 16 digits that remain are refined.
"""


def basis(states: Array, dimensions: int | None = None, variance: float | None = None) -> Array:
    """Return an orthonormal basis of the leading principal directions, [direction, sample].

    Parameters
    ----------
    states
        [sample, unit].
    dimensions
        Largest number of directions; default: all.
    variance
        Share of the variance, 0 to 1, that the directions explain; default: all.

    Returns
    -------
    Array
        [direction, sample]. Directions of rounding error are left out. States that do not vary
        return one row of zeros.
    """
    x = centre_states(states)
    if not x.any():
        return np.zeros((1, len(x)))
    most = min(dimensions or len(x), *x.shape)
    rows = _by_covariance(x, most, variance) if x.shape[1] <= x.shape[0] else None
    if rows is None:
        vectors, sizes, _ = np.linalg.svd(x, full_matrices=False)
        # At least one direction, since the states vary.
        sizes = sizes[: max(1, np.count_nonzero(sizes > rounding_error(states)))]
        rows = vectors.T[: min(most, _count_directions(sizes**2, variance))]
    return np.ascontiguousarray(rows)


def partial_basis(
    states: Array, dimensions: int | None = None, variance: float | None = None
) -> Array:
    """Return `basis`; UndefinedMetric if it has none or all of the directions of centred samples.

    n centred samples have n - 1 directions. A subspace of all of them contains every other one, so
    that its angles with another say nothing about the representations. One without directions has
    no angles.
    """
    rows = basis(states, dimensions, variance)
    require_variation(rows.T)
    require_partial(len(rows), len(states))
    return rows


def require_partial(directions: int, samples: int) -> None:
    """Raise UndefinedMetric unless fewer directions vary than centred samples can have."""
    if directions >= samples - 1:
        raise UndefinedMetric(
            f"states must have more samples than directions by 2, got {samples} samples that vary "
            f"in {directions} directions: these contain every other representation. Add trials or "
            "time steps, or compare fewer dimensions with svcca."
        )


def _by_covariance(x: Array, most: int, variance: float | None) -> Array | None:
    """Return the basis from the units' covariance, which is faster; None if ill-conditioned."""
    values, vectors = np.linalg.eigh(x.T @ x)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    count = min(most, _count_directions(values, variance))
    if values[count - 1] <= WELL_CONDITIONED * values[0]:
        return None
    rows = (vectors[:, :count] / np.sqrt(values[:count])).T @ x.T
    return np.linalg.solve(np.linalg.cholesky(rows @ rows.T), rows)


def _count_directions(variances: Array, share: float | None) -> int:
    """Return the number of leading directions that explain a share of the variance."""
    if share is None:
        return len(variances)
    shares = np.cumsum(variances) / variances.sum()
    # Rounded, since the cumulative shares may end below 1.
    return int(np.searchsorted(np.round(shares, 12), share) + 1)


def rank(rows: Array) -> Array:
    """Return the number of directions of a basis [direction, sample], as an array without axes."""
    return np.array(float(np.any(rows != 0.0, axis=1).sum()))


def ranks(a: Mapping[str, Array], b: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the smaller and the larger rank of each pair of forms."""
    return np.minimum(a["rank"], b["rank"]), np.maximum(a["rank"], b["rank"])


def canonical_correlations(products: Array) -> Array:
    """Return the singular values [..., direction] of products of bases, descending, at most 1."""
    return np.minimum(np.linalg.svd(products, compute_uv=False), 1.0)


def equal_weights(a: Mapping[str, Array], b: Mapping[str, Array], divide_by: Divisor) -> Array:
    """Return the weights [canonical] that make `mean_correlation` of canonical correlations."""
    shared, most = ranks(a, b)
    count = most if divide_by == "larger" else shared
    return np.full(int(shared), 1.0 / float(count))


def mean_correlation(
    products: Array, a: Mapping[str, Array], b: Mapping[str, Array], divide_by: Divisor
) -> Array:
    """Return the mean canonical correlation over the directions of one of two subspaces.

    Over the larger, each direction that the smaller subspace lacks counts as a correlation of 0.
    """
    shared, most = ranks(a, b)
    count = most if divide_by == "larger" else shared
    mean: Array = canonical_correlations(products).sum(axis=-1) / count
    return mean
