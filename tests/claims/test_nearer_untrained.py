"""The caution about untrained networks: planted either way, by chance, with too few networks."""

from dataclasses import replace

import numpy as np
import pytest
from claims.populations import by_rule, controlled, population
from scipy.stats import binom
from task_inputs import evidence_of

from rnnstudy.analyses.base import Inputs
from rnnstudy.analyses.distances.controls import ControlDistances
from rnnstudy.analyses.factors.reference_groups import nearness_to_controls
from rnnstudy.claims import Evidence
from rnnstudy.claims.evidence.measurements import measurements_of
from rnnstudy.claims.nearer_untrained import NearerUntrained
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.core.record import Record
from rnnstudy.tasks.flip_flop import FlipFlop

CLAIM = NearerUntrained(of="svcca_controls")
SIMULATIONS = 300
LIMIT = int(binom.ppf(0.999, SIMULATIONS, 0.05))


def weighed(found: Record, claim: NearerUntrained = CLAIM) -> Evidence:
    return evidence_of(claim, FlipFlop(), population(3), found)


def word(evidence: Evidence) -> str:
    return by_rule(CLAIM, evidence).outcome


def test_it_is_supported_where_activations_lie_farther_apart_than_training_moves() -> None:
    evidence = weighed(controlled(population(3), 1, activation=6.0, training=1.0))
    assert word(evidence) == "supported"
    assert 0 < evidence.low < evidence.effect < evidence.high <= 1
    assert evidence.statistic == 1.0
    assert evidence.groups == ("tanh", "relu")
    assert evidence.networks.tolist() == [12, 12]
    assert evidence.values.tolist() == evidence.parts.effect.tolist()
    assert evidence.effect in evidence.values
    assert by_rule(CLAIM, evidence).reason == "supported for tanh, relu"


def test_it_is_not_where_training_moves_farther() -> None:
    evidence = weighed(controlled(population(3), 1, activation=1.0, training=6.0))
    assert word(evidence) == "not supported"
    assert evidence.high < 0
    assert evidence.p > 0.99
    assert evidence.statistic == 0.0


def test_another_factor_can_be_asked_about() -> None:
    claim = NearerUntrained(of="cka_controls", factor="cell")
    evidence = weighed(controlled(population(3), 2, cell=9.0), claim)
    assert evidence.groups == ("vanilla", "ugrnn", "gru", "lstm")
    assert word(evidence) == "supported"
    assert claim.misfit({"cell": "gru"}) == ""
    assert "is about 'cell'; fields of this grid: units" in claim.misfit({"units": 3})


def test_networks_of_other_tasks_make_no_difference() -> None:
    found = controlled(population(3), 3, activation=1.0)
    own = found.only([i for i, learnt in enumerate(found.learnt) if learnt != "trained on other"])
    assert weighed(own).effect == weighed(found).effect
    assert weighed(own).p == weighed(found).p


# Nothing lies apart, or the untrained lie just as far away as the other activation.
@pytest.mark.parametrize("apart", [0.0, 3.0])
def test_equally_near_others_are_supported_at_the_stated_rate(apart: float) -> None:
    words = []
    for seed in range(SIMULATIONS):
        found = controlled(population(3), seed, activation=apart, training=apart, guests=False)
        words.append(word(weighed(found)))
    assert set(words) <= {"supported", "not supported"}
    assert words.count("supported") <= LIMIT


def test_a_few_networks_far_away_do_not_make_it_hold() -> None:
    """Most networks are nearer to the other activation; what counts is most of them, too."""
    members = population(3)
    found = controlled(members, 4, training=2.0, guests=False)
    values = found.values.copy()
    far = [i for i, name in enumerate(found.labels[: len(members)]) if name.startswith("lstm")]
    relu = [i for i in far if found.fields[i]["activation"] == "relu"]
    tanh = [i for i in far if found.fields[i]["activation"] == "tanh"]
    values[np.ix_(relu, tanh)] = 1e6
    values[np.ix_(tanh, relu)] = 1e6
    moved = ControlDistances(
        labels=found.labels, values=values, learnt=found.learnt, fields=found.fields
    )
    evidence = weighed(moved)
    assert evidence.effect > 0
    assert evidence.statistic <= 0.5
    assert not evidence.holds


