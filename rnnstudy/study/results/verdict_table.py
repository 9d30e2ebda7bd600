"""Verdicts on the claims of a study, one row per claim and task."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isnan, nan
from typing import Any, NamedTuple

from rnnstudy.analyses.conditions import condition_text
from rnnstudy.claims import Claim, Evidence
from rnnstudy.claims.evidence.record import ControlResult
from rnnstudy.claims.verdict import PartVerdict, control_outcome
from rnnstudy.study.results.claim_texts import ClaimTexts, Judgement, judge, texts_of
from rnnstudy.study.results.failures import attempt
from rnnstudy.tasks import Task

COLUMNS = ("claim", "task", "statement", "verdict", "statistic", "effect", "low", "high", "p",
           "corrected_p", "untrained_effect", "learnt", "learnt_low", "learnt_high",
           "positive_controls", "negative_controls", "networks", "left_out", "verdict_all_trained",
           "rule", "note")  # fmt: skip


class ClaimEvidence(NamedTuple):
    """A claim about the networks of a task, and the evidence."""

    claim: Claim
    task: Task
    evidence: Evidence | None
    """None if a job failed or has not run."""
    failure: str = ""
    """Reason why there is no evidence, if it is known."""
    companion: Evidence | None = None
    """Evidence of all trained networks, if `evidence` is of the solved ones; else None."""
    left_out: str = ""
    """Networks that the evidence leaves out, in words: `3 not solved`; empty if none."""


@dataclass(frozen=True)
class ClaimResult:
    """A claim with its evidence and verdict."""

    claim: Claim
    task: Task
    evidence: Evidence | None
    word: str
    """Verdict: supported, not supported, alike, different, undecided, uninformative, not enough
    networks, failed or not computed."""
    corrected: float = nan
    """p, corrected for all tests of the study; NaN without a test."""
    note: str = ""
    """Reason against the verdict that the claim hopes for, or why there is no verdict."""
    parts: tuple[PartVerdict, ...] = ()
    """Verdicts on parts of the claim."""
    companion_word: str = ""
    """Verdict over all trained networks; empty if it is not known."""
    left_out: str = ""
    """Networks that the evidence leaves out, in words."""
    texts: ClaimTexts = ClaimTexts()
    """Texts of the claim."""
    tests: int = 0
    """Number of its tests over which p is corrected."""
    fault: str = ""
    """Error of the code of the claim, for which it has no verdict; empty without one."""


def evaluate_claims(claims: Sequence[ClaimEvidence]) -> list[ClaimResult]:
    """Return the verdicts on all claims of a study. A claim that raises costs its own verdict.

    p is corrected over claims with evidence. Verdicts over all trained networks are a family of
    their own.
    """
    each_claim = [each.claim for each in claims]
    solved = judge(each_claim, [each.evidence for each in claims])
    everyone = judge(each_claim, [each.companion or each.evidence for each in claims])
    return [
        _check_row(_result(each, judgement, companion))
        for each, judgement, companion in zip(claims, solved, everyone, strict=True)
    ]


def _result(claim: ClaimEvidence, judgement: Judgement, companion: Judgement) -> ClaimResult:
    verdict = judgement.verdict
    texts, _ = texts_of(claim.claim)
    result = ClaimResult(
        claim=claim.claim,
        task=claim.task,
        evidence=None,
        word="failed" if claim.failure else "not computed",
        note=claim.failure,
        left_out=claim.left_out,
        texts=texts,
        tests=judgement.tests,
    )
    if fault := judgement.fault:
        return _withdraw_verdict(result, "; ".join(filter(None, [claim.failure, fault])))
    if verdict is None:
        return result
    return replace(
        result,
        evidence=claim.evidence,
        word=verdict.outcome,
        corrected=verdict.corrected_p,
        note=verdict.reason,
        parts=verdict.parts,
        companion_word=_companion_word(claim, companion),
    )


def _withdraw_verdict(result: ClaimResult, fault: str) -> ClaimResult:
    """Return the result of a claim that has no verdict because of a fault."""
    return replace(
        result,
        evidence=None,
        word="failed",
        corrected=nan,
        note=fault,
        parts=(),
        companion_word="",
        fault=fault,
    )


def _check_row(result: ClaimResult) -> ClaimResult:
    """Return a result, without its verdict if no row of a table can be formed of it."""
    row: dict[str, Any] = {}
    _, error = attempt(partial(_row, result), row)
    return _withdraw_verdict(result, f"its evidence raises {error}") if error else result


def _companion_word(claim: ClaimEvidence, companion: Judgement) -> str:
    if claim.claim.networks != "solved":
        return ""
    if claim.companion is None:
        return "not computed"
    return "failed" if companion.verdict is None else companion.verdict.outcome


def verdict_columns(results: Sequence[ClaimResult]) -> dict[str, list[Any]]:
    """Return one row per claim and task. Missing numbers are None."""
    rows = [_row(each) for each in results]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def full_statement(claim: Claim, task: Task) -> str:
    """Return the statement of a claim with the condition on its networks, if there is one.

    A statement that raises an exception is the name of its claim, with the exception.
    """
    condition = condition_text(claim.where)
    statement, error = attempt(lambda: claim.statement(task), "")
    if error:
        statement = f"{claim.title} (its statement raises {error})"
    return statement + (f" (Networks with {condition}.)" if condition else "")


def _row(result: ClaimResult) -> dict[str, Any]:
    claim, task, evidence = result.claim, result.task, result.evidence
    untrained, learnt = single_control(result, "untrained"), single_control(result, "learnt")
    return {
        "claim": claim.title,
        "task": task.title,
        "statement": full_statement(claim, task),
        "verdict": result.word,
        "statistic": evidence and known_number(evidence.statistic),
        "effect": evidence and known_number(evidence.effect),
        "low": evidence and known_number(evidence.low),
        "high": evidence and known_number(evidence.high),
        "p": evidence and known_number(evidence.p),
        "corrected_p": known_number(result.corrected),
        "untrained_effect": untrained and known_number(untrained.effect),
        "learnt": learnt and known_number(learnt.effect),
        "learnt_low": learnt and known_number(learnt.low),
        "learnt_high": learnt and known_number(learnt.high),
        "positive_controls": positive_words(result),
        "negative_controls": negative_words(result),
        "networks": evidence and int(evidence.networks.sum()),
        "left_out": result.left_out,
        "verdict_all_trained": result.companion_word,
        "rule": f"{result.texts.rule}, and corrected p below {claim.alpha:g}",
        "note": result.note,
    }


def single_control(result: ClaimResult, role: str) -> ControlResult | None:
    """Return the only control of a role; None without one."""
    rows = result.evidence.controls.of(role) if result.evidence else []
    return rows[0] if rows else None


def failed_control(result: ClaimResult) -> str | None:
    """Return the first control of a claim that is not as it must be.

    Returns
    -------
    str or None
        `blind`: the measure sees none of the differences that are there, or misses a planted one
        without having found another.
        A name such as `noise`: numbers that say nothing earn a verdict. `shuffled`: too many
        shuffles of the labels give a finding. Empty if all controls pass, None if none were run.
    """
    evidence = result.evidence
    if evidence is None or not len(evidence.controls):
        return None
    controls = evidence.controls
    sees = any(row.holds for row in controls.of("positive"))
    yes, undecided, opposite = result.claim.words
    misses = result.word != opposite and not all(row.holds for row in controls.of("planted"))
    if not sees or misses:
        return "blind"
    for row in controls.of("negative"):
        # A claim whose opposite is its undecided word cannot earn the opposite.
        if control_outcome(result.claim, row) in {yes, opposite} - {undecided}:
            return row.name
    return "shuffled" if _has_excess(result.claim, evidence) else ""


def positive_words(result: ClaimResult) -> str:
    """Return in words how many differences the measure sees: positive and planted controls."""
    if result.evidence is None or not len(result.evidence.controls):
        return ""
    controls = result.evidence.controls
    rows, planted = controls.of("positive"), controls.of("planted")
    if not rows:
        return "no: there are no controls"
    answer = "yes" if any(row.holds for row in rows) else "no"
    smallest = min(row.p for row in rows)
    words = [f"{answer}: {_count(rows)} controls (p {smallest:.1g})"]
    words += [f"planted: {_count(planted)}"] * bool(planted)
    return "; ".join(words)


def _count(rows: Sequence[ControlResult]) -> str:
    """Return how many controls see a difference, of how many."""
    return f"{sum(row.holds for row in rows)} of {len(rows)}"


def negative_words(result: ClaimResult) -> str:
    """Return the verdicts on noise, zeros and ones, and the findings in shuffled labels."""
    if result.evidence is None or not len(result.evidence.controls):
        return ""
    rows = result.evidence.controls.of("negative")
    by_word: dict[str, list[str]] = {}
    for row in rows:
        by_word.setdefault(control_outcome(result.claim, row), []).append(row.name)
    words = [
        word if len(names) == len(rows) else f"{', '.join(names)}: {word}"
        for word, names in by_word.items()
    ]
    return "; ".join([*words, shuffled_words(result.claim, result.evidence)])


def shuffled_words(claim: Claim, evidence: Evidence) -> str:
    """Return how many shuffles of the labels give a finding; too many are named."""
    count, shuffles = _n_passing_shuffles(claim, evidence), len(evidence.controls.shuffled_p)
    excess = " (too many)" if _has_excess(claim, evidence) else ""
    return f"shuffled labels: {count} of {shuffles} give a finding{excess}"


def _has_excess(claim: Claim, evidence: Evidence) -> bool:
    """Return whether more shuffles of the labels give a finding than the level allows."""
    from scipy.stats import binom

    shuffles = len(evidence.controls.shuffled_p)
    limit = int(binom.ppf(0.999, shuffles, claim.alpha))
    return _n_passing_shuffles(claim, evidence) > limit


def _n_passing_shuffles(claim: Claim, evidence: Evidence) -> int:
    return int((evidence.controls.shuffled_p < claim.alpha).sum())


def known_number(value: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if isnan(value) else value
