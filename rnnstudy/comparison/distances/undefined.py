"""Undefined distances: items to leave out, so that all distances of the others are numbers."""

from collections.abc import Sequence

import numpy as np

from rnnstudy.core.arrays import Array


def undefined_items(values: Array, is_control: Sequence[bool] | None = None) -> dict[int, int]:
    """Return the items to leave out so that all distances between the others are finite.

    The item with the most undefined distances is left out first, the last one of equals. This
    repeats until none is undefined. Items that are no controls are chosen among themselves, and
    before the controls. They are therefore the same with controls and without.

    Parameters
    ----------
    values : array [item, item]
        Distances; NaN or infinite where they are undefined. The diagonal does not count.
    is_control : sequence of bool, optional
        True for each control. Default: there are none.

    Returns
    -------
    dict
        Item -> number of its undefined distances when it was left out, in the order of the items.

    Examples
    --------
    >>> values = np.zeros((3, 3))
    >>> values[0, 1] = values[1, 0] = values[1, 2] = values[2, 1] = np.nan
    >>> undefined_items(values)
    {1: 2}
    """
    is_finite = np.isfinite(values)
    if is_finite.all():
        return {}
    broken = ~(is_finite & is_finite.T)
    np.fill_diagonal(broken, False)
    later = np.zeros(len(values), bool) if is_control is None else np.array(is_control, bool)
    left_out: dict[int, int] = {}
    for candidates, among in ((~later, ~later), (later, np.ones_like(later))):
        while True:
            counts = np.where(candidates, broken[:, among].sum(axis=1), 0)
            most = int(counts.max(initial=0))
            if not most:
                break
            worst = int(np.flatnonzero(counts == most)[-1])
            left_out[worst] = most
            broken[worst] = broken[:, worst] = False
    return dict(sorted(left_out.items()))
