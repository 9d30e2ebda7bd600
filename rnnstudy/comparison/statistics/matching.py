"""Networks that do a task equally well, whatever they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.statistics.permutation import integer_codes
from rnnstudy.comparison.statistics.separation_scores import Labels
from rnnstudy.core.arrays import Array

CALIPER = 0.2
"""Standard deviations that matched values may differ by (Austin 2011)."""


@dataclass(frozen=True, eq=False)
class Matching:
    """Items in sets of one per group, with values that are alike within a set."""

    sets: Array
    """Number of each item's set; -1 for an item that is in none: [item]."""
    width: float
    """Most that values of a set may differ by."""
    before: float
    """Largest difference of two groups' mean values, in standard deviations within groups; NaN
    where these are 0."""
    after: float
    """The same of the items that are in sets, in the same units; NaN without any."""

    @property
    def kept(self) -> Array:
        """Positions of the items that are in sets."""
        return np.flatnonzero(self.sets >= 0)


def match_groups(
    values: Sequence[float] | Array, labels: Labels, caliper: float = CALIPER
) -> Matching:
    """As many sets as there can be of one item per label whose values [item] are alike.

    Alike: within `caliper` standard deviations, pooled within labels. So all labels keep equally
    many items, with nearly the same distribution of values. Values that are not finite match none.
    """
    numbers, codes = np.asarray(values, float), integer_codes(labels)
    if len(numbers) != len(codes):
        raise ValueError(f"{len(codes)} labels for {len(numbers)} values")
    known = np.isfinite(numbers)
    groups = [np.flatnonzero(known & (codes == code)) for code in range(codes.max(initial=-1) + 1)]
    spread = _pooled_deviation([numbers[group] for group in groups])
    sets = np.full(len(numbers), -1)
    for number, items in enumerate(_matched_sets(numbers, groups, caliper * spread)):
        sets[items] = number
    kept = [group[sets[group] >= 0] for group in groups]
    return Matching(
        sets,
        caliper * spread,
        *(_imbalance([numbers[group] for group in each], spread) for each in (groups, kept)),
    )


def _matched_sets(values: Array, groups: Sequence[Array], width: float) -> list[list[int]]:
    """The smallest values left of each group make a set if they are alike; else the smallest of
    them can be in none. No other way of matching makes more sets."""
    if not groups:
        return []
    queues = [sorted(group.tolist(), key=lambda i: values[i], reverse=True) for group in groups]
    found = []
    while all(queues):
        heads = [queue[-1] for queue in queues]
        order = sorted(range(len(heads)), key=lambda k: values[heads[k]])
        if values[heads[order[-1]]] - values[heads[order[0]]] <= width:
            found.append(heads)
            for queue in queues:
                queue.pop()
        else:
            queues[order[0]].pop()
    return found


def _pooled_deviation(groups: Sequence[Array]) -> float:
    """Standard deviation within groups; 0 where no group has two items."""
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups if len(group))
    freedom = sum(len(group) - 1 for group in groups if len(group))
    return float(np.sqrt(squares / freedom)) if freedom else 0.0


def _imbalance(groups: Sequence[Array], spread: float) -> float:
    means = [group.mean() for group in groups if len(group)]
    return float(np.ptp(means) / spread) if means and spread > 0.0 else float("nan")
