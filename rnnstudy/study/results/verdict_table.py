"""Table and figures of the claims of a study: verdicts, and the numbers behind them."""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any, NamedTuple

from rnnstudy.claims import Claim, Evidence
from rnnstudy.claims.verdict import verdicts
from rnnstudy.core.exhibit import Exhibit, Table
from rnnstudy.tasks import Task

COLUMNS = ("claim", "task", "statement", "verdict", "statistic", "effect", "low", "high", "p",
           "corrected_p", "networks", "rule", "note")  # fmt: skip


class Weighed(NamedTuple):
    """A claim about the networks of a task, and the evidence."""

    claim: Claim
    task: Task
    evidence: Evidence | None
    """None if a job failed or has not run."""
    trouble: str = ""
    """Reason why there is no evidence, if it is known."""


class Judged(NamedTuple):
    """A claim with its evidence and verdict."""

    claim: Claim
    task: Task
    evidence: Evidence | None
    word: str
    """supported, not supported, not enough networks, failed or not computed."""
    corrected: float
    """p, corrected for all tests of the study; NaN without a test."""
    note: str
    """Reason against `supported`, or why there is no verdict."""


def judge(weighed: Sequence[Weighed]) -> list[Judged]:
    """Return the verdicts on all claims of a study. p is corrected over claims with evidence."""
    tested = [(each.claim, each.evidence) for each in weighed if each.evidence is not None]
    results = iter(verdicts([claim for claim, _ in tested], [each for _, each in tested]))
    return [
        Judged(claim, task, None, "failed" if trouble else "not computed", float("nan"), trouble)
        if evidence is None
        else Judged(claim, task, evidence, *next(results))
        for claim, task, evidence, trouble in weighed
    ]


def verdict_columns(results: Sequence[Judged]) -> dict[str, list[Any]]:
    """Return one row per claim and task. Missing numbers are None."""
    rows = [_row(each) for each in results]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _row(result: Judged) -> dict[str, Any]:
    claim, task, evidence = result.claim, result.task, result.evidence
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
        "networks": evidence and int(evidence.networks.sum()),
        "rule": f"{claim.rule}, and corrected p below {claim.alpha:g}",
        "note": result.note,
    }


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def verdict_exhibits(results: Sequence[Judged]) -> Iterable[Exhibit]:
    """Yield the verdicts, the rules of the claims, and the values of each group of networks."""
    columns = verdict_columns(results)
    count = sum(value is not None for value in columns["corrected_p"])
    ends = zip(columns["low"], columns["high"], strict=True)
    yield Table(
        title="Verdicts",
        caption="Supported: the effect is as large as the claim's rule asks for, and p, corrected "
        f"for all {count} tests of this study (Holm 1979), is below its level. Not supported means "
        "that these networks do not bear the claim out; it does not show the opposite. Intervals "
        "are of 95 %, over networks.",
        columns={
            "verdict": [
                f"{word}: {note}" if note else word
                for word, note in zip(columns["verdict"], columns["note"], strict=True)
            ],
            "what is claimed": columns["statement"],
            "task": columns["task"],
            "effect": columns["effect"],
            "95 % interval": [_interval(low, high) for low, high in ends],
            "p": columns["p"],
            "corrected p": columns["corrected_p"],
            "networks": columns["networks"],
            "claim": columns["claim"],
        },
    )
    yield _rules([each.claim for each in results])
    yield _groups(results)


def _rules(claims: Iterable[Claim]) -> Table:
    each = {claim.title: claim for claim in claims}
    return Table(
        title="How the claims are judged",
        caption="What is measured and what the effect says, the hypothesis that a small p refutes, "
        "and what it takes beside a small p.",
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


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:.2g} to {high:.2g}"


def _groups(results: Sequence[Judged]) -> Table:
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
        caption="The groups of networks that a claim tells apart, and what it measures of each by "
        "itself.",
        columns={name: [row[i] for row in rows] for i, name in enumerate(names)},
    )
