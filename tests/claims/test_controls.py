"""Verdicts that can fail: numbers without information earn none, whatever the claim."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from math import nan
from typing import Any

import numpy as np
import pytest
from claims.populations import controlled, population
from claims.test_contract import claim_of
from scipy.stats import binom

from rnnstudy.analyses.base import Inputs, Member
from rnnstudy.analyses.distances.controls import PLANTED, STANDARD, TRAINED, UNTRAINED
from rnnstudy.claims import CLAIMS, Claim, Evidence, Measurements
from rnnstudy.claims.evidence.control_runs import add_controls
from rnnstudy.claims.evidence.measurements import distances_of, measurements_of
from rnnstudy.claims.evidence.positive import (
    CONTROL_LEVEL,
    control_rows,
    distance_controls,
    shortage_of,
    value_controls,
)
from rnnstudy.claims.evidence.record import NO_CONTROL
from rnnstudy.claims.geometry_depends_on import GeometryDependsOn
from rnnstudy.claims.prevalence import Prevalent, difference_of_shares
from rnnstudy.claims.verdict import Verdict, control_outcome, verdicts
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.record import Record
from rnnstudy.tasks import Task
from rnnstudy.tasks.flip_flop import FlipFlop

SEEDS = 4
MEMBERS = tuple(population(SEEDS))


def judged(claim: Claim, measurements: Measurements) -> tuple[Evidence, Verdict]:
    evidence = add_controls(claim, claim.quick(), measurements, claim.test(measurements))
    return evidence, verdicts([claim], [evidence])[0]


def flags(trained: Callable[[Member], float], untrained: float = 0.0) -> Measurements:
    """Numbers of trained networks, and one number of all their untrained twins."""
    return Measurements(
        members=MEMBERS * 2,
        learnt=(TRAINED,) * len(MEMBERS) + (UNTRAINED,) * len(MEMBERS),
        values=np.array([*map(trained, MEMBERS), *([untrained] * len(MEMBERS))]),
    )


def real(kind: str) -> Measurements:
    """Measurements for which a claim of the catalogue is true, and was learnt."""
    if issubclass(CLAIMS[kind], Prevalent):
        return flags(lambda member: 1.0)
    if kind == "one_mode_or_several":
        return flags(lambda m: 1.0 if m.fields["cell"] == "vanilla" else 4.0, untrained=20.0)
    how: dict[str, float] = {"cell": 8.0, "training": 20.0, "activation": 2.0}
    if kind == "nearer_untrained":
        how = {"activation": 12.0, "training": 6.0}
    if kind == "alike_across":
        return same(1)
    distances = controlled(list(MEMBERS), 1, guests=False, **how)
    return measurements_of(distances)


def same(seed: int, cell: float = 0.0, planted: float = 30.0) -> Measurements:
    """Networks that differ by cell, if at all, their twins, and copies with a planted change."""
    found = controlled(list(MEMBERS), seed, guests=False, training=20.0)
    points = np.random.default_rng(seed).standard_normal((3 * len(MEMBERS), 6))
    learnt = (*found.learnt, *(PLANTED for _ in MEMBERS))
    points[[each == UNTRAINED for each in learnt], 0] += 20.0
    points[[each == PLANTED for each in learnt], 1] += planted
    for point, member in zip(points, MEMBERS * 3, strict=True):
        point[2] += cell * ["vanilla", "ugrnn", "gru", "lstm"].index(member.fields["cell"])
    return Measurements(
        members=MEMBERS * 3,
        learnt=learnt,
        values=np.sqrt(((points[:, None] - points) ** 2).sum(axis=-1)),
        is_distance=True,
    )


def two_valued(measurements: Measurements) -> Measurements:
    """Distances of 0 between networks of one training and 1 between others; a property that all
    trained networks have and no untrained one."""
    learnt = np.array([each not in (TRAINED, PLANTED) for each in measurements.learnt])
    if measurements.is_distance:
        return measurements.with_values((learnt[:, None] != learnt).astype(float))
    return measurements.with_values((~learnt).astype(float))


@pytest.mark.parametrize("kind", CLAIMS)
def test_a_learnt_truth_is_supported_and_its_controls_stand_beside(kind: str) -> None:
    claim = claim_of(kind)
    evidence, verdict = judged(claim, real(kind))
    assert verdict.outcome == claim.words[0], verdict.reason
    roles = {row.role for row in evidence.controls}
    assert {"positive", "negative", "untrained", "learnt"} <= roles
    negative = evidence.controls.of("negative")
    assert [row.name for row in negative] == ["noise", "zeros", "ones"]
    assert [control_outcome(claim, row) for row in negative] == ["uninformative"] * 3
    # Shuffled labels pass at most at the level; more than this limit once in a thousand.
    shuffled = evidence.controls.shuffled_p
    assert (shuffled < claim.alpha).sum() <= binom.ppf(0.999, len(shuffled), claim.alpha)


@pytest.mark.parametrize("kind", CLAIMS)
@pytest.mark.parametrize("number", [0.0, 1.0])
def test_constant_numbers_are_uninformative(kind: str, number: float) -> None:
    measurements = real(kind)
    values = np.full_like(np.asarray(measurements.values, float), number)
    if measurements.is_distance:
        np.fill_diagonal(values, 0.0)
    _, verdict = judged(claim_of(kind), measurements.with_values(values))
    assert verdict.outcome == "uninformative"
    assert verdict.reason


@pytest.mark.parametrize("kind", CLAIMS)
def test_noise_is_uninformative(kind: str) -> None:
    measurements, claim = real(kind), claim_of(kind)
    for seed in range(3):
        generator = np.random.default_rng(seed)
        values = generator.random(np.shape(measurements.values))
        if measurements.is_distance:
            values = np.triu(values, 1) + np.triu(values, 1).T
        else:
            values = (values < 0.8).astype(float)
        _, verdict = judged(claim, measurements.with_values(values))
        assert verdict.outcome == "uninformative"


@pytest.mark.parametrize("kind", CLAIMS)
def test_distances_that_know_training_alone_support_nothing_about_factors(kind: str) -> None:
    """0 among trained networks and 1 to untrained ones: it tells training, and calls all alike."""
    measurements, claim = two_valued(real(kind)), claim_of(kind)
    evidence, verdict = judged(claim, measurements)
    assert evidence.controls.of("positive")[0].holds
    if kind == "alike_across":  # it has never seen a difference of trained networks
        assert verdict.outcome == "uninformative"
        assert "does not detect a known difference" in verdict.reason
    elif measurements.is_distance:
        assert verdict.outcome in ("not supported", "uninformative")
    elif not isinstance(claim, Prevalent):  # all trained networks have one mode
        assert verdict.outcome == "not supported"


@pytest.mark.parametrize("kind", CLAIMS)
def test_a_shuffled_factor_is_found_at_the_level(kind: str) -> None:
    """In studies whose labels mean nothing the claim itself is supported at its level at most."""
    claim, measurements = claim_of(kind), real(kind)
    generator, studies, passed = np.random.default_rng(0), 10, 0
    for _ in range(studies):
        changed = claim.shuffle(measurements, generator)
        evidence = claim.quick().test(changed)
        controls = control_rows(claim.positive_controls(changed))
        passed += claim.finding_p(evidence) < claim.alpha and any(r.holds for r in controls)
    assert passed <= binom.ppf(0.999, studies, claim.alpha)


def test_what_untrained_networks_have_was_not_learnt() -> None:
    claim = claim_of("geometry_depends_on", factor="activation")
    apart = controlled(list(MEMBERS), 1, guests=False, activation=9.0, training=20.0)
    evidence, verdict = judged(claim, measurements_of(apart))
    assert verdict.outcome == "supported"
    (untrained,), (learnt,) = (evidence.controls.of(role) for role in ("untrained", "learnt"))
    assert untrained.effect == pytest.approx(1.0)
    assert learnt.effect == pytest.approx(0.0)
    assert learnt.low <= 0.0 <= learnt.high


def test_a_difference_that_training_made_was_learnt() -> None:
    """Trained networks lie apart by activation; the same networks before training do not."""
    apart = controlled(list(MEMBERS), 1, guests=False, activation=9.0, training=20.0)
    none = controlled(list(MEMBERS), 1, guests=False, training=20.0)
    rows = none.at(UNTRAINED)
    values = apart.values.copy()
    values[np.ix_(rows, rows)] = none.values[np.ix_(rows, rows)]
    claim = claim_of("geometry_depends_on", factor="activation")
    evidence, _ = judged(claim, measurements_of(replace(apart, values=values)))
    (learnt,) = evidence.controls.of("learnt")
    assert learnt.effect > 0.5
    assert learnt.low > 0.0


def test_too_few_networks_for_a_positive_control_are_not_enough() -> None:
    members = population(1)
    distances = controlled(members, 1, guests=False, cell=9.0, training=9.0)
    claim = claim_of("geometry_depends_on", min_networks=2)
    _, verdict = judged(claim, measurements_of(distances))
    assert verdict.outcome == "not enough networks"
    assert verdict.reason == "with so few networks no positive control can reach a p below 0.0001"


def test_few_networks_of_many_combinations_suffice_for_a_property() -> None:
    """Twins of all 16 networks must be exchanged together, so that p can be 2 in 65,536."""
    members = population(2)
    measurements = Measurements(
        members=(*members, *members),
        learnt=(TRAINED,) * len(members) + (UNTRAINED,) * len(members),
        values=np.array([1.0] * len(members) + [0.0] * len(members)),
    )
    (control,) = value_controls(measurements)
    assert control.floor == pytest.approx(2.0**-15)
    assert control.p < CONTROL_LEVEL
    _, verdict = judged(claim_of("cube"), measurements)
    assert verdict.outcome == "supported"


def test_many_controls_can_pass() -> None:
    """Untrained and standard twins, and networks of four other tasks: p is corrected for six."""
    few = tuple(population(3))
    found = controlled(list(few), 1, guests=False, training=20.0)
    rows = found.at(UNTRAINED)
    order = [*range(len(found.labels)), *rows * 5]
    names = ["standard", *(f"trained on {task}" for task in "abcd")]
    learnt = (*found.learnt, *(name for name in names for _ in rows))
    strangers = [
        Member(f"{name} {m.name}", m.fields) if name != "standard" else m
        for name in names
        for m in few
    ]
    generator = np.random.default_rng(0)
    values = found.values[np.ix_(order, order)] + 0.1 * generator.random((len(order), len(order)))
    measurements = Measurements(
        members=(*few, *few, *strangers),
        learnt=learnt,
        values=(values + values.T) * (1.0 - np.eye(len(order))),
        is_distance=True,
    )
    tests = distance_controls(measurements)
    assert len(tests) == 6
    assert all(test.floor < CONTROL_LEVEL for test in tests)
    assert all(test.p < CONTROL_LEVEL for test in tests)


@pytest.mark.parametrize(
    ("twins", "is_distance", "needed"),
    [((UNTRAINED,), False, 14), ((UNTRAINED,), True, 14), ((UNTRAINED, STANDARD), True, 15)],
)
def test_degrees_of_freedom_that_a_positive_control_needs(
    twins: tuple[str, ...], is_distance: bool, needed: int
) -> None:
    """The guide to claims has these numbers: each further kind of twins counts in Holm's p."""
    controls = distance_controls if is_distance else value_controls

    def shortage(freedom: int) -> str:
        members = tuple(Member(str(i), {"cell": "gru", "seed": i}) for i in range(freedom + 1))
        kinds = (TRAINED, *twins)
        values = np.concatenate([50.0 * k + np.arange(len(members)) for k in range(len(kinds))])
        return shortage_of(
            controls(
                Measurements(
                    members=members * len(kinds),
                    learnt=tuple(kind for kind in kinds for _ in members),
                    values=np.abs(values[:, None] - values) if is_distance else values,
                )
            )
        )

    assert shortage(needed - 1)
    assert not shortage(needed)


