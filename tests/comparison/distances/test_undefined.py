"""Items without distances: who is left out, and that all distances of the others are numbers."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.comparison.distances.undefined import undefined_items


def matrix(count, pairs, value=np.nan):
    values = np.ones((count, count)) - np.eye(count)
    for i, j in pairs:
        values[i, j] = values[j, i] = value
    return values


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_item_with_the_most_undefined_distances_is_left_out(value):
    assert undefined_items(matrix(4, [(1, 0), (1, 2), (1, 3)], value)) == {1: 3}


def test_of_equals_the_last_is_left_out():
    assert undefined_items(matrix(3, [(0, 2)])) == {2: 1}


def test_one_side_of_a_pair_is_enough():
    values = matrix(3, [])
    values[2, 0] = np.nan
    assert undefined_items(values) == {2: 1}


def test_controls_change_nothing_among_the_others():
    """Control 3 is undefined with all, control 4 with item 0 alone; of 0 and 1 the latter goes."""
    values = matrix(5, [(0, 1), (3, 0), (3, 1), (3, 2), (4, 0)])
    alone = undefined_items(values[:3, :3])
    assert alone == {1: 1}
    assert undefined_items(values, [False] * 3 + [True] * 2) == {1: 1, 3: 2, 4: 1}


def test_defined_distances_leave_nobody_out():
    assert undefined_items(matrix(3, [])) == undefined_items(np.zeros((0, 0))) == {}


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.sampled_from(list(combinations(range(6), 2)))),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_all_distances_of_the_others_are_numbers(pairs, is_control):
    values = matrix(6, pairs)
    left_out = undefined_items(values, is_control)
    rest = [i for i in range(6) if i not in left_out]
    assert np.isfinite(values[np.ix_(rest, rest)]).all()
    touched = {i for pair in pairs for i in pair}
    assert set(left_out) <= touched
    first = [i for i in range(6) if not is_control[i]]
    alone = undefined_items(values[np.ix_(first, first)])
    assert {first[k] for k in alone} == {i for i in left_out if not is_control[i]}


def test_an_item_has_distances_or_is_left_out():
    with pytest.raises(ValueError, match="left_out must name no item with distances, got 'a'"):
        Distances(("a",), np.zeros((1, 1)), {"a": "no reason"})
