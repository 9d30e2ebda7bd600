"""Positive controls: tests that a measure tells networks apart which are known to differ."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import comb, log, prod

import numpy as np

from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED
from rnnstudy.analyses.factors.fields import NO_FACTORS
from rnnstudy.claims.evidence.measurements import Measurements
from rnnstudy.claims.evidence.record import ControlResult
from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.comparison.statistics.permutation import integer_codes, random_orders
from rnnstudy.comparison.statistics.separation_scores import NEAREST_NEIGHBOUR
from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread

INFORMATIVE_LEVEL = 1e-4
"""Level of the positive controls of a claim together (Holm).

A measure that carries no information passes in one of 10,000 studies. The level is smaller than
that of claims, because a verdict on noise is worse than no verdict."""

SCREENING, PERMUTATIONS = 999, 49_999
"""Permutations of a positive control: at first, and in all if few of them reach the statistic."""

ENOUGH_EXCEEDANCES = 10
"""Permutations that reach the statistic after which no more are drawn (Besag & Clifford 1991)."""


@dataclass(frozen=True)
class PositiveControl:
    """Test that a measure tells two kinds of networks apart.

    Examples
    --------
    >>> PositiveControl("trained against untrained", 1.0, 1e-5, 1e-6).statistic
    1.0
    """

    name: str
    """Words for tables."""
    statistic: float
    """Share of items whose nearest other item has the same training, or a difference of means."""
    p: float
    """p of the null that training makes no difference; not corrected."""
    floor: float
    """Smallest p of the test with so many networks."""
    networks: int = 0
    """Number of networks of the test."""


def distance_controls(measurements: Measurements) -> list[PositiveControl]:
    """Test that distances tell trained from untrained networks, and task from task."""
    tests = [_twins_by_distance(measurements)]
    tests += [_tasks_by_distance(measurements, learnt) for learnt in _other_tasks(measurements)]
    return [test for test in tests if test is not None]


def value_controls(measurements: Measurements) -> list[PositiveControl]:
    """Test that numbers of networks differ between trained and untrained networks.

    The test is paired by network: signs of the differences are flipped. For two values it is the
    exact test of McNemar.
    """
    pairs = measurements.twins()
    if not pairs:
        return []
    trained, untrained = (measurements.values[list(at)] for at in zip(*pairs, strict=True))
    p, floor = paired_p(np.asarray(trained, float), np.asarray(untrained, float))
    difference = float(np.mean(_clip(trained) - _clip(untrained)))
    return [PositiveControl("trained against untrained", difference, p, floor, len(pairs))]


def paired_p(first: Array, second: Array) -> tuple[float, float]:
    """Return the two-sided p of a sign test of paired numbers, and its smallest value.

    Pairs with equal numbers do not count. The numbers may be infinite. For numbers 0 and 1 this is
    the exact test of McNemar (1947).
    """
    from scipy.stats import binomtest

    above, below = int((first > second).sum()), int((first < second).sum())
    p = float(binomtest(above, above + below).pvalue) if above + below else 1.0
    return p, 2.0 ** (1 - len(first))


def correct_controls(controls: Sequence[PositiveControl]) -> list[ControlResult]:
    """Return the results of positive controls, with p corrected over them (Holm)."""
    adjusted = holm([each.p for each in controls])
    return [
        ControlResult(
            each.name,
            "positive",
            effect=each.statistic,
            p=float(p),
            holds=bool(p < INFORMATIVE_LEVEL),
            informative=bool(p < INFORMATIVE_LEVEL),
        )
        for each, p in zip(controls, adjusted, strict=True)
    ]


def shortage_of(controls: Sequence[PositiveControl]) -> str:
    """Return that no positive control could pass with so few networks; empty if one could."""
    if not controls or any(each.floor * len(controls) < INFORMATIVE_LEVEL for each in controls):
        return ""
    networks = max(each.networks for each in controls)
    return f"with {networks} networks no positive control can reach a p below {INFORMATIVE_LEVEL:g}"


def failure_of(results: Sequence[ControlResult]) -> str:
    """Return the reason why positive controls show nothing; empty if one passes."""
    if not results:
        return "there are no untrained networks to compare with"
    if any(row.holds for row in results):
        return ""
    best = min(results, key=lambda row: row.p)
    return f"the measure does not tell {best.name} (p {best.p:.2g})"


def _other_tasks(measurements: Measurements) -> list[str]:
    return [each for each in dict.fromkeys(measurements.learnt) if each.startswith("trained on ")]


@one_thread()
def _twins_by_distance(measurements: Measurements) -> PositiveControl | None:
    pairs = measurements.twins(UNTRAINED)
    if not pairs:
        return None
    count = len(pairs)
    rows = [i for i, _ in pairs] + [j for _, j in pairs]
    distances = measurements.values[np.ix_(rows, rows)]
    weights = NEAREST_NEIGHBOUR.matrix(_without_twins(distances, count))
    signs = np.repeat([1.0, -1.0], count)

    def labellings(generator: np.random.Generator, size: int) -> Array:
        flips = generator.choice([-1.0, 1.0], (size, count))
        return np.concatenate([flips, -flips], axis=1)

    share, p = _permute_signs(weights, signs, labellings)
    name = "trained networks from untrained ones"
    return PositiveControl(name, share, p, 2.0 ** (1 - count), count)


def _without_twins(distances: Array, count: int) -> Array:
    """Return distances in which a network's own twin is farther than all others."""
    changed, rows = distances.copy(), np.arange(count)
    farthest = 1.0 + 2.0 * float(np.max(distances, initial=0.0))
    changed[rows, rows + count] = changed[rows + count, rows] = farthest
    return changed


