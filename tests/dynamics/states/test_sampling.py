"""Starts: visited states, noise in scale, and mixtures that reach edges, faces and the centre."""

from itertools import product

import numpy as np
from reference.dynamics import population, random_weights

from rnnstudy.cells.lstm import LSTM
from rnnstudy.dynamics.states.sampling import (
    convex_mixtures,
    finite_states,
    flatten_trajectories,
    jittered_sample,
    scale_of,
    visited_states,
)

CUBE = np.array(list(product([-1.0, 1.0], repeat=3)))


def test_default_trajectories_are_the_members_own():
    cell = LSTM(units=4)
    generator = np.random.default_rng(0)
    networks = population(cell, [random_weights(cell, generator, 1.0) for _ in range(3)])
    states = visited_states(networks)
    assert states.shape[0] == 3
    assert states.shape[2] == 8
    assert np.isfinite(states).all()
    alone = visited_states(networks.select("member", [1]))
    np.testing.assert_allclose(alone[0], states[1], atol=1e-13)


def test_flat_puts_trials_end_to_end():
    states = np.arange(24.0).reshape(1, 2, 3, 4)
    np.testing.assert_array_equal(flatten_trajectories(states)[0, 4], states[0, 1, 1])


def test_scattered_states_carry_noise_in_proportion():
    generator = np.random.default_rng(1)
    states = np.full((5, 400), 3.0)
    found = jittered_sample(states, 50, 0.1, generator)
    # 20000 draws: the standard deviation is known to half a per cent.
    np.testing.assert_allclose((found - 3.0).std(), 0.3, rtol=0.03)
    np.testing.assert_array_equal(jittered_sample(states, 3, 0.0, generator), states[:3])


def test_scale_is_robust_and_never_zero():
    states = np.ones((9, 4))
    states[0] = 1e30
    assert scale_of(states) == 1.0
    assert scale_of(np.zeros((3, 2))) == 1.0
    assert scale_of(np.full((3, 2), np.nan)) == 1.0


def test_usable_states_are_finite_if_any_is():
    states = np.array([[1.0, 2.0], [np.inf, 0.0], [np.nan, 1.0]])
    np.testing.assert_array_equal(finite_states(states), states[:1])
    assert len(finite_states(states[1:])) == 2


def test_mixtures_of_a_cube_reach_every_edge_face_and_the_centre():
    found = convex_mixtures(CUBE, 256, 1.0, np.random.default_rng(0))
    assert found.shape == (256, 3)
    assert np.abs(found).max() <= 1.0 + 1e-12
    for target in product([-1.0, 0.0, 1.0], repeat=3):
        if 0.0 in target:
            assert np.abs(found - target).max(axis=1).min() < 1e-12


def test_mixtures_of_two_or_many_points():
    generator = np.random.default_rng(0)
    two = convex_mixtures(np.array([[0.0], [1.0]]), 20, 1.0, generator)
    assert two.shape == (20, 1)
    assert two.min() >= 0
    assert two.max() <= 1
    assert 0.5 in two
    many = convex_mixtures(generator.standard_normal((60, 2)), 100, 1.5, generator)
    assert many.shape == (100, 2)


def test_two_mixtures_of_many_points():
    generator = np.random.default_rng(0)
    points = generator.standard_normal((6, 3))
    assert convex_mixtures(points, 2, 1.0, generator).shape == (2, 3)
