"""Dispersion of groups: distances of networks to the centre of their group, with a test."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.distances.embedding import gower_centre
from rnnstudy.comparison.statistics.permutation import integer_codes, p_value, random_orders
from rnnstudy.core.arguments import as_distances
from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread


@dataclass(frozen=True, eq=False)
class DispersionTest:
    """Test that groups are equally dispersed (PERMDISP)."""

    levels: tuple[str, ...]
    """Levels of the factor, in order of first appearance."""
    dispersion: Array
    """Mean distance to the centre of the combination, averaged over its networks: [level]."""
    f: float
    """F of the analysis of variance of these distances; 1 by chance."""
    p: float
    """Permutation p of equal dispersions."""

    @property
    def ratio(self) -> float:
        """Largest dispersion over the smallest; infinite if one level is a point."""
        low, high = float(self.dispersion.min()), float(self.dispersion.max())
        if low > 0.0:
            return high / low
        return float("inf") if high > 0.0 else 1.0


@one_thread()
def dispersion_test(
    distances: Array,
    labels: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    *,
    permutations: int = 999,
    seed: int = 0,
) -> DispersionTest:
    """Test that the levels of a factor are equally dispersed.

    A share that a factor explains may come from unequal dispersions. Each network's distance to the
    centre of its combination of level and stratum is computed, times sqrt(n / (n - 1)) for a
    combination of n networks. Less the mean of its stratum, it is compared between levels. These
    distances are permuted within strata.

    Parameters
    ----------
    distances : array [item, item]
        Distances between networks.
    labels : sequence [item]
        Level of each network.
    strata : sequence [item], optional
        Stratum of each network. Default: one stratum.
    permutations : int, default 999
        Permutations.
    seed : int, default 0
        Seed of the permutations.

    Returns
    -------
    DispersionTest
        Dispersion of each level, F and p.

    Raises
    ------
    ValueError
        If lengths differ or there is a single level.

    References
    ----------
    Anderson (2006), Distance-based tests for homogeneity of multivariate dispersions.

    Examples
    --------
    >>> points = np.array([-1.0, 1.0, -1.0, 1.0, 7.0, 13.0, 7.0, 13.0])
    >>> distances = np.abs(points[:, None] - points)
    >>> round(dispersion_test(distances, ["gru"] * 4 + ["lstm"] * 4).ratio, 3)
    3.0
    """
    values, codes = as_distances(distances), integer_codes(labels)
    layers = np.zeros(len(values), int) if strata is None else integer_codes(strata, "strata")
    if not len(values) == len(codes) == len(layers):
        raise ValueError(
            f"labels must be one for each of {len(values)} items, got {len(codes)}. Give all."
        )
    names = tuple(str(label) for label in dict.fromkeys(labels))
    if len(names) < 2:
        raise ValueError(f"labels must have at least two levels, got {len(names)}")
    radii = centre_distances(values, integer_codes([*zip(codes, layers, strict=True)]))
    rest = radii.copy()
    for layer in np.unique(layers):
        rest[layers == layer] -= radii[layers == layer].mean()
    member = (codes[:, None] == np.arange(len(names))).astype(float)
    orders = random_orders(len(codes), permutations, seed, layers.tolist())
    null = np.concatenate([np.zeros(0), *(_f_statistics(rest[order], member) for order in orders)])
    statistic = float(_f_statistics(rest[None], member)[0])
    return DispersionTest(
        levels=names,
        dispersion=(radii @ member) / member.sum(axis=0),
        f=statistic,
        p=p_value(statistic, null) if statistic > 0.0 else 1.0,
    )


def centre_distances(distances: Array, codes: Array) -> Array:
    """Return each item's distance to the centre of its group, [item].

    The squared distance is the mean squared distance to the group less half of that within. Without
    points that have these distances it may be negative, and its magnitude is used.
    """
    radii = np.zeros(len(codes))
    for code in np.unique(codes):
        at = np.flatnonzero(codes == code)
        squared = np.diag(gower_centre(distances[np.ix_(at, at)]))
        radii[at] = np.sqrt(np.abs(squared) * len(at) / max(len(at) - 1, 1))
    return radii


def _f_statistics(values: Array, member: Array) -> Array:
    """Return F [labelling] of values [labelling, item] between groups [item, group]; 0 if equal."""
    sizes = member.sum(axis=0)
    means = values @ member / sizes
    centred = values.mean(axis=1, keepdims=True)
    between = ((means - centred) ** 2 * sizes).sum(axis=1) / (len(sizes) - 1)
    within = ((values - means @ member.T) ** 2).sum(axis=1) / max(len(member) - len(sizes), 1)
    scale = 1e-18 * (values**2).sum(axis=1)
    f: Array = np.where(between <= scale, 0.0, between / np.maximum(within, 1e-300))
    return f
