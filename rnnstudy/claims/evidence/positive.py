"""Positive controls: tests that a measure tells networks apart which are known to differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rnnstudy.analyses.factors.fields import NO_FACTORS
from rnnstudy.claims.evidence.measurements import Measurements
from rnnstudy.claims.evidence.record import ControlResult
from rnnstudy.comparison.statistics.informative import (
    InformativeTests,
    informative_tests,
    informative_values,
)
from rnnstudy.core.arrays import Array

CONTROL_LEVEL = 1e-4
"""Level of the positive controls of a claim together (Holm).

A measure that carries no information passes in one of 10,000 studies. The level is smaller than
that of claims, because a verdict on noise is worse than no verdict."""

SCREENING, SCREENING_LEVEL = 999, 0.01
"""Permutations, and level, of a first test that most measures without information fail."""

PERMUTATIONS = 49_999
"""Permutations of the test of a measure that passed the screening."""

PERMUTATIONS_EACH = 12_500
"""Least number of permutations for each of many controls, so that p corrected for them can be
below the level."""


@dataclass(frozen=True)
class PositiveControl:
    """Test that a measure tells two kinds of networks apart.

    Examples
    --------
    >>> PositiveControl("trained networks from untrained ones", 0.4, 1e-5, 1e-6).effect
    0.4
    """

    name: str
    """Words for tables, after `sees` or `does not tell`."""
    effect: float
    """Difference of trained and control networks, in the unit of the measure."""
    p: float
    """p of the null that training makes no difference, corrected over the controls (Holm)."""
    floor: float
    """Smallest p of the test with so many networks, corrected likewise."""


def distance_controls(measurements: Measurements) -> list[PositiveControl]:
    """Test that distances tell trained from untrained networks, and task from task."""
    usable = _with_finite_distances(measurements)
    kinds, networks, strata = _labels(usable)
    return _screen(
        usable,
        lambda permutations: informative_tests(
            usable.values, kinds, networks, strata, permutations=permutations
        ),
    )


def value_controls(measurements: Measurements) -> list[PositiveControl]:
    """Test that numbers of networks differ between trained and untrained networks.

    The test is paired by network. For a property it is the test of McNemar.
    """
    kinds, networks, strata = _labels(measurements)
    return _screen(
        measurements,
        lambda permutations: informative_values(
            measurements.values, kinds, networks, strata, permutations=permutations
        ),
    )


def value_controls_by_group(
    measurements: Measurements, field: str, control: str = "untrained"
) -> list[PositiveControl]:
    """Test that numbers of networks change with training, in a direction of each group's own.

    The statistic is the sum over groups of |number of networks whose number rose - number of those
    whose number fell|. Networks and their untrained twins are exchanged at random.

    Parameters
    ----------
    measurements
        Numbers of networks and of their untrained twins; they may be infinite.
    field
        Field of the networks that divides them into groups.
    control
        Training of the twins.
    """
    pairs = measurements.twins(control)
    if not pairs:
        return []
    trained, twin = (measurements.values[list(at)].astype(float) for at in zip(*pairs, strict=True))
    rises = np.sign(np.where(trained == twin, 0.0, trained - twin))
    groups = [str(measurements.members[i].fields[field]) for i, _ in pairs]
    of_group = np.array([[group == name for name in dict.fromkeys(groups)] for group in groups])

    def statistic(signs: Array) -> Array:
        sums: Array = np.abs(signs @ of_group).sum(axis=-1)
        return sums

    observed, generator = float(statistic(rises)), np.random.default_rng(0)
    exceed, permutations = 0, 0
    for count in (SCREENING, PERMUTATIONS - SCREENING):
        flips = generator.choice([-1.0, 1.0], (count, len(pairs)))
        exceed += int((statistic(flips * rises) >= observed).sum())
        permutations += count
        if (1 + exceed) / (1 + permutations) > SCREENING_LEVEL:
            break
    floor = max(2.0 ** (of_group.shape[1] - len(pairs)), 1.0 / (1 + PERMUTATIONS))
    return [
        PositiveControl(
            f"{_name(control)} within each {field}",
            observed / len(pairs),
            (1 + exceed) / (1 + permutations),
            floor,
        )
    ]


def control_rows(controls: Sequence[PositiveControl]) -> list[ControlResult]:
    """Return the results of positive controls as rows of a claim's controls."""
    return [
        ControlResult(
            each.name,
            "positive",
            effect=each.effect,
            p=each.p,
            holds=each.p < CONTROL_LEVEL,
            informative=each.p < CONTROL_LEVEL,
        )
        for each in controls
    ]