def test_without_untrained_twins_there_is_no_verdict() -> None:
    measurements = real("cube").of(TRAINED)
    _, verdict = judged(claim_of("cube"), measurements)
    assert verdict.outcome == "uninformative"
    assert verdict.reason == "there are no untrained networks to compare with"


def test_a_task_can_be_told_from_a_task() -> None:
    """Untrained networks may look like trained ones, if those of another task do not."""
    distances = controlled(list(MEMBERS), 1, other_task=20.0)
    results = control_rows(distance_controls(measurements_of(distances)))
    assert [row.holds for row in results] == [False, True]
    assert results[1].name == "trained networks from those trained on other"


def test_the_positive_control_has_its_level() -> None:
    """p is uniform under the null: trained and untrained networks are exchangeable."""
    small, studies = 0, 200
    for seed in range(studies):
        measurements = measurements_of(controlled(list(MEMBERS), seed, guests=False))
        (test,) = distance_controls(measurements)
        small += test.p <= 0.05
    assert binom.ppf(0.001, studies, 0.05) <= small <= binom.ppf(0.999, studies, 0.05)


def test_the_interval_of_a_difference_of_shares_covers_it() -> None:
    """Simulated pairs with a known difference; the interval has its stated coverage."""
    generator, covered, studies = np.random.default_rng(0), 0, 2000
    for _ in range(studies):
        first, second = generator.random(24) < 0.9, generator.random(24) < 0.2
        _, low, high = difference_of_shares(first, second)
        covered += low <= 0.7 <= high
    assert covered / studies > 0.93


