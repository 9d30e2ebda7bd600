"""Networks that do a task equally well, whatever they are."""

from collections.abc import Sequence

import numpy as np

from rnnstudy.comparison.measures import Labels
from rnnstudy.comparison.permutation import coded
from rnnstudy.record import Array


def matched(values: Sequence[float] | Array, labels: Labels) -> Array:
    """Which items have a value that all groups have reached: a mask [item].

    The range from the largest of the groups' least values to the smallest of their greatest; empty
    where some group lies above another altogether. Values that are not finite are in no range.
    """
    numbers, codes = np.asarray(values, float), coded(labels)
    if len(numbers) != len(codes):
        raise ValueError(f"{len(codes)} labels for {len(numbers)} values")
    known = np.isfinite(numbers)
    groups = [numbers[known & (codes == group)] for group in range(codes.max(initial=-1) + 1)]
    low = max((group.min(initial=np.inf) for group in groups), default=np.inf)
    high = min((group.max(initial=-np.inf) for group in groups), default=-np.inf)
    return known & (numbers >= low) & (numbers <= high)
