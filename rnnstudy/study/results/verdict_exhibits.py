"""Tables and figures of the claims of a study: verdicts, controls, rules, and numbers."""

from collections.abc import Iterable, Iterator, Sequence
from math import isnan, nan

import numpy as np

from rnnstudy.claims.alike_across import AlikeAcross
from rnnstudy.claims.evidence.record import ControlResult
from rnnstudy.claims.verdict import control_outcome
from rnnstudy.core.exhibit import Exhibit, Forest, Table
from rnnstudy.study.results.verdict_table import (
    ClaimResult,
    known_number,
    negative_words,
    positive_words,
    single_control,
    verdict_columns,
)

MISSING = "none"
"""Word for a number that is not known."""


def verdict_exhibits(results: Sequence[ClaimResult]) -> Iterable[Exhibit]:
    """Yield the verdicts, their effects and controls, the rules, and the values of parts."""
    yield _verdict_table(results)
    yield from effect_figures(results)
    yield _control_table(results)
    if any(result.parts for result in results):
        yield _part_table(results)
    yield _rules(results)
    yield _groups(results)


def _verdict_table(results: Sequence[ClaimResult]) -> Table:
    columns = verdict_columns(results)
    count = sum(each.tests for each in results)
    learnt = zip(columns["learnt"], columns["learnt_low"], columns["learnt_high"], strict=True)
    effects = zip(columns["effect"], columns["low"], columns["high"], strict=True)
    return Table(
        title="Verdicts",
        caption="Supported: the effect is as large as the claim's rule requires, and p, corrected "
        f"for all {count} tests of this study (Holm 1979), is below its level. Not supported does "
        "not mean that the opposite is true. Uninformative: the measure fails its positive "
        "controls, so that there is no verdict. Learnt: the effect minus that among the same "
        "networks before training. Intervals are of 95 %, over networks.",
        columns={
            "verdict": columns["verdict"],
            "claim": columns["statement"],
            "task": columns["task"],
            "effect": [_with_interval(*each) for each in effects],
            "before training": columns["untrained_effect"],
            "learnt": [_with_interval(*each) for each in learnt],
            "does the measure see differences?": [_words(positive_words(each)) for each in results],
            "noise, zeros, ones in its place": [_words(negative_words(each)) for each in results],
            "networks": [_networks(each) for each in results],
            "over all trained networks": [
                text or f"about networks: {each.claim.networks}"
                for text, each in zip(columns["verdict_all_trained"], results, strict=True)
            ],
            "corrected p": columns["corrected_p"],
            "reason": columns["note"],
            "name": columns["claim"],
        },
    )


def _words(text: str) -> str:
    return text or MISSING


def _networks(result: ClaimResult) -> str:
    """Return the number of networks, and which were left out."""
    if result.evidence is None:
        return MISSING
    count = int(result.evidence.networks.sum())
    return f"{count}; left out: {result.left_out or 'none'}"


def effect_figures(results: Sequence[ClaimResult]) -> Iterator[Forest]:
    """Yield effects with their intervals beside those of the controls.

    Differences of claims of sameness are in units of their margins, in a figure of their own.
    """
    shown = [each for each in results if each.evidence and not isnan(each.evidence.effect)]
    same = [each for each in shown if isinstance(each.claim, AlikeAcross)]
    if other := [each for each in shown if each not in same]:
        yield _forest(
            other,
            "Effects of claims",
            "Each row is a claim. Its effect among trained networks, the same before training, and "
            "the difference that was learnt, with intervals of 95 %. Crosses: noise, zeros "
            "and ones in place of the measured numbers. Scales differ between claims.",
            "effect",
            (0.0,),
        )
    if same:
        yield _forest(
            same,
            "Differences in units of the margin",
            "Each row is a claim of sameness. Alike: the largest difference of two levels lies "
            "within 1 with its whole interval of 95 %. A difference of 0 is no difference.",
            "largest difference of two levels / margin",
            (-1.0, 0.0, 1.0),
        )


def _forest(
    results: Sequence[ClaimResult], title: str, caption: str, label: str, limits: Sequence[float]
) -> Forest:
    marks = [(row, *mark) for row, each in enumerate(results) for mark in _marks(each)]
    row, series, values, low, high = zip(*marks, strict=True)
    return Forest(
        title=title,
        caption=caption,
        rows=[f"{each.claim.title}, {each.task.title}" for each in results],
        notes=[each.word for each in results],
        row=row,
        series=series,
        values=np.array(values),
        low=np.array(low),
        high=np.array(high),
        value_label=label,
        limits=limits,
    )


def _marks(result: ClaimResult) -> Iterator[tuple[str, float, float, float]]:
    """Yield (series, effect, low, high) of a claim and of its controls."""
    evidence, claim = result.evidence, result.claim
    assert evidence is not None
    unit = claim.margin if isinstance(claim, AlikeAcross) else 1.0
    yield "trained", evidence.effect / unit, evidence.low / unit, evidence.high / unit
    for role, name in (("untrained", "before training"), ("learnt", "trained minus untrained")):
        if row := single_control(result, role):
            yield name, row.effect / unit, row.low / unit, row.high / unit
    if not isinstance(claim, AlikeAcross):  # noise has no margin
        for row in evidence.controls.of("negative"):
            yield "noise, zeros, ones", row.effect, nan, nan


def _control_table(results: Sequence[ClaimResult]) -> Table:
    rows = [
        (
            each.claim.title,
            each.task.title,
            row.name,
            row.role,
            known_number(row.effect),
            _interval(known_number(row.low), known_number(row.high)),
            known_number(row.p),
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
            known_number(part.effect),
            _interval(known_number(part.low), known_number(part.high)),
            known_number(part.p),
            known_number(verdict.corrected_p),
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


def _rules(results: Iterable[ClaimResult]) -> Table:
    texts = {each.claim.title: (each.texts, each.claim.alpha) for each in results}
    return Table(
        title="Rules of the claims",
        caption="Statistic and effect, the hypothesis that a small p refutes, and the condition "
        "beside a small p.",
        columns={
            "claim": list(texts),
            "statistic": [each.statistic for each, _ in texts.values()],
            "effect": [
                "the same" if each.effect == each.statistic else each.effect
                for each, _ in texts.values()
            ],
            "null hypothesis": [each.null for each, _ in texts.values()],
            "rule": [each.rule for each, _ in texts.values()],
            "level": [alpha for _, alpha in texts.values()],
        },
    )


def _with_interval(value: float | None, low: float | None, high: float | None) -> str:
    ends = _interval(low, high)
    return MISSING if value is None else f"{value:.2g}" + (f" [{ends}]" if ends else "")


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"{low:.2g} to {high:.2g}"


def _groups(results: Sequence[ClaimResult]) -> Table:
    rows = [
        (each.claim.title, each.task.title, group, int(size), known_number(float(value)))
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
