"""Findings of a study: one per question, the leading ones chosen before any result is known."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from typing import NamedTuple

from rnnstudy.analyses import Analysis
from rnnstudy.analyses.conditions import condition_text
from rnnstudy.claims.base import Claim
from rnnstudy.core.component import upper_first
from rnnstudy.report.contents import Finding, FindingRow, PageSection, Tone
from rnnstudy.report.figures.figures import is_drawable
from rnnstudy.study.results.failures import attempt, task_in_words, words_of
from rnnstudy.study.results.verdict_table import (
    ClaimResult,
    failed_control,
    negative_words,
    positive_words,
)

MOST_LEADING = 5
"""Largest number of leading findings."""

RULE = (
    "The rule reads the spec alone, before any result. Each claim of the spec belongs to a "
    "question. The first claim on a question, in the order of the spec, speaks for it, on every "
    "task and for every group of networks that it is about. Further claims on the question, such "
    "as another metric or a weaker form, are its companions and never lead. Untrained networks, "
    "noise and shuffled labels are controls of a claim and never lead. The first "
    f"{MOST_LEADING} questions lead, and the others are folded."
)

NO_CLAIMS = (
    "The spec has no claims, so that nothing was tested. These sentences describe the figures that "
    f"lead the chapters of each task, in their order. The first {MOST_LEADING} lead."
)

FAILED_CONTROLS = {
    "blind": "the measure misses a difference that is there",
    "shuffled": "too many shuffles of the labels pass",
}
"""Name of a failed control -> the failure in words. Others are numbers that earn a verdict."""

GOOD = ("supported", "alike")
BAD = ("failed", "not computed")


class Stories(NamedTuple):
    """Stories of the tasks of a study, in which the figures of findings stand."""

    titles: Mapping[str, str]
    """Name of an analysis -> its title in words."""
    sections: Sequence[PageSection]
    """Story of each task."""
    analyses: Sequence[Analysis]
    """All analyses of the study."""


def findings(results: Sequence[ClaimResult], stories: Stories) -> list[Finding]:
    """Return one finding per question, in the order of the claims.

    Parameters
    ----------
    results
        Verdicts in the order of the spec.
    stories
        Stories of the tasks.
    """
    groups: dict[str, dict[str, list[ClaimResult]]] = {}
    for result in results:
        identity = _identity(result.claim)
        question = question_of(result.claim, stories.titles) or identity
        groups.setdefault(question, {}).setdefault(identity, []).append(result)
    has_tasks = len({result.task.title for result in results}) > 1
    return [_finding(list(by_claim.values()), stories, has_tasks) for by_claim in groups.values()]


def question_of(claim: Claim, titles: Mapping[str, str]) -> str:
    """Return the question of a claim; empty without one."""
    question, _ = attempt(lambda: str(claim.question(titles)), "")
    return question


def _identity(claim: Claim) -> str:
    """Return equal texts for one claim about several groups of networks."""
    recipe, _ = attempt(lambda: json.dumps(claim.recipe(), sort_keys=True), claim.title)
    return f"{recipe} {claim.networks}"


def _finding(groups: Sequence[Sequence[ClaimResult]], stories: Stories, has_tasks: bool) -> Finding:
    """Return the finding of a question: the first group of results speaks for it."""
    first, *others = groups
    rows = [finding_row(each, stories.titles, has_tasks or len(first) > 1) for each in first]
    claim, task = first[0].claim, first[0].task.title
    story = next((each for each in stories.sections if each.label == task), None)
    figure, _ = attempt(lambda: figure_of(claim, story, stories.analyses), None)
    return Finding(
        question=question_of(claim, stories.titles) or rows[0].statement,
        rows=rows,
        companions=[
            finding_row(each, stories.titles, has_tasks or len(group) > 1)
            for group in others
            for each in group
        ],
        meaning=upper_first(first[0].texts.effect),
        figure=figure,
    )


def finding_row(result: ClaimResult, titles: Mapping[str, str], has_place: bool) -> FindingRow:
    """Return the result of a claim on a task in words.

    Parameters
    ----------
    result
        The result.
    titles
        Name of an analysis -> its title in words.
    has_place
        True for a row that names its task and its networks.
    """
    claim, evidence = result.claim, result.evidence
    statement, error = attempt(lambda: str(claim.statement(result.task)), "")
    if error:
        statement = f"{words_of(claim)} (its statement raises {error})"
    controls, failed, tone = _mark(result)
    untested = evidence is None or isnan(evidence.effect)
    return FindingRow(
        statement=in_words(statement, titles),
        verdict=result.word,
        tone=_tone(result.word),
        effect="" if untested else _effect(result),
        controls=controls,
        failed_control=failed,
        control_tone=tone,
        details=_details(result),
        numbers="" if untested else _numbers(result),
        task=task_in_words(result.task) if has_place else "",
        group=condition_text(claim.where) if has_place else "",
        name=claim.title,
    )


def _mark(result: ClaimResult) -> tuple[str, str, Tone]:
    """Return in words whether a claim passes its controls, the failed one, and the colour."""
    failed = failed_control(result)
    if failed is None:
        return "", "", "plain"
    if not failed:
        return "controls pass", "", "good"
    reason = FAILED_CONTROLS.get(failed, f"a verdict even with {failed} in place of the measure")
    return f"controls fail ({reason})", failed, "bad"


def _tone(word: str) -> Tone:
    return "good" if word in GOOD else "bad" if word in BAD else "plain"


def _effect(result: ClaimResult) -> str:
    """Return the effect with its interval: `effect 0.6 (95 % interval 0.4 to 0.8)`."""
    effect, low, high = _interval(result)
    return f"effect {effect}" + (f" (95 % interval {low} to {high})" if low else "")


def _numbers(result: ClaimResult) -> str:
    """Return the effect with its interval: `0.6 [0.4, 0.8]`."""
    effect, low, high = _interval(result)
    return effect + (f" [{low}, {high}]" if low else "")


def _interval(result: ClaimResult) -> tuple[str, str, str]:
    """Return the effect and both ends of its interval, which are empty if they are not known."""
    evidence = result.evidence
    assert evidence is not None
    is_known = not (isnan(evidence.low) or isnan(evidence.high))
    ends = (f"{evidence.low:.2g}", f"{evidence.high:.2g}") if is_known else ("", "")
    return f"{evidence.effect:.2g}", *ends


def _details(result: ClaimResult) -> str:
    """Return the controls of a claim in full, and the reason of its verdict, as sentences."""
    parts = {
        "Differences that are there are seen": positive_words(result),
        "Noise, zeros and ones in place of the measure": negative_words(result),
        "Reason of the verdict": result.note,
        "Verdict over all trained networks": result.companion_word,
    }
    return " ".join(f"{name}: {text}." for name, text in parts.items() if text)


def in_words(text: str, titles: Mapping[str, str]) -> str:
    """Return a text with names of analyses in parentheses as their titles.

    Examples
    --------
    >>> in_words("Geometry (svcca) depends on the cell.", {"svcca": "SVCCA distances"})
    'Geometry (SVCCA distances) depends on the cell.'
    """
    return re.sub(r"\((\w+)\)", lambda match: f"({titles.get(match[1], match[1])})", text)


def figure_of(
    claim: Claim, section: PageSection | None, analyses: Sequence[Analysis]
) -> tuple[str, str, str] | None:
    """Return the figure that shows what a claim is about, or None.

    It is the first figure of the story of the task: of a map of the analysis that the claim reads,
    else of that analysis, else of another one that reads it.

    Parameters
    ----------
    claim
        The claim.
    section
        Story of the task.
    analyses
        All analyses of the study.
    """
    if section is None:
        return None
    (need, *_) = claim.needs() or ("",)
    readers = [each for each in analyses if need in each.needs()]
    maps = [each.title for each in readers if not each.chapter and each.leads_chapter]
    wanted = [*maps, need, *(each.title for each in readers)]
    figures = {
        part.label: (section.label, part.label, str(exhibit.title))
        for part in reversed(section.all_parts)
        for exhibit in reversed(part.exhibits)
        if is_drawable(exhibit)
    }
    return next((figures[label] for label in wanted if label in figures), None)


def descriptions(sections: Iterable[PageSection]) -> list[Finding]:
    """Return the sentences of the figures that lead chapters, for a study without claims.

    Parameters
    ----------
    sections
        Stories of the tasks.
    """
    described = []
    for section in sections:
        for chapter in section.chapters:
            if chapter.lead is None:
                continue
            part = chapter.parts[chapter.lead[0]]
            exhibit = part.exhibits[chapter.lead[1]]
            if sentence := getattr(exhibit, "finding", ""):
                key = (section.label, part.label, str(exhibit.title))
                row = FindingRow(sentence, task=section.title)
                described.append(Finding(chapter.title, [row], figure=key))
    return described
