"""Nearness to controls for each level of a factor: against loops, and where one level hides."""

import numpy as np
import pytest
from claims.populations import controlled, population
from reference.nearness import nearness_of
from scipy.stats import t

from rnnstudy.analyses.distances.controls import ControlDistances
from rnnstudy.analyses.factors.reference_groups import nearness_to_controls


@pytest.mark.parametrize("level", ["tanh", "relu"])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_the_mean_over_the_networks_of_the_level(level, seed):
    found = controlled(population(3), seed, activation=2.0, training=1.0)
    near, positions = nearness_to_controls(found, "untrained", "activation", level)
    networks = [
        (name, fields["cell"], fields["activation"], learnt)
        for name, fields, learnt in zip(found.networks, found.fields, found.learnt, strict=True)
    ]
    statistic, error, freedom, share = nearness_of(networks, lambda i, j: found.values[i, j], level)
    assert {found.fields[i]["activation"] for i in positions} == {level}
    assert near.statistic == pytest.approx(statistic)
    assert near.share == share
    assert near.high - near.statistic == pytest.approx(error * t.ppf(0.975, freedom))


def one_level_near(members, seed):
    """Untrained tanh networks lie at the trained ones, untrained relu networks far from them."""
    found = controlled(members, seed, activation=4.0, guests=False)
    values = found.values.copy()
    untrained = np.array([each == "untrained" for each in found.learnt])
    relu = np.array([fields["activation"] == "relu" for fields in found.fields])
    values[np.ix_(untrained & relu, ~untrained)] += 20.0
    values[np.ix_(~untrained, untrained & relu)] += 20.0
    return ControlDistances(
        labels=found.labels, values=values, learnt=found.learnt, fields=found.fields
    )


def test_a_mean_over_levels_hides_the_one_where_it_is_so():
    found = one_level_near(population(6), 2)
    together = nearness_to_controls(found, "untrained", "activation")[0]
    tanh, relu = (
        nearness_to_controls(found, "untrained", "activation", level)[0]
        for level in ("tanh", "relu")
    )
    assert together.statistic < 0.0
    assert (tanh.statistic > 0.2, tanh.p < 1e-6, tanh.share) == (True, True, 1.0)
    assert (relu.statistic < -0.2, relu.share) == (True, 0.0)


def test_a_level_without_networks_is_named():
    found = controlled(population(3), 3)
    with pytest.raises(ValueError, match="some sin network must have others of its kind"):
        nearness_to_controls(found, "untrained", "activation", "sin")
