"""Claims about distances: planted effects are found, labels without meaning are not."""

from math import comb

import numpy as np
import pytest
from claims.populations import apart, by_rule, population
from scipy.stats import binom
from task_inputs import compute, evidence_of

from rnnstudy.analyses.base import Member
from rnnstudy.analyses.factors.fields import strata_of
from rnnstudy.claims import Evidence
from rnnstudy.claims.geometry_depends_on import GeometryDependsOn
from rnnstudy.claims.separation import smallest_p
from rnnstudy.core.record import Record
from rnnstudy.tasks.flip_flop import FlipFlop

TASK = FlipFlop()
SHUFFLES = 300
"""Simulated studies for a rate; a true rate of 5 % gives more than LIMIT once in a thousand."""

LIMIT = int(binom.ppf(0.999, SHUFFLES, 0.05))


def depends(members: list[Member], distances: Record, **fields: object) -> Evidence:
    claim = GeometryDependsOn(of="svcca", factor="cell", **fields)
    return evidence_of(claim, TASK, members, distances)


def word(claim: object, evidence: Evidence) -> str:
    return by_rule(claim, evidence).outcome  # type: ignore[list-item]


@pytest.mark.parametrize("by", ["nearest_neighbour", "silhouette", "contrast"])
def test_a_planted_effect_is_supported(by: str) -> None:
    members = population(4)
    claim = GeometryDependsOn(of="svcca", factor="cell", by=by)
    evidence = evidence_of(claim, TASK, members, apart(members, "cell", 2.0, seed=1))
    assert word(claim, evidence) == "supported"
    assert evidence.low <= evidence.effect <= evidence.high <= 1.0
    assert evidence.low > 0.1
    assert evidence.groups == ("vanilla", "ugrnn", "gru", "lstm")
    assert evidence.networks.tolist() == [8, 8, 8, 8]


def test_the_statistic_is_the_share_of_right_neighbours() -> None:
    members = population(3)
    distances = apart(members, "cell", 1.0, seed=3)
    evidence = depends(members, distances)
    hits = []
    for i, member in enumerate(members):
        others = [j for j in range(len(members)) if j != i]
        nearest = min(others, key=lambda j: distances.values[i, j])
        hits.append(members[nearest].fields["cell"] == member.fields["cell"])
    assert evidence.statistic == pytest.approx(np.mean(hits))
    assert evidence.values == pytest.approx(np.mean(np.reshape(hits, (4, 6)), axis=1))


def test_an_effect_is_1_where_all_neighbours_are_right_and_0_by_chance() -> None:
    members = population(4)
    assert depends(members, apart(members, "cell", 50.0, seed=0)).effect == 1.0
    by_chance = [depends(members, apart(members, "cell", 0.0, s), permutations=99).effect
                 for s in range(40)]  # fmt: skip
    # 40 means of 32 networks: the standard error of their mean is 0.1 / sqrt(40) = 0.017.
    assert abs(np.mean(by_chance)) < 0.05


def test_labels_without_meaning_are_supported_at_the_stated_rate() -> None:
    members = population(3)
    claim = GeometryDependsOn(of="svcca", factor="cell", permutations=199, least=0.0)
    found = [
        word(claim, evidence_of(claim, TASK, members, apart(members, "cell", 0.0, seed)))
        for seed in range(SHUFFLES)
    ]
    assert set(found) == {"supported", "not supported"}
    assert found.count("supported") <= LIMIT


def test_another_factor_does_not_pass_for_the_one_asked_for() -> None:
    """Networks lie apart by activation, and of vanilla networks one is relu, of GRUs one tanh."""
    members = [
        m
        for m in population(6, cells=("vanilla", "gru"))
        if m.fields["seed"] == 0
        or (m.fields["cell"] == "vanilla") == (m.fields["activation"] == "tanh")
    ]
    evidence = depends(members, apart(members, "activation", 30.0, seed=5))
    assert evidence.statistic > 0.7
    assert evidence.p > 0.2


def test_too_few_networks_are_no_evidence() -> None:
    claim = GeometryDependsOn(of="svcca", factor="cell")
    few = population(1)
    evidence = evidence_of(claim, TASK, few, apart(few, "cell", 9.0, seed=0))
    verdict = by_rule(claim, evidence)
    assert verdict.outcome == "not enough networks"
    assert verdict.reason == (
        "vanilla has 2, ugrnn has 2, gru has 2, lstm has 2; it takes 3 of each"
    )
    alone = population(4, cells=("gru",))
    evidence = evidence_of(claim, TASK, alone, apart(alone, "cell", 0.0, seed=0))
    assert by_rule(claim, evidence).reason == "only gru; it takes 2 groups"


def test_a_test_that_could_never_pass_says_that_networks_lack() -> None:
    """Two cells of three networks each: a tenth of all labellings is as good as the best one."""
    members = [m for m in population(3, cells=("gru", "lstm")) if m.fields["activation"] == "tanh"]
    claim = GeometryDependsOn(of="svcca", factor="cell")
    evidence = evidence_of(claim, TASK, members, apart(members, "cell", 30.0, seed=0))
    assert evidence.floor == pytest.approx(2 / comb(6, 3))
    assert evidence.effect == 1.0
    verdict = by_rule(claim, evidence)
    assert verdict.outcome == "not enough networks"
    assert "no p below 0.1" in verdict.reason


def test_the_smallest_p_counts_the_labellings() -> None:
    assert smallest_p(["a", "b"] * 2, [0] * 4, 10**6) == pytest.approx(2 / 6)
    assert smallest_p(["a", "b"] * 2, [0, 0, 1, 1], 10**6) == pytest.approx(2 / 4)
    assert smallest_p(["a", "a", "b", "c"], [0] * 4, 10**6) == pytest.approx(1 / 12)
    assert smallest_p(["a", "b"] * 20, [0] * 40, 999) == pytest.approx(1e-3)


def test_a_field_that_only_some_cells_have_keeps_no_cells_apart() -> None:
    fields = [{"cell": "gru", "reset_after": True}, {"cell": "lstm", "reset_after": None}]
    members = [Member(str(i), {**each, "l2": 0.1}) for i, each in enumerate(fields)]
    assert strata_of("cell", members) == ["l2=0.1"] * 2
    assert strata_of("l2", members) == [
        "cell=gru, reset_after=True",
        "cell=lstm, reset_after=None",
    ]


def test_what_is_no_distances_is_refused() -> None:
    members = population(3)
    with pytest.raises(TypeError, match="'svcca' must yield Distances for svcca_depends_on_cell"):
        compute(GeometryDependsOn(of="svcca", factor="cell"), TASK, members, Record())
    strangers = apart(population(4), "cell", 0.0, 0)
    with pytest.raises(ValueError, match="networks of this study, got 'vanilla-tanh-3'"):
        depends(members, strangers)
