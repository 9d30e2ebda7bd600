"""From findings to verdicts: tests corrected for each other, and the rule of each claim."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from rnnstudy.claims.base import Claim, Finding
from rnnstudy.comparison.corrections import holm

Word = Literal["supported", "not supported", "not enough networks"]


class Verdict(NamedTuple):
    """What a claim has come to: a word, p corrected for all tests of the study, and why."""

    word: Word
    corrected: float
    reason: str


def verdicts(claims: Sequence[Claim], findings: Sequence[Finding]) -> list[Verdict]:
    """The verdict on each claim from its finding.

    Claims that have enough networks are the family of tests over which p is corrected (Holm 1979).
    """
    tested = [i for i, finding in enumerate(findings) if _tested(finding)]
    corrected = np.full(len(findings), np.nan)
    corrected[tested] = holm([findings[i].p for i in tested])
    return [
        _verdict(claim, finding, float(p), len(tested))
        for claim, finding, p in zip(claims, findings, corrected, strict=True)
    ]


def _tested(finding: Finding) -> bool:
    return not finding.lacking and bool(np.isfinite(finding.p))


def _verdict(claim: Claim, finding: Finding, corrected: float, tests: int) -> Verdict:
    if not _tested(finding):
        return Verdict("not enough networks", corrected, finding.lacking or "no test is possible")
    if not finding.holds:
        return Verdict("not supported", corrected, "the effect falls short of the rule")
    if corrected < claim.alpha:
        return Verdict("supported", corrected, "")
    if finding.floor * tests >= claim.alpha:
        why = (
            f"with {int(finding.networks.sum())} networks no p below {finding.floor:.2g} can arise"
        )
        return Verdict("not enough networks", corrected, why)
    return Verdict("not supported", corrected, f"corrected p is not below {claim.alpha:g}")
