"""Claims about integration and the sine, on records whose content is known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from claims.populations import by_rule, population
from scipy.stats import binom
from task_inputs import compute, evidence_of

from rnnstudy.analyses.line_attractors.record import LineAttractor
from rnnstudy.analyses.oscillations.record import Oscillation
from rnnstudy.claims.evidence.measurements import Measurements
from rnnstudy.claims.frequency_follows import FrequencyFollows
from rnnstudy.claims.integration_modes import OneModeOrSeveral
from rnnstudy.claims.line_attractor import LineAttractorClaim
from rnnstudy.core.errors import SettingError
from rnnstudy.core.record import Record
from rnnstudy.study.results.left_out import with_lost_groups
from rnnstudy.tasks.flip_flop import FlipFlop
from rnnstudy.tasks.integration import Integration
from rnnstudy.tasks.sine import Sine

TASK = Integration()


def line(modes: tuple[int, int] = (1, 1), slow: float = 1.0, bend: float = 0.0) -> LineAttractor:
    """Two contexts with 20 slow points each on a line (bent into a circle by `bend` 1), whose
    response takes so many of 6 modes; 0 modes: they never give it."""
    points = 20
    along = np.linspace(-1.0, 1.0, points)
    circle = np.stack([np.sin(np.pi * along), np.cos(np.pi * along)], axis=1)
    straight = np.stack([along, np.zeros(points)], axis=1)
    state = np.tile((1 - bend) * straight + bend * circle, (2, 1))
    readout = np.tile(along[:, None], (2, 1))
    share = np.stack([np.where(np.arange(6) + 1 >= k, 0.96, 0.3) if k else np.full(6, 0.3)
                      for k in modes])  # fmt: skip
    share, both = np.repeat(share, points, axis=0), 2 * points
    return LineAttractor(
        length=50,
        slow_modulus=0.8,
        horizon=50,
        slow_share=np.full(2, slow),
        context_of=np.repeat([0, 1], points),
        state=state,
        speed=np.zeros(both),
        first_readout=readout,
        readout=readout,
        later_readout=readout,
        eigenvalues=np.ones((both, 6)),
        alignment=np.ones(both),
        selection=np.ones((both, 2)),
        gain=np.ones((both, 2)),
        linear_fit=np.ones(both),
        readout_share=share,
        state_share=share,
        mean_error=1.0 - share,
        hankel=np.sqrt(np.diff(share, prepend=0.0)),
    )


def test_a_line_is_needed_in_every_context() -> None:
    assert LineAttractorClaim().has(line(), TASK)
    assert not LineAttractorClaim().has(line(slow=0.5), TASK)
    assert LineAttractorClaim(slow=0.4).has(line(slow=0.5), TASK)
    assert not LineAttractorClaim().has(line(bend=1.0), TASK)
    one = line()
    one.first_readout[:20] = 0.0  # the first context forgets what was read out before
    assert not LineAttractorClaim().has(one, TASK)
    with pytest.raises(TypeError, match="must yield LineAttractor for line_attractor, got Record"):
        compute(LineAttractorClaim(), TASK, population(1), [Record()] * 8)


def test_lines_of_all_networks_support_the_claim() -> None:
    members, claim = population(3), LineAttractorClaim()
    evidence = evidence_of(claim, TASK, members, [line()] * len(members))
    assert by_rule(claim, evidence).outcome == "supported"
    mixed: list[Record] = [line(slow=0.5 if m.fields["cell"] == "lstm" else 1.0) for m in members]
    evidence = evidence_of(claim, TASK, members, mixed)
    assert evidence.statistic == 0.75
    assert by_rule(claim, evidence).outcome == "not supported"


def records(modes: dict[str, tuple[int, int]], seeds: int = 3) -> tuple[list, list[Record]]:
    members = population(seeds)
    return members, [line(modes[member.fields["cell"]]) for member in members]


GATED = {"ugrnn": (3, 4), "gru": (2, 2), "lstm": (3, 2)}


def several(cell: str, **fields: Any) -> OneModeOrSeveral:
    return OneModeOrSeveral(cell=cell, expected="several", **fields)


def one(cell: str = "vanilla", **fields: Any) -> OneModeOrSeveral:
    return OneModeOrSeveral(cell=cell, expected="one", **fields)


@pytest.mark.parametrize("claim", [one(), several("ugrnn"), several("gru"), several("lstm")])
def test_each_cell_has_a_verdict_of_its_own(claim: OneModeOrSeveral) -> None:
    members, found = records({"vanilla": (1, 1), **GATED})
    evidence = evidence_of(claim, TASK, members, found)
    assert evidence.statistic == evidence.effect == evidence.high == 1.0
    # Six networks against six or more: an interval is never a point.
    assert 0.6 < evidence.low < 0.9
    medians = {"vanilla": 1.0, "ugrnn": 3.5, "gru": 2.0, "lstm": 2.5}
    compared = medians if claim.expected == "one" else {"vanilla": 1.0, claim.cell: None}
    assert dict(zip(evidence.groups, evidence.values, strict=True)) == {
        cell: medians[cell] for cell in compared
    }
    assert by_rule(claim, evidence).outcome == "supported"


@pytest.mark.parametrize(
    ("claim", "modes"),
    [
        (one(), {"vanilla": (2, 2), **GATED}),
        (one(), {"vanilla": (5, 5), "ugrnn": (1, 1), "gru": (1, 1), "lstm": (1, 1)}),
        (one(), {"vanilla": (1, 1), "ugrnn": (1, 1), "gru": (1, 1), "lstm": (1, 1)}),
        (several("gru"), {"vanilla": (1, 1), **GATED, "gru": (1, 1)}),
        (several("gru"), {"vanilla": (1, 1), **GATED, "gru": (1, 2)}),
        (several("gru"), {"vanilla": (2, 2), **GATED, "gru": (2, 2)}),
    ],
)
def test_other_numbers_of_modes_do_not(
    claim: OneModeOrSeveral, modes: dict[str, tuple[int, int]]
) -> None:
    members, found = records(modes)
    evidence = evidence_of(claim, TASK, members, found)
    assert by_rule(claim, evidence).outcome == "not supported"


def test_one_cell_does_not_decide_for_another() -> None:
    members, found = records({"vanilla": (1, 1), **GATED, "lstm": (1, 1)})
    outcomes = [
        by_rule(claim, evidence_of(claim, TASK, members, found)).outcome
        for claim in (several("gru"), several("lstm"), several("ugrnn", than=("lstm",)))
    ]
    assert outcomes == ["supported", "not supported", "supported"]


def test_each_measure_counts_by_its_own_field() -> None:
    members = population(3)
    found = [
        replace(
            line((1, 1)),
            readout_share=line((3, 3)).readout_share,
            eigenvalues=np.tile([0.95, 0.9, 0.85, 0.82, 0.5, 0.1], (40, 1)),
        )
        if member.fields["cell"] == "gru"
        else replace(line((1, 1)), eigenvalues=np.tile([1.0, *5 * [0.1]], (40, 1)))
        for member in members
    ]

    def median(by: str, threshold: float | None = None) -> float:
        claim = several("gru", by=by, threshold=threshold)
        evidence = evidence_of(claim, TASK, members, found)
        return float(evidence.values[evidence.groups.index("gru")])

    assert median("mean_output") == median("state") == 1.0
    assert median("readout", 0.9) == 3.0
    assert median("slow_modes") == 4.0
    assert median("slow_modes", 0.88) == 2.0
    assert several("gru", by="slow_modes").title == "gru_several_modes_by_slow_modes"
    assert one().title == "vanilla_one_mode"


def test_a_response_that_modes_never_give_takes_more_modes_than_any() -> None:
    members, found = records({"vanilla": (0, 1), **GATED})
    evidence = evidence_of(one(), TASK, members, found)
    assert evidence.values[0] == np.inf
    assert evidence.statistic == 0.0
    assert not evidence.holds


def test_networks_without_slow_points_are_left_out() -> None:
    members, found = records({"vanilla": (1, 1), **GATED})
    for record in found[:4]:  # of six vanilla networks
        record.readout_share[:] = record.mean_error[:] = np.nan
    evidence = evidence_of(one(), TASK, members, found)
    assert evidence.networks.tolist() == [2, 6, 6, 6]
    evidence = evidence_of(one(min_networks=3), TASK, members, found)
    assert evidence.shortage == "vanilla has 2; it takes 3 of each"


def test_shuffled_cells_support_it_at_the_stated_rate() -> None:
    """Whatever the medians: the test alone, of numbers of modes that know no cell."""
    members, generator, studies = population(3), np.random.default_rng(0), 200
    claim, small = several("gru", permutations=199), 0
    pool = [line((k, k)) for k in range(1, 5)]
    for _ in range(studies):
        found = [pool[i] for i in generator.integers(0, 4, len(members))]
        small += evidence_of(claim, TASK, members, found).p < claim.alpha
    assert small <= binom.ppf(0.999, studies, 0.05)


def test_without_the_cell_or_without_others_networks_lack() -> None:
    gated = population(3, cells=("gru", "lstm"))
    found = [line()] * len(gated)
    evidence = evidence_of(one(), TASK, gated, found)
    assert evidence.shortage == "there are no networks of vanilla with slow points"
    evidence = evidence_of(several("gru"), TASK, gated, found)
    assert evidence.shortage == "there are no networks of vanilla with slow points"
    few = population(1, cells=("vanilla", "gru"))
    evidence = evidence_of(several("gru", min_networks=3), TASK, few, [line()] * 4)
    assert evidence.shortage == "vanilla has 2, gru has 2; it takes 3 of each"
    apart = [m for m in gated if (m.fields["activation"] == "tanh") == (m.fields["cell"] == "gru")]
    evidence = evidence_of(one("gru"), TASK, apart, [line()] * len(apart))
    assert (
        evidence.shortage == "no networks of another cell agree with one of gru in everything else"
    )


def test_cells_that_are_not_there_and_former_fields_are_refused() -> None:
    known = {"cell": ["vanilla", "gru"], "activation": ["tanh"]}
    assert several("gru").misfit(known) == ""
    assert several("gur").misfit(known).startswith("is about 'gur'; cells: vanilla, gru")
    assert several("gru", than=("lstm",)).misfit(known).startswith("is about 'lstm'")
    for former in ({"cells": ("vanilla",)}, {"share": 0.9}):
        with pytest.raises(SettingError, match="List one claim per cell"):
            OneModeOrSeveral(**former)


def test_training_may_raise_the_numbers_of_one_cell_and_lower_those_of_another() -> None:
    members = tuple(population(4))
    trained = np.array([1.0 if m.fields["cell"] == "vanilla" else 9.0 for m in members])

    def p_of(untrained: np.ndarray) -> float:
        (control,) = one().positive_controls(
            Measurements(
                members=members * 2,
                learnt=("trained",) * len(members) + ("untrained",) * len(members),
                values=np.r_[trained, untrained],
            )
        )
        return control.p

    assert p_of(np.full(len(members), 4.0)) < 1e-4
    assert p_of(trained) == 1.0
    generator = np.random.default_rng(0)
    # Signs that know nothing of training: p below 0.05 in one of twenty.
    small = sum(p_of(trained + generator.choice([-1.0, 1.0], 32)) < 0.05 for _ in range(200))
    assert small <= binom.ppf(0.999, 200, 0.05)


def test_claims_about_integration_leave_other_tasks_alone() -> None:
    for claim in (LineAttractorClaim(), one()):
        assert claim.applies(TASK)
        assert not claim.applies(FlipFlop())
    assert FrequencyFollows().applies(Sine())
    assert not FrequencyFollows().applies(TASK)


def oscillation(frequency: np.ndarray) -> Oscillation:
    target = np.linspace(0.01, 0.05, len(frequency))
    there, none = np.isfinite(frequency), np.full(len(frequency), np.nan)
    return Oscillation(
        cue=np.linspace(0, 1, len(frequency)),
        target=target,
        cycle_frequency=target,
        amplitude=np.ones(len(frequency)),
        radius=np.ones(len(frequency)),
        points=there.astype(int),
        state=np.zeros((len(frequency), 2)),
        offset=none,
        n_unstable=np.where(there, 2, -1),
        frequency=frequency,
        modulus=np.where(there, 1.1, np.nan),
        rank=np.where(there, 0, -1),
        turns=frequency,
        cycle=np.zeros((len(frequency), 4, 2)),
    )


def test_a_frequency_follows_if_it_correlates_where_it_is_known() -> None:
    target = np.linspace(0.01, 0.05, 21)
    claim, task = FrequencyFollows(), Sine()
    assert claim.has(oscillation(0.4 * target + 0.01), task)
    assert not claim.has(oscillation(target[::-1].copy()), task)
    noise = np.random.default_rng(0).standard_normal(21)
    assert not claim.has(oscillation(target + 0.02 * noise), task)
    gaps = np.where(np.arange(21) < 8, np.nan, target)
    assert claim.has(oscillation(gaps), task)
    assert not claim.replace(min_share=0.9).has(oscillation(gaps), task)
    assert not claim.has(oscillation(np.full(21, np.nan)), task)
    with pytest.raises(TypeError, match="must yield Oscillation for frequency_follows, got Record"):
        compute(claim, task, population(1), [Record()] * 8)


def test_a_lost_cell_that_is_not_compared_costs_no_verdict() -> None:
    members, lost = population(3, ("vanilla", "lstm")), population(3, ("gru",))
    against_vanilla = OneModeOrSeveral(cell="lstm", expected="several")
    against_all = OneModeOrSeveral(cell="lstm", expected="one")
    records = [line((1, 1) if m.fields["cell"] == "vanilla" else (3, 3)) for m in members]
    evidence = evidence_of(against_vanilla, TASK, members, records)
    for claim, shortage in ((against_vanilla, ""), (against_all, "gru has 0; it takes 2 of each")):
        compared, absent = ([m for m in each if claim.compares(m)] for each in (members, lost))
        assert with_lost_groups(evidence, compared, absent, 2).shortage == shortage
