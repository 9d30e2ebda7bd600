"""The caution about untrained networks: planted either way, by chance, with too few networks."""

import numpy as np
import pytest
from claims.populations import by_rule, controlled, population
from scipy.stats import binom
from task_inputs import evidence_of

from rnnstudy.analyses.distances.controls import ControlDistances
from rnnstudy.claims import Evidence
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
    assert evidence.values.tolist() == [1.0, 1.0]


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
    assert evidence.statistic < 0.5
    assert not evidence.holds


def test_too_few_networks_are_no_evidence() -> None:
    verdict = by_rule(CLAIM, weighed(controlled(population(1), 0)))
    assert verdict.outcome == "not enough networks"
    assert verdict.reason.startswith("some network must have others of its kind (untrained)")
    only = [m for m in population(3) if m.fields["activation"] == "tanh"]
    verdict = by_rule(CLAIM, weighed(controlled(only, 0)))
    assert (verdict.outcome, verdict.reason) == (
        "not enough networks",
        "only tanh; it takes 2 groups",
    )


def test_what_is_no_controls_is_refused() -> None:
    with pytest.raises(TypeError, match="must yield ControlDistances for svcca_controls_nearer"):
        weighed(Distances(("a",), np.zeros((1, 1))))
