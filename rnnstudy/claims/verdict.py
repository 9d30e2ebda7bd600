"""Verdicts on claims: p corrected over all tests of a study, and the rule of each claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnnstudy.claims.base import Claim
from rnnstudy.claims.evidence.positive import missed_difference
from rnnstudy.claims.evidence.record import ControlResult, Evidence, Outcome
from rnnstudy.comparison.statistics.multiple_testing import holm


class PartVerdict(NamedTuple):
    """Verdict on one part of a claim: a level of a factor, a pair of levels, a cell."""

    name: str
    outcome: str
    corrected_p: float


@dataclass(frozen=True)
class Verdict:
    """Verdict on a claim: its outcome, p corrected for all tests of the study, and the reason."""

    outcome: Outcome
    corrected_p: float
    reason: str
    parts: tuple[PartVerdict, ...] = ()


class _Tests(NamedTuple):
    """Corrected p of the tests of a claim."""

    p: float
    p_opposite: float
    parts: tuple[float, ...]
    total: int
    """Number of tests of the study."""


def verdicts(
    claims: Sequence[Claim], evidence: Sequence[Evidence], others: Sequence[float] = ()
) -> list[Verdict]:
    """Return the verdict on each claim.

    p is corrected over the tests of all claims with enough networks (Holm 1979). A claim without
    information counts, too, since it was planned before the data.

    Parameters
    ----------
    claims, evidence
        The claims, and the evidence of each.
    others
        p of further tests of the study, which count in the correction. Default: none.
    """
    pairs = list(zip(claims, evidence, strict=True))
    tests = [corrected_p_values(claim, each) for claim, each in pairs]
    adjusted = iter(holm([*(p for each in tests for p in each), *others]))
    count = sum(map(len, tests)) + len(others)
    return [
        _verdict(claim, each, _tests(claim, [float(next(adjusted)) for _ in ps], count))
        for (claim, each), ps in zip(pairs, tests, strict=True)
    ]


def corrected_p_values(claim: Claim, evidence: Evidence) -> list[float]:
    """Return the p of each test of a claim that the correction is about; none without a test."""
    return _p_values(claim, evidence) if _is_tested(evidence) else []


def control_outcome(claim: Claim, control: ControlResult) -> str:
    """Return the verdict that the numbers of a control earn by themselves, at the claim's level."""
    if not control.informative:
        return "uninformative"
    yes, undecided, opposite = claim.words
    if control.holds and control.p < claim.alpha:
        return yes
    return opposite if control.p_opposite < claim.alpha else undecided


def _is_tested(evidence: Evidence) -> bool:
    return not evidence.shortage and bool(np.isfinite(evidence.p))


def _p_values(claim: Claim, evidence: Evidence) -> list[float]:
    """Return the p of each test of a claim: of its parts, or of the claim and its opposite."""
    if claim.judged_parts:
        return [part.p for part in evidence.parts]
    return [p for p in (evidence.p, evidence.p_opposite) if np.isfinite(p)]


def _tests(claim: Claim, p: Sequence[float], count: int) -> _Tests:
    if not p:
        return _Tests(np.nan, np.nan, (), count)
    if claim.judged_parts:
        joint = min(p) if claim.judged_parts == "any" else max(p)
        return _Tests(joint, np.nan, tuple(p), count)
    return _Tests(p[0], p[1] if len(p) > 1 else np.nan, (), count)


def _verdict(claim: Claim, evidence: Evidence, tests: _Tests) -> Verdict:
    parts = tuple(_part_verdicts(claim, evidence, tests))
    outcome, reason = _outcome(claim, evidence, tests, parts)
    return Verdict(outcome, tests.p, reason, parts)


def _outcome(
    claim: Claim, evidence: Evidence, tests: _Tests, parts: Sequence[PartVerdict]
) -> tuple[Outcome, str]:
    yes, undecided, opposite = claim.words
    if not _is_tested(evidence):
        return "not enough networks", evidence.shortage or "no test is possible"
    if evidence.uninformative:
        return "uninformative", evidence.uninformative
    if claim.judged_parts:
        return _joint_outcome(claim, parts)
    missed = missed_difference(evidence.controls.of("planted"))
    if not missed and evidence.holds and tests.p < claim.alpha:
        return yes, "different, by less than the margin" if tests.p_opposite < claim.alpha else ""
    if tests.p_opposite < claim.alpha:
        return opposite, ""
    if missed:
        return "uninformative", missed
    if not evidence.holds:
        return undecided, "the effect falls short of the rule"
    if evidence.floor * tests.total >= claim.alpha:
        total = int(evidence.networks.sum())
        reason = f"with {total} networks no p below {evidence.floor:.2g} can arise"
        return "not enough networks", reason
    return undecided, f"corrected p is not below {claim.alpha:g}"


def _joint_outcome(claim: Claim, parts: Sequence[PartVerdict]) -> tuple[Outcome, str]:
    """Return the verdict on a claim from those on its parts."""
    yes, undecided, _ = claim.words
    passed = [part.name for part in parts if part.outcome == yes]
    enough = bool(passed) if claim.judged_parts == "any" else len(passed) == len(parts) > 0
    names = ", ".join(passed) or "none"
    return (yes if enough else undecided), f"{yes} for {names}"


def _part_verdicts(claim: Claim, evidence: Evidence, tests: _Tests) -> list[PartVerdict]:
    yes, undecided, _ = claim.words
    return [
        PartVerdict(part.name, yes if part.holds and p < claim.alpha else undecided, p)
        for part, p in zip(evidence.parts, tests.parts or (np.nan,) * len(evidence.parts),
                           strict=True)
    ]  # fmt: skip