@one_thread()
def _tasks_by_distance(measurements: Measurements, learnt: str) -> PositiveControl | None:
    controls = {i for i, _ in measurements.twins()} or set(measurements.at(TRAINED))
    rows = [*sorted(controls), *measurements.at(learnt)]
    first = len(controls)
    if not first or len(rows) == first:
        return None
    distances = measurements.values[np.ix_(rows, rows)]
    weights = NEAREST_NEIGHBOUR.matrix(distances)
    signs = np.repeat([1.0, -1.0], [first, len(rows) - first])
    strata = [_kind(measurements.members[i].fields) for i in rows]

    def labellings(generator: np.random.Generator, size: int) -> Array:
        seed = int(generator.integers(2**32))
        return np.concatenate([signs[o] for o in random_orders(len(rows), size, seed, strata)])

    share, p = _permute_signs(weights, signs, labellings)
    name = f"the networks from those {learnt}"
    return PositiveControl(name, share, p, _floor(signs, strata), first)


def _kind(fields: object) -> str:
    assert isinstance(fields, dict) or hasattr(fields, "items")
    return ", ".join(f"{n}={v}" for n, v in fields.items() if n not in NO_FACTORS)


def _floor(signs: Array, strata: Sequence[str]) -> float:
    """Return the smallest p of exchanging two labels within strata."""
    codes = integer_codes(strata)
    counts = [
        comb(int((codes == code).sum()), int((signs[codes == code] > 0).sum()))
        for code in range(int(codes.max()) + 1)
    ]
    return 0.0 if sum(map(log, counts)) > log(1e15) else 1.0 / prod(counts)


def _permute_signs(
    weights: Array,
    signs: Array,
    labellings: Callable[[np.random.Generator, int], Array],
) -> tuple[float, float]:
    """Return the share of items whose nearest others have their sign, and its p by permutation."""

    def shares(signs: Array) -> Array:
        agreement: Array = (1.0 + ((signs @ weights.T) * signs).mean(axis=1)) / 2.0
        return agreement

    statistic, generator = float(shares(signs[None])[0]), np.random.default_rng(0)
    exceedances, drawn = 0, 0
    for size in _batches():
        null = shares(labellings(generator, size))
        exceedances += int((null >= statistic - 1e-9).sum())
        drawn += size
        if exceedances >= ENOUGH_EXCEEDANCES:
            break
    return statistic, (1 + exceedances) / (1 + drawn)


def _batches() -> Iterator[int]:
    """Yield numbers of permutations: a screening, then the others in parts."""
    yield SCREENING
    remaining = PERMUTATIONS - SCREENING
    while remaining > 0:
        yield min(7000, remaining)
        remaining -= 7000


def _clip(values: Array) -> Array:
    """Return numbers with the largest finite number in place of infinite ones."""
    numbers = np.asarray(values, float)
    finite = numbers[np.isfinite(numbers)]
    largest: Array = np.minimum(numbers, np.max(finite, initial=0.0))
    return largest
