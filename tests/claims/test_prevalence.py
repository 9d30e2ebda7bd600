"""Claims that networks have a property one by one; the cube of a memory's fixed points."""

import numpy as np
import pytest
from claims.populations import by_rule, population
from scipy.stats import beta, binom
from task_inputs import compute, evidence_of

from rnnstudy.claims.cube import Cube
from rnnstudy.claims.prevalence import prevalence
from rnnstudy.core.record import Record
from rnnstudy.dynamics.fixed_points.continua_record import Continua
from rnnstudy.dynamics.fixed_points.find import FixedPoints
from rnnstudy.dynamics.fixed_points.record import SlowPoints
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.sine import Sine


def fixed_points(counts: list[int], seed: int = 0) -> FixedPoints:
    """A record with so many points of each number of unstable directions, in any order."""
    n_unstable = np.repeat(np.arange(len(counts)), counts)
    n_unstable = np.random.default_rng(seed).permutation(n_unstable)
    points, none = len(n_unstable), np.zeros(0, int)
    return FixedPoints(
        slow=SlowPoints.none(4, 3),
        continua=Continua.none(4, 3),
        state=np.zeros((points, 4)),
        inputs=np.zeros((points, 3)),
        speed=np.zeros(points),
        jacobian=np.zeros((points, 4, 4)),
        eigenvalues=np.zeros((points, 4), complex),
        n_unstable=n_unstable,
        index=(-1.0) ** n_unstable,
        member=np.zeros(points, int),
        input_index=np.zeros(points, int),
        n_starts=np.ones(points, int),
        outcome=none,
        start_member=none,
        start_input=none,
        searches={},
    )


@pytest.mark.parametrize(
    ("bits", "counts"), [(1, [2, 1]), (2, [4, 4, 1]), (3, [8, 12, 6, 1]), (4, [16, 32, 24, 8, 1])]
)
def test_the_cube_is_known_by_its_unstable_directions(bits: int, counts: list[int]) -> None:
    task = FlipFlop(bits=bits)
    assert Cube().has(fixed_points(counts), task)
    assert not Cube().has(fixed_points([*counts[:-1], 0, 1]), task)
    assert not Cube().has(fixed_points([counts[0] + 1, *counts[1:]]), task)
    assert not Cube().has(fixed_points([]), task)
    assert f"the {sum(counts)} of a cube: {counts[0]} + " in Cube().statement(task)


def test_a_centre_may_have_more_unstable_directions_if_the_claim_says_so() -> None:
    task, record = FlipFlop(), fixed_points([8, 12, 6, 0, 0, 1])
    assert not Cube().has(record, task)
    assert Cube(strict=False).has(record, task)
    assert not Cube(strict=False).has(fixed_points([8, 12, 6, 1, 0, 1]), task)


def test_the_cube_is_about_memories() -> None:
    assert Cube().applies(FlipFlop())
    assert not Cube().applies(Sine())


def test_a_memory_with_cubes_supports_it_and_one_bad_combination_does_not() -> None:
    members, task = population(3), FlipFlop()
    full, other = fixed_points([8, 12, 6, 1]), fixed_points([8, 12, 7, 1])
    records: list[Record] = [full] * len(members)
    evidence = evidence_of(Cube(), task, members, records)
    assert evidence.statistic == evidence.effect == 1.0
    assert evidence.p == pytest.approx(0.5**24)
    assert by_rule(Cube(), evidence).outcome == "supported"
    bad = [other if m.combination == "gru relu" else full for m in members]
    evidence = evidence_of(Cube(), task, members, bad)
    assert evidence.p < 1e-3
    assert dict(zip(evidence.groups, evidence.values, strict=True))["gru relu"] == 0.0
    assert by_rule(Cube(), evidence).outcome == "not supported"


def test_the_cube_says_what_it_reads() -> None:
    with pytest.raises(TypeError, match="'fixed_points' must yield FixedPoints for cube, got Rec"):
        compute(Cube(), FlipFlop(), population(1), [Record()] * 8)
    with pytest.raises(ValueError, match="flags must have at least one network"):
        compute(Cube(), FlipFlop(), [], [])


def test_interval_and_p_are_those_of_the_binomial_distribution() -> None:
    flags = [True] * 9 + [False] * 3
    evidence = prevalence(flags, ["a"] * 12, least=0.6, needed=2)
    assert evidence.statistic == 0.75
    assert evidence.p == pytest.approx(binom.sf(8, 12, 0.6))
    assert evidence.low == pytest.approx(beta.ppf(0.025, 9, 4))
    assert evidence.high == pytest.approx(beta.ppf(0.975, 10, 3))
    assert evidence.floor == pytest.approx(0.6**12)


def test_few_networks_are_not_enough_however_many_have_it() -> None:
    claim = Cube()
    evidence = prevalence([True] * 3, ["a", "a", "b"], claim.least, claim.min_networks)
    assert by_rule(claim, evidence).reason == "b has 1; it takes 2 of each"
    evidence = prevalence([True] * 4, ["a", "a", "b", "b"], claim.least, claim.min_networks)
    verdict = by_rule(claim, evidence)
    assert verdict.outcome == "not enough networks"
    assert verdict.reason == "with 4 networks no p below 0.062 can arise"


def test_a_property_of_half_the_networks_is_supported_at_the_stated_rate() -> None:
    """Simulated at the edge of the null; the discrete test keeps below its level."""
    claim, generator = Cube(min_networks=1), np.random.default_rng(0)
    names = [str(i % 3) for i in range(30)]
    studies = 500
    found = [
        [by_rule(claim, prevalence((generator.random(30) < 0.5).tolist(), names, 0.5, 1))]
        for _ in range(studies)
    ]
    rate = sum(verdict.outcome == "supported" for (verdict,) in found)
    assert rate <= binom.ppf(0.999, studies, 0.05)


def test_a_prevalent_property_is_found() -> None:
    claim, generator = Cube(min_networks=1), np.random.default_rng(0)
    names = [str(i % 3) for i in range(60)]
    flags = (generator.random(60) < 0.9).tolist()
    assert by_rule(claim, prevalence(flags, names, 0.5, 1)).outcome == "supported"
