"""Tests by permutation: what a statistic would be if labels had been dealt out by chance."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np

from rnnstudy.core.arrays import Array

PERMUTATION_CHUNK = 64
"""Permutations worked on together: enough for large products, few enough to bound memory."""


@dataclass(frozen=True)
class PermutationTestResult:
    """A statistic, what permutations say of it, and its interval over networks."""

    statistic: float
    expected: float
    """Mean over permutations: what chance gives."""
    null_low: float
    """5 % quantile over permutations."""
    null_high: float
    """95 % quantile over permutations."""
    p: float
    """(1 + number of permutations that reach the statistic) / (1 + permutations)."""
    permutations: int
    low: float = nan
    """Lower end of the 95 % interval over networks; NaN where there is none."""
    high: float = nan

    @property
    def effect(self) -> float:
        """What the statistic has above chance."""
        return self.statistic - self.expected


def compare_with_null(
    statistic: float, null: Array, interval: tuple[float, float]
) -> PermutationTestResult:
    """A statistic beside its values under permutations [permutation]; large ones are extreme.

    The statistic counts as one of its own permutations, so that p is never 0 and the test keeps its
    level exactly (Phipson & Smyth 2010).
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
    """Quantiles of values, which may be infinite: then the nearest value, for there is nothing
    between a number and infinity."""
    method: Literal["linear", "nearest"] = "linear" if np.isfinite(values).all() else "nearest"
    found: Array = np.quantile(values, levels, method=method)
    return found


def p_value(statistic: float, null: Array) -> float:
    """(1 + #{null >= statistic}) / (1 + #null); what differs by rounding only is equal."""
    every = np.append(null, statistic)
    rounding = 1e-9 * np.max(np.abs(every[np.isfinite(every)]), initial=0.0)
    return float((1 + np.count_nonzero(null >= statistic - rounding)) / (1 + len(null)))


def random_orders(
    items: int, permutations: int, seed: int, strata: Sequence[Hashable] | None = None
) -> Iterator[Array]:
    """Random orders of the items, [some permutations, item] at a time, `permutations` in all.

    Within `strata` [item] items change places with those of the same stratum only.
    """
    generator = np.random.default_rng(seed)
    codes = np.zeros(items, int) if strata is None else integer_codes(strata)
    if len(codes) != items:
        raise ValueError(f"{len(codes)} strata for {items} items")
    places = np.argsort(codes, kind="stable")
    for start in range(0, permutations, PERMUTATION_CHUNK):
        count = min(PERMUTATION_CHUNK, permutations - start)
        order = np.empty((count, items), int)
        # Sorting random numbers that begin with the stratum shuffles each stratum by itself.
        order[:, places] = np.argsort(codes + generator.random((count, items)), axis=1)
        yield order


def integer_codes(labels: Sequence[Hashable]) -> Array:
    """Labels as numbers 0, 1, ... in the order of first appearance: [item]."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(label, len(numbers)) for label in labels], int)
