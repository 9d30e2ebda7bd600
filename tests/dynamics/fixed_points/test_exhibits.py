"""A picture of fixed points has all of them, where they are, with their unstable directions."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from reference.dynamics import population

import rnnstudy
from rnnstudy.cells.vanilla import Vanilla
from rnnstudy.core.exhibit import Space2D, Space3D


def memory(*gains):
    """h' = tanh(gain h) in each unit: of a gain above 1, two stable points and one between."""
    recurrent = np.diag(np.asarray(gains, float))
    networks = population(Vanilla(units=len(gains)), [{"recurrent_kernel": recurrent}])
    starts = np.random.default_rng(0).uniform(-1, 1, (200, len(gains)))
    return rnnstudy.find_fixed_points(networks, starts=starts)


@pytest.fixture(scope="module")
def square():
    return memory(2.0, 1.5, 0.5)


def trajectories(seed=0, width=3):
    # Its variance falls from unit to unit, so that the components are the units.
    scale = np.array([4.0, 2.0, 1.0])[:width]
    return scale * np.random.default_rng(seed).uniform(-1, 1, (300, 2, width))


def test_points_stand_where_they_are(square):
    (space,) = square.exhibits(dimensions=2)
    assert isinstance(space, Space2D)
    assert sorted(space.point_groups) == ["0"] * 4 + ["1"] * 4 + ["2"]
    # Distances survive, since the nine points lie in a plane.
    own = np.linalg.norm(square.state[:, None] - square.state, axis=-1)
    drawn = np.linalg.norm(space.points[:, None] - space.points, axis=-1)
    np.testing.assert_allclose(drawn, own, atol=1e-9)


def test_directions_are_the_unstable_modes(square):
    path = trajectories()
    (space,) = square.exhibits(trajectories=path, dimensions=3)
    assert isinstance(space, Space3D)
    assert len(space.lines) == 300
    assert len(space.directions) == square.n_unstable.sum() == 4 + 2
    centre, axes = path.reshape(-1, 3).mean(axis=0), np.linalg.svd(
        path.reshape(-1, 3) - path.reshape(-1, 3).mean(axis=0), full_matrices=False
    )[2]  # fmt: skip
    np.testing.assert_allclose(space.points, (square.state - centre) @ axes.T, atol=1e-12)
    saddle = int(np.flatnonzero(square.n_unstable == 1)[0])
    line = (space.directions[0] @ axes + centre) - square.state[saddle]
    unit = int(np.argmin(np.abs(square.state[saddle, :2])))  # at 0 in the unit that decides
    np.testing.assert_allclose(np.delete(line, unit, axis=1), 0, atol=1e-9)
    np.testing.assert_allclose(line.sum(axis=0), 0, atol=1e-9)


def test_an_oscillation_is_drawn_as_its_plane():
    angle, gain = 0.7, 1.3
    turn = gain * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    networks = population(Vanilla(units=2), [{"recurrent_kernel": turn}])
    points = rnnstudy.find_fixed_points(networks, starts=np.zeros((1, 2)))
    (space,) = points.exhibits(trajectories=trajectories(width=2), dimensions=2)
    assert points.n_unstable.tolist() == [2]
    spans = np.array([line[1] - line[0] for line in space.directions])
    assert np.linalg.matrix_rank(spans, tol=1e-6) == 2


def test_fewer_units_than_dimensions_are_drawn_flat():
    (space,) = memory(2.0).exhibits()
    assert space.points.shape == (3, 3)
    np.testing.assert_array_equal(space.points[:, 1:], 0)


def test_the_first_part_of_the_state_will_do(square):
    (space,) = square.exhibits(trajectories=trajectories(width=2)[0], dimensions=2)
    assert len(space.lines) == 1
    assert space.points.shape == (9, 2)


def test_nothing_found_is_an_empty_picture(square):
    (space,) = square[[]].exhibits()
    assert (len(space.points), len(space.directions)) == (0, 0)
    assert isinstance(rnnstudy.plot(square[[]]), Figure)


def test_several_networks_are_panels(square):
    both = square + memory(2.0, 0.5, 0.5)
    (panels,) = both.exhibits()
    assert [len(part.points) for part in panels.exhibits] == [9, 3]
    with pytest.raises(ValueError, match=r"must be of one network, got points of 2 networks"):
        both.exhibits(trajectories=trajectories())


def test_plot_draws_on_paper_and_on_screen(square):
    figure = rnnstudy.plot(square, trajectories=trajectories())
    assert figure.axes[0].name == "3d"
    axes = Figure().add_subplot()
    rnnstudy.plot(square, axes)
    assert axes.name == "rectilinear"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0", "1", "2"]
    found = json.loads(rnnstudy.plot(square, interactive=True).to_json())
    assert [trace["name"] for trace in found["data"]] == ["directions", "0", "1", "2"]
    assert {trace["type"] for trace in found["data"]} == {"scatter3d"}
    flat = json.loads(rnnstudy.plot(square, dimensions=2, interactive=True).to_json())
    assert {trace["type"] for trace in flat["data"]} == {"scatter"}


@pytest.mark.parametrize(
    ("view", "complaint"),
    [
        ({"dimensions": 4}, "dimensions must be 2 or 3, got 4"),
        ({"trajectories": np.zeros((2, 3, 4))}, r"states of length 3 .*got shape \(2, 3, 4\)"),
        ({"trajectories": np.zeros(3)}, r"trial, time, state.*got shape \(3,\)"),
        ({"colour": "red"}, "must be trajectories, dimensions, got 'colour'"),
    ],
)
def test_what_cannot_be_drawn_is_said(square, view, complaint):
    with pytest.raises(ValueError, match=complaint):
        rnnstudy.plot(square, **view)
