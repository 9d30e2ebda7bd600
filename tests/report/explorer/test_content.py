"""Contents of the data files, against distances, axes and graphs that are known exactly."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnstudy.analyses.distances.representations import Activity
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.comparison.distances.embedding import classical_mds
from rnnstudy.comparison.distances.pairs import Distances
from rnnstudy.dynamics.connections.record import Connections
from rnnstudy.dynamics.fixed_points.continua_record import Continua
from rnnstudy.dynamics.fixed_points.record import CONSISTENT, FixedPoints, SlowPoints
from rnnstudy.population.population import Population
from rnnstudy.report.explorer.matrices import (
    NetworkDistances,
    clustered_order,
    matrix_content,
    nearest_networks,
    network_distances,
)
from rnnstudy.report.explorer.network import graph_content, python_lines
from rnnstudy.report.explorer.overview import map_content, scaled_map
from rnnstudy.report.explorer.single_file import spread
from rnnstudy.report.explorer.state_space import MOST_POINTS, shown_trials, space_content

LINE = np.array([0.0, 9.0, 0.5, 9.75, 1.5])
"""Places on a line in two clusters."""


def on_a_line() -> np.ndarray:
    return np.abs(LINE[:, None] - LINE)


def test_controls_are_no_rows_of_a_matrix_of_networks() -> None:
    labels = ("a", "a untrained", "b")
    distances = Distances(labels, np.array([[0.0, 5, 1], [5, 0, 2], [1, 2, 0]]))
    matrix = network_distances("cka", "memory", distances, {"b": 7, "a": 3})
    assert matrix.items.tolist() == [3, 7]
    assert matrix.values.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_a_matrix_is_stored_above_the_diagonal_row_by_row() -> None:
    matrix = NetworkDistances("cka", "memory", np.arange(5), on_a_line())
    upper = matrix_content(matrix)["upper"].values
    assert upper.tolist() == [on_a_line()[i, j] for i in range(5) for j in range(i + 1, 5)]


def test_clusters_are_side_by_side() -> None:
    order = clustered_order(on_a_line()).tolist()
    near, far = ([order.index(i) for i in cluster] for cluster in ([0, 2, 4], [1, 3]))
    assert (max(near) - min(near), max(far) - min(far)) == (2, 1)
    # Within the cluster of three, the two nearest are neighbours.
    assert abs(order.index(0) - order.index(2)) == 1
    assert clustered_order(np.zeros((2, 2))).tolist() == [0, 1]


def test_nearest_networks_come_in_the_order_of_their_distances() -> None:
    items = np.array([10, 11, 12, 13, 14])
    found = nearest_networks(NetworkDistances("cka", "memory", items, on_a_line()))
    assert found[10]["network"].tolist() == [12, 14, 11, 13]
    assert found[10]["distance"].tolist() == [0.5, 1.5, 9.0, 9.75]
    assert found[13]["network"].tolist()[0] == 11


def test_equal_networks_are_neighbours_and_none_is_its_own() -> None:
    found = nearest_networks(NetworkDistances("cka", "memory", np.arange(3), np.zeros((3, 3))))
    assert {i: near["network"].tolist() for i, near in found.items()} == {
        0: [1, 2], 1: [0, 2], 2: [0, 1],
    }  # fmt: skip


def test_distances_without_a_map_get_their_exact_one() -> None:
    square = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    values = np.linalg.norm(square[:, None] - square, axis=-1)
    found = scaled_map(NetworkDistances("cka", "m", np.array([0, 1, 2]), values), list("abc"))
    assert found is not None
    points = found["points"]
    back = np.linalg.norm(points[:, None] - points, axis=-1)
    np.testing.assert_allclose(back, values, atol=1e-9)
    assert (
        scaled_map(NetworkDistances("cka", "m", np.arange(2), values[:2, :2]), list("ab")) is None
    )


def test_a_map_counts_the_controls_that_it_leaves_out() -> None:
    labels = ("a", "b", "c", "a planted")
    record = classical_mds(Distances(labels, 1.0 - np.eye(4)))
    found = map_content("cka", "m", record, {"a": 0, "b": 1, "c": 2})
    assert found is not None
    assert (found["items"].tolist(), found["others"]) == ([0, 1, 2], 1)
    np.testing.assert_array_equal(found["points"], record.points[:3, :2])


def network() -> Population:
    """One vanilla network of 3 units, whose visible state is its state."""
    return Population(
        cell=Vanilla(units=3),
        weights={"kernel": np.zeros((1, 1, 3)), "recurrent_kernel": np.zeros((1, 3, 3)),
                 "bias": np.zeros((1, 3))},
        readout={"kernel": np.zeros((1, 3, 1)), "bias": np.zeros((1, 1))},
        initial_state=np.zeros((1, 3)),
    )  # fmt: skip


def points(jacobian: np.ndarray, state: np.ndarray, n_unstable: np.ndarray) -> FixedPoints:
    count, none, one = len(state), np.zeros(len(state), int), np.zeros(1, int)
    values = np.linalg.eigvals(jacobian)
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    return FixedPoints(
        slow=SlowPoints.none(3, 1), continua=Continua.none(3, 1), state=state,
        inputs=np.zeros((count, 1)), speed=np.zeros(count), jacobian=jacobian,
        eigenvalues=np.take_along_axis(values, order, axis=1).astype(complex),
        n_unstable=n_unstable, index=np.ones(count, int), member=none, input_index=none,
        n_starts=np.ones(count, int), outcome=none, start_member=none, start_input=none,
        searches={"member": one, "input_index": one, "degenerate": one,
                  "verdict": np.array([CONSISTENT])},
    )  # fmt: skip


def activity(states: np.ndarray) -> Activity:
    nothing = np.zeros((*states.shape[:2], 1))
    return Activity(inputs=nothing, targets=nothing, outputs=nothing, states=states)


AXES = np.array([[4.0, 0, 0], [-4, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 1], [0, 0, -1]])
"""States whose principal components are the units in their order."""


def test_unstable_directions_run_through_their_points() -> None:
    jacobian = np.array([np.diag([0.5, 1.5, 0.2]), np.diag([0.5, 0.4, 0.3])])
    at = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    shown = space_content(
        network(), activity(AXES[None]), points(jacobian, at, np.array([1, 0])), np.array([0]), 1
    )
    found = shown["points"]
    assert found["direction_point"].tolist() == [0]
    first, last = found["direction"][0]
    np.testing.assert_allclose((first + last) / 2, found["position"][0], atol=1e-7)
    # The second unit is the second component, and the line has 8 % of the extent to either side.
    line = np.abs(last - first)
    np.testing.assert_allclose(line, [0.0, 2 * 0.08 * 8.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(np.abs(found["position"][0]), [1.0, 2.0, 3.0], atol=1e-12)
    np.testing.assert_allclose(shown["explained"], [16 / 21, 4 / 21, 1 / 21], atol=1e-4)
    assert found["certificate"] == [{"input": 0, "verdict": "consistent"}]


def test_a_growing_spiral_has_two_directions() -> None:
    spiral = 1.2 * np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.1]])
    shown = space_content(
        network(), activity(AXES[None]), points(spiral[None], np.zeros((1, 3)), np.array([2])),
        np.array([0]), 1,
    )["points"]  # fmt: skip
    assert shown["direction_point"].tolist() == [0, 0]
    across = np.ptp(shown["direction"], axis=1)
    assert np.abs(across[:, 2]).max() < 1e-9
    assert np.linalg.matrix_rank(np.diff(shown["direction"], axis=1)[:, 0, :2]) == 2


def test_the_number_of_points_is_limited_and_named() -> None:
    many = MOST_POINTS + 3
    jacobian = np.repeat(np.diag([0.5, 0.4, 0.3])[None], many, axis=0)
    record = points(jacobian, np.zeros((many, 3)), np.zeros(many, int))
    shown = space_content(network(), activity(AXES[None]), record, np.array([0]), 1)["points"]
    assert (shown["count"], len(shown["position"]), len(shown["kind"])) == (many, 200, 200)


def test_states_that_do_not_move_have_a_picture() -> None:
    still = space_content(network(), activity(np.ones((2, 4, 3))), None, np.array([0, 1]), 1)
    assert still["explained"] == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(still["lines"].values, 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("count", "length", "expected", "step"),
    [(32, 60, 8, 1), (32, 500, 4, 1), (3, 60, 3, 1), (32, 5000, 1, 3), (1, 1, 1, 1)],
)
def test_shown_states_keep_to_their_number(
    count: int, length: int, expected: int, step: int
) -> None:
    trials, found = shown_trials(count, length, samples=2000, most=8)
    assert (len(trials), found) == (expected, step)
    assert len(trials) * -(-length // found) <= 2000
    assert trials.tolist() == sorted(set(trials.tolist()))
    assert trials.max() < count


def graph() -> Connections:
    """A saddle between two stable points of one bit."""
    none = np.zeros(3, int)
    return Connections(
        state=np.zeros((3, 3)), outputs=np.array([[1.0], [-1.0], [0.0]]),
        n_unstable=np.array([0, 0, 1]), member=none, input_index=none,
        source=np.array([2, 2]), target=np.array([0, 1]), outcome=np.zeros(2, int),
        steps=np.ones(2, int), has_labels=True,
    )  # fmt: skip


def test_a_graph_has_words_places_and_shares() -> None:
    found: Any = graph_content(graph())
    assert found["word"] == ["+", "-", "0"]
    edges = zip(found["source"], found["target"], found["share"], strict=True)
    assert list(edges) == [(2, 0, 0.5), (2, 1, 0.5)]
    np.testing.assert_allclose(found["position"][2], found["position"][:2].mean(axis=0))
    unlabelled: Any = graph_content(replace(graph(), has_labels=False))
    assert "word" not in unlabelled


def test_python_lines_name_the_network_as_it_is() -> None:
    lines = python_lines("it's", None, True)
    assert lines[-1] == 'model = run.model("it\'s")'
    compile("\n".join(lines), "lines", "exec")


def test_the_first_networks_of_a_page_are_spread_over_all() -> None:
    names = [f"networks/{i}" for i in range(100)]
    order = [int(name.rpartition("/")[2]) for name in spread(names)]
    assert sorted(order) == list(range(100))
    # Eight of a hundred: at most a quarter of the study lies between two of them.
    assert np.diff(sorted([*order[:8], 99])).max() <= 25
