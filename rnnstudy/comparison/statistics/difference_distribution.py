"""Distribution of a difference between two levels of a factor, from distances alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from rnnstudy.core.arrays import Array

NODES = np.linspace(-5.0, 5.0, 401)
"""Values of the standard normal variable of the integral."""


@dataclass(frozen=True)
class DifferenceDistribution:
    """Distribution of an estimated difference of two levels for each true difference.

    Networks are points whose squared distance is the given one. The true difference is the squared
    distance of two mean points, which is half of the energy distance. Its estimate plus `noise` is
    a squared length. It is normal along the observed difference, and gamma with matched moments
    across it. For distances without such points it is an approximation. Below 0 the distribution is
    shifted.

    References
    ----------
    Székely & Rizzo (2013), Energy statistics: a class of statistics based on distances.
    """

    difference: float
    """Estimate: mean distance between levels minus the mean of those within."""
    noise: float
    """Squared length of the errors of both mean points, in expectation."""
    squares: float
    """Trace of the squared covariance of these errors."""
    along: float
    """Variance of these errors along the difference."""

    @property
    def error(self) -> float:
        """Standard error of the estimate."""
        return sqrt(2.0 * self.squares + 4.0 * self.along * max(self.difference, 0.0))

    def cdf(self, value: float, true: float = 0.0) -> float:
        """Return the probability of an estimate of at most `value` for a true difference."""
        from scipy.stats import gamma, norm

        if true < 0.0:
            return self.cdf(value - true)
        if self.noise <= 0.0:
            return float(value >= true)
        along = (sqrt(self.along) * NODES + sqrt(true)) ** 2
        rest = value + self.noise - along
        mean = max(self.noise - self.along, 1e-9 * self.noise)
        variance = max(2.0 * (self.squares - self.along**2), 1e-6 * mean**2)
        below = gamma.cdf(np.maximum(rest, 0.0), mean**2 / variance, scale=variance / mean)
        weights = norm.pdf(NODES)
        return float((below * weights).sum() / weights.sum())

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the true differences for which the estimate is in neither tail."""
        tail = (1.0 - level) / 2.0
        return self._solve(1.0 - tail), self._solve(tail)

    def _solve(self, probability: float) -> float:
        """Return the true difference for which an estimate is below this one so often."""
        from scipy.optimize import brentq

        if self.noise <= 0.0:
            return self.difference

        def excess(true: float) -> float:
            return self.cdf(self.difference, true) - probability

        step = abs(self.difference) + self.noise + self.error
        low, high = self.difference - step, self.difference + step
        while excess(low) < 0.0:
            low -= step
        while excess(high) > 0.0:
            high += step
        return float(brentq(excess, low, high, xtol=1e-6 * step))


def difference_distribution(
    strata: Sequence[tuple[Array, Array, Array]], bound: float
) -> DifferenceDistribution:
    """Return the distribution of the difference of two levels, averaged over strata.

    Parameters
    ----------
    strata : sequence of (array [a, a], array [b, b], array [a, b])
        Distances within the first level, within the second, and between both, of each stratum.
    bound : float
        Distance of an unseen network from all others. Each level of a stratum gets one such network
        for the estimate of the noise only: equal networks do not prove that all are equal.
    """
    parts = [_stratum(*blocks, bound=bound) for blocks in strata]
    difference, noise, squares, along, length, leading = np.array(parts).T
    count = len(parts)
    total = float(squares.sum()) / count**2
    mean_noise = float(noise.mean())
    observed = float(along.sum()) / count / max(float(length.sum()), 1e-300)
    average = total / mean_noise if mean_noise > 0.0 else 0.0
    networks = sum(len(a) + len(b) - 2 for a, b, _ in strata)
    scale = small_sample_factor(networks)
    return DifferenceDistribution(
        difference=float(difference.mean()),
        noise=scale * mean_noise,
        squares=scale**2 * total,
        along=scale * min(max(observed, average, leading.mean() / count), sqrt(total)),
    )


