"""Shares of distances that factors explain: partial omega squared with intervals over networks."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import copysign, exp, log, sqrt

import numpy as np

from rnnstudy.comparison.distances.embedding import gower_centre
from rnnstudy.comparison.statistics.difference_distribution import (
    DifferenceDistribution,
    small_sample_factor,
)
from rnnstudy.comparison.statistics.equivalence import distance_of_unseen
from rnnstudy.comparison.statistics.permutation import integer_codes
from rnnstudy.comparison.statistics.separation_scores import Labels
from rnnstudy.comparison.statistics.variance.permanova import (
    Permanova,
    Term,
    check_factors,
    marginal_bases,
    permanova,
)
from rnnstudy.core.arguments import as_distances, check_labels
from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread


@dataclass(frozen=True)
class ExplainedShare:
    """Partial omega squared of one term, with its interval and its permutation test."""

    name: str
    """Name of the factor, or of an interaction as `cell x activation`."""
    share: float
    """Partial omega squared: 0 for a factor that explains nothing, at most 1."""
    low: float
    """Lower end of the 95 % interval over networks."""
    high: float
    """Upper end of the interval."""
    freedom: int
    """Degrees of freedom."""
    pseudo_f: float
    """Pseudo-F; 1 by chance."""
    p: float
    """Permutation p of the null that the factor explains nothing."""


@one_thread()
def explained_shares(
    distances: Array,
    factors: Mapping[str, Labels],
    *,
    bound: float | None = None,
    permutations: int = 999,
    seed: int = 0,
) -> tuple[ExplainedShare, ...]:
    """Compute the share of squared distances that each factor explains, with intervals.

    The share is partial omega squared of marginal sums of squares, SS and df of the term, MS of the
    residual, N networks: (SS - df MS) / (SS + (N - df) MS). Each factor comes after the others that
    do not contain it, so that groups may be unequal. Other factors are left out of the whole.
    Interactions enter if there are enough networks.

    The interval inverts the distribution of the sum of squares (see `DifferenceDistribution`) and
    adds the error of the residual. Networks vary within combinations of all factors. Where all
    networks of a combination are equal, one unseen network that is far from all others is added:
    equal networks do not prove that all are equal, and a jackknife would have no variance.

    Parameters
    ----------
    distances : array [item, item]
        Distances between networks.
    factors : mapping of sequences [item]
        Labels of the networks for each factor.
    bound : float, optional
        Distance of an unseen network from all others; 1 for classes. Default: the largest distance.
    permutations : int, default 999
        Permutations of residuals.
    seed : int, default 0
        Seed of the permutations.

    Returns
    -------
    tuple of ExplainedShare
        Factors, then interactions.

    Raises
    ------
    ValueError
        If no degree of freedom remains for the residual, or lengths differ.

    References
    ----------
    Keren & Lewis (1979), Partial omega squared for ANOVA designs.
    Olejnik & Algina (2003), Generalized eta and omega squared statistics.

    Examples
    --------
    >>> points = np.array([0.0, 0.1, 0.2, 5.0, 5.1, 5.2])
    >>> distances = np.abs(points[:, None] - points)
    >>> (cell,) = explained_shares(distances, {"cell": ["gru"] * 3 + ["lstm"] * 3})
    >>> round(cell.share, 3)
    0.998
    """
    check_factors(factors, {})
    values = as_distances(distances)
    labels = {name: list(check_labels(name, column)) for name, column in factors.items()}
    order = _largest_order(values, labels)
    table = permanova(
        values, labels, order=order, sums="marginal", permutations=permutations, seed=seed
    )
    far = distance_of_unseen(values, bound)
    points = _points(values, labels, order, far)
    return tuple(_explained_share(term, table, points) for term in table.terms)


@dataclass(frozen=True, eq=False)
class _Points:
    """Networks as points, with the projections of the terms."""

    inner: Array
    """Inner products about the grand mean: [item, item]."""
    residuals: Array
    """Inner products of residuals about the means of combinations: [item, item]."""
    codes: Array
    """Combination of each item: [item]."""
    unseen: Array
    """Combinations with an unseen network, because all their networks are equal."""
    projections: Mapping[str, Array]
    """Term -> projection onto what it adds to the others: [item, item]."""

    @property
    def centre(self) -> Array:
        """Projection onto deviations from the means of combinations."""
        return combination_centring(self.codes)

    @property
    def freedom(self) -> int:
        """Degrees of freedom within combinations."""
        return len(self.codes) - len(np.unique(self.codes))

    @property
    def products_of_covariances(self) -> Array:
        """Trace of the product of two items' covariances: [item, item].

        The square of one estimated covariance is too large by its squared trace over its degrees
        of freedom. This is taken off.
        """
        member = (self.codes[:, None] == np.unique(self.codes)).astype(float)
        freedom = np.maximum(member.sum(axis=0) - 1.0, 1.0)
        products = member.T @ self.residuals**2 @ member / freedom / freedom[:, None]
        traces = np.diag(self.residuals) @ member / freedom
        inside = (np.diag(products) - traces**2 / freedom) * freedom / (freedom + 1.0)
        others = products[~np.eye(len(products), dtype=bool)]
        np.fill_diagonal(products, np.maximum(inside, others.mean() if len(others) else 0.0))
        expanded: Array = member @ products @ member.T
        return expanded


def combination_centring(codes: Array) -> Array:
    """Return the projection [item, item] onto deviations from the means of groups."""
    sizes = np.bincount(codes)[codes]
    centre: Array = np.eye(len(codes)) - (codes[:, None] == codes) / sizes
    return centre


def _points(
    distances: Array, labels: Mapping[str, Sequence[Hashable]], order: int, bound: float
) -> _Points:
    """Return the networks and one unseen network of each combination of equal networks."""
    values, columns, codes = _with_unseen(distances, labels, bound)
    inner = gower_centre(values)
    centre = combination_centring(codes)
    projections = {name: basis @ basis.T for name, basis in marginal_bases(columns, order).items()}
    return _Points(inner, centre @ inner @ centre, codes, codes[len(distances) :], projections)


def _with_unseen(
    distances: Array, labels: Mapping[str, Sequence[Hashable]], bound: float
) -> tuple[Array, dict[str, list[Hashable]], Array]:
    codes = integer_codes([*zip(*labels.values(), strict=True)])
    groups = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    first = [int(at[0]) for at in groups if not distances[np.ix_(at, at)].any()]
    count = len(distances)
    wider = np.full((count + len(first), count + len(first)), bound)
    wider[:count, :count] = distances
    np.fill_diagonal(wider, 0.0)
    columns = {name: [*column, *(column[i] for i in first)] for name, column in labels.items()}
    return wider, columns, np.append(codes, codes[first]).astype(int)


def _explained_share(term: Term, table: Permanova, points: _Points) -> ExplainedShare:
    """Return the share of a term with its interval."""
    spread = table.total * table.residual_share / table.residual_freedom
    squares = _squares_distribution(term, spread, points)
    low, high = _ratio_limits(squares, spread, points)
    return ExplainedShare(
        name=term.name,
        share=min(term.partial, 1.0),
        low=min(low, term.partial),
        high=min(max(high, term.partial), 1.0),
        freedom=term.freedom,
        pseudo_f=term.pseudo_f.statistic,
        p=term.pseudo_f.p,
    )


def _squares_distribution(term: Term, spread: float, points: _Points) -> DifferenceDistribution:
    """Return the distribution of a term's sum of squares less its value by chance."""
    projection = points.projections[term.name]
    noise = float(np.trace(projection)) * max(spread, np.trace(points.residuals) / points.freedom)
    squares = float((projection**2 * points.products_of_covariances).sum())
    sizes = np.bincount(points.codes)[points.codes]
    towards = np.diag(projection @ points.inner @ points.centre)
    length = float(np.trace(projection @ points.inner))
    along = float((towards**2 * sizes / np.maximum(sizes - 1, 1)).sum()) / max(length, 1e-300)
    factor = small_sample_factor(points.freedom)
    average = squares / noise if noise > 0.0 else 0.0
    return DifferenceDistribution(
        difference=term.sum_of_squares - term.freedom * spread,
        noise=factor * noise,
        squares=factor**2 * squares,
        along=factor * min(max(along, average), sqrt(squares)),
    )


