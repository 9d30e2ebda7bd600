"""Principal components of states against what they are by definition."""

import numpy as np

from rnnstudy.dynamics.states.projection import principal_axes, principal_components

GENERATOR = np.random.default_rng(0)


def test_coordinates_are_uncorrelated_and_keep_all_distances():
    states = GENERATOR.standard_normal((200, 3)) @ np.diag([3.0, 2.0, 1.0]) + 5.0
    places = principal_components(states).project(states)
    np.testing.assert_allclose(places.mean(axis=0), 0.0, atol=1e-12)
    covariance = places.T @ places
    np.testing.assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-9)
    assert (np.diff(np.diag(covariance)) < 0).all()
    apart = np.linalg.norm(states[:, None] - states, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(places[:, None] - places, axis=-1), apart, atol=1e-9)


def test_missing_components_are_zero_and_states_that_are_not_finite_do_not_count():
    states = GENERATOR.standard_normal((10, 2))
    broken = np.concatenate([states, [[np.nan, 0.0], [np.inf, 1.0]]])
    components = principal_components(broken)
    np.testing.assert_array_equal(
        components.project(states), principal_components(states).project(states)
    )
    assert (components.project(states)[:, 2] == 0.0).all()
    assert components.project(states[None]).shape == (1, 10, 3)
    directions = components.project_directions(states[0] - states[1])
    expected = components.project(states[0]) - components.project(states[1])
    np.testing.assert_allclose(directions, expected, atol=1e-12)


def test_without_finite_states_the_first_coordinates_stand_in():
    components = principal_components(np.full((2, 4), np.nan), 2)
    np.testing.assert_array_equal(components.project(np.arange(4.0)), [0.0, 1.0])


def test_axes_of_many_clouds_at_once():
    clouds = GENERATOR.standard_normal((4, 20, 3))
    clouds -= clouds.mean(axis=1, keepdims=True)
    sizes, axes = principal_axes(clouds)
    for cloud, size, axis in zip(clouds, sizes, axes, strict=True):
        np.testing.assert_allclose(np.abs(axis @ axis.T), np.eye(3), atol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(cloud @ axis.T, axis=0), size, atol=1e-12)