def shortage_of(controls: Sequence[PositiveControl]) -> str:
    """Return that no positive control could pass with so few networks; empty if one could."""
    if not controls or any(each.floor < CONTROL_LEVEL for each in controls):
        return ""
    return f"with so few networks no positive control can reach a p below {CONTROL_LEVEL:g}"


def failure_of(results: Sequence[ControlResult]) -> str:
    """Return the reason why positive controls show nothing; empty if one passes."""
    if not results:
        return "there are no untrained networks to compare with"
    if any(row.holds for row in results):
        return ""
    best = min(results, key=lambda row: row.p)
    return f"the measure does not tell {best.name} (p {best.p:.2g})"


def missed_difference(planted: Sequence[ControlResult]) -> str:
    """Return the first planted difference that a measure does not detect; empty if none."""
    failed = [row for row in planted if not row.holds]
    return f"the measure does not detect a known difference ({failed[0].name})" if failed else ""


def _screen(
    measurements: Measurements, test: Callable[[int], InformativeTests]
) -> list[PositiveControl]:
    """Return the controls of a test, with many permutations if few show something."""
    tests = test(SCREENING)
    count = len(tests.controls)
    permutations = max(PERMUTATIONS, PERMUTATIONS_EACH * count - 1)
    if bool((tests.p_adjusted <= SCREENING_LEVEL).any()):
        tests = test(permutations)
    return [
        PositiveControl(
            _name(control),
            float(effect),
            float(p),
            min(1.0, count * max(_twin_floor(measurements, control), 1.0 / (1 + permutations))),
        )
        for control, effect, p in zip(tests.controls, tests.effect, tests.p_adjusted, strict=True)
    ]


def _twin_floor(measurements: Measurements, control: str) -> float:
    """Return the smallest p of exchanging twins; 0 for networks that are no twins.

    The statistic of distances does not change if all twins of a combination are exchanged, that of
    other numbers if all twins are.
    """
    strata = _labels(measurements)[2]
    twins = [strata[i] for i, _ in measurements.twins(control)]
    exchanged = len(set(twins)) if measurements.is_distance else 1
    return 2.0 ** (exchanged - len(twins)) if twins else 0.0


def _name(control: str) -> str:
    """Return the two kinds of networks that a control compares, as words."""
    names = {
        "untrained": "trained networks from untrained ones",
        "standard": "trained networks from untrained ones with standard weights",
    }
    return names.get(control, f"trained networks from those {control}")


def _labels(measurements: Measurements) -> tuple[list[str], list[str], list[str]]:
    """Return the kind, the network and the combination of each item."""
    members = measurements.members
    strata = [
        ", ".join(f"{n}={v}" for n, v in member.fields.items() if n not in NO_FACTORS)
        for member in members
    ]
    return list(measurements.learnt), [member.name for member in members], strata


def _with_finite_distances(measurements: Measurements) -> Measurements:
    """Return the items without trained networks whose distances to controls are not known."""
    has_control = {i for i, _ in measurements.twins()}
    known = [
        i
        for i, learnt in enumerate(measurements.learnt)
        if learnt != "trained" or i in has_control or not has_control
    ]
    return measurements.only(known)
