"""Matching: sets of networks that do a task equally well, one network per group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.statistics.permutation import integer_codes
from rnnstudy.comparison.statistics.separation_scores import Labels
from rnnstudy.core.arguments import as_float_array, check_number
from rnnstudy.core.arrays import Array

CALIPER = 0.2
"""Largest difference of matched values, in standard deviations (Austin 2011)."""


@dataclass(frozen=True, eq=False)
class Matching:
    """Items in sets of one per group, with values that are alike within a set."""

    sets: Array
    """Number of each item's set; -1 for an item without a set: [item]."""
    width: float
    """Largest difference of values in a set, in the unit of the values."""
    before: float
    """Largest difference of two groups' mean values, in standard deviations within groups.

    NaN if these are 0.
    """
    after: float
    """Same difference of the items in sets; NaN without any."""

    @property
    def items(self) -> Array:
        """Positions of the items in sets."""
        return np.flatnonzero(self.sets >= 0)


def match_groups(
    values: Sequence[float] | Array, labels: Labels, caliper: float = CALIPER
) -> Matching:
    """Match items of all groups into as many sets of like values as possible.

    A set has one item of each label. All labels keep equally many items, with nearly the same
    distribution of values.

    Parameters
    ----------
    values : sequence of float [item]
        Values to match; an item with a value that is not finite is in no set.
    labels : sequence [item]
        Group of each item.
    caliper : float, default 0.2
        Largest difference in a set, in standard deviations pooled within labels.

    Returns
    -------
    Matching
        Sets, with the imbalance of groups before and after.

    Raises
    ------
    ValueError
        If numbers of values and labels differ, or the caliper is negative.

    Examples
    --------
    >>> match_groups([1.0, 5.0, 1.1, 9.0], ["a", "a", "b", "b"]).items.tolist()
    [0, 2]
    """
    numbers, codes = as_float_array("values", values, finite=False), integer_codes(labels)
    check_number("caliper", caliper, least=0.0, remedy="0.2 is customary.")
    if numbers.ndim != 1:
        raise ValueError(f"values must be [item], got shape {numbers.shape}. Pass one per item.")
    if len(numbers) != len(codes):
        raise ValueError(f"labels must be one for each of {len(numbers)} values, got {len(codes)}")
    known = np.isfinite(numbers)
    groups = [np.flatnonzero(known & (codes == code)) for code in range(codes.max(initial=-1) + 1)]
    deviation = _pooled_deviation([numbers[group] for group in groups])
    sets = np.full(len(numbers), -1)
    for number, items in enumerate(_matched_sets(numbers, groups, caliper * deviation)):
        sets[items] = number
    matched = [group[sets[group] >= 0] for group in groups]
    return Matching(
        sets,
        caliper * deviation,
        *(_imbalance([numbers[group] for group in each], deviation) for each in (groups, matched)),
    )


def _matched_sets(values: Array, groups: Sequence[Array], width: float) -> list[list[int]]:
    """Return the sets that a greedy search from the smallest values makes.

    The smallest remaining values of each group make a set if they are alike. Otherwise the smallest
    of them can be in no set. No other matching has more sets.
    """
    if not groups:
        return []
    queues = [sorted(group.tolist(), key=lambda i: values[i], reverse=True) for group in groups]
    sets = []
    while all(queues):
        heads = [queue[-1] for queue in queues]
        order = sorted(range(len(heads)), key=lambda k: values[heads[k]])
        if values[heads[order[-1]]] - values[heads[order[0]]] <= width:
            sets.append(heads)
            for queue in queues:
                queue.pop()
        else:
            queues[order[0]].pop()
    return sets


def _pooled_deviation(groups: Sequence[Array]) -> float:
    """Return the standard deviation within groups; 0 if no group has two items."""
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups if len(group))
    freedom = sum(len(group) - 1 for group in groups if len(group))
    return float(np.sqrt(squares / freedom)) if freedom else 0.0


def _imbalance(groups: Sequence[Array], deviation: float) -> float:
    means = [group.mean() for group in groups if len(group)]
    return float(np.ptp(means) / deviation) if means and deviation > 0.0 else float("nan")