def _ratio_limits(
    squares: DifferenceDistribution, spread: float, points: _Points
) -> tuple[float, float]:
    """Return limits of the share from those of both parts, as errors of the logarithm."""
    low, high = squares.interval()
    narrow, wide = _spread_limits(spread, points)
    middle, items = max(spread, narrow), len(points.codes)
    return (
        _ratio_limit(squares.difference, low, middle, wide, items),
        _ratio_limit(squares.difference, high, middle, narrow, items),
    )


def _ratio_limit(
    squares: float, squares_end: float, spread: float, spread_end: float, items: int
) -> float:
    """Return an end of the share S / (S + N MS) from the ends of S and of MS."""
    if min(squares, squares_end, spread, spread_end) <= 0.0:
        if spread <= 0.0:
            return float(squares_end > 0.0)
        return squares_end / (squares_end + items * spread)
    # Errors add up: a network far from its combination makes one part smaller, the other larger.
    error = abs(log(squares_end / squares)) + abs(log(spread_end / spread))
    ratio = squares / spread / items * exp(copysign(error, squares_end - squares))
    return ratio / (1.0 + ratio)


def _spread_limits(spread: float, points: _Points) -> tuple[float, float]:
    """Return the 95 % interval of the mean square of the residual, by a gamma distribution."""
    from scipy.stats import gamma

    squares = np.diag(points.residuals)
    wider = float(squares.sum()) / points.freedom
    if wider <= 0.0:
        return 0.0, 0.0
    unequal = [code for code in np.unique(points.codes) if code not in points.unseen]
    variance, total = 0.0, 0.0
    for code in unequal or np.unique(points.codes):
        group = squares[points.codes == code]
        variance += (
            len(group) ** 2 / max(len(group) - 1, 1) * float(group.var(ddof=min(1, len(group) - 1)))
        )
        total += float(group.sum())
    # Equal squares do not prove that all are: at least the variance of one direction's squares.
    relative = max(variance / total**2, 1.0 / len(squares))
    low, high = gamma.ppf([0.025, 0.975], 1.0 / relative, scale=relative)
    middle = spread if spread > 0.0 else wider
    return float(low * middle), float(high * wider)


def _largest_order(distances: Array, labels: Mapping[str, Sequence[Hashable]]) -> int:
    """Return 2 if interactions of two factors leave freedom for the residual, else 1."""
    try:
        permanova(distances, labels, order=2, permutations=0)
    except ValueError:
        return 1
    return 2