def test_too_few_networks_are_no_evidence() -> None:
    verdict = by_rule(CLAIM, weighed(controlled(population(1), 0)))
    assert verdict.outcome == "not enough networks"
    assert verdict.reason == (
        "no activation has networks with untrained ones of their kind (untrained) and trained ones "
        "of another activation"
    )
    only = [m for m in population(3) if m.fields["activation"] == "tanh"]
    verdict = by_rule(CLAIM, weighed(controlled(only, 0)))
    assert (verdict.outcome, verdict.reason) == (
        "not enough networks",
        "only tanh; it takes 2 groups",
    )


def one_level_near(seed: int, seeds: int = 6) -> ControlDistances:
    """Untrained tanh networks lie at the trained ones, untrained relu networks far from them."""
    found = controlled(population(seeds), seed, activation=4.0, guests=False)
    untrained = np.array([each == "untrained" for each in found.learnt])
    relu = np.array([fields["activation"] == "relu" for fields in found.fields])
    values = found.values.copy()
    values[np.ix_(untrained & relu, ~untrained)] += 20.0
    values[np.ix_(~untrained, untrained & relu)] += 20.0
    return replace(found, values=values)


def test_the_level_where_it_is_so_is_named() -> None:
    found = one_level_near(1)
    evidence = weighed(found)
    verdict = by_rule(CLAIM, evidence)
    assert (verdict.outcome, verdict.reason) == ("supported", "supported for tanh")
    assert [(part.name, part.outcome) for part in verdict.parts] == [
        ("tanh", "supported"),
        ("relu", "not supported"),
    ]
    assert evidence.effect == evidence.parts.effect[0] > 0.0 > evidence.parts.effect[1]
    # p of the claim is that of the level, corrected over both.
    assert evidence.p == 2 * evidence.parts.p[0]
    # The mean over levels says the opposite.
    assert nearness_to_controls(found, "untrained", "activation")[0].high < 0.0


def test_equal_contrasts_have_the_p_of_a_sign_test() -> None:
    """A distance of 0 to untrained networks and 1 to trained ones has no error at all."""
    found = controlled(population(3), 0, guests=False)
    trained = np.array([each == "trained" for each in found.learnt])
    values = (trained[:, None] & trained).astype(float)
    np.fill_diagonal(values, 0.0)
    evidence = weighed(replace(found, values=values))
    assert evidence.parts.p.tolist() == [0.5**12, 0.5**12]
    assert weighed(replace(found, values=np.zeros_like(values))).parts.holds.tolist() == [0, 0]


def test_networks_from_standard_initialisers_are_another_claim() -> None:
    claim = NearerUntrained(of="svcca_controls", weights="standard")
    assert claim.title == "svcca_controls_nearer_standard_than_another_activation"
    assert "untrained networks, from standard initialisers, of" in claim.statement(FlipFlop())
    found = one_level_near(2)
    renamed = replace(
        found,
        learnt=tuple(each.replace("untrained", "standard") for each in found.learnt),
        labels=tuple(each.replace("untrained", "standard") for each in found.labels),
    )
    assert weighed(renamed, claim).parts.effect.tolist() == weighed(found).parts.effect.tolist()
    shortage = weighed(renamed).shortage
    assert shortage.startswith("no activation has networks with untrained ones of their kind")


def test_distances_without_controls_get_them_from_the_study() -> None:
    claim, members = NearerUntrained(of="svcca"), population(6)
    found = one_level_near(3)
    plain = Distances(tuple(m.name for m in members), found.among(found.at("trained")))
    assert claim.control_weights() == ("untrained",)
    inputs = Inputs(members, svcca=plain, control_distances={"svcca": found})
    evidence = claim.test(claim.measure(FlipFlop(), inputs))
    assert evidence.parts.effect.tolist() == weighed(found).parts.effect.tolist()
    with pytest.raises(
        ValueError, match="the distances of 'svcca' must have untrained networks, got none"
    ):
        claim.measure(FlipFlop(), Inputs(members, svcca=plain))


def test_shuffled_labels_are_supported_at_the_stated_rate() -> None:
    """Trained and untrained networks of both activations are exchanged within each cell."""
    measurements = measurements_of(one_level_near(4, seeds=3))
    generator, words = np.random.default_rng(0), []
    for _ in range(SIMULATIONS):
        changed = CLAIM.shuffle(measurements, generator)
        assert sorted(changed.learnt) == sorted(measurements.learnt)
        words.append(word(CLAIM.test(changed)))
    assert words.count("supported") <= LIMIT


def test_what_is_no_distances_is_refused() -> None:
    with pytest.raises(TypeError, match="must yield Distances for svcca_controls_nearer"):
        CLAIM.compute(FlipFlop(), Inputs([], svcca_controls=Record()))
