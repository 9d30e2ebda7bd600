"""Permutation tests: a statistic beside its values under shuffled labels."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np

from rnnstudy.core.arguments import check_labels, check_whole
from rnnstudy.core.arrays import Array

PERMUTATION_CHUNK = 64
"""Permutations computed together: enough for large products, few enough to bound memory."""


@dataclass(frozen=True)
class PermutationTestResult:
    """Statistic with its permutation test, and its interval over networks."""

    statistic: float
    expected: float
    """Mean over permutations: the value by chance."""
    null_low: float
    """5 % quantile over permutations."""
    null_high: float
    """95 % quantile over permutations."""
    p: float
    """(1 + number of permutations that reach the statistic) / (1 + permutations)."""
    permutations: int
    """Number of permutations."""
    low: float = nan
    """Lower end of the 95 % interval over networks; NaN without an interval."""
    high: float = nan
    """Upper end of the interval."""

    @property
    def effect(self) -> float:
        """Statistic minus its value by chance."""
        return self.statistic - self.expected


def compare_with_null(
    statistic: float, null: Array, interval: tuple[float, float]
) -> PermutationTestResult:
    """Return a statistic beside its values under permutations [permutation]; large is extreme.

    The statistic counts as one of its own permutations. Therefore p is never 0, and the test keeps
    its level exactly (Phipson & Smyth 2010).
    """
    low, high = quantiles(null, [0.05, 0.95]) if len(null) else (nan, nan)
    return PermutationTestResult(
        statistic=float(statistic),
        expected=float(null.mean()) if len(null) else nan,
        null_low=float(low),
        null_high=float(high),
        p=p_value(statistic, null),
        permutations=len(null),
        low=float(interval[0]),
        high=float(interval[1]),
    )


def quantiles(values: Array, levels: Sequence[float]) -> Array:
    """Return quantiles of values; the nearest value if one of the values is infinite.

    Nothing lies between a number and infinity.
    """
    method: Literal["linear", "nearest"] = "linear" if np.isfinite(values).all() else "nearest"
    numbers: Array = np.quantile(values, levels, method=method)
    return numbers


def p_value(statistic: float, null: Array) -> float:
    """Return (1 + #{null >= statistic}) / (1 + #null); rounding errors make no difference."""
    values = np.append(null, statistic)
    rounding = 1e-9 * np.max(np.abs(values[np.isfinite(values)]), initial=0.0)
    return float((1 + np.count_nonzero(null >= statistic - rounding)) / (1 + len(null)))


def random_orders(
    items: int, permutations: int, seed: int, strata: Sequence[Hashable] | None = None
) -> Iterator[Array]:
    """Yield random orders of the items, some [permutation, item] at a time.

    With `strata` [item], items are exchanged with those of the same stratum only.
    """
    check_whole("permutations", permutations)
    generator = np.random.default_rng(check_whole("seed", seed))
    codes = np.zeros(items, int) if strata is None else integer_codes(strata, "strata")
    if len(codes) != items:
        raise ValueError(
            f"strata must be one for each of {items} items, got {len(codes)}. Give all."
        )
    positions = np.argsort(codes, kind="stable")
    for start in range(0, permutations, PERMUTATION_CHUNK):
        count = min(PERMUTATION_CHUNK, permutations - start)
        order = np.empty((count, items), int)
        # Sorting random numbers that begin with the stratum shuffles each stratum by itself.
        order[:, positions] = np.argsort(codes + generator.random((count, items)), axis=1)
        yield order


def integer_codes(labels: Sequence[Hashable], name: str = "labels") -> Array:
    """Return labels as numbers 0, 1, ... in the order of first appearance: [item].

    Raises TypeError, with the argument's name, for one text and for labels that have no hash.
    """
    labels = check_labels(name, labels)
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], int)
