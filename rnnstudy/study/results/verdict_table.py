"""What the claims of a study have come to, for reading: verdicts, and the numbers behind them."""

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
    """A claim about a task's networks, and what they say to it."""

    claim: Claim
    task: Task
    evidence: Evidence | None
    """None where a step failed, or has not been done yet."""
    trouble: str = ""
    """Why there is no evidence, as far as that is known."""


class Judged(NamedTuple):
    """A weighed claim with its verdict."""

    claim: Claim
    task: Task
    evidence: Evidence | None
    word: str
    """supported, not supported, not enough networks, failed or not computed."""
    corrected: float
    """p, corrected for all tests of the study; NaN without a test."""
    note: str
    """What stands against `supported`, or why there is no verdict."""


def judged(weighed: Sequence[Weighed]) -> list[Judged]:
    """Verdicts on all claims of a study; p is corrected over those that there is evidence on."""
    there = [(each.claim, each.evidence) for each in weighed if each.evidence is not None]
    found = iter(verdicts([claim for claim, _ in there], [each for _, each in there]))
    return [
        Judged(claim, task, None, "failed" if trouble else "not computed", float("nan"), trouble)
        if evidence is None
        else Judged(claim, task, evidence, *next(found))
        for claim, task, evidence, trouble in weighed
    ]


def verdict_columns(results: Sequence[Judged]) -> dict[str, list[Any]]:
    """One row per claim and task; numbers that there are not are None."""
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


def exhibits(results: Sequence[Judged]) -> Iterable[Exhibit]:
    """The verdicts, how each claim is judged, and what each group of networks says."""
    found = verdict_columns(results)
    count = sum(value is not None for value in found["corrected_p"])
    ends = zip(found["low"], found["high"], strict=True)
    yield Table(
        title="Verdicts",
        caption="Supported: the effect is as large as the claim's rule asks for, and p, corrected "
        f"for all {count} tests of this study (Holm 1979), is below its level. Not supported means "
        "that these networks do not bear the claim out; it does not show the opposite. Intervals "
        "are of 95 %, over networks.",
        columns={
            "verdict": [
                f"{word}: {note}" if note else word
                for word, note in zip(found["verdict"], found["note"], strict=True)
            ],
            "what is claimed": found["statement"],
            "task": found["task"],
            "effect": found["effect"],
            "95 % interval": [_interval(low, high) for low, high in ends],
            "p": found["p"],
            "corrected p": found["corrected_p"],
            "networks": found["networks"],
            "claim": found["claim"],
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
