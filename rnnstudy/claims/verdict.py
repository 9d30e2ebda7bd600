"""From evidence to verdicts: tests corrected for each other, and the rule of each claim."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rnnstudy.claims.base import Claim, Evidence
from rnnstudy.comparison.statistics.multiple_testing import holm

Word = Literal["supported", "not supported", "not enough networks"]


class Verdict(NamedTuple):
    """What a claim has come to: a word, p corrected for all tests of the study, and why."""

    word: Word
    corrected: float
    reason: str


def verdicts(claims: Sequence[Claim], evidence: Sequence[Evidence]) -> list[Verdict]:
    """The verdict on each claim from the evidence on it.

    Claims that have enough networks are the family of tests over which p is corrected (Holm 1979).
    """
    tested = [i for i, each in enumerate(evidence) if _tested(each)]
    corrected = np.full(len(evidence), np.nan)
    corrected[tested] = holm([evidence[i].p for i in tested])
    return [
        _verdict(claim, each, float(p), len(tested))
        for claim, each, p in zip(claims, evidence, corrected, strict=True)
    ]


def _tested(evidence: Evidence) -> bool:
    return not evidence.lacking and bool(np.isfinite(evidence.p))


def _verdict(claim: Claim, evidence: Evidence, corrected: float, tests: int) -> Verdict:
    if not _tested(evidence):
        return Verdict("not enough networks", corrected, evidence.lacking or "no test is possible")
    if not evidence.holds:
        return Verdict("not supported", corrected, "the effect falls short of the rule")
    if corrected < claim.alpha:
        return Verdict("supported", corrected, "")
    if evidence.floor * tests >= claim.alpha:
        total = int(evidence.networks.sum())
        why = f"with {total} networks no p below {evidence.floor:.2g} can arise"
        return Verdict("not enough networks", corrected, why)
    return Verdict("not supported", corrected, f"corrected p is not below {claim.alpha:g}")
