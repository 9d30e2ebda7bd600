"""Positive controls: tests that a measure tells networks apart that are known to differ."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.comparison.statistics.equivalence import equivalence_test, level_differences
from rnnstudy.comparison.statistics.multiple_testing import holm
from rnnstudy.comparison.statistics.permutation import (
    PERMUTATION_CHUNK,
    integer_codes,
    p_value,
    random_orders,
)
from rnnstudy.core.arguments import (
    as_distances,
    as_float_array,
    as_mask,
    check_labels,
    check_level,
    check_number,
    check_whole,
)
from rnnstudy.core.arrays import Array
from rnnstudy.core.threads import one_thread

INFORMATIVE_LEVEL = 0.001
"""Level of the positive controls: noise passes them in one of 1,000 studies."""

TRAINED = "trained"
"""Kind of the networks that a claim is about."""

PLANTED = "planted"
"""Kind of copies of trained networks with a known change."""


@dataclass(frozen=True, eq=False)
class InformativeTests:
    """Tests that a measure tells trained networks from each kind of control networks."""

    controls: tuple[str, ...]
    """Kind of each control: `untrained`, `standard`, `trained on X`."""
    effect: Array
    """Difference between trained and control networks, in the unit of the measure: [control]."""
    p: Array
    """Permutation p of no difference: [control]."""
    p_adjusted: Array
    """p corrected for several controls (Holm): [control]."""
    floor: Array
    """Smallest possible p with so many networks, corrected likewise: [control]."""
    alpha: float
    """Level of the tests."""

    @property
    def informative(self) -> bool:
        """Is true if one control is told apart."""
        return bool((self.p_adjusted <= self.alpha).any())

    @property
    def possible(self) -> bool:
        """Is true if there are enough networks for a control to be told apart."""
        return bool((self.floor <= self.alpha).any())


@dataclass(frozen=True, eq=False)
class DetectionTest:
    """Test that a distance detects networks of another kind in place of those of one level."""

    levels: tuple[str, ...]
    """Level whose networks are replaced."""
    difference: Array
    """Smallest difference from another level, in the unit of the distances: [level]."""
    low: Array
    """Lower end of the 95 % interval of this difference: [level]."""
    p: Array
    """p of no difference, corrected over pairs of levels: [level]."""
    detected: Array
    """Is true if the difference is at least the margin, and beyond chance: [level]."""

    @property
    def sensitive(self) -> bool:
        """Is true if the replaced networks are detected in every level."""
        return bool(len(self.detected)) and bool(self.detected.all())


@one_thread()
def informative_tests(
    distances: Array,
    kinds: Sequence[str],
    networks: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    *,
    alpha: float = INFORMATIVE_LEVEL,
    permutations: int = 4999,
    seed: int = 0,
) -> InformativeTests:
    """Test that distances tell trained networks from control networks.

    The statistic is the mean distance between both kinds minus the mean of those within, averaged
    over strata. Two items of one network are never a pair. If each trained network has its twin of
    the other kind, the two labels are exchanged within twins. Otherwise labels are permuted within
    strata.

    Parameters
    ----------
    distances : array [item, item]
        Distances between networks.
    kinds : sequence of str [item]
        Kind of each item: `trained`, or the name of a control. Items named `planted` are left out.
    networks : sequence [item]
        Name of each item's network; an untrained twin has the name of its trained network.
    strata : sequence [item], optional
        Stratum of each item, for example its combination of cell and activation. Default: one.
    alpha : float, default 0.001
        Level of the tests.
    permutations : int, default 4999
        Permutations of each test.
    seed : int, default 0
        Seed of the permutations.

    Returns
    -------
    InformativeTests
        One test for each kind of control; none without controls.

    Raises
    ------
    ValueError
        If lengths differ, or the level is not between 0 and 1.

    References
    ----------
    Székely & Rizzo (2013), Energy statistics: a class of statistics based on distances.

    Examples
    --------
    >>> points = np.concatenate([np.arange(12.0), 50 + np.arange(12.0)])
    >>> distances = np.abs(points[:, None] - points)
    >>> kinds = ["trained"] * 12 + ["untrained"] * 12
    >>> informative_tests(distances, kinds, [*range(12), *range(12)]).informative
    True
    """
    values = as_distances(distances)
    layers = _codes(strata, len(values))
    _check_lengths(len(values), kinds=kinds, networks=networks, strata=layers)
    _check_tests(alpha, permutations, seed)
    names = integer_codes(networks)
    controls = _controls(kinds)
    tests = []
    for control in controls:
        groups = _groups(kinds, control, names, layers)
        among = values[np.ix_(groups.rows, groups.rows)]
        effect = float(_kind_differences(among, groups, groups.is_control[None])[0])
        labellings = _labellings(groups, permutations, seed)
        null = [np.zeros(0), *(_kind_differences(among, groups, each) for each in labellings)]
        # It does not change if all labels of a stratum with twins are exchanged.
        mirrored = 2.0 ** len(np.unique(groups.strata))
        tests.append(_test(effect, effect, np.concatenate(null), groups, mirrored))
    return _collect(controls, tests, alpha)


def informative_values(
    values: Sequence[float] | Array,
    kinds: Sequence[str],
    networks: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    *,
    alpha: float = INFORMATIVE_LEVEL,
    permutations: int = 4999,
    seed: int = 0,
) -> InformativeTests:
    """Test that a number or a property of networks tells trained from control networks.

    Values are replaced by their ranks, so that they may be infinite. Twins are compared by
    exchanging their labels; for a property this is McNemar's test. Other networks are compared by
    permuting labels within strata. Both tests are two-sided.

    Parameters
    ----------
    values : sequence of float or bool [item]
        Value of each item; NaN is no value.
    kinds, networks, strata, alpha, permutations, seed
        As for `informative_tests`.

    Returns
    -------
    InformativeTests
        One test for each kind of control. The effect is the mean of trained minus control networks.
        It is not finite if a value is infinite.

    Raises
    ------
    ValueError
        If lengths differ, or the level is not between 0 and 1.

    References
    ----------
    McNemar (1947), Note on the sampling error of the difference between correlated proportions.

    Examples
    --------
    >>> has_memory = [True] * 12 + [False] * 12
    >>> kinds = ["trained"] * 12 + ["untrained"] * 12
    >>> informative_values(has_memory, kinds, [*range(12), *range(12)]).informative
    True
    """
    numbers = _as_numbers(values)
    layers = _codes(strata, len(numbers))
    _check_lengths(len(numbers), kinds=kinds, networks=networks, strata=layers)
    _check_tests(alpha, permutations, seed)
    names = integer_codes(networks)
    known = ~np.isnan(numbers)
    controls = _controls(kinds)
    tests = []
    for control in controls:
        groups = _groups(kinds, control, names, layers, known)
        among = numbers[groups.rows]
        ranks = _ranks(among)
        observed = abs(float(_mean_differences(ranks, groups, groups.is_control[None])[0]))
        labellings = _labellings(groups, permutations, seed)
        null = [np.zeros(0), *(_mean_differences(ranks, groups, each) for each in labellings)]
        with np.errstate(invalid="ignore"):
            effect = float(_mean_differences(among, groups, groups.is_control[None])[0])
        # It does not change if the labels of all twins are exchanged.
        tests.append(_test(effect, observed, np.abs(np.concatenate(null)), groups, mirrored=2.0))
    return _collect(controls, tests, alpha)


def detection_test(
    distances: Array,
    labels: Sequence[Hashable],
    planted: Sequence[bool] | Array,
    margin: float,
    strata: Sequence[Hashable] | None = None,
    *,
    bound: float | None = None,
    alpha: float = 0.05,
    permutations: int = 999,
) -> DetectionTest:
    """Test that a distance detects a known difference that is at least as large as a margin.

    In each level of a factor in turn, planted networks replace the trained ones. They are copies
    with a known change, or networks of another class. The statistic of `level_differences` must be
    at least the margin between the replaced level and every other one, beyond chance. A distance
    that is 0 among all trained networks fails.

    Parameters
    ----------
    distances : array [item, item]
        Distances between trained and planted networks.
    labels : sequence [item]
        Level of each network; that of a planted one is the level in which it replaces others.
    planted : sequence of bool [item]
        True for a planted network.
    margin : float
        Smallest difference that must be detected.
    strata : sequence [item], optional
        Stratum of each network. Default: one stratum.
    bound : float, optional
        As for `level_differences`.
    alpha : float, default 0.05
        Level of the tests, corrected over pairs of levels.
    permutations : int, default 999
        Permutations of each test.

    Returns
    -------
    DetectionTest
        One row for each level that has planted networks.

    Raises
    ------
    ValueError
        If there is a single level, lengths differ, or margin or level are out of range.

    Examples
    --------
    >>> planted = np.arange(30) >= 20
    >>> kind = np.where(planted, 1, 0)
    >>> distances = (kind[:, None] != kind).astype(float)
    >>> labels = ["gru", "lstm"] * 15
    >>> detection_test(distances, labels, planted, margin=0.1).sensitive
    True
    """
    values = as_distances(distances)
    is_planted = as_mask("planted", planted, (len(values),))
    layers = _codes(strata, len(values))
    _check_lengths(len(values), labels=labels, strata=layers)
    check_number("margin", margin, above=0.0, remedy="Give the smallest difference to detect.")
    _check_tests(alpha, permutations)
    names = np.array([str(label) for label in labels])
    levels = tuple(dict.fromkeys(names[~is_planted].tolist()))
    rows = []
    for level in (each for each in levels if (is_planted & (names == each)).any()):
        among = np.flatnonzero(np.where(names == level, is_planted, ~is_planted))
        differences = level_differences(
            values[np.ix_(among, among)], names[among].tolist(), layers[among].tolist(),
            bound=bound, permutations=permutations,
        )  # fmt: skip
        adjusted = equivalence_test(differences, margin, alpha).p_different
        at = [i for i, pair in enumerate(differences.pairs) if level in pair]
        rows.append((differences.difference[at], differences.low[at], adjusted[at]))
    lowest = np.array([[d.min(), low.min(), p.max()] for d, low, p in rows]).reshape(-1, 3)
    difference, low, p = lowest.T
    detected = (difference >= margin) & (low > 0.0) & (p <= alpha)
    replaced = tuple(each for each in levels if (is_planted & (names == each)).any())
    return DetectionTest(replaced, difference, low, p, detected)


@dataclass(frozen=True, eq=False)
class _Groups:
    """Trained and control items of one test, and how their labels may be exchanged."""

    rows: Array
    """Positions of the items: [item]."""
    is_control: Array
    """True for a control item: [item]."""
    names: Array
    """Number of each item's network: [item]."""
    strata: Array
    """Number of each item's stratum: [item]."""
    paired: bool
    """Is true if each network has one item of both kinds."""

    @property
    def labellings(self) -> float:
        """Number of distinct labellings under the null."""
        from scipy.special import comb

        count = 1.0
        for stratum in np.unique(self.strata):
            inside = self.is_control[self.strata == stratum]
            size, controls = len(inside), int(inside.sum())
            count *= 2.0 ** (size // 2) if self.paired else float(comb(size, controls))
        return count


@dataclass(frozen=True)
class _Test:
    effect: float
    p: float
    floor: float


def _test(effect: float, statistic: float, null: Array, groups: _Groups, mirrored: float) -> _Test:
    """Return a test; p is 1 without a pair of each kind.

    mirrored: number of exchanges of twins that give the same statistic.
    """
    if np.isnan(statistic) or np.isnan(null).any():
        return _Test(effect, 1.0, 1.0)
    equal = mirrored if groups.paired else 1.0
    floor = max(equal / groups.labellings, 1.0 / (1 + len(null)))
    return _Test(effect, p_value(statistic, null), min(floor, 1.0))


def _collect(controls: tuple[str, ...], tests: Sequence[_Test], alpha: float) -> InformativeTests:
    p = np.array([test.p for test in tests])
    return InformativeTests(
        controls=controls,
        effect=np.array([test.effect for test in tests]),
        p=p,
        p_adjusted=holm(p),
        floor=np.minimum(np.array([test.floor for test in tests]) * len(tests), 1.0),
        alpha=alpha,
    )


def _controls(kinds: Sequence[str]) -> tuple[str, ...]:
    return tuple(kind for kind in dict.fromkeys(kinds) if kind not in (TRAINED, PLANTED))


def _groups(
    kinds: Sequence[str], control: str, names: Array, strata: Array, known: Array | None = None
) -> _Groups:
    """Return trained and control items; only twins if each control item has one."""
    labels = np.array(kinds)
    usable = np.isin(labels, (TRAINED, control)) & (True if known is None else known)
    is_control = labels == control
    first, second = set(names[usable & ~is_control]), set(names[usable & is_control])
    paired = bool(first & second)
    if paired:
        usable &= np.isin(names, list(first & second))
    rows = np.flatnonzero(usable)
    return _Groups(rows, is_control[rows], names[rows], strata[rows], paired)


def _labellings(groups: _Groups, permutations: int, seed: int) -> Iterator[Array]:
    """Yield which items are controls under the null: [permutation, item], some at a time."""
    if not groups.paired:
        for orders in random_orders(len(groups.rows), permutations, seed, groups.strata.tolist()):
            yield groups.is_control[orders]
        return
    generator = np.random.default_rng(seed)
    _, network = np.unique(groups.names, return_inverse=True)
    for start in range(0, permutations, PERMUTATION_CHUNK):
        count = min(PERMUTATION_CHUNK, permutations - start)
        exchanged = generator.random((count, network.max(initial=-1) + 1)) < 0.5
        yield groups.is_control ^ exchanged[:, network]


def _kind_differences(distances: Array, groups: _Groups, labellings: Array) -> Array:
    """Return differences [labelling] between kinds, over strata; NaN without pairs."""
    layers = []
    for stratum in np.unique(groups.strata):
        at = np.flatnonzero(groups.strata == stratum)
        counts = (groups.names[at][:, None] != groups.names[at]).astype(float)
        among, control = distances[np.ix_(at, at)] * counts, labellings[:, at].astype(float)
        trained = 1.0 - control
        between = _weighted_mean(among, counts, control, trained)
        within = [_weighted_mean(among, counts, kind, kind) for kind in (control, trained)]
        layers.append(between - 0.5 * (within[0] + within[1]))
    usable = [layer for layer in layers if not np.isnan(layer).any()]
    return np.mean(usable, axis=0) if usable else np.full(len(labellings), np.nan)


def _weighted_mean(values: Array, counts: Array, left: Array, right: Array) -> Array:
    """Return the mean value of pairs of two sets of items [labelling, item]; NaN without pairs."""
    pairs = ((left @ counts) * right).sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean: Array = ((left @ values) * right).sum(axis=1) / pairs
    return mean


def _mean_differences(values: Array, groups: _Groups, labellings: Array) -> Array:
    """Return mean differences [labelling], trained minus control, over strata; NaN without any."""
    layers = []
    for stratum in np.unique(groups.strata):
        at = np.flatnonzero(groups.strata == stratum)
        control = labellings[:, at]
        if control.any(axis=1).all() and not control.all(axis=1).any():
            means = [np.where(kind, values[at], 0.0).sum(axis=1) / kind.sum(axis=1)
                     for kind in (~control, control)]  # fmt: skip
            layers.append(means[0] - means[1])
    return np.mean(layers, axis=0) if layers else np.full(len(labellings), np.nan)


def _ranks(values: Array) -> Array:
    from scipy.stats import rankdata

    ranks: Array = rankdata(values)
    return ranks


def _codes(strata: Sequence[Hashable] | None, items: int) -> Array:
    return np.zeros(items, int) if strata is None else integer_codes(strata, "strata")


def _as_numbers(values: Sequence[float] | Array) -> Array:
    """Return values [item] as numbers; a property is 0 or 1."""
    numbers = np.asarray(values)
    is_property = numbers.dtype == bool
    numbers = numbers.astype(float) if is_property else as_float_array("values", values, False)
    if numbers.ndim != 1:
        raise ValueError(f"values must be [item], got shape {numbers.shape}. Pass one per item.")
    return numbers


def _check_tests(alpha: float, permutations: int, seed: int = 0) -> None:
    check_level("alpha", alpha)
    check_whole("permutations", permutations)
    check_whole("seed", seed)


def _check_lengths(items: int, **parts: Sequence[Hashable] | Array) -> None:
    for name, part in parts.items():
        if len(check_labels(name, part)) != items:
            raise ValueError(f"{name} must be one for each of {items} items, got {len(part)}")
