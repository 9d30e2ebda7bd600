"""Texts of claims, and faults of claims whose code raises. A claim may be a class of a user."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from rnnstudy.claims import Claim, Evidence
from rnnstudy.claims.verdict import Verdict, corrected_p_values, verdicts
from rnnstudy.core.arguments import summarise_value
from rnnstudy.study.results.failures import attempt


class ClaimTexts(NamedTuple):
    """Texts of a claim that a report shows. In place of a text that raises stands the error."""

    statistic: str = ""
    effect: str = ""
    null: str = ""
    rule: str = ""


class Judgement(NamedTuple):
    """Verdict on one claim of a study."""

    verdict: Verdict | None
    """None without evidence, and if the claim or its evidence has a fault."""
    fault: str
    """Fault of the claim or of its evidence, in one sentence; empty if there is none."""
    tests: int
    """Number of its tests over which p is corrected."""


def texts_of(claim: Claim) -> tuple[ClaimTexts, str]:
    """Return the texts of a claim, and the first fault among them.

    Parameters
    ----------
    claim
        The claim.

    Examples
    --------
    >>> from rnnstudy.claims import CLAIMS
    >>> texts, fault = texts_of(CLAIMS["cube"]())
    >>> bool(texts.rule), fault
    (True, '')
    """
    texts = {name: attempt(partial(_read_text, claim, name), "") for name in ClaimTexts._fields}
    _, error = attempt(partial(_check_words, claim), None)
    errors = {**{name: error for name, (_, error) in texts.items()}, "words": error}
    verbs = dict.fromkeys(errors, "raises") | {"words": "raise"}
    faults = [f"its {name} {verbs[name]} {error}" for name, error in errors.items() if error]
    shown = {name: f"(raises {error})" if error else text for name, (text, error) in texts.items()}
    return ClaimTexts(**shown), next(iter(faults), "")


def judge(claims: Sequence[Claim], evidence: Sequence[Evidence | None]) -> list[Judgement]:
    """Return the verdict on each claim of a study. A claim that raises costs its own verdict.

    The tests of such a claim count among those over which p is corrected, as far as they are known.

    Parameters
    ----------
    claims
        The claims.
    evidence
        Evidence of each claim; None without any.
    """
    pairs = list(zip(claims, evidence, strict=True))
    faults = [_fault(claim, each) for claim, each in pairs]
    tests = [attempt(partial(_p_values, claim, each), list[float]())[0] for claim, each in pairs]
    sound = {
        i: (claim, each)
        for i, (claim, each) in enumerate(pairs)
        if each is not None and not faults[i]
    }
    others = [p for i, listed in enumerate(tests) if i not in sound for p in listed]
    judged = verdicts(
        [claim for claim, _ in sound.values()], [e for _, e in sound.values()], others
    )
    by_place = dict(zip(sound, judged, strict=True))
    return [Judgement(by_place.get(i), fault, len(tests[i])) for i, fault in enumerate(faults)]


def _fault(claim: Claim, evidence: Evidence | None) -> str:
    """Return why there is no verdict on a claim, if its code or its evidence is wrong."""
    _, fault = texts_of(claim)
    if fault or evidence is None:
        return fault
    _, error = attempt(partial(_check_numbers, evidence), None)
    if not error:
        _, error = attempt(partial(verdicts, [claim], [evidence]), list[Verdict]())
    return f"its evidence raises {error}" if error else ""


def _p_values(claim: Claim, evidence: Evidence | None) -> list[float]:
    return [] if evidence is None else [*map(float, corrected_p_values(claim, evidence))]


def _read_text(claim: Claim, name: str) -> str:
    text = getattr(claim, name)
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a text, got {summarise_value(text)}")
    return text


def _check_words(claim: Claim) -> None:
    """Raise TypeError unless a claim has three words for verdicts."""
    words = claim.words
    if not (
        isinstance(words, tuple) and len(words) == 3 and all(isinstance(w, str) for w in words)
    ):
        raise TypeError(f"words must be three texts, got {summarise_value(words)}")


def _check_numbers(evidence: Evidence) -> None:
    """Raise TypeError or ValueError unless the numbers of evidence are numbers."""
    for name in ("statistic", "effect", "low", "high", "p", "p_opposite", "floor"):
        if isinstance(value := getattr(evidence, name), str):
            raise TypeError(f"{name} must be a number, got {summarise_value(value)}")
        float(value)
    for values in (evidence.networks, evidence.values):
        values.astype(float)
