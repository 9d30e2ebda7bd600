"""Planted differences: against loops, and as large as stated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.plants import planted_links, planted_states

from rnnstudy.comparison.distances.graphs import (
    isomorphic_distances,
    labelled_distances,
    spectral_distances,
)
from rnnstudy.comparison.distances.plants import (
    plant_in_links,
    plant_in_matrix,
    plant_in_order,
    plant_in_states,
    shuffled_positions,
)
from rnnstudy.comparison.distances.point_geometry import point_geometry_distances
from rnnstudy.metrics import CKA, DSA, SVCCA


def activity(seed, trials=6, time=15, units=8):
    generator = np.random.default_rng(seed)
    latent = generator.standard_normal((trials, time, 3)) * [3.0, 2.0, 1.0]
    noise = 0.1 * generator.standard_normal((trials, time, units))
    return latent @ generator.standard_normal((3, units)) + noise + generator.standard_normal(units)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 200))
def test_no_position_stays_and_none_is_lost(count):
    order = shuffled_positions(count)
    assert sorted(order.tolist()) == list(range(count))
    assert (order != np.arange(count)).all()


@pytest.mark.parametrize("seed", range(4))
def test_states_are_those_of_the_definition(seed):
    states = activity(seed)
    assert plant_in_states(states) == pytest.approx(planted_states(states), abs=1e-10)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_half_of_the_variance_of_the_states_comes_from_other_trials(precision):
    states = activity(5).astype(precision)
    planted = plant_in_states(states)
    assert planted.dtype == precision
    close = 1e-4 if precision is np.float32 else 1e-10
    moved = [(x - x.mean(axis=(0, 1))).reshape(-1, 8) for x in (states, planted)]
    # Each component keeps its variance: its scores only go to other trials.
    leading = np.linalg.svd(moved[0], full_matrices=False)[2]
    sizes = [((x @ leading.T) ** 2).sum(axis=0) for x in moved]
    assert sizes[1] == pytest.approx(sizes[0], rel=close)
    changed = np.abs((moved[1] - moved[0]) @ leading.T).max(axis=0) > 1e-3
    count = int(changed.sum())
    shares = np.cumsum(sizes[0]) / sizes[0].sum()
    assert changed.tolist() == [True] * count + [False] * (8 - count)
    assert shares[count - 1] >= 0.5 > (shares[count - 2] if count > 1 else 0.0)


def test_of_a_single_trial_times_are_exchanged_and_constant_states_stay():
    (states,) = activity(6, trials=1)[:, :9]
    planted = plant_in_states(states[None])[0]
    assert np.abs(planted - states).max() > 0.1
    assert np.sort(planted.sum(axis=1)) != pytest.approx(np.zeros(9))
    constant = np.full((3, 4, 2), 0.7)
    assert plant_in_states(constant) == pytest.approx(constant)
    with pytest.raises(ValueError, match=r"\[trial, time, unit\], got shape \(4, 2\)"):
        plant_in_states(constant[0])


@pytest.mark.parametrize("metric", [SVCCA(dimensions=3), CKA()], ids=["svcca", "cka"])
def test_metrics_of_states_see_the_change_and_copies_are_alike(metric):
    """Two networks are rotations of one another. So are their planted copies."""
    first = activity(7)
    rotation = np.linalg.qr(np.random.default_rng(8).standard_normal((8, 8)))[0]
    second = first @ rotation
    copies = [plant_in_states(x).reshape(-1, 8) for x in (first, second)]
    assert metric.distance(*copies) == pytest.approx(0.0, abs=1e-8)
    assert metric.distance(first.reshape(-1, 8), copies[0]) > 0.2


def test_a_metric_of_trajectories_sees_the_change():
    time = np.arange(40)
    waves = [np.stack([np.cos(w * time), np.sin(w * time)], axis=1) for w in (0.1, 0.2, 0.3, 0.4)]
    states = np.stack(waves) @ np.random.default_rng(9).standard_normal((2, 5))
    unchanged = DSA(rank=2).distance(states, states.copy())
    assert unchanged == 0.0
    assert DSA(rank=2).distance(states, plant_in_states(states)) > 1e-3


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 60))
def test_half_of_the_points_exchange_places(count):
    points = np.arange(count, dtype=float)[:, None]
    planted = plant_in_order(points)
    assert int((planted != points).sum()) == count // 2
    assert np.sort(planted[:, 0]).tolist() == points[:, 0].tolist()


def test_few_points_stay_and_missing_ones_move_along():
    one = np.ones((1, 3))
    assert plant_in_order(one).tolist() == one.tolist()
    points = np.full((8, 2), np.nan)
    points[:4] = np.arange(8.0).reshape(4, 2)
    assert np.isnan(plant_in_order(points)).sum() == 8


def test_the_geometry_of_points_sees_the_change_and_copies_are_alike():
    line = np.linspace(0.0, 1.0, 20)[:, None]
    curve = np.stack([line[:, 0], 0.3 * line[:, 0] ** 2], axis=1)
    points = [line, curve, plant_in_order(line), plant_in_order(curve)]
    values = point_geometry_distances(points, list("abcd")).values
    assert values[0, 1] == values[2, 3] == 0.0
    assert values[0, 2] > 0.5


def cube_links(bits=2):
    """Corners that lead to themselves, and edges' centres that lead to both corners."""
    import itertools

    links = {}
    for word in itertools.product((-1, 0, 1), repeat=bits):
        if word.count(0) > 1:
            continue
        for sign in (-1, 1) if 0 in word else (1,):
            end = tuple(sign if bit == 0 else bit for bit in word)
            links[(word, end), 0] = 0.5 if 0 in word else 1.0
    return links


