"""Sameness of classes: a label that sees nothing calls nothing alike, and a difference counts."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from claims.populations import population
from claims.test_contract import claim_of

from rnnstudy.analyses.base import Inputs, Member
from rnnstudy.claims import Claim, Evidence
from rnnstudy.claims.verdict import Verdict, control_outcome, verdicts
from rnnstudy.core.record import Record
from rnnstudy.tasks.flip_flop import FlipFlop

MEMBERS = tuple(population(20, ("vanilla", "gru")))


@dataclass(frozen=True, eq=False)
class Kind(Record):
    """A class of its own name, whose planted copy has another name."""

    name: str
    change: str = "-"

    @property
    def label(self) -> str:
        return self.name

    def plant(self) -> "Kind":
        return Kind(self.name + self.change, self.change)


@dataclass(frozen=True, eq=False)
class Label(Record):
    """A label without copies."""

    label: str


def judged(
    trained: Callable[[Member], Record], untrained: Record | None = None
) -> tuple[Claim, Evidence, Verdict]:
    claim = claim_of("alike_across", of="solution_classes", margin=0.1, permutations=199)
    twin = Kind("none") if untrained is None else untrained
    inputs = Inputs(
        MEMBERS,
        controls={"untrained": {"solution_classes": dict.fromkeys(MEMBERS, twin)}},
        solution_classes={member: trained(member) for member in MEMBERS},
    )
    evidence = claim.run(FlipFlop(), inputs)
    return claim, evidence, verdicts([claim], [evidence])[0]


def test_networks_of_one_class_are_alike() -> None:
    claim, evidence, verdict = judged(lambda member: Kind("cube"))
    assert verdict.outcome == "alike"
    assert all(row.holds for row in evidence.controls.of("planted"))
    negative = [control_outcome(claim, row) for row in evidence.controls.of("negative")]
    assert negative == ["uninformative"] * 3


def test_a_label_that_knows_training_alone_calls_nothing_alike() -> None:
    """All trained networks have one label, whatever they do, and so have their planted copies."""
    _, evidence, verdict = judged(lambda member: Kind("A", change=""))
    assert evidence.controls.of("positive")[0].holds
    assert verdict.outcome == "uninformative"
    assert "does not detect a known difference" in verdict.reason


def test_labels_without_planted_copies_call_nothing_alike() -> None:
    _, _, verdict = judged(lambda member: Label("A"))
    assert verdict.outcome == "uninformative"
    assert verdict.reason.endswith("(there is none to look for)")


def test_networks_that_have_no_class_in_common_are_not_alike() -> None:
    """Their difference is 0, since networks of one level differ as much as those of two."""
    _, evidence, verdict = judged(lambda member: Kind(member.name))
    assert evidence.effect == pytest.approx(0.0)
    assert verdict.outcome == "uninformative"


def test_a_difference_counts_though_the_planted_one_is_missed() -> None:
    """Vanilla networks have a class of their own. No copy differs from its network."""
    _, evidence, verdict = judged(lambda m: Kind(m.fields["cell"][:1], change=""))
    assert verdict.outcome == "different"
    assert evidence.high <= 1.0
    assert evidence.low > 0.5


def test_a_level_with_a_class_of_its_own_sees_its_planted_copies() -> None:
    """A copy differs from its own network, also where this is the class of few."""
    _, evidence, verdict = judged(lambda m: Kind("ring" if m.fields["cell"] == "gru" else "cube"))
    assert verdict.outcome == "different"
    assert all(row.holds for row in evidence.controls.of("planted"))