def test_the_interval_of_equal_shares_is_that_of_agresti_and_min() -> None:
    """Their formula, written out for 4 pairs: both counts of discordant pairs are 0."""
    difference, low, high = difference_of_shares(np.ones(4, bool), np.ones(4, bool))
    assert difference == 0.0
    assert high == -low == pytest.approx(1.959964 * np.sqrt(1.0) / 6)


def test_what_was_learnt_is_known_for_a_single_network_of_a_level() -> None:
    """The first network is the only one of its combination. Without it levels begin with others."""
    measurements = same(1, cell=9.0)
    lone = [m for m in MEMBERS if m.combination == MEMBERS[0].combination][1:]
    keep = [i for i, m in enumerate(measurements.members) if m not in lone]
    claim = claim_of("alike_across", factor="activation")
    effect, low, high = claim.learnt(measurements.only(keep))
    assert np.isfinite([effect, low, high]).all()


def test_networks_without_controls_stay_in_the_test() -> None:
    """An imported network has no untrained twin; the claim is about it all the same."""
    found = controlled(list(MEMBERS), 1, guests=False, cell=9.0, training=9.0)
    trained = found.only(found.at(TRAINED))
    lost = [i for i, name in enumerate(found.networks) if name == MEMBERS[0].name]
    fewer = found.only([i for i in range(len(found.labels)) if i not in lost])
    measured = distances_of(trained, MEMBERS, fewer)
    assert len(measured.of(TRAINED)) == len(MEMBERS)
    assert len(measured.twins()) == len(MEMBERS) - 1
    evidence, verdict = judged(claim_of("geometry_depends_on"), measured)
    assert evidence.networks.sum() == len(MEMBERS)
    assert verdict.outcome == "supported"


