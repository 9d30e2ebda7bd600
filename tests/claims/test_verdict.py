"""From evidence to verdicts: correction over a study, rules, and what too few networks mean."""

from math import nan
from typing import Any

import numpy as np
import pytest

from rnnstudy.claims import Claim, Evidence, average_by_group, group_size_error
from rnnstudy.claims.base import no_evidence
from rnnstudy.claims.cube import Cube
from rnnstudy.claims.verdict import verdicts


def evidence(p: float, **fields: Any) -> Evidence:
    given = {
        "statistic": 1.0, "effect": 1.0, "low": 0.5, "high": 1.0, "p": p, "floor": 1e-4,
        "holds": True, "uninformative": "", "groups": ("a", "b"),
        "networks": np.array([4, 4]), "values": np.ones(2),
    }  # fmt: skip
    return Evidence(**(given | fields))


def words(*found: Evidence, alpha: float = 0.05) -> list[str]:
    claims: list[Claim] = [Cube(alpha=alpha) for _ in found]
    return [verdict.outcome for verdict in verdicts(claims, found)]


def test_p_is_corrected_over_all_claims_of_a_study() -> None:
    assert words(evidence(0.03)) == ["supported"]
    assert words(evidence(0.03), evidence(0.04)) == ["not supported", "not supported"]
    # Holm: 0.01 x 3, then 0.02 x 2, then 0.04 x 1, none smaller than the one before.
    found = verdicts([Cube()] * 3, [evidence(0.04), evidence(0.01), evidence(0.02)])
    assert [verdict.corrected_p for verdict in found] == pytest.approx([0.04, 0.03, 0.04])


def test_claims_without_networks_are_no_part_of_the_family() -> None:
    found = verdicts([Cube()] * 2, [evidence(0.03), no_evidence("a has 1; it takes 2 of each")])
    assert found[0].corrected_p == pytest.approx(0.03)
    assert found[1].outcome == "not enough networks"
    assert found[1].reason == "a has 1; it takes 2 of each"
    assert np.isnan(found[1].corrected_p)


def test_a_small_p_does_not_make_up_for_a_small_effect() -> None:
    assert words(evidence(1e-4, holds=False)) == ["not supported"]


def test_each_claim_has_its_own_level() -> None:
    assert words(evidence(0.03), alpha=0.02) == ["not supported"]
    assert words(evidence(0.01), alpha=0.02) == ["supported"]


def test_a_p_that_no_outcome_could_have_pushed_below_the_level_says_that_networks_lack() -> None:
    assert words(evidence(0.06, floor=0.06)) == ["not enough networks"]
    assert words(evidence(0.06, floor=0.01)) == ["not supported"]
    # With three tests the smallest p has to be below a third of the level.
    assert words(*[evidence(0.06, floor=0.02)] * 3) == ["not enough networks"] * 3
    # An effect that falls short would not be saved by more networks.
    assert words(evidence(0.9, floor=0.06, holds=False)) == ["not supported"]


def test_a_test_that_cannot_be_done_is_no_verdict() -> None:
    assert words(evidence(nan)) == ["not enough networks"]
    assert verdicts([], []) == []


def test_groups_keep_their_order_and_have_means() -> None:
    groups, sizes, means = average_by_group(["b", "a", "b"], [1.0, 5.0, 3.0])
    assert groups == ("b", "a")
    assert sizes.tolist() == [2, 1]
    assert means.tolist() == [2.0, 5.0]


@pytest.mark.parametrize(
    ("sizes", "least", "why"),
    [
        ([3, 4], 2, ""),
        ([3, 2], 2, "b has 2; it takes 3 of each"),
        ([3], 2, "only a; it takes 2 groups"),
        ([], 1, "no networks"),
        ([2], 1, "a has 2; it takes 3 of each"),
    ],
)
def test_too_few_networks_are_named(sizes: list[int], least: int, why: str) -> None:
    assert group_size_error(["a", "b"][: len(sizes)], np.array(sizes), 3, least) == why


def test_evidence_names_each_of_its_groups() -> None:
    with pytest.raises(ValueError, match=r"one number per group \(1\), got 2"):
        evidence(0.1, groups=("a",))