def mean_within(distances: Array) -> float:
    """Return the mean distance between two different items of a matrix [item, item]."""
    count = len(distances)
    return float((distances.sum() - np.trace(distances)) / (count * (count - 1)))


def small_sample_factor(freedom: int) -> float:
    """Return the squared ratio of Student's to the normal quantile, for an estimated variance."""
    from scipy.stats import norm, t

    return float((t.ppf(0.95, freedom) / norm.ppf(0.95)) ** 2)


def _stratum(
    first: Array, second: Array, between: Array, bound: float
) -> tuple[float, float, float, float, float, float]:
    """Return difference, noise, squares, variance along x squared length, length, leading."""
    difference = float(between.mean()) - 0.5 * (mean_within(first) + mean_within(second))
    whole = np.block([[first, between], [between.T, second]])
    codes = np.repeat([0, 1], [len(first), len(second)])
    towards = 0.5 * (whole[:, codes == 1].mean(axis=1) - whole[:, codes == 0].mean(axis=1))
    along = sum(_error_along(towards, codes == code) for code in (0, 1))
    length = float(between.mean() - 0.5 * (first.mean() + second.mean()))
    noise, squares = _moments(*_with_unseen(whole, codes, bound))
    return difference, noise, squares, along, length, _leading_variance(whole, codes)


def _error_along(towards: Array, inside: Array) -> float:
    """Return the squared error of a level's mean of projections onto the difference.

    One pseudo-network of the level is an average network of the other level (Agresti & Coull 1998):
    what all networks of a level lack may be rare, not absent.
    """
    weights = np.where(inside, 1.0, 1.0 / np.count_nonzero(~inside))
    total = weights.sum()
    mean = (weights * towards).sum() / total
    return float((weights * (towards - mean) ** 2).sum() / (total - 1.0) / total)


def _leading_variance(distances: Array, codes: Array) -> float:
    """Return the variance of the means' errors along their direction of largest variance.

    The direction is that of one half of the networks, the variance that of the other half. A small
    difference by chance hides its direction, and the largest variance of the same networks would
    be too large.
    """
    halves = np.zeros(len(codes), int)
    for code in (0, 1):
        halves[codes == code] = np.arange(np.count_nonzero(codes == code)) % 2
    groups = 2 * codes + halves
    if np.bincount(groups, minlength=4).min() < 2:
        return 0.0
    _, centre = _centring(groups)
    inner = -0.5 * centre @ distances @ centre
    scales = np.sqrt(1.0 / ((np.bincount(groups) - 1.0)[groups] * np.bincount(codes)[codes]))
    scaled = inner * scales * scales[:, None]
    variances = []
    for half in (0, 1):
        one, other = np.flatnonzero(halves == half), np.flatnonzero(halves != half)
        values, vectors = np.linalg.eigh(scaled[np.ix_(one, one)])
        if values[-1] > 1e-12:
            along = scaled[np.ix_(other, one)] @ vectors[:, -1]
            variances.append(float((along**2).sum() / values[-1]))
    return float(np.mean(variances)) if variances else 0.0


def _with_unseen(distances: Array, codes: Array, bound: float) -> tuple[Array, Array]:
    """Return distances and codes with one more network of each level, far from all others."""
    count = len(codes)
    wider = np.full((count + 2, count + 2), bound)
    wider[:count, :count] = distances
    np.fill_diagonal(wider, 0.0)
    return wider, np.append(codes, [0, 1])


def _moments(distances: Array, codes: Array) -> tuple[float, float]:
    """Return the traces of the covariance of the errors of both means, and of its square."""
    weights, centre = _centring(codes)
    inner = -0.5 * centre @ distances @ centre
    return float(weights @ np.diag(inner)), float(weights @ inner**2 @ weights)


def _centring(codes: Array) -> tuple[Array, Array]:
    """Return each item's weight in the variance of its mean, and the centring within levels."""
    sizes = np.bincount(codes)[codes]
    centre = np.eye(len(codes)) - (codes[:, None] == codes) / sizes
    return 1.0 / (sizes * (sizes - 1.0)), centre
