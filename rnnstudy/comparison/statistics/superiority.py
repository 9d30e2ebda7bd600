"""Are the numbers of one group larger than those of another?"""

from collections.abc import Hashable, Sequence

import numpy as np

from rnnstudy.comparison.statistics.permutation import (
    PermutationTestResult,
    compare_with_null,
    random_orders,
)
from rnnstudy.comparison.statistics.resampling import bootstrap_weights, percentile_interval
from rnnstudy.core.arrays import Array


def superiority_test(
    values: Array,
    above: Array,
    *,
    permutations: int = 999,
    seed: int = 0,
    strata: Sequence[Hashable] | None = None,
    bootstraps: int = 1999,
) -> PermutationTestResult:
    """Probability that a value of the upper group exceeds one of the lower, a tie counting half.

    Vargha & Delaney's A (2000), which is Mann & Whitney's U over the number of pairs: 1/2 where the
    groups do not differ, 1 where each upper value exceeds each lower one. values [item], which may
    be infinite; above [item], whether an item is of the upper group. Membership is permuted within
    `strata` [item] where given; the interval is a bootstrap over items within groups. ValueError if
    a group is empty or a value is not a number.
    """
    values, above = np.asarray(values, float), np.asarray(above, bool)
    if not 0 < above.sum() < len(above):
        raise ValueError("a comparison needs items in both groups")
    if np.isnan(values).any():
        raise ValueError(f"values[{np.flatnonzero(np.isnan(values))[0]}] is not a number")
    exceeds = (values[:, None] > values) + 0.5 * (values[:, None] == values)
    pairs = float(above.sum() * (~above).sum())

    def share(upper: Array, lower: Array) -> Array:
        found: Array = ((upper @ exceeds) * lower).sum(axis=-1) / pairs
        return found

    orders = random_orders(len(values), permutations, seed, strata)
    null = [share(above[order].astype(float), ~above[order]) for order in orders]
    draws = bootstrap_weights(above.astype(int), bootstraps, seed)
    around = percentile_interval(_concatenate([share(w * above, w * ~above) for w in draws]))
    return compare_with_null(float(share(above.astype(float), ~above)), _concatenate(null), around)


def _concatenate(parts: list[Array]) -> Array:
    return np.concatenate([np.zeros(0), *parts])