def test_control_distances_reach_a_claim_by_its_inputs() -> None:
    found = controlled(list(MEMBERS), 1, guests=False, cell=9.0, training=9.0)
    trained = found.only(found.at(TRAINED))
    distances = Distances(trained.labels, trained.values)
    claim = GeometryDependsOn(of="svcca", factor="cell")
    inputs = Inputs(MEMBERS, control_distances={"svcca": found}, svcca=distances)
    assert claim.control_weights() == ("untrained",)
    evidence = claim.compute(FlipFlop(), inputs)
    assert verdicts([claim], [evidence])[0].outcome == "supported"
    without = claim.compute(FlipFlop(), Inputs(MEMBERS, svcca=distances))
    assert verdicts([claim], [without])[0].outcome == "uninformative"


def test_evidence_with_its_controls_survives_the_store(tmp_path: Any) -> None:
    evidence, verdict = judged(claim_of("geometry_depends_on"), real("geometry_depends_on"))
    evidence.save(tmp_path / "record")
    again = Record.load(tmp_path / "record")
    assert isinstance(again, Evidence)
    for now, then in zip(again.controls, evidence.controls, strict=True):
        assert now[:2] == then[:2]
        assert now[2:] == pytest.approx(then[2:], nan_ok=True)
    assert verdicts([claim_of("geometry_depends_on")], [again])[0].outcome == verdict.outcome


def former_claim() -> type[Claim]:
    """A claim as the former interface had it: `run` alone."""

    class Former(Claim):
        @property
        def statistic(self) -> str:
            return "one"

        @property
        def null(self) -> str:
            return "none"

        @property
        def rule(self) -> str:
            return "any"

        def statement(self, task: Task) -> str:
            return "Networks are."

        def run(self, task: Task, inputs: Inputs) -> Evidence:
            return Evidence(
                statistic=1.0, effect=1.0, low=nan, high=nan, p=1e-9, floor=0.0, holds=True,
                uninformative="", groups=("all",), networks=np.array([9]), values=np.ones(1),
            )  # fmt: skip

    return Former


def test_a_claim_that_overrides_run_declares_no_control() -> None:
    with pytest.warns(DeprecationWarning, match="run was split into measure and test"):
        cls = former_claim()
    claim = cls()
    evidence = claim.compute(FlipFlop(), Inputs(MEMBERS))
    (verdict,) = verdicts([claim], [evidence])
    assert (verdict.outcome, verdict.reason) == ("uninformative", NO_CONTROL)


def test_todays_claims_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in CLAIMS:
            claim_of(kind).quick()


def test_the_level_of_positive_controls_is_stricter_than_that_of_claims() -> None:
    assert CONTROL_LEVEL < 0.05 / 100
