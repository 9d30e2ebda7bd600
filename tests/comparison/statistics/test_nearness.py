"""Nearer to one kind of others than to another: worked by hand, against loops, and by chance."""

import numpy as np
import pytest
from scipy.stats import binom, t

from rnnstudy.comparison.statistics.nearness import Nearness, nearness_test

SIMULATIONS = 300
LIMIT = int(binom.ppf(0.999, SIMULATIONS, 0.05))


def test_worked_by_hand():
    # Items 0 and 1; others: two of the first kind, one of the second.
    distances = np.array([[1.0, 3.0, 6.0], [4.0, 2.0, 1.0]])
    first = np.array([[True, True, False]] * 2)
    found = nearness_test(
        distances, first, ~first, (np.arange(2), np.arange(2, 5)), np.zeros(5, int)
    )
    # Means 2 and 6, and 3 and 1: (6 - 2) / 8 = 1/2 and (1 - 3) / 4 = -1/2.
    assert found.first.tolist() == [2.0, 3.0]
    assert found.second.tolist() == [6.0, 1.0]
    assert found.statistic == 0.0
    assert found.share == 0.5
    # Without network 0: -1/2; without 1: 1/2; without 2: (6-3)/9 = 1/3 and (1-2)/3 = -1/3; without
    # 3: (6-1)/7 and (1-4)/5; without 4, the only one of its kind, nothing changes.
    left_out = np.array([-0.5, 0.5, 0.0, (5 / 7 - 3 / 5) / 2, 0.0])
    error = np.sqrt(4 / 5 * ((left_out - left_out.mean()) ** 2).sum())
    assert found.high == pytest.approx(error * t.ppf(0.975, 4))
    assert found.low == pytest.approx(-found.high)
    assert found.p == pytest.approx(1.0)


def population(seed, groups=4, size=3, dimension=4, **centres):
    """Trained points and their untrained twins; even groups have another partner group."""
    generator = np.random.default_rng(seed)
    networks = groups * size
    points = generator.standard_normal((2 * networks, dimension))
    group = np.repeat(np.arange(groups), size)
    for name, shift in centres.items():
        here = {"odd": group % 2 == 1, "even": group % 2 == 0}.get(name)
        place = np.zeros(2 * networks, bool)
        if here is None:
            place[networks:] = True
        else:
            place[:] = np.tile(here, 2)
        points[place, : len(shift)] += shift
    distances = np.sqrt(((points[:networks, None] - points) ** 2).sum(axis=-1))
    network, both = np.tile(np.arange(networks), 2), np.tile(group, 2)
    trained = np.arange(2 * networks) < networks
    own = (group[:, None] == both) & ~trained & (network[:networks, None] != network)
    another = (group[:, None] // 2 == both // 2) & (group[:, None] != both) & trained
    return distances, own, another, (network[:networks], network), group


def test_each_network_is_left_out_whole():
    distances, own, another, (items, others), codes = population(7)
    found = nearness_test(distances, own, another, (items, others), codes)

    def statistic(gone):
        scores = []
        for i in items[items != gone]:
            a = distances[i, own[i] & (others != gone)].mean()
            b = distances[i, another[i] & (others != gone)].mean()
            scores.append((b - a) / (b + a))
        return np.mean(scores)

    left_out = np.array([statistic(network) for network in range(len(codes))])
    variance = 0.0
    for group in np.unique(codes):
        values = left_out[codes == group]
        # Jones (1974): each stratum by itself, a mean of strata of fixed weights.
        moved = 3 / 12 * 11 / 2 * (values - values.mean())
        variance += 2 / 3 * (moved**2).sum()
    assert found.statistic == pytest.approx(statistic(-1))
    half = np.sqrt(variance) * t.ppf(0.975, 12 - 4)
    assert found.high - found.statistic == pytest.approx(half)
    assert found.p == pytest.approx(2 * t.sf(abs(found.statistic) / np.sqrt(variance), 8))


def test_what_is_nearer_has_the_sign_of_it():
    near = nearness_test(*population(1, odd=[4.0]))
    far = nearness_test(*population(1, untrained=[4.0]))
    assert near.statistic > 0 > far.statistic
    assert near.low > 0 > far.high
    assert near.p < 0.05
    assert far.p < 0.05
    assert (near.share, far.share) == (1.0, 0.0)


# Twins as far from the trained as the other group is, or nothing apart at all.
@pytest.mark.parametrize("centres", [{}, {"odd": [3.0], "untrained": [0.0, 3.0]}])
def test_kinds_that_are_equally_near_are_told_apart_at_the_stated_rate(centres):
    found = [nearness_test(*population(seed, **centres)) for seed in range(SIMULATIONS)]
    assert sum(each.p < 0.05 for each in found) <= LIMIT
    covered = sum(each.low <= 0 <= each.high for each in found)
    assert covered >= SIMULATIONS - LIMIT


def test_without_distances_nothing_is_nearer():
    distances, *rest = population(0)
    found = nearness_test(np.zeros_like(distances), *rest)
    assert isinstance(found, Nearness)
    assert (found.statistic, found.p, found.share) == (0.0, 1.0, 0.0)


def test_an_item_without_others_is_named():
    distances, own, another, networks, codes = population(0)
    own[4] = False
    with pytest.raises(ValueError, match="got item 4 without one of the first kind"):
        nearness_test(distances, own, another, networks, codes)
    with pytest.raises(ValueError, match="got item 4 without one of the second kind"):
        nearness_test(distances, another, own, networks, codes)
