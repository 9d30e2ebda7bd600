"""Controls of a claim: the same test with other numbers, and what they say of its verdict."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from math import nan
from typing import Protocol

import numpy as np

from rnnstudy.analyses.distances.controls import TRAINED, UNTRAINED
from rnnstudy.analyses.factors.fields import NO_FACTORS
from rnnstudy.claims.evidence.measurements import Measurements
from rnnstudy.claims.evidence.negative import (
    SHUFFLES,
    generator_of,
    uninformative_measurements,
)
from rnnstudy.claims.evidence.positive import (
    PositiveControl,
    control_rows,
    failure_of,
    missed_difference,
    shortage_of,
)
from rnnstudy.claims.evidence.record import ControlResult, Evidence, collect_controls
from rnnstudy.comparison.statistics.permutation import integer_codes
from rnnstudy.comparison.statistics.resampling import jackknife, t_interval
from rnnstudy.core.arrays import Array
from rnnstudy.core.batches import pause_point

Interval = tuple[float, float, float]
"""Effect and the ends of its 95 % interval; NaN where there are none."""

NO_INTERVAL: Interval = (nan, nan, nan)

LARGEST_LEVEL = 0.1
"""Level that no claim exceeds in practice. A shuffle with a larger p gives no finding, and its
measure needs no positive control."""


class Testable(Protocol):
    """Parts of a claim that its controls use."""

    def test(self, measurements: Measurements) -> Evidence:
        """Return the evidence of measurements, without controls."""

    def positive_controls(self, measurements: Measurements) -> Sequence[PositiveControl]:
        """Return the tests that the measure tells networks apart which differ."""

    def planted_controls(self, measurements: Measurements) -> Sequence[ControlResult]:
        """Return the tests that the measure detects a known difference of trained networks."""

    def shuffle(self, measurements: Measurements, generator: np.random.Generator) -> Measurements:
        """Return measurements under labels that mean nothing."""

    def finding_p(self, evidence: Evidence) -> float:
        """Return the p of the finding that shuffled labels must not give; 1 without one."""

    def learnt(self, measurements: Measurements) -> Interval:
        """Return the effect among trained networks minus that among their untrained twins."""


def add_controls(
    claim: Testable, quick: Testable, measurements: Measurements, evidence: Evidence
) -> Evidence:
    """Return the evidence with the results of all controls.

    quick: the same claim with fewer permutations, for controls that are many.
    """
    if evidence.shortage:
        return replace(evidence, uninformative="")
    positive = claim.positive_controls(measurements)
    if shortage := shortage_of(positive):
        return replace(evidence, shortage=shortage, uninformative="")
    results = control_rows(positive)
    reason = failure_of(results)
    rows = [*results, *claim.planted_controls(measurements), *_negative(quick, measurements)]
    rows += _untrained(claim, measurements)
    shuffled = [*_p_of_shuffles(quick, measurements, not reason)]
    return replace(evidence, uninformative=reason, controls=collect_controls(rows, shuffled))


def is_informative(claim: Testable, measurements: Measurements) -> bool:
    """Return True if the measure passes a positive control of a claim."""
    return not failure_of(control_rows(claim.positive_controls(measurements)))


def sees_planted(claim: Testable, measurements: Measurements) -> bool:
    """Return True if the measure passes all planted controls of a claim, if it has any."""
    return not missed_difference(claim.planted_controls(measurements))


def _negative(claim: Testable, measurements: Measurements) -> Iterator[ControlResult]:
    for name, changed in uninformative_measurements(measurements):
        row = _row(name, "negative", lambda changed=changed: claim.test(changed))  # type: ignore[misc]
        yield row._replace(
            holds=row.holds and sees_planted(claim, changed),
            informative=is_informative(claim, changed),
        )


def _untrained(claim: Testable, measurements: Measurements) -> Iterator[ControlResult]:
    if not measurements.twins():
        return
    untrained = measurements.as_trained(UNTRAINED)
    yield _row("untrained networks", "untrained", lambda: claim.test(untrained))
    try:
        effect, low, high = claim.learnt(measurements)
    except ValueError:
        effect, low, high = NO_INTERVAL
    yield ControlResult("trained minus untrained", "learnt", effect, low, high)


def _row(name: str, role: str, test: Callable[[], Evidence]) -> ControlResult:
    """Return the row of a control; without numbers if the test is not possible."""
    try:
        evidence = test()
    except ValueError:
        return ControlResult(name, role, nan)
    return ControlResult(
        name,
        role,
        evidence.effect,
        low=evidence.low,
        high=evidence.high,
        p=evidence.p,
        p_opposite=evidence.p_opposite,
        holds=evidence.holds,
    )


def _p_of_shuffles(
    claim: Testable, measurements: Measurements, informative: bool
) -> Iterator[float]:
    """Yield the p of the finding after each shuffle; 1 where there is no finding."""
    generator = generator_of(measurements)
    for _ in range(SHUFFLES):
        pause_point()
        changed = claim.shuffle(measurements, generator)
        try:
            p = claim.finding_p(claim.test(changed))
        except ValueError:
            p = nan
        if changed.learnt is not measurements.learnt and p < LARGEST_LEVEL:
            informative = is_informative(claim, changed)
        yield p if informative and np.isfinite(p) else 1.0


def jackknifed_difference(
    estimate: Callable[[Measurements], float], measurements: Measurements
) -> Interval:
    """Return an effect among trained networks minus that among untrained twins, with interval.

    The jackknife leaves out each network with both of its states, within its kind.
    """
    twins = [i for pair in measurements.twins() for i in pair]
    both = measurements.only(sorted(twins))

    def difference(items: Measurements) -> float:
        return estimate(items.of(TRAINED)) - estimate(items.as_trained(UNTRAINED))

    members = [both.members[i] for i in both.at(TRAINED)]
    values = [difference(both.without_network(member.name)) for member in members]
    kinds = [_kind(member.fields.items()) for member in members]
    return interval_around(difference(both), np.array(values), integer_codes(kinds))


def interval_around(effect: float, leave_one_out: Array, codes: Array) -> Interval:
    """Return an effect with its 95 % interval, from its values without each network."""
    error, freedom = jackknife(leave_one_out, codes)
    return (effect, *t_interval(effect, error, freedom))


def _kind(fields: Iterable[tuple[str, object]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in fields if name not in NO_FACTORS)
