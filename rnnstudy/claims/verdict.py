"""Verdicts on claims: p corrected over all tests of a study, and the rule of each claim."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rnnstudy.claims.base import Claim, Evidence
from rnnstudy.comparison.statistics.multiple_testing import holm

Outcome = Literal["supported", "not supported", "not enough networks"]


class Verdict(NamedTuple):
    """Verdict on a claim: its outcome, p corrected for all tests of the study, and the reason."""

    outcome: Outcome
    corrected_p: float
    reason: str


def verdicts(claims: Sequence[Claim], evidence: Sequence[Evidence]) -> list[Verdict]:
    """Return the verdict on each claim.

    p is corrected over the claims with enough networks (Holm 1979).
    """
    tested = [i for i, each in enumerate(evidence) if _is_tested(each)]
    corrected = np.full(len(evidence), np.nan)
    corrected[tested] = holm([evidence[i].p for i in tested])
    return [
        _verdict(claim, each, float(p), len(tested))
        for claim, each, p in zip(claims, evidence, corrected, strict=True)
    ]


def _is_tested(evidence: Evidence) -> bool:
    return not evidence.shortage and bool(np.isfinite(evidence.p))


def _verdict(claim: Claim, evidence: Evidence, corrected_p: float, tests: int) -> Verdict:
    if not _is_tested(evidence):
        reason = evidence.shortage or "no test is possible"
        return Verdict("not enough networks", corrected_p, reason)
    if not evidence.holds:
        return Verdict("not supported", corrected_p, "the effect falls short of the rule")
    if corrected_p < claim.alpha:
        return Verdict("supported", corrected_p, "")
    if evidence.floor * tests >= claim.alpha:
        total = int(evidence.networks.sum())
        reason = f"with {total} networks no p below {evidence.floor:.2g} can arise"
        return Verdict("not enough networks", corrected_p, reason)
    return Verdict("not supported", corrected_p, f"corrected p is not below {claim.alpha:g}")
