"""Claims whose code raises: each costs its own verdict, and no other."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from claims.studied import Large

from rnnstudy.claims import Claim, Evidence
from rnnstudy.claims.evidence.record import ControlResult, collect_controls
from rnnstudy.core.exhibit import Table
from rnnstudy.study.results.claim_texts import texts_of
from rnnstudy.study.results.verdict_exhibits import verdict_exhibits
from rnnstudy.study.results.verdict_table import (
    ClaimEvidence,
    ClaimResult,
    evaluate_claims,
    verdict_columns,
)
from rnnstudy.tasks.flip_flop import FlipFlop


class Odd(BaseException):
    """An exception that is no Exception."""


ERRORS: dict[str, Any] = {
    "value": (ValueError("no"), "ValueError: no"),
    "exit": (SystemExit(3), "SystemExit: 3"),
    "odd": (Odd("so"), "Odd: so"),
}


def broken(name: str, error: BaseException) -> Claim:
    """Return a claim with a text that raises."""

    def read(self: Claim) -> str:
        raise error

    namespace = {name: property(read), "kind": "tests:Broken", "__module__": __name__}
    return type("Broken", (Large,), namespace)(name="broken")


PLACE = f" (test_claim_texts.py, line {broken.__code__.co_firstlineno + 4})"
"""Place of the code that raises."""


class Countless(Large):
    """A claim whose words for verdicts are two."""

    kind: ClassVar[str] = "tests:Countless"
    words: ClassVar[Any] = ("yes", "no")


def evidence(p: float, **changes: Any) -> Evidence:
    numbers: dict[str, Any] = {
        "statistic": 1.0, "effect": 1.0, "low": 0.5, "high": 1.0, "p": p, "floor": 1e-6,
    }  # fmt: skip
    return Evidence(
        holds=True,
        uninformative="",
        groups=("gru tanh",),
        networks=np.array([20]),
        values=changes.pop("values", np.array([1.0])),
        controls=collect_controls([ControlResult("twins", "positive", 0.9, p=1e-6, holds=True)]),
        **{**numbers, **changes},
    )


def evaluate(middle: Claim, between: Evidence | None) -> list[ClaimResult]:
    """Return the results of a claim between two others with p of .001 and .03."""
    claims: Sequence[tuple[Claim, Evidence | None]] = (
        (Large(name="first"), evidence(0.001)),
        (middle, between),
        (Large(name="last"), evidence(0.03)),
    )
    task = FlipFlop(bits=1, length=12)
    return evaluate_claims([ClaimEvidence(c, task, e, companion=e) for c, e in claims])


@pytest.mark.parametrize("name", ["rule", "null", "words", "statistic", "effect"])
@pytest.mark.parametrize("kind", ERRORS)
def test_a_text_that_raises_costs_its_own_verdict(name: str, kind: str) -> None:
    error, sentence = ERRORS[kind]
    whole = evaluate(Large(name="sound"), evidence(0.02))
    first, middle, last = evaluate(broken(name, error), evidence(0.02))
    assert middle.word == "failed"
    verb = "raise" if name == "words" else "raises"
    assert middle.fault == middle.note == f"its {name} {verb} {sentence}{PLACE}"
    assert middle.evidence is None
    # p of the others are corrected for its test, too: the claim was planned before the data.
    for found, expected in ((first, whole[0]), (last, whole[2])):
        assert (found.word, found.corrected) == (expected.word, expected.corrected)
    assert first.corrected == pytest.approx(0.003)
    columns = verdict_columns([first, middle, last])
    assert columns["verdict"] == ["supported", "failed", "supported"]
    assert columns["note"][1] == middle.note


def test_the_tables_show_a_claim_that_raises_in_its_place() -> None:
    results = evaluate(broken("null", ValueError("no")), evidence(0.02))
    verdicts, *_, rules, _ = verdict_exhibits(results)
    assert isinstance(verdicts, Table)
    assert isinstance(rules, Table)
    assert verdicts.columns["verdict"] == ["supported", "failed", "supported"]
    assert "all 3 tests" in verdicts.caption
    assert rules.columns["null hypothesis"][1] == f"(raises ValueError: no{PLACE})"
    assert rules.columns["rule"][1] == Large().rule


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"effect": "large"}, "TypeError: effect must be a number, got 'large'"),
        ({"p": "small"}, "TypeError: p must be a number, got 'small'"),
        ({"values": np.array(["x"])}, "ValueError: could not convert string to float"),
    ],
)
def test_evidence_that_is_no_number_costs_its_own_verdict(
    changes: dict[str, Any], message: str
) -> None:
    first, middle, last = evaluate(Large(name="odd"), evidence(**{"p": 0.02, **changes}))
    assert [first.word, middle.word, last.word] == ["supported", "failed", "supported"]
    assert middle.fault.startswith(f"its evidence raises {message}")


def test_texts_of_other_classes_are_no_texts() -> None:
    _, fault = texts_of(Countless(name="countless"))
    assert fault == "its words raise TypeError: words must be three texts, got ('yes', 'no')"
    words = evaluate(Countless(name="countless"), evidence(0.02))
    assert [each.word for each in words] == ["supported", "failed", "supported"]


def test_a_fault_is_said_beside_the_failure_of_the_job() -> None:
    claim, task = broken("rule", ValueError("no")), FlipFlop(bits=1, length=12)
    (result,) = evaluate_claims([ClaimEvidence(claim, task, None, failure="KeyError: 'x'")])
    assert result.note == f"KeyError: 'x'; its rule raises ValueError: no{PLACE}"