def as_table(links):
    keys = list(links)
    labels = np.array([ends for ends, _ in keys], float).reshape(len(keys), 2, -1)
    return labels, np.array([links[key] for key in keys]), np.array([group for _, group in keys])


def test_a_graph_loses_its_lowest_word_with_its_links():
    links = cube_links(3)
    expected = planted_links(links)
    labels, weights, groups = plant_in_links(as_table(links))
    assert len(links) - len(expected) == 1 + 3
    found = {
        ((tuple(a), tuple(b)), group): weight
        for (a, b), weight, group in zip(labels.tolist(), weights, groups, strict=True)
    }
    assert found == expected


def test_distances_of_graphs_see_the_change():
    whole = as_table(cube_links(2))
    planted = plant_in_links(whole)
    # One stable point of weight 1, and two links of weight one half.
    expected = np.sqrt(1.0 + 2 * 0.5**2)
    for compare in (labelled_distances, isomorphic_distances):
        values = compare([whole, planted, planted], ["a", "b", "c"]).values
        assert values[0, 1] == pytest.approx(expected)
        assert values[1, 2] == 0.0


def test_graphs_without_links_stay_and_are_compared():
    nothing = (np.zeros((0, 2, 2)), np.zeros(0), np.zeros(0))
    assert plant_in_links(nothing) is nothing
    one = (np.ones((1, 2, 2)), np.ones(1), np.zeros(1))
    assert [len(part) for part in plant_in_links(one)] == [0, 0, 0]
    for compare in (labelled_distances, isomorphic_distances):
        assert compare([nothing, plant_in_links(one), one], list("abc")).values[0].tolist() == [
            0.0, 0.0, 1.0,
        ]  # fmt: skip
    assert plant_in_matrix(np.zeros((0, 0))).shape == (0, 0)
    assert plant_in_matrix(np.zeros((2, 2))).shape == (2, 2)
    empty = [np.zeros((0, 0)), plant_in_matrix(np.ones((1, 1))), np.ones((1, 1))]
    assert spectral_distances(empty, list("abc")).values[0].tolist() == [0.0, 0.0, 1.0]


def test_a_matrix_of_several_conditions_loses_a_row_of_each():
    weights = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.0, 1.0]])
    assert plant_in_matrix(weights).tolist() == [[0.8], [1.0]]
