"""Tables of the claims of a study: verdicts, controls, rules, and the numbers behind them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, NamedTuple

from scipy.stats import binom

from rnnstudy.claims import Claim, Evidence
from rnnstudy.claims.evidence.record import ControlResult
from rnnstudy.claims.verdict import PartVerdict, Verdict, control_outcome, count_tests, verdicts
from rnnstudy.core.exhibit import Exhibit, Table
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


def evaluate_claims(claims: Sequence[ClaimEvidence]) -> list[ClaimResult]:
    """Return the verdicts on all claims of a study.

    p is corrected over claims with evidence. Verdicts over all trained networks are a family of
    their own.
    """
    solved = _verdicts(claims, [each.evidence for each in claims])
    everyone = _verdicts(claims, [each.companion or each.evidence for each in claims])
    return [
        _result(each, verdict, companion)
        for each, verdict, companion in zip(claims, solved, everyone, strict=True)
    ]


def _verdicts(
    claims: Sequence[ClaimEvidence], evidence: Sequence[Evidence | None]
) -> list[Verdict | None]:
    tested = [(c.claim, e) for c, e in zip(claims, evidence, strict=True) if e is not None]
    results = iter(verdicts([claim for claim, _ in tested], [each for _, each in tested]))
    return [None if each is None else next(results) for each in evidence]


def _result(
    claim: ClaimEvidence, verdict: Verdict | None, companion: Verdict | None
) -> ClaimResult:
    about = {"claim": claim.claim, "task": claim.task, "left_out": claim.left_out}
    if verdict is None or companion is None:
        word = "failed" if claim.failure else "not computed"
        return ClaimResult(evidence=None, word=word, note=claim.failure, **about)  # type: ignore[arg-type]
    return ClaimResult(
        evidence=claim.evidence,
        word=verdict.outcome,
        corrected=verdict.corrected_p,
        note=verdict.reason,
        parts=verdict.parts,
        companion_word=_companion_word(claim, companion),
        **about,  # type: ignore[arg-type]
    )


def _companion_word(claim: ClaimEvidence, companion: Verdict) -> str:
    if claim.claim.networks != "solved":
        return ""
    return "not computed" if claim.companion is None else companion.outcome


def verdict_columns(results: Sequence[ClaimResult]) -> dict[str, list[Any]]:
    """Return one row per claim and task. Missing numbers are None."""
    rows = [_row(each) for each in results]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _row(result: ClaimResult) -> dict[str, Any]:
    claim, task, evidence = result.claim, result.task, result.evidence
    untrained, learnt = _control(result, "untrained"), _control(result, "learnt")
    return {
        "claim": claim.title,
        "task": task.title,
        "statement": claim.statement(task),
        "verdict": result.word,
        "statistic": evidence and _known(evidence.statistic),
        "effect": evidence and _known(evidence.effect),
        "low": evidence and _known(evidence.low),
        "high": evidence and _known(evidence.high),
        "p": evidence and _known(evidence.p),
        "corrected_p": _known(result.corrected),
        "untrained_effect": untrained and _known(untrained.effect),
        "learnt": learnt and _known(learnt.effect),
        "learnt_low": learnt and _known(learnt.low),
        "learnt_high": learnt and _known(learnt.high),
        "positive_controls": positive_words(result),
        "negative_controls": negative_words(result),
        "networks": evidence and int(evidence.networks.sum()),
        "left_out": result.left_out,
        "verdict_all_trained": result.companion_word,
        "rule": f"{claim.rule}, and corrected p below {claim.alpha:g}",
        "note": result.note,
    }


def _control(result: ClaimResult, role: str) -> ControlResult | None:
    """Return the only control of a role; None without one."""
    rows = result.evidence.controls.of(role) if result.evidence else []
    return rows[0] if rows else None


def positive_words(result: ClaimResult) -> str:
    """Return the positive and planted controls in words: the differences that a measure sees."""
    rows = result.evidence.controls.of("positive", "planted") if result.evidence else []
    return "; ".join(
        f"{'sees' if row.holds else 'does not see'} {row.name} (p {row.p:.2g})" for row in rows
    )


def negative_words(result: ClaimResult) -> str:
    """Return the verdicts on noise, zeros and ones, and the findings in shuffled labels."""
    if result.evidence is None or not len(result.evidence.controls):
        return ""
    by_word: dict[str, list[str]] = {}
    for row in result.evidence.controls.of("negative"):
        by_word.setdefault(control_outcome(result.claim, row), []).append(row.name)
    words = [f"{', '.join(names)}: {word}" for word, names in by_word.items()]
    return "; ".join([*words, shuffled_words(result.claim, result.evidence)])


def shuffled_words(claim: Claim, evidence: Evidence) -> str:
    """Return how many shuffles of the labels give a finding, and how many may by chance."""
    shuffles = len(evidence.controls.shuffled_p)
    count = int((evidence.controls.shuffled_p < claim.alpha).sum())
    limit = int(binom.ppf(0.999, shuffles, claim.alpha))
    excess = "" if count <= limit else " (too many)"
    return f"shuffled labels: {count} of {shuffles}{excess}"


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def verdict_exhibits(results: Sequence[ClaimResult]) -> Iterable[Exhibit]:
    """Yield the verdicts, their controls, the rules, and the values of parts and of groups."""
    yield _verdict_table(results)
    yield _control_table(results)
    if any(result.parts for result in results):
        yield _part_table(results)
    yield _rules([each.claim for each in results])
    yield _groups(results)


def _verdict_table(results: Sequence[ClaimResult]) -> Table:
    columns = verdict_columns(results)
    tested = [each for each in results if each.evidence is not None]
    count = count_tests([e.claim for e in tested], [e.evidence for e in tested if e.evidence])
    interval = [_interval(*ends) for ends in zip(columns["low"], columns["high"], strict=True)]
    ends = zip(columns["learnt"], columns["learnt_low"], columns["learnt_high"], strict=True)
    return Table(
        title="Verdicts",
        caption="Supported: the effect is as large as the claim's rule requires, and p, corrected "
        f"for all {count} tests of this study (Holm 1979), is below its level. Not supported does "
        "not mean that the opposite is true. Uninformative: the measure fails its positive "
        "controls, so that there is no verdict. Learnt is the effect among trained networks minus "
        "that among the same networks before training. Intervals are of 95 %, over networks.",
        columns={
            "verdict": [
                f"{word}: {note}" if note else word
                for word, note in zip(columns["verdict"], columns["note"], strict=True)
            ],
            "what is claimed": columns["statement"],
            "task": columns["task"],
            "effect": columns["effect"],
            "95 % interval": interval,
            "before training": columns["untrained_effect"],
            "learnt": [_with_interval(*each) for each in ends],
            "does the measure see anything?": columns["positive_controls"],
            "networks": columns["networks"],
            "left out": [text or "none" for text in columns["left_out"]],
            "over all trained networks": [
                text or f"about networks: {each.claim.networks}"
                for text, each in zip(columns["verdict_all_trained"], results, strict=True)
            ],
            "p": columns["p"],
            "corrected p": columns["corrected_p"],
            "claim": columns["claim"],
        },
    )


def _control_table(results: Sequence[ClaimResult]) -> Table:
    rows = [
        (
            each.claim.title,
            each.task.title,
            row.name,
            row.role,
            _known(row.effect),
            _interval(_known(row.low), _known(row.high)),
            _known(row.p),
            control_outcome(each.claim, row) if row.role == "negative" else _result_words(row),
        )
        for each in results
        if each.evidence is not None
        for row in each.evidence.controls
    ]
    names = ("claim", "task", "control", "role", "effect", "95 % interval", "p", "result")
    return Table(
        title="Controls",
        caption="Positive controls: the measure must see differences that are there; p is "
        "corrected over them (Holm). Negative controls: the same claim with numbers that say "
        "nothing in place of the measured ones, which must be uninformative. Shuffled labels may "
        "pass at the level of the claim.",
        columns={name: [row[i] for row in rows] for i, name in enumerate(names)},
    )


def _result_words(row: ControlResult) -> str:
    if row.role in ("positive", "planted"):
        return "seen" if row.holds else "not seen"
    return ""


def _part_table(results: Sequence[ClaimResult]) -> Table:
    rows = [
        (
            each.claim.title,
            each.task.title,
            part.name,
            verdict.outcome if each.claim.judged_parts else "",
            _known(part.effect),
            _interval(_known(part.low), _known(part.high)),
            _known(part.p),
            _known(verdict.corrected_p),
            part.networks,
        )
        for each in results
        if each.evidence is not None
        for part, verdict in zip(each.evidence.parts, each.parts, strict=True)
    ]
    names = ("claim", "task", "part", "verdict", "effect", "95 % interval", "p", "corrected p",
             "networks")  # fmt: skip
    return Table(
        title="Part by part",
        caption="Levels of a factor, pairs of levels, or cells of which a claim speaks.",
        columns={name: [row[i] for row in rows] for i, name in enumerate(names)},
    )


def _rules(claims: Iterable[Claim]) -> Table:
    each = {claim.title: claim for claim in claims}
    return Table(
        title="Rules of the claims",
        caption="Statistic and effect, the hypothesis that a small p refutes, and the condition "
        "beside a small p.",
        columns={
            "claim": list(each),
            "statistic": [claim.statistic for claim in each.values()],
            "effect": [
                "the same" if claim.effect == claim.statistic else claim.effect
                for claim in each.values()
            ],
            "null hypothesis": [claim.null for claim in each.values()],
            "rule": [claim.rule for claim in each.values()],
            "level": [claim.alpha for claim in each.values()],
        },
    )


def _with_interval(value: float | None, low: float | None, high: float | None) -> str | None:
    ends = _interval(low, high)
    return None if value is None else f"{value:.2g}" + (f" [{ends}]" if ends else "")


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:.2g} to {high:.2g}"


def _groups(results: Sequence[ClaimResult]) -> Table:
    rows = [
        (each.claim.title, each.task.title, group, int(size), _known(float(value)))
        for each in results
        if each.evidence is not None
        for group, size, value in zip(
            each.evidence.groups, each.evidence.networks, each.evidence.values, strict=True
        )
    ]
    names = ("claim", "task", "group", "networks", "value")
    return Table(
        title="Group by group",
        caption="Groups of networks that a claim compares, and the value of each.",
        columns={name: [row[i] for row in rows] for i, name in enumerate(names)},
    )
